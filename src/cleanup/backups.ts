import { listBackups, type Backup } from '../git/backups.js';
import { moveRef } from '../git/refs.js';
import { lookAtProject, projectDir } from '../workspace/ground.js';
import type { CleanupSetting } from './ports.js';
import type { Applied, Step } from './specialist.js';
import type { LookPorts } from './worktrees-seen.js';

const BACKUP = 'refs/snakepit/backup/';

/** Whether a step of the pruner is about one of these. */
export const isBackupStep = ({ subject }: Step): boolean => subject.startsWith(BACKUP);

/** Pure: those of this pit whose time is over. Another pit of the same repository keeps its own. */
export const oldBackups = (all: readonly Backup[], pitId: string, keepMs: number, now: number): Backup[] => all.filter(({ pit, at }) => pit === pitId && now - at >= keepMs);

async function seen(ports: LookPorts, { layout, config, pitId }: CleanupSetting): Promise<{ dir: string; old: readonly Backup[] } | string> {
  const { files, checkouts, clock } = ports;
  const project = await lookAtProject({ files, git: checkouts.git }, projectDir(layout, config.repo));
  if (!project.ok) return project.error;
  if (project.value.kind === 'none') return 'there is no repository';
  const { top, commonDir } = project.value.repository;
  const all = await listBackups({ files, git: checkouts.git }, top, commonDir);
  return all.ok ? { dir: top, old: oldBackups(all.value, pitId, config.keepMs, clock.wallMs()) } : all.error;
}

/** Where targets stood before tasks were merged, longer ago than keep:. */
export async function backupSteps(ports: LookPorts, setting: CleanupSetting): Promise<Step[]> {
  const look = await seen(ports, setting);
  if (typeof look === 'string') return [];
  return look.old.map(({ ref, sha, at }) => ({ specialist: 'pruner', kind: 'act', verb: 'drop', subject: ref, rule: 'its task was merged longer ago than keep:', evidence: `written at ${new Date(at).toISOString()}, of ${sha.slice(0, 10)}`, target: sha }));
}

/** From exactly the commit that was seen. */
export async function dropBackup(ports: LookPorts, setting: CleanupSetting, { subject, target, rule }: Step): Promise<Pick<Applied, 'kind' | 'told'>> {
  const look = await seen(ports, setting);
  if (typeof look === 'string') return { kind: 'refused', told: look };
  if (!look.old.some(({ ref, sha }) => ref === subject && sha === target)) return { kind: 'gone', told: 'it was written anew, or has gone' };
  const moved = await moveRef(ports.checkouts.git, look.dir, subject, undefined, target, rule);
  return moved.kind === 'moved' ? { kind: 'done', told: 'deleted' } : { kind: 'gone', told: 'it was moved meanwhile' };
}
