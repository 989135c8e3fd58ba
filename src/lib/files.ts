/** A path; a Buffer where a name may be invalid UTF-8 (as a string such a file can be neither opened nor moved). */
export type Path = string | Buffer;

/** An environmental failure (EIO, ENOSPC, EACCES…): the path, what was being done, and the cause. */
export class PathError extends Error {
  readonly code: string;
  constructor(doing: string, path: Path, cause: unknown) {
    const code = errorCode(cause);
    super(`${code} while ${doing}: ${String(path)}`, { cause });
    this.code = code;
  }
}

/** What a machine gets over, or a person mends, without our being started anew. Whatever else a file operation fails of is a fault or a directory that is gone. */
const PASSING: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EIO', 'EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN', 'EBUSY', 'ESTALE', 'EACCES', 'EPERM']);

/** A file operation that failed of what may pass: a full disk, no descriptors. Whoever meets it waits, and looks at everything anew. */
export const isPassing = (cause: unknown): cause is PathError => cause instanceof PathError && PASSING.has(cause.code);

/** How long to wait it out: a second at first, twice as long each time, half a minute at most. Milliseconds. */
export const passingWaitMs = (tries: number): number => Math.min(30_000, 1000 * 2 ** tries);

/** The `code` of a Node system error, or its text. */
export function errorCode(cause: unknown): string {
  if (cause instanceof Error) return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.message;
  return String(cause);
}

/** What lies at a path, without following a link. */
export interface Entry {
  readonly kind: 'file' | 'directory' | 'link' | 'other';
  readonly size: number;
  readonly mtimeMs: number;
  readonly links: number;
}

/**
 * The file system as the protocol sees it: each call is one step at which a process may die.
 * A port: the simulator brings a map, tests bring one that fails or halts at the k-th call.
 * Lost races are values ("missing", "exists"); anything else that goes wrong throws PathError.
 */
export interface Files {
  /** Names in a directory, in no order; empty when the directory is not there. */
  list(dir: string): Promise<string[]>;
  /** The same names as bytes: one that is invalid UTF-8 cannot be told as a string. */
  listBytes(dir: string): Promise<Buffer[]>;
  /** Whether there is an entry of that name, whatever it is; a link is not followed. Throws where that cannot be known: not seen is not gone. */
  exists(path: string): Promise<boolean>;
  /** The one transition. "missing" means that somebody else acted, which is the protocol working. */
  rename(from: Path, to: string): Promise<'ok' | 'missing'>;
  /** Sets the modification time to now. */
  touch(path: string): Promise<'ok' | 'missing'>;
  mtimeMs(path: string): Promise<number | undefined>;
  /** Whole text up to `maxBytes` (longer files are cut), undefined when missing. Never follows a link or waits on a FIFO. */
  read(path: string, maxBytes?: number): Promise<string | undefined>;
  /** The first `maxBytes` bytes of a regular file; undefined for anything else. Never follows a link or waits on a FIFO. */
  readBytes(path: Path, maxBytes: number): Promise<Uint8Array | undefined>;
  /** Bytes from an offset on, as many as there are up to `maxBytes`; none when the file is missing or shorter. For files that only grow. */
  readFrom(path: string, offset: number, maxBytes: number): Promise<Uint8Array>;
  inspect(path: Path): Promise<Entry | undefined>;
  /** Written beside, synced, renamed: readers see the old content or the new one, never a part. */
  write(path: string, content: string | Uint8Array): Promise<void>;
  /** One write at the end of a file, made when missing; for lines below the pipe size. */
  append(path: string, text: string): Promise<void>;
  /** Made with its parents; "exists" when it was there: of several callers exactly one gets "ok". */
  makeDir(path: string): Promise<'ok' | 'exists'>;
  remove(path: string): Promise<'ok' | 'missing'>;
  /** Makes the directory's own entries survive power loss. */
  syncDir(path: string): Promise<void>;
}
