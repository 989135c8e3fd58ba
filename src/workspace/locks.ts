import { join } from 'node:path';
import { repositoryOf } from '../git/repository.js';
import type { WorkspacePorts } from './ground.js';
import type { WorktreeRecord } from './state.js';

/** Git holds its locks for milliseconds; a person's long commit message holds none. */
const OLD_MS = 60_000;

/**
 * Locks that a killed git left in the task's own worktree and on its own branch (kill -9 of `git add` leaves one every second time). They
 * are the dead's where they are older than the end of the last attempt, whose processes were shown to be gone, or than a minute.
 */
export async function staleLocks({ files, clock, git }: Pick<WorkspacePorts, 'files' | 'clock' | 'git'>, record: WorktreeRecord, lastEndedAt: number | undefined): Promise<string[]> {
  const seen = await repositoryOf(git, record.path);
  if (!seen.ok || seen.value === 'none') return [];
  const { gitDir, commonDir } = seen.value;
  const stale: string[] = [];
  for (const lock of [join(gitDir, 'index.lock'), join(gitDir, 'HEAD.lock'), join(commonDir, 'refs', 'heads', `${record.branch}.lock`)]) {
    const at = await files.mtimeMs(lock);
    if (at !== undefined && (at <= (lastEndedAt ?? 0) || clock.wallMs() - at >= OLD_MS)) stale.push(lock);
  }
  return stale;
}

/**
 * The lock of one of our own refs that a killed git left, where it is older than the end of the last attempt or than a minute. Git waits for a
 * ref's lock for no longer than a tenth of a second, so that a left one would keep everybody out for ever.
 */
export async function clearRefLock({ files, clock }: Pick<WorkspacePorts, 'files' | 'clock'>, commonDir: string, ref: string, lastEndedAt?: number): Promise<string[]> {
  const lock = join(commonDir, `${ref}.lock`);
  const at = await files.mtimeMs(lock);
  if (at === undefined || (at > (lastEndedAt ?? 0) && clock.wallMs() - at < OLD_MS)) return [];
  await files.remove(lock);
  return [`a lock that a dead git had left was removed: ${ref}.lock`];
}

/** Removes them; says so. */
export async function clearLocks(ports: WorkspacePorts, record: WorktreeRecord, lastEndedAt: number | undefined): Promise<string[]> {
  const notes: string[] = [];
  for (const lock of await staleLocks(ports, record, lastEndedAt)) {
    await ports.files.remove(lock);
    notes.push(`a lock that a dead git had left was removed: ${lock.slice(lock.lastIndexOf('/.git/') + 1)}`);
  }
  return notes;
}
