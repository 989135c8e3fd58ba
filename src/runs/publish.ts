import { dirname, join, relative } from 'node:path';
import type { Config } from '../config/config.js';
import type { PitEvent } from '../events/event.js';
import type { EventSink } from '../events/event-log.js';
import type { Files } from '../lib/files.js';
import { moneyOf, moneyWords, type Money } from '../ledger/price.js';
import { besideFullScreen, tailLines } from '../lib/text.js';
import { unreachable } from '../lib/unreachable.js';
import { isTaskFile, type Layout } from '../protocol/layout.js';
import { parseTask } from '../protocol/parse-task.js';
import { parseJson, RUN_FILES, type AgentRecord, type VerifyRun } from '../protocol/records.js';
import { readNever } from '../protocol/never.js';
import { isParked, readAnswer } from './answers.js';
import { isDecision } from './decision.js';
import { readFlow } from './flow-record.js';
import { missingQuestions, publishQuestion } from './question.js';
import { pastAttempts, readAgent, readAttempt, type OutcomeRecord } from './run-dir.js';
import { describeSteps } from './step-words.js';
import { sessionDirs } from './steps.js';
import { storyText, type StoryParts } from './story.js';
import { describeUse, sumUse } from './token-words.js';

const TAIL_LINES = 30;
const TAIL_BYTES = 64 * 1024;
const TASK_BYTES = 32 * 1024 * 1024;

/** The story of a task from the records of its attempts; the same facts give the same text, so anybody may write it again. */
export async function composeStory(files: Files, layout: Layout, state: 'done' | 'failed', id: string): Promise<string> {
  return storyText(await gatherStory(files, layout, id, join(layout.dir(state), `${id}.md`)));
}

/** All that is known of a task that was tried, ended or not. `file`: where it lies. */
export async function gatherStory(files: Files, layout: Layout, id: string, file: string): Promise<StoryParts> {
  const attempts = await pastAttempts(files, layout, id);
  const never = dirname(file) === layout.dir('failed') ? await readNever(files, layout, id) : undefined;
  const why = never !== undefined && never.at >= (attempts.at(-1)?.record.endedAt ?? 0) ? never.why : undefined;
  // What a person decided of it has no session: what was said and checked is the last attempt's.
  const tried = attempts.findLast(({ record }) => !isDecision(record)) ?? attempts.at(-1);
  const [dir, run] = [tried?.dir, tried?.run];
  // As its last attempt was given it; what was never tried, as it lies there.
  const given = dir === undefined || why !== undefined ? undefined : await files.readBytes(join(dir, RUN_FILES.task), TASK_BYTES);
  const bytes = given ?? (await files.readBytes(file, TASK_BYTES));
  const parsed = bytes === undefined ? undefined : await parseTask(bytes);
  const task = parsed?.ok === true ? parsed.value : undefined;
  const output = run === undefined ? undefined : await files.read(join(run, RUN_FILES.output));
  // Print mode prints what it says; of a full screen the last message is kept beside the run.
  const said = run !== undefined && (await readAttempt(files, run))?.mode === 'interactive' ? (await readAgent(files, run))?.answer : undefined;
  const verify = run === undefined ? undefined : parseJson<VerifyRun[]>(await files.read(join(run, RUN_FILES.verify)));
  const tokens: NonNullable<StoryParts['tokens']>[number][] = [];
  const prices = parseJson<Config>(await files.read(layout.activeConfig))?.priceLists ?? [];
  const costs: Money[][] = [];
  let notes = '';
  const steps: string[][] = [];
  const evidence: (string | undefined)[] = [];
  const answers: (string | undefined)[] = [];
  for (const attempt of attempts) {
    const runs = await sessionDirs(files, attempt.dir);
    const uses: Pick<AgentRecord, 'tokens' | 'uncounted'>[] = [];
    const cost: Money[] = [];
    const used = new Map<string, string>();
    for (const one of runs) {
      const use: Pick<AgentRecord, 'tokens' | 'uncounted'> = (await readAgent(files, one)) ?? {};
      uses.push(use);
      const money = use.tokens === undefined ? undefined : moneyOf(prices, use.tokens, (await readAttempt(files, one))?.account ?? '', attempt.record.endedAt);
      if (money !== undefined) cost.push(money);
      const words = describeUse(use);
      if (words !== undefined) used.set(relative(dirname(attempt.dir), one), [words, moneyWords(money === undefined ? [] : [money])].filter((part) => part !== undefined).join('; '));
      notes += (await files.read(join(one, RUN_FILES.notes))) ?? '';
    }
    tokens.push(sumUse(uses));
    costs.push(cost);
    const flow = await readFlow(files, attempt.dir);
    steps.push(flow === undefined ? [] : describeSteps(flow, attempt.dir, used));
    const state = (await readAgent(files, attempt.run))?.state;
    evidence.push(state === undefined || (state.kind === 'unknown' && state.source === 'none') ? undefined : `${state.kind}, by ${state.source} (${state.rule})${state.evidence === '' ? '' : `: ${state.evidence}`}`);
    answers.push(isParked(attempt) ? await readAnswer(files, attempt) : undefined);
  }
  return {
    id,
    asked: task?.spec.body ?? '',
    evidence,
    answers,
    title: task?.spec.title ?? '',
    warnings: task?.warnings ?? [],
    attempts: attempts.map((attempt) => attempt.record),
    tokens,
    steps,
    money: costs.map(moneyWords),
    cost: moneyWords(costs.flat()),
    why,
    said,
    outputTail: (said ?? '').trim() === '' ? tailLines(besideFullScreen(output ?? '').slice(-TAIL_BYTES), TAIL_LINES) : [],
    verify: verify ?? [],
    notes: notes.split('\n').flatMap((line) => {
      const text = parseJson<{ text?: unknown }>(line)?.text;
      return typeof text === 'string' ? [text] : [];
    }),
    runDir: dir === undefined ? undefined : relative(layout.root, dir),
  };
}

/** Writes `<id>.result.md` beside the settled task. After the commit, so a crash between leaves a task without its story: see below. */
export async function publishStory(files: Files, layout: Layout, state: 'done' | 'failed', id: string): Promise<void> {
  await files.write(join(layout.dir(state), `${id}.result.md`), await composeStory(files, layout, state, id));
}

/** What follows the commit: the story, where the task has ended, or the question, where it asks, and the event. */
export async function tellSettled(files: Files, events: EventSink, layout: Layout, id: string, record: OutcomeRecord): Promise<void> {
  if (record.next.kind !== 'again') await publishText(files, layout, record.next.kind, id);
  return events.emit(settledEvent(id, record));
}

const publishText = (files: Files, layout: Layout, kind: 'done' | 'failed' | 'parked', id: string): Promise<void> => (kind === 'parked' ? publishQuestion(files, layout, id) : publishStory(files, layout, kind, id));

/** A settled task whose story, or a parked one whose question, a crash right after the commit left out. */
export interface MissingText {
  readonly kind: 'done' | 'failed' | 'parked';
  readonly id: string;
}

export async function missingTexts(files: Files, layout: Layout): Promise<MissingText[]> {
  const missing: MissingText[] = (await missingQuestions(files, layout)).map((id) => ({ kind: 'parked', id }));
  for (const state of ['done', 'failed'] as const) {
    const names = await files.list(layout.dir(state));
    const stories = new Set(names.filter((name) => name.endsWith('.result.md')));
    for (const name of names) {
      if (!isTaskFile(name)) continue;
      const id = name.slice(0, -3);
      if (stories.has(`${id}.result.md`)) continue;
      missing.push({ kind: state, id });
    }
  }
  return missing;
}

/** Writes them. Their holders may be doing so this very moment, since a settle is younger than its story by milliseconds: the text is the same. */
export async function publishMissing(files: Files, layout: Layout, missing: readonly MissingText[]): Promise<void> {
  for (const { kind, id } of missing) await publishText(files, layout, kind, id);
}

/** The event of a commit. */
export function settledEvent(id: string, { marker, attempt, next }: OutcomeRecord): PitEvent {
  switch (next.kind) {
    case 'again':
      return { kind: 'task-requeued', id, marker, why: next.why, waitMs: next.waitMs };
    case 'parked':
      return { kind: 'task-parked', id, marker, attempt, why: next.why };
    case 'done':
      return { kind: 'task-done', id, marker, attempt };
    case 'failed':
      return { kind: 'task-failed', id, marker, attempt, why: next.why };
    default:
      return unreachable(next);
  }
}
