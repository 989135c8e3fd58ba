import { dirname, join } from 'node:path';
import { RUN_FILES, type AttemptRecord } from '../../protocol/records.js';
import { NO_COUNTERS, printReady } from '../../protocol/names.js';
import { DEFAULT_PRIORITY } from '../../protocol/task.js';
import { readFlow } from '../../runs/flow-record.js';
import { readAgent, readAttempt } from '../../runs/run-dir.js';
import type { Context } from '../context.js';
import { CliError, EXIT } from '../exit.js';
import type { Branched } from './facts.js';
import { recordDecision } from './settle.js';

/**
 * Parks a done task as one that a person rejected: from there it goes on as any parked task does when it is answered, in its session where
 * its program can, else with the words as its answer; a workflow's writing step gets a round more. The task's file in needs/.
 */
export async function parkRejected(context: Context, known: Branched): Promise<string> {
  const { files, layout, clock } = context;
  const { task, last, spec } = known;
  const again = last.record.outcome.kind === 'parked' && last.record.outcome.reason === 'rejected';
  const attempt = again ? last.record.attempt : last.record.attempt + 1;
  const counters = { ...NO_COUNTERS, deferrals: attempt };
  // Killed after the record and before the rename, it is found here.
  if (!again) {
    const detail = 'you said that it is done; a person has looked at it, and does not take it as it is';
    const { dir, record } = await recordDecision(context, known, { outcome: { kind: 'parked', reason: 'rejected', detail, nth: 0 }, next: { kind: 'parked', counters, why: `rejected: ${detail}` } });
    await copyTerms(context, known, dir, record.marker, record.attempt);
  }
  const file = join(layout.dir('needs'), printReady({ id: task.id, place: { priority: spec?.priority ?? DEFAULT_PRIORITY, arrivedAt: clock.wallMs() }, counters }));
  // Before its task moves, as intake does: one that is left behind would be taken for the next one's.
  await files.rename(join(dirname(task.file), `${task.id}.result.md`), join(layout.runs, task.id, `story-before-${clock.wallMs()}.md`));
  if ((await files.rename(task.file, file)) === 'missing') throw new CliError(`${task.id} moved in this very moment; look again: snakepit show ${task.id}`, EXIT.busy);
  return file;
}

/** What the next attempt needs to go on with the last one: its session, where it stood in its workflow, and the task as it was given. */
async function copyTerms({ files, clock }: Context, { last }: Branched, dir: string, marker: string, attempt: number): Promise<void> {
  const flow = await readFlow(files, last.dir);
  if (flow !== undefined) return files.write(join(dir, RUN_FILES.workflow), `${JSON.stringify({ ...flow, attempt, at: clock.wallMs() })}\n`);
  const before = await readAttempt(files, last.run);
  const text = await files.read(join(last.run, RUN_FILES.task));
  const seen = await readAgent(files, last.run);
  if (text !== undefined) await files.write(join(dir, RUN_FILES.task), text);
  await files.write(join(dir, RUN_FILES.entered), '');
  if (seen !== undefined) {
    const { tokens: _tokens, baseline: _baseline, uncounted: _uncounted, ...agent } = seen;
    await files.write(join(dir, RUN_FILES.agentEnd), `${JSON.stringify({ ...agent, session: agent.session ?? before?.session })}\n`);
  }
  if (before === undefined) return;
  const record: AttemptRecord = { ...before, marker, attempt };
  await files.write(join(dir, RUN_FILES.attempt), `${JSON.stringify(record)}\n`);
}
