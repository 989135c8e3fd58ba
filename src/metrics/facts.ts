import type { Sum } from '../ledger/sum.js';
import type { QueueState } from '../protocol/layout.js';
import type { Tally } from './tally.js';

/** All that metrics are made of. Times wall clock, milliseconds. */
export interface MetricFacts {
  readonly at: number;
  readonly version: string;
  readonly pit: { readonly up: boolean; readonly startedAt: number | undefined };
  readonly paused: boolean;
  readonly configRefused: boolean;
  /** undefined: no pit looks. */
  readonly tmuxUp: boolean | undefined;
  readonly sessions: number;
  readonly tasks: Readonly<Record<QueueState, number>>;
  readonly refused: number;
  /** By state, when the oldest task of it was put in line; of one without tasks nothing. */
  readonly oldestAt: Readonly<Record<string, number | undefined>>;
  readonly snakesWanted: number;
  readonly snakes: Readonly<Record<string, number>>;
  readonly residents: Readonly<Record<string, number>>;
  readonly breakers: readonly { readonly account: string; readonly state: string; readonly until: number | undefined }[];
  /** By account. */
  readonly used: ReadonlyMap<string, Sum>;
  readonly disk: { readonly used: number | undefined; readonly limit: number; readonly free: number | undefined };
  /** Pings and calls of hooks that wait to be delivered. */
  readonly outbox: number;
  readonly tally: Tally;
}
