import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import * as realFrontMatter from '../../src/protocol/front-matter.js';
import * as realParse from '../../src/protocol/parse-task.js';
import * as realTask from '../../src/protocol/task.js';
import { forAll, forAllAsync } from './for-all.js';
import { cleanMutants, importMutant, killedBy } from '../rig/mutants.js';

type Parse = typeof realParse;
type FrontMatter = typeof realFrontMatter;
type Task = typeof realTask;
type Fault = realFrontMatter.TaskFault;
type Parsed = realParse.ParsedTask;

/** Far above what any refusal takes here, far below what the parser takes for what must be refused. */
const BOUND_MS = 3000;

const parse = (m: Parse, text: string | Buffer): ReturnType<Parse['parseTask']> => m.parseTask(Buffer.from(text as string));

async function good(m: Parse, text: string | Buffer): Promise<Parsed> {
  const result = await parse(m, text);
  if (!result.ok) throw new Error(`refused: line ${result.error.line}: ${result.error.problem}`);
  return result.value;
}

async function bad(m: Parse, text: string | Buffer): Promise<Fault> {
  const startedAt = performance.now();
  const result = await parse(m, text);
  if (result.ok) throw new Error(`taken: ${JSON.stringify(text.toString().slice(0, 200))}`);
  expect(performance.now() - startedAt).toBeLessThan(BOUND_MS);
  return result.error;
}

const withHead = (head: string, body = 'do it\n'): string => `---\n${head}\n---\n${body}`;

const total = async (m: Parse): Promise<void> => {
  const bytes = fc.uint8Array({ maxLength: 300 }).map((data) => Buffer.from(data));
  const anyHead = fc.tuple(fc.constantFrom('---\n', '---\r\n', '\ufeff---\n', ''), fc.string({ unit: 'binary', maxLength: 200 }), fc.constantFrom('\n---\n', '\n---\nbody', '')).map((parts) => Buffer.from(parts.join('')));
  const token = fc.constantFrom(
    ...realParse.TASK_KEYS, 'Timeout', 'unknown', ': ', ':', '\n', '\n', '\n  ', '\n- ', '- ', '[', ']', '{', '}', ', ', '"', "'", '#', ' #', '|\n', '>-\n', '&a', '*a', '!!js', '!', '<<', '? ', '%YAML 1.1',
    '--- ', '...', '\\', '\t', '\r', '\u2028', '\u00e9', '45m', '7', '-0', '1e9', '.inf', '.nan', '~', 'null', 'true', '2026-12-01T02:00', 'a', 'repo', "it's", '__proto__', 'constructor', '0x1f', '',
  );
  const tokens = fc.array(token, { maxLength: 40 }).map((parts) => Buffer.from(withHead(parts.join(''), parts.length % 2 === 0 ? 'body' : '')));
  const look = async (data: Buffer): Promise<void> => {
    const result = await m.parseTask(data);
    if (result.ok) {
      expect(typeof result.value.spec.body).toBe('string');
      for (const warning of result.value.warnings) expect(warning.line).toBeGreaterThanOrEqual(1);
      return;
    }
    const { line, problem, fix } = result.error;
    expect(Number.isInteger(line) && line >= 1).toBe(true);
    expect(line).toBeLessThanOrEqual(data.toString('latin1').split('\n').length);
    expect([problem, fix]).not.toContain('');
  };
  await forAllAsync(bytes, look, 500);
  await forAllAsync(anyHead, look, 500);
  await forAllAsync(tokens, look, 1500);
};

const bareMarkdown = async (m: Parse): Promise<void> => {
  const { spec, warnings } = await good(m, '# Fix the login\n\nIt is broken.\n');
  expect(spec).toEqual({
    id: undefined, title: 'Fix the login', agents: [], priority: undefined, after: [], notBefore: undefined, timeoutMs: undefined,
    attempts: undefined, workspace: undefined, changes: 'optional', workflow: undefined, with: {}, verify: [], run: undefined, inputs: {}, parent: undefined, depth: 0, tags: [], budget: undefined, body: '# Fix the login\n\nIt is broken.\n',
  });
  expect(warnings).toEqual([]);
  expect((await good(m, 'just this')).spec.title).toBe('just this');
  const text = fc.string({ unit: 'binary', maxLength: 200 }).filter((body) => body.trim() !== '' && !body.includes('\u0000') && !body.startsWith('\ufeff') && !body.startsWith('---'));
  await forAllAsync(text, async (body) => expect((await good(m, body)).spec.body).toBe(body));
};

const wholeTask = withHead(
  [
    'id: fix-login', 'title: "Fix: the login"', 'agent: [claude, shell]', 'priority: high', 'after: [a, b.c]', 'at: 2026-12-01T02:00:00Z', 'timeout: 1h30m', 'attempts: 3',
    'workspace: repo', 'base: v1.2', 'changes: required', 'workflow: build-review', 'with: {rounds: 3}', 'setup: npm ci', 'verify:', '  - npm test', '  - npm run lint', 'run: make report', 'inputs: {spec: docs/spec.md}', 'parent: p', 'depth: 2', 'tags: [nightly, db.2, nightly]', 'budget: {tokens: 2M}',
  ].join('\n'),
);
const wholeSpec = {
  id: 'fix-login', title: 'Fix: the login', agents: ['claude', 'shell'], priority: 30, after: ['a', 'b.c'], notBefore: { kind: 'at', atMs: Date.UTC(2026, 11, 1, 2) }, timeoutMs: 5_400_000, attempts: 3,
  workspace: 'repo', base: 'v1.2', changes: 'required', workflow: 'build-review', with: { rounds: 3 }, setup: ['npm ci'], verify: ['npm test', 'npm run lint'], run: 'make report', inputs: { spec: 'docs/spec.md' }, parent: 'p', depth: 2, tags: ['nightly', 'db.2'], budget: { tokens: 2_000_000 },
};

const everyKey = async (m: Parse): Promise<void> => {
  expect((await good(m, wholeTask)).spec).toEqual({ ...wholeSpec, body: 'do it\n' });
  expect((await good(m, withHead('in: 2d'))).spec.notBefore).toEqual({ kind: 'in', ms: 172_800_000 });
  expect((await good(m, withHead('priority: 0'))).spec.priority).toBe(0);
  expect((await good(m, withHead('agent: shell\nverify: make check'))).spec).toMatchObject({ agents: ['shell'], verify: ['make check'] });
  expect((await good(m, withHead('after: []'))).spec.after).toEqual([]);
  expect((await good(m, withHead('run: make', ''))).spec).toMatchObject({ run: 'make', body: '' });
  expect((await good(m, withHead('', 'text'))).spec.body).toBe('text');
};

const marksAndLineEnds = async (m: Parse): Promise<void> => {
  const crlf = wholeTask.replaceAll('\n', '\r\n');
  for (const text of [`\ufeff${wholeTask}`, crlf, `\ufeff${crlf}`, wholeTask.replaceAll('---', '---  ')]) expect((await good(m, text)).spec).toMatchObject(wholeSpec);
  const wrong = withHead('title: t\n# a comment\n\npriority: 100');
  for (const text of [wrong, `\ufeff${wrong}`, wrong.replaceAll('\n', '\r\n')]) expect((await bad(m, text)).line).toBe(5);
};

const unclosed = async (m: Parse): Promise<void> => {
  for (const text of ['---', '---\n', '---\nid: a\n', '---\r\nid: a\r\n\r\nbody', '\ufeff---\nid: a', '---\nid: a\n----\nbody', '---\nid: a\n ---\nbody']) {
    expect(await bad(m, text)).toMatchObject({ line: 1, problem: expect.stringContaining('never closed') });
  }
};

const notText = async (m: Parse): Promise<void> => {
  expect(await bad(m, 'a\nb\n\u0000')).toMatchObject({ line: 3, problem: expect.stringContaining('NUL') });
  expect(await bad(m, Buffer.from([97, 10, 98, 10, 0xff, 10, 99]))).toMatchObject({ line: 3, problem: expect.stringContaining('UTF-8') });
  expect(await bad(m, Buffer.from([0xc3, 0xa9, 10, 0xe2, 0x82]))).toMatchObject({ line: 2 });
  expect(await bad(m, Buffer.from('task', 'utf16le'))).toMatchObject({ line: 1 });
  for (const text of ['', ' \n\t\n', '\ufeff', '\ufeff\n']) expect((await bad(m, text)).line).toBe(1);
  expect(await bad(m, withHead('id: a', '  \n'))).toMatchObject({ problem: expect.stringContaining('no text') });
};

/** Values that a key must refuse. The empty value is none. */
const WRONG: Readonly<Record<string, readonly string[]>> = {
  id: ['', 'Fix', '../x', 'a..b', 'a/b', '"a b"', '-1', '[a]', '{a: b}', 'a'.repeat(65), 'a~b'],
  title: ['', '7', 'true', '[a]', '{a: b}'],
  agent: ['', '7', '" "', '[a, 7]', '[""]', '{a: b}'],
  priority: ['', '-1', '100', '1.5', 'soon', '"5"', '.nan', '.inf', '[1]', 'toString', '__proto__'],
  after: ['', 'Fix', '[a, ../b]', '[a, 7]', '[[a]]', '{a: b}', '" "'],
  at: ['', 'tomorrow', '12', '2026', '2026-13-01', '2026-12-01T25:00', '[2026-12-01]', 'next 2026-12-01'],
  in: ['', '5', '"5"', 'soon', '-5m', '5 m', '5w', '[5m]', '1e9d', '4000d'],
  timeout: ['', '0s', '0ms', '90', 'never', '-1h', '[1h]', '99999999d'],
  wake: ['', '0s', '90', 'never', '-1h', '[1h]', '99999999d'],
  attempts: ['', '0', '-1', '101', '1.5', '"3"', 'many', '.nan'],
  base: ['', '-x', '[a]', '3'], changes: ['', 'maybe', 'true'],
  workspace: ['', 'worktrees', 'Repo', '/tmp', '[repo]', 'true'],
  mode: ['', 'fast', '7', '[headless]', 'Interactive'],
  setup: ['', '7', '[npm ci, 7]', '[[a]]', '{a: b}', '""'],
  verify: ['', '7', '[npm test, 7]', '[[a]]', '{a: b}', '""'],
  run: ['', '7', '""', '[make]', '{a: b}'],
  inputs: ['', 'docs', '[docs]', '{1a: b}', '{a: 7}', '{a: ""}', '{a b: c}', '{a: [b]}', '{__proto__: b}'],
  parent: ['', 'Up', '7', '[a]', '../a'],
  depth: ['', '-1', '100', '1.5', '"1"', 'deep'],
  ask: ['', 'maybe', '[park]', '1'],
  workflow: ['', '7', 'Build', '[a]', '../a', 'a b', '""'],
  with: ['', '7', 'rounds', '[rounds]', 'true'],
  budget: ['', '3', '[1]', '{}', '{tokens: many}', '{tokens: -1}', '{money: 5$}', '{minutes: -3}', '{euros: 3}'],
  merge: ['', 'no-ff', 'None', 'true', '[none]'],
  policy: ['', '7', 'deny', '[deny]', '{denied: [a]}', '{deny: a, max-files: many}', '{max-files: -1}', '{binaries: maybe}'],
  tags: ['', '{a: b}', '[a b]', '[-a]', '[1]', `[${Array.from({ length: 21 }, (_, n) => `t${n}`).join(', ')}]`],
};

const faultsHaveTheirLine = async (m: Parse): Promise<void> => {
  expect(Object.keys(WRONG).sort()).toEqual([...m.TASK_KEYS].sort());
  for (const [key, values] of Object.entries(WRONG)) {
    for (const value of values) {
      const before = key === 'title' ? ['x-note: t'] : ['title: t', '# comment', 'unknown: [', '  1,', '  2]'];
      const text = withHead([...before, `${key}: ${value}`, 'zzz: 1'].join('\n'));
      const fault = await bad(m, text);
      expect([key, value, fault.line, fault.problem.startsWith(`${key}:`)]).toEqual([key, value, before.length + 2, true]);
    }
  }
  expect((await bad(m, withHead('verify:\n  - a\n  - 7\nrun: x'))).line).toBe(2);
  expect((await bad(m, withHead('title: a\nid: b: c'))).line).toBe(3);
  expect((await bad(m, withHead('title: a\n"unclosed'))).line).toBeGreaterThanOrEqual(3);
  expect((await bad(m, withHead('- a\n- b'))).line).toBe(2);
  expect((await bad(m, withHead('just words'))).line).toBe(2);
  expect(await bad(m, withHead('title: a\nwith: {rounds: 3}'))).toMatchObject({ line: 3, problem: expect.stringContaining('no workflow') });
  expect(await bad(m, withHead('at: 2026-12-01T02:00\nin: 5m'))).toMatchObject({ problem: expect.stringContaining('both') });
};

const twiceIsRefused = async (m: Parse): Promise<void> => {
  expect((await bad(m, withHead('id: a\nid: b'))).line).toBe(3);
  expect(await bad(m, withHead('id: a\ntitle: t\nID: b'))).toEqual({ line: 4, problem: 'id: is given twice', fix: expect.any(String) });
  expect((await bad(m, withHead('inputs: {a: x, a: y}'))).line).toBe(2);
};

const unknownIsAWarning = async (m: Parse): Promise<void> => {
  const { warnings, spec } = await good(m, withHead('titel: x\nzzzzzz: {a: [1, 2]}\nconstructor: 1\nid: a\n__proto__: {x: 1}'));
  expect(warnings.map(({ line }) => line)).toEqual([2, 3, 4, 6]);
  expect(warnings[0]?.text).toContain('did you mean title');
  expect(warnings[1]?.text).not.toContain('did you mean');
  expect(spec.id).toBe('a');
  expect(Object.getPrototypeOf(spec)).toBe(Object.prototype);
};

/** Capitals are the same key; a hyphen that camelCase stands for is put back (`timeOut` is time-out, which is not a key). */
const spellings = async (m: Parse): Promise<void> => {
  for (const key of ['Timeout', 'TIMEOUT', 'timeout', '"timeout"']) {
    const { spec, warnings } = await good(m, withHead(`${key}: 5m`));
    expect([key, spec.timeoutMs, warnings]).toEqual([key, 300_000, []]);
  }
  const { spec, warnings } = await good(m, withHead('timeOut: 5m'));
  expect([spec.timeoutMs, warnings.length, warnings[0]?.text.includes('did you mean timeout')]).toEqual([undefined, 1, true]);
};

const deep = (open: string, close: string, times: number): string => open.repeat(times) + close.repeat(times);
const BOMBS: Readonly<Record<string, string>> = {
  'brackets, closed': `x: ${deep('[', ']', 1000)}`,
  'brackets, open': '['.repeat(1000),
  'braces, open': '{'.repeat(1000),
  'braces with keys': `x: ${deep('{a: ', '}', 1000)}`,
  'brackets on many lines': `x:\n${'  [\n'.repeat(300)}`,
  'both kinds': '[{'.repeat(1000),
  '40,000 keys': Array.from({ length: 40_000 }, (_, n) => `k${n}: 1`).join('\n'),
  '40,000 keys on one line': `x: {${Array.from({ length: 40_000 }, (_, n) => `k${n}: 1`).join(', ')}}`,
  '5,000 short keys on one line': `x: {${Array.from({ length: 5000 }, (_, n) => `${n}: 1`).join(',')}}`,
  'dashes': `x:\n  ${'- '.repeat(2000)}a`,
  'a megabyte': `x: ${'a'.repeat(1_000_000)}`,
  'more lines than anybody writes': Array.from({ length: 500 }, (_, n) => `# ${n}`).join('\n'),
  'staircase': Array.from({ length: 390 }, (_, n) => `${' '.repeat(n)}k:`).join('\n'),
  'aliases of aliases': ['a: &a [x, x]', ...Array.from('bcdefghi', (name, n) => `${name}: &${name} [${`*${'abcdefgh'[n] ?? 'a'}, `.repeat(9)}x]`)].join('\n'),
  'an anchor': 'title: &a text',
  'an anchor in a list': 'after: [&a one]',
  'an anchor on a key': '&a title: text',
  'an alias': 'title: *a',
  'an alias in a list': 'after: [one,*a]',
  'a merge': 'inputs:\n  <<: *a',
  'a tag': 'title: !!str 7',
  'a tag of another library': "title: !!js/function 'function () {}'",
  'a tag in a list': 'after: [a, !x b]',
};

const bombsAreRefused = async (m: Parse): Promise<void> => {
  for (const [what, head] of Object.entries(BOMBS)) {
    // Twice: the first that gets to the parser only exhausts the stack, the second can abort the process.
    for (const round of [1, 2]) {
      const fault = await bad(m, withHead(head));
      expect([what, round, fault.line >= 2, fault.problem.includes('broken YAML') || fault.problem.includes('cannot be read')]).toEqual([what, round, true, false]);
    }
  }
  expect((await bad(m, withHead('title: a\ntitle2: b\nafter: [a, *b]'))).line).toBe(4);
  expect((await bad(m, withHead(`title: a\nx: ${'['.repeat(20)}`))).line).toBe(3);
  expect((await bad(m, withHead(`title: a\n${' '.repeat(100)}x: 1`))).line).toBe(3);
};

const harmlessIsTaken = async (m: Parse): Promise<void> => {
  const heads = [
    'title: "a & b *c* [[[[[[[["', "title: 'it''s *fine* & good'", 'title: a & b', 'title: 2 * 3', 'verify: make a && make b', 'run: "cat *.md | wc -l"', 'title: wow! really!', 'verify: [a, "b, c"]',
    'run: |\n  set -e\n  make a && make b\n  if ! grep x y; then exit 1; fi', Array.from({ length: 150 }, (_, n) => `k${n}: 1`).join('\n'), `x: ${deep('[', ']', 8)}`,
  ];
  for (const head of heads) expect([head, (await parse(m, withHead(head))).ok]).toEqual([head, true]);
};

describe('a task file', () => {
  it('any bytes give a task or a fault with its line', () => total(realParse));
  it('bare markdown is a task', () => bareMarkdown(realParse));
  it('every key is read', () => everyKey(realParse));
  it('byte order marks and CRLF change nothing', () => marksAndLineEnds(realParse));
  it('front matter that is never closed is an error at line 1', () => unclosed(realParse));
  it('binary, other encodings and emptiness are told where they are', () => notText(realParse));
  it('a wrong value of any key is told with its line', () => faultsHaveTheirLine(realParse));
  it('a key given twice is refused', () => twiceIsRefused(realParse));
  it('an unknown key is a warning', () => unknownIsAWarning(realParse));
  it('a key may be spelt with capitals', () => spellings(realParse));
  it('bombs are refused before the parser sees them', () => bombsAreRefused(realParse));
  it('what only looks like a bomb is taken', () => harmlessIsTaken(realParse));
});

/** What gets round a linear look unless it is meant to see it; in a process of its own, because the failure is an abort. */
describe('a bomb in disguise', () => {
  const moduleUrl = new URL('../../dist/protocol/parse-task.js', import.meta.url).href;
  const program = `
    const { parseTask } = await import(${JSON.stringify(moduleUrl)});
    const answers = new Set();
    for (let round = 0; round < 8; round += 1) {
      const result = await parseTask(Buffer.from(process.argv[1])).catch((cause) => 'threw ' + cause.message);
      answers.add(typeof result === 'string' ? result : result.ok ? 'taken' : 'refused');
    }
    process.stdout.write([...answers].join(', '));`;
  const disguises: Readonly<Record<string, string>> = {
    'explicit keys in explicit keys': `${'? '.repeat(1000)}a`,
    'dashes and explicit keys in turn': `${'- ? '.repeat(1000)}a`,
    'brackets closed only in comments': `x:\n${' [[[[[[[[ #]]]]]]]]\n'.repeat(300)}`,
    'brackets closed only in double quotes': `x: ${'["]" '.repeat(5000)}`,
    'brackets closed only in single quotes': `x: ${"[']' ".repeat(5000)}`,
    'aliases between two apostrophes': `verify: [it's, &a b, ${'*a, '.repeat(101)}it's]`,
    'an alias of itself between two apostrophes': "verify: [it's, &a [*a], it's]",
    'one alias between two apostrophes': "verify: [it's, &a b, *a, it's]",
  };
  it.each(Object.entries(disguises))('%s', (_what, head) => {
    const { signal, stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program, '--', withHead(head)], { timeout: 30_000, encoding: 'utf8' });
    expect(signal ?? stdout).toBe('refused');
  });
});

const splitKeepsAll = (m: FrontMatter): void => {
  const line = fc.string({ unit: 'binary', maxLength: 20 }).filter((text) => !/[\n\r]/.test(text) && text.trimEnd() !== '---');
  const part = fc.array(line, { minLength: 1, maxLength: 6 });
  forAll(fc.tuple(part, part, fc.constantFrom('\n', '\r\n')), ([head, body, end]) => {
    const whole = ['---', ...head, '---', ...body].join(end);
    const split = m.splitTask(whole);
    expect(split).toEqual({ ok: true, value: { head: head.join('\n'), headLine: 2, body: body.join(end) } });
  });
  forAll(part, (body) => expect(m.splitTask(['', ...body].join('\n'))).toEqual({ ok: true, value: { head: undefined, headLine: 1, body: ['', ...body].join('\n') } }));
  expect(m.splitTask('---\na\n---\nb\n---\nc')).toMatchObject({ value: { head: 'a', body: 'b\n---\nc' } });
};

const decodes = (m: FrontMatter): void => {
  const anyText = fc.oneof(fc.string({ unit: 'binary' }), fc.tuple(fc.string(), fc.constantFrom('\u0000', '\n\u0000'), fc.string()).map((parts) => parts.join('')));
  forAll(anyText, (text) => {
    const nul = text.indexOf('\u0000');
    const decoded = m.decodeTask(Buffer.from(text));
    if (nul >= 0) expect(decoded).toMatchObject({ ok: false, error: { line: text.slice(0, nul).split('\n').length } });
    else expect(decoded).toEqual({ ok: true, value: text.replace(/^\ufeff/, '') });
  });
  forAll(fc.tuple(fc.nat(50), fc.constantFrom([0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xe2, 0x28, 0xa1], [0xf5]), fc.nat(3)), ([before, broken, after]) => {
    const data = Buffer.concat([Buffer.from('é\n'.repeat(before)), Buffer.from(broken), Buffer.from('\nx'.repeat(after))]);
    expect(m.decodeTask(data)).toMatchObject({ ok: false, error: { line: before + 1 } });
  });
};

describe('the two parts of a task file', () => {
  it('are split without loss', () => splitKeepsAll(realFrontMatter));
  it('are UTF-8, and the first byte that is not is found', () => decodes(realFrontMatter));
});

const fences = (m: Task): void => {
  const of = (...lines: string[]): unknown => m.fencedShell(lines.join('\n'));
  expect(of('# a', '```sh', 'ls', 'pwd', '```', 'b')).toEqual([{ shell: 'sh', text: 'ls\npwd' }]);
  expect(of('```bash', 'a', '```', '~~~shell', 'b', '~~~', '```SH', 'c', '```')).toEqual([{ shell: 'bash', text: 'a' }, { shell: 'sh', text: 'b' }, { shell: 'sh', text: 'c' }]);
  expect(of('```', 'ls', '```', '```js', 'x', '```', '```console', '$ ls', '```', '```shell-session', '$ ls', '```')).toEqual([]);
  expect(of('```sh', 'never closed', '')).toEqual([{ shell: 'sh', text: 'never closed\n' }]);
  expect(of('````sh', '```', 'inner', '```', '````')).toEqual([{ shell: 'sh', text: '```\ninner\n```' }]);
  expect(of('```sh', 'a', '~~~', 'b', '````')).toEqual([{ shell: 'sh', text: 'a\n~~~\nb' }]);
  expect(of('```js', '```sh', 'inside', '```', '```sh', 'outside', '```')).toEqual([{ shell: 'sh', text: 'outside' }]);
  expect(of('   ```sh', '  a', '   ```')).toEqual([{ shell: 'sh', text: '  a' }]);
  expect(of('    ```sh', '    indented code', '    ```')).toEqual([]);
  expect(of('``` sh -e', 'a', '```')).toEqual([{ shell: 'sh', text: 'a' }]);
  expect(m.fencedShell('```sh\r\na\r\nb\r\n```\r\n')).toEqual([{ shell: 'sh', text: 'a\nb' }]);
  expect(of('```sh', '```')).toEqual([{ shell: 'sh', text: '' }]);
  forAll(fc.string({ unit: 'binary' }), (text) => m.fencedShell(text));
  const quiet = fc.array(fc.string({ maxLength: 12 }).filter((line) => !/[`~\n\r]/.test(line)), { minLength: 1, maxLength: 5 });
  forAll(fc.array(fc.tuple(quiet, quiet), { maxLength: 4 }), (pairs) => {
    const body = pairs.map(([prose, code]) => `${prose.join('\n')}\n\`\`\`sh\n${code.join('\n')}\n\`\`\``).join('\n');
    expect(m.fencedShell(body)).toEqual(pairs.map(([, code]) => ({ shell: 'sh', text: code.join('\n') })));
  });
};

describe('the commands in a task', () => {
  it('are its fenced shell blocks', () => fences(realTask));
});

describe('planted faults are noticed', () => {
  afterAll(cleanMutants);
  const inParse: readonly (readonly [string, string, string, (m: Parse) => Promise<void>])[] = [
    ['lines are off by one', 'positionOf(lines, offset) - 1', 'positionOf(lines, offset)', faultsHaveTheirLine],
    ['every fault is at the first key', 'lineOf(yaml.isNode(pair.key) ? pair.key.range?.[0] : undefined)', 'headLine', faultsHaveTheirLine],
    ['an unknown key is refused', 'warnings.push({', "return err({ problem: '', fix: '',", unknownIsAWarning],
    ['keys of the prototype are found', 'Object.hasOwn(KEYS, name) ? KEYS[name] : undefined', 'KEYS[name]', unknownIsAWarning],
    ['a second spelling wins', 'if (keys.has(name))', 'if (false)', twiceIsRefused],
    ['capitals are another key', ".replace(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase()", '', spellings],
    ['priority 100 is taken', 'number > 99', 'number > 100', faultsHaveTheirLine],
    ['no attempts at all are taken', 'value < 1 || value > 100', 'value < 0 || value > 100', faultsHaveTheirLine],
    ['a zero timeout is taken', 'draft.timeoutMs === 0', 'draft.timeoutMs < 0', faultsHaveTheirLine],
    ['an id may be anything', "!isTaskId(value))\n            return wrong('id:", "false)\n            return wrong('id:", faultsHaveTheirLine],
    ['an empty body is taken', "body.trim() === '' && ", 'false && ', notText],
  ];
  it.each(inParse)('%s', async (_what, find, replace, property) => {
    expect(await killedBy<Parse>(property, await importMutant('protocol/parse-task.js', find, replace))).toBe(true);
  });

  it('the look before the parser is left out', async () => {
    const mutant = await importMutant('protocol/parse-task.js', 'if (fault !== undefined)', 'if (false)');
    // Bracketed far deeper than a task needs, and still harmless to the parser: a deadly one would end this test run too.
    const nested = async (m: Parse): Promise<unknown> => await bad(m, withHead(`x: ${'['.repeat(150)}${']'.repeat(150)}`));
    expect(await killedBy<Parse>(nested, mutant)).toBe(true);
    expect(await killedBy<Parse>(nested, realParse)).toBe(false);
  });

  const inFrontMatter: readonly (readonly [string, string, string, (m: FrontMatter) => void])[] = [
    ['the head starts a line later', 'headLine: 2', 'headLine: 3', splitKeepsAll],
    ['the body starts with the closing line', 'slice(close + 1)', 'slice(close)', splitKeepsAll],
    ['bytes that are not UTF-8 are replaced', "new TextDecoder('utf-8', { fatal: true }).decode(bytes))", "new TextDecoder('utf-8').decode(bytes))", decodes],
    ['a NUL is text', 'nul >= 0', 'nul > 1e9', decodes],
    ['lines are counted from 0', 'let line = 1', 'let line = 0', decodes],
  ];
  it.each(inFrontMatter)('%s', async (_what, find, replace, property) => {
    expect(await killedBy<FrontMatter>(property, await importMutant('protocol/front-matter.js', find, replace))).toBe(true);
  });

  const inTask: readonly (readonly [string, string, string, (m: Task) => void])[] = [
    ['a shorter fence closes', '.startsWith(open.fence)', '.startsWith(open.fence.slice(0, 3))', fences],
    ['any fence closes', "fence[2] === '' && ", '', fences],
    ['every block is shell', ": undefined, lines: []", ": 'sh', lines: []", fences],
    ['indented code counts', '/^ {0,3}(', '/^ *(', fences],
    ['carriage returns stay', "raw.replace(/\\r$/, '')", 'raw', fences],
  ];
  it.each(inTask)('%s', async (_what, find, replace, property) => {
    expect(await killedBy<Task>(property, await importMutant('protocol/task.js', find, replace))).toBe(true);
  });
});
