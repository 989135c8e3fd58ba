import type { ProcessIdentity } from '../lib/processes.js';

/*
 * One slot per snake name. The pit keeps no truth of its own: a restarted pit finds the living snakes by their registration
 * and takes them over; only the tally of deaths starts anew.
 *
 *   empty ──spawn──► starting ──registered──► up ──clean end──► empty
 *                        │                     │ died
 *                        └──────died───────────┴──► backing-off ──time──► (spawn)
 *                                                       │ 5 deaths in a minute
 *                                                       └──► broken          (until `up` is said again)
 */
export type Slot =
  | { readonly kind: 'empty'; readonly deaths: readonly number[] }
  | { readonly kind: 'starting'; readonly process: ProcessIdentity; readonly sinceMonoMs: number; readonly deaths: readonly number[] }
  | { readonly kind: 'up'; readonly process: ProcessIdentity; readonly sinceMonoMs: number; readonly deaths: readonly number[]; readonly told: 'nothing' | 'drain' | 'now' }
  | { readonly kind: 'backing-off'; readonly untilMonoMs: number; readonly deaths: readonly number[]; readonly last?: ProcessIdentity }
  | { readonly kind: 'broken'; readonly why: string };

export type Slots = ReadonlyMap<string, Slot>;

/** What the registry and the process table show of one snake name. */
export type SnakeSeen = { readonly kind: 'alive'; readonly process: ProcessIdentity } | { readonly kind: 'unknown' } | { readonly kind: 'died'; readonly process: ProcessIdentity } | { readonly kind: 'absent' };

export type SuperviseAction =
  | { readonly kind: 'spawn'; readonly snake: string; readonly rule: string }
  /** Finish what runs, then end. */
  | { readonly kind: 'drain'; readonly snake: string; readonly process: ProcessIdentity; readonly rule: string }
  /** End the session, give the claim back, end. */
  | { readonly kind: 'stop-now'; readonly snake: string; readonly process: ProcessIdentity; readonly rule: string }
  | { readonly kind: 'tell-broken'; readonly snake: string; readonly why: string; readonly rule: string }
  | { readonly kind: 'tell-ended'; readonly snake: string; readonly process: ProcessIdentity; readonly why: string; readonly rule: string };
