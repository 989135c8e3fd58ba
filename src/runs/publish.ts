import { join, relative } from 'node:path';
import type { EventSink } from '../events/event-log.js';
import type { Files } from '../lib/files.js';
import { tailLines } from '../lib/text.js';
import { isTaskFile, type Layout } from '../protocol/layout.js';
import { parseTask } from '../protocol/parse-task.js';
import { parseJson, RUN_FILES, type VerifyRun } from '../protocol/records.js';
import { publishMissingQuestions, publishQuestion } from './question.js';
import { pastAttempts, readAgent, type OutcomeRecord } from './run-dir.js';
import { storyText, type StoryParts } from './story.js';

const TAIL_LINES = 30;
const TAIL_BYTES = 64 * 1024;
const TASK_BYTES = 32 * 1024 * 1024;

/** The story of a task from the records of its attempts; the same facts give the same text, so anybody may write it again. */
export async function composeStory(files: Files, layout: Layout, state: 'done' | 'failed', id: string, why?: string): Promise<string> {
  const attempts = await pastAttempts(files, layout, id);
  const dir = attempts.at(-1)?.dir;
  // As its last attempt was given it; what was never tried, as it lies there.
  const given = dir === undefined || why !== undefined ? undefined : await files.readBytes(join(dir, RUN_FILES.task), TASK_BYTES);
  const bytes = given ?? (await files.readBytes(join(layout.dir(state), `${id}.md`), TASK_BYTES));
  const parsed = bytes === undefined ? undefined : await parseTask(bytes);
  const task = parsed?.ok === true ? parsed.value : undefined;
  const output = dir === undefined ? undefined : await files.read(join(dir, RUN_FILES.output));
  const verify = dir === undefined ? undefined : parseJson<VerifyRun[]>(await files.read(join(dir, RUN_FILES.verify)));
  const tokens: NonNullable<StoryParts['tokens']>[number][] = [];
  for (const attempt of attempts) tokens.push(await readAgent(files, attempt.dir));
  let notes = '';
  for (const attempt of attempts) notes += (await files.read(join(attempt.dir, RUN_FILES.notes))) ?? '';
  return storyText({
    id,
    title: task?.spec.title ?? '',
    warnings: task?.warnings ?? [],
    attempts: attempts.map((attempt) => attempt.record),
    tokens,
    why,
    outputTail: tailLines((output ?? '').slice(-TAIL_BYTES), TAIL_LINES),
    verify: verify ?? [],
    notes: notes.split('\n').flatMap((line) => {
      const text = parseJson<{ text?: unknown }>(line)?.text;
      return typeof text === 'string' ? [text] : [];
    }),
    runDir: dir === undefined ? undefined : relative(layout.root, dir),
  });
}

/** Writes `<id>.result.md` beside the settled task. After the commit, so a crash between leaves a task without its story: see below. */
export async function publishStory(files: Files, layout: Layout, state: 'done' | 'failed', id: string, why?: string): Promise<void> {
  await files.write(join(layout.dir(state), `${id}.result.md`), await composeStory(files, layout, state, id, why));
}

/** What follows the commit: the story, where the task has ended, or the question, where it asks, and the event. */
export async function tellSettled(files: Files, events: EventSink, layout: Layout, id: string, record: OutcomeRecord): Promise<void> {
  const { marker, attempt, next } = record;
  if (next.kind === 'again') return events.emit({ kind: 'task-requeued', id, marker, why: next.why, waitMs: next.waitMs });
  if (next.kind === 'parked') {
    await publishQuestion(files, layout, id);
    return events.emit({ kind: 'task-parked', id, marker, attempt, why: next.why });
  }
  await publishStory(files, layout, next.kind, id);
  return events.emit(next.kind === 'done' ? { kind: 'task-done', id, marker, attempt } : { kind: 'task-failed', id, marker, attempt, why: next.why });
}

/** Writes the stories and the questions that a crash right after a commit left out; returns for which tasks. */
export async function publishMissingStories(files: Files, layout: Layout): Promise<string[]> {
  const mended = await publishMissingQuestions(files, layout);
  for (const state of ['done', 'failed'] as const) {
    const names = await files.list(layout.dir(state));
    const stories = new Set(names.filter((name) => name.endsWith('.result.md')));
    for (const name of names) {
      if (!isTaskFile(name)) continue;
      const id = name.slice(0, -3);
      if (stories.has(`${id}.result.md`)) continue;
      // Its holder may be writing the story this very moment: a settle is younger than its story by milliseconds.
      await publishStory(files, layout, state, id);
      mended.push(id);
    }
  }
  return mended;
}
