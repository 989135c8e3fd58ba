import { transcriptFiles } from '../agents/glob.js';
import type { AgentProfile } from '../agents/profile.js';
import { readLines } from '../agents/read-lines.js';
import type { Files } from '../lib/files.js';
import type { Layout } from '../protocol/layout.js';
import type { AttemptRecord } from '../protocol/records.js';
import { isParked, lastBegun } from '../runs/answers.js';
import { pastAttempts, readAgent, readAttempt } from '../runs/run-dir.js';
import { readStream } from '../runs/stream.js';

/** A session that is resumed beyond this part of its context soon compacts, or fails, with the work half done. */
const NEARLY_FULL = 0.8;
const TRANSCRIPT_BYTES = 128 * 1024 * 1024;

/** A program's session that is to be gone on with, where it was worked. */
export interface Resumable {
  readonly session: string;
  readonly workspace: string;
}

/**
 * The program's session of an attempt that was interrupted from outside, on the same account: it is resumed once; and of one that
 * asked a person, or whose budget was spent, as often as that happens. After a
 * failure of its own, a switch of the account, or a second interruption it starts afresh; so does one whose context was nearly full, and a program that chose its
 * session's name itself and never said it, or whose record of the session is gone.
 */
export async function interrupted(files: Files, layout: Layout, id: string, agent: AgentProfile, account: string, mode: AttemptRecord['mode'], step?: AttemptRecord['step']): Promise<Resumable | undefined> {
  const last = await lastBegun(files, await pastAttempts(files, layout, id));
  const parked = last !== undefined && isParked(last);
  if (last === undefined || (last.record.outcome.kind !== 'lost' && last.record.outcome.kind !== 'released' && !parked)) return undefined;
  const attempt = await readAttempt(files, last.run);
  if (JSON.stringify(attempt?.step) !== JSON.stringify(step)) return undefined;
  if (attempt === undefined || (attempt.resumed && !parked) || attempt.profile !== agent.name || attempt.account !== account || attempt.mode !== mode) return undefined;
  const way = mode === 'headless' ? agent.headless : agent.interactive;
  if (way?.argv.some((part) => typeof part !== 'string' && part.if === 'resume') !== true) return undefined;
  const named = mode === 'headless' ? await readStream(files, agent, last.run, last.record.endedAt) : undefined;
  const assigned = way.argv.some((part) => (typeof part === 'string' ? part === '{session}' : part.if === 'fresh' && part.args.includes('{session}')));
  const seen = await readAgent(files, last.run);
  if ((named?.events ?? 0) === 0 && seen === undefined) return undefined;
  const session = named?.session ?? seen?.session ?? (assigned ? attempt.session : undefined);
  if (session === undefined || !(await isRecorded(files, agent, attempt.home, session))) return undefined;
  const window = (await windowIn(files, agent, attempt.home, session)) ?? named?.window ?? 0;
  return window < agent.context * NEARLY_FULL ? { session, workspace: attempt.workspace } : undefined;
}

/** How full its context was at the last request, as its transcript says. */
async function windowIn(files: Files, { transcript }: AgentProfile, home: string, session: string): Promise<number | undefined> {
  if (transcript?.kind !== 'jsonl') return undefined;
  const windows: number[] = [];
  for (const file of await transcriptFiles(files, home, transcript.glob, session)) {
    const { window } = readLines(transcript.rules, (await files.readBytes(file, TRANSCRIPT_BYTES)) ?? '', 0);
    if (window !== undefined) windows.push(window);
  }
  return windows.length === 0 ? undefined : Math.max(...windows);
}

/** Whether the program still has what it would resume. One that keeps it in a database is believed while its home stands. */
async function isRecorded(files: Files, { transcript }: AgentProfile, home: string, session: string): Promise<boolean> {
  if (transcript?.kind !== 'jsonl') return files.exists(home);
  return (await transcriptFiles(files, home, transcript.glob, session)).length > 0;
}
