import { unreachable } from '../lib/unreachable.js';
import type { Next } from '../protocol/judge.js';
import type { ClaimName, Counters, Owner } from '../protocol/names.js';
import type { QueueState } from '../protocol/layout.js';

/** A task in a snake's hands. `file` is the claimed file's present path: the fencing token. */
export interface Claim {
  readonly name: ClaimName;
  /** Id, counters and nonce; see `markerOf`. */
  readonly marker: string;
  readonly file: string;
}

/** Where a claim goes when it ends. */
export type Destination =
  | { readonly kind: 'done' }
  | { readonly kind: 'failed' }
  | { readonly kind: 'ready'; readonly counters: Counters }
  | { readonly kind: 'waiting'; readonly counters: Counters; readonly dueAt: number }
  | { readonly kind: 'held'; readonly counters: Counters }
  /** It waits for a person's answer. */
  | { readonly kind: 'needs'; readonly counters: Counters }
  /** Its processes cannot be shown gone: a person decides. */
  | { readonly kind: 'stuck' };

/** What a claim attempt came to. */
export type Claimed = { readonly kind: 'claimed'; readonly claim: Claim } | { readonly kind: 'empty' } | { readonly kind: 'paused' };

/**
 * The queue as a snake needs it. The directory is the first implementation; another store must pass the same contract suite
 * (tests/contract). Every call that changes a claim returns "lost" when the claim is no longer the caller's: the caller then
 * stops its session and publishes nothing.
 */
export interface QueueStore {
  claim(owner: Owner): Promise<Claimed>;
  /** Claims of this name's: the caller's own, which it goes on with, and those whose owner is proven dead, made the caller's. */
  adopt(owner: Owner): Promise<Claim[]>;
  /** The heartbeat, and the notice that the claim was taken away. */
  renew(claim: Claim): Promise<'ok' | 'lost'>;
  /** The only commit point. */
  settle(claim: Claim, to: Destination): Promise<'ok' | 'lost'>;
  /** The task's bytes as they are now; undefined when lost. */
  read(claim: Claim, maxBytes: number): Promise<Uint8Array | undefined>;
  /** Resolves when there may be something to claim, at the latest after `ms`. A hint, never the truth. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
  counts(): Promise<Readonly<Record<QueueState, number>>>;
  close(): void;
}

/** Where a recorded outcome sends its task. */
export function destinationOf(next: Next, nowMs: number): Destination {
  switch (next.kind) {
    case 'done':
    case 'failed':
      return { kind: next.kind };
    case 'again':
      // Under the name that `queue/children.ts` wrote down beforehand.
      if (next.children !== undefined) return { kind: 'waiting', counters: next.counters, dueAt: next.children.at };
      return next.waitMs > 0 ? { kind: 'waiting', counters: next.counters, dueAt: nowMs + next.waitMs } : { kind: 'ready', counters: next.counters };
    case 'parked':
      return { kind: 'needs', counters: next.counters };
    default:
      return unreachable(next);
  }
}
