import { err, ok, type Result } from '../lib/result.js';
import type { WorkspaceKind, WorkspaceWish } from './state.js';

/** What the project's directory is to git. */
export type Ground = 'none' | 'no-commit' | 'repository';

/** Pure: what is wished for and what is there → the kind of workspace. An error says what a person can do. */
export function chooseWorkspace(wish: WorkspaceWish, ground: Ground): Result<WorkspaceKind, string> {
  if (wish === 'auto') return ok(ground === 'repository' ? 'worktree' : 'scratch');
  if (wish !== 'worktree' || ground === 'repository') return ok(wish);
  return err(ground === 'none'
    ? 'workspace: worktree needs a git repository, and the project lies in none; use scratch or repo, or name one with repo: in snakepit.yaml'
    : 'workspace: worktree needs a commit to start from, and the repository has none yet; commit something first');
}

/**
 * The branch of a task: `snakepit/<id>`, kept from what git refuses in a name (an end in .lock or a dot). `taken` says whether a branch is
 * there; one called `snakepit` leaves no room below it, so that the name is flat then.
 */
export function branchName(id: string, taken: (branch: string) => boolean): string {
  const stem = `${taken('snakepit') ? 'snakepit-' : 'snakepit/'}${id.replace(/(\.lock|\.)$/, '$1_')}`;
  for (let nth = 1; ; nth += 1) {
    const name = nth === 1 ? stem : `${stem}-${nth}`;
    if (!taken(name)) return name;
  }
}
