import * as fs from 'node:fs';
import { join } from 'node:path';
import { checkout, gitIn, seedRepo } from '../rig/repo.js';
import { realGit } from './git-shim.js';
import type { TaskPlan } from './witness.js';

/*
 * Tasks that work in worktrees of one small repository and are merged onto one branch. Each leaves one file of its own, or one line in a file
 * that all of them write to; what lies on the branch at the end is held against what was done.
 */

/** The branch that all are merged onto. */
export const INTO = 'snakepit-main';
export const SHARED = 'shared.txt';
/** The file that a task of its own writes. */
export const fileOfTask = (id: string): string => `work/${id}.txt`;

/** The project as a repository with a person's work in progress in its checkout; how it looks then. */
export function seedProject(dir: string): Record<string, string> {
  gitIn(dir, 'init', '-q');
  fs.writeFileSync(join(dir, SHARED), 'first\n');
  gitIn(dir, 'add', SHARED);
  gitIn(dir, 'commit', '-qm', 'zeroth');
  seedRepo(dir);
  return checkout(dir);
}

/** Keys of a task's head. */
export const repoHead = ({ work }: TaskPlan): string => (work === 'none' ? 'workspace: scratch\nmerge: none' : 'workspace: worktree');

/**
 * What such a task does, in shell. Each attempt begins at the last commit of its branch, joins what was merged meanwhile (of the shared file: both
 * sides' lines), and does its work once. Nothing of it knows how often it was killed.
 */
export function repoWork({ work, id }: TaskPlan): string {
  if (work === 'none') return '';
  const git = `${realGit()} -c user.name=Agent -c user.email=agent@example.org -c gc.auto=0`;
  const deed = work === 'own' ? `mkdir -p work; echo ${id} >${fileOfTask(id)}` : `grep -qx ${id} ${SHARED} || echo ${id} >>${SHARED}`;
  return `set -e
${git} reset -q --hard
if [ $first = no ] && tip=$(${git} rev-parse -q --verify ${INTO}); then
  ${git} merge -q "$tip" || { { ${git} show HEAD:${SHARED}; ${git} show "$tip:${SHARED}"; } | sort -u >${SHARED}; ${git} add -A; ${git} commit -qm joined; }
fi
${deed}
${git} add -A
${git} diff --cached --quiet || ${git} commit -qm 'work of ${id}'
set +e`;
}
