import { join } from 'node:path';
import { branchTip, moveRef } from '../git/refs.js';
import { complaint } from '../git/run.js';
import { removeWorktree } from '../git/worktrees.js';
import { unreachable } from '../lib/unreachable.js';
import { forgetDisk, overBudget, readDisk } from '../workspace/disk.js';
import { holdWorkspace } from '../workspace/hold.js';
import { clearRefLock } from '../workspace/locks.js';
import { soundness } from '../workspace/open.js';
import { readWorkspace, workspaceDir, writeWorkspace } from '../workspace/record.js';
import { isKept } from '../workspace/salvage.js';
import type { WorktreeRecord } from '../workspace/state.js';
import { backupSteps, dropBackup, isBackupStep } from './backups.js';
import type { CleanupPorts, CleanupSetting } from './ports.js';
import { dropLock, isLockStep, lockSteps } from './repository-locks.js';
import type { Applied, Specialist, Step } from './specialist.js';
import { decidePrune } from './worktree-decide.js';
import type { WorktreeVerdict } from './worktree-state.js';
import { eachOf, WorktreeLook, type LookPorts } from './worktrees-seen.js';
import { forgetStray, strayWorktrees } from './worktree-strays.js';

type Told = Pick<Applied, 'kind' | 'told'>;

async function planPrune(ports: CleanupPorts, setting: CleanupSetting): Promise<Step[]> {
  const { checkouts, clock } = ports;
  if (checkouts === undefined || !setting.thorough) return [];
  const look = await WorktreeLook.begin({ ...ports, checkouts }, setting);
  // First: what they keep from being deleted comes after them.
  const steps: Step[] = await lockSteps({ ...ports, checkouts }, setting, look);
  const use = await readDisk(ports.files, setting.layout);
  // The oldest go first, until what is over the budget is free.
  let excess = overBudget(use, setting.config.diskBytes);
  const ended = (await look.records()).filter(({ id }) => look.ended(id));
  const aged = (await eachOf(ended, async (record) => {
    const endedAt = await look.endedAt(record);
    return { record, endedAt, waits: record.state === 'ready' && clock.wallMs() - endedAt < setting.config.keepWorktreesMs && (await ports.files.exists(record.path)) };
  })).toSorted((a, b) => a.endedAt - b.endedAt);
  // Nothing is asked of git for what is only waiting for its time.
  const asked = aged.filter(({ waits }) => excess > 0 || !waits);
  for (const { record, waits, facts } of await eachOf(asked, async (one) => ({ ...one, facts: await look.facts(one.record, { users: true }) }))) {
    if (waits && excess <= 0) continue;
    const { kind, verb, rule, evidence } = decidePrune({ keepMs: setting.config.keepWorktreesMs, over: excess > 0 }, facts);
    if (verb === 'prune') excess -= use?.worktrees[record.id] ?? 0;
    if (kind !== 'keep') steps.push({ specialist: 'pruner', kind, verb, subject: record.id, rule, evidence, target: record.id });
  }
  return [...steps, ...(await strayWorktrees({ ...ports, checkouts }, setting, look)), ...(await backupSteps({ ...ports, checkouts }, setting))];
}

/** Everything is looked at again, under the workspace's lock, by which no task can begin in it meanwhile. */
async function prune(ports: LookPorts, setting: CleanupSetting, { target: id, verb, rule }: Step): Promise<Told> {
  const { layout, config } = setting;
  const look = await WorktreeLook.beginHeld(ports, setting);
  const record = await readWorkspace(ports.files, layout, id);
  if (record === undefined || !look.ended(id)) return { kind: 'gone', told: 'it is on its way again, or its worktree has gone' };
  // Whether the budget is used up was decided by the plan; each other condition anew.
  const verdict = decidePrune({ keepMs: config.keepWorktreesMs, over: verb === 'prune' }, await look.facts(record, { users: true }));
  if (verdict.kind === 'refuse') return { kind: 'refused', told: `${verdict.rule} (${verdict.evidence})` };
  if (verdict.kind === 'keep' || verdict.verb !== verb) return { kind: 'gone', told: `left for the next round: ${verdict.rule}` };
  return carryOut(ports, setting, look, record, verdict, rule);
}

async function carryOut(ports: LookPorts, setting: CleanupSetting, look: WorktreeLook, record: WorktreeRecord, { verb, evidence }: WorktreeVerdict, rule: string): Promise<Told> {
  switch (verb) {
    case 'prune':
    case 'forget':
      return remove(ports, setting, look, record, rule, evidence);
    case 'repair':
      return repair(ports, look, record);
    case 'drop':
      return dropBranch(ports, setting, record, rule);
    case 'salvage':
    case 'keep':
    case 'refuse':
      return { kind: 'gone', told: 'it is not the pruner\'s' };
    default:
      return unreachable(verb);
  }
}

async function remove(ports: LookPorts, setting: CleanupSetting, look: WorktreeLook, record: WorktreeRecord, rule: string, evidence: string): Promise<Told> {
  const { files, checkouts, clock, events } = ports;
  const { git } = checkouts;
  const { layout } = setting;
  const { id, path, repo, branch } = record;
  if (record.state === 'ready' && (await files.exists(path))) {
    // File by file now: a look from outside may miss a change that keeps size and time.
    const kept = await isKept({ files, git }, layout, record);
    if (!kept.ok) return { kind: 'refused', told: `what it holds could not be seen: ${kept.error}` };
    if (!kept.value) return { kind: 'refused', told: 'it holds work that is not kept: the salvager comes first' };
    await writeWorkspace(files, layout, { ...record, state: 'releasing', at: clock.wallMs() });
  }
  // Never git's own removal of one that was half made or half removed: it would refuse what has lost its .git.
  if (record.state === 'making' || record.state === 'releasing') await files.remove(path);
  const view = await look.view(repo);
  const entry = view.ok ? view.value.worktrees.find((one) => one.path === path) : undefined;
  if (!view.ok) return { kind: 'refused', told: view.error };
  if (entry?.locked === 'initializing') await git(repo, ['worktree', 'unlock', path]);
  const removed = entry === undefined ? undefined : await removeWorktree(git, repo, path);
  if (removed?.ok === false) return { kind: 'refused', told: `git did not remove it: ${removed.error}` };
  const released: WorktreeRecord = { ...record, state: 'released', at: clock.wallMs() };
  await writeWorkspace(files, layout, released);
  await forgetDisk(files, layout, id);
  await events.emit({ kind: 'worktree-removed', id, branch, rule, evidence });
  const dropped = await dropBranch(ports, setting, released, rule);
  return { kind: 'done', told: dropped.kind === 'done' ? `removed, and ${dropped.told}` : `removed; its branch ${branch} stays` };
}

/** Writes the links between a repository and its worktree anew, where one side still knows; nothing in it is touched. */
async function repair({ files, checkouts }: LookPorts, look: WorktreeLook, { repo, path }: WorktreeRecord): Promise<Told> {
  const view = await look.view(repo);
  if (!view.ok) return { kind: 'refused', told: view.error };
  const ran = await checkouts.git(repo, ['worktree', 'repair', path]);
  if ((await soundness({ files, git: checkouts.git }, view.value.repository, path)) === 'sound') return { kind: 'done', told: 'repaired' };
  return { kind: 'refused', told: `git could not repair it${ran.kind === 'ended' && ran.code === 0 ? '' : ` (${complaint(ran)})`}: its files stay in ${path}; take from them what you need, then remove the directory` };
}

/** From exactly where it was seen to be merged, and only where it is checked out nowhere; then nothing is left of the task's workspace. */
async function dropBranch(ports: LookPorts, setting: CleanupSetting, record: WorktreeRecord, rule: string): Promise<Told> {
  const { files, checkouts, events } = ports;
  const { id, branch, repo } = record;
  const look = await WorktreeLook.beginHeld(ports, setting);
  const view = await look.view(repo);
  if (!view.ok) return { kind: 'refused', told: view.error };
  const tip = await branchTip(checkouts.git, repo, branch);
  const state = await look.branchState(record, view.value);
  if (!tip.ok || (state !== 'merged' && state !== 'gone')) return { kind: 'gone', told: `its branch ${branch} stays` };
  if (tip.value !== undefined) {
    await clearRefLock(ports, view.value.repository.commonDir, `refs/heads/${branch}`);
    const moved = await moveRef(checkouts.git, repo, `refs/heads/${branch}`, undefined, tip.value, rule);
    if (moved.kind !== 'moved') return { kind: 'gone', told: `its branch ${branch} was moved meanwhile, and stays` };
    await events.emit({ kind: 'branch-deleted', id, branch, was: tip.value, rule });
  }
  await files.remove(join(workspaceDir(setting.layout, id), 'workspace.json'));
  return { kind: 'done', told: tip.value === undefined ? 'its record too: its branch was gone' : `its branch ${branch} too, which is merged (it was ${tip.value.slice(0, 10)})` };
}

/** Worktrees that are over: their directories, and their branches once these are merged. */
export const pruner: Specialist = {
  name: 'pruner',
  does: 'removes worktrees of tasks that ended longer ago than keep-worktrees:, once all their work is kept and nobody is in them; then their branches, if merged, and after keep: where targets stood before merges; and locks that a dead git left in the repository',
  plan: planPrune,
  apply: async (ports, setting, step) => {
    const told = { specialist: 'pruner', subject: step.subject } as const;
    const { checkouts } = ports;
    if (checkouts === undefined) return { ...told, kind: 'refused', told: 'there is no git' };
    if (isBackupStep(step)) return { ...told, ...(await dropBackup({ ...ports, checkouts }, setting, step)) };
    if (isLockStep(step)) return { ...told, ...(await dropLock({ ...ports, checkouts }, setting, await WorktreeLook.begin({ ...ports, checkouts }, setting), step)) };
    if (step.target === '') return { ...told, ...(await forgetStray({ ...ports, checkouts }, setting, step)) };
    const held = await holdWorkspace(ports, setting.layout, step.target, 0);
    if (!held.ok) return { ...told, kind: 'gone', told: held.error };
    try {
      return { ...told, ...(await prune({ ...ports, checkouts }, setting, step)) };
    } finally {
      await held.value();
    }
  },
};
