import type { Clock } from '../lib/clock.js';
import type { Processes } from '../lib/processes.js';
import { claimEntry, handEntry, parseHand } from '../protocol/names.js';
import { endSession, type Ended } from './end-session.js';

/** Which of the processes that a person's commands started: those for one task, or those whose command is proven dead. */
export type Which = { readonly kind: 'of-task'; readonly id: string } | { readonly kind: 'of-dead' };

/**
 * Ends what commands of a person left at work for tasks that no worker held, such as the checks of `snakepit merge`: every process that bears
 * their mark. "of-task" is for whoever holds the task now, by its claim or by its file under its lock: any other command has lost it.
 */
export async function endHands(processes: Processes, clock: Clock, pitId: string, which: Which, graceMs: number): Promise<Ended> {
  const found = await processes.markers(handEntry(pitId));
  if (found === undefined) return { kind: 'unknown', evidence: 'the process table could not be read' };
  let killed = 0;
  for (const marker of found.keys()) {
    const hand = parseHand(marker);
    if (hand === undefined || !(which.kind === 'of-task' ? hand.id === which.id : (await processes.liveness(hand.by)) === 'dead')) continue;
    const ended = await endSession(processes, clock, { entry: claimEntry(marker), with: handEntry(pitId) }, graceMs);
    if (ended.kind === 'unknown') return ended;
    killed += ended.killed;
  }
  return { kind: 'gone', killed };
}
