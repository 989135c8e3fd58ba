import type { Files } from '../lib/files.js';
import type { Layout } from '../protocol/layout.js';
import { placesOf } from '../protocol/resident-places.js';
import { nonceOf, residentMarker, runOf } from './places.js';
import { parseRecord } from './record.js';

/** What the processes of residents bear that a pit, this one or the next, answers for: by their records, and by claims whose record cannot be read. */
export async function residentMarkers(files: Files, layout: Layout): Promise<string[]> {
  const markers = new Set<string>();
  for (const name of await files.list(layout.residents)) {
    const places = placesOf(layout, name);
    const record = parseRecord(await files.read(places.record), name);
    const run = record === undefined ? undefined : runOf(record.phase);
    if (run !== undefined) markers.add(residentMarker(name, run));
    for (const file of await files.list(places.claims)) {
      const nonce = nonceOf(file);
      if (nonce !== undefined) markers.add(residentMarker(name, { nonce }));
    }
  }
  return [...markers];
}
