import type { Pit } from '../rig/pit.js';
import { until } from '../rig/until.js';

/** No wait for an `up` whose pit was killed under it: somebody says it again. */
const UP_PATIENCE_MS = 15_000;
/** Longer than any run. */
const FOREVER_MS = 3_600_000;

/** Whoever keeps the pit up, as a person or systemd does: starts it where it is gone, and forgives broken snakes. */
export interface Keeper {
  /** While true nobody starts the pit: the person sleeps. */
  asleep: boolean;
  stop(): Promise<{ ups: number; inVain: string[] }>;
}

export function keepUp(pit: Pit, snakes: number, log: (line: string) => void): Keeper {
  let over = false;
  let saidAt = Number.NEGATIVE_INFINITY;
  const ups = new Set<Promise<void>>();
  let count = 0;
  const inVain: string[] = [];
  const say = (): void => {
    count += 1;
    saidAt = performance.now();
    const up = pit.cli('up', '-n', String(snakes)).then(({ code, stderr }) => {
      log(`up ended with ${code} ${stderr.trim()}`);
      if (code !== 0) inVain.push(`${code}: ${stderr.trim()}`);
      ups.delete(up);
    });
    ups.add(up);
  };
  const broken = (): boolean => pit.snapshot()?.snakes.some((row) => row.state === 'broken') ?? false;
  const needed = async (): Promise<boolean> => {
    if (keeper.asleep) return false;
    const patient = ups.size > 0 && performance.now() - saidAt < UP_PATIENCE_MS;
    return !patient && ((await pit.daemon()) === undefined || broken());
  };
  const keeper: Keeper = {
    asleep: false,
    async stop() {
      over = true;
      await kept;
      return { ups: count, inVain };
    },
  };
  const kept = (async () => {
    while (!over) {
      await until('the pit needs somebody, or all is over', async () => over || (await needed()), FOREVER_MS);
      if (!over) say();
    }
    await Promise.all(ups);
  })();
  return keeper;
}
