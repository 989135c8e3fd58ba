import { join } from 'node:path';
import type { Files } from '../lib/files.js';
import { err, ok, type Result } from '../lib/result.js';
import type { Git } from './run.js';
import { listWorktrees } from './worktrees.js';

/** Where a branch is in somebody's hands, and how: "checked out", "being rebased", "being bisected". */
export interface Occupied {
  readonly path: string;
  readonly how: string;
}

/**
 * Whether some checkout would be pulled from under somebody's feet if this branch moved: it is checked out there, or a rebase or bisect that has
 * not ended is of it, while HEAD names none. `commonDir`: that of the repository. An error: git did not say.
 */
export async function occupiedIn({ git, files }: { git: Git; files: Files }, dir: string, commonDir: string, branch: string): Promise<Result<Occupied | undefined, string>> {
  const worktrees = await listWorktrees(git, dir);
  if (!worktrees.ok) return err(worktrees.error);
  const ref = `refs/heads/${branch}`;
  const out = worktrees.value.find((one) => one.branch === ref);
  if (out !== undefined) return ok({ path: out.path, how: 'checked out' });
  const main = worktrees.value[0]?.path ?? dir;
  for (const { path, gitDir } of await checkoutsOf(files, commonDir, main)) {
    const how = await inTheMiddle(files, gitDir, ref);
    if (how !== undefined) return ok({ path, how });
  }
  return ok(undefined);
}

async function checkoutsOf(files: Files, commonDir: string, main: string): Promise<{ path: string; gitDir: string }[]> {
  const all = [{ path: main, gitDir: commonDir }];
  for (const name of await files.list(join(commonDir, 'worktrees'))) {
    const gitDir = join(commonDir, 'worktrees', name);
    const link = (await files.read(join(gitDir, 'gitdir')))?.trim();
    all.push({ path: link === undefined ? gitDir : link.replace(/\/\.git$/, ''), gitDir });
  }
  return all;
}

/** As git itself keeps it: the branch that HEAD goes back to, and those that a rebase takes along (--update-refs). */
async function inTheMiddle(files: Files, gitDir: string, ref: string): Promise<string | undefined> {
  for (const kind of ['rebase-merge', 'rebase-apply']) {
    const name = (await files.read(join(gitDir, kind, 'head-name')))?.trim();
    const along = (await files.read(join(gitDir, kind, 'update-refs')))?.split('\n') ?? [];
    if (name === ref || along.includes(ref)) return 'being rebased';
  }
  const bisected = (await files.read(join(gitDir, 'BISECT_START')))?.trim();
  return bisected !== undefined && (bisected === ref || `refs/heads/${bisected}` === ref) ? 'being bisected' : undefined;
}
