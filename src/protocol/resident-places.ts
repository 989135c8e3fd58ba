import { join } from 'node:path';
import type { Layout } from './layout.js';

/** What lies under .snakepit/residents/<name>/. */
export interface ResidentPlaces {
  readonly dir: string;
  /** The record; whoever holds the pit's lock writes it. */
  readonly record: string;
  /** Holds one empty file, named after the run that may start: the launcher of any other ends at once. */
  readonly claims: string;
  readonly runs: string;
  /** The program's own configuration directory, kept from run to run. */
  readonly home: string;
  /** Where it works, with `workspace: own`. */
  readonly work: string;
}

export function placesOf(layout: Layout, name: string): ResidentPlaces {
  const dir = join(layout.residents, name);
  return { dir, record: join(dir, 'resident.json'), claims: join(dir, 'claim'), runs: join(dir, 'runs'), home: join(dir, 'home'), work: join(dir, 'work') };
}
