import * as fs from 'node:fs';
import { dirname, basename, join } from 'node:path';
import { errorCode, isPassing, PathError, type Entry, type Files, type Path } from './files.js';
import { newNonce } from './ids.js';
import { linuxProcesses } from './linux-processes.js';
import { regain, regainTree } from './rights.js';
import { temporaryName } from './temporary.js';

const DEFAULT_READ_BYTES = 16 * 1024 * 1024;
const READ_FLAGS = fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK;
/** A link in the place of one of our files is an error, and a FIFO does not make us wait. */
const APPEND_FLAGS = fs.constants.O_WRONLY | fs.constants.O_APPEND | fs.constants.O_CREAT | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK;

function attempt<T, F>(doing: string, path: Path, expected: Readonly<Record<string, F>>, act: () => T): T | F {
  try {
    return act();
  } catch (cause) {
    const code = errorCode(cause);
    if (Object.hasOwn(expected, code)) return expected[code] as F;
    throw new PathError(doing, path, cause);
  }
}

function readBounded(path: Path, maxBytes: number, offset = 0): Uint8Array | undefined {
  const fd = fs.openSync(path, READ_FLAGS);
  try {
    const stat = fs.fstatSync(fd);
    if (!stat.isFile()) return undefined;
    const buffer = Buffer.alloc(Math.max(0, Math.min(stat.size - offset, maxBytes)));
    let filled = 0;
    while (filled < buffer.length) {
      const got = fs.readSync(fd, buffer, filled, buffer.length - filled, offset + filled);
      if (got === 0) break;
      filled += got;
    }
    return buffer.subarray(0, filled);
  } finally {
    fs.closeSync(fd);
  }
}

const UNREADABLE = { ENOENT: undefined, ELOOP: undefined, ENXIO: undefined, ENOTDIR: undefined } as const;

function inspect(path: Path): Entry {
  const stat = fs.lstatSync(path);
  const kind = stat.isFile() ? 'file' : stat.isDirectory() ? 'directory' : stat.isSymbolicLink() ? 'link' : 'other';
  return { kind, size: stat.size, mtimeMs: stat.mtimeMs, links: stat.nlink };
}

/** Under a name beside the target that says who writes: the sweeper takes away what the dead left. */
function writeDurably(path: string, content: string | Uint8Array): void {
  const beside = join(dirname(path), temporaryName(basename(path), linuxProcesses.self(), newNonce()));
  try {
    const fd = fs.openSync(beside, 'wx', 0o600);
    try {
      fs.writeFileSync(fd, content);
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
    fs.renameSync(beside, path);
  } catch (cause) {
    fs.rmSync(beside, { force: true });
    throw cause;
  }
}

function append(path: string, text: string): void {
  const fd = fs.openSync(path, APPEND_FLAGS, 0o600);
  try {
    fs.writeFileSync(fd, text);
  } finally {
    fs.closeSync(fd);
  }
}

/** By name: a link that points nowhere is there too, and in the way of what would be renamed to it. A path that can have no entry has none; one that we are not let see is no such path, and throws. `look`: `fs.statSync` follows links. */
export function isThere(path: string, look: typeof fs.lstatSync | typeof fs.statSync = fs.lstatSync): boolean {
  try {
    return look(path, { throwIfNoEntry: false }) !== undefined;
  } catch (cause) {
    const fault = new PathError('looking for', path, cause);
    if (isPassing(fault)) throw fault;
    return false;
  }
}

/** Where the right to take away what agents made is ours to give, we give it to ourselves. */
function removeTree(path: string): void {
  try {
    fs.rmSync(path, { recursive: true });
  } catch (cause) {
    if (!['EACCES', 'EPERM'].includes(errorCode(cause)) || !regain(path)) throw cause;
    regainTree(path);
    fs.rmSync(path, { recursive: true });
  }
}

function syncDirectory(path: string): void {
  const fd = fs.openSync(path, 'r');
  try {
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}

/** The real file system. Synchronous underneath: for one small file that is several times cheaper than promises (49,000 against 208,000 renames a second). */
export const nodeFiles: Files = {
  list: async (dir) => attempt('listing', dir, { ENOENT: [] as string[] }, () => fs.readdirSync(dir)),
  listBytes: async (dir) => attempt('listing', dir, { ENOENT: [] as Buffer[] }, () => fs.readdirSync(dir, { encoding: 'buffer' })),
  exists: async (path) => isThere(path),
  rename: async (from, to) =>
    attempt('renaming', from, { ENOENT: 'missing' as const }, () => {
      fs.renameSync(from, to);
      return 'ok' as const;
    }),
  touch: async (path) =>
    attempt('touching', path, { ENOENT: 'missing' as const }, () => {
      const now = Date.now() / 1000;
      fs.lutimesSync(path, now, now);
      return 'ok' as const;
    }),
  mtimeMs: async (path) => attempt('looking at', path, { ENOENT: undefined }, () => fs.lstatSync(path).mtimeMs),
  read: async (path, maxBytes = DEFAULT_READ_BYTES) =>
    attempt('reading', path, UNREADABLE, () => {
      const bytes = readBounded(path, maxBytes);
      return bytes === undefined ? undefined : Buffer.from(bytes).toString('utf8');
    }),
  readBytes: async (path, maxBytes) => attempt('reading', path, UNREADABLE, () => readBounded(path, maxBytes)),
  readFrom: async (path, offset, maxBytes) => (await attempt('reading', path, UNREADABLE, () => readBounded(path, maxBytes, offset))) ?? new Uint8Array(),
  inspect: async (path) => attempt('looking at', path, { ENOENT: undefined }, () => inspect(path)),
  write: async (path, content) => attempt('writing', path, {}, () => writeDurably(path, content)),
  append: async (path, text) => attempt('appending to', path, {}, () => append(path, text)),
  makeDir: async (path) =>
    attempt('making directory', path, { EEXIST: 'exists' as const }, () => {
      fs.mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      fs.mkdirSync(path, { mode: 0o700 });
      return 'ok' as const;
    }),
  remove: async (path) =>
    attempt('removing', path, { ENOENT: 'missing' as const }, () => {
      removeTree(path);
      return 'ok' as const;
    }),
  syncDir: async (path) => attempt('syncing', path, { ENOENT: undefined }, () => syncDirectory(path)),
};
