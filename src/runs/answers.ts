import { join } from 'node:path';
import type { Files } from '../lib/files.js';
import type { Layout } from '../protocol/layout.js';
import { parseJson, RUN_FILES, type Asked, type AskRecord } from '../protocol/records.js';
import { pastAttempts, readAgent, readAttempt, sameLife, type PastAttempt } from './run-dir.js';

/** Of one question, as it goes into a prompt: a dialog is far shorter. */
const QUESTION_CHARS = 4000;
/** Of one answer, bytes: it becomes a variable, which the kernel ends at 128 KiB. */
export const ANSWER_BYTES = 64 * 1024;

/** What a parked attempt asked: what stood on its screen or was asked in words, or what it said last, and the rule's evidence where nothing else is known. */
export interface Question {
  readonly screen: string;
  readonly message: string;
  readonly evidence: string;
}

export const isParked = ({ record }: PastAttempt): boolean => record.outcome.kind === 'parked' && record.next.kind === 'parked';

/** Its task had used up what it may. */
export const isBudgetPark = (one: PastAttempt): boolean => isParked(one) && one.record.outcome.kind === 'parked' && one.record.outcome.reason === 'budget';

/** Its worktree could not be made ready. */
const isSetupPark = (one: PastAttempt): boolean => isParked(one) && one.record.outcome.kind === 'parked' && one.record.outcome.reason === 'setup';

/** One of its sessions asked; a person's ruling over reviews, over a budget, or over its set-up, is told to none. */
const asksSession = (one: PastAttempt): boolean => isParked(one) && one.record.outcome.kind === 'parked' && one.record.outcome.reason !== 'review' && !isBudgetPark(one) && !isSetupPark(one);

/** The last of these that had a session, or ended for another reason than a budget that was spent, or a worktree that was not ready, before it began. */
export async function lastBegun(files: Files, attempts: readonly PastAttempt[]): Promise<PastAttempt | undefined> {
  for (const one of attempts.toReversed()) if ((!isBudgetPark(one) && !isSetupPark(one) && one.record.outcome.kind !== 'not-set-up') || (await readAttempt(files, one.run)) !== undefined) return one;
  return undefined;
}

/** The attempt whose question a task in needs/ waits with. */
export async function parkedAttempt(files: Files, layout: Layout, id: string): Promise<PastAttempt | undefined> {
  const last = (await pastAttempts(files, layout, id)).at(-1);
  return last !== undefined && isParked(last) ? last : undefined;
}

export async function readQuestion(files: Files, { run: dir, record }: PastAttempt): Promise<Question> {
  const asked = parseJson<AskRecord>(await files.read(join(dir, RUN_FILES.ask)));
  const agent = await readAgent(files, dir);
  const said = (agent?.answer ?? '').slice(-QUESTION_CHARS);
  if (record.outcome.kind === 'parked' && record.outcome.reason === 'asked') return { screen: record.outcome.detail, message: said, evidence: '' };
  return {
    screen: (asked !== undefined && asked.state.kind === agent?.state.kind ? asked.screen : '').slice(-QUESTION_CHARS),
    message: said,
    evidence: record.outcome.kind === 'parked' ? record.outcome.detail : '',
  };
}

/** Written before the task leaves needs/, into the run that asked: the next attempt finds it there, and no other question gets it. */
export async function writeAnswer(files: Files, asked: PastAttempt, text: string): Promise<void> {
  await files.write(join(asked.run, RUN_FILES.answer), `${text}\n`);
}

export async function readAnswer(files: Files, asked: PastAttempt): Promise<string | undefined> {
  return (await files.read(join(asked.run, RUN_FILES.answer), ANSWER_BYTES))?.trimEnd();
}

/** What a task asked, oldest first; `justNow`: the attempt right before asked. */
export interface AskedBefore {
  readonly asked: readonly Asked[];
  readonly justNow: PastAttempt | undefined;
}

/** All that a task asked before attempt `upTo`, since its counters began. */
export async function askedBefore(files: Files, layout: Layout, id: string, upTo: number): Promise<AskedBefore> {
  const life = sameLife(await pastAttempts(files, layout, id), upTo);
  const asked: Asked[] = [];
  for (const one of life) {
    if (!asksSession(one)) continue;
    const { screen, message, evidence } = await readQuestion(files, one);
    asked.push({ question: screen === '' ? [message, evidence].filter((part) => part !== '').join('\n\n') : screen, answer: await readAnswer(files, one) });
  }
  const last = await lastBegun(files, life);
  return { asked, justNow: last !== undefined && asksSession(last) ? last : undefined };
}
