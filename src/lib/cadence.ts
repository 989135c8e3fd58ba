/*
 * When somebody is to be woken. Pure. The next time is moved, and lies on disk, before the first character is typed: a waker that
 * is killed in between wakes nobody twice, at the price of a wake that may not have been said. What was missed comes once.
 *
 *   waiting ──due, and fit──► typing ──said──► waiting
 *                               │ ▲
 *                        refused▼ │ after a pause, and fit
 *                              owed
 */

/** All instants are wall clock, milliseconds. */
export interface Cadence {
  readonly dueAt: number;
  /** "typing" found by somebody who is not typing: whoever was has died. "owed": nothing was typed, and it is tried again. */
  readonly wake: 'waiting' | 'typing' | 'owed';
  readonly triedAt: number;
}

export interface CadencePolicy {
  readonly everyMs: number;
  /** Between two tries of one wake that was refused. */
  readonly retryMs: number;
}

/** Whether it may be spoken to now; where not, why. */
export type Fitness = { readonly fit: true } | { readonly fit: false; readonly why: string };

export type CadenceStep = { readonly kind: 'none' | 'wake' | 'lost'; readonly rule: string };

export const beginCadence = (everyMs: number, nowMs: number): Cadence => ({ dueAt: nowMs + everyMs, wake: 'waiting', triedAt: nowMs });

/** A shorter cadence, and a clock that was set back, bring the next time nearer; nothing moves it away. */
export function nearer({ everyMs }: Pick<CadencePolicy, 'everyMs'>, before: Cadence, nowMs: number): Cadence {
  return { ...before, dueAt: Math.min(before.dueAt, nowMs + everyMs), triedAt: Math.min(before.triedAt, nowMs) };
}

/** What is remembered, and whether it may be spoken to → what is remembered then, and at most one wake. "lost": one was begun by somebody who has died. */
export function decideCadence(policy: CadencePolicy, before: Cadence, fitness: Fitness, nowMs: number): { readonly cadence: Cadence; readonly step: CadenceStep } {
  const cadence = nearer(policy, before, nowMs);
  const none = (rule: string): { cadence: Cadence; step: CadenceStep } => ({ cadence, step: { kind: 'none', rule } });
  if (cadence.wake === 'typing') return { cadence: { ...cadence, wake: 'waiting' }, step: { kind: 'lost', rule: 'whoever typed it has died: it may have been said, and is not said again' } };
  const owed = cadence.wake === 'owed';
  if (!owed && nowMs < cadence.dueAt) return none('it is not due');
  if (!fitness.fit) return none(fitness.why);
  if (owed && nowMs - cadence.triedAt < policy.retryMs) return none('it was refused a moment ago');
  return { cadence: { dueAt: nowMs + policy.everyMs, wake: 'typing', triedAt: nowMs }, step: { kind: 'wake', rule: owed ? 'it was refused before, and is tried again' : 'it is due' } };
}

/** After the typing: a refused one is owed, any other has been said. */
export const afterTyping = (cadence: Cadence, refused: boolean): Cadence => ({ ...cadence, wake: refused ? 'owed' : 'waiting' });
