/** A waiting task as the decision sees it. */
export interface Waiting {
  readonly id: string;
  readonly dueAt: number;
  readonly after: readonly string[];
  /** Tasks that it has tossed and waits for, until each has ended, however. */
  readonly children?: readonly string[];
}

export type WaitVerdict =
  | { readonly kind: 'ready'; readonly why: string }
  /** Where it was looked at: needed ids that exist nowhere, and those that only a person can move, themselves or what they wait for. */
  | { readonly kind: 'not-yet'; readonly why: string; readonly missing?: readonly string[]; readonly halted?: readonly string[] }
  | { readonly kind: 'never'; readonly why: string };

/**
 * Pure: which waiting tasks may go, which wait on, and which can never go (a task they need failed, or they need each other).
 * An id that nobody has dropped yet is waited for: files arrive in any order. `known` tells a person which
 * those are, and for which a person is needed.
 */
export function judgeWaiting(tasks: readonly Waiting[], ended: { done(id: string): boolean; failed(id: string): boolean }, nowMs: number, known?: { readonly ids: ReadonlySet<string>; readonly halted: ReadonlySet<string> }): Map<string, WaitVerdict> {
  const needs = new Map(tasks.map((task) => [task.id, [...task.after, ...(task.children ?? []).filter((id) => !ended.failed(id))].filter((id) => !ended.done(id))]));
  const verdicts = new Map<string, WaitVerdict>();
  const halted = known === undefined ? new Set<string>() : haltedBy(known.halted, needs);
  for (const task of tasks) {
    const open = needs.get(task.id) ?? [];
    const failed = open.find((id) => ended.failed(id));
    const children = task.children ?? [];
    const lost = children.filter((id) => !ended.done(id) && ended.failed(id));
    // A child that needs its parent fails of it; the parent has worked already, and is told.
    const circle = failed === undefined && children.length === 0 ? findCircle(task.id, needs) : undefined;
    if (failed !== undefined) verdicts.set(task.id, { kind: 'never', why: `it needs ${failed}, which failed` });
    else if (circle !== undefined) verdicts.set(task.id, { kind: 'never', why: `these tasks need each other: ${circle.join(' → ')}` });
    else if (open.length > 0) {
      const missing = known === undefined ? [] : open.filter((id) => !known.ids.has(id));
      const stopped = open.filter((id) => halted.has(id));
      const word = (id: string): string => (missing.includes(id) ? ' (no such task)' : known?.halted.has(id) === true ? ' (which needs a person)' : '');
      verdicts.set(task.id, { kind: 'not-yet', why: `waits for ${open.map((id) => `${id}${word(id)}`).join(', ')}${lost.length === 0 ? '' : `; ${lost.join(', ')} failed`}`, missing, halted: stopped });
    }
    else if (task.dueAt > nowMs) verdicts.set(task.id, { kind: 'not-yet', why: `not before ${new Date(task.dueAt).toISOString()}` });
    else if (lost.length > 0) verdicts.set(task.id, { kind: 'ready', why: `its children have ended; ${lost.join(', ')} failed` });
    else verdicts.set(task.id, { kind: 'ready', why: task.after.length + children.length > 0 ? `${[...task.after, ...children].join(', ')} done` : 'its time has come' });
  }
  return verdicts;
}

/** Those that a person must move, and all that wait for one of them, through others too. */
function haltedBy(halted: ReadonlySet<string>, needs: ReadonlyMap<string, readonly string[]>): Set<string> {
  const all = new Set(halted);
  for (let before = -1; before !== all.size; ) {
    before = all.size;
    for (const [id, open] of needs) if (open.some((one) => all.has(one))) all.add(id);
  }
  return all;
}

/** A path from `start` back to itself through open needs; iterative, each task entered once. */
function findCircle(start: string, needs: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const cameFrom = new Map<string, string>();
  const stack = [start];
  while (stack.length > 0) {
    const here = stack.pop() as string;
    for (const next of needs.get(here) ?? []) {
      if (next === start) {
        const path = [start];
        for (let at = here; at !== start; at = cameFrom.get(at) as string) path.unshift(at);
        return [start, ...path];
      }
      if (!cameFrom.has(next)) {
        cameFrom.set(next, here);
        stack.push(next);
      }
    }
  }
  return undefined;
}
