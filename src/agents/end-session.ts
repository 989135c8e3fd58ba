import type { Clock } from '../lib/clock.js';
import type { MarkerQuery, Processes, ProcessIdentity } from '../lib/processes.js';

/** "gone": two scans in a row found nothing. "unknown": it could not be shown; nothing may start in its place. */
export type Ended = { readonly kind: 'gone'; readonly killed: number } | { readonly kind: 'unknown'; readonly evidence: string };

const SCAN_PAUSE_MS = 20;
const PATIENCE_MS = 20_000;

/**
 * Ends every process that can be attributed to a claim: TERM (and CONT, a stopped process takes no TERM), `graceMs`, then
 * KILL until two scans are empty. Always by claim marker and start time; tmux itself ends almost nothing (kill-session and
 * kill-server left 8 of 11 kinds of child alive). A process in uninterruptible sleep cannot be ended: "unknown".
 */
export async function endSession(processes: Processes, clock: Clock, query: MarkerQuery, graceMs: number): Promise<Ended> {
  const killed = new Set<string>();
  const termUntil = clock.monoMs() + graceMs;
  const giveUpAt = termUntil + PATIENCE_MS;
  const told = new Set<string>();
  let empty = 0;
  for (;;) {
    const found = await processes.find(query);
    if (found.processes.length === 0 && found.complete) {
      empty += 1;
      if (empty >= 2) return { kind: 'gone', killed: killed.size };
    } else empty = 0;
    const now = clock.monoMs();
    if (now >= giveUpAt) return { kind: 'unknown', evidence: found.complete ? `still alive: ${found.processes.map((p) => p.pid).join(', ')}` : 'the process table could not be read' };
    for (const one of found.processes) {
      killed.add(key(one));
      if (now >= termUntil) await processes.signal(one, 'SIGKILL');
      else if (!told.has(key(one))) {
        told.add(key(one));
        await processes.signal(one, 'SIGTERM');
        await processes.signal(one, 'SIGCONT');
      }
    }
    await clock.sleep(SCAN_PAUSE_MS);
  }
}

const key = (p: ProcessIdentity): string => `${p.pid}-${p.start}`;
