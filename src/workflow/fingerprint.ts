import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Files } from '../lib/files.js';

/** A tree as it stood: path → what tells one state of it from another. */
export interface Fingerprint {
  readonly v: 1;
  readonly entries: Readonly<Record<string, string>>;
  /** More than could be looked at: beyond it, changes are not seen. */
  readonly cut: boolean;
}

/** Above this a tree is not listed on: half would be met by common repositories, double costs a second on a slow disk. */
const MOST = 50_000;
/** Files up to this size are read, so that a change with the old time and size is seen too; larger ones are known by those. */
const HASH_BYTES = 64 * 1024;
/** Of all that is read. */
const HASH_TOTAL = 64 * 1024 * 1024;

/** What of a git directory tells of work: where branches and HEAD are. The index, logs and locks change by looking. */
const GIT = ['HEAD', 'packed-refs', 'refs'] as const;

/**
 * Lists a tree: names, kinds, sizes, times, and the contents of what is small. `except`: absolute paths of the engine's own files, which
 * are no part of it. What a tool may write by looking (git's index) is none either. A directory's own time is left out: only what lies in it counts.
 */
export async function fingerprint(files: Files, root: string, except: ReadonlySet<string>): Promise<Fingerprint> {
  const entries: Record<string, string> = {};
  let count = 0;
  let read = 0;
  const visit = async (below: string): Promise<boolean> => {
    const path = join(root, below);
    if (except.has(path)) return true;
    const entry = await files.inspect(path);
    if (entry === undefined) return true;
    if (below !== '') {
      if ((count += 1) > MOST) return false;
      entries[below] = entry.kind === 'directory' ? 'directory' : `${entry.kind} ${entry.size} ${Math.round(entry.mtimeMs)}`;
    }
    if (entry.kind === 'directory') {
      const git = below === '.git' || below.endsWith('/.git');
      for (const name of (await files.list(path)).sort()) if (!git || (GIT as readonly string[]).includes(name)) if (!(await visit(join(below, name)))) return false;
    } else if (entry.kind === 'file' && entry.size <= HASH_BYTES && (read += entry.size) <= HASH_TOTAL) {
      const bytes = await files.readBytes(path, HASH_BYTES);
      if (bytes !== undefined) entries[below] += ` ${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}`;
    }
    return true;
  };
  const whole = await visit('');
  return { v: 1, entries, cut: !whole };
}

const NAMED = 5;

/** What differs, in words; undefined: nothing does. */
export function changesBetween(before: Fingerprint, after: Fingerprint): string | undefined {
  const changed: string[] = [];
  for (const [path, state] of Object.entries(after.entries)) {
    const was = before.entries[path];
    if (was === undefined) changed.push(`made ${path}`);
    // A file that is moved in time alone is as it was: its contents are known.
    else if (was !== state && !(hashOf(was) !== undefined && hashOf(was) === hashOf(state))) changed.push(`changed ${path}`);
  }
  for (const path of Object.keys(before.entries)) if (after.entries[path] === undefined) changed.push(`removed ${path}`);
  if (changed.length === 0) return undefined;
  return `${changed.slice(0, NAMED).join(', ')}${changed.length > NAMED ? ` and ${changed.length - NAMED} more` : ''}`;
}

const hashOf = (state: string): string | undefined => state.split(' ')[3];
