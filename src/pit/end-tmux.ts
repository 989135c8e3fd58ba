import type { ProcessIdentity } from '../lib/processes.js';
import type { Layout } from '../protocol/layout.js';
import type { PitPorts } from './ports.js';

/** How long a server that was told to end may take before it is told so by a signal; it takes some milliseconds. */
const LEAVE_MS = 1000;
const LOOK_MS = 20;

/** Ends the private tmux server, also one that does not answer, by its process. False: it does not answer, and its process is not known. */
export async function endTmux({ tmux, processes, files, clock }: Pick<PitPorts, 'tmux' | 'processes' | 'files' | 'clock'>, layout: Layout, server: ProcessIdentity | undefined, graceMs: number): Promise<boolean> {
  await tmux.killServer();
  if (server === undefined) return !(await files.exists(layout.tmuxSocket)) || (await tmux.state()) !== 'unknown';
  const dead = async (ms: number): Promise<boolean> => {
    for (const until = clock.monoMs() + ms; (await processes.liveness(server)) !== 'dead'; await clock.sleep(LOOK_MS)) if (clock.monoMs() > until) return false;
    return true;
  };
  if (await dead(LEAVE_MS)) return true;
  await processes.signal(server, 'SIGTERM');
  // One that is stopped hears of it only then.
  await processes.signal(server, 'SIGCONT');
  if (await dead(graceMs)) return true;
  await processes.signal(server, 'SIGKILL');
  return dead(LEAVE_MS);
}
