import { join, relative } from 'node:path';
import { removeWorktree } from '../git/worktrees.js';
import { lookAtProject, projectDir } from '../workspace/ground.js';
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
  const known = new Set(look.records.map(({ path }) => path));
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
    if (!path.startsWith(`${layout.worktrees}/`) || known.has(path) || there.includes(path) || (await files.exists(path))) continue;
    if (locked === undefined) steps.push(step(path, 'act', 'forget', 'the repository lists it, and it is gone', 'no record speaks of it'));
    else steps.push(step(path, 'refuse', 'refuse', 'somebody locked it: git worktree unlock', locked === '' ? 'no reason was given' : locked));
  }
  return steps;
}

/** Takes an entry out of the repository's list, if its directory is still gone. */
export async function forgetStray({ files, checkouts }: LookPorts, { layout, config }: CleanupSetting, { subject }: Step): Promise<Pick<Applied, 'kind' | 'told'>> {
  const path = join(layout.root, subject);
  const id = relative(layout.worktrees, path);
  if (id.startsWith('..') || id === '' || (await files.exists(path)) || (await files.exists(join(workspaceDir(layout, id), 'workspace.json')))) return { kind: 'gone', told: 'it is there again' };
  const removed = await removeWorktree(checkouts.git, projectDir(layout, config.repo), path);
  return removed.ok ? { kind: 'done', told: 'forgotten' } : { kind: 'refused', told: `git did not forget it: ${removed.error}` };
}
