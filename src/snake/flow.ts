import { basename, dirname, join, relative } from 'node:path';
import { attemptOf } from '../protocol/names.js';
import { RUN_FILES } from '../protocol/records.js';
import type { TaskSpec } from '../protocol/task.js';
import type { FlowEvent, FlowNext, FlowRecord, StepSpec } from '../protocol/workflow.js';
import type { Claim } from '../queue/store.js';
import { ANSWER_BYTES } from '../runs/answers.js';
import { readAttempt, readOutcome, runDirOf } from '../runs/run-dir.js';
import { readFlow, sessionDir } from '../runs/flow-record.js';
import { decideFlow, stepOf } from '../workflow/decide.js';
import { feedbackText, iterFile, roundsOf } from '../workflow/feedback.js';
import { loadWorkflow, SOLO, WITH_SOLO } from '../workflow/load.js';
import { rulingOf } from '../workflow/ruling.js';
import { isForAuthor } from './merge-left.js';
import type { SnakePorts, SnakeSetting } from './ports.js';

/** How often a person may send finished work back: its loop's rounds do not bound a person. */
const PERSON_TIMES = 1000;

/** What beginning came to. "solo": the task is one session, and its attempt has no workflow. */
export type Begun = { readonly kind: 'solo' } | { readonly kind: 'begun' } | { readonly kind: 'unworkable'; readonly why: string };

/**
 * Writes the workflow's record of a new attempt: where an earlier attempt of the same task was cut off, its events are taken over, so that
 * no step runs again that has ended. May be repeated after a crash.
 */
export async function beginFlow({ files, clock }: SnakePorts, { layout, config }: SnakeSetting, claim: Claim, spec: TaskSpec, bytes: Uint8Array): Promise<Begun> {
  const name = spec.workflow ?? config.workflow;
  if (name === SOLO) return Object.keys(spec.with).length === 0 ? { kind: 'solo' } : { kind: 'unworkable', why: `with: ${WITH_SOLO}` };
  const base = runDirOf(layout, claim.name);
  const runs = dirname(base);
  const attempt = attemptOf(claim.name.counters);
  const options = JSON.stringify(spec.with);
  const before = await cutOff(files, runs, base, attempt, { name, options });
  let record: FlowRecord;
  if (before === undefined) {
    const loaded = await loadWorkflow(files, layout.root, name, spec.with);
    if (!loaded.ok) return { kind: 'unworkable', why: `${loaded.error.where}: ${loaded.error.problem}` };
    record = await grown(files, runs, base, { v: 1, attempt, at: clock.wallMs(), workflow: loaded.value.workflow, options, events: [], next: { kind: 'finished', rule: '' }, run: undefined, handed: join(base, RUN_FILES.handed), workspace: undefined }, []);
  } else record = await grown(files, runs, base, { ...before.record, attempt, at: clock.wallMs() }, before.events);
  await files.makeDir(base);
  await files.makeDir(record.handed);
  await files.write(join(base, RUN_FILES.task), Buffer.from(bytes).toString('utf8'));
  if (record.next.kind !== 'step') await standIn(files, claim, before?.dir, sessionDir(base, record));
  await files.write(join(base, RUN_FILES.workflow), `${JSON.stringify(record)}\n`);
  return { kind: 'begun' };
}

interface CutOff {
  readonly record: FlowRecord;
  readonly events: readonly FlowEvent[];
  readonly dir: string;
}

/** Where the task's last attempt stood in the same workflow, if that attempt was no end of it: it was interrupted, deferred, failed at a step, or a person ruled. */
async function cutOff(files: SnakePorts['files'], runs: string, base: string, attempt: number, wanted: { name: string; options: string }): Promise<CutOff | undefined> {
  let newest: { base: string; record: FlowRecord } | undefined;
  for (const name of await files.list(runs)) {
    if (!/^\d{3,}-[0-9a-z]{10}$/.test(name) || name === basename(base)) continue;
    const record = await readFlow(files, join(runs, name));
    if (record !== undefined && record.at >= (newest?.record.at ?? 0)) newest = { base: join(runs, name), record };
  }
  if (newest === undefined || newest.record.workflow.name !== wanted.name || newest.record.options !== wanted.options) return undefined;
  const { record } = newest;
  const outcome = await readOutcome(files, newest.base);
  // Counters that were set back by hand begin anew; an attempt without an end was given back before its next step.
  const goesOn = outcome === undefined ? record.attempt <= attempt : record.attempt < attempt && (outcome.next.kind === 'again' || outcome.next.kind === 'parked');
  if (!goesOn || record.next.kind === 'spent' || record.next.kind === 'rejected') return undefined;
  const dir = sessionDir(newest.base, record);
  // The step that broke its bounds runs again.
  if (record.next.kind === 'broken') return record.events.at(-1)?.kind === 'step-ended' ? { record, events: record.events.slice(0, -1), dir } : undefined;
  const answer = (await files.read(join(dir, RUN_FILES.answer), ANSWER_BYTES)) ?? '';
  const parkedBy = outcome?.outcome.kind === 'parked' ? outcome.outcome.reason : undefined;
  // Only its branch had no place to go: words are for its author, else it is merged.
  if (record.next.kind === 'finished' && (parkedBy === 'merge' || parkedBy === 'rejected') && isForAuthor(answer)) return { record, events: [...record.events, { kind: 'sent-back', why: `a person says: ${answer.trim()}`, times: PERSON_TIMES, more: 1 }], dir };
  if (record.next.kind !== 'exhausted') return { record, events: record.events, dir };
  return { record, events: [...record.events, { kind: 'ruled', ruling: rulingOf(answer) }], dir };
}

/** An attempt that goes on between two steps has no session of its own: the last one's terms stand in for it. */
async function standIn(files: SnakePorts['files'], claim: Claim, from: string | undefined, dir: string): Promise<void> {
  const attempt = from === undefined ? undefined : await readAttempt(files, from);
  if (attempt !== undefined) await files.write(join(dir, RUN_FILES.attempt), `${JSON.stringify({ ...attempt, marker: claim.marker, attempt: attemptOf(claim.name.counters) })}\n`);
  const task = from === undefined ? undefined : await files.read(join(from, RUN_FILES.task));
  if (task !== undefined) await files.write(join(dir, RUN_FILES.task), task);
}

/** The record with these events: what follows is decided, and given a directory of its own where it is a session. Writes the feedback that they come to. */
async function grown(files: SnakePorts['files'], runs: string, base: string, record: FlowRecord, events: readonly FlowEvent[]): Promise<FlowRecord> {
  const next = decideFlow(record.workflow, events);
  const number = String(events.filter(({ kind }) => kind === 'step-ended').length + 1).padStart(2, '0');
  const own = record.run?.startsWith(`${basename(base)}/`) === true ? record.run : undefined;
  const run = next.kind === 'step' ? join(basename(base), 'steps', `${number}-${next.step}${next.round > 1 ? `-r${next.round}` : ''}${next.seat > 0 ? `.${next.seat + 1}` : ''}`) : (own ?? join(basename(base), 'steps', `${number}-${next.kind}`));
  await files.makeDir(join(runs, run));
  await writeFeedback(files, runs, record.handed, events);
  return { ...record, events, next, run };
}

const FEEDBACK_BYTES = 64 * 1024;

/** iter-NNN.md and latest.md: made from the events each time, so that a crash in between leaves out none. */
async function writeFeedback(files: SnakePorts['files'], runs: string, handed: string, events: readonly FlowEvent[]): Promise<void> {
  const round = roundsOf(events).at(-1);
  if (round?.number === undefined) return;
  const texts: string[] = [];
  for (const { run, message } of round.reviews) texts.push((await files.read(join(runs, run, RUN_FILES.feedback), FEEDBACK_BYTES)) ?? message);
  const text = feedbackText(round, texts);
  await files.makeDir(handed);
  await files.write(join(handed, iterFile(round.number)), text);
  await files.write(join(handed, 'latest.md'), text);
}

/** Something happened in the workflow of a claim: one atomic write says it, and what follows. */
export async function tellFlow({ files, clock }: SnakePorts, { layout }: SnakeSetting, claim: Claim, record: FlowRecord, event: FlowEvent): Promise<FlowNext> {
  const base = runDirOf(layout, claim.name);
  const next = await grown(files, dirname(base), base, { ...record, at: clock.wallMs() }, [...record.events, event]);
  await files.write(join(base, RUN_FILES.workflow), `${JSON.stringify(next)}\n`);
  return next.next;
}

/** Where the steps work is known once the first is prepared, and kept from then on. */
export async function keepWorkspace({ files }: SnakePorts, { layout }: SnakeSetting, claim: Claim, record: FlowRecord, workspace: string): Promise<void> {
  if (record.workspace !== workspace) await files.write(join(runDirOf(layout, claim.name), RUN_FILES.workflow), `${JSON.stringify({ ...record, workspace })}\n`);
}

/** The step that a record stands at. */
export const stepAt = (record: FlowRecord): StepSpec | undefined => (record.next.kind === 'step' ? stepOf(record.workflow.nodes, record.next.step) : undefined);

/** A run directory as the events name it: below the runs of its task. */
export const runName = (base: string, dir: string): string => relative(dirname(base), dir);

/** The account of the last session that may have written. */
export function authorOf(record: FlowRecord | undefined): string | undefined {
  const writes = (end: FlowEvent): boolean => end.kind === 'step-ended' && stepOf(record?.workflow.nodes ?? [], end.step)?.rights === 'write';
  const last = record?.events.findLast(writes);
  return last?.kind === 'step-ended' ? last.account : undefined;
}
