import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { resolveConfig } from '../../src/config/load.js';
import { fileEventSink } from '../../src/events/event-log.js';
import type { EventLine, PitEvent } from '../../src/events/event.js';
import { partPath } from '../../src/events/parts.js';
import { nodeFiles } from '../../src/lib/node-files.js';
import { systemClock } from '../../src/lib/clock.js';
import type * as countersModule from '../../src/metrics/counters.js';
import * as realCounters from '../../src/metrics/counters.js';
import { printFamilies } from '../../src/metrics/exposition.js';
import { Gatherer } from '../../src/metrics/gather.js';
import { addEvent, newTally } from '../../src/metrics/tally.js';
import { layoutOf, QUEUE_STATES, type Layout } from '../../src/protocol/layout.js';
import { cleanMutants, killedBy, plantMutant } from '../rig/mutants.js';
import { parsePrometheus } from '../rig/prometheus.js';

const HOSTILE = ['a"b', 'a\\b', 'a\nb', 'a\r\nb\u0000\u001b[31m', '\u202eevil', '\ud800', '} 1\n# TYPE x counter', '', '{account="x"}', 'é', '\u{1F600}'.repeat(100), '__proto__', 'constructor'];

let layout: Layout;
beforeEach(() => {
  layout = layoutOf(fs.mkdtempSync(join(tmpdir(), 'snakepit-metrics-')));
  for (const state of QUEUE_STATES) fs.mkdirSync(layout.dir(state), { recursive: true });
  for (const dir of [layout.log, layout.ledger, layout.breakers]) fs.mkdirSync(dir, { recursive: true });
});
afterEach(() => fs.rmSync(layout.root, { recursive: true, force: true }));

describe('the text format', () => {
  it('is read back by a strict reader, whatever the labels are', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.oneof(fc.constantFrom(...HOSTILE), fc.string({ unit: 'binary' })), fc.oneof(fc.double({ min: 0 }), fc.nat()))), (rows) => {
        const text = printFamilies([{ name: 'x_total', type: 'counter', help: 'a \\ and\na line', samples: rows.map(([account, value]) => ({ labels: { account }, value: Number.isNaN(value) ? 0 : value })) }]);
        const series = parsePrometheus(text);
        expect(series.reduce((sum, { value }) => sum + value, 0)).toBeCloseTo(rows.reduce((sum, [, value]) => sum + (Number.isNaN(value) ? 0 : value), 0), 3);
      }),
      { numRuns: 300 },
    );
  });

  it('the strict reader is strict', () => {
    const head = '# HELP a x\n# TYPE a gauge\n';
    for (const wrong of ['a 1', `${head}a{b="x\\y"} 1\n`, `${head}a 1\na 1\n`, `${head}a{b="1"c="2"} 1\n`, `${head}a x\n`, `a 1\n`, `${head}a{b="x\n"} 1\n`, `${head}a_total 1\n`, '# TYPE a counter\n# HELP a x\na 1\n', `${head}a{__b="x"} 1\n`]) expect(() => parsePrometheus(wrong), wrong).toThrow();
    expect(parsePrometheus(`${head}a{b="x\\"\\\\\\n"} +Inf\n`)).toEqual([{ name: 'a', type: 'gauge', labels: { b: 'x"\\\n' }, value: Infinity }]);
  });

  it('of a pit whose accounts, profiles and tasks have hostile names', async () => {
    const entry = (account: string, index: number): string => JSON.stringify({ v: 1, kind: 'task', id: `t${index}`, run: `t${index}/1-n`, attempt: 1, at: 1, ms: 1000, profile: account, account, session: 's', source: 'stream', input: 10, output: 5, cacheRead: 0, cacheWrite: 0, reasoning: 1 });
    fs.writeFileSync(join(layout.ledger, '2026-01.jsonl'), `${HOSTILE.map(entry).join('\n')}\n{"torn`);
    const sink = fileEventSink(nodeFiles, systemClock, layout.events);
    for (const name of HOSTILE) await sink.emit({ kind: 'breaker-opened', account: name, reason: 'r', until: 1, strikes: 1, rule: '', evidence: '' });
    for (const id of HOSTILE) await sink.emit({ kind: 'task-claimed', id, snake: 's1', attempt: 1, marker: `${id}~0.0.0~n` });
    const text = await new Gatherer(nodeFiles, layout).text({ priceLists: [], diskBytes: 0 }, false, Date.now());
    const series = parsePrometheus(text);
    const sum = (name: string, labels: Readonly<Record<string, string>> = {}): number => series.filter((one) => one.name === name && Object.entries(labels).every(([key, value]) => one.labels[key] === value)).reduce((total, { value }) => total + value, 0);
    expect([sum('snakepit_tokens_total', { kind: 'input' }), sum('snakepit_tokens_total', { kind: 'output' }), sum('snakepit_breaker_openings_total'), sum('snakepit_attempts_total')]).toEqual([10 * HOSTILE.length, 5 * HOSTILE.length, HOSTILE.length, HOSTILE.length]);
  });
});

describe('what is counted', () => {
  const at = (event: PitEvent): EventLine => ({ v: 1, at: 1, ...event });
  const claim = (id: string, counters: string, nonce: string): EventLine => at({ kind: 'task-claimed', id, snake: 's1', attempt: 1, marker: `${id}~${counters}~${nonce}` });

  it('failures, losses and deferrals, once each, over a retry by hand and ends that are told twice', () => {
    const tally = newTally();
    for (const event of [
      claim('a', '0.0.0', '1'), claim('a', '1.0.0', '2'), claim('a', '1.0.0', '2'), claim('a', '1.1.0', '3'), claim('a', '1.1.4', '4'),
      at({ kind: 'task-failed', id: 'a', marker: 'a~1.1.4~4', attempt: 7, why: 'exit-status: 1 (3 of 3 attempts)' }),
      at({ kind: 'task-failed', id: 'a', marker: 'a~1.1.4~4', attempt: 7, why: 'exit-status: 1 (3 of 3 attempts)' }),
      claim('a', '0.0.0', '5'), at({ kind: 'task-done', id: 'a', marker: 'a~0.0.0~5', attempt: 1 }),
      claim('b', '0.4.0', '6'), at({ kind: 'task-failed', id: 'b', marker: 'b~0.4.0~6', attempt: 5, why: 'lost-too-often: its worker vanished 5 times; x' }),
      at({ kind: 'task-failed', id: 'c', marker: '', attempt: 0, why: 'a dependency failed' }),
      at({ kind: 'orphans-ended', marker: 'm', rule: 'r', killed: 3 }),
    ]) addEvent(tally, event);
    expect(tally).toMatchObject({ counted: { failures: 2, losses: 2, deferrals: 4 }, ended: { failed: 3, done: 1 }, orphans: 3, open: {} });
  });

  it('wrong settings are told with their line', () => {
    const fault = (yaml: string): string => {
      const config = resolveConfig('f', `snakes: 1\nmetrics:\n  ${yaml}\n`, {});
      return config.ok ? 'ok' : `${config.error.where}: ${config.error.problem}`;
    };
    expect(fault('file: a.prom')).toBe('ok');
    expect(fault('file: a.txt')).toMatch(/^f:3: metrics\.file: has not the ending \.prom/);
    expect(fault('port: 70000')).toMatch(/^f:3: metrics\.port: use a whole number from 0 to 65535$/);
    expect(fault('prot: 9464')).toMatch(/^f:3: metrics\.prot: unknown key; did you mean metrics\.port\?$/);
    expect(fault('every: soon')).toMatch(/^f:3: metrics\.every: is not a duration/);
  });
});

/* Lives of a counting process: lines come, the log is rotated and its old parts removed, the process dies before or after it saved. */

type Counters = typeof countersModule;
const moments = fc.array(fc.constantFrom('line', 'line', 'line', 'rotate', 'forget', 'catch-up', 'save', 'die'), { minLength: 3, maxLength: 40, size: 'max' });

const countsAreExact = (module: Counters): Promise<void> =>
  fc.assert(
    fc.asyncProperty(moments, async (life) => {
      fs.rmSync(layout.log, { recursive: true, force: true });
      fs.rmSync(join(layout.state, 'metrics.json'), { force: true });
      fs.mkdirSync(layout.log, { recursive: true });
      let counters = new module.EventCounters(nodeFiles, layout);
      let now = Date.now() - 10_000_000;
      let lines = 0;
      let saved = 0;
      let rotated = 0;
      const parts: { path: string; upTo: number }[] = [];
      const line = (): void => fs.appendFileSync(layout.events, `${JSON.stringify({ v: 1, at: now, kind: 'task-held', id: `t${(lines += 1)}` })}\n`);
      line();
      for (const what of life) {
        now += 10_000;
        if (what === 'line') line();
        else if (what === 'rotate' && lines > rotated) {
          const path = partPath(layout.events, now);
          fs.renameSync(layout.events, path);
          parts.push({ path, upTo: lines });
          rotated = lines;
          line();
        } else if (what === 'forget' && parts[0] !== undefined && parts[0].upTo < saved) fs.rmSync(parts.shift()?.path ?? '');
        else if (what === 'catch-up') await counters.catchUp(now);
        else if (what === 'save') {
          await counters.catchUp(now);
          await counters.save();
          saved = lines;
        } else if (what === 'die') counters = new module.EventCounters(nodeFiles, layout);
      }
      now += 10_000;
      await counters.catchUp(now);
      expect(counters.tally.events['task-held']).toBe(lines);
    }),
    { numRuns: 60 },
  );

describe('counters over restarts, rotations and removed parts', () => {
  afterAll(cleanMutants);
  it('are exact', { timeout: 120_000 }, () => countsAreExact(realCounters));
  it.each<[string, string, string]>([
    ['a restart counts from where it is now', 'this.position = this.saved = saved.position;', 'this.position = undefined;'],
    ['a restart counts all anew', 'this.tally = { ...newTally(), ...saved.tally };', 'this.tally = newTally();'],
    ['one part alone is read', 'if (stands)', 'if (true)'],
  ])('a planted fault is noticed: %s', { timeout: 120_000 }, async (_what, find, replace) => {
    const dir = plantMutant('metrics/counters.js', find, replace);
    const module = (await import(/* @vite-ignore */ pathToFileURL(join(dir, 'metrics', 'counters.js')).href)) as Counters;
    expect(await killedBy<Counters>(countsAreExact, module)).toBe(true);
  });
});
