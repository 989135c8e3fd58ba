import { hostname } from 'node:os';
import type { Files } from '../lib/files.js';
import type { Layout } from '../protocol/layout.js';

/**
 * The name of another host that has claims here; undefined when all is ours. Process numbers and boots of another host
 * say nothing here, so its claims may be neither adopted nor reaped.
 */
export async function foreignHost(files: Files, layout: Layout): Promise<string | undefined> {
  const recorded = (await files.read(layout.host))?.trim();
  if (recorded === undefined || recorded === '' || recorded === hostname()) return undefined;
  const claims = [...(await files.list(layout.dir('claimed'))), ...(await files.list(layout.dir('reaping')))];
  return claims.length > 0 ? recorded : undefined;
}

export async function recordHost(files: Files, layout: Layout): Promise<void> {
  if ((await files.read(layout.host))?.trim() !== hostname()) await files.write(layout.host, `${hostname()}\n`);
}
