import { unreachable } from '../lib/unreachable.js';
import type { Suspect, Verdict } from './state.js';

export interface ReapPolicy {
  /** How long a dead snake's live session is kept for an `up` that may come. */
  readonly adoptMs: number;
  /** An owner this long without a heartbeat is mentioned. */
  readonly lateMs: number;
}

/** Pure and total: a suspect → what to do with it, by which rule, on what evidence. */
export function decideReap(policy: ReapPolicy, suspect: Suspect): Verdict {
  if (suspect.kind === 'reaping') {
    if (suspect.reaper === 'self') return { kind: 'reap', rule: 'it was begun by us and came to nothing', evidence: `reaper ${suspect.name.reaper.pid} is this very process` };
    const evidence = `reaper ${suspect.name.reaper.pid} is ${suspect.reaper}`;
    if (suspect.reaper === 'dead') return { kind: 'reap', rule: 'its reaper died half-way', evidence };
    return { kind: 'keep', rule: suspect.reaper === 'alive' ? 'another reaper is at work' : 'unknown is not dead', evidence };
  }
  const { owner } = suspect.name;
  const who = `${owner.snake} (pid ${owner.pid})`;
  switch (suspect.owner) {
    case 'alive':
      return suspect.beatAgeMs > policy.lateMs
        ? { kind: 'report', rule: 'alive, and late with its heartbeat: never robbed', evidence: `${who} is alive, last heartbeat ${Math.round(suspect.beatAgeMs / 1000)} s ago` }
        : { kind: 'keep', rule: 'its owner is alive', evidence: `${who} is alive` };
    case 'unknown':
      return { kind: 'report', rule: 'unknown is not dead', evidence: `${who} could not be looked at` };
    case 'dead':
      return decideDead(policy, suspect, who);
    default:
      return unreachable(suspect.owner);
  }
}

function decideDead(policy: ReapPolicy, suspect: Extract<Suspect, { kind: 'claim' }>, who: string): Verdict {
  if (!suspect.sameBoot) return { kind: 'reap', rule: 'the machine was started anew', evidence: `${who} ran in another boot` };
  const evidence = `${who} is dead, its session is ${suspect.session}`;
  if (suspect.successor === 'expected') return { kind: 'keep', rule: 'its successor is expected to adopt it', evidence };
  if (suspect.successor === 'possible' && suspect.session !== 'dead' && suspect.session !== 'none' && suspect.beatAgeMs < policy.adoptMs) {
    return { kind: 'keep', rule: 'its session works on and an up may still adopt it', evidence };
  }
  return { kind: 'reap', rule: 'its owner is dead', evidence };
}
