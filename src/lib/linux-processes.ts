import * as fs from 'node:fs';
import { errorCode } from './files.js';
import { parseProcStat, type ProcStat } from './proc-stat.js';
import type { Liveness, MarkedProcesses, MarkerQuery, ProcessIdentity, Processes, ProcessRow } from './processes.js';

let bootTag: string | undefined;
function boot(): string {
  bootTag ??= fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').replaceAll('-', '').slice(0, 8);
  return bootTag;
}

/** undefined: no such process; 'unknown': it could not be looked at. */
export function readStat(pid: number): ProcStat | undefined | 'unknown' {
  try {
    return parseProcStat(fs.readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? 'unknown';
  } catch (cause) {
    const code = errorCode(cause);
    return code === 'ENOENT' || code === 'ESRCH' ? undefined : 'unknown';
  }
}

/** A zombie has ended: it holds a number, runs nothing, and waits only for its parent. */
const ended = (stat: ProcStat): boolean => stat.state === 'Z' || stat.state === 'X';

function livenessOf(of: ProcessIdentity): Liveness {
  if (of.boot !== boot()) return 'dead';
  const stat = readStat(of.pid);
  if (stat === 'unknown') return 'unknown';
  return stat !== undefined && stat.start === of.start && !ended(stat) ? 'alive' : 'dead';
}

/** What a process was started with; empty where it is not ours to see. */
function environmentOf(pid: number): Buffer | 'unreadable' {
  try {
    return fs.readFileSync(`/proc/${pid}/environ`);
  } catch (cause) {
    const code = errorCode(cause);
    // Another user's process, or a non-dumpable one, cannot be ours to judge: EACCES and EPERM are nothing, running out of descriptors is not.
    return code === 'EMFILE' || code === 'ENFILE' || code === 'EIO' ? 'unreadable' : Buffer.alloc(0);
  }
}

/** Whole entries only: a marker that is a prefix of another never matches it. */
function holds(environment: Buffer, entry: Buffer): boolean {
  for (let at = environment.indexOf(entry); at >= 0; at = environment.indexOf(entry, at + 1)) {
    const startsEntry = at === 0 || environment[at - 1] === 0;
    const end = at + entry.length;
    if (startsEntry && (end === environment.length || environment[end] === 0)) return true;
  }
  return false;
}

function worksIn(pid: number, dir: string): boolean {
  try {
    const cwd = fs.readlinkSync(`/proc/${pid}/cwd`).replace(/ \(deleted\)$/, '');
    return cwd === dir || cwd.startsWith(`${dir}/`);
  } catch {
    return false;
  }
}

/**
 * Live processes whose working directory is this one or lies below it, and whose name begins so; undefined: somebody's could not be read. Limit: those that the
 * kernel hides from us (other users', and those that guard themselves, such as an ssh-agent) count as nobody.
 */
export async function workingIn(dir: string, named = ''): Promise<readonly number[] | undefined> {
  const found: number[] = [];
  try {
    for (const name of fs.readdirSync('/proc')) {
      if (!/^\d+$/.test(name)) continue;
      try {
        const cwd = fs.readlinkSync(`/proc/${name}/cwd`);
        if ((cwd === dir || cwd.startsWith(`${dir}/`)) && (named === '' || fs.readFileSync(`/proc/${name}/comm`, 'utf8').startsWith(named))) found.push(Number(name));
      } catch (cause) {
        const code = errorCode(cause);
        if (code !== 'ENOENT' && code !== 'ESRCH' && code !== 'EACCES' && code !== 'EPERM') return undefined;
      }
    }
  } catch {
    return undefined;
  }
  return found;
}

function table(): { stats: Map<number, ProcStat>; complete: boolean } {
  const stats = new Map<number, ProcStat>();
  let complete = true;
  for (const name of fs.readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = readStat(Number(name));
    if (stat === 'unknown') complete = false;
    else if (stat !== undefined && !ended(stat)) stats.set(stat.pid, stat);
  }
  return { stats, complete };
}

/**
 * One pass over the process table. Attribution, in order: the marker in the environment; the wrapper itself;
 * the sessions (setsid) that those lead; an orphan without a terminal in the claim's private directory; and
 * whatever descends from any of these. A person's shell that stands in the directory has a terminal and is never taken.
 * Limit: a process that scrubs its environment, leaves the directory, calls setsid and outlives its parent is not seen.
 */
function findMarked(query: MarkerQuery, exclude: ReadonlySet<number>): MarkedProcesses {
  let read: ReturnType<typeof table>;
  try {
    read = table();
  } catch {
    return { complete: false, processes: [] };
  }
  const { stats } = read;
  let complete = read.complete;
  const entry = Buffer.from(query.entry);
  const also = query.with === undefined ? undefined : Buffer.from(query.with);
  const found = new Set<number>();
  for (const stat of stats.values()) {
    if (exclude.has(stat.pid)) continue;
    const environment = environmentOf(stat.pid);
    if (environment === 'unreadable') complete = false;
    const isLeader = query.leader !== undefined && query.leader.boot === boot() && query.leader.pid === stat.pid && query.leader.start === stat.start;
    const isOrphanInside = query.privateDir !== undefined && stat.tty === 0 && stat.ppid === 1 && worksIn(stat.pid, query.privateDir);
    if ((environment !== 'unreadable' && holds(environment, entry) && (also === undefined || holds(environment, also))) || isLeader || isOrphanInside) found.add(stat.pid);
  }
  for (let grew = true; grew; ) {
    grew = false;
    for (const stat of stats.values()) {
      if (found.has(stat.pid) || exclude.has(stat.pid)) continue;
      if (found.has(stat.ppid) || found.has(stat.session)) {
        found.add(stat.pid);
        grew = true;
      }
    }
  }
  const processes = [...found].map((pid) => ({ pid, start: stats.get(pid)?.start ?? '', boot: boot() }));
  return { complete, processes };
}

const CLAIM = 'SNAKEPIT_CLAIM=';

function markersWith(entry: string): Map<string, number[]> | undefined {
  const found = new Map<string, number[]>();
  try {
    for (const { pid } of table().stats.values()) {
      const environment = pid === process.pid ? Buffer.alloc(0) : environmentOf(pid);
      if (environment === 'unreadable') return undefined;
      if (!holds(environment, Buffer.from(entry))) continue;
      const marker = environment.toString('latin1').split('\0').find((one) => one.startsWith(CLAIM))?.slice(CLAIM.length) ?? '';
      found.set(marker, [...(found.get(marker) ?? []), pid]);
    }
  } catch {
    return undefined;
  }
  return found;
}

/** Linux tells every architecture's user space a hundred clock ticks a second (USER_HZ). */
const TICK_MS = 10;

function rows(): ProcessRow[] | undefined {
  try {
    return [...table().stats.values()].map(({ pid, ppid, session, start, cpuTicks }) => ({ pid, ppid, session, startedMs: Number(start) * TICK_MS, cpuMs: cpuTicks * TICK_MS }));
  } catch {
    return undefined;
  }
}

let selfIdentity: ProcessIdentity | undefined;
function self(): ProcessIdentity {
  if (selfIdentity === undefined) {
    const stat = readStat(process.pid);
    if (stat === undefined || stat === 'unknown') throw new Error('this process cannot read /proc/self/stat: is /proc mounted?');
    selfIdentity = { pid: process.pid, start: stat.start, boot: boot() };
  }
  return selfIdentity;
}

/** The identity of a child just spawned; undefined when it has ended already. */
export function identify(pid: number): ProcessIdentity | undefined {
  const stat = readStat(pid);
  return stat === undefined || stat === 'unknown' ? undefined : { pid, start: stat.start, boot: boot() };
}

/** Linux's /proc. A macOS port would stand beside this file behind the same interface. */
export const linuxProcesses: Processes = {
  self,
  boot,
  liveness: async (of) => livenessOf(of),
  markers: async (entry) => markersWith(entry),
  table: async () => rows(),
  find: async (query) => findMarked(query, new Set([process.pid])),
  signal: async (to, signal) => {
    if (livenessOf(to) !== 'alive') return;
    try {
      process.kill(to.pid, signal);
    } catch (cause) {
      if (errorCode(cause) !== 'ESRCH') throw cause;
    }
  },
};

/**
 * Which of these files some process has open for writing; the only test of a finished drop that is right however long the
 * writer pauses. About 17 ms on a busy machine, so asked only when there is a candidate. Other users' processes stay unseen.
 */
export function openForWriting(files: readonly Buffer[]): Set<string> {
  const wanted = new Set(files.map((file) => file.toString('latin1')));
  const open = new Set<string>();
  for (const pid of fs.readdirSync('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    for (const fd of listOrNothing(`/proc/${pid}/fd`)) {
      try {
        const target = fs.readlinkSync(`/proc/${pid}/fd/${fd}`, 'buffer').toString('latin1');
        if (!wanted.has(target)) continue;
        const flags = /^flags:\s*([0-7]+)/m.exec(fs.readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8'))?.[1];
        if (flags !== undefined && (Number.parseInt(flags, 8) & 3) !== 0) open.add(target);
      } catch {
        /* the descriptor or its process is gone */
      }
    }
  }
  return open;
}

function listOrNothing(dir: string): string[] {
  try {
    return fs.readdirSync(dir);
  } catch {
    return [];
  }
}
