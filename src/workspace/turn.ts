import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { takeAs } from '../lib/baton.js';
import type { Files } from '../lib/files.js';
import type { ProcessIdentity } from '../lib/processes.js';
import type { Layout } from '../protocol/layout.js';
import { markerOf, parseClaim, parseReaping, parseStuck } from '../protocol/names.js';

const turnLock = (layout: Layout, dir: string): string => join(layout.state, 'locks', `project-${createHash('sha256').update(dir).digest('hex').slice(0, 12)}`);

/** Whether a claim stands somewhere. A listing may miss a file that is being renamed: two looks must agree. */
async function stands(files: Files, layout: Layout, marker: string): Promise<boolean> {
  return (await isSeen(files, layout, marker)) || isSeen(files, layout, marker);
}

async function isSeen(files: Files, layout: Layout, marker: string): Promise<boolean> {
  for (const [state, parse] of [['claimed', parseClaim], ['reaping', parseReaping], ['stuck', parseStuck]] as const) {
    for (const file of await files.list(layout.dir(state))) {
      const name = parse(file);
      if (name !== undefined && markerOf(name) === marker) return true;
    }
  }
  return false;
}

/**
 * The project itself is worked by one claim at a time, over all snakes. The turn is the claim's, not its snake's: it lasts as long as the
 * claim stands, whoever works it, and while its processes cannot be shown gone; nobody gives it back, so no crash can keep it.
 */
export async function takeTurn(files: Files, self: ProcessIdentity, layout: Layout, marker: string, dir: string): Promise<boolean> {
  return (await takeAs(files, self, turnLock(layout, dir), marker, (by) => stands(files, layout, by))).kind === 'taken';
}

/** The marker of the claim whose turn it is; undefined: nobody's. */
export async function turnHolder(files: Files, layout: Layout, dir: string): Promise<string | undefined> {
  for (const name of await files.list(turnLock(layout, dir))) {
    const marker = name.startsWith('held~') ? name.slice('held~'.length) : undefined;
    if (marker !== undefined && (await stands(files, layout, marker))) return marker;
  }
  return undefined;
}
