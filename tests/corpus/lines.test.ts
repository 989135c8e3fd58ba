process.env['TZ'] = 'UTC';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { ANSWER_CHARS, LINE_BYTES, LineReader, type LineFacts } from '../../src/agents/lines.js';
import type { LineRule } from '../../src/agents/profile.js';
import type * as LineMatch from '../../src/agents/line-match.js';
import type * as Lines from '../../src/agents/lines.js';
import { readLines } from '../../src/agents/read-lines.js';
import { resetAt, resetTime } from '../../src/agents/reset.js';
import { UsageMeter } from '../../src/agents/usage.js';
import { forAll } from '../property/for-all.js';
import { cleanMutants, importMutant, plantMutant } from '../rig/mutants.js';
import { labels, NOW, profileOf, recording } from './recordings.js';

const RULES: LineRule[] = [
  { id: 'tool', match: { 'c[*].t': 'tool' }, 'opens-tool': 'c[*].id' },
  { id: 'done', match: { t: 'done|ende' }, unless: { 'bad.*': true }, state: 'finished', answer: 'say' },
  { id: 'late', match: { t: 'done', n: 7 }, state: 'errored' },
  { id: 'null', match: { x: null }, state: 'idle' },
  { id: 'there', match: { y: '*' }, state: 'working', prompt: 'y' },
];
const read = (text: string): LineFacts => readLines(RULES, text, NOW);

describe('rules', () => {
  it('match whole values, and the first with a state speaks', () => {
    expect(read('{"t":"done","n":7,"say":"yes"}').last).toMatchObject({ kind: 'finished', rule: 'done' });
    expect(read('{"t":"done","n":7,"bad":{"any":true}}').last).toMatchObject({ kind: 'errored', rule: 'late' });
    expect(read('{"t":"undone"}\n{"t":"ended"}\n{"t":["done"]}\n{"t":{"done":1}}').last).toBeUndefined();
    expect(read('{"x":null}').last?.kind).toBe('idle');
    expect(read('{"y":null}').last).toBeUndefined();
    expect(read('{"y":0}').last?.kind).toBe('working');
    expect(read('{"__proto__":{"t":"done"},"constructor":1}').last).toBeUndefined();
  });
  it('a tool is open until it is closed, or the turn is over', () => {
    expect(read('{"c":[{"t":"tool","id":1},{"t":"tool","id":"b"},{"t":"text"}]}').openTools).toBe(2);
    expect(read('{"c":[{"t":"tool","id":1}]}\n{"t":"done"}').openTools).toBe(0);
  });
});

describe('tries', () => {
  const rules: LineRule[] = [{ id: 'try', match: { t: 'try' }, state: 'retrying', 'ends-as': 'rate-limited' }, { id: 'busy', match: { t: 'busy' }, state: 'working' }];
  const since = (...lines: string[]): number | undefined => lines.reduce((reader, t, index) => reader.event({ t }, index), new LineReader(rules)).facts().last?.since;
  it('are one row while nothing but a word of work comes between; its begin is kept', () => {
    expect(since('busy', 'try')).toBe(1);
    expect(since('busy', 'try', 'busy', 'try', 'try', 'busy', 'try')).toBe(1);
    expect(since('try', 'busy', 'said', 'try')).toBe(3);
    expect(since('try', 'busy')).toBeUndefined();
  });
  it('of its own soon are no end of a limit; a later one is', () => {
    const next = (ms: number): number | undefined => readLines([{ id: 'try', match: { t: 'try' }, state: 'retrying', reset: { path: 'next', unit: 'epoch-ms' } }], JSON.stringify({ t: 'try', next: NOW + ms }), NOW).last?.resetAt;
    expect([next(30_000), next(59_999), next(60_000), next(3_600_000)]).toEqual([undefined, undefined, NOW + 60_000, NOW + 3_600_000]);
  });
});

describe('lines that are not what they should be', () => {
  it('are counted and never believed', () => {
    const facts = read('not json\n\n  \n[1,2]\nnull\n"done"\n{"t":"done"\n{"t":"done"}\r\n{"t":"do');
    expect(facts).toMatchObject({ events: 1, malformed: 6, oversize: 0, last: { kind: 'finished' } });
  });
  it('never throw, whatever they are', () => {
    forAll(fc.uint8Array({ maxLength: 400 }), (bytes) => readLines(RULES, bytes, NOW));
    forAll(fc.json(), (text) => {
      for (const agent of ['claude', 'codex', 'gemini', 'opencode', 'pi', 'qwen']) {
        const { headless, hooks, transcript } = profileOf(agent);
        for (const rules of [headless?.rules, hooks?.rules, transcript?.rules]) readLines(rules ?? [], text, NOW);
      }
    });
    expect(readLines(RULES, '['.repeat(200_000), NOW).malformed).toBe(1);
  });
  it('a line over 4 MiB is skipped, and the next one is read', () => {
    const long = `{"t":"done","say":"${'x'.repeat(LINE_BYTES)}"}`;
    const facts = read(`{"y":"a"}\n${long}\n{"y":"b"}\n`);
    expect(facts).toMatchObject({ events: 2, oversize: 1, malformed: 0, prompts: ['a', 'b'], last: { kind: 'working' } });
    const fits = `{"t":"done","say":"${'x'.repeat(LINE_BYTES - 24)}"}`;
    expect(read(fits)).toMatchObject({ events: 1, oversize: 0 });
    expect(read(fits).answer?.length).toBe(ANSWER_CHARS);
  });
  it('an endless line takes no memory', () => {
    const reader = new LineReader(RULES);
    const chunk = Buffer.alloc(1024 * 1024, 0x61);
    const before = process.memoryUsage().rss;
    for (let round = 0; round < 300; round += 1) reader.push(chunk, NOW);
    expect(process.memoryUsage().rss - before).toBeLessThan(120 * 1024 * 1024);
    expect(reader.push('\n{"t":"done"}\n', NOW).facts()).toMatchObject({ oversize: 1, last: { kind: 'finished' } });
  });
  it('prompts and turns are bounded', () => {
    expect(read(Array.from({ length: 500 }, (_none, index) => `{"y":"p${index}"}`).join('\n')).prompts).toHaveLength(64);
    const meter = new UsageMeter();
    const spec = { id: 'id', cumulative: false, input: 'n', 'input-has-cache': false, 'output-has-reasoning': true };
    for (let index = 0; index < 5000; index += 1) for (let again = 0; again < 2; again += 1) meter.add(spec, { id: index, n: 1 });
    expect(meter.total()?.input).toBe(5000);
  });
});

describe('chunks', () => {
  const text = '{"y":"żółć 🐍"}\n\n{"c":[{"t":"tool","id":"1"}]}\r\nnoise\n{"t":"done","say":"fin ✓"}';
  const cut = (Reader: typeof LineReader, bytes: Buffer, ...at: number[]): LineFacts => {
    const reader = new Reader(RULES);
    let from = 0;
    for (const end of [...at, bytes.length]) {
      // The caller's buffer is used again.
      const chunk = Buffer.from(bytes.subarray(from, end));
      reader.push(chunk, NOW);
      chunk.fill(0x7a);
      from = end;
    }
    return reader.end(NOW).facts();
  };
  const everyCut = (Reader: typeof LineReader): void => {
    const bytes = Buffer.from(text);
    const whole = read(text);
    for (let at = 0; at <= bytes.length; at += 1) expect(cut(Reader, bytes, at)).toEqual(whole);
    expect(cut(Reader, bytes, ...Array.from({ length: bytes.length }, (_none, index) => index))).toEqual(whole);
  };
  it('at every byte give the same', () => everyCut(LineReader));
  it('of every recording, cut at random, give the same', () => {
    for (const name of Object.keys(labels)) {
      const rules = profileOf(name).headless?.rules ?? [];
      const bytes = Buffer.from(recording(`headless/${name}.out`));
      const reader = new LineReader(rules);
      for (let from = 0, step = 1; from < bytes.length; from += step, step = (step * 7 + 3) % 251 || 1) reader.push(bytes.subarray(from, from + step), NOW);
      expect(reader.end(NOW).facts()).toEqual(readLines(rules, bytes, NOW));
    }
  });
  it('an unfinished line says nothing yet', () => {
    const reader = new LineReader(RULES);
    expect(reader.push('{"t":"done"}', NOW).facts().last).toBeUndefined();
    expect(reader.push('\n', NOW).facts().last?.kind).toBe('finished');
  });

  describe('planted faults', () => {
    afterAll(cleanMutants);
    it.each<[string, string, string]>([
      ['agents/line-splitter.js', 'this.#keep(Buffer.from(rest));', 'this.#keep(rest);'],
      ['agents/line-splitter.js', 'this.#keep(rest.subarray(0, end));', 'this.#drop(); this.#keep(rest.subarray(0, end));'],
      ['agents/line-splitter.js', "Buffer.concat(this.#pending).toString('utf8')", "this.#pending.map((part) => part.toString('utf8')).join('')"],
    ])('%s: %s', async (file, find, replace) => {
      const mutant = (await import(`${plantMutant(file, find, replace)}/agents/lines.js`)) as typeof Lines;
      expect(() => everyCut(mutant.LineReader)).toThrow();
    });
    it.each<[string, string]>([["new RegExp(`^(?:${want})$`, 'su')", "new RegExp(want, 'su')"], ['!unless.some(holds)', 'true'], ['match.every(holds)', 'match.some(holds)'], ['(value) => value !== null', '() => true']])('agents/line-match.js: %s', async (find, replace) => {
      const mutant = (await importMutant('agents/line-match.js', find, replace)) as typeof LineMatch;
      const lines: object[] = [{ t: 'undone' }, { t: 'done', bad: { a: true } }, { t: 'done', n: 1 }, { y: null }, { x: null }];
      const outcome = (module: typeof mutant): boolean[] => lines.flatMap((line) => RULES.map((rule) => module.holdsFor(module.compile(rule), line, 'unknown')));
      expect(outcome(mutant)).not.toEqual(outcome(await import('../../src/agents/line-match.js')));
    });
  });
});

describe('the end of a limit', () => {
  const iso = (unit: Parameters<typeof resetTime>[0], value: unknown): string | undefined => {
    const at = resetTime(unit, value, NOW);
    return at === undefined ? undefined : new Date(at).toISOString().slice(0, 19);
  };
  it.each<[Parameters<typeof resetTime>[0], unknown, string | undefined]>([
    ['epoch-s', 1795263487, '2026-11-21T12:18:07'], ['epoch-s', '1795263487', '2026-11-21T12:18:07'], ['epoch-ms', 1795255255311, '2026-11-21T10:00:55'], ['iso', '2026-11-21T13:00:00Z', '2026-11-21T13:00:00'],
    ['seconds', 10800, '2026-11-21T13:00:00'], ['seconds', '1.2s', '2026-11-21T10:00:01'], ['seconds', '2h13m5s', '2026-11-21T12:13:05'], ['seconds', '3 days 4 hours 20 minutes', '2026-11-24T14:20:00'], ['seconds', '500ms', '2026-11-21T10:00:00'], ['milliseconds', 60_000, '2026-11-21T10:01:00'],
    ['clock', '12:18pm (UTC)', '2026-11-21T12:18:00'], ['clock', '12:32 PM', '2026-11-21T12:32:00'], ['clock', '12am', '2026-11-22T00:00:00'], ['clock', '9am (UTC)', '2026-11-21T09:00:00'], ['clock', '8:59am (UTC)', '2026-11-22T08:59:00'],
    ['clock', '3pm (America/New_York)', '2026-11-21T20:00:00'], ['clock', 'Nov 28th, 2026 12:32 PM', '2026-11-28T12:32:00'], ['clock', 'Dec 1, 3pm (Europe/Warsaw)', '2026-12-01T14:00:00'], ['clock', 'Jan 2 at 14:05', '2027-01-02T14:05:00'],
    ['clock', '25:00', undefined], ['clock', '13pm', undefined], ['clock', 'soon', undefined], ['clock', '3pm (Mars/Olympus)', undefined], ['clock', '', undefined],
    ['epoch-s', 0, undefined], ['epoch-s', 'x', undefined], ['epoch-s', 1795263487000, undefined], ['iso', 'never', undefined], ['seconds', 'a while', undefined], ['seconds', null, undefined], ['seconds', {}, undefined],
  ])('%s %j', (unit, value, at) => {
    expect(iso(unit, value)?.slice(0, 19)).toBe(at);
  });
  it('from a path, a pattern on it, or a group of the rule that matched', () => {
    const at = (...args: Parameters<typeof resetAt>): number | undefined => resetAt(...args);
    expect(at({ path: 'a.b', unit: 'epoch-s' }, { a: { b: 1795263487 } }, NOW)).toBe(1795263487000);
    expect(at({ path: 'm', pattern: '"resets_at":(\\d+)', unit: 'epoch-s' }, { m: '429: {"resets_at":1795266507}' }, NOW)).toBe(1795266507000);
    expect(at({ group: 'reset', unit: 'clock' }, /at (?<reset>.+)$/u.exec('try again at 12:32 PM'), NOW)).toBe(Date.parse('2026-11-21T12:32:00Z'));
    expect(at({ path: 'm', pattern: 'no (.+)', unit: 'clock' }, { m: 'yes 3pm' }, NOW)).toBeUndefined();
    expect(at({ path: 'm', unit: 'clock' }, {}, NOW)).toBeUndefined();
  });
});
