import type { Files } from '../lib/files.js';
import type { Layout } from '../protocol/layout.js';
import { placesOf } from '../protocol/resident-places.js';
import { residentMarker, residentSession, runDirOf, runOf } from './places.js';
import { parseRecord } from './record.js';
import type { ResidentRecord } from './state.js';

/** A resident as its record has it. `run`: its present session, where it has one. */
export interface FoundResident {
  readonly record: ResidentRecord;
  readonly run: { readonly marker: string; readonly session: string; readonly dir: string } | undefined;
}

/** The resident of this name, from its record alone: a pit need not be alive. */
export async function readResident(files: Files, layout: Layout, name: string): Promise<FoundResident | undefined> {
  if (!/^[a-z][a-z0-9-]{0,30}$/.test(name)) return undefined;
  const record = parseRecord(await files.read(placesOf(layout, name).record), name);
  if (record === undefined) return undefined;
  const run = runOf(record.phase);
  return { record, run: run === undefined ? undefined : { marker: residentMarker(name, run), session: residentSession(name, run), dir: runDirOf(layout, name, run) } };
}
