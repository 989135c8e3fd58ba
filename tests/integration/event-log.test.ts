import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CleanupPorts, CleanupSetting } from '../../src/cleanup/ports.js';
import { applyCleanup, planCleanup } from '../../src/cleanup/specialists.js';
import { resolveConfig } from '../../src/config/load.js';
import { fileEventSink } from '../../src/events/event-log.js';
import type { EventLine } from '../../src/events/event.js';
import { linesSince } from '../../src/events/follow.js';
import * as real from '../../src/events/history.js';
import { partsOf, type Position } from '../../src/events/parts.js';
import { systemClock, type Clock } from '../../src/lib/clock.js';
import type { Files } from '../../src/lib/files.js';
import { linuxProcesses } from '../../src/lib/linux-processes.js';
import { nodeFiles } from '../../src/lib/node-files.js';
import { layoutOf, QUEUE_STATES } from '../../src/protocol/layout.js';
import { cleanMutants, importMutant, killedBy } from '../rig/mutants.js';
import { QUICK } from '../rig/pit.js';
import { until } from '../rig/until.js';
import { background, sh, withPit } from './rig.js';

const root = join(tmpdir(), `event-log-${process.pid}`);
const layout = layoutOf(root);
const LATER_MS = 3_600_000;

beforeEach(() => {
  for (const dir of [...QUEUE_STATES.map((state) => layout.dir(state)), layout.log, layout.runs]) fs.mkdirSync(dir, { recursive: true });
});
afterEach(() => fs.rmSync(root, { recursive: true, force: true }));
afterAll(cleanMutants);

class Killed extends Error {}
/** A clock that only a test moves. */
const clockAt = (now: { ms: number }): Clock => ({ ...systemClock, wallMs: () => now.ms });
const configOf = (text: string): CleanupSetting['config'] => {
  const config = resolveConfig('snakepit.yaml', text, {});
  if (!config.ok) throw new Error(config.error.problem);
  return config.value;
};
const settingOf = (text: string): CleanupSetting => ({ layout, config: configOf(text), successor: () => 'possible', pitId: 'x', residents: async () => [], thorough: true });
const portsOf = (clock: Clock, files: Files = nodeFiles): CleanupPorts => ({ files, clock, processes: linuxProcesses, events: fileEventSink(files, clock, layout.events) });
const round = async (ports: CleanupPorts, setting: CleanupSetting): Promise<string[]> => (await applyCleanup(ports, setting, await planCleanup(ports, setting, ['log-keeper']))).map(({ kind, told }) => `${kind}: ${told}`);

/** What others tell is numbered; what the keeper tells of itself is left out. */
const numbers = (events: readonly EventLine[]): number[] => events.flatMap((event) => (event.kind === 'task-held' ? [Number(event.id)] : []));
const whole = async (history: typeof real = real): Promise<number[]> => numbers(await history.readHistory(nodeFiles, layout.events));
const upTo = (count: number): number[] => Array.from({ length: count }, (_, at) => at);
const lineOf = (id: number, at: number): string => `${JSON.stringify({ v: 1, at, kind: 'task-held', id: String(id) })}\n`;
const logs = (): string[] => fs.readdirSync(layout.log).sort().map((name) => name.replace(/\d{8}T\d{9}Z/, 'WHEN'));

describe('the event log', () => {
  it('is rotated by length and by age, compressed when it rests, and removed after its time; nothing is lost or doubled', async () => {
    const now = { ms: Date.now() };
    const ports = portsOf(clockAt(now));
    const setting = settingOf('event-log: {bytes: 4096, every: 1d, keep: 10d}');
    fs.writeFileSync(layout.events, upTo(10).map((id) => lineOf(id, now.ms)).join(''));
    expect(await round(ports, setting)).toEqual([]);
    now.ms += 86_400_000;
    expect(await round(ports, setting)).toEqual([expect.stringMatching(/^done: now .*events-\d{8}T\d{9}Z\.jsonl, and begun anew$/)]);
    expect([logs(), await whole()]).toEqual([['events-WHEN.jsonl', 'events.jsonl'], upTo(10)]);
    // The clock is set back, and the log is long: parts stay in order.
    now.ms -= 7_200_000;
    fs.appendFileSync(layout.events, upTo(100).slice(10).map((id) => lineOf(id, now.ms)).join(''));
    await round(ports, setting);
    expect(await whole()).toEqual(upTo(100));
    now.ms += 2 * LATER_MS + 61_000;
    expect(await round(ports, setting)).toEqual([expect.stringContaining('.jsonl.gz, '), expect.stringContaining('.jsonl.gz, ')]);
    expect([logs(), await whole()]).toEqual([['events-WHEN.jsonl.gz', 'events-WHEN.jsonl.gz', 'events.jsonl'], upTo(100)]);
    now.ms += 11 * 86_400_000;
    expect(await round(ports, setting)).toHaveLength(3);
    // The last of it is a part of its own by now.
    expect(logs()).toEqual(['events-WHEN.jsonl', 'events.jsonl']);
  });

  it('is not compressed while a writer has it open, however long: its late line is not lost', async () => {
    const now = { ms: Date.now() };
    const ports = portsOf(clockAt(now));
    const setting = settingOf('event-log: {bytes: 4096}');
    fs.writeFileSync(layout.events, upTo(99).map((id) => lineOf(id, now.ms)).join(''));
    const writer = fs.openSync(layout.events, 'a');
    await round(ports, setting);
    now.ms += LATER_MS;
    expect(await round(ports, setting)).toEqual([]);
    fs.writeSync(writer, lineOf(99, now.ms));
    fs.closeSync(writer);
    expect(await round(ports, setting)).toEqual([expect.stringContaining('.jsonl.gz')]);
    expect(await whole()).toEqual(upTo(100));
  });

  it('killed at each of its writes in turn, the history is whole, and the next round finishes', async () => {
    const setting = settingOf('event-log: {bytes: 4096, keep: 1d}');
    const lay = (now: number): void => {
      fs.rmSync(layout.log, { recursive: true, force: true });
      fs.mkdirSync(layout.log);
      // One part to be packed, one that a crash left both packed and plain, and a log to be rotated. The oldest is to be removed.
      const name = (at: number): string => join(layout.log, `events-${new Date(at).toISOString().replaceAll(/[-:.]/g, '')}.jsonl`);
      fs.writeFileSync(`${name(now - 2 * 86_400_000)}.gz`, gzipSync(lineOf(-1, now)));
      fs.writeFileSync(name(now - LATER_MS), upTo(50).map((id) => lineOf(id, now)).join(''));
      fs.writeFileSync(name(now - LATER_MS + 5), lineOf(50, now));
      fs.writeFileSync(`${name(now - LATER_MS + 5)}.gz`, gzipSync('half of it'));
      fs.writeFileSync(layout.events, upTo(151).slice(51).map((id) => lineOf(id, now)).join(''));
    };
    const killedAt = async (writes: number, now: number): Promise<number> => {
      let left = writes;
      const step = <A extends unknown[], R>(act: (...args: A) => Promise<R>) => async (...args: A): Promise<R> => {
        left -= 1;
        if (left < 0) throw new Killed('kill -9');
        return act(...args);
      };
      const { rename, write, append, remove } = nodeFiles;
      await round(portsOf(clockAt({ ms: now }), { ...nodeFiles, rename: step(rename), write: step(write), append: step(append), remove: step(remove) }), setting);
      return left;
    };
    const now = Date.now();
    lay(now);
    const needed = 1000 - (await killedAt(1000, now));
    expect(needed).toBeGreaterThan(5);
    for (let at = 0; at <= needed; at += 1) {
      lay(now);
      await killedAt(at, now);
      expect((await whole()).filter((id) => id >= 0), `killed at write ${at}`).toEqual(upTo(151));
      await killedAt(1000, now);
      // A round that died between the rename and its own first line leaves no log: the next line makes one.
      const parts = logs().filter((name) => name !== 'events.jsonl');
      expect([await whole(), parts], `the round after a kill at write ${at}`).toEqual([upTo(151), ['events-WHEN.jsonl.gz', 'events-WHEN.jsonl.gz', 'events-WHEN.jsonl']]);
    }
  });
});

/** One reading, with a round of the keeper (and a line more) before its k-th call, for every k. */
async function readWhileRotated(history: typeof real): Promise<void> {
  const setting = settingOf('event-log: {bytes: 4096}');
  for (let k = 0; ; k += 1) {
    fs.rmSync(layout.log, { recursive: true, force: true });
    fs.mkdirSync(layout.log);
    const now = { ms: Date.now() };
    const ports = portsOf(clockAt(now));
    fs.writeFileSync(layout.events, upTo(100).map((id) => lineOf(id, now.ms)).join(''));
    await round(ports, setting);
    fs.appendFileSync(layout.events, upTo(200).slice(100).map((id) => lineOf(id, now.ms)).join(''));
    let calls = 0;
    const before = <A extends unknown[], R>(act: (...args: A) => Promise<R>) => async (...args: A): Promise<R> => {
      if (calls === k) {
        now.ms += LATER_MS;
        await round(ports, setting);
        now.ms += LATER_MS;
        await round(ports, setting);
        fs.appendFileSync(layout.events, lineOf(200, now.ms));
      }
      calls += 1;
      return act(...args);
    };
    const seen = numbers(await history.readHistory({ ...nodeFiles, list: before(nodeFiles.list), readBytes: before(nodeFiles.readBytes) }, layout.events));
    // The line that came while it read may be there or not.
    expect(seen.slice(0, 200), `rotated before call ${k}`).toEqual(upTo(200));
    expect(seen.slice(200), `rotated before call ${k}`).toEqual(seen.length === 200 ? [] : [200]);
    if (calls <= k) return;
  }
}

describe('readers of the whole history', () => {
  it('meet a rotation, and the compressing, at any of their calls', { timeout: 60_000 }, async () => readWhileRotated(real));

  it.each([
    ['the log that grows is not looked at again', 'events/history.js', "(await partsOf(files, log)).at(-1)?.stem ?? ''", "''"],
    ['what was read is read again', 'events/history.js', 'if (part.stem <= last)', 'if (false)'],
  ])('a fault is noticed: %s', { timeout: 120_000, retry: 0 }, async (_what, file, find, replace) => {
    expect(await killedBy(readWhileRotated, (await importMutant(file, find, replace)) as typeof real)).toBe(true);
  });
});

describe('many processes write while it is rotated', () => {
  it('every line is there once, in the order of its writer, for history and for whoever follows', { timeout: 180_000 }, async () => {
    const COUNT = 400;
    const now = { ms: Date.now() };
    const clock = clockAt(now);
    const ports = portsOf(clock);
    const setting = settingOf('event-log: {bytes: 4096, keep: 1000d}');
    const sink = new URL('../../dist/events/event-log.js', import.meta.url).href;
    const filesUrl = new URL('../../dist/lib/node-files.js', import.meta.url).href;
    const program = `import { fileEventSink } from '${sink}'; import { nodeFiles } from '${filesUrl}';
      const events = fileEventSink(nodeFiles, { wallMs: () => Date.now() }, process.argv[1]);
      for (let n = 0; n < ${COUNT}; n += 1) { await events.emit({ kind: 'task-held', id: process.argv[2] + '-' + n }); if (n % 4 === 0) await new Promise((go) => setTimeout(go, 10)); }`;
    const writers = ['a', 'b', 'c'].map((name) => spawn(process.execPath, ['--input-type=module', '-e', program, layout.events, name], { stdio: 'ignore' }));
    const ends = writers.map((writer) => new Promise<number>((resolve) => writer.on('close', (code) => resolve(code ?? 137))));
    let running = true;
    const over = Promise.all(ends).then((codes) => {
      running = false;
      return codes;
    });
    try {
      let position: Position | undefined;
      const followed: string[] = [];
      const look = async (): Promise<number> => {
        const seen = await linesSince(nodeFiles, layout.events, position ?? { file: '', offset: 0 }, now.ms);
        if (seen.kind === 'unseen') return 0;
        expect(seen.gap).toBeUndefined();
        position = seen.position;
        followed.push(...seen.lines.flatMap(({ event }) => (event.kind === 'task-held' ? [event.id] : [])));
        return seen.lines.length;
      };
      await until('there is a log', () => fs.existsSync(layout.events), 60_000);
      await look();
      while (running) {
        await round(ports, setting);
        for (let n = 0; n < 3; n += 1) await look();
        // What is a minute to the keeper is a moment here.
        now.ms += 61_000;
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(await over).toEqual([0, 0, 0]);
      const wanted = ['a', 'b', 'c'].map((name) => upTo(COUNT).map((n) => `${name}-${n}`));
      const told = (await real.readHistory(nodeFiles, layout.events)).flatMap((event) => (event.kind === 'task-held' ? [event.id] : []));
      expect(['a', 'b', 'c'].map((name) => told.filter((id) => id.startsWith(name)))).toEqual(wanted);
      expect(told).toHaveLength(3 * COUNT);
      await until('it has followed to the end', async () => (now.ms += 61_000, (await look()) === 0 && followed.length >= 3 * COUNT), 30_000);
      expect(['a', 'b', 'c'].map((name) => followed.filter((id) => id.startsWith(name)))).toEqual(wanted);
      expect((await partsOf(nodeFiles, layout.events)).filter(({ packed }) => packed).length).toBeGreaterThan(0);
    } finally {
      for (const writer of writers) writer.kill('SIGKILL');
    }
  });
});

describe('a pit whose log is rotated', () => {
  it('events tells all of it, -f goes on across it, logs of a snake has what lies in a part, and nothing is told twice', { timeout: 120_000 }, () =>
    withPit({ config: [...QUICK, 'cleanup: 1h', 'event-log: {bytes: 4096}'] }, async (pit) => {
      await pit.up(1);
      const following = background(pit, 'events', '-f', '--json');
      try {
        pit.dropTask('a.md', sh('true'));
        await pit.until('it is told', () => following.output().includes('"task-done"'));
        // As if it had been settled hours ago: the reconciler would tell it again if it looked only at the log that grows.
        const run = join(pit.layout.runs, 'a', fs.readdirSync(join(pit.layout.runs, 'a'))[0] ?? '', 'outcome.json');
        fs.writeFileSync(run, JSON.stringify({ ...(JSON.parse(fs.readFileSync(run, 'utf8')) as object), endedAt: Date.now() - 7_200_000 }));
        fs.appendFileSync(pit.layout.events, upTo(100).map((id) => lineOf(id, Date.now())).join(''));
        expect(await pit.ok('cleanup', '--dry-run', '--only', 'log-keeper')).toMatch(/^rotate {2}\.snakepit\/log\/events\.jsonl: it is longer than event-log\.bytes \(4096\) \(\d+ bytes\)\n$/);
        expect((await pit.cli('cleanup', '--only', 'log-keeper')).code).toBe(1);
        expect(await pit.ok('cleanup')).toBe('clean: there is nothing to do\n');
        pit.dropTask('b.md', sh('true'));
        await pit.until('it goes on', () => following.output().split('\n').filter((line) => line.includes('"task-done"')).length === 2);
        const all = await pit.ok('events', '--json');
        await pit.until('it has told what there is', () => following.output().length >= all.length);
        expect(following.output().startsWith(all)).toBe(true);
        expect(all.split('\n').filter((line) => line.includes('"task-done"'))).toHaveLength(2);
        expect(all).toContain('"log-rotated"');
        expect(await pit.ok('logs', 's1')).toContain('task-claimed  id=a');
        expect(await pit.ok('events', '--since', '1h')).toContain('task-done  id=a');
      } finally {
        following.child.kill('SIGKILL');
        await following.ended;
      }
    }));
});
