import type { OutcomeRecord } from './run-dir.js';

/** Who decided, where a record names the agent of an attempt. No agent's name has a blank. */
export const BY_HAND = 'a person';

type Decidable = Pick<OutcomeRecord, 'agent'>;

/** Whether a record tells what a person decided of ended work (merge, reject), and not how an attempt ended: no session was in it. */
export const isDecision = ({ agent }: Decidable): boolean => agent === BY_HAND;

/** How often the task was tried: what a person decided of it is no attempt. */
export const countTries = (records: readonly Decidable[]): number => records.filter((record) => !isDecision(record)).length;

/** The last attempt that was one; undefined: there was none. */
export const lastTry = <T extends Decidable>(records: readonly T[]): T | undefined => records.findLast((record) => !isDecision(record));

/** A decision as its own line: `a person merged it into main`. */
export function describeDecision({ outcome, merge }: Pick<OutcomeRecord, 'outcome' | 'merge'>): string {
  if (merge?.kind === 'merged') return `${BY_HAND} merged it into ${merge.into}`;
  if (outcome.kind === 'failed' && outcome.reason === 'rejected') return `${BY_HAND} rejected it${outcome.detail.startsWith(`${BY_HAND} rejected it`) ? outcome.detail.slice(`${BY_HAND} rejected it`.length) : `: ${outcome.detail}`}`;
  if (outcome.kind === 'parked') return `${BY_HAND} sent it back to its author`;
  return `${BY_HAND} decided that it is ${outcome.kind}`;
}
