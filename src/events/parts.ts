import { createHash } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import { constants, gunzipSync } from 'node:zlib';
import type { Files } from '../lib/files.js';

/*
 * The event log is one growing file and its former parts, in one directory:
 *
 *   events.jsonl                            every writer opens it by name for every line
 *        │ one rename; the next line makes a new one
 *   events-20261201T020000123Z.jsonl        a writer that had it open may still end its line here
 *        │ nobody has it open: its bytes, compressed, renamed into place; then it is removed
 *   events-20261201T020000123Z.jsonl.gz
 *
 * While both lie there the plain one counts. The instant in the name is that of the rename, and grows from part to part even
 * where the clock was set back: by name they are in order.
 */

/** A former part of a log. */
export interface Part {
  /** Without the ending: the same plain and packed, and in order. */
  readonly stem: string;
  /** Wall clock, milliseconds. */
  readonly rotatedAt: number;
  /** As it lies there; readers go through `readPart`, since it may be packed the next moment. */
  readonly path: string;
  readonly packed: boolean;
}

/** How far somebody has read. `file`: which log, by its first line; '' before there was one. `offset`: bytes. */
export interface Position {
  readonly file: string;
  readonly offset: number;
}

/** Which log some bytes are of: a hash of their first line, which never changes and holds a time; '' without one whole line. */
export function identityOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(NEWLINE);
  return end < 0 ? '' : createHash('sha256').update(bytes.subarray(0, end)).digest('hex').slice(0, 16);
}

const PACKED = '.gz';
/** Of a packed part, to find its first line: far more than one compresses to. */
const HEAD_BYTES = 64 * 1024;
const MAX_BYTES = 1024 * 1024 * 1024;
export const NEWLINE = 10;

const ending = (log: string): string => basename(log).slice(basename(log).lastIndexOf('.'));
const beginning = (log: string): string => basename(log).slice(0, -ending(log).length);

/** Where a part of the log that is rotated now will lie. */
export const partPath = (log: string, rotatedAt: number): string => join(dirname(log), `${beginning(log)}-${new Date(rotatedAt).toISOString().replaceAll(/[-:.]/g, '')}${ending(log)}`);

const STAMP = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z$/;

/** All former parts, oldest first, each once. */
export async function partsOf(files: Pick<Files, 'list'>, log: string): Promise<Part[]> {
  const parts = new Map<string, Part>();
  const [head, tail] = [`${beginning(log)}-`, ending(log)];
  for (const name of await files.list(dirname(log))) {
    const packed = name.endsWith(`${tail}${PACKED}`);
    const stem = name.slice(0, -(tail.length + (packed ? PACKED.length : 0)));
    if (!name.startsWith(head) || !(packed || name.endsWith(tail))) continue;
    const rotatedAt = Date.parse(stem.slice(head.length).replace(STAMP, '$1-$2-$3T$4:$5:$6.$7Z'));
    if (!STAMP.test(stem.slice(head.length)) || Number.isNaN(rotatedAt)) continue;
    if (!packed || !parts.has(stem)) parts.set(stem, { stem, rotatedAt, packed, path: join(dirname(log), name) });
  }
  return [...parts.values()].sort((a, b) => a.rotatedAt - b.rotatedAt);
}

const plainPath = ({ path, packed }: Part): string => (packed ? path.slice(0, -PACKED.length) : path);

/** Where its compressed bytes belong. */
export const packedPath = (part: Part): string => `${plainPath(part)}${PACKED}`;

/** Its lines as bytes; undefined where it has been removed. Throws where a packed one is damaged: `gzip -t` says the same. */
export async function readPart(files: Pick<Files, 'readBytes'>, part: Part): Promise<Uint8Array | undefined> {
  const plain = await files.readBytes(plainPath(part), MAX_BYTES);
  if (plain !== undefined) return plain;
  const packed = await files.readBytes(packedPath(part), MAX_BYTES);
  return packed === undefined ? undefined : gunzipSync(packed, { maxOutputLength: MAX_BYTES });
}

/** The beginning of it, enough for its first line; nothing where it has been removed. */
export async function readPartHead(files: Pick<Files, 'readFrom'>, part: Part, maxBytes: number): Promise<Uint8Array> {
  const plain = await files.readFrom(plainPath(part), 0, maxBytes);
  if (plain.length > 0) return plain;
  const packed = await files.readFrom(packedPath(part), 0, HEAD_BYTES);
  return packed.length === 0 ? packed : gunzipSync(packed, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, maxBytes);
}
