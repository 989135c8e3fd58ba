import type { Work } from '../recurring/state.js';

/** What failed, as far as it matters to whether anybody has to look. */
export interface FailedSeen {
  readonly count: number;
  /** The newest: wall clock, milliseconds. */
  readonly newestAt: number | undefined;
}

const some = (since: number | undefined): Work => ({ kind: 'some', since });

/** A triage has something to do where something failed that no earlier one was told of. */
export function decideTriage({ count, newestAt }: FailedSeen, since: number | undefined): Work {
  if (count === 0 || newestAt === undefined) return { kind: 'nothing', evidence: 'failed/ is empty' };
  if (since !== undefined && newestAt < since) return { kind: 'nothing', evidence: `nothing has failed since ${new Date(since).toISOString()}` };
  return some(since);
}

/** A digest has something to say where a task has ended. */
export function decideWeek(ended: number, fromMs: number, since: number | undefined): Work {
  return ended === 0 ? { kind: 'nothing', evidence: `no task has ended since ${new Date(fromMs).toISOString()}` } : some(since);
}
