import type { Outcome } from '../protocol/judge.js';
import type { Changes } from '../protocol/records.js';

/** What becomes of an attempt during which the project's own checkout changed. */
export const GUARDS = ['fail', 'report', 'off'] as const;
export type Guard = (typeof GUARDS)[number];

/**
 * Pure: an attempt that ended well, and what git says of it → its outcome. A change of the checkout while no other session of the pit
 * ran can have been made by it or by a person, and fails it; where several ran it cannot be told whose it was, and each story says so.
 */
export function judgeChanges(outcome: Outcome, changes: Changes | undefined, wanted: { readonly guard: Guard; readonly required: boolean }): Outcome {
  if (outcome.kind !== 'done' || changes === undefined) return outcome;
  if (wanted.guard === 'fail' && changes.outside.length > 0 && changes.alone) {
    return { kind: 'failed', reason: 'left-workspace', detail: `the project's own checkout changed while it ran: ${describeOutside(changes.outside)}`, final: false };
  }
  if (wanted.required && changes.fileCount === 0 && changes.leftovers !== 'kept') return { kind: 'failed', reason: 'no-change', detail: `the task wants changes, and its branch ${changes.branch} has none`, final: false };
  return outcome;
}

const SHOWN = 10;

export const describeOutside = (outside: readonly string[]): string => `${outside.slice(0, SHOWN).join(', ')}${outside.length > SHOWN ? ` and ${outside.length - SHOWN} more` : ''}`;
