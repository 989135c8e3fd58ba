import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { resolveConfig } from '../../src/config/load.js';
import { boundedMatch } from '../../src/lib/bounded-regex.js';
import { systemClock } from '../../src/lib/clock.js';
import { nodeFiles } from '../../src/lib/node-files.js';
import { run } from '../../src/lib/run.js';
import { wildcard } from '../../src/lib/wildcard.js';
import { splitWords } from '../../src/cli/commands/ping.js';
import { decideOutbox, dueAt, type OutboxFacts, type Place } from '../../src/pings/decide.js';
import { advance } from '../../src/pings/match.js';
import type { Git } from '../../src/git/run.js';
import { observeCommits } from '../../src/pings/observe-commits.js';
import { observeInbox, type InboxMemory } from '../../src/pings/observe-inbox.js';
import { resolveRules } from '../../src/pings/rules.js';
import type { Cursor, Entry, Look } from '../../src/pings/state.js';
import { render } from '../../src/pings/template.js';

describe('wildcard', () => {
  it.each<[string, string, boolean]>([
    ['a', 'a', true], ['a', 'ab', false], ['*', '', true], ['*', 'anything', true], ['a*c', 'abbc', true], ['a*c', 'abcd', false], ['*.md', 'x.md', true],
    ['*limit*', 'usage limit reached', true], ['a**b', 'ab', true], ['', '', true], ['', 'a', false], ['a.c', 'abc', false], ['*a*b*', 'xbxa', false],
  ])('%s on %s', (pattern, text, wanted) => expect(wildcard(pattern, text)).toBe(wanted));

  it('many stars on a long text end at once', () => {
    expect(wildcard(`${'*a'.repeat(90)}b`, 'a'.repeat(5000))).toBe(false);
  });
});

describe('boundedMatch', () => {
  it('gives the named groups', () => expect(boundedMatch('^r: (?<what>.*)', 'r: x', 50)).toEqual({ kind: 'yes', groups: { what: 'x' } }));
  it('says no', () => expect(boundedMatch('^r', 'x', 50)).toEqual({ kind: 'no' }));
  it('stops one that would never end', () => expect(boundedMatch('^(a+)+$', `${'a'.repeat(60)}b`, 30)).toEqual({ kind: 'slow' }));
});

describe('render', () => {
  it.each<[string, string, string, boolean]>([
    ['a value', 'see {a}', 'see VALUE', false],
    ['a literal', 'see {{a}}', 'see {a}', false],
    ['other braces', 'see {"a": 1} {}', 'see {"a": 1} {}', false],
    ['controls become blanks', 'see {evil}', 'see x  [31my', false],
    ['a value that would be a command', '{slash}', '/exit', true],
    ['a value that would be a shell line', ' {bang}', '!rm x', true],
    ["the rule's own command", '/compact {a}', '/compact VALUE', false],
    ['a command in the middle is none', 'do {slash}', 'do /exit', false],
  ])('%s', (_name, template, text, guarded) => {
    expect(render(template, { a: 'VALUE', evil: 'x\n\u001b[31my', slash: '/exit', bang: '!rm x' })).toEqual({ text, guarded });
  });
  it('cuts what is too long', () => expect(render('{a}', { a: 'x'.repeat(9999) }).text).toHaveLength(500));
});

describe('rules', () => {
  const fault = (yaml: string): string => {
    const text = `snakes: 1\npings:\n  - name: one\n    on: {settled: {}}\n    to: person\n    message: x\n  - name: two\n${yaml.split('\n').map((line) => `    ${line}\n`).join('')}`;
    const config = resolveConfig('f', text, {});
    if (!config.ok) return `${config.error.where}: ${config.error.problem}`;
    const rules = resolveRules('f', text, config.value.pings);
    return rules.ok ? 'ok' : `${rules.error.where}: ${rules.error.problem}`;
  };
  const WHO = '\nto: [s1, person]\nmessage: hi';
  it.each<[string, string, RegExp]>([
    ['all is well', `on: {commit: {ref: origin/main, subject: '^r'}}\nto: s1\nmessage: '{sha} {rule}'`, /^ok$/],
    ['two sources', `on: {commit: {ref: main}, inbox: {dir: x}}${WHO}`, /^f:8: pings\.1\.on: names not exactly one of commit, settled, inbox, event$/],
    ['no source', `on: {}${WHO}`, /^f:8: pings\.1\.on: names not exactly one/],
    ['a mistyped key', `on: {commit: {rev: main}}${WHO}`, /^f:8: pings\.1\.on\.commit\.re[vf]: /],
    ['a mistyped key of the rule', `on: {settled: {}}\nmesage: x${WHO}`, /^f:9: pings\.1\.mesage: unknown key; did you mean pings\.1\.message\?$/],
    ['no expression', `on: {commit: {ref: main, subject: '('}}${WHO}`, /^f:8: pings\.1\.on\.commit\.subject: is not a regular expression/],
    ['a ref that is an option', `on: {commit: {ref: --all}}${WHO}`, /^f:8: pings\.1\.on\.commit\.ref: is not a branch/],
    ['an unknown event', `on: {event: {kind: task-dne}}${WHO}`, /kind: no event is of the kind task-dne; did you mean task-done\?$/],
    ['an unknown field', `on: {event: {kind: task-done, match: {idd: x}}}${WHO}`, /match\.idd: task-done has no such field; did you mean id\?$/],
    ['pings about pings', `on: {event: {kind: ping-dropped}}${WHO}`, /would ping itself for ever/],
    ['an unknown placeholder', `on: {inbox: {dir: x}}\nto: s1\nmessage: '{sha}'`, /^f:10: pings\.1\.message: \{sha\} is not known here; known: \{rule\} \{file\} \{name\} \{dir\}/],
    ['a named group is known', `on: {commit: {ref: main, subject: '(?<who>.)'}}\nto: s1\nmessage: '{who}'`, /^ok$/],
    ['a name that nobody can bear', `on: {settled: {}}\nto: [A B]\nmessage: x`, /^f:9: pings\.1\.to/],
  ])('%s', (_name, yaml, wanted) => expect(fault(yaml)).toMatch(wanted));

  it('the example is good', () => {
    const text = fs.readFileSync(new URL('../../examples/pings/snakepit.yaml', import.meta.url), 'utf8');
    const config = resolveConfig('f', text, {});
    const rules = config.ok ? resolveRules('f', text, config.value.pings) : config;
    expect(rules.ok && rules.value.map(({ on }) => on.kind)).toEqual(['commit', 'settled', 'inbox', 'event']);
  });

  it('two of one name are refused', () => {
    const rule = { name: 'one', on: { settled: {} }, to: 's1', message: 'x' } as const;
    const same = resolveRules('f', undefined, [rule, rule]);
    expect(same.ok ? 'ok' : same.error.problem).toMatch(/^pings\.1\.name: there are two rules called one/);
  });
});

describe('the outbox', () => {
  const entry = (id: string, to: string, order: number, more: Partial<Entry> = {}): Entry => ({ v: 1, id, rule: 'r', to, text: 't', guarded: false, why: 'w', queuedAt: 1000, order, state: { kind: 'queued', tries: 0, triedAt: undefined, refusal: undefined }, ...more });
  const facts = (more: Partial<OutboxFacts> = {}, places: Readonly<Record<string, Place>> = { s1: { kind: 'ready' }, s2: { kind: 'ready' } }): OutboxFacts => ({ places: new Map(Object.entries(places)), typing: new Set(), consumed: new Set(), held: new Set(), ...more });
  const BY = { pid: 7, start: '1', boot: 'b' };
  it.each<[string, Entry[], OutboxFacts, string[]]>([
    ['one a target, the oldest', [entry('b', 's1', 2), entry('a', 's1', 1), entry('c', 's2', 3)], facts(), ['deliver a', 'deliver c']],
    ['one that is typed at waits', [entry('a', 's1', 1, { state: { kind: 'begun', at: 1, by: BY } }), entry('b', 's1', 2)], facts({ typing: new Set(['a']) }), []],
    ['one that was begun by the dead is reported', [entry('a', 's1', 1, { state: { kind: 'begun', at: 1, by: BY } })], facts(), ['report a']],
    ['a hook that was called by the dead is called again', [entry('a', 's1', 1, { again: true, state: { kind: 'begun', at: 1, by: BY } })], facts(), ['again a']],
    ['a receipt that was not told is told', [entry('a', 's1', 1, { state: { kind: 'settled', by: BY, receipt: { kind: 'submitted', rule: 'r', evidence: '' } } })], facts(), ['close a']],
    ['print mode is refused at once', [entry('a', 's1', 1), entry('b', 's2', 2)], facts({}, { s1: { kind: 'deaf', why: 'print mode' }, s2: { kind: 'ready' } }), ['drop a', 'deliver b']],
    ['a file that was taken away is dealt with', [entry('a', 's1', 1), entry('b', 's1', 2)], facts({ consumed: new Set(['a']) }), ['drop a', 'deliver b']],
    ['one that is not there waits', [entry('a', 's1', 1)], facts({}, { s1: { kind: 'absent', why: 'it rests' } }), []],
    ['too old is given up, wherever it stands', [entry('a', 's1', 1), entry('b', 's1', 2, { queuedAt: -9e9 })], facts(), ['deliver a', 'drop b']],
    ['a rule that has not caught up waits', [entry('a', 's1', 1)], facts({ held: new Set(['r']) }), []],
    ['a refused one waits for its time', [entry('a', 's1', 1, { state: { kind: 'queued', tries: 3, triedAt: 1999, refusal: 'busy' } })], facts(), []],
    ['a clock that was set back makes it due', [entry('a', 's1', 1, { state: { kind: 'queued', tries: 3, triedAt: 9e9, refusal: 'busy' } })], facts(), ['deliver a']],
  ])('%s', (_name, entries, given, wanted) => {
    expect(decideOutbox(entries, given, 3_600_000, 2000).map(({ kind, entry: { id } }) => `${kind} ${id}`)).toEqual(wanted);
  });

  it('tries are further and further apart, a minute at most', () => {
    expect([1, 2, 3, 20].map((tries) => dueAt({ kind: 'queued', tries, triedAt: 0, refusal: undefined }))).toEqual([2000, 4000, 8000, 60_000]);
  });
});

describe('splitWords', () => {
  it.each<[string, string[], number | undefined, boolean, string[], string | undefined]>([
    ['the last word is the message', ['a', 'b', 'hello there'], undefined, false, ['a', 'b'], 'hello there'],
    ['all behind -- is', ['a', 'b', 'hello', 'there'], 2, false, ['a', 'b'], 'hello there'],
    ['with a file all are names', ['a', 'b'], undefined, true, ['a', 'b'], undefined],
    ['no name', ['hello'], undefined, false, [], 'hello'],
  ])('%s', (_name, words, after, file, names, message) => expect(splitWords(words, after, file)).toEqual({ names, message }));
});

describe('on real files', () => {
  let dir = '';
  beforeEach(() => {
    dir = fs.mkdtempSync(join(tmpdir(), 'pings-'));
  });
  afterEach(() => fs.rmSync(dir, { recursive: true, force: true }));

  it('an inbox: changed content, not touched times; gone and come again; a directory that is away says nothing', async () => {
    const on = { kind: 'inbox', dir: 'in', files: '*.md' } as const;
    const memory: InboxMemory = new Map();
    let cursor: Cursor | undefined;
    const look = async (): Promise<string[]> => {
      const seen = await observeInbox(nodeFiles, systemClock, dir, on, memory, cursor === undefined, 0);
      const { cursor: next, found } = advance({ on }, cursor, seen);
      cursor = next;
      return found.map(({ values }) => values['name'] ?? '');
    };
    const put = (name: string, text: string): void => fs.writeFileSync(join(dir, 'in', name), text);
    fs.mkdirSync(join(dir, 'in'));
    put('old.md', 'x');
    expect(await look()).toEqual([]);
    put('new.md', 'x');
    put('.hidden.md', 'x');
    put('other.txt', 'x');
    expect([await look(), await look()]).toEqual([['new.md'], []]);
    put('new.md', 'y');
    expect(await look()).toEqual(['new.md']);
    fs.utimesSync(join(dir, 'in', 'new.md'), 1, 1);
    expect(await look()).toEqual([]);
    fs.renameSync(join(dir, 'in'), join(dir, 'away'));
    expect(await look()).toEqual([]);
    fs.renameSync(join(dir, 'away'), join(dir, 'in'));
    expect(await look()).toEqual([]);
    fs.rmSync(join(dir, 'in', 'new.md'));
    expect(await look()).toEqual([]);
    put('new.md', 'y');
    expect(await look()).toEqual(['new.md']);
  });

  it('commits: a branch that is born, a rewrite that is compared, one whose past is gone, a directory that is no repository', async () => {
    const git = (...args: string[]): string => execFileSync('git', ['-C', dir, '-c', 'user.name=a', '-c', 'user.email=a@b', ...args], { encoding: 'utf8', env: { PATH: process.env['PATH'] ?? '', HOME: dir } }).trim();
    const commit = (subject: string): string => git('commit', '-q', '--allow-empty', '-m', subject);
    const runGit: Git = (repo, args) => run(['git', '-C', repo, ...args], { timeoutMs: 20_000 });
    const on = { kind: 'commit', repo: '.', ref: 'topic', subject: '^r' } as const;
    let cursor: Extract<Cursor, { kind: 'commit' }> | undefined;
    const look = async (): Promise<{ subjects: string[]; gaps: readonly string[]; seen: Look }> => {
      const seen = await observeCommits(runGit, dir, on, cursor);
      const { cursor: next, found, gaps } = advance({ on }, cursor, seen);
      cursor = next?.kind === 'commit' ? next : undefined;
      return { subjects: found.map(({ values }) => values['subject'] ?? ''), gaps, seen };
    };
    expect((await look()).seen.kind).toBe('unseen');
    git('init', '-q', '-b', 'main');
    commit('r history');
    expect([(await look()).subjects, cursor]).toEqual([[], { kind: 'commit', sha: null, recent: [] }]);
    git('checkout', '-q', '-b', 'topic');
    commit('r one');
    commit('not this');
    expect((await look()).subjects).toEqual(['r one']);
    expect((await look()).subjects).toEqual([]);
    git('checkout', '-q', 'main');
    commit('r below');
    git('checkout', '-q', 'topic');
    git('rebase', '-q', 'main');
    commit('r two');
    const rewritten = await look();
    expect([rewritten.subjects, rewritten.gaps.length]).toEqual([['r below', 'r two'], 1]);
    if (cursor !== undefined) cursor = { ...cursor, sha: '0'.repeat(39) + '1' };
    const gone = await look();
    expect([gone.subjects, gone.gaps]).toEqual([[], [expect.stringMatching(/is gone: what came with it is not known/)]]);
  });
});
