import { join } from 'node:path';
import type { Files } from '../lib/files.js';
import { writerOf } from '../lib/temporary.js';
import type { Layout } from '../protocol/layout.js';
import { attemptOf, type ClaimName } from '../protocol/names.js';
import { RUN_FILES, parseJson, type AgentRecord, type AttemptRecord, type Changes } from '../protocol/records.js';
import type { MergeEnd } from '../protocol/merging.js';
import type { Next, Outcome } from '../protocol/judge.js';
import { lastSessionDir } from './flow-record.js';

/** How one attempt ended, written before its claim is settled: what whoever comes next rolls forward from. */
export interface OutcomeRecord {
  readonly marker: string;
  readonly attempt: number;
  readonly agent: string;
  readonly startedAt: number | undefined;
  readonly endedAt: number;
  readonly outcome: Outcome;
  /** What it made of its branch, where it had one. */
  readonly changes?: Changes;
  /** What became of its branch, where it ended well. */
  readonly merge?: MergeEnd;
  readonly next: Next;
  /** Where in its workflow it ended. */
  readonly step?: { readonly id: string; readonly round: number };
}

/** `<attempt>-<nonce>`: of its own for each attempt, also after a retry by hand set the counters back. */
export function runDirOf(layout: Layout, name: Pick<ClaimName, 'id' | 'counters' | 'nonce'>): string {
  return join(layout.runs, name.id, `${String(attemptOf(name.counters)).padStart(3, '0')}-${name.nonce}`);
}

export async function readAttempt(files: Files, dir: string): Promise<AttemptRecord | undefined> {
  return parseJson<AttemptRecord>(await files.read(join(dir, RUN_FILES.attempt)));
}

/** What was last seen of its program, at its end or, before that, by the pit; undefined while nothing was. */
export async function readAgent(files: Files, dir: string): Promise<AgentRecord | undefined> {
  return parseJson<AgentRecord>(await files.read(join(dir, RUN_FILES.agentEnd))) ?? parseJson<AgentRecord>(await files.read(join(dir, RUN_FILES.agent)));
}

/**
 * The launcher holds its session's keys and deletes itself when it is let in. Where it never was, or a snake died while writing
 * it, whoever ends the attempt removes it: after `started` is taken, or the claim fenced, so that it can come to nothing.
 */
export async function removeLauncher(files: Files, dir: string): Promise<void> {
  for (const name of await files.list(dir)) if (name === RUN_FILES.launcher || (name.startsWith(`.${RUN_FILES.launcher}.`) && writerOf(name) !== undefined)) await files.remove(join(dir, name));
}

export async function readOutcome(files: Files, dir: string): Promise<OutcomeRecord | undefined> {
  return parseJson<OutcomeRecord>(await files.read(join(dir, RUN_FILES.outcome)));
}

export async function writeOutcome(files: Files, dir: string, record: OutcomeRecord): Promise<void> {
  await files.makeDir(dir);
  await files.write(join(dir, RUN_FILES.outcome), `${JSON.stringify(record)}\n`);
}

/** Attempts of a task that have ended. */
export type PastAttempt = {
  readonly dir: string;
  /** The directory of its session; of its last one, where it had several. */
  readonly run: string;
  readonly record: OutcomeRecord;
};

/** All attempts of a task that have ended, oldest first. */
export async function pastAttempts(files: Files, layout: Layout, id: string): Promise<PastAttempt[]> {
  const found: PastAttempt[] = [];
  for (const name of await files.list(join(layout.runs, id))) {
    if (!/^\d{3,}-[0-9a-z]{10}$/.test(name)) continue;
    const dir = join(layout.runs, id, name);
    const record = await readOutcome(files, dir);
    if (record !== undefined) found.push({ dir, run: await lastSessionDir(files, dir), record });
  }
  return found.sort((a, b) => a.record.endedAt - b.record.endedAt || a.record.attempt - b.record.attempt);
}

/** Of these, the ones since the counters last began at nought and before attempt `upTo`: numbers go up within such a life. One that ended in stuck/ bears the number of the next. */
export function sameLife(attempts: readonly PastAttempt[], upTo: number): PastAttempt[] {
  const life: PastAttempt[] = [];
  let bound = upTo;
  for (const one of attempts.toReversed()) {
    const { attempt } = one.record;
    if (attempt >= bound && life.length > 0) break;
    if (attempt >= bound) continue;
    life.unshift(one);
    bound = attempt;
  }
  return life;
}
