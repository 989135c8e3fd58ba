import { setTimeout as delay } from 'node:timers/promises';

/** Time as the actors see it. A port: the simulator and the tests bring their own. */
export interface Clock {
  /** Wall clock, milliseconds since 1970. May jump; only ever persisted or shown. */
  wallMs(): number;
  /** Monotonic milliseconds since boot, the same scale in every process of one boot; stands still while the machine sleeps. */
  monoMs(): number;
  /** Resolves after `ms`, or early when the signal aborts (never rejects). */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Linux: `process.hrtime` is CLOCK_MONOTONIC, shared by all processes and stopped in suspend. */
export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monoMs: () => Number(process.hrtime.bigint() / 1_000_000n),
  sleep: (ms, signal) => delay(ms, undefined, signal === undefined ? {} : { signal }).catch(() => undefined),
};
