import { join } from 'node:path';
import { RUN_FILES } from '../protocol/records.js';
import { runOf } from '../residents/observe.js';
import { placesOf, residentMarker, residentSession, runDirOf } from '../residents/places.js';
import { parseRecord } from '../residents/record.js';
import type { ResidentRecord } from '../residents/state.js';
import { findRunning } from './commands/running.js';
import type { Context } from './context.js';

/** A resident as its record has it. `run`: its present session, where it has one. */
export interface FoundResident {
  readonly record: ResidentRecord;
  readonly run: { readonly marker: string; readonly session: string; readonly dir: string } | undefined;
}

/** The resident of this name; a running task of the same name is meant first. */
export async function findResident(context: Context, name: string): Promise<FoundResident | undefined> {
  const { files, layout } = context;
  if (!/^[a-z][a-z0-9-]{0,30}$/.test(name)) return undefined;
  const record = parseRecord(await files.read(placesOf(layout, name).record), name);
  if (record === undefined || (await findRunning(context, name)) !== undefined) return undefined;
  const run = runOf(record.phase);
  return { record, run: run === undefined ? undefined : { marker: residentMarker(name, run), session: residentSession(name, run), dir: runDirOf(layout, name, run) } };
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
