import { join } from 'node:path';
import type { Files } from '../lib/files.js';
import { isTaskFile, type Layout } from '../protocol/layout.js';
import { isTaskId, parseAny } from '../protocol/names.js';

/** `<id>.result.md`, or a refused file's `<id>.refused-<nonce>.result.md`. */
const STORY = /^(.+?)(?:\.refused-([0-9a-z]{10}))?\.result\.md$/;
const FIRST_LINE = /^# (Done|Failed|Not taken in): /;
const QUESTION = /^(.+)\.question\.md$/;

/** Puts a story with the runs of its task, where old stories lie. */
async function putAway(files: Files, layout: Layout, path: string, id: string, as: string): Promise<void> {
  await files.makeDir(join(layout.runs, id));
  await files.rename(path, join(layout.runs, id, as));
}

/** Reasons of refused files whose file was moved away to be mended. The caller holds the intake lock. */
export async function putAwayMended(files: Files, layout: Layout): Promise<void> {
  const names = await files.list(layout.dir('failed'));
  const there = new Set(names);
  for (const name of names) {
    const [, id = '', nonce] = STORY.exec(name) ?? [];
    const stem = `${id}.refused-${nonce ?? ''}`;
    if (nonce !== undefined && isTaskId(id) && !there.has(`${stem}.md`) && !there.has(`${stem}.special`)) await putAway(files, layout, join(layout.dir('failed'), name), id, `refused-${nonce}.md`);
  }
}

/**
 * Stories that came into the drop zone with their tasks (`mv failed/* queue/`) are no tasks: they go where old stories go. Only
 * what reads as ours does; a file of that name by somebody else stays where it is.
 */
export async function putAwayStrays(files: Files, layout: Layout, nowMs: number): Promise<void> {
  for (const name of await files.list(layout.queue)) {
    const [, id = '', nonce] = STORY.exec(name) ?? [];
    if (!isTaskId(id)) continue;
    const path = join(layout.queue, name);
    if (FIRST_LINE.test((await files.read(path, 200)) ?? '')) await putAway(files, layout, path, id, nonce === undefined ? `story-before-${nowMs}.md` : `refused-${nonce}.md`);
  }
}

/** Questions whose task is no longer beside them, and those that came into the drop zone with it (`mv needs/* queue/`): the records of the run keep what was asked. */
export async function putAwayQuestions(files: Files, layout: Layout, nowMs: number): Promise<void> {
  const needs = layout.dir('needs');
  const names = await files.list(needs);
  const asking = new Set(names.flatMap((name) => (isTaskFile(name) ? (parseAny(name)?.id ?? []) : [])));
  for (const name of names) {
    const id = QUESTION.exec(name)?.[1] ?? '';
    // Looked at anew: it may have been parked since the listing.
    if (isTaskId(id) && !asking.has(id) && !(await files.list(needs)).some((one) => isTaskFile(one) && parseAny(one)?.id === id)) await putAway(files, layout, join(needs, name), id, `question-${nowMs}.md`);
  }
  for (const name of await files.list(layout.queue)) {
    const id = QUESTION.exec(name)?.[1] ?? '';
    if (isTaskId(id) && (await files.read(join(layout.queue, name), 200))?.startsWith('# Asks: ') === true) await putAway(files, layout, join(layout.queue, name), id, `question-${nowMs}.md`);
  }
}
