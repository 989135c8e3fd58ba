import { join } from 'node:path';
import { commitTree, treeAt, treeOf } from '../git/objects.js';
import { moveRef } from '../git/refs.js';
import { isAncestor, resolveCommit } from '../git/repository.js';
import { complaint, printed } from '../git/run.js';
import { err, ok, type Result } from '../lib/result.js';
import { regainTree } from '../lib/rights.js';
import type { Layout } from '../protocol/layout.js';
import type { WorkspacePorts } from './ground.js';
import { workspaceDir, writeWorkspace } from './record.js';
import type { WorktreeRecord } from './state.js';
import { headIn, workIn, type Work } from './work.js';

type Ports = Pick<WorkspacePorts, 'files' | 'git'>;

/** Beside the branches, where nobody stumbles over it and git keeps it: git show, git branch NAME and git cherry-pick take it by this name. */
export const salvageRef = (id: string): string => `refs/snakepit/salvage/${id.replace(/(\.lock|\.)$/, '$1_')}`;

/**
 * Keeps all that a worktree holds and its branch does not, but for what git ignores, as one commit on top of what is checked out there;
 * what was kept before is among its parents. The worktree, its index and its branch stay as they are. May be repeated after a crash. The
 * caller holds the workspace. What is only staged, and not in a file, is not kept.
 */
export async function salvage(ports: Ports, layout: Layout, record: WorktreeRecord): Promise<Result<Work, string>> {
  const { git, files } = ports;
  const work = await workIn(ports, record);
  if (work.kind !== 'unsaved') return ok(work);
  const head = await headIn(ports, record.path);
  if (!head.ok) return head;
  const tree = await snapshot(ports, layout, record);
  if (!tree.ok) return tree;
  const ref = salvageRef(record.id);
  const before = await resolveCommit(git, record.path, ref);
  if (!before.ok) return before;
  const kept = before.value !== undefined && (await holds(ports, record.path, before.value, head.value, tree.value)) ? before.value : undefined;
  const commit = kept === undefined ? await commitTree(git, record.path, tree.value, [head.value, ...(before.value === undefined ? [] : [before.value])], `snakepit: what ${record.id} left in its worktree\n\nIts task had ended, and nobody had committed this: ${work.what}\n`) : ok(kept);
  if (!commit.ok) return commit;
  const moved = kept === undefined ? await moveRef(git, record.path, ref, commit.value, before.value, 'snakepit: salvage') : { kind: 'moved' as const };
  if (moved.kind !== 'moved') return err(moved.kind === 'unknown' ? moved.why : `${ref} was moved by somebody else`);
  await writeWorkspace(files, layout, { ...record, salvaged: { ref, commit: commit.value, seen: work.seen } });
  return ok({ kind: 'saved', ref });
}

/** Read file by file, whatever sizes and times say: whether all that lies in a worktree is in its branch, or in what was kept of it. */
export async function isKept(ports: Ports, layout: Layout, record: WorktreeRecord): Promise<Result<boolean, string>> {
  const { git } = ports;
  const { path, branch } = record;
  const head = await headIn(ports, path);
  if (!head.ok) return head;
  const tree = await snapshot(ports, layout, record);
  if (!tree.ok) return tree;
  const own = await treeAt(git, path, head.value);
  if (!own.ok) return own;
  const nested = await nestedOf(ports, path, tree.value);
  if (!nested.ok) return nested;
  // A repository of its own is no more than a number in any tree.
  if (nested.value.length > 0) return ok(false);
  if (own.value === tree.value && (await isAncestor(git, path, head.value, `refs/heads/${branch}`)) === true) return ok(true);
  const kept = await resolveCommit(git, path, salvageRef(record.id));
  return kept.ok ? ok(kept.value !== undefined && (await holds(ports, path, kept.value, head.value, tree.value))) : kept;
}

async function nestedOf({ git, files }: Ports, path: string, tree: string): Promise<Result<string[], string>> {
  const listed = await git(path, ['ls-tree', '-r', '-z', tree], { timeoutMs: 60_000 });
  const said = printed(listed);
  if (said === undefined) return err(complaint(listed));
  const found: string[] = [];
  for (const line of said.split('\0')) if (line.startsWith('160000 ') && (await files.exists(join(path, line.slice(line.indexOf('\t') + 1), '.git')))) found.push(line);
  return ok(found);
}

async function holds({ git }: Ports, dir: string, commit: string, head: string, tree: string): Promise<boolean> {
  const at = await treeAt(git, dir, commit);
  return at.ok && at.value === tree && (await isAncestor(git, dir, head, commit)) === true;
}

async function snapshot({ git, files }: Ports, layout: Layout, record: WorktreeRecord): Promise<Result<string, string>> {
  const index = join(workspaceDir(layout, record.id), 'salvage.index');
  regainTree(record.path);
  // One that a dead git left would be in the way of ours.
  for (const file of [index, `${index}.lock`]) await files.remove(file);
  const tree = await treeOf(git, record.path, index);
  await files.remove(index);
  return tree;
}
