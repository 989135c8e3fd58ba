import * as fs from 'node:fs';
import type { Path } from './files.js';

const OWN = 0o700;

/** Whether the directory is one, and lets its owner read, write and enter now; where it did not it is told to. What is another's stays as it is. */
export function regain(dir: Path): boolean {
  try {
    const { mode } = fs.lstatSync(dir);
    if ((mode & fs.constants.S_IFMT) !== fs.constants.S_IFDIR) return false;
    if ((mode & OWN) !== OWN) fs.chmodSync(dir, (mode & 0o7777) | OWN);
    return true;
  } catch {
    return false;
  }
}

/**
 * The same for all directories below one: an agent may have taken from us what lies there (a module cache is read-only, directories and
 * all). What cannot be entered is skipped in silence by whoever lists it, and would pass for empty. No link is followed.
 */
export function regainTree(dir: Path): void {
  if (!regain(dir)) return;
  let entries: fs.Dirent<Buffer>[];
  try {
    entries = fs.readdirSync(dir, { withFileTypes: true, encoding: 'buffer' });
  } catch {
    return;
  }
  for (const entry of entries) if (entry.isDirectory()) regainTree(Buffer.concat([Buffer.from(dir), Buffer.from('/'), entry.name]));
}
