import type { Clock } from '../../src/lib/clock.js';
import type { Files } from '../../src/lib/files.js';
import type { ProcessIdentity, Processes } from '../../src/lib/processes.js';
import type { TreeDisk } from './disk.js';
import type { Machine, SimProcess } from './machine.js';

/** Files, clock and process table as one simulated process has them. */
export interface OwnPorts {
  readonly files: Files;
  readonly clock: Clock;
  readonly processes: Processes;
}

export const portsOf = (machine: Machine, disk: TreeDisk, me: SimProcess): OwnPorts => ({
  files: filesOf(machine, disk, me),
  clock: { wallMs: machine.wallMs, monoMs: machine.monoMs, sleep: (ms, signal) => machine.sleep(me, ms, signal) },
  processes: processesOf(machine, me),
});

function filesOf(machine: Machine, disk: TreeDisk, me: SimProcess): Files {
  const bytes = (path: string, max: number): Uint8Array | undefined => {
    const text = disk.text(path);
    return text === undefined ? undefined : Buffer.from(text).subarray(0, max);
  };
  return {
    list: (dir) => machine.call(me, () => disk.list(dir)),
    listBytes: (dir) => machine.call(me, () => disk.list(dir).map((name) => Buffer.from(name))),
    exists: (path) => machine.call(me, () => disk.exists(path)),
    rename: (from, to) => machine.call(me, () => disk.rename(String(from), to)),
    touch: (path) => machine.call(me, () => disk.touch(path)),
    mtimeMs: (path) => machine.call(me, () => disk.mtimeMs(path)),
    read: (path) => machine.call(me, () => disk.text(path)),
    readBytes: (path, max) => machine.call(me, () => bytes(String(path), max)),
    readFrom: (path, offset, max) => machine.call(me, () => Buffer.from((disk.text(path) ?? '').slice(offset, offset + max))),
    inspect: (path) => machine.call(me, () => disk.inspect(String(path))),
    write: (path, text) => machine.call(me, () => disk.write(path, String(text))),
    append: (path, text) => machine.call(me, () => disk.append(path, text)),
    makeDir: (path) => machine.call(me, () => disk.makeDir(path)),
    remove: (path) => machine.call(me, () => disk.remove(path)),
    syncDir: (path) => machine.call(me, () => void disk.exists(path)),
  };
}

function processesOf(machine: Machine, me: SimProcess): Processes {
  return {
    self: () => me.identity,
    boot: () => machine.boot,
    liveness: (of) => machine.call(me, () => (machine.find(of) === undefined ? 'dead' : 'alive')),
    find: ({ entry }) => machine.call(me, () => ({ complete: true, processes: machine.processes.filter(({ marks }) => marks.has(entry)).map(({ identity }) => identity) })),
    markers: (entry) =>
      machine.call(me, () => {
        const found = new Map<string, number[]>();
        for (const { marks, identity } of machine.processes) if (marks.has(entry)) found.set(claimOf(marks), [...(found.get(claimOf(marks)) ?? []), identity.pid]);
        return found;
      }),
    table: () =>
      machine.call(me, () => machine.processes.map((one) => ({ pid: one.identity.pid, ppid: one.parent, session: one.session, startedMs: one.startedMs, cpuMs: one.cpuMs }))),
    signal: (to: ProcessIdentity, signal) =>
      machine.call(me, () => {
        const target = machine.find(to);
        if (target === undefined || signal === 'SIGCONT' || signal === 'SIGSTOP') return;
        if (signal === 'SIGKILL' || target.onSignal === undefined) machine.end(target);
        else target.onSignal(signal);
      }),
  };
}

const claimOf = (marks: ReadonlySet<string>): string => [...marks].find((mark) => mark.startsWith('SNAKEPIT_CLAIM='))?.slice('SNAKEPIT_CLAIM='.length) ?? '';
