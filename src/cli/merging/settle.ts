import { dirname, join } from 'node:path';
import { newNonce } from '../../lib/ids.js';
import type { Next, Outcome } from '../../protocol/judge.js';
import type { MergeEnd } from '../../protocol/merging.js';
import { attemptOf, markerOf, NO_COUNTERS } from '../../protocol/names.js';
import { RUN_FILES } from '../../protocol/records.js';
import { putAwayQuestions } from '../../queue/stray-stories.js';
import { BY_HAND } from '../../runs/decision.js';
import { composeStory, tellSettled } from '../../runs/publish.js';
import { runDirOf, writeOutcome, type OutcomeRecord } from '../../runs/run-dir.js';
import type { Context } from '../context.js';
import { CliError, EXIT } from '../exit.js';
import type { Branched } from './facts.js';

/** The record of what a person decided, beside those of the attempts; written before the task is moved. Its directory, and it. */
export async function recordDecision(context: Context, known: Branched, decided: { readonly outcome: Outcome; readonly next: Next; readonly merge?: MergeEnd }): Promise<{ dir: string; record: OutcomeRecord }> {
  const { files, layout, clock } = context;
  const { task, last } = known;
  const name = { id: task.id, place: { priority: 0, arrivedAt: 0 }, counters: task.name?.counters ?? { ...NO_COUNTERS, deferrals: last.record.attempt }, nonce: newNonce() };
  const dir = runDirOf(layout, name);
  const changes = known.past.findLast(({ record }) => record.changes !== undefined)?.record.changes;
  const record: OutcomeRecord = { marker: markerOf(name), attempt: attemptOf(name.counters), agent: BY_HAND, startedAt: undefined, endedAt: clock.wallMs(), ...decided, ...(changes === undefined ? {} : { changes }) };
  await files.makeDir(dir);
  if (decided.merge?.kind === 'merged') {
    const { into, onto, commit } = decided.merge;
    await files.write(join(dir, RUN_FILES.merge), `${JSON.stringify({ v: 1, into, since: record.endedAt, candidate: { onto, head: known.tip ?? commit, commit, conflicts: [], violations: [] }, end: decided.merge })}\n`);
  }
  await writeOutcome(files, dir, record);
  return { dir, record };
}

/** The one rename that commits what a person decided; then the story. The record goes again where somebody else was faster. */
export async function carryOut(context: Context, { task }: Branched, to: 'done' | 'failed', { dir, record }: { dir: string; record: OutcomeRecord }): Promise<void> {
  const { files, layout, events, clock } = context;
  // Before its task moves, as intake does: one that is left behind would tell of a task that is not there.
  if (task.state !== 'needs' && task.state !== to) await files.rename(join(dirname(task.file), `${task.id}.result.md`), join(layout.runs, task.id, `story-before-${clock.wallMs()}.md`));
  if ((await files.rename(task.file, join(layout.dir(to), `${task.id}.md`))) === 'missing') {
    await files.remove(join(dir, RUN_FILES.outcome));
    throw new CliError(`${task.id} moved in this very moment; look again: snakepit show ${task.id}`, EXIT.busy);
  }
  await tellSettled(files, events, layout, task.id, record);
  // A pit may have written it anew meanwhile.
  if (task.state !== 'needs' && task.state !== to) await files.remove(join(dirname(task.file), `${task.id}.result.md`));
  await putAwayQuestions(files, layout, clock.wallMs());
}

/** A done task stays where it is: its last attempt's record, and its story, say that it is merged now. */
export async function rewriteDone(context: Context, { task, last }: Branched, merge: MergeEnd): Promise<void> {
  await writeOutcome(context.files, last.dir, { ...last.record, merge });
  await retell(context, task);
}

/** The story of a done task, where it does not say what the records say: whoever rewrote these may have died before it. */
export async function retell({ files, layout }: Context, task: Branched['task']): Promise<void> {
  const file = join(dirname(task.file), `${task.id}.result.md`);
  const story = await composeStory(files, layout, 'done', task.id);
  if ((await files.read(file)) !== story) await files.write(file, story);
}
