import type { Config } from '../config/config.js';
import { overBudget } from '../workspace/disk.js';
import type { PitPorts, PitSetting } from './ports.js';

/** Between two looks: growth of gigabytes takes minutes, and a look over a million files takes seconds. */
const LOOK_EVERY_MS = 300_000;

/** Lost with the pit, and harmless. */
export interface DiskMemory {
  lookedMonoMs: number;
  looking: Promise<void> | undefined;
  over: boolean;
}

export const newDiskMemory = (): DiskMemory => ({ lookedMonoMs: Number.NEGATIVE_INFINITY, looking: undefined, over: false });

/** Beside the ticks; the snakes read the record before they claim.  Never throws. */
export function diskRound({ files, clock, log, measureDisk }: Pick<PitPorts, 'files' | 'clock' | 'log' | 'measureDisk'>, { layout }: Pick<PitSetting, 'layout'>, config: Config, memory: DiskMemory): void {
  if (measureDisk === undefined || config.diskBytes === 0 || memory.looking !== undefined || clock.monoMs() - memory.lookedMonoMs < Math.min(LOOK_EVERY_MS, config.cleanupMs)) return;
  memory.lookedMonoMs = clock.monoMs();
  memory.looking = look(measureDisk).catch((cause: unknown) => log.warn('the disk could not be measured', { cause: String(cause) })).finally(() => (memory.looking = undefined));

  async function look(measure: NonNullable<typeof measureDisk>): Promise<void> {
    const use = await measure(layout, files, clock.wallMs());
    if (use === undefined || !(await files.exists(layout.pitId))) return;
    const over = overBudget(use, config.diskBytes) > 0;
    if (over && !memory.over) log.warn('the disk budget is used up: nothing is claimed', { bytes: use.bytes, budget: config.diskBytes });
    memory.over = over;
    await files.write(layout.diskUse, `${JSON.stringify(use)}\n`);
  }
}
