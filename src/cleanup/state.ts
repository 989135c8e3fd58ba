import type { Liveness } from '../lib/processes.js';
import type { ClaimName, ReapingName } from '../protocol/names.js';

/*
 * The reaper's machine, by where the file lies:
 *
 *   claimed/ (owner dead) ──fence──► reaping/ ──end by marker, two empty scans──► ready/ · waiting/ · done/ · failed/
 *                                       │ reaper dies: adopted by rename            └ cannot be shown gone ──► stuck/
 *
 * Never on age: a live, slow or stopped owner is reported, not robbed. "unknown" is not "dead".
 */

/** Whether somebody may be expected to take a dead owner's claim up again. */
export type Successor =
  /** A live pit will start a snake of that name. */
  | 'expected'
  /** A live pit will not: the snake was scaled away or is broken. */
  | 'refused'
  /** No pit is alive: the next `up` would. */
  | 'possible';

/** "self": the process that looks began it, and failed at it: a full disk for example. It does one thing after the other, so it is not at work there now. */
export type Reaper = Liveness | 'self';

export type Suspect =
  | { readonly kind: 'claim'; readonly file: string; readonly name: ClaimName; readonly owner: Liveness; readonly sameBoot: boolean; readonly session: Liveness | 'none'; readonly beatAgeMs: number; readonly successor: Successor }
  | { readonly kind: 'reaping'; readonly file: string; readonly name: ReapingName; readonly reaper: Reaper };

export type Verdict =
  | { readonly kind: 'keep'; readonly rule: string; readonly evidence: string }
  /** Said aloud, and nothing done. */
  | { readonly kind: 'report'; readonly rule: string; readonly evidence: string }
  | { readonly kind: 'reap'; readonly rule: string; readonly evidence: string };

/** One line of the plan that a dry run prints and a run executes. */
export interface PlannedReap {
  readonly file: string;
  readonly id: string;
  readonly verdict: Verdict;
}
