import { DEFAULT_PRIORITY, type TaskSpec } from '../protocol/task.js';
import { NO_COUNTERS, parseAny, printReady, printWaiting, type TaskName } from '../protocol/names.js';
import { idFromFileName } from '../protocol/task-id.js';

/** Where a task that is taken in goes: a directory and the name it gets there. */
export interface Placement {
  readonly id: string;
  readonly state: 'ready' | 'waiting' | 'held';
  readonly fileName: string;
}

/**
 * Pure. The id is the task's own, else its file name's; a file that once had a place in line and counters (moved by hand
 * between our directories) keeps them. What has to wait, for a time or for others, goes to waiting/.
 */
export function placeTask(spec: TaskSpec, fileName: Buffer, arrivedAt: number): Placement {
  const former = parseAny(fileName.toString('latin1'));
  const id = spec.id ?? former?.id ?? idFromFileName(fileName);
  const place = { priority: spec.priority ?? DEFAULT_PRIORITY, arrivedAt: former?.place.arrivedAt ?? arrivedAt };
  const name: TaskName = { id, place, counters: former?.id === id ? former.counters : NO_COUNTERS };
  const dueAt = dueTime(spec, place.arrivedAt);
  if (dueAt > arrivedAt || spec.after.length > 0) return { id, state: 'waiting', fileName: printWaiting({ ...name, dueAt: Math.max(dueAt, 0) }) };
  return { id, state: 'ready', fileName: printReady(name) };
}

/** The same, until a person lets it go: what it has to wait for is looked at then. */
export function heldInstead(placement: Placement): Placement {
  const name = parseAny(placement.fileName);
  return name === undefined ? placement : { id: placement.id, state: 'held', fileName: printReady(name) };
}

/** Wall-clock milliseconds before which the task may not start; 0: none. */
export function dueTime(spec: TaskSpec, arrivedAt: number): number {
  if (spec.notBefore === undefined) return 0;
  return spec.notBefore.kind === 'at' ? spec.notBefore.atMs : arrivedAt + spec.notBefore.ms;
}
