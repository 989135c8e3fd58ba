import { unreachable } from '../../lib/unreachable.js';
import type { DeferralReason, Outcome } from '../../protocol/judge.js';
import type { AgentProfile } from '../profile.js';

/** What the end of an attempt says of its account. */
export type Sign =
  | { readonly kind: 'limited'; readonly reason: DeferralReason; readonly evidence: string; readonly resetAt: number | undefined }
  | { readonly kind: 'worked'; readonly evidence: string }
  | { readonly kind: 'broken'; readonly evidence: string }
  | { readonly kind: 'none' };

export interface EndFacts {
  /** From its launch to its end, milliseconds. */
  readonly lifeMs: number;
  /** Its model's last message, as the program's records have it. */
  readonly answer: string | undefined;
  /** The wrapper's status; undefined: none was recorded. */
  readonly code: number | undefined;
  /** Its output is plain: nothing is known of what it did. */
  readonly plain: boolean;
}

/** A model's first answer takes seconds after a start that takes seconds: what ends sooner, and badly, has hardly begun. */
const SOON_MS = 20_000;
/** The shell could not run it, or its directory was not there (the wrapper's own status). */
const NOT_RUN: ReadonlySet<number> = new Set([72, 126, 127]);

/** A task's own script runs on no account. */
export const hasAccount = (profile: Pick<AgentProfile, 'headless'>, mode: 'headless' | 'interactive'): boolean => !(mode === 'headless' && profile.headless?.prompt === 'blocks');

/**
 * Pure, total. "worked" needs what only an answer of the model brings about; "broken", that there was none, and an end that no task
 * is to blame for. A program of plain output that fails may well have worked: it is broken only where it could not be run.
 */
export function signOf(outcome: Outcome, facts: EndFacts): Sign {
  switch (outcome.kind) {
    case 'done':
      return { kind: 'worked', evidence: 'its task is done' };
    case 'deferred':
      return { kind: 'limited', reason: outcome.reason, evidence: outcome.detail, resetAt: outcome.resetAt };
    case 'sent-back':
      return { kind: 'worked', evidence: 'its work was good, and is to be joined with what others did' };
    case 'lost':
    case 'released':
    case 'not-set-up':
      return { kind: 'none' };
    // A dialog may come up before the model was asked anything.
    case 'parked':
      return outcome.reason === 'dialog' || outcome.reason === 'setup' ? { kind: 'none' } : { kind: 'worked', evidence: `it asks a person: ${outcome.reason}` };
    case 'failed':
      return ofFailure(outcome, facts);
    default:
      return unreachable(outcome);
  }
}

function ofFailure({ reason, detail }: Extract<Outcome, { kind: 'failed' }>, facts: EndFacts): Sign {
  const answered: Sign = (facts.answer ?? '').trim() === '' ? { kind: 'none' } : { kind: 'worked', evidence: `it answered, and ended in ${reason}` };
  const broken: Sign = { kind: 'broken', evidence: `${reason}: ${detail}` };
  switch (reason) {
    case 'startup-stall':
      return broken;
    case 'agent-crashed':
    case 'exit-status':
    case 'no-signal': {
      if (answered.kind === 'worked') return answered;
      if (facts.code !== undefined && NOT_RUN.has(facts.code)) return broken;
      return !facts.plain && facts.code !== undefined && (reason === 'agent-crashed' || facts.lifeMs < SOON_MS) ? broken : answered;
    }
    // An error's text may stand where answers do.
    case 'agent-error':
      return facts.lifeMs < SOON_MS && !facts.plain ? broken : { kind: 'none' };
    case 'said-fail':
    case 'verify-failed':
    case 'left-workspace':
    case 'no-change':
    case 'policy-violation':
      return { kind: 'worked', evidence: `it ended in ${reason}` };
    case 'timeout':
    case 'stalled':
    case 'blocked':
    case 'context-exhausted':
    case 'bad-result':
      return answered;
    case 'cancelled':
    case 'unworkable':
    case 'needs-failed-task':
    case 'workspace-failed':
    case 'lost-too-often':
    case 'step-broken':
    case 'children-failed':
    case 'review-exhausted':
    case 'review-rejected':
    case 'rejected':
      return { kind: 'none' };
    default:
      return unreachable(reason);
  }
}
