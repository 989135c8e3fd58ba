import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { fileEventSink, parseEvents } from '../../src/events/event-log.js';
import type { Clock } from '../../src/lib/clock.js';
import type { Files } from '../../src/lib/files.js';
import { linuxProcesses } from '../../src/lib/linux-processes.js';
import { nodeFiles } from '../../src/lib/node-files.js';
import type { Processes } from '../../src/lib/processes.js';
import { layoutOf } from '../../src/protocol/layout.js';
import { ensureLayout } from '../../src/queue/init.js';
import { lookAtRecurring, newRecurringMemory } from '../../src/recurring/look.js';
import type { RecurringRecord } from '../../src/recurring/state.js';
import type { Pit } from '../rig/pit.js';
import { call, head, isIn, read, sh, tasksIn, withPit } from './rig.js';

/** Puts a template where it belongs as a careful writer does. */
function template(pit: Pit, file: string, text: string): void {
  fs.writeFileSync(pit.beside('template'), text);
  fs.renameSync(pit.beside('template'), join(pit.layout.recurring, file));
}

const recordOf = (pit: Pit, name: string): RecurringRecord | undefined => {
  const text = read(join(pit.layout.recurringState, `${name}.json`));
  return text === '' ? undefined : (JSON.parse(text) as RecurringRecord);
};
const scheduled = (pit: Pit, name: string) => pit.events().flatMap((event) => (event.kind === 'task-scheduled' && event.name === name ? [event] : []));
const skipped = (pit: Pit, name: string) => pit.events().flatMap((event) => (event.kind === 'task-skipped' && event.name === name ? [event] : []));
/** Each instance says which it is, so that one that ran twice shows. */
const witness = (pit: Pit, name: string): string => sh(`echo "$SNAKEPIT_TASK_ID" >> '${pit.beside(`${name}.ran`)}'`);
const ran = (pit: Pit, name: string): string[] => read(pit.beside(`${name}.ran`)).split('\n').filter((line) => line !== '');
/** Runs until it is let go. */
const patient = (pit: Pit, name: string): string => sh(`echo "$SNAKEPIT_TASK_ID" >> '${pit.beside(`${name}.ran`)}'`, `until [ -e '${pit.beside(`${name}.go`)}' ]; do sleep 0.05; done`);
const letGo = (pit: Pit, name: string): void => fs.writeFileSync(pit.beside(`${name}.go`), '');

async function killPit(pit: Pit): Promise<void> {
  const daemon = await pit.daemon();
  if (daemon === undefined) throw new Error('there is no pit to kill');
  await pit.kill(daemon);
  await pit.until('the pit is dead', async () => (await pit.daemon()) === undefined);
}

describe('a template becomes a task when it is due', () => {
  it('again and again, each due time once, over kill -9 of the pit', () => withPit({}, async (pit) => {
    template(pit, 'tick.md', head('every: 1s', 'priority: high') + witness(pit, 'tick'));
    await pit.up(1);
    for (const count of [2, 4, 6, 8]) {
      await pit.until(`${count} instances have run`, () => ran(pit, 'tick').length >= count);
      await killPit(pit);
      await pit.up(1);
    }
    await pit.until('ten instances have run', () => ran(pit, 'tick').length >= 10);
    fs.rmSync(join(pit.layout.recurring, 'tick.md'));
    await pit.until('the pit has seen that it is gone', () => recordOf(pit, 'tick')?.key === '');
    await pit.ok('wait', '--timeout', '30s');
    const ids = ran(pit, 'tick');
    expect(new Set(ids).size).toBe(ids.length);
    expect(tasksIn(pit, 'done').sort()).toEqual(ids.map((id) => `${id}.md`).sort());
    for (const id of ids) expect(id).toMatch(/^tick-\d{8}-\d{4}(\d\d)?$/);
    expect(new Set(scheduled(pit, 'tick').map(({ id }) => id))).toEqual(new Set(ids));
    for (const { due } of scheduled(pit, 'tick')) expect((due - (recordOf(pit, 'tick')?.anchorAt ?? 1)) % 1000).toBe(0);
    expect(fs.readdirSync(pit.layout.tmp)).toEqual([]);
  }), 120_000);

  it('not while the last one is open, held or running; that is told once, and it goes on afterwards', () => withPit({}, async (pit) => {
    await pit.ok('pause');
    await pit.up(1);
    template(pit, 'slow.md', head('every: 1s') + patient(pit, 'slow'));
    await pit.until('the first is made', () => tasksIn(pit, 'ready').length === 1);
    const id = recordOf(pit, 'slow')?.last?.id ?? '';
    await pit.ok('hold', id);
    const passes = async (what: string): Promise<void> => {
      const from = recordOf(pit, 'slow')?.nextDueAt ?? 0;
      await pit.until(`two due times pass while it is ${what}`, () => (recordOf(pit, 'slow')?.nextDueAt ?? 0) > from + 1000);
    };
    await passes('held');
    await pit.ok('release', id);
    await pit.ok('resume');
    await pit.until('it runs', () => ran(pit, 'slow').length === 1);
    await passes('running');
    expect(scheduled(pit, 'slow')).toHaveLength(1);
    expect(skipped(pit, 'slow')).toMatchObject([{ rule: 'last-still-open', evidence: expect.stringContaining(id) }]);
    expect((await pit.cli('recurring', 'run', 'slow')).code).toBe(75);
    letGo(pit, 'slow');
    await pit.until('the next one is made', () => scheduled(pit, 'slow').length >= 2);
  }), 60_000);

  it('a week without a pit is made up for once; with catch-up: false not at all', () => withPit({}, async (pit) => {
    for (const [name, line] of [['up', 'priority: high'], ['not', 'catch-up: false']] as const) template(pit, `${name}.md`, head('every: 1h', line) + witness(pit, name));
    await pit.up(1);
    await pit.until('both are seen', () => recordOf(pit, 'up') !== undefined && recordOf(pit, 'not') !== undefined);
    await pit.ok('down');
    const halfAnHourAgo = Math.floor(Date.now() / 1000) * 1000 - 1_800_000;
    const weekAgo = halfAnHourAgo - 7 * 86_400_000;
    for (const name of ['up', 'not']) fs.writeFileSync(join(pit.layout.recurringState, `${name}.json`), JSON.stringify({ ...recordOf(pit, name), anchorAt: weekAgo, nextDueAt: weekAgo + 3_600_000, at: weekAgo }));
    await pit.up(1);
    await pit.until('it is made up for', () => ran(pit, 'up').length === 1);
    await pit.until('the other is left out', () => skipped(pit, 'not').length === 1);
    expect(scheduled(pit, 'up')).toMatchObject([{ due: halfAnHourAgo, rule: 'caught-up' }]);
    expect(skipped(pit, 'not')).toMatchObject([{ due: halfAnHourAgo, rule: 'missed' }]);
    for (const name of ['up', 'not']) expect(recordOf(pit, name)?.nextDueAt).toBe(halfAnHourAgo + 3_600_000);
    await killPit(pit);
    await pit.up(1);
    await pit.until('the new pit has looked', () => pit.events().filter((event) => event.kind === 'pit-started').length === 3 && pit.snapshot() !== undefined);
    expect([scheduled(pit, 'up').length, scheduled(pit, 'not').length, ran(pit, 'up').length]).toEqual([1, 0, 1]);
  }), 60_000);

  it('a bad template stays where it is, is told once per content, and harms nobody', () => withPit({}, async (pit) => {
    const refused = () => pit.events().filter((event) => event.kind === 'task-refused');
    template(pit, 'bad.md', head('priority: low', 'cron: "61 3 * * *"') + 'x\n');
    template(pit, 'tick.md', head('every: 1s') + witness(pit, 'tick'));
    await pit.up(1);
    await pit.until('it is refused', () => refused().length === 1);
    expect(refused()).toMatchObject([{ file: 'recurring/bad.md', line: 3, problem: expect.stringContaining('minute: 61') }]);
    await killPit(pit);
    await pit.up(1);
    const before = ran(pit, 'tick').length;
    await pit.until('the new pit makes instances', () => ran(pit, 'tick').length > before + 1);
    expect(refused()).toHaveLength(1);
    expect(fs.existsSync(join(pit.layout.recurring, 'bad.md'))).toBe(true);
    expect(await pit.ok('status')).toMatch(/recurring 2, next tick .*refused 1/);
    expect(await pit.ok('recurring')).toMatch(/bad\.md, line 3: cron: invalid value for minute: 61; write five fields/);
    expect((await pit.cli('recurring', 'run', 'bad')).code).toBe(65);
    template(pit, 'bad.md', head('every: 0s') + 'x\n');
    await pit.until('another content is told again', () => refused().length === 2);
    template(pit, 'bad.md', head('every: 1s') + witness(pit, 'bad'));
    await pit.until('mended, it is made', () => ran(pit, 'bad').length > 0);
  }), 60_000);

  it('an edited schedule is reckoned anew, an edited body is what the next one gets', () => withPit({}, async (pit) => {
    await pit.up(1);
    template(pit, 'x.md', head('cron: "0 3 1 1 *"', 'tz: UTC') + witness(pit, 'first'));
    await pit.until('it is seen', () => recordOf(pit, 'x')?.key === 'cron 0 3 1 1 * UTC');
    expect(new Date(recordOf(pit, 'x')?.nextDueAt ?? 0).toISOString()).toMatch(/-01-01T03:00:00.000Z$/);
    // In place: the directory's own time does not show it.
    fs.writeFileSync(join(pit.layout.recurring, 'x.md'), head('every: 1s') + witness(pit, 'second'));
    await pit.until('the edit is in force', () => ran(pit, 'second').length > 0);
    expect(ran(pit, 'first')).toEqual([]);
  }), 60_000);

  it('by hand, with and without a pit; the list says all', () => withPit({}, async (pit) => {
    template(pit, 'night.md', head('cron: "0 3 * * *"', 'tz: Asia/Kolkata') + witness(pit, 'night'));
    expect(await pit.ok('recurring')).toMatch(/night +0 3 \* \* \* +not seen by a pit yet/);
    const id = (await pit.ok('recurring', 'run', 'night')).trim();
    expect(isIn(pit, 'ready', id)).toBe(true);
    const nextDueAt = recordOf(pit, 'night')?.nextDueAt;
    expect((await call(pit, ['recurring', 'run', 'night'])).stderr).toContain(`${id} is ready: one instance at a time`);
    await pit.up(1);
    await pit.ok('wait', '--timeout', '30s');
    expect(ran(pit, 'night')).toEqual([id]);
    expect((JSON.parse(await pit.ok('recurring', '--json')) as { recurring: unknown }).recurring).toMatchObject([{ name: 'night', file: 'night.md', schedule: '0 3 * * *', zone: 'Asia/Kolkata', nextDueAt, last: { id, state: 'done' } }]);
    expect(await pit.ok('recurring')).toMatch(/03:00 Asia\/Kolkata \(in .*\) +night-\d{8}-\d{6} done/);
    expect(await pit.ok('ls')).toMatch(/recurring 1, next night in/);
    expect((await pit.cli('recurring', 'run', 'nobody')).code).toBe(66);
    expect((await pit.ok('doctor')).includes('no template was refused')).toBe(true);
  }), 60_000);
});

/* One look, killed at each of its writes in turn; then a new pit looks. */

const T0 = Date.parse('2026-11-20T09:00:30.000Z');
class Killed extends Error {}

class World {
  readonly root = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), 'recurring-')));
  readonly layout = layoutOf(this.root);
  wallMs = T0;
  private pid = 1;
  /** Writes that a life may still make. */
  private left = Number.POSITIVE_INFINITY;

  private ports(): { files: Files; clock: Clock; processes: Processes; events: ReturnType<typeof fileEventSink> } {
    const step = <A extends unknown[], R>(act: (...args: A) => Promise<R>) => async (...args: A): Promise<R> => {
      this.left -= 1;
      if (this.left < 0) throw new Killed('kill -9');
      return act(...args);
    };
    const { rename, write, makeDir, remove, syncDir } = nodeFiles;
    const files: Files = { ...nodeFiles, rename: step(rename), write: step(write), makeDir: step(makeDir), remove: step(remove), syncDir: step(syncDir) };
    const me = { pid: this.pid, start: '1', boot: '00000000' };
    const processes: Processes = { ...linuxProcesses, self: () => me, liveness: async (one) => (one.pid === me.pid ? 'alive' : 'dead') };
    const clock: Clock = { wallMs: () => this.wallMs, monoMs: () => this.wallMs, sleep: async () => undefined };
    return { files, clock, processes, events: fileEventSink({ ...files, append: nodeFiles.append }, clock, this.layout.events) };
  }

  /** A pit's life: some looks, all of them at one time, up to so many writes. Returns how many it made, or that it was killed. */
  async live(writes = Number.POSITIVE_INFINITY): Promise<number | 'killed'> {
    this.pid += 1;
    this.left = writes;
    const memory = newRecurringMemory();
    let made = 0;
    try {
      for (let look = 0; look < 4; look += 1) made += (await lookAtRecurring(this.ports(), this.layout, memory, { settleMs: 0, maxTaskBytes: 10_000, rescanMs: 20_000 })) ? 1 : 0;
      return made;
    } catch (cause) {
      if (cause instanceof Killed) return 'killed';
      throw cause;
    }
  }

  instances(): string[] {
    return fs.readdirSync(this.layout.dir('ready')).map((name) => name.split('~')[1] ?? '');
  }

  scheduled(): string[] {
    return parseEvents(read(this.layout.events)).flatMap((event) => (event.kind === 'task-scheduled' ? [event.id] : []));
  }
}

describe('kill -9 between any two writes', () => {
  const worlds: World[] = [];
  afterEach(() => {
    for (const world of worlds.splice(0)) fs.rmSync(world.root, { recursive: true, force: true });
  });

  /** A world in which the template has been seen, and is due now. */
  async function due(): Promise<World> {
    const world = new World();
    worlds.push(world);
    await ensureLayout(nodeFiles, world.layout);
    fs.writeFileSync(join(world.layout.recurring, 'x.md'), head('every: 1h', 'tz: UTC') + 'x\n');
    expect(await world.live()).toBe(0);
    world.wallMs = T0 + 3_600_000;
    return world;
  }

  it('makes the instance exactly once, wherever it was killed', async () => {
    let deaths = 0;
    for (let writes = 0; ; writes += 1) {
      const world = await due();
      const first = await world.live(writes);
      if (first === 'killed') deaths += 1;
      await world.live();
      expect([writes, world.instances()]).toEqual([writes, ['x-20261120-1000']]);
      expect(new Set(world.scheduled())).toEqual(new Set(['x-20261120-1000']));
      expect(fs.readdirSync(world.layout.tmp).filter((name) => !name.startsWith('.'))).toEqual([]);
      expect(await world.live()).toBe(0);
      if (first !== 'killed') break;
    }
    expect(deaths).toBeGreaterThan(8);
  });

  it('also where the instance was worked, and put away by a person, before the new pit came', async () => {
    for (let writes = 0; ; writes += 1) {
      const world = await due();
      const first = await world.live(writes);
      const before = world.instances();
      for (const name of fs.readdirSync(world.layout.dir('ready'))) fs.rmSync(join(world.layout.dir('ready'), name));
      await world.live();
      expect([writes, [...before, ...world.instances()]]).toEqual([writes, ['x-20261120-1000']]);
      if (first !== 'killed') break;
    }
  });

  it('killed at its first sight of the template, it still makes nothing before it is due', async () => {
    for (let writes = 0; ; writes += 1) {
      const world = new World();
      worlds.push(world);
      await ensureLayout(nodeFiles, world.layout);
      fs.writeFileSync(join(world.layout.recurring, 'x.md'), head('every: 1h', 'tz: UTC') + 'x\n');
      const first = await world.live(writes);
      await world.live();
      expect(world.instances()).toEqual([]);
      if (first !== 'killed') break;
    }
  });

  it('while nothing is due, a look writes nothing', async () => {
    const world = await due();
    await world.live();
    world.wallMs += 1000;
    expect(await world.live(0)).toBe(0);
  });

  it('a record that was lost, or spoiled, makes nothing twice: the queue knows the id', async () => {
    const world = await due();
    await world.live();
    const file = join(world.layout.recurringState, 'x.json');
    const spoiled = JSON.parse(read(file)) as RecurringRecord;
    fs.writeFileSync(file, JSON.stringify({ ...spoiled, nextDueAt: T0 + 3_570_000, spent: [], last: undefined }));
    await world.live();
    expect(world.instances()).toEqual(['x-20261120-1000']);
    expect(parseEvents(read(world.layout.events)).filter((event) => event.kind === 'task-skipped')).toMatchObject([{ rule: 'not-taken-in', evidence: expect.stringContaining('x-20261120-1000 is taken') }]);
    fs.writeFileSync(file, '{"v":1,');
    await world.live();
    expect(world.instances()).toEqual(['x-20261120-1000']);
  });

  it('two files of one name: the first has it, the other is told', async () => {
    const world = await due();
    fs.writeFileSync(join(world.layout.recurring, 'y.md'), head('every: 1h', 'id: x') + 'y\n');
    await world.live();
    expect(parseEvents(read(world.layout.events)).filter((event) => event.kind === 'task-refused')).toMatchObject([{ file: 'recurring/y.md', problem: 'x.md is called x already' }]);
    expect(world.instances()).toEqual(['x-20261120-1000']);
  });
});
