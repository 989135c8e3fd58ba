import type { ProcessIdentity } from '../lib/processes.js';
import { unreachable } from '../lib/unreachable.js';
import type { DesiredRecord } from '../protocol/snapshot.js';
import type { Slot, Slots, SnakeSeen, SuperviseAction } from './state.js';

export interface SupervisePolicy {
  readonly firstBackoffMs: number;
  readonly maxBackoffMs: number;
  /** So many deaths within `deathWindowMs` make a slot broken. */
  readonly deathLimit: number;
  readonly deathWindowMs: number;
  /** A spawned snake that has not registered by then is taken for dead when its process is gone. */
  readonly startPatienceMs: number;
}

export const SUPERVISE_POLICY: SupervisePolicy = { firstBackoffMs: 500, maxBackoffMs: 10_000, deathLimit: 5, deathWindowMs: 60_000, startPatienceMs: 15_000 };

export const snakeNames = (count: number): string[] => Array.from({ length: count }, (_, index) => `s${index + 1}`);

/**
 * Pure: slots, what was seen of each snake, and what is wanted → new slots and what to do. At most one action a slot a
 * tick. A snake that cannot be looked at ("unknown") keeps its slot: no second one is started beside it. `orphans`: names whose
 * claim has a dead owner; unless the pit goes down now, each gets a successor that adopts it, and is told to end once it has.
 */
export function supervise(policy: SupervisePolicy, slots: Slots, seen: ReadonlyMap<string, SnakeSeen>, spawned: ReadonlyMap<string, SnakeSeen>, desired: DesiredRecord, nowMonoMs: number, orphans: ReadonlySet<string> = new Set()): { slots: Map<string, Slot>; actions: SuperviseAction[] } {
  const next = new Map<string, Slot>();
  const actions: SuperviseAction[] = [];
  const wanted = new Set([...(desired.mode === 'run' ? snakeNames(desired.snakes) : []), ...(desired.mode === 'now' ? [] : orphans)]);
  for (const snake of new Set([...wanted, ...slots.keys(), ...seen.keys()])) {
    const before = slots.get(snake) ?? { kind: 'empty' as const, deaths: [] };
    const looked = seen.get(snake) ?? { kind: 'absent' as const };
    const observed = observeSlot(policy, before, looked, spawned.get(snake) ?? { kind: 'absent' }, nowMonoMs);
    if (observed.died !== undefined) actions.push({ kind: 'tell-ended', snake, process: observed.died, why: 'it died', rule: 'registered, and its process is gone' });
    if (observed.slot.kind === 'broken' && before.kind !== 'broken') actions.push({ kind: 'tell-broken', snake, why: observed.slot.why, rule: `${policy.deathLimit} deaths within ${policy.deathWindowMs} ms` });
    const { slot, action } = steer(snake, observed.slot, wanted.has(snake), desired.mode, looked.kind === 'unknown', nowMonoMs);
    if (action !== undefined) actions.push(action);
    if (slot.kind !== 'empty' || wanted.has(snake)) next.set(snake, slot);
  }
  return { slots: next, actions };
}

/** What was seen, put into the slot. */
function observeSlot(policy: SupervisePolicy, slot: Slot, seen: SnakeSeen, spawned: SnakeSeen, nowMonoMs: number): { slot: Slot; died?: ProcessIdentity } {
  const deaths = slot.kind === 'broken' ? [] : slot.deaths;
  switch (seen.kind) {
    case 'alive':
      if (slot.kind === 'up' && slot.process.pid === seen.process.pid && slot.process.start === seen.process.start) return { slot };
      return { slot: { kind: 'up', process: seen.process, sinceMonoMs: nowMonoMs, deaths, told: 'nothing' } };
    case 'unknown':
      return { slot };
    case 'died':
      // The registration of an earlier one, whose death has been counted: one that died between two looks is seen dead twice.
      if (slot.kind === 'starting' && !same(slot.process, seen.process)) return absent(policy, slot, spawned, nowMonoMs);
      if (slot.kind === 'backing-off' && slot.last !== undefined && same(slot.last, seen.process)) return { slot };
      return { slot: afterDeath(policy, slot, deaths, seen.process, nowMonoMs), died: seen.process };
    case 'absent':
      return absent(policy, slot, spawned, nowMonoMs);
    default:
      return unreachable(seen);
  }
}

function absent(policy: SupervisePolicy, slot: Slot, spawned: SnakeSeen, nowMonoMs: number): { slot: Slot; died?: ProcessIdentity } {
  switch (slot.kind) {
    case 'up':
      return { slot: { kind: 'empty', deaths: slot.deaths } };
    case 'starting': {
      const overdue = nowMonoMs - slot.sinceMonoMs >= policy.startPatienceMs;
      if (spawned.kind === 'alive' || spawned.kind === 'unknown') return { slot };
      if (spawned.kind === 'died' || overdue) return { slot: afterDeath(policy, slot, slot.deaths, slot.process, nowMonoMs), died: slot.process };
      return { slot };
    }
    case 'empty':
    case 'backing-off':
    case 'broken':
      return { slot };
    default:
      return unreachable(slot);
  }
}

const same = (a: ProcessIdentity, b: ProcessIdentity): boolean => a.pid === b.pid && a.start === b.start;

function afterDeath(policy: SupervisePolicy, slot: Slot, before: readonly number[], last: ProcessIdentity, nowMonoMs: number): Slot {
  if (slot.kind === 'broken') return slot;
  const deaths = [...before.filter((at) => nowMonoMs - at < policy.deathWindowMs), nowMonoMs];
  if (deaths.length >= policy.deathLimit) return { kind: 'broken', why: `it died ${deaths.length} times within ${Math.round(policy.deathWindowMs / 1000)} s` };
  // The first death is forgiven at once: its successor adopts the session without a pause.
  const waitMs = deaths.length === 1 ? 0 : Math.min(policy.maxBackoffMs, policy.firstBackoffMs * 2 ** (deaths.length - 2));
  return { kind: 'backing-off', untilMonoMs: nowMonoMs + waitMs, deaths, last };
}

/** What is wanted, put to the slot: at most one action. */
function steer(snake: string, slot: Slot, wanted: boolean, mode: DesiredRecord['mode'], mayLive: boolean, nowMonoMs: number): { slot: Slot; action?: SuperviseAction } {
  switch (slot.kind) {
    case 'empty':
      return wanted && !mayLive ? { slot, action: { kind: 'spawn', snake, rule: 'wanted, and nobody lives under its name' } } : { slot };
    case 'backing-off':
      if (!wanted) return { slot: { kind: 'empty', deaths: slot.deaths } };
      return nowMonoMs >= slot.untilMonoMs && !mayLive ? { slot, action: { kind: 'spawn', snake, rule: 'its back-off is over' } } : { slot };
    case 'up': {
      const { process } = slot;
      if (mode === 'now' && slot.told !== 'now') return { slot: { ...slot, told: 'now' }, action: { kind: 'stop-now', snake, process, rule: 'the pit goes down now' } };
      if (!wanted && slot.told === 'nothing') return { slot: { ...slot, told: 'drain' }, action: { kind: 'drain', snake, process, rule: mode === 'run' ? 'fewer snakes are wanted' : 'the pit drains' } };
      return { slot };
    }
    case 'starting':
      return { slot };
    case 'broken':
      return { slot };
    default:
      return unreachable(slot);
  }
}
