import type { Candidate, MergeEnd, MergeMode } from '../protocol/merging.js';
import type { VerifyRun } from '../protocol/records.js';

/*
 * One merge, from whatever was left of it. Each look at the facts gives the next step; nothing is remembered:
 *
 *   found ─► build ─► check ─► swap ─► end: merged
 *              ▲                 │
 *              └─────────────────┘ the target was moved by somebody else
 *
 *   end: nothing, violation, conflict, checks-failed, blocked        the target stays where it is
 *   give-up: the claim is no longer ours                             nothing is recorded
 *
 * `build` makes a commit that no branch has, and records it; `swap` moves the target's ref from exactly where that commit was made for.
 * Killed in between, the successor looks whether the recorded commit lies in the target's history: then it was merged.
 */

/** What is known at one look. */
export interface MergeView {
  readonly mode: Exclude<MergeMode, 'none' | 'pull-request'>;
  /** Did the heartbeat find the claim under our name? */
  readonly held: boolean;
  /** The target branch. */
  readonly into: string;
  /** It is snakepit's own integration branch, which is made where it is missing. */
  readonly own: boolean;
  /** Undefined: there is no such branch. */
  readonly tip: string | undefined;
  /** A checkout in which the target stands, or is in the middle of a rebase or bisect: moving it would pull the ground from under somebody's feet. */
  readonly occupied: { readonly path: string; readonly how: string } | undefined;
  /** Where the task's branch stands. */
  readonly head: string;
  /** Its branch differs from its base. */
  readonly changed: boolean;
  /** All of the task's branch lies in the target's history. */
  readonly headLanded: boolean;
  readonly candidate: Candidate | undefined;
  /** The candidate's commit lies in the target's history. */
  readonly candidateLanded: boolean;
  /** The checks on the candidate's tree; undefined: not run on this one. "none": the task has none. */
  readonly checks: readonly VerifyRun[] | 'none' | undefined;
}

/** The next step, with the rule that chose it. */
export type MergeStep =
  | { readonly kind: 'give-up'; readonly rule: string }
  | { readonly kind: 'found'; readonly rule: string }
  | { readonly kind: 'build'; readonly onto: string; readonly rule: string }
  | { readonly kind: 'check'; readonly commit: string; readonly rule: string }
  | { readonly kind: 'swap'; readonly from: string; readonly to: string; readonly rule: string }
  | { readonly kind: 'end'; readonly end: MergeEnd; readonly rule: string };
