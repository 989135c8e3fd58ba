/*
 * The workspace of a task is a directory of its own, or the project itself.
 *
 *   scratch    a fresh directory below the run                       (outside a git repository)
 *   worktree   a checkout and a branch of the task's own, which its attempts share
 *                making ──► ready ──► releasing ──► released ──► making…
 *                a crash in "making" is cleared and made anew: nobody worked there; one in "releasing" is gone on with: all that lay
 *                there was shown to be kept before
 *   repo       the project's directory itself, one task at a time
 */

export const WORKSPACES = ['worktree', 'repo', 'scratch'] as const;
export type WorkspaceKind = (typeof WORKSPACES)[number];

/** What a task, or the configuration, asks for. "auto": a worktree where there is a repository with a commit, else scratch. */
export type WorkspaceWish = 'auto' | WorkspaceKind;

/** A task's worktree, as workspace.json has it. Written before git is asked, so that whoever comes next knows what may be there. */
export interface WorktreeRecord {
  readonly v: 1;
  readonly id: string;
  /** The top of the checkout that it was made from. */
  readonly repo: string;
  readonly path: string;
  /** Without refs/heads/. */
  readonly branch: string;
  /** What the branch started from, by the name that was asked for and the commit that it meant then. */
  readonly base: { readonly name: string; readonly sha: string };
  /** "releasing": the checkout is being removed; "released": it is gone, the branch stays. */
  readonly state: 'making' | 'ready' | 'releasing' | 'released';
  /** Wall clock, milliseconds, of the last change of state. */
  readonly at: number;
  /** Its set-up commands have gone well in this checkout. */
  readonly setUp?: true;
  /** What nobody committed, as it was last kept. */
  readonly salvaged?: Salvaged;
}

/** Work that was kept when its task had ended: a commit under refs/snakepit/salvage/, of all that git does not ignore. */
export interface Salvaged {
  readonly ref: string;
  readonly commit: string;
  /** What was kept, as a look from outside sees it: the same look again needs no further commit. */
  readonly seen: string;
}

/** Where an attempt works. */
export type Workspace =
  | { readonly kind: 'worktree'; readonly path: string; readonly record: WorktreeRecord; readonly notes: readonly string[] }
  | { readonly kind: 'repo'; readonly path: string }
  | { readonly kind: 'scratch' };
