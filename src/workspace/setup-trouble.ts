import type { Config } from '../config/config.js';
import { formatDuration } from '../lib/duration.js';
import type { Files } from '../lib/files.js';
import { show } from '../lib/text.js';
import { backoffMs } from '../protocol/judge.js';
import type { Layout } from '../protocol/layout.js';
import { parseJson } from '../protocol/records.js';
import { commandsKey } from './setup.js';

/*
 * Set-up commands that fail do so for every task, or for one whose base is broken. So the whole pit waits between two tries, no attempt
 * is spent, and only a task that fails while others do not is parked for a person.
 */

/** Of one set of commands, since they last went well. */
export interface Trouble {
  readonly commands: readonly string[];
  readonly failures: number;
  /** Whose they were, each once, the latest last. */
  readonly tasks: readonly string[];
  /** Wall clock, milliseconds: of the first of these failures; before the other nobody tries. */
  readonly since: number;
  readonly until: number;
  /** How it ended last, and where its output lies, below the pit's directory. */
  readonly evidence: string;
  readonly log: string;
}

interface Record1 {
  readonly v: 1;
  readonly sets: Readonly<Record<string, Trouble>>;
}

export type SetupVerdict = { readonly kind: 'wait'; readonly waitMs: number; readonly rule: string } | { readonly kind: 'park'; readonly rule: string };

/** After so many failures in a row a task that is alone with them asks a person. */
export const SETUP_TRIES = 3;

/** No more names than that are kept: one other is enough to know. */
const MOST_TASKS = 50;

/** Pure and total. `own`: how often in a row it failed for this task; `trouble`: with this failure in it. */
export function decideSetupFailure(policy: { readonly backoff: Config['backoff'] }, id: string, own: number, trouble: Pick<Trouble, 'failures' | 'tasks'>): SetupVerdict {
  const others = trouble.tasks.filter((one) => one !== id).length;
  if (own >= SETUP_TRIES && others === 0) return { kind: 'park', rule: `its set-up failed ${own} times, and no other task's did` };
  const nth = Math.max(own, trouble.failures);
  return { kind: 'wait', waitMs: backoffMs({ ...policy, attempts: 0, losses: 0, deferrals: 0, asks: 0 }, nth), rule: others === 0 ? `its set-up failed, time number ${own}` : `set-up fails for others too, ${trouble.failures} times in a row` };
}

/** Trouble with one failure more; `waitMs` is set by whoever decides. */
export function withFailure(before: Trouble | undefined, commands: readonly string[], id: string, evidence: string, log: string, nowMs: number): Trouble {
  const tasks = [...(before?.tasks ?? []).filter((one) => one !== id), id].slice(-MOST_TASKS);
  return { commands, failures: (before?.failures ?? 0) + 1, tasks, since: before?.since ?? nowMs, until: nowMs, evidence, log };
}

export async function readTroubles(files: Files, layout: Layout): Promise<Readonly<Record<string, Trouble>>> {
  const record = parseJson<Record1>(await files.read(layout.setupTrouble));
  return record?.v === 1 ? record.sets : {};
}

/** Two that write at once may lose one failure: it is counted at the next. `undefined`: it went well. */
export async function tellTrouble(files: Files, layout: Layout, commands: readonly string[], trouble: Trouble | undefined): Promise<void> {
  const { [commandsKey(commands)]: before, ...others } = await readTroubles(files, layout);
  if (trouble === undefined && before === undefined) return;
  await files.write(layout.setupTrouble, `${JSON.stringify({ v: 1, sets: trouble === undefined ? others : { ...others, [commandsKey(commands)]: trouble } } satisfies Record1)}\n`);
}

/** The same in one line, for a person. */
export function troubleWords({ failures, since, until, evidence, log }: Trouble, nowMs: number): string {
  const next = until > nowMs ? `tried again in ${formatDuration(until - nowMs)}` : 'the next task tries it again';
  return `set-up fails (${failures} time${failures === 1 ? '' : 's'} since ${new Date(since).toISOString()}): ${show(evidence, 200)}; its output: ${show(log)}; ${next}`;
}
