import type { AgentState } from './agent-state.js';
import type { ProcessIdentity } from '../lib/processes.js';
import type { AskPolicy } from './task.js';
import type { Figures, TokenCount, TokenRecord } from './tokens.js';

/** What the wrapper writes, atomically, when the agent has ended. `code` is the shell's status: 128+n where signal n ended it. */
export interface ExitRecord {
  readonly code: number;
  readonly endedAt: number;
  /** Its terminal was hung up before it ended: the tmux server, or its session there, is gone. */
  readonly hungUp?: true;
}

/** What the session says of its own work (`snakepit done|fail|ask`, or the same file written by hand). A signal, not a proof. */
export type ResultRecord =
  /** `verdict`: as it was written, for a step that gives one. */
  | { readonly kind: 'done'; readonly message: string; readonly verdict?: unknown }
  | { readonly kind: 'fail'; readonly message: string; readonly final: boolean }
  /** It wants an answer of a person before it goes on. */
  | { readonly kind: 'ask'; readonly message: string }
  | { readonly kind: 'malformed'; readonly why: string };

/** The wrapper's first act after it was let in: which process the session is. */
export interface SessionRecord {
  readonly leader: ProcessIdentity;
}

/** Written before the session is launched, so that whoever adopts the claim knows its terms. */
export interface AttemptRecord {
  readonly marker: string;
  readonly agent: string;
  readonly attempt: number;
  readonly startedAt: number;
  /** Monotonic milliseconds and the boot they belong to: a deadline that neither sleep nor a clock jump moves. */
  readonly startedMonoMs: number;
  readonly boot: string;
  readonly timeoutMs: number;
  readonly workspace: string;
  /** True when the workspace was made for this task alone. */
  readonly privateWorkspace: boolean;
  readonly profile: string;
  readonly mode: 'headless' | 'interactive';
  /** The provider account whose limits it shares: the key of its breaker. */
  readonly account: string;
  /** It was let in to find out whether the account works again. */
  readonly probe?: true;
  /** The program's own configuration directory, and its session there. */
  readonly home: string;
  readonly session: string;
  readonly resumed: boolean;
  /** What becomes of it when it asks a person; older records have none, which is "fail". */
  readonly ask?: AskPolicy;
  /** How often the task has asked before, since its counters began. */
  readonly asksBefore?: number;
  /** Where the workspace is a git worktree: its branch, and what that started from. */
  readonly worktree?: { readonly branch: string; readonly base: string; readonly baseName: string };
  /** A resident's: it has no result, and an ended turn is its rest. */
  readonly resident?: true;
  /** The task's own cadence, milliseconds: between its wakes it rests. */
  readonly wakeMs?: number;
  /** Which step of a workflow it is, in which round and seat. */
  readonly step?: { readonly id: string; readonly round: number; readonly seat: number };
  /** It has no session: what an earlier attempt made is only checked and merged. */
  readonly onlyMerge?: true;
}

/** What an attempt in a worktree came to, by git alone. */
export interface Changes {
  readonly branch: string;
  readonly base: string;
  /** Where the branch stands. */
  readonly head: string;
  /** Of the task, all its attempts together, since its base. */
  readonly commits: number;
  readonly fileCount: number;
  /** The first hundred of them; no number of lines: a binary file. */
  readonly files: readonly { readonly path: string; readonly added?: number | undefined; readonly removed?: number | undefined }[];
  readonly added: number;
  readonly removed: number;
  /** What was not committed: nothing, made a commit by snakepit, or still there. */
  readonly leftovers: 'none' | 'committed' | 'kept';
  /** It left its branch, and what it committed elsewhere could not be brought onto it. */
  readonly strayed?: boolean;
  /** What of the project's own checkout changed while it ran. */
  readonly outside: readonly string[];
  /** No other attempt ran in that time: it was this one, or a person. */
  readonly alone: boolean;
}

/** One question of a task to a person; no `answer`: it was put back in line without words, perhaps with its text changed. */
export interface Asked {
  readonly question: string;
  readonly answer: string | undefined;
}

/** What a full-screen session asks, as the pit saw it; written before its state is, and before anything is pressed. */
export interface AskRecord {
  readonly v: 1;
  /** It asks now; false: what it asked last has gone. */
  readonly open: boolean;
  /** The state and the rule that say so; the rule is the dialog's id in the profile where one is on the screen. */
  readonly state: AgentState;
  /** The lower part of the screen, row by row, as it stood then. */
  readonly screen: string;
  /** Wall clock, milliseconds, of the last news: it was asked, a press came to something, a person was at it, or it was left. */
  readonly at: number;
  /** Presses at this dialog, oldest first: decided, and perhaps not done. */
  readonly presses: readonly { readonly at: number; readonly label: string }[];
  /** Dialogs of this session at which something was pressed. */
  readonly answered: number;
  /** Why nothing more is pressed: the question is a person's. */
  readonly left: { readonly rule: string; readonly evidence: string } | undefined;
}

/** What a session's program was seen to be in, by whoever looked last: its snake at the end, the pit while it runs. */
export interface AgentRecord {
  readonly state: AgentState;
  /** Wall clock, milliseconds, of the change to this state. */
  readonly since: number;
  /** Since when it retries, also once that counts as the limit that it meets. Wall clock, milliseconds. */
  readonly retryingSince?: number;
  /** The last structured message: the answer that the story shows. */
  readonly answer?: string;
  /** The program's session id, where it chose one itself. */
  readonly session?: string;
  /** What the attempt used, counted at its end. */
  readonly tokens?: TokenRecord;
  /** What a resumed session had used before. */
  readonly baseline?: Figures;
  /** Why that could not be counted. */
  readonly uncounted?: string;
}

/**
 * Why a session is being ended by us; the first reason stays. "signalled": it said how it ended and its turn is over; "observed":
 * its program cannot go on, see the agent record; "unsignalled": its turn ended and it never said so; "startup-stall": it never began;
 * "stalled": it fell silent; "task-budget": its task has used up what it may.
 */
export const STOP_REASONS = ['timeout', 'cancelled', 'released', 'signalled', 'observed', 'unsignalled', 'startup-stall', 'stalled', 'task-budget'] as const;
/** What the pit's watchdog decided of a session; its snake carries it out. */
export interface VerdictRecord {
  readonly reason: Extract<StopReason, 'unsignalled' | 'startup-stall' | 'stalled'>;
  readonly rule: string;
  readonly evidence: string;
  /** Wall clock, milliseconds. */
  readonly at: number;
}

/** What a session has used so far in this attempt, as its program's records say while it runs; its end is counted anew. Written by its snake. */
export interface UsageRecord {
  readonly v: 1;
  /** Wall clock, milliseconds. */
  readonly at: number;
  readonly tokens: TokenCount;
}

/** What a snake reads of the watchdog's watch.json: that its ladder stands still, and until when; or since when it no longer does. Wall clock, milliseconds. */
export interface HoldRecord {
  readonly still: boolean;
  readonly graceFrom: number;
  readonly said?: { readonly next?: { readonly at: number } | undefined } | undefined;
}

export type StopReason = (typeof STOP_REASONS)[number];

export interface VerifyRun {
  readonly command: string;
  readonly code: number;
  readonly tail: readonly string[];
}

export function parseExit(text: string | undefined): ExitRecord | undefined {
  const match = /^(\d{1,3}) (\d{9,11})( hup)?\n$/.exec(text ?? '');
  return match === null ? undefined : { code: Number(match[1]), endedAt: Number(match[2]) * 1000, ...(match[3] === undefined ? {} : { hungUp: true }) };
}

export function parseSession(text: string | undefined, boot: string): SessionRecord | undefined {
  const match = /^(\d+) (\d+)\n$/.exec(text ?? '');
  return match === null ? undefined : { leader: { pid: Number(match[1]), start: match[2] ?? '', boot } };
}

export function parseJson<T>(text: string | undefined): T | undefined {
  if (text === undefined || text === '') return undefined;
  try {
    return JSON.parse(text) as T;
  } catch {
    return undefined;
  }
}

/** Bounded and forgiving: `{"outcome":"done"|"fail"|"ask","message":…,"final":…}`; anything else is malformed and says why. */
export function parseResult(text: string | undefined): ResultRecord | undefined {
  if (text === undefined) return undefined;
  const value = parseJson<{ outcome?: unknown; message?: unknown; final?: unknown; verdict?: unknown }>(text);
  if (typeof value !== 'object' || value === null) return { kind: 'malformed', why: 'the result file is not a JSON object' };
  const message = typeof value.message === 'string' ? value.message.slice(0, 4000) : '';
  if (value.outcome === 'done') return { kind: 'done', message, ...(value.verdict === undefined ? {} : { verdict: value.verdict }) };
  if (value.outcome === 'fail') return { kind: 'fail', message, final: value.final === true };
  if (value.outcome === 'ask') return message.trim() === '' ? { kind: 'malformed', why: 'outcome is "ask", and message says no question' } : { kind: 'ask', message };
  return { kind: 'malformed', why: 'outcome is neither "done" nor "fail" nor "ask"' };
}

/** Where a session without the command writes its result, at the top of its workspace: never part of anybody's work. */
export const RESULT_FALLBACK = '.snakepit-result.json';

/** The files of one attempt under runs/<id>/<attempt>-<nonce>/, and of one step of it; see runs/steps.ts. */
export const RUN_FILES = {
  attempt: 'attempt.json',
  launcher: 'launch.sh',
  task: 'task.md',
  agent: 'agent.json',
  agentEnd: 'agent-end.json',
  watch: 'watch.json',
  verdict: 'verdict.json',
  ask: 'ask.json',
  answer: 'answer.md',
  checkout: 'checkout.json',
  changes: 'changes.json',
  stderr: 'stderr.log',
  started: 'started',
  session: 'session',
  exit: 'exit',
  result: 'result.json',
  stop: 'stop',
  cancel: 'cancel',
  setup: 'setup.log',
  verify: 'verify.json',
  merge: 'merge.json',
  outcome: 'outcome.json',
  output: 'output.log',
  notes: 'notes.jsonl',
  waitUntil: 'wait-until',
  tossed: 'tossed',
  awaits: 'awaits.json',
  never: 'never.json',
  entered: 'entered',
  counted: 'counted.json',
  workflow: 'workflow.json',
  handed: 'handed',
  treeBefore: 'tree-before.json',
  feedback: 'feedback.md',
  typing: 'typing',
  wake: 'wake.json',
  usage: 'usage.json',
  budgetTold: 'budget-told.json',
} as const;
