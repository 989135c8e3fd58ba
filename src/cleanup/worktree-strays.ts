import { basename, dirname, join, relative } from 'node:path';
import { removeWorktree } from '../git/worktrees.js';
import { idsOnTheWay } from '../queue/locate.js';
import { lookAtProject, projectDir } from '../workspace/ground.js';
import { clear } from '../workspace/open.js';
import { workspaceDir } from '../workspace/record.js';
import type { CleanupSetting } from './ports.js';
import type { Applied, Step } from './specialist.js';
import type { LookPorts, WorktreeLook } from './worktrees-seen.js';


/**
 * What lies in .snakepit/worktrees/, or stands in the repository's list for it, and no record speaks of. An entry whose directory is gone
 * is forgotten; a directory is a person's to look at. Other worktrees of the repository are a person's own, and never looked at.
 */
export async function strayWorktrees(ports: LookPorts, setting: CleanupSetting, look: WorktreeLook): Promise<Step[]> {
  const { files, checkouts } = ports;
  const { layout, config } = setting;
  const known = new Set((await look.records()).map(({ path }) => path));
  const step = (path: string, kind: Step['kind'], verb: string, rule: string, evidence: string): Step => ({ specialist: 'pruner', kind, verb, subject: relative(layout.root, path), rule, evidence, target: '' });
  const steps: Step[] = [];
  const there = (await files.list(layout.worktrees)).sort().map((name) => join(layout.worktrees, name));
  for (const path of there) {
    // Between a record's writing and its look nobody makes a directory: the record comes first.
    if (known.has(path) || (await files.exists(join(workspaceDir(layout, relative(layout.worktrees, path)), 'workspace.json')))) continue;
    steps.push(step(path, 'refuse', 'refuse', 'no record says whose it is: take from it what you need, then remove the directory', 'a directory among the worktrees'));
  }
  const project = await lookAtProject({ files, git: checkouts.git }, projectDir(layout, config.repo));
  if (!project.ok || project.value.kind === 'none') return steps;
  const view = await look.view(project.value.repository.top);
  for (const { path, locked } of view.ok ? view.value.worktrees : []) {
    const ofChecks = dirname(path) === layout.merging && look.ended(basename(path));
    if (!(ofChecks || path.startsWith(`${layout.worktrees}/`)) || known.has(path) || there.includes(path) || (await files.exists(path))) continue;
    if (locked === undefined || (ofChecks && locked === 'initializing')) steps.push(step(path, 'act', 'forget', 'the repository lists it, and it is gone', 'no record speaks of it'));
    else steps.push(step(path, 'refuse', 'refuse', 'somebody locked it: git worktree unlock', locked === '' ? 'no reason was given' : locked));
  }
  return [...steps, ...(await strayChecks(ports, setting, look))];
}

/** Checkouts in which merged trees were checked, of tasks that have ended: nobody works there, and what lies there lies in a commit. */
async function strayChecks({ files }: LookPorts, { layout }: CleanupSetting, look: WorktreeLook): Promise<Step[]> {
  const ids = (await files.list(layout.merging)).sort().filter((id) => look.ended(id));
  return ids.map((id) => ({ specialist: 'pruner', kind: 'act', verb: 'forget', subject: relative(layout.root, join(layout.merging, id)), rule: 'a checkout for the checks of a task that has ended', evidence: 'nobody works there', target: '' }));
}

/** Takes an entry out of the repository's list, if its directory is still gone. */
export async function forgetStray({ files, checkouts }: LookPorts, { layout, config }: CleanupSetting, { subject }: Step): Promise<Pick<Applied, 'kind' | 'told'>> {
  const path = join(layout.root, subject);
  if (dirname(path) === layout.merging) return forgetChecks({ files, checkouts }, { layout, config }, path);
  const id = relative(layout.worktrees, path);
  if (id.startsWith('..') || id === '' || (await files.exists(path)) || (await files.exists(join(workspaceDir(layout, id), 'workspace.json')))) return { kind: 'gone', told: 'it is there again' };
  const removed = await removeWorktree(checkouts.git, projectDir(layout, config.repo), path);
  return removed.ok ? { kind: 'done', told: 'forgotten' } : { kind: 'refused', told: `git did not forget it: ${removed.error}` };
}

async function forgetChecks({ files, checkouts }: Pick<LookPorts, 'files' | 'checkouts'>, { layout, config }: Pick<CleanupSetting, 'layout' | 'config'>, path: string): Promise<Pick<Applied, 'kind' | 'told'>> {
  if ((await idsOnTheWay(files, layout)).has(basename(path))) return { kind: 'gone', told: 'its task is on its way again' };
  const cleared = await clear({ files, git: checkouts.git }, { top: projectDir(layout, config.repo) }, path);
  return cleared.ok ? { kind: 'done', told: 'removed' } : { kind: 'refused', told: cleared.error };
}
