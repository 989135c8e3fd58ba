import { createHash } from 'node:crypto';
import { basename, dirname, join, resolve } from 'node:path';
import type { Clock } from '../lib/clock.js';
import type { Files } from '../lib/files.js';
import { wildcard } from '../lib/wildcard.js';
import type { Look, Source } from './state.js';

/** One file as it was last seen. */
interface SeenFile {
  readonly size: number;
  readonly mtimeMs: number;
  readonly sinceMonoMs: number;
  /** Undefined: not read since it changed. `young`: it had been written a moment before, so an equal time proves nothing. */
  readonly hash: string | undefined;
  readonly young: boolean;
}

/** By path; lost with the process, and found again from the files. */
export type InboxMemory = Map<string, SeenFile>;

/** Files of one inbox that are looked at, and bytes of each that count. */
const MOST = 500;
const READ_BYTES = 4 * 1024 * 1024;
/** Two writes within so many milliseconds may leave one and the same modification time. */
const YOUNG_MS = 2000;

/**
 * The files of an inbox by content. One that is being written is there, without a content, until it has been at rest for `settleMs`;
 * at the very first look (`begins`) all are taken as they are. A directory that is not there says nothing about its files.
 */
export async function observeInbox(files: Files, clock: Clock, root: string, on: Extract<Source, { kind: 'inbox' }>, memory: InboxMemory, begins: boolean, settleMs: number): Promise<Look> {
  const dir = resolve(root, on.dir);
  if ((await files.inspect(dir))?.kind !== 'directory') return begins ? { kind: 'inbox', files: [], gap: undefined } : { kind: 'unseen', why: `${dir} is no directory` };
  const names = (await files.list(dir)).filter((name) => !name.startsWith('.') && !name.endsWith('~') && wildcard(on.files, name)).sort();
  for (const path of memory.keys()) if (dirname(path) === dir && !names.includes(basename(path))) memory.delete(path);
  const found: { name: string; path: string; hash: string | undefined }[] = [];
  for (const name of names.slice(0, MOST)) {
    const path = join(dir, name);
    const entry = await files.inspect(path);
    if (entry?.kind !== 'file') continue;
    const known = memory.get(path);
    const same = known?.size === entry.size && known.mtimeMs === entry.mtimeMs;
    const sinceMonoMs = same ? known.sinceMonoMs : clock.monoMs();
    const ageMs = clock.wallMs() - entry.mtimeMs;
    const atRest = begins || clock.monoMs() - sinceMonoMs >= settleMs || ageMs >= settleMs;
    let hash = same && !known.young ? known.hash : undefined;
    let young = same && known.young;
    if (hash === undefined && atRest) {
      const bytes = await files.readBytes(path, READ_BYTES);
      hash = bytes === undefined ? undefined : createHash('sha256').update(bytes).digest('hex').slice(0, 32);
      young = ageMs < YOUNG_MS && clock.monoMs() - sinceMonoMs < YOUNG_MS;
    }
    memory.set(path, { size: entry.size, mtimeMs: entry.mtimeMs, sinceMonoMs, hash, young });
    found.push({ name, path, hash });
  }
  return { kind: 'inbox', files: found, gap: names.length > MOST ? `more than ${MOST} files in ${dir}: those behind are not looked at` : undefined };
}
