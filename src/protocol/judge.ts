import { unreachable } from '../lib/unreachable.js';
import type { Counters } from './names.js';
import type { ExitRecord, ResultRecord, StopReason, VerifyRun } from './records.js';

/** Everything that decides how an attempt ended. Facts only: files, exit records, commands that we ran. */
export interface AttemptFacts {
  readonly stop: StopReason | undefined;
  readonly exit: ExitRecord | undefined;
  readonly result: ResultRecord | undefined;
  /** undefined: not run (yet, or there is none). */
  readonly verify: readonly VerifyRun[] | undefined;
  readonly timeoutMs: number;
}

export type FailureReason =
  | 'exit-status' | 'timeout' | 'said-fail' | 'bad-result' | 'verify-failed'
  | 'cancelled' | 'unworkable' | 'needs-failed-task' | 'lost-too-often';

/** How one attempt ended. `final` failures are not tried again. */
export type Outcome =
  | { readonly kind: 'done'; readonly message: string }
  | { readonly kind: 'failed'; readonly reason: FailureReason; readonly detail: string; readonly final: boolean }
  | { readonly kind: 'lost'; readonly detail: string }
  | { readonly kind: 'released'; readonly detail: string };

/**
 * The judge: facts → outcome. Total, pure. Precedence: our own reason for ending the session; then the exit record, whose
 * absence means that the session vanished; then what the session said; then what was checked. A message on the screen is never a fact.
 */
export function judge(facts: AttemptFacts): Outcome {
  const { stop, exit, result, verify } = facts;
  const failed = (reason: FailureReason, detail: string, final = false): Outcome => ({ kind: 'failed', reason, detail, final });
  if (stop === 'cancelled') return failed('cancelled', 'a person cancelled it', true);
  if (stop === 'released') return { kind: 'released', detail: 'the pit went down while it ran' };
  if (stop === 'timeout') return failed('timeout', `it ran longer than its timeout of ${Math.round(facts.timeoutMs / 1000)} s`);
  if (exit === undefined) return { kind: 'lost', detail: 'the session vanished without an exit record' };
  if (result?.kind === 'fail') return failed('said-fail', result.message === '' ? 'the session said that it failed' : result.message, result.final);
  if (result?.kind === 'malformed') return failed('bad-result', result.why);
  if (exit.code !== 0) return failed('exit-status', describeExit(exit.code));
  const bad = verify?.find((run) => run.code !== 0);
  if (bad !== undefined) return failed('verify-failed', `verify: ${bad.command} ended with status ${bad.code}`);
  return { kind: 'done', message: result?.message ?? '' };
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
  readonly backoff: { readonly firstMs: number; readonly factor: number; readonly maxMs: number };
}

/** Where a task goes after an attempt, and with which counters. */
export type Next =
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly counters: Counters; readonly why: string }
  | { readonly kind: 'again'; readonly counters: Counters; readonly waitMs: number; readonly why: string };

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
      return { kind: 'again', counters: { ...counters, deferrals: counters.deferrals + 1 }, waitMs: 0, why: outcome.detail };
    default:
      return unreachable(outcome);
  }
}

/** first × factor^(n-1), at most max. Not jittered: one task's retries wait for nobody else's. */
export function backoffMs(policy: RetryPolicy, failures: number): number {
  const { firstMs, factor, maxMs } = policy.backoff;
  return Math.min(maxMs, Math.round(firstMs * factor ** Math.max(0, failures - 1)));
}
