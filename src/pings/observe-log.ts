import { join, relative } from 'node:path';
import { linesSince } from '../events/follow.js';
import type { Files } from '../lib/files.js';
import type { Layout } from '../protocol/layout.js';
import { parseTask } from '../protocol/parse-task.js';
import { RUN_FILES } from '../protocol/records.js';
import { locate } from '../queue/locate.js';
import { settledState } from './match.js';
import type { Cursor, Look, SeenEvent } from './state.js';

const TASK_BYTES = 16 * 1024 * 1024;

/** Whole lines of the event log since the cursor, across its rotations. `nowMs`: wall clock. */
export async function observeLog(files: Files, layout: Layout, cursor: Extract<Cursor, { kind: 'log' }> | undefined, nowMs: number): Promise<Look> {
  const since = await linesSince(files, layout.events, cursor, nowMs);
  if (since.kind === 'unseen') return since;
  return { kind: 'log', ...since.position, events: since.lines, gap: since.gap };
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
