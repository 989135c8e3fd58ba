import type { Files } from '../lib/files.js';
import type { Layout } from '../protocol/layout.js';
import { parseClaim, parseReaping, parseStuck, type StuckName } from '../protocol/names.js';

/** All claims that stand, fenced ones and those of stuck tasks among them. One that is renamed while this looks may be met twice, or missed. */
export async function standingClaims(files: Pick<Files, 'list'>, layout: Layout): Promise<StuckName[]> {
  const claims: StuckName[] = [];
  for (const state of ['claimed', 'reaping', 'stuck'] as const) {
    for (const file of await files.list(layout.dir(state))) {
      const claim = parseClaim(file) ?? parseReaping(file) ?? parseStuck(file);
      if (claim !== undefined) claims.push(claim);
    }
  }
  return claims;
}
