import type { DeferralReason } from '../../protocol/judge.js';

/*
 * One breaker per provider account, shared by the whole pit.
 *
 *              limit seen, or N failures in a row without a sign of work
 *   closed ────────────────────────────────────────────► open until T ◄─────────┐
 *     ▲                                                      │ T is over,         │ the probe met it again:
 *     │ its time is over                                     │ a claim asks       │ one strike more, a longer wait
 *   releasing ◄──── the probe's session shows that ──── half-open ────────────────┘
 *   one by one           the account works              one probe      (ended without a word, or its claim gone:
 *                                                                       open again, and due at once)
 *
 * Time moves nothing by itself: each state tells what it means now, and whoever asks next takes the step. All instants are wall
 * clock, milliseconds, since they lie on disk. Everything here may be repeated after a crash: the markers tell who was counted.
 */

/** The one claim that is let in to find out whether the account works. */
export interface Probe {
  readonly marker: string;
  /** Its task. */
  readonly id: string;
  readonly since: number;
}

/** A task's turn while an account is released. */
export interface Slot {
  readonly id: string;
  readonly at: number;
}

export type BreakerState =
  | { readonly kind: 'closed' }
  | { readonly kind: 'open'; readonly reason: DeferralReason; readonly evidence: string; readonly until: number }
  | { readonly kind: 'half-open'; readonly reason: DeferralReason; readonly evidence: string; readonly until: number; readonly probe: Probe }
  /** `lastAt`: when somebody was let in last. From `freeAt` on it is closed. */
  | { readonly kind: 'releasing'; readonly freeAt: number; readonly lastAt: number; readonly slots: readonly Slot[] };

/** Attempts of one profile that ended in a row without a sign of work. */
export interface FailingRun {
  /** Of the claims, the last few: a claim is counted once. */
  readonly markers: readonly string[];
  readonly firstAt: number;
  readonly lastAt: number;
}

/** What is known of one account; the file .snakepit/breakers/<account>.json. */
export interface Breaker {
  readonly v: 2;
  readonly account: string;
  readonly state: BreakerState;
  /** One for the first opening, and one for each try that was let in since and failed. Quiet time takes them back. */
  readonly strikes: number;
  /** When it was opened last; 0: never. Attempts that are older meet the same limit, and are no strike. */
  readonly openedAt: number;
  /** Since when nothing is known against the account. */
  readonly quietFrom: number;
  /** The last wait that was a back-off, milliseconds: the next one is not shorter. */
  readonly backoffMs: number;
  /** By profile: a broken installation of one program says nothing of another's. */
  readonly failing: Readonly<Record<string, FailingRun>>;
}

export const newBreaker = (account: string): Breaker => ({ v: 2, account, state: { kind: 'closed' }, strikes: 0, openedAt: 0, quietFrom: 0, backoffMs: 0, failing: {} });

/** Durations in milliseconds; see `breaker:` in config/schema.ts. */
export interface BreakerPolicy {
  /** A given reset is never believed to come sooner. */
  readonly floorMs: number;
  /** Added to a given reset: it is rounded, and clocks differ. */
  readonly marginMs: number;
  /** The first wait where no reset is given. */
  readonly firstMs: number;
  readonly maxMs: number;
  /** Between two that are let in while an account is released. */
  readonly staggerMs: number;
  /** How long the release takes. */
  readonly releaseMs: number;
  /** Failures in a row without a sign of work that open it. */
  readonly failures: number;
}

/** What the machine is told. `startedAt`: when the attempt that saw it was launched. */
export type BreakerEvent =
  /** A claim wants to begin. `probeGone`: the claim that was let in as the probe is shown gone. */
  | { readonly kind: 'asked'; readonly marker: string; readonly id: string; readonly probeGone: boolean }
  /** An attempt ended at a limit. `resetAt`: where the program gave it. */
  | { readonly kind: 'limited'; readonly marker: string; readonly startedAt: number; readonly reason: DeferralReason; readonly evidence: string; readonly resetAt: number | undefined }
  /** A session's program was answered by its model. */
  | { readonly kind: 'worked'; readonly marker: string; readonly startedAt: number; readonly profile: string; readonly evidence: string }
  /** An attempt ended without a sign of work, and not by the task's fault. */
  | { readonly kind: 'broken'; readonly marker: string; readonly startedAt: number; readonly profile: string; readonly evidence: string }
  /** An attempt ended in a way that says nothing of the account. */
  | { readonly kind: 'ended'; readonly marker: string }
  | { readonly kind: 'closed-by-hand' };

/** The answer to a claim. "probe": let in, and the only one until it has shown something. */
export type Admission = { readonly kind: 'admitted' } | { readonly kind: 'probe' } | { readonly kind: 'wait'; readonly until: number; readonly why: string };

/** What is told of a step, in the words of the event log. */
export type BreakerChange =
  | { readonly kind: 'breaker-opened'; readonly account: string; readonly reason: string; readonly until: number; readonly strikes: number; readonly rule: string; readonly evidence: string }
  | { readonly kind: 'breaker-probing'; readonly account: string; readonly id: string; readonly marker: string; readonly rule: string; readonly evidence: string }
  | { readonly kind: 'breaker-closed'; readonly account: string; readonly rule: string; readonly evidence: string };

/** One step: what is known then, the answer where one was asked for, and what is told of it. */
export interface BreakerStep {
  readonly after: Breaker;
  readonly admission?: Admission;
  readonly change?: BreakerChange;
}
