import { join } from 'node:path';
import { take } from '../lib/baton.js';
import type { Clock } from '../lib/clock.js';
import type { Files } from '../lib/files.js';
import type { Processes } from '../lib/processes.js';

/*
 * Merges of one repository are made one at a time, by whichever process, also of several pits: the baton lies in the repository itself.
 * Whoever waits lays a ticket beside it; the oldest living ticket goes first. Order is a courtesy, the baton is the law, and the
 * compare-and-swap of the target stands behind both.
 */

const BATON = 'merging';
const LINE = 'merging-line';

/** A ticket that neither goes on nor dies, such as that of a stopped process, is waited for no longer than this while the baton is free. */
const COURTESY_MS = 30_000;

/** Between two looks at a line in which others stand. */
const LOOK_MS = 150;

type LinePorts = { readonly files: Files; readonly processes: Processes; readonly clock: Clock };

const ticketOf = (since: number, { pid, start, boot }: { pid: number; start: string; boot: string }, id: string): string => `${String(since).padStart(15, '0')}~${pid}~${start}~${boot}~${id}`;

/** Waits for its turn. `stillWanted` is asked at each look; false: undefined is returned, and nothing is held. */
export async function takeTurn({ files, processes, clock }: LinePorts, commonDir: string, since: number, id: string, stillWanted: () => Promise<boolean>): Promise<{ release(): Promise<void> } | undefined> {
  const line = join(commonDir, 'snakepit', LINE);
  const own = ticketOf(since, processes.self(), id);
  await files.makeDir(line);
  await files.write(join(line, own), '');
  let freeSince: number | undefined;
  try {
    for (;;) {
      if (!(await stillWanted())) return undefined;
      const first = (await isFirst({ files, processes }, line, own)) || (freeSince !== undefined && clock.monoMs() - freeSince > COURTESY_MS);
      if (first) {
        const taken = await take(files, processes, join(commonDir, 'snakepit', BATON));
        if (taken.kind === 'taken') return taken;
        freeSince = undefined;
      } else freeSince ??= clock.monoMs();
      await clock.sleep(LOOK_MS);
    }
  } finally {
    await files.remove(join(line, own));
  }
}

/** Tickets of the dead are thrown away by whoever sees them. */
async function isFirst({ files, processes }: Pick<LinePorts, 'files' | 'processes'>, line: string, own: string): Promise<boolean> {
  for (const name of (await files.list(line)).sort()) {
    if (name === own) return true;
    const match = /^\d{15}~(\d+)~(\d+)~([0-9a-f]{8})~/.exec(name);
    if (match === null) continue;
    if ((await processes.liveness({ pid: Number(match[1]), start: match[2] ?? '', boot: match[3] ?? '' })) !== 'dead') return false;
    await files.remove(join(line, name));
  }
  return true;
}
