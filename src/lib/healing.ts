/*
 * A budget for starting again what died, so that healing never becomes a storm. Pure: time and chance are given. All instants
 * are wall clock, milliseconds, for they are persisted; what a clock that was set back left in the future counts as now.
 *
 *   closed ──deaths: back-off, doubled each time──► closed ──budget spent──► open ──time──► half-open (one try)
 *     ▲                                                                       ▲                │ │
 *     │                                                                       └──────died──────┘ │
 *     └──────────────────────────────────── it lived for the quiet time ─────────────────────────┘
 */

export interface HealingPolicy {
  /** Restarts are counted over this long. */
  readonly windowMs: number;
  /** Restarts of one session within the window; the next death opens its breaker. */
  readonly perSession: number;
  /** Restarts of all together within the window; who comes later waits until the oldest falls out of it. */
  readonly perPool: number;
  /** Back-off after the first death, doubled with each further one, up to `maxMs`. */
  readonly firstMs: number;
  readonly maxMs: number;
  /** The back-off is lengthened by up to this part of itself, so that those who died together do not come together. */
  readonly jitter: number;
  /** How long a breaker stays open the first time, doubled with each further opening up to `maxOpenMs`. */
  readonly openMs: number;
  readonly maxOpenMs: number;
  /** So long without a death closes a half-open breaker, and takes back one doubling of the back-off. */
  readonly quietMs: number;
}

export type HealingBreaker =
  | { readonly kind: 'closed' }
  | { readonly kind: 'open'; readonly until: number; readonly openings: number }
  | { readonly kind: 'half-open'; readonly since: number; readonly openings: number };

/** What is remembered of one session's deaths. */
export interface Healing {
  /** When it was started again, oldest first; none older than the window. */
  readonly restarts: readonly number[];
  /** Deaths that quiet time has not taken back: the exponent of the back-off. */
  readonly streak: number;
  /** From when on it has been quiet. */
  readonly quietFrom: number;
  readonly breaker: HealingBreaker;
}

/** After a death: when to try again, or that the budget is spent until a time. */
export type AfterDeath = { readonly kind: 'back-off'; readonly until: number } | { readonly kind: 'open'; readonly until: number; readonly why: string };

/** "yes" holds the memory with this restart counted in it. */
export type MayRestart = { readonly kind: 'yes'; readonly healing: Healing; readonly probe: boolean } | { readonly kind: 'no'; readonly until: number; readonly why: string };

export const beginHealing = (nowMs: number): Healing => ({ restarts: [], streak: 0, quietFrom: nowMs, breaker: { kind: 'closed' } });

/** Restarts that still count. */
export const inWindow = (policy: HealingPolicy, restarts: readonly number[], nowMs: number): number[] => restarts.map((at) => Math.min(at, nowMs)).filter((at) => nowMs - at < policy.windowMs);

/** What quiet time takes back. Calling it twice at one instant is calling it once. */
export function aged(policy: HealingPolicy, before: Healing, nowMs: number): Healing {
  const restarts = inWindow(policy, before.restarts, nowMs);
  const quietFrom = Math.min(before.quietFrom, nowMs);
  const quiet = Math.floor((nowMs - quietFrom) / policy.quietMs);
  const calmer = { restarts, streak: Math.max(0, before.streak - quiet), quietFrom: quietFrom + quiet * policy.quietMs };
  const { breaker } = before;
  switch (breaker.kind) {
    case 'closed':
      return { ...calmer, breaker };
    case 'open':
      // Nothing runs: this is no quiet that it has earned.
      return { restarts, streak: before.streak, quietFrom, breaker: { ...breaker, until: Math.min(breaker.until, nowMs + policy.maxOpenMs) } };
    case 'half-open': {
      const since = Math.min(breaker.since, nowMs);
      return nowMs - since >= policy.quietMs ? { restarts: [], streak: 0, quietFrom: nowMs, breaker: { kind: 'closed' } } : { restarts, streak: before.streak, quietFrom, breaker: { ...breaker, since } };
    }
  }
}

/** It died. `random`: from 0 up to 1, for the jitter. */
export function afterDeath(policy: HealingPolicy, before: Healing, now: { readonly wallMs: number; readonly random: number }): { readonly healing: Healing; readonly next: AfterDeath } {
  const healing = aged(policy, before, now.wallMs);
  const { breaker } = healing;
  if (breaker.kind === 'half-open') return open(policy, healing, breaker.openings + 1, now.wallMs, 'its one try after a pause died too');
  if (breaker.kind === 'open') return { healing, next: { kind: 'open', until: breaker.until, why: 'its budget of restarts is spent' } };
  if (healing.restarts.length >= policy.perSession) return open(policy, healing, 1, now.wallMs, `it was started again ${healing.restarts.length} times within ${Math.round(policy.windowMs / 1000)} s`);
  const waitMs = Math.min(policy.maxMs, policy.firstMs * 2 ** Math.min(30, healing.streak));
  return { healing: { ...healing, streak: healing.streak + 1, quietFrom: now.wallMs }, next: { kind: 'back-off', until: now.wallMs + Math.round(waitMs * (1 + policy.jitter * now.random)) } };
}

function open(policy: HealingPolicy, healing: Healing, openings: number, nowMs: number, why: string): { healing: Healing; next: AfterDeath } {
  const until = nowMs + Math.min(policy.maxOpenMs, policy.openMs * 2 ** Math.min(30, openings - 1));
  return { healing: { ...healing, quietFrom: nowMs, breaker: { kind: 'open', until, openings } }, next: { kind: 'open', until, why } };
}

/** May it be started again now? `pool`: the restarts of all sessions of the pool, its own among them. */
export function mayRestart(policy: HealingPolicy, before: Healing, pool: readonly number[], nowMs: number): MayRestart {
  const healing = aged(policy, before, nowMs);
  const { breaker } = healing;
  if (breaker.kind === 'open' && nowMs < breaker.until) return { kind: 'no', until: breaker.until, why: 'its budget of restarts is spent' };
  const spent = inWindow(policy, pool, nowMs).sort((a, b) => a - b);
  if (spent.length >= policy.perPool) return { kind: 'no', until: (spent[spent.length - policy.perPool] ?? nowMs) + policy.windowMs, why: `the pool has restarted ${spent.length} sessions within ${Math.round(policy.windowMs / 1000)} s` };
  const restarts = [...healing.restarts, nowMs];
  if (breaker.kind === 'open') return { kind: 'yes', probe: true, healing: { ...healing, restarts, quietFrom: nowMs, breaker: { kind: 'half-open', since: nowMs, openings: breaker.openings } } };
  return { kind: 'yes', probe: breaker.kind === 'half-open', healing: { ...healing, restarts } };
}
