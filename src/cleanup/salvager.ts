import { holdWorkspace } from '../workspace/hold.js';
import { readWorkspace } from '../workspace/record.js';
import { salvage } from '../workspace/salvage.js';
import type { CleanupPorts, CleanupSetting } from './ports.js';
import type { Specialist, Step } from './specialist.js';
import { decideSalvage } from './worktree-decide.js';
import { eachOf, WorktreeLook } from './worktrees-seen.js';

async function planSalvage(ports: CleanupPorts, setting: CleanupSetting): Promise<Step[]> {
  const { checkouts } = ports;
  if (checkouts === undefined || !setting.thorough) return [];
  const look = await WorktreeLook.begin({ ...ports, checkouts }, setting);
  const ended = (await look.records()).filter((record) => look.ended(record.id) && record.state === 'ready');
  const verdicts = await eachOf(ended, async (record) => ({ id: record.id, verdict: decideSalvage(await look.facts(record, { users: false })) }));
  return verdicts.flatMap(({ id, verdict: { kind, verb, rule, evidence } }) => (kind === 'keep' ? [] : [{ specialist: 'salvager', kind, verb, subject: id, rule, evidence, target: id } as const]));
}

/** Work in worktrees whose tasks have ended, before anything is removed. */
export const salvager: Specialist = {
  name: 'salvager',
  does: 'keeps what ended tasks left uncommitted in their worktrees, as commits under refs/snakepit/salvage/; files that git ignores are not kept',
  plan: planSalvage,
  apply: async (ports, setting, { subject, target: id, rule, evidence }) => {
    const told = { specialist: 'salvager', subject } as const;
    const { checkouts, files } = ports;
    const { layout } = setting;
    if (checkouts === undefined) return { ...told, kind: 'refused', told: 'there is no git' };
    const held = await holdWorkspace(ports, layout, id, 0);
    if (!held.ok) return { ...told, kind: 'gone', told: held.error };
    try {
      const look = await WorktreeLook.beginHeld({ ...ports, checkouts }, setting);
      const record = await readWorkspace(files, layout, id);
      if (record === undefined || record.state !== 'ready' || !look.ended(id)) return { ...told, kind: 'gone', told: 'it is on its way again, or its worktree has gone' };
      const kept = await salvage({ files, git: checkouts.git }, layout, record);
      if (!kept.ok) return { ...told, kind: 'refused', told: kept.error };
      if (kept.value.kind !== 'saved') return { ...told, kind: kept.value.kind === 'none' ? 'gone' : 'refused', told: kept.value.kind === 'none' ? 'there is nothing to keep any more' : 'what it holds changed while it was looked at' };
      await ports.events.emit({ kind: 'work-salvaged', id, ref: kept.value.ref, rule, evidence });
      return { ...told, kind: 'done', told: `kept as ${kept.value.ref}; look at it: git show ${kept.value.ref}` };
    } finally {
      await held.value();
    }
  },
};
