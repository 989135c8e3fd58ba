import { basename, join } from 'node:path';
import type { Files } from '../lib/files.js';
import { err, ok, type Result } from '../lib/result.js';
import { RUN_FILES } from '../protocol/records.js';
import { readAttempt } from '../runs/run-dir.js';
import { sessionDirs } from '../runs/steps.js';

/** A session of a task that has printed something, or is printing. */
export interface LoggedSession {
  readonly dir: string;
  readonly attempt: number;
  /** The directory of its step, `02-review` or `04-review-r2`; undefined: the attempt is one session. */
  readonly step: string | undefined;
  readonly agent: string | undefined;
  /** When it began, and whether it went on with an earlier one; undefined: it left no record. Wall clock, milliseconds. */
  readonly startedAt: number | undefined;
  readonly resumed: boolean;
  /** When it last printed. Wall clock, milliseconds. */
  readonly printedAt: number;
}

/** Of which attempt, of which step, all of them or the newest of them. */
export interface Which {
  readonly attempt?: number;
  readonly step?: string;
  readonly all?: boolean;
}

/** All sessions of a task, by the time of their last words; after a retry by hand a number may be there twice. */
export async function loggedSessions(files: Files, runs: string): Promise<LoggedSession[]> {
  const found: LoggedSession[] = [];
  for (const run of await files.list(runs)) {
    if (!/^\d{3,}-/.test(run)) continue;
    const base = join(runs, run);
    for (const dir of await sessionDirs(files, base).catch(() => [])) {
      const printedAt = await files.mtimeMs(join(dir, RUN_FILES.output)).catch(() => undefined);
      if (printedAt === undefined) continue;
      const record = await readAttempt(files, dir);
      found.push({ dir, attempt: Number.parseInt(run, 10), step: dir === base ? undefined : basename(dir), agent: record?.agent, startedAt: record?.startedAt, resumed: record?.resumed === true, printedAt });
    }
  }
  return found.sort((a, b) => a.printedAt - b.printedAt || a.attempt - b.attempt || (a.dir < b.dir ? -1 : 1));
}

/** A step by its name (`review`: all its rounds), its round (`review-r2`), or its directory (`04-review-r2`). */
export const isStep = (dir: string | undefined, name: string): boolean => dir !== undefined && [dir, dir.replace(/^\d+-/, ''), dir.replace(/^\d+-/, '').replace(/-r\d+$/, '')].includes(name);

/** Pure. Those that are asked for, oldest first, at least one; else why not, in words. */
export function chooseSessions(id: string, sessions: readonly LoggedSession[], { attempt, step, all }: Which): Result<readonly LoggedSession[], string> {
  if (sessions.length === 0) return err(attempt === undefined ? `${id} has printed nothing yet` : `${id} has no attempt ${attempt} that printed anything; see: snakepit show ${id}`);
  const ofAttempt = attempt === undefined ? sessions : sessions.filter((one) => one.attempt === attempt);
  if (ofAttempt.length === 0) return err(`${id} has no attempt ${attempt ?? ''} that printed anything; see: snakepit show ${id}`);
  const found = step === undefined ? ofAttempt : ofAttempt.filter((one) => isStep(one.step, step));
  if (found.length > 0) return ok(all === true ? found : found.slice(-1));
  const steps = [...new Set(ofAttempt.flatMap((one) => one.step ?? []))];
  return err(`${attempt === undefined ? id : `attempt ${attempt} of ${id}`} has no step ${step ?? ''}${steps.length === 0 ? ': it worked without a workflow' : `; there is ${steps.join(', ')}`}`);
}

/** Until when its words are its own: another one went on with the same session then. Wall clock, milliseconds. */
export const endsBefore = (sessions: readonly LoggedSession[], dir: string): number | undefined => sessions.slice(sessions.findIndex((one) => one.dir === dir) + 1).find(({ resumed }) => resumed)?.startedAt;

/** A line at the margin that begins a session where several are shown. */
export const sessionHead = ({ attempt, step, agent }: Pick<LoggedSession, 'attempt' | 'step' | 'agent'>): string => `# attempt ${attempt}${step === undefined ? '' : `, ${step}`}${agent === undefined ? '' : `: ${agent}`}`;
