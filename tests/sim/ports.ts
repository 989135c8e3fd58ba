import { basename } from 'node:path';
import type { EventSink } from '../../src/events/event-log.js';
import type { Clock } from '../../src/lib/clock.js';
import type { Files } from '../../src/lib/files.js';
import type { ProcessIdentity, Processes } from '../../src/lib/processes.js';
import { claimEntry } from '../../src/protocol/names.js';
import type { Disk } from './disk.js';
import type { SimProcess, World } from './world.js';

/** The ports of one simulated process. Every call is a step. */
export interface SimPorts {
  readonly files: Files;
  readonly clock: Clock;
  readonly processes: Processes;
  readonly events: EventSink;
}

/** How often a look at the process table fails; the schedule sets it to 0 when faults end. */
export interface ProbeFaults {
  unknownChance: number;
}

export function portsOf(world: World, disk: Disk, me: SimProcess, probes: ProbeFaults): SimPorts {
  return {
    files: filesOf(world, disk, me),
    clock: { wallMs: world.wallMs, monoMs: world.monoMs, sleep: (ms, signal) => world.sleep(me, ms, { signal }) },
    processes: processesOf(world, me, probes),
    // Each event is one append: a step at which a process may die, and nothing that the protocol reads.
    events: { emit: (event) => world.step(me, `emits ${event.kind}`, () => undefined) },
  };
}

function filesOf(world: World, disk: Disk, me: SimProcess): Files {
  const step = <T>(what: string, path: unknown, effect: () => T): Promise<T> => world.step(me, world.trace === undefined ? what : `${what} ${String(path)}`, effect);
  const bytes = (path: string, max: number): Uint8Array | undefined => {
    const text = disk.text(path);
    return text === undefined ? undefined : Buffer.from(text).subarray(0, max);
  };
  return {
    list: (dir) => step('list', dir, () => disk.list(dir)),
    listBytes: (dir) => step('list', dir, () => disk.list(dir).map((name) => Buffer.from(name))),
    exists: (path) => step('exists', path, () => disk.exists(path)),
    rename: (from, to) => step('rename', world.trace === undefined ? '' : `${String(from)} to ${basename(to)}`, () => disk.rename(String(from), to)),
    touch: (path) => step('touch', path, () => disk.touch(path, world.wallMs())),
    mtimeMs: (path) => step('mtime', path, () => disk.mtimeMs(path)),
    read: (path) => step('read', path, () => disk.text(path)),
    readBytes: (path, max) => step('read', path, () => bytes(String(path), max)),
    readFrom: (path, offset, max) => step('read', path, () => bytes(path, offset + max)?.subarray(offset) ?? new Uint8Array()),
    inspect: (path) => step('inspect', path, () => {
      const kind = disk.kind(String(path));
      return kind === undefined ? undefined : { kind, size: disk.text(String(path))?.length ?? 0, mtimeMs: disk.mtimeMs(String(path)) ?? 0, links: 1 };
    }),
    write: (path, text) => step('write', path, () => disk.write(path, String(text), world.wallMs())),
    append: (path, text) => step('append', path, () => disk.write(path, (disk.text(path) ?? '') + text, world.wallMs())),
    makeDir: (path) => step('mkdir', path, () => disk.makeDir(path, world.wallMs())),
    remove: (path) => step('remove', path, () => disk.remove(path)),
    syncDir: (path) => step('sync', path, () => undefined),
  };
}

/**
 * The process table. A scan is not atomic, as /proc is not: it is two steps, low numbers first, and processes come and go
 * between them. Descent, sessions and working directories are not modelled: every process of a session bears the marker.
 */
function processesOf(world: World, me: SimProcess, probes: ProbeFaults): Processes {
  const alive = (of: ProcessIdentity): SimProcess | undefined => world.processes.find(({ identity }) => identity.pid === of.pid && identity.start === of.start && identity.boot === of.boot);
  const half = (entry: string, low: boolean): ProcessIdentity[] =>
    world.processes.filter((one) => one.marker !== undefined && claimEntry(one.marker) === entry && one.identity.pid < 9 === low).map((one) => one.identity);
  return {
    self: () => me.identity,
    boot: () => me.identity.boot,
    liveness: (of) =>
      world.step(me, 'liveness', () => {
        if (world.random.chance(probes.unknownChance)) return 'unknown';
        return alive(of) === undefined ? 'dead' : 'alive';
      }),
    markers: async () => new Map(), table: async () => [],
    find: async ({ entry }) => {
      const low = await world.step(me, 'scans low numbers', () => half(entry, true));
      return world.step(me, 'scans high numbers', () => {
        if (world.random.chance(probes.unknownChance)) return { complete: false, processes: [] };
        const processes = [...low, ...half(entry, false)];
        if (processes.length === 0) world.scannedInVain(entry.slice(entry.indexOf('=') + 1));
        return { complete: true, processes };
      });
    },
    signal: (to, signal) =>
      world.step(me, world.trace === undefined ? signal : `${signal} to ${to.pid}.${to.start}`, () => {
        const target = alive(to);
        if (target === undefined) return;
        if (signal === 'SIGKILL') world.kill(target);
        else if (signal === 'SIGCONT') world.resume(target);
        else if (signal === 'SIGTERM') world.terminate(target);
        else throw new Error(`the simulator does not know ${signal}`);
      }),
  };
}
