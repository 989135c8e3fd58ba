import type { Ended } from '../agents/end-session.js';
import type { Cadence } from '../lib/cadence.js';
import type { Healing, HealingPolicy } from '../lib/healing.js';
import type { Liveness } from '../lib/processes.js';
import type { DeferralReason } from '../protocol/judge.js';
import type { AgentRecord, ExitRecord, VerdictRecord } from '../protocol/records.js';

/*
 * One long-lived session beside the snakes. Its record lies on disk before anything is done, so a restarted pit goes on with the
 * same session and wakes nobody twice. At most one run of a resident exists: a new one is named only in "down" and "backing-off"
 * and "broken", and these are entered only once every process of the last one was shown gone.
 *
 *   down ──► launching ──► up ──┬─ died, stalled, blocked ─► ending ──► backing-off ──► (launching)
 *    ▲                          ├─ removed, changed ───────► ending ──► down
 *    │                          └─ a print-mode run's end ─► ending ──► down, until it is due
 *    │                                                         │ budget spent
 *    └─ `up` is said again ◄─────────── broken ◄───────────────┘   broken ──time──► (launching, one try)
 */

/** "interactive": a full-screen session, woken by typing. "headless": one print-mode run each time. "service": a command that is kept alive. */
export type ResidentKind = 'interactive' | 'headless' | 'service';

/** What the configuration asks for. */
export interface Wanted {
  readonly name: string;
  readonly kind: ResidentKind;
  /** All that a change of means a new session; the cadence is not in it. */
  readonly fingerprint: string;
  /** None for a service. */
  readonly everyMs: number | undefined;
}

/** One run of a resident. The nonce is in its marker, its directory, and its session's name. */
export interface Run {
  readonly nonce: string;
  /** Wall clock, milliseconds. */
  readonly at: number;
  readonly boot: string;
}

export type Phase =
  | { readonly kind: 'down' }
  | { readonly kind: 'launching'; readonly run: Run }
  | { readonly kind: 'up'; readonly run: Run }
  /** `after` "heal": what follows is a restart, within the budget. "afresh": nothing is held against it. */
  | { readonly kind: 'ending'; readonly run: Run; readonly after: 'heal' | 'afresh'; readonly rule: string; readonly evidence: string }
  | { readonly kind: 'backing-off'; readonly until: number; readonly why: string }
  /** `generation`: of the last `up`; a later one means that a person wants it tried again. */
  | { readonly kind: 'broken'; readonly why: string; readonly generation: number };

export interface ResidentRecord {
  readonly v: 1;
  readonly name: string;
  readonly kind: ResidentKind;
  readonly fingerprint: string;
  readonly phase: Phase;
  readonly healing: Healing;
  readonly cadence: Cadence | undefined;
  /** The limit state, by its beginning, for which the account's breaker was opened already. */
  readonly cooledAt: number | undefined;
}

/** One look: facts, no verdicts. */
export interface ResidentLook {
  /** The wrapper was let in. */
  readonly started: boolean;
  /** The wrapper's process; "none" while it has not said who it is. Looked at before the exit record. */
  readonly leader: Liveness | 'none';
  readonly exit: ExitRecord | undefined;
  readonly agent: AgentRecord | undefined;
  readonly verdict: VerdictRecord | undefined;
  /** No account that it may use takes anything before then. */
  readonly coolsUntil: number | undefined;
  /** Why nothing that costs is begun now, by a budget that is spent; looked at only where something would be begun. */
  readonly spent?: string | undefined;
  /** What this pit's own hands came to: launches of this run, milliseconds since the last one, why it could not be prepared, how ending it went. */
  readonly tries: number;
  readonly sinceTryMs: number;
  readonly failed: string | undefined;
  readonly ended: Ended | undefined;
}

export interface ResidentPolicy {
  readonly healing: HealingPolicy;
  /** Between two launches of one run, and from the last one to giving it up. */
  readonly launchPatienceMs: number;
  readonly launchTries: number;
  /** A wrapper that was let in says who it is within milliseconds; after this it was killed in between. */
  readonly orphanMs: number;
  /** A state that ends a session must have lasted this long: dialogs flash by. */
  readonly agreedMs: number;
  readonly wakeRetryMs: number;
}

export interface Now {
  readonly wallMs: number;
  readonly boot: string;
  readonly mode: 'run' | 'drain' | 'now';
  readonly generation: number;
  /** For the next run, should there be one. */
  readonly nonce: string;
  /** From 0 up to 1. */
  readonly random: number;
}

/** At most one a look; each says its rule and what it rests on. */
export type ResidentAction =
  | { readonly kind: 'none'; readonly rule: string }
  | { readonly kind: 'launch'; readonly run: Run; readonly rule: string }
  | { readonly kind: 'tell-started'; readonly run: Run; readonly rule: string }
  | { readonly kind: 'end'; readonly run: Run; readonly rule: string; readonly evidence: string }
  | { readonly kind: 'wake'; readonly run: Run; readonly rule: string }
  | { readonly kind: 'tell-lost-wake'; readonly run: Run; readonly rule: string }
  | { readonly kind: 'cool'; readonly reason: DeferralReason; readonly resetAt: number | undefined; readonly rule: string; readonly evidence: string }
  | { readonly kind: 'tell-broken'; readonly until: number; readonly rule: string; readonly evidence: string }
  | { readonly kind: 'forget'; readonly rule: string };
