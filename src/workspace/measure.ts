import { commitTree, gitlinksSince, treeAt, treeOf } from '../git/objects.js';
import { branchTip, moveRef } from '../git/refs.js';
import { countBetween, headOf, isAncestor, repositoryOf } from '../git/repository.js';
import { diffOf, statusOf } from '../git/status.js';
import { err, ok, type Result } from '../lib/result.js';
import type { Changes } from '../protocol/records.js';
import type { WorkspacePorts } from './ground.js';

const MOST_FILES = 100;

export interface MeasureRequest {
  readonly path: string;
  readonly branch: string;
  readonly base: string;
  /** Whether what is not committed becomes a commit of the branch; else it stays as it lies. */
  readonly commitLeftovers: boolean;
  readonly message: string;
  /** A path for an index of our own; the caller removes it. */
  readonly index: string;
}

/**
 * What a task has made of its branch, by git alone: what the session says of it is no fact. Nobody works in the worktree any more. May be
 * repeated after a crash: leftovers that were committed are none then.
 */
export async function measure({ git }: Pick<WorkspacePorts, 'git'>, request: MeasureRequest): Promise<Result<Omit<Changes, 'outside' | 'alone'>, string>> {
  const { path, branch, base } = request;
  const ref = `refs/heads/${branch}`;
  // Without its own .git, git would find the project's checkout around it, and take that for the task's.
  const seen = await repositoryOf(git, path);
  if (!seen.ok) return seen;
  if (seen.value === 'none' || seen.value.top !== path) return err('its worktree has lost its repository');
  const head = await headOf(git, path);
  if (!head.ok) return head;
  if (head.value.sha === undefined) return err('its worktree has no commit checked out');
  let tip = head.value.sha;
  let strayed = false;
  if (head.value.ref !== ref) {
    // Commits that were made beside the branch are brought onto it where that overwrites nothing.
    const at = await branchTip(git, path, branch);
    if (!at.ok) return at;
    const onward = at.value === undefined ? true : await isAncestor(git, path, at.value, tip);
    if (onward !== true || (await moveRef(git, path, ref, tip, at.value, 'snakepit: commits made beside the branch')).kind !== 'moved') {
      strayed = true;
      tip = at.value ?? tip;
    }
  }
  const status = await statusOf(git, path);
  if (!status.ok) return status;
  let leftovers: Changes['leftovers'] = status.value.length === 0 ? 'none' : 'kept';
  if (leftovers === 'kept' && request.commitLeftovers && !strayed) {
    const committed = await commitLeftovers({ git }, request, tip);
    if (!committed.ok) return committed;
    if (committed.value !== undefined) {
      leftovers = committed.value === tip ? 'none' : 'committed';
      tip = committed.value;
    }
  }
  const commits = await countBetween(git, path, base, tip);
  if (!commits.ok) return commits;
  const files = await diffOf(git, path, base, tip);
  if (!files.ok) return files;
  const sum = (key: 'added' | 'removed'): number => files.value.reduce((all, one) => all + (one[key] ?? 0), 0);
  return ok({ branch, base, head: tip, commits: commits.value, fileCount: files.value.length, files: files.value.slice(0, MOST_FILES), added: sum('added'), removed: sum('removed'), leftovers, ...(strayed ? { strayed } : {}) });
}

/** Undefined: they hold a repository of their own, which a commit could not keep: they stay where they are. */
async function commitLeftovers({ git }: Pick<WorkspacePorts, 'git'>, { path, branch, message, index }: MeasureRequest, tip: string): Promise<Result<string | undefined, string>> {
  const tree = await treeOf(git, path, index);
  if (!tree.ok) return tree;
  const before = await treeAt(git, path, tip);
  if (!before.ok) return before;
  if (tree.value === before.value) return ok(tip);
  const nested = await gitlinksSince(git, path, before.value, tree.value);
  if (!nested.ok) return nested;
  if (nested.value.length > 0) return ok(undefined);
  const commit = await commitTree(git, path, tree.value, [tip], message);
  if (!commit.ok) return commit;
  const moved = await moveRef(git, path, `refs/heads/${branch}`, commit.value, tip, 'snakepit: work that was left uncommitted');
  if (moved.kind !== 'moved') return err(moved.kind === 'unknown' ? moved.why : 'its branch was moved by somebody else');
  // The worktree's own index still speaks of the commit before; --reset keeps what a sparse checkout leaves out.
  await git(path, ['read-tree', '--reset', 'HEAD'], { timeoutMs: 120_000 });
  return commit;
}
