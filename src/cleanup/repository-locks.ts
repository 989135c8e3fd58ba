import { join, relative } from 'node:path';
import { lookAtProject, projectDir } from '../workspace/ground.js';
import type { CleanupSetting } from './ports.js';
import type { Applied, Step } from './specialist.js';
import type { LookPorts, WorktreeLook } from './worktrees-seen.js';

/*
 * Locks that a killed git left in what all checkouts of a repository share. With one of them there no branch can be deleted any more, and no
 * worktree made or configured. They name no owner, so their owner is shown to be gone: no git works in any of its checkouts, and git
 * holds these for as long as it takes to write one file. Limit: a git that works from elsewhere (`--git-dir`), another user's, and another
 * program that writes a repository by itself, are not seen; hence the ten minutes.
 */

const OLD_MS = 600_000;
/** "packed-refs.new" is what is written under the first one; git makes it only where it is not there. The checkout's own index and HEAD are a person's. */
const SHARED = ['packed-refs.lock', 'packed-refs.new', 'config.lock', 'shallow.lock'] as const;
/** Of our own refs, by any name. */
const REFS = ['refs/heads/snakepit', 'refs/snakepit'] as const;
const MOST_DEEP = 6;

const UNLOCK = 'unlock';

/** Whether a step of the pruner is about one of these. */
export const isLockStep = ({ verb }: Step): boolean => verb === UNLOCK;

interface Lock {
  readonly path: string;
  readonly ageMs: number;
}

/** What was seen of a lock's repository. `gits`: processes called git in its checkouts; undefined: nobody knows. */
export interface LockFacts {
  readonly ageMs: number;
  readonly gits: readonly number[] | undefined;
}

/** Pure and total. */
export function decideLock({ ageMs, gits }: LockFacts): Pick<Step, 'kind' | 'rule' | 'evidence'> {
  const evidence = `it is ${Math.floor(ageMs / 60_000)} min old`;
  if (ageMs < OLD_MS) return { kind: 'keep', rule: 'git may hold it at this moment', evidence };
  if (gits === undefined) return { kind: 'refuse', rule: 'unknown is not gone: the processes in its checkouts could not be read', evidence };
  if (gits.length > 0) return { kind: 'refuse', rule: 'a git works in its checkouts, and may hold it', evidence: `${evidence}; pid ${gits.slice(0, 8).join(', ')}` };
  return { kind: 'act', rule: 'a dead git left it: none works in any of its checkouts', evidence };
}

/** The locks that stand in a repository, the young ones too. */
async function locksOf({ files, clock }: LookPorts, commonDir: string): Promise<Lock[]> {
  const found: Lock[] = [];
  const add = async (path: string): Promise<void> => {
    const at = await files.mtimeMs(path);
    if (at !== undefined) found.push({ path, ageMs: clock.wallMs() - at });
  };
  for (const name of SHARED) await add(join(commonDir, name));
  const below = async (dir: string, deep: number): Promise<void> => {
    for (const name of (await files.list(dir)).sort()) {
      if (name.endsWith('.lock')) await add(join(dir, name));
      else if (deep < MOST_DEEP && (await files.inspect(join(dir, name)))?.kind === 'directory') await below(join(dir, name), deep + 1);
    }
  };
  for (const dir of REFS) await below(join(commonDir, dir), 0);
  return found;
}

async function gitsIn({ checkouts }: LookPorts, dirs: readonly string[]): Promise<readonly number[] | undefined> {
  const found = new Set<number>();
  for (const dir of dirs) {
    const pids = await checkouts.workingIn(dir, 'git');
    if (pids === undefined) return undefined;
    for (const pid of pids) found.add(pid);
  }
  return [...found];
}

async function judged(ports: LookPorts, setting: CleanupSetting, look: WorktreeLook): Promise<Step[]> {
  const { layout, config } = setting;
  const project = await lookAtProject({ files: ports.files, git: ports.checkouts.git }, projectDir(layout, config.repo));
  if (!project.ok || project.value.kind === 'none') return [];
  const { top, commonDir } = project.value.repository;
  const locks = await locksOf(ports, commonDir);
  // Processes are looked for where a lock may be a dead one's, and nowhere else.
  if (!locks.some(({ ageMs }) => ageMs >= OLD_MS)) return [];
  const view = await look.view(top);
  const gits = view.ok ? await gitsIn(ports, [commonDir, ...view.value.worktrees.map(({ path }) => path)]) : undefined;
  return locks.map(({ path, ageMs }) => ({ specialist: 'pruner', verb: UNLOCK, subject: relative(layout.root, path), target: path, ...decideLock({ ageMs, gits }) }));
}

/** What is to be done with the locks of the project's repository. */
export const lockSteps = async (ports: LookPorts, setting: CleanupSetting, look: WorktreeLook): Promise<Step[]> => (await judged(ports, setting, look)).filter(({ kind }) => kind !== 'keep').map((step) => (step.kind === 'act' ? step : { ...step, verb: 'refuse' }));

/** Removes one, if all that was seen of it still holds. */
export async function dropLock(ports: LookPorts, setting: CleanupSetting, look: WorktreeLook, { target }: Step): Promise<Pick<Applied, 'kind' | 'told'>> {
  const now = (await judged(ports, setting, look)).find((step) => step.target === target);
  if (now === undefined || now.kind === 'keep') return { kind: 'gone', told: 'it has gone, or was made anew' };
  if (now.kind === 'refuse') return { kind: 'refused', told: `${now.rule} (${now.evidence})` };
  await ports.files.remove(target);
  return { kind: 'done', told: 'removed' };
}
