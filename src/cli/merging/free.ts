import { join } from 'node:path';
import type { CleanupSetting } from '../../cleanup/ports.js';
import { pruner } from '../../cleanup/pruner.js';
import type { Config } from '../../config/config.js';
import { branchTip, moveRef } from '../../git/refs.js';
import { workingIn } from '../../lib/linux-processes.js';
import { residentMarkers } from '../../residents/markers.js';
import { HOLD_PATIENCE_MS, holdWorkspace } from '../../workspace/hold.js';
import { readWorkspace, workspaceDir } from '../../workspace/record.js';
import { salvage } from '../../workspace/salvage.js';
import type { Context } from '../context.js';
import { CliError, EXIT } from '../exit.js';
import type { Branched } from './facts.js';

/** Beside the branches; one for each commit that was rejected, so that a task rejected twice loses neither. */
export const rejectedRef = (id: string, sha: string): string => `refs/snakepit/rejected/${id}-${sha.slice(0, 10)}`;

/** Keeps all that a rejected task made, before anything of it goes: its branch, and what nobody committed. The refs; none: it made nothing. */
export async function keepWork({ files, processes, clock, layout, events }: Context, { task, git, record, repo, tip, base }: Branched): Promise<string[]> {
  const hold = await holdWorkspace({ files, processes, clock }, layout, task.id, HOLD_PATIENCE_MS);
  if (!hold.ok) throw new CliError(`${task.id}: ${hold.error}; try again`, EXIT.busy);
  try {
    const kept: string[] = [];
    if (record?.state === 'ready' && (await files.exists(record.path))) {
      const saved = await salvage({ files, git }, layout, record);
      if (!saved.ok) throw new CliError(`what its worktree ${record.path} holds could not be kept: ${saved.error}; nothing was changed`, EXIT.unavailable);
      if (saved.value.kind === 'nested') throw new CliError(`repositories of their own lie in its worktree ${record.path} (${saved.value.paths.join(', ')}): move them away, then again`, EXIT.usage);
      if (saved.value.kind === 'unknown') throw new CliError(`what its worktree ${record.path} holds could not be seen: ${saved.value.why}; nothing was changed`, EXIT.unavailable);
      if (saved.value.kind === 'saved') {
        await events.emit({ kind: 'work-salvaged', id: task.id, ref: saved.value.ref, rule: 'a person rejected it', evidence: record.path });
        kept.push(saved.value.ref);
      }
    }
    if (tip === undefined || tip === base.sha) return kept;
    const ref = rejectedRef(task.id, tip);
    const moved = await moveRef(git, repo, ref, tip, undefined, 'snakepit: a person rejected it');
    if (moved.kind !== 'moved') throw new CliError(`${ref} could not be written${moved.kind === 'unknown' ? `: ${moved.why}` : ''}; nothing was changed`, EXIT.unavailable);
    return [ref, ...kept];
  } finally {
    await hold.value();
  }
}

/** Takes worktree and branch of an ended task away, by the pruner's own hand and with all its refusals. What it came to, in words. */
export async function freeWorkspace(context: Context, config: Config, known: Branched): Promise<string> {
  const { files, layout, processes, clock, events } = context;
  const { task, git, repo, branch, tip } = known;
  const { id } = task;
  const checkouts = { git, workingIn };
  const setting: CleanupSetting = { layout, config: { ...config, keepWorktreesMs: 0 }, successor: () => 'possible', thorough: true, pitId: (await files.read(layout.pitId))?.trim() ?? '', residents: () => residentMarkers(files, layout) };
  const told: string[] = [];
  for (const verb of ['prune', 'forget'] as const) {
    const record = await readWorkspace(files, layout, id);
    if (record === undefined || record.state === 'released') break;
    const applied = await pruner.apply({ files, processes, clock, events, checkouts }, setting, { specialist: 'pruner', kind: 'act', verb, subject: id, rule: 'a person rejected it', evidence: '', target: id });
    if (applied.kind === 'refused') return `its worktree ${record.path} stays: ${applied.told}`;
    if (applied.kind === 'done') told.push('its worktree is gone');
  }
  const hold = await holdWorkspace({ files, processes, clock }, layout, id, HOLD_PATIENCE_MS);
  if (!hold.ok) return `its branch ${branch} stays: ${hold.error}`;
  try {
    const record = await readWorkspace(files, layout, id);
    if (record !== undefined && record.state !== 'released') return `its worktree ${record.path} stays; say it again, or look: snakepit cleanup --dry-run`;
    const now = await branchTip(git, repo, branch);
    if (tip !== undefined && now.ok && now.value !== undefined) {
      const moved = now.value === tip ? await moveRef(git, repo, `refs/heads/${branch}`, undefined, tip, 'snakepit: a person rejected it') : { kind: 'changed' as const };
      if (moved.kind !== 'moved') return `${told.join(', ')}; its branch ${branch} was moved meanwhile, and stays`;
      await events.emit({ kind: 'branch-deleted', id, branch, was: tip, rule: 'a person rejected it' });
      told.push(`its branch ${branch} too`);
    }
    await files.remove(join(workspaceDir(layout, id), 'workspace.json'));
    return told.join(', ');
  } finally {
    await hold.value();
  }
}
