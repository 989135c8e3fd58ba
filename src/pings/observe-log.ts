import { createHash } from 'node:crypto';
import { basename, dirname, join, relative } from 'node:path';
import { parseEvents } from '../events/event-log.js';
import type { Files } from '../lib/files.js';
import type { Layout } from '../protocol/layout.js';
import { parseTask } from '../protocol/parse-task.js';
import { RUN_FILES } from '../protocol/records.js';
import { locate } from '../queue/locate.js';
import { settledState } from './match.js';
import type { Cursor, Look, SeenEvent } from './state.js';

/** Of one look; the rest is read at the next. */
const CHUNK = 4 * 1024 * 1024;
/** The first line tells one log from another; it never changes, and holds a time. */
const FIRST_LINE = 4096;
const TASK_BYTES = 16 * 1024 * 1024;

/** Which log a file is: '' where there is none, or not one whole line. */
async function identityOf(files: Files, path: string): Promise<string> {
  const bytes = await files.readFrom(path, 0, FIRST_LINE);
  const end = bytes.indexOf(10);
  return end < 0 ? '' : createHash('sha256').update(bytes.subarray(0, end)).digest('hex').slice(0, 16);
}

/** Whole lines of the event log since the cursor. A log that was rotated away is read to its end first, where it still lies beside. */
export async function observeLog(files: Files, layout: Layout, cursor: Extract<Cursor, { kind: 'log' }> | undefined): Promise<Look> {
  const path = layout.events;
  const file = await identityOf(files, path);
  if (cursor === undefined) return { kind: 'log', file, offset: await wholeLines(files, path), events: [], gap: undefined };
  if (file === cursor.file || cursor.file === '') return { kind: 'log', file, ...(await linesFrom(files, path, file, cursor.offset)), gap: undefined };
  const logs = await rotated(files, path);
  const former = logs.findIndex((log) => log.file === cursor.file);
  const rest = logs[former] === undefined ? undefined : await linesFrom(files, logs[former].path, cursor.file, cursor.offset);
  if (rest !== undefined && rest.events.length > 0) return { kind: 'log', file: cursor.file, ...rest, gap: undefined };
  const next = (former < 0 ? undefined : logs[former + 1]) ?? { path, file };
  // Rotated away, and not begun anew: nothing more can be known of it yet.
  if (next.file === '') return former < 0 ? { kind: 'unseen', why: 'the event log is not there' } : { kind: 'log', file: cursor.file, offset: cursor.offset, events: [], gap: undefined };
  return { kind: 'log', file: next.file, ...(await linesFrom(files, next.path, next.file, 0)), gap: former < 0 ? 'the event log was replaced, and the former one is not beside it: its last lines may be missed' : undefined };
}

/** Where the last whole line ends. */
async function wholeLines(files: Files, path: string): Promise<number> {
  const size = (await files.inspect(path))?.size ?? 0;
  const tail = Math.max(0, size - CHUNK);
  return tail + (await files.readFrom(path, tail, CHUNK)).lastIndexOf(10) + 1;
}

async function linesFrom(files: Files, path: string, file: string, from: number): Promise<{ offset: number; events: SeenEvent[] }> {
  const bytes = Buffer.from(await files.readFrom(path, from, CHUNK));
  const events: SeenEvent[] = [];
  let start = 0;
  for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
    for (const event of parseEvents(bytes.subarray(start, end).toString('utf8'))) events.push({ at: `${file}:${from + start}`, event });
    start = end + 1;
  }
  // A line that is longer than a chunk is none of ours.
  return { offset: from + (start === 0 && bytes.length === CHUNK ? CHUNK : start), events };
}

/** Former logs in the same directory (events.jsonl.1, events-2026-12-01.jsonl), the one that was written to longest ago first. */
async function rotated(files: Files, path: string): Promise<{ readonly path: string; readonly file: string; readonly mtimeMs: number }[]> {
  const stem = basename(path).split('.')[0] ?? '';
  const logs = [];
  for (const name of await files.list(dirname(path))) {
    const candidate = join(dirname(path), name);
    const file = name.startsWith(stem) && candidate !== path ? await identityOf(files, candidate) : '';
    if (file !== '') logs.push({ path: candidate, file, mtimeMs: (await files.mtimeMs(candidate)) ?? 0 });
  }
  return logs.sort((a, b) => a.mtimeMs - b.mtimeMs);
}

/** What the task of a settle says of itself, as its last attempt was given it; of one that was never tried, as it lies there. */
export async function withTask(files: Files, layout: Layout, seen: SeenEvent): Promise<SeenEvent> {
  const { id, marker, attempt } = seen.event as { id?: string; marker?: string; attempt?: number };
  const state = settledState(seen.event.kind);
  if (state === undefined || id === undefined) return seen;
  const nonce = marker?.split('~')[2];
  const given = nonce === undefined ? undefined : await files.readBytes(join(layout.runs, id, `${String(attempt ?? 0).padStart(3, '0')}-${nonce}`, RUN_FILES.task), TASK_BYTES);
  const bytes = given ?? (await readLocated(files, layout, id));
  const parsed = bytes === undefined ? undefined : await parseTask(bytes);
  const spec = parsed?.ok === true ? parsed.value.spec : undefined;
  const story = join(layout.dir(state), state === 'needs' ? `${id}.question.md` : `${id}.result.md`);
  return { ...seen, task: { title: spec === undefined || spec.title === '' ? id : spec.title, tags: spec?.tags ?? [], story: relative(layout.root, story) } };
}

async function readLocated(files: Files, layout: Layout, id: string): Promise<Uint8Array | undefined> {
  const task = await locate(files, layout, id);
  return task === undefined ? undefined : files.readBytes(task.file, TASK_BYTES);
}
