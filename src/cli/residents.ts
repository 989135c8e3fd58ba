import { join } from 'node:path';
import { RUN_FILES } from '../protocol/records.js';
import { readResident, type FoundResident } from '../residents/find.js';
import { placesOf } from '../protocol/resident-places.js';
import { findRunning } from './commands/running.js';
import type { Context } from './context.js';

/** The resident of this name; a running task of the same name is meant first. */
export async function findResident(context: Context, name: string): Promise<FoundResident | undefined> {
  const found = await readResident(context.files, context.layout, name);
  return found === undefined || (await findRunning(context, name)) !== undefined ? undefined : found;
}

/** What its present run, or else its newest one, has printed. */
export async function residentOutput({ files, layout }: Context, name: string): Promise<string | undefined> {
  const { runs } = placesOf(layout, name);
  let newest: { path: string; at: number } | undefined;
  for (const run of await files.list(runs)) {
    const path = join(runs, run, RUN_FILES.output);
    const at = await files.mtimeMs(path);
    if (at !== undefined && (newest === undefined || at > newest.at)) newest = { path, at };
  }
  return newest?.path;
}
