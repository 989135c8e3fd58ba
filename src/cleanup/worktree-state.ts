import type { Work } from '../workspace/work.js';

/*
 * What becomes of a worktree whose task has ended:
 *
 *   work that nobody committed ──salvager──► a commit under refs/snakepit/salvage/
 *   all of it kept, keep-worktrees over, unlocked, nobody in it ──pruner──► releasing ──► released ──► its branch, once merged, deleted
 *   its link to the repository broken ──pruner──► repaired; one that is gone ──► its entry forgotten
 *   everything else ──► refused, and said why
 *
 * "unknown" is never "clean", "nobody" or "merged".
 */

/** How the directory of a worktree stands to its repository. */
export type Checkout =
  | { readonly kind: 'sound' }
  /** The directory is not there. */
  | { readonly kind: 'missing' }
  /** It is there, and git does not know it for that repository's. */
  | { readonly kind: 'broken' }
  | { readonly kind: 'unknown'; readonly why: string };

/** What the branch of a worktree that is gone is worth. "merged": another branch that is no task's contains it. */
export type BranchState = 'merged' | 'unmerged' | 'checked-out' | 'gone' | 'unknown';

/** One worktree at one look. What was not looked at is not decided by. */
export interface WorktreeFacts {
  readonly id: string;
  readonly path: string;
  readonly branch: string;
  readonly state: 'making' | 'ready' | 'releasing' | 'released';
  /** "ended": it is in done/, failed/ or the archive, or nowhere: nobody will take its work up without being told to. */
  readonly task: 'on-its-way' | 'ended';
  /** Wall clock, milliseconds, and how long ago that was. */
  readonly endedAt: number;
  readonly endedAgoMs: number;
  readonly checkout: Checkout;
  /** Why somebody locked it; may be ''. */
  readonly locked: string | undefined;
  readonly work: Work;
  /** Processes whose working directory lies in it. */
  readonly users: readonly number[] | 'unknown';
  readonly branchState: BranchState;
}

export interface PrunePolicy {
  readonly keepMs: number;
  /** More is used than the disk budget allows, and this one is among the oldest that make room. */
  readonly over: boolean;
}

/** What is to be done with one worktree. */
export interface WorktreeVerdict {
  readonly kind: 'act' | 'keep' | 'refuse';
  readonly verb: 'salvage' | 'prune' | 'repair' | 'forget' | 'drop' | 'refuse' | 'keep';
  readonly rule: string;
  readonly evidence: string;
}
