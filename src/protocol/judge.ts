import { unreachable } from '../lib/unreachable.js';
import type { AgentState } from './agent-state.js';
import type { Counters } from './names.js';
import type { ExitRecord, ResultRecord, StopReason, VerifyRun } from './records.js';
import type { AskPolicy } from './task.js';

/** Everything that decides how an attempt ended. Facts only: files, exit records, commands that we ran. */
export interface AttemptFacts {
  readonly stop: StopReason | undefined;
  readonly exit: ExitRecord | undefined;
  readonly result: ResultRecord | undefined;
  /** undefined: not run (yet, or there is none). */
  readonly verify: readonly VerifyRun[] | undefined;
  readonly timeoutMs: number;
  /** What the agent program's own records say of its end; undefined for programs that leave none. */
  readonly agent?: AgentState | undefined;
  /** The last structured message of a program that leaves records. */
  readonly answer?: string | undefined;
  /** An interactive session does not count as done until it says so. */
  readonly mustSignal?: boolean;
  /** When it asks a person; undefined: it has failed. */
  readonly ask?: AskPolicy | undefined;
  /** What of the task's budget is used up, in words. */
  readonly spent?: string | undefined;
  /** How often the task has asked before. */
  readonly asked?: number | undefined;
}

export type FailureReason =
  | 'exit-status' | 'timeout' | 'said-fail' | 'bad-result' | 'verify-failed'
  | 'cancelled' | 'unworkable' | 'needs-failed-task' | 'lost-too-often'
  | 'workspace-failed' | 'left-workspace' | 'policy-violation' | 'no-change' | 'startup-stall' | 'stalled' | 'no-signal' | 'blocked' | 'context-exhausted' | 'agent-error' | 'agent-crashed'
  | 'step-broken' | 'children-failed' | 'review-exhausted' | 'review-rejected' | 'rejected';

/** Limits of the provider, not of the task: no attempt is spent on them. "failing": its program shows no sign of work, whatever the task. */
export type DeferralReason = 'usage-limited' | 'rate-limited' | 'auth-failed' | 'failing';

/** What a parked task waits for a person with. "asked": its session said so (`snakepit ask`), `detail` is its question; "review": the rounds of its workflow are used up; "merge": its branch cannot go where it should; "rejected": a person does not take what is done, and says why; "budget": the task's tokens, money or minutes are used up; "setup": its worktree cannot be made ready. */
export type ParkReason = 'permission' | 'dialog' | 'question' | 'asked' | 'review' | 'merge' | 'rejected' | 'budget' | 'setup';

/** The work is good, and cannot be joined with what others did meanwhile. */
export type SentBackReason = 'merge-conflict' | 'merge-checks';

/** The tasks that one waits for, and when they were looked at: wall clock, milliseconds. */
export interface WaitsFor {
  readonly ids: readonly string[];
  readonly at: number;
}

/** How one attempt ended. `final` failures are not tried again. */
export type Outcome =
  | { readonly kind: 'done'; readonly message: string }
  | { readonly kind: 'failed'; readonly reason: FailureReason; readonly detail: string; readonly final: boolean }
  | { readonly kind: 'lost'; readonly detail: string }
  /** Given back with no fault of its own. `children`: it goes on when these are done. */
  | { readonly kind: 'released'; readonly detail: string; readonly children?: WaitsFor }
  /** `resetAt`: wall clock, milliseconds, where the program gave it. */
  | { readonly kind: 'deferred'; readonly reason: DeferralReason; readonly detail: string; readonly resetAt: number | undefined }
  /** The commands that make its worktree ready failed, and no session was started. `waitMs`: until it is tried again. */
  | { readonly kind: 'not-set-up'; readonly detail: string; readonly waitMs: number }
  /** Back to its author, in the same worktree: no failure of its own. */
  | { readonly kind: 'sent-back'; readonly reason: SentBackReason; readonly detail: string }
  /** It waits in needs/ for a person. `nth`: how often the task has asked, this time included; 0 where that is no question of its own. */
  | { readonly kind: 'parked'; readonly reason: ParkReason; readonly detail: string; readonly nth: number };

/**
 * The judge: facts → outcome. Total, pure. Precedence: our own reason for ending the session; then the exit record, whose
 * absence means that the session vanished; then what the session said; then what the program's own records say, and its exit
 * status; then what was checked. A message on the screen is never a fact. What a session died of when its terminal was taken
 * from it is not its own failure.
 */
export function judge(facts: AttemptFacts): Outcome {
  const outcome = verdict(facts);
  const cut = facts.stop === undefined && facts.exit?.hungUp === true && facts.result === undefined;
  const endedByThat = outcome.kind === 'parked' || (outcome.kind === 'failed' && outcome.reason !== 'verify-failed');
  return cut && endedByThat ? { kind: 'lost', detail: 'its terminal was hung up: the tmux server or its session there was killed' } : outcome;
}

function verdict(facts: AttemptFacts): Outcome {
  const { stop, exit, result, verify } = facts;
  const failed = (reason: FailureReason, detail: string, final = false): Outcome => ({ kind: 'failed', reason, detail, final });
  if (stop === 'cancelled') return failed('cancelled', 'a person cancelled it', true);
  if (stop === 'released') return { kind: 'released', detail: 'the pit went down while it ran' };
  if (stop === 'timeout') return failed('timeout', `it ran longer than its timeout of ${Math.round(facts.timeoutMs / 1000)} s`);
  if (stop === 'startup-stall') return failed('startup-stall', 'it was started, and did nothing');
  if (stop === 'stalled') return failed('stalled', 'it fell silent, and stayed silent');
  if (stop === 'unsignalled') return failed('no-signal', 'its turn ended, and it never said whether the task is done');
  if (stop === 'task-budget' && result === undefined) return { kind: 'parked', reason: 'budget', detail: facts.spent ?? 'the budget of the task is spent', nth: 0 };
  if (stop === undefined && exit === undefined) return { kind: 'lost', detail: 'the session vanished without an exit record' };
  if (result?.kind === 'fail') return failed('said-fail', result.message === '' ? 'the session said that it failed' : result.message, result.final);
  if (result?.kind === 'malformed') return failed('bad-result', result.why);
  if (result?.kind === 'ask') return facts.ask === undefined || facts.ask === 'fail' ? failed('blocked', `it asks a person: ${result.message}`) : { kind: 'parked', reason: 'asked', detail: result.message, nth: (facts.asked ?? 0) + 1 };
  const ended = result === undefined || stop === 'observed' ? afterAgent(facts) : undefined;
  if (ended !== undefined) return ended;
  if (stop !== undefined && result === undefined) return failed('no-signal', 'it was ended, and had not said whether the task is done');
  if (stop === undefined && exit !== undefined && exit.code !== 0) return failed('exit-status', describeExit(exit.code));
  if (facts.mustSignal === true && result === undefined) return failed('no-signal', 'it ended without saying whether the task is done');
  const bad = verify?.find((run) => run.code !== 0);
  if (bad !== undefined) return failed('verify-failed', `verify: ${bad.command} ended with status ${bad.code}`);
  return { kind: 'done', message: result?.message || (facts.answer ?? '') };
}

/** What the program's records say, where that decides: undefined for one that ended its turn well, or says nothing. */
function afterAgent({ agent, exit, result, ask, asked }: AttemptFacts): Outcome | undefined {
  if (agent === undefined) return undefined;
  const detail = `${agent.rule}: ${agent.evidence}`.slice(0, 600);
  const failed = (reason: FailureReason): Outcome => ({ kind: 'failed', reason, detail, final: false });
  // Whoever said how it ended has nothing to ask.
  const asks = (reason: ParkReason): Outcome => (ask === undefined || ask === 'fail' || result !== undefined ? failed('blocked') : { kind: 'parked', reason, detail, nth: (asked ?? 0) + 1 });
  switch (agent.kind) {
    case 'usage-limited':
    case 'rate-limited':
    case 'auth-failed':
      return { kind: 'deferred', reason: agent.kind, detail, resetAt: agent.resetAt };
    case 'session-lost':
      return { kind: 'lost', detail };
    case 'context-exhausted':
      return failed('context-exhausted');
    case 'blocked-on-permission':
      return asks('permission');
    case 'blocked-on-dialog':
      return asks('dialog');
    case 'waiting-for-input':
      return asks('question');
    case 'errored':
    case 'retrying':
      return failed('agent-error');
    case 'crashed':
      return exit !== undefined && exit.code !== 0 && agent.source === 'exit' ? undefined : failed('agent-crashed');
    case 'starting':
    case 'working':
    case 'idle':
    case 'finished':
    case 'exited':
    case 'unknown':
      return undefined;
    default:
      return unreachable(agent.kind);
  }
}

/** Whether verification is still owed before the judge may be asked: only a session that ended well is checked. */
export function owesVerify(facts: AttemptFacts, commands: readonly string[]): boolean {
  return commands.length > 0 && facts.verify === undefined && judge(facts).kind === 'done';
}

const SIGNALS: Readonly<Record<number, string>> = { 1: 'HUP', 2: 'INT', 3: 'QUIT', 4: 'ILL', 6: 'ABRT', 8: 'FPE', 9: 'KILL', 11: 'SEGV', 13: 'PIPE', 14: 'ALRM', 15: 'TERM', 24: 'XCPU', 25: 'XFSZ' };

/** A shell reports a signal as 128 plus its number; a program that exits with such a status by itself looks the same. */
export function describeExit(code: number): string {
  const signal = code > 128 ? SIGNALS[code - 128] : undefined;
  return signal === undefined ? `it exited with status ${code}` : `it was ended by signal ${signal} (status ${code})`;
}

/** Limits of one task: its own, else the configuration's. */
export interface RetryPolicy {
  readonly attempts: number;
  readonly losses: number;
  readonly deferrals: number;
  /** How often a task may ask a person. */
  readonly asks: number;
  readonly backoff: { readonly firstMs: number; readonly factor: number; readonly maxMs: number };
}

/** Where a task goes after an attempt, and with which counters. */
export type Next =
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly counters: Counters; readonly why: string }
  | { readonly kind: 'again'; readonly counters: Counters; readonly waitMs: number; readonly why: string; readonly children?: WaitsFor }
  | { readonly kind: 'parked'; readonly counters: Counters; readonly why: string };

/** Not the end of its task: a cancel that came before it was settled still counts. */
export const goesOn = (next: Next): boolean => next.kind === 'again' || next.kind === 'parked';

/** Outcome and counters → next place. Every outcome but "done" moves exactly one counter, so counts always bring a task to an end. */
export function afterAttempt(policy: RetryPolicy, counters: Counters, outcome: Outcome): Next {
  switch (outcome.kind) {
    case 'done':
      return { kind: 'done' };
    case 'failed': {
      const next = { ...counters, failures: counters.failures + 1 };
      if (outcome.final) return { kind: 'failed', counters: next, why: `${outcome.reason}: ${outcome.detail}` };
      if (next.failures >= policy.attempts) return { kind: 'failed', counters: next, why: `${outcome.reason}: ${outcome.detail} (${next.failures} of ${policy.attempts} attempts)` };
      return { kind: 'again', counters: next, waitMs: backoffMs(policy, next.failures), why: `${outcome.reason}: ${outcome.detail}` };
    }
    case 'lost': {
      const next = { ...counters, losses: counters.losses + 1 };
      if (next.losses >= policy.losses) return { kind: 'failed', counters: next, why: `lost-too-often: its worker or session vanished ${next.losses} times; ${outcome.detail}` };
      return { kind: 'again', counters: next, waitMs: 0, why: outcome.detail };
    }
    case 'released':
      return { kind: 'again', counters: { ...counters, deferrals: counters.deferrals + 1 }, waitMs: 0, why: outcome.detail, ...(outcome.children === undefined ? {} : { children: outcome.children }) };
    case 'not-set-up': {
      const next = { ...counters, deferrals: counters.deferrals + 1 };
      const why = `setup-failed: ${outcome.detail}`;
      if (next.deferrals >= policy.deferrals) return { kind: 'failed', counters: next, why: `deferred-too-often: ${next.deferrals} times; ${why}` };
      return { kind: 'again', counters: next, waitMs: outcome.waitMs, why };
    }
    case 'sent-back':
      return { kind: 'again', waitMs: 0, counters: { ...counters, deferrals: 1 + counters.deferrals }, why: `${outcome.reason}: ${outcome.detail}` };
    case 'deferred': {
      const next = { ...counters, deferrals: counters.deferrals + 1 };
      const why = `${outcome.reason}: ${outcome.detail}`;
      if (next.deferrals >= policy.deferrals) return { kind: 'failed', counters: next, why: `deferred-too-often: ${next.deferrals} times; ${why}` };
      // How long is the breaker's business: it is asked before the next attempt, which may be another agent's.
      return { kind: 'again', counters: next, waitMs: 0, why };
    }
    case 'parked': {
      const next = { ...counters, deferrals: counters.deferrals + 1 };
      const why = `${outcome.reason}: ${outcome.detail}`;
      return outcome.nth > policy.asks ? { kind: 'failed', counters: next, why: `asked-too-often: ${outcome.nth} times; ${why}` } : { kind: 'parked', counters: next, why };
    }
    default:
      return unreachable(outcome);
  }
}

/** first × factor^(n-1), at most max. Not jittered: one task's retries wait for nobody else's. */
export function backoffMs(policy: RetryPolicy, failures: number): number {
  const { firstMs, factor, maxMs } = policy.backoff;
  if (firstMs === 0) return 0;
  return Math.min(maxMs, Math.round(firstMs * factor ** Math.max(0, failures - 1)));
}
