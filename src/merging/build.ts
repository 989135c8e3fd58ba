import { commitsBetween, patchesOf, replay, type Commit } from '../git/history.js';
import { commitTree, mergeTrees, treeAt } from '../git/objects.js';
import { isAncestor } from '../git/repository.js';
import type { Git } from '../git/run.js';
import { diffOf } from '../git/status.js';
import { err, ok, type Result } from '../lib/result.js';
import type { Candidate, Violation } from '../protocol/merging.js';
import type { Policy } from '../protocol/policy.js';
import { judgeDiff } from './judge-diff.js';
import { messageOf, withTrailers, type Credits } from './message.js';
import { findSecrets } from './secrets.js';
import type { MergeView } from './state.js';

export interface BuildRequest {
  readonly mode: MergeView['mode'];
  readonly onto: string;
  readonly head: string;
  readonly credits: Credits;
  readonly policies: readonly Policy[];
  /** Values that must stand in no commit, by their variables' names. */
  readonly known: Readonly<Record<string, string>>;
}

/** What the diff between two commits breaks, and the commits that `to` brings with it. */
export async function violationsOf(git: Git, dir: string, from: string, to: string, added: readonly string[], policies: readonly Policy[], known: Readonly<Record<string, string>>): Promise<Result<Violation[], string>> {
  const files = await diffOf(git, dir, from, to);
  if (!files.ok) return files;
  if (!policies.some(({ secrets }) => secrets === 'deny')) return ok(judgeDiff(policies, files.value, []));
  const patches = await patchesOf(git, dir, added, from, to);
  return patches.ok ? ok(judgeDiff(policies, files.value, findSecrets(patches.value, known))) : patches;
}

/** Makes the commit that the target would become, in memory: no ref, no index and no checkout is touched. An error: git's words. */
export async function build(git: Git, dir: string, request: BuildRequest): Promise<Result<Candidate, string>> {
  const { onto, head, mode, policies, known } = request;
  const not = (conflicts: readonly string[]): Result<Candidate, string> => ok({ onto, head, commit: undefined, conflicts, violations: [] });
  if (mode === 'ff') {
    const onward = await isAncestor(git, dir, onto, head);
    if (onward === undefined) return err('git did not say whether the target has moved on');
    if (!onward) return not([]);
  }
  const merged = await mergeTrees(git, dir, onto, head);
  if (merged.kind === 'unknown') return err(merged.why);
  if (merged.kind === 'conflict') return not(merged.paths);
  const commits = await commitsBetween(git, dir, onto, head);
  if (!commits.ok) return commits;
  const commit = await commitOf(git, dir, request, merged.tree, commits.value);
  if (!commit.ok) return commit;
  // A squash publishes no commit of the branch.
  const violations = await violationsOf(git, dir, onto, commit.value, mode === 'squash' ? [] : commits.value.map(({ sha }) => sha), policies, known);
  return violations.ok ? ok({ onto, head, commit: commit.value, conflicts: [], violations: violations.value }) : violations;
}

async function commitOf(git: Git, dir: string, { mode, onto, head, credits }: BuildRequest, tree: string, commits: readonly Commit[]): Promise<Result<string, string>> {
  switch (mode) {
    case 'ff':
      return ok(head);
    case 'no-ff':
      return commitTree(git, dir, tree, [onto, head], messageOf(credits, 'Merge'));
    case 'squash':
      return commitTree(git, dir, tree, [onto], messageOf(credits, 'Squash'));
    case 'rebase': {
      const last = await rebased(git, dir, commits, onto, credits);
      if (!last.ok) return last;
      // Where its commits do not apply one by one, or come to something else, they land as one: the merged tree is what counts.
      const same = last.value === undefined ? undefined : await treeAt(git, dir, last.value);
      return last.value !== undefined && same?.ok === true && same.value === tree ? ok(last.value) : commitTree(git, dir, tree, [onto], messageOf(credits, 'Squash'));
    }
  }
}

async function rebased(git: Git, dir: string, commits: readonly Commit[], onto: string, credits: Credits): Promise<Result<string | undefined, string>> {
  let at = onto;
  for (const commit of commits) {
    if (commit.parents.length !== 1) return ok(undefined);
    const tree = await replay(git, dir, commit, at);
    if (tree.kind === 'unknown') return err(tree.why);
    if (tree.kind === 'conflict') return ok(undefined);
    const made = await commitTree(git, dir, tree.tree, [at], withTrailers(commit.message, credits), commit.author);
    if (!made.ok) return made;
    at = made.value;
  }
  return ok(at);
}
