import type { Files } from '../lib/files.js';
import { parseEvents } from './event-log.js';
import type { EventLine } from './event.js';
import { identityOf, NEWLINE, partsOf, readPart, readPartHead, type Part, type Position } from './parts.js';

/** One line. `at`: which line of which log. */
export interface SeenLine {
  readonly at: string;
  readonly event: EventLine;
}

/** What came since, and how far that reaches. `gap`: why lines may be missing in between. */
export type Since = { readonly kind: 'read'; readonly position: Position; readonly lines: readonly SeenLine[]; readonly gap: string | undefined } | { readonly kind: 'unseen'; readonly why: string };

/** Of one look; the rest is read at the next. */
const CHUNK = 4 * 1024 * 1024;
const FIRST_LINE = 16 * 1024;

/**
 * A writer opens the log by its name and writes its line a moment later; rotated in that moment, the line is the former log's.
 * So long is a part that was just rotated away still listened to. A writer that is stopped in that very place for longer is
 * in the log and its history, and only those who follow miss its line.
 */
const LATE_MS = 2000;

/** Whole lines since a position, across rotations; from the end on where there is none yet. `nowMs`: wall clock. */
export async function linesSince(files: Files, log: string, position: Position | undefined, nowMs: number): Promise<Since> {
  const file = identityOf(await files.readFrom(log, 0, FIRST_LINE));
  if (position === undefined) return { kind: 'read', position: { file, offset: await wholeLines(files, log) }, lines: [], gap: undefined };
  if (file === position.file || position.file === '') return { kind: 'read', ...linesIn(await files.readFrom(log, position.offset, CHUNK), file, position.offset), gap: undefined };
  const parts = await partsOf(files, log);
  const former = await partOf(files, parts, position.file);
  if (former !== undefined) {
    const rest = await restOf(files, former, position);
    if (rest.lines.length > 0 || rest.position.offset !== position.offset || nowMs - former.rotatedAt < LATE_MS) return { kind: 'read', ...rest, gap: undefined };
  }
  const next = former === undefined ? undefined : parts[parts.indexOf(former) + 1];
  if (next !== undefined) {
    const nextFile = identityOf(await readPartHead(files, next, FIRST_LINE));
    if (nextFile !== '') return { kind: 'read', ...(await restOf(files, next, { file: nextFile, offset: 0 })), gap: undefined };
  }
  // Rotated away, and not begun anew: nothing more can be known of it yet.
  if (file === '') return former === undefined ? { kind: 'unseen', why: 'the event log is not there' } : { kind: 'read', position, lines: [], gap: undefined };
  return { kind: 'read', ...linesIn(await files.readFrom(log, 0, CHUNK), file, 0), gap: former === undefined ? 'the event log was replaced, and the former one is not beside it: its last lines may be missed' : undefined };
}

/** The newest first: whoever follows is hardly ever far behind. */
async function partOf(files: Files, parts: readonly Part[], file: string): Promise<Part | undefined> {
  for (const part of parts.toReversed()) if (identityOf(await readPartHead(files, part, FIRST_LINE)) === file) return part;
  return undefined;
}

async function restOf(files: Files, part: Part, { file, offset }: Position): Promise<{ position: Position; lines: SeenLine[] }> {
  const bytes = (await readPart(files, part)) ?? new Uint8Array();
  return linesIn(bytes.subarray(offset, offset + CHUNK), file, offset);
}

/** Where the last whole line ends. */
async function wholeLines(files: Files, path: string): Promise<number> {
  const size = (await files.inspect(path))?.size ?? 0;
  const tail = Math.max(0, size - CHUNK);
  return tail + (await files.readFrom(path, tail, CHUNK)).lastIndexOf(NEWLINE) + 1;
}

function linesIn(read: Uint8Array, file: string, from: number): { position: Position; lines: SeenLine[] } {
  const bytes = Buffer.from(read.buffer, read.byteOffset, read.byteLength);
  const lines: SeenLine[] = [];
  let start = 0;
  for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
    for (const event of parseEvents(bytes.subarray(start, end).toString('utf8'))) lines.push({ at: `${file}:${from + start}`, event });
    start = end + 1;
  }
  // A line that is longer than a chunk is none of ours.
  return { position: { file, offset: from + (start === 0 && bytes.length === CHUNK ? CHUNK : start) }, lines };
}
