import { applyCleanup, planCleanup } from '../cleanup/specialists.js';
import { applyCounting, planCounting } from '../cleanup/counting.js';
import type { CleanupSetting } from '../cleanup/ports.js';
import { execute, plan } from '../cleanup/reaper.js';
import type { Successor } from '../cleanup/state.js';
import type { Config } from '../config/config.js';
import { systemGit } from '../git/run.js';
import { take } from '../lib/baton.js';
import type { Files } from '../lib/files.js';
import { workingIn } from '../lib/linux-processes.js';
import { residentMarkers } from '../residents/markers.js';
import type { PitPorts, PitSetting } from './ports.js';

export const cleanupSetting = (files: Files, { layout, pitId, snakeEnv, residents }: PitSetting, config: Config, successor: (snake: string) => Successor, thorough = false, programs = false): CleanupSetting => ({
  layout, config, successor, pitId, residents: () => residentMarkers(files, layout), thorough, counting: { outerEnv: snakeEnv, asRoot: residents.asRoot, programs },
});

const git = systemGit(process.env);

/** A look at every run there ever was: so seldom. */
const THOROUGH_MS = 3_600_000;

/** When the pit last cleaned, and last looked at everything: monotonic, milliseconds; undefined before its first round. */
export interface CleanMemory {
  cleanedMonoMs: number | undefined;
  thoroughMonoMs: number | undefined;
  /** The round of the worktrees that is under way. */
  worktrees: Promise<void> | undefined;
  /** Tasks of which something may be left to count that only a program can tell, and the counting that is under way. */
  readonly owing: Set<string>;
  counting: Promise<void> | undefined;
}

/** The dead are reaped at every tick; all specialists come by at their own cadence, unless a cleanup is at work already. */
export async function cleanRound(ports: PitPorts, setting: PitSetting, config: Config, successor: (snake: string) => Successor, memory: CleanMemory, diskOver: boolean): Promise<void> {
  const { files, clock, processes, log } = ports;
  const reaping = cleanupSetting(files, setting, config, successor);
  for (const { id, kind } of await execute(ports, reaping, await plan(ports, reaping))) if (kind !== 'gone' && kind !== 'stuck') memory.owing.add(id);
  countBeside(ports, cleanupSetting(files, setting, config, successor, true, true), memory);
  const nowMs = clock.monoMs();
  if (memory.cleanedMonoMs !== undefined && nowMs - memory.cleanedMonoMs < config.cleanupMs) return;
  const lock = await take(files, processes, setting.layout.locks.cleanup);
  if (lock.kind === 'held') return;
  const thorough = memory.thoroughMonoMs === undefined || nowMs - memory.thoroughMonoMs >= THOROUGH_MS;
  memory.cleanedMonoMs = nowMs;
  if (thorough) memory.thoroughMonoMs = nowMs;
  try {
    const all = cleanupSetting(files, setting, config, successor, thorough);
    const steps = await planCleanup(ports, all);
    for (const one of await applyCleanup(ports, all, steps)) if (one.kind !== 'gone') log.info('cleaned up', one);
  } finally {
    await lock.release();
  }
  if (thorough) for (const { target } of await planCounting(ports, cleanupSetting(files, setting, config, successor, true, true))) memory.owing.add(target);
  if (thorough || diskOver) memory.worktrees ??= worktreeRound(ports, cleanupSetting(files, setting, config, successor, true)).finally(() => (memory.worktrees = undefined));
}

/** Beside the ticks: a program that prints its transcript takes seconds. What fails is tried again with the next look at everything. */
function countBeside(ports: PitPorts, setting: CleanupSetting, memory: CleanMemory): void {
  if (memory.owing.size === 0) return;
  memory.counting ??= (async () => {
    for (const id of memory.owing) {
      memory.owing.delete(id);
      const { kind, told } = await applyCounting(ports, setting, id);
      if (kind !== 'gone') ports.log.info('counted', { subject: id, told });
    }
  })()
    .catch((cause: unknown) => ports.log.warn('tokens could not be counted', { cause: String(cause) }))
    .finally(() => (memory.counting = undefined));
}

/** Beside the ticks: git over many files takes minutes. Each worktree has a lock of its own, so nobody waits for a round. Never throws. */
async function worktreeRound(ports: PitPorts, setting: CleanupSetting): Promise<void> {
  const all = { ...ports, checkouts: { git, workingIn } };
  try {
    // One after the other: what has just been kept may go at once.
    for (const only of ['salvager', 'pruner'] as const) {
      for (const one of await applyCleanup(all, setting, await planCleanup(all, setting, [only]))) if (one.kind !== 'gone') ports.log.info('cleaned up', one);
    }
  } catch (cause) {
    ports.log.warn('worktrees could not be cleaned up', { cause: String(cause) });
  }
}
