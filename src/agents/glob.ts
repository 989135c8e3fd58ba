import { join } from 'node:path';
import type { Files } from '../lib/files.js';

/** Files below a directory that a profile's glob names: `*` within one name, no `**`. At most `cap`, since agents litter. */
export async function filesAt(files: Files, dir: string, glob: string, cap = 200): Promise<string[]> {
  let found = [dir];
  for (const part of glob.split('/')) {
    if (!part.includes('*')) {
      found = found.map((at) => join(at, part));
      continue;
    }
    const pattern = new RegExp(`^${part.split('*').map((text) => text.replace(/[.+?^${}()|[\]\\]/g, '\\$&')).join('.*')}$`, 'u');
    const below: string[] = [];
    for (const at of found) for (const name of await list(files, at)) if (pattern.test(name) && below.length < cap) below.push(join(at, name));
    found = below;
  }
  const there: string[] = [];
  for (const file of found) if ((await files.inspect(file))?.kind === 'file') there.push(file);
  return there;
}

/** A file where a directory was expected has nothing below it. */
const list = async (files: Files, dir: string): Promise<string[]> => ((await files.inspect(dir))?.kind === 'directory' ? files.list(dir) : []);

/** The files of JSON lines at a profile's transcript glob, where one session, or any of the home, may have left its own. */
export const transcriptFiles = (files: Files, home: string, glob: string, session: string): Promise<string[]> => filesAt(files, home, glob.replaceAll('{session}', session));
