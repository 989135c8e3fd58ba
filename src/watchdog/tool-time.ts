import type { ProcessIdentity, ProcessRow } from '../lib/processes.js';

/** What the tools of one session have worked, counted from look to look. */
export interface ToolTime {
  /** Monotonic, milliseconds. */
  readonly atMonoMs: number;
  /** Processor time of each process at the last look, by number and start. */
  readonly used: ReadonlyMap<string, number>;
  /** All that counted as work, milliseconds. */
  readonly workedMs: number;
}

/** A program and its helpers have started by then; what starts later was started to do something. */
const HELPERS_MS = 15_000;
/** Of one processor, between two looks: a server that was left behind and idles uses far less, a compiler or a test run more. */
const BUSY = 0.2;

/**
 * Pure: one more look at the tools of a session. Its own program counts nothing: a full-screen program paints while it is
 * dead. Neither does a process in its first look, whose time may be of before. Limit: a tool that ends between two looks is
 * not seen; one that waits for the network does nothing that could be seen.
 */
export function toolTime(before: ToolTime, rows: readonly ProcessRow[], leader: ProcessIdentity, leaderStartedMs: number, nowMonoMs: number): ToolTime {
  const tools = treeOf(rows, leader.pid).filter((row) => row.startedMs >= leaderStartedMs + HELPERS_MS);
  const used = new Map(tools.map((row) => [`${row.pid}-${row.startedMs}`, row.cpuMs]));
  let grownMs = 0;
  for (const [key, cpuMs] of used) grownMs += Math.max(0, cpuMs - (before.used.get(key) ?? cpuMs));
  const busy = grownMs > 0 && grownMs >= (nowMonoMs - before.atMonoMs) * BUSY;
  return { atMonoMs: nowMonoMs, used, workedMs: before.workedMs + (busy ? grownMs : 0) };
}

/** Whoever descends from the leader, or shares its session. */
function treeOf(rows: readonly ProcessRow[], leader: number): ProcessRow[] {
  const tree = new Set([leader]);
  for (let grew = true; grew; ) {
    grew = false;
    for (const row of rows) {
      if (tree.has(row.pid) || (!tree.has(row.ppid) && row.session !== leader)) continue;
      tree.add(row.pid);
      grew = true;
    }
  }
  return rows.filter((row) => row.pid !== leader && tree.has(row.pid));
}
