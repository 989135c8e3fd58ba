import { applyCleanup, planCleanup } from '../cleanup/specialists.js';
import type { CleanupSetting } from '../cleanup/ports.js';
import { execute, plan } from '../cleanup/reaper.js';
import type { Successor } from '../cleanup/state.js';
import type { Config } from '../config/config.js';
import { take } from '../lib/baton.js';
import type { PitPorts, PitSetting } from './ports.js';

export const cleanupSetting = ({ layout, pitId }: PitSetting, config: Config, successor: (snake: string) => Successor, thorough = false): CleanupSetting => ({ layout, config, successor, pitId, residents: async () => [], thorough });

/** When the pit last cleaned: monotonic, milliseconds; undefined before its first round, which looks at everything. */
export interface CleanMemory {
  cleanedMonoMs: number | undefined;
}

/** The dead are reaped at every tick; all specialists come by at their own cadence, unless a cleanup is at work already. */
export async function cleanRound(ports: PitPorts, setting: PitSetting, config: Config, successor: (snake: string) => Successor, memory: CleanMemory): Promise<void> {
  const { files, clock, processes, log } = ports;
  const reaping = cleanupSetting(setting, config, successor);
  await execute(ports, reaping, await plan(ports, reaping));
  const first = memory.cleanedMonoMs === undefined;
  if (!first && clock.monoMs() - (memory.cleanedMonoMs ?? 0) < config.cleanupMs) return;
  const lock = await take(files, processes, setting.layout.locks.cleanup);
  if (lock.kind === 'held') return;
  memory.cleanedMonoMs = clock.monoMs();
  try {
    const all = cleanupSetting(setting, config, successor, first);
    const steps = await planCleanup(ports, all);
    for (const one of await applyCleanup(ports, all, steps)) if (one.kind !== 'gone') log.info('cleaned up', one);
  } finally {
    await lock.release();
  }
}
