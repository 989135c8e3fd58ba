import type { Sum } from '../../ledger/sum.js';
import type { MergeEnd } from '../../protocol/merging.js';
import type { Refusal } from '../../queue/refusals.js';
import type { Night } from './night.js';

/** A task that has ended, by its records. Instants are wall clock, milliseconds. */
export interface EndedFact {
  readonly id: string;
  readonly title: string;
  readonly at: number;
  readonly attempts: number;
  /** Why it failed. */
  readonly why: string | undefined;
  /** What a person does next: words of ours. */
  readonly next: string | undefined;
  /** What its session said at its end. */
  readonly says: string | undefined;
  readonly branch: string | undefined;
  readonly size: { readonly files: number; readonly added: number; readonly removed: number } | undefined;
  readonly merge: MergeEnd | undefined;
}

/** The newest of those that ended in the time told of; `count`: all of them. `before`: others that lie there since earlier. */
export interface EndedFacts {
  readonly count: number;
  readonly before: number;
  readonly tasks: readonly EndedFact[];
}

/** A task that waits for a person. */
export interface PersonFact {
  readonly id: string;
  /** Since when; undefined where that is not known. */
  readonly at: number | undefined;
  /** A parked one: what kind of question; "" where its records are gone. */
  readonly reason: string;
  readonly what: string;
}

/** What somebody or something used. */
export interface UseRow {
  readonly name: string;
  readonly sum: Sum;
}

export interface UseFacts {
  readonly total: Sum;
  readonly profiles: readonly UseRow[];
  readonly accounts: readonly UseRow[];
  /** The tasks that ran longest, and those that cost most. */
  readonly longest: readonly UseRow[];
  readonly dearest: readonly UseRow[];
  /** Where the budgets of the day and the pit stand, in words of ours. */
  readonly budgets: readonly string[];
}

/** All that a report tells. */
export interface ReportFacts {
  readonly from: number;
  readonly to: number;
  readonly done: EndedFacts;
  readonly failed: EndedFacts;
  /** Files that were not taken in, and that nobody has mended. */
  readonly refused: readonly Refusal[];
  readonly asks: readonly PersonFact[];
  readonly stuck: readonly PersonFact[];
  /** Tasks that have not ended. */
  readonly open: { readonly running: number; readonly inLine: number; readonly held: number };
  /** Why nothing is claimed, although something is in line. */
  readonly halted: string | undefined;
  readonly night: Night;
  readonly use: UseFacts;
}
