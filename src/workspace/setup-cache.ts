import { dirname, join } from 'node:path';
import { isIgnored } from '../git/repository.js';
import type { Git } from '../git/run.js';
import type { Files } from '../lib/files.js';
import { PathError } from '../lib/files.js';
import { newNonce } from '../lib/ids.js';
import type { Processes } from '../lib/processes.js';
import { temporaryName } from '../lib/temporary.js';
import type { Layout } from '../protocol/layout.js';
import { parseJson } from '../protocol/records.js';

/*
 * `.snakepit/setup-cache/<key>/`: what a set-up made, as copies 0, 1, … of the paths, and entry.json. An entry is made beside, synced, and
 * renamed into place; it is never changed, only read by copying, and removed by a rename first. So a reader that finds the same entry.json
 * after its copy has copied all of it, and no agent ever writes into one: each has copies of its own (never hard links).
 */

/** What entry.json says. */
export interface CacheEntry {
  readonly v: 1;
  readonly key: string;
  /** Of this very entry: another of the same key has another. */
  readonly nonce: string;
  /** Wall clock, milliseconds. */
  readonly at: number;
  /** Blocks on the disk. */
  readonly bytes: number;
  /** The paths that were there after the set-up, by the number of their copy. */
  readonly paths: readonly { readonly path: string; readonly copy: number }[];
}

export interface CachePorts {
  readonly files: Files;
  readonly processes: Pick<Processes, 'self'>;
  readonly git: Git;
  /** Copies a file or a directory to where nothing lies, as `cp -a` does, by reflink where the disk can. "stopped": it was called off. */
  readonly copy: (from: string, to: string) => Promise<{ readonly kind: 'copied' } | { readonly kind: 'failed'; readonly why: string } | { readonly kind: 'stopped' }>;
  /** Everything below a directory is on the disk for good; the bytes it takes there. Undefined: that could not be had. */
  readonly sync: (dir: string) => Promise<number | undefined>;
}

/** "done"; "none": there is no entry, or it went meanwhile. */
export type Cached = { readonly kind: 'done' } | { readonly kind: 'none' } | { readonly kind: 'failed'; readonly why: string } | { readonly kind: 'stopped' };

const entryDir = (layout: Layout, key: string): string => join(layout.setupCache, key);
const ENTRY = 'entry.json';
/** The name of an entry's directory; everything else there is being written, or none of ours. */
export const isCacheKey = (name: string): boolean => /^[0-9a-f]{32}$/.test(name);

export async function readEntry(files: Files, layout: Layout, key: string): Promise<CacheEntry | undefined> {
  const entry = parseJson<CacheEntry>(await files.read(join(entryDir(layout, key), ENTRY)));
  return entry?.v === 1 && entry.key === key && Array.isArray(entry.paths) ? entry : undefined;
}

/** Wall clock, milliseconds. */
export const lastUsed = (files: Files, layout: Layout, key: string): Promise<number | undefined> => files.mtimeMs(join(entryDir(layout, key), ENTRY));

/** Why a path is not the cache's to touch; undefined: git ignores it, so that nobody's work lies there. */
async function notOurs({ git }: CachePorts, dir: string, path: string): Promise<string | undefined> {
  // A pattern that ends in / says nothing of a name that is not there.
  for (const probe of [path, `${path}/x`]) {
    const ignored = await isIgnored(git, dir, probe);
    if (ignored === undefined) return `git did not say whether it ignores ${path}`;
    if (ignored) return undefined;
  }
  return `${path} is not ignored by git: setup-cache: keeps only what is nobody's work`;
}

/** Does it with a directory beside the entries, which is gone afterwards; what a path refuses is told, not thrown. */
async function staged(files: Files, stage: string, act: (stage: string) => Promise<Cached>): Promise<Cached> {
  try {
    await files.makeDir(stage);
    return await act(stage);
  } catch (cause) {
    if (cause instanceof PathError) return { kind: 'failed', why: cause.message };
    throw cause;
  } finally {
    await files.remove(stage);
  }
}

/** Copies an entry into a checkout. All paths are copied before the first is put in place; whoever dies in between leaves a checkout that is not set up yet. */
export async function restore(ports: CachePorts, layout: Layout, dir: string, key: string): Promise<Cached> {
  const { files, processes } = ports;
  const entry = await readEntry(files, layout, key);
  if (entry === undefined) return { kind: 'none' };
  return staged(files, join(layout.setupCache, temporaryName('restore', processes.self(), newNonce())), async (stage) => {
    for (const { path, copy } of entry.paths) {
      const why = await notOurs(ports, dir, path);
      if (why !== undefined) return { kind: 'failed', why };
      const copied = await ports.copy(join(entryDir(layout, key), String(copy)), join(stage, String(copy)));
      if (copied.kind !== 'copied') return (await stillThere()) ? copied : { kind: 'none' };
    }
    if (!(await stillThere())) return { kind: 'none' };
    await files.touch(join(entryDir(layout, key), ENTRY));
    for (const { path, copy } of entry.paths) {
      const to = join(dir, path);
      await files.remove(to);
      await files.makeDir(dirname(to));
      await files.rename(join(stage, String(copy)), to);
    }
    return { kind: 'done' };
  });

  async function stillThere(): Promise<boolean> {
    return (await readEntry(files, layout, key))?.nonce === entry?.nonce;
  }
}

/** Keeps what a set-up made, before anybody works there. Of several that do so at once, the first is kept. */
export async function keep(ports: CachePorts, layout: Layout, dir: string, key: string, paths: readonly string[], nowMs: number): Promise<Cached> {
  const { files, processes } = ports;
  if ((await readEntry(files, layout, key)) !== undefined) return { kind: 'done' };
  // One that nobody can read any more is in the way.
  if (await files.exists(entryDir(layout, key))) await evict(files, processes, layout, key);
  const nonce = newNonce();
  return staged(files, join(layout.setupCache, temporaryName(key, processes.self(), nonce)), async (stage) => {
    const kept: { path: string; copy: number }[] = [];
    for (const [copy, path] of paths.entries()) {
      const kind = (await files.inspect(join(dir, path)))?.kind;
      if (kind !== 'file' && kind !== 'directory') continue;
      const why = await notOurs(ports, dir, path);
      if (why !== undefined) return { kind: 'failed', why };
      const copied = await ports.copy(join(dir, path), join(stage, String(copy)));
      if (copied.kind !== 'copied') return copied;
      kept.push({ path, copy });
    }
    if (kept.length === 0) return { kind: 'failed', why: `none of ${paths.join(', ')} is there after the set-up` };
    const bytes = await ports.sync(stage);
    if (bytes === undefined) return { kind: 'failed', why: 'the disk did not say that it holds it' };
    await files.write(join(stage, ENTRY), `${JSON.stringify({ v: 1, key, nonce, at: nowMs, bytes, paths: kept } satisfies CacheEntry)}\n`);
    // Over an entry that another made meanwhile this fails, and over half of one it never comes: entries are whole or not there.
    await files.rename(stage, entryDir(layout, key)).catch(async (cause: unknown) => {
      if ((await readEntry(files, layout, key)) === undefined) throw cause;
    });
    return { kind: 'done' };
  });
}

/** Out of everybody's sight by one rename, then away. False: somebody was faster. */
export async function evict(files: Files, processes: Pick<Processes, 'self'>, layout: Layout, key: string): Promise<boolean> {
  const aside = join(layout.setupCache, temporaryName(key, processes.self(), newNonce()));
  if ((await files.rename(entryDir(layout, key), aside)) === 'missing') return false;
  await files.remove(aside);
  return true;
}
