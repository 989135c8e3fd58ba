import type { VerifyRun } from './records.js';

/**
 * What becomes of a task's branch when its work is good. "none": it stays; "ff": only where the target has not moved on; "no-ff": a merge
 * commit; "squash": one commit; "rebase": its commits one by one; "pull-request": it is pushed and proposed, and merged by others.
 */
export const MERGE_MODES = ['none', 'ff', 'no-ff', 'squash', 'rebase', 'pull-request'] as const;
export type MergeMode = (typeof MERGE_MODES)[number];

/** A rule of `policy:` that a diff breaks. */
export interface Violation {
  readonly rule: string;
  /** Undefined: the diff as a whole. */
  readonly path: string | undefined;
  readonly detail: string;
}

/** A result of the merge that no branch shows yet: `commit` is what the target becomes if it still stands at `onto`. */
export interface Candidate {
  readonly onto: string;
  /** Where the task's branch stood. */
  readonly head: string;
  /** Undefined: it could not be made, see `conflicts`. */
  readonly commit: string | undefined;
  /** Paths that both sides changed; for "ff" also: that the target has moved on. */
  readonly conflicts: readonly string[];
  readonly violations: readonly Violation[];
}

/** How it ended for this attempt. */
export type MergeEnd =
  /** No merge is configured; the diff is as `policy:` wants it. */
  | { readonly kind: 'kept' }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'merged'; readonly into: string; readonly commit: string; readonly onto: string }
  | { readonly kind: 'violation'; readonly violations: readonly Violation[] }
  | { readonly kind: 'conflict'; readonly into: string; readonly tip: string; readonly paths: readonly string[] }
  | { readonly kind: 'checks-failed'; readonly into: string; readonly tip: string; readonly check: VerifyRun }
  /** It was pushed; `url`: its pull request; else `why` none was opened. */
  | { readonly kind: 'proposed'; readonly into: string; readonly remote: string; readonly branch: string; readonly commit: string; readonly url?: string; readonly why?: string }
  /** Only a person can go on. */
  | { readonly kind: 'blocked'; readonly into: string; readonly why: string };

/** merge.json beside the run: written before the target is moved, so that a successor knows what to look for in it. */
export interface MergeRecord {
  readonly v: 1;
  readonly into: string;
  /** Wall clock, milliseconds, since when it stands in line. */
  readonly since: number;
  /** How often git did not answer. */
  readonly tries?: number;
  readonly candidate?: Candidate;
  /** What was about to be pushed, so that it is known for the task's own where it stands at the remote. */
  readonly pushed?: string;
  readonly end?: MergeEnd;
}
