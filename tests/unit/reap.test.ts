import { describe, expect, it } from 'vitest';
import { decideReap, type ReapPolicy } from '../../src/cleanup/decide.js';
import type { Successor, Suspect } from '../../src/cleanup/state.js';
import type { Liveness } from '../../src/lib/processes.js';

const POLICY: ReapPolicy = { adoptMs: 60_000, lateMs: 30_000 };
const PROCESS = { pid: 5, start: '5', boot: 'b0b0b0b0' };
const NAME = { id: 'x', place: { priority: 50, arrivedAt: 1 }, counters: { failures: 0, losses: 0, deferrals: 0 }, nonce: 'aaaaaaaaaa', owner: { snake: 's1', ...PROCESS } };

const claim = (owner: Liveness, session: Liveness | 'none', successor: Successor, sameBoot = true, beatAgeMs = 1000): Suspect => ({ kind: 'claim', file: 'f', name: NAME, owner, sameBoot, session, beatAgeMs, successor });

describe('decideReap', () => {
  it.each<[string, Suspect, 'keep' | 'report' | 'reap']>([
    ['alive', claim('alive', 'none', 'refused'), 'keep'],
    ['alive, at the edge of late', claim('alive', 'none', 'refused', true, 30_000), 'keep'],
    ['alive, and late: told, never robbed', claim('alive', 'none', 'refused', true, 30_001), 'report'],
    ['alive, and a day late', claim('alive', 'dead', 'refused', true, 86_400_000), 'report'],
    ['unknown', claim('unknown', 'none', 'refused'), 'report'],
    ['unknown, its session dead, a day late', claim('unknown', 'dead', 'refused', true, 86_400_000), 'report'],
    ['dead, a successor comes', claim('dead', 'alive', 'expected'), 'keep'],
    ['dead, a successor comes, the session is dead too', claim('dead', 'dead', 'expected'), 'keep'],
    ['dead, scaled away', claim('dead', 'alive', 'refused'), 'reap'],
    ['dead, no pit, the session works', claim('dead', 'alive', 'possible'), 'keep'],
    ['dead, no pit, the session cannot be seen', claim('dead', 'unknown', 'possible'), 'keep'],
    ['dead, no pit, the session works, and nobody came', claim('dead', 'alive', 'possible', true, 60_000), 'reap'],
    ['dead, no pit, the session is dead', claim('dead', 'dead', 'possible'), 'reap'],
    ['dead, no pit, never had a session', claim('dead', 'none', 'possible'), 'reap'],
    ['another boot, whatever else is said', claim('dead', 'none', 'expected', false), 'reap'],
    ['another boot, no pit', claim('dead', 'none', 'possible', false), 'reap'],
    ['a dead reaper', { kind: 'reaping', file: 'f', name: { ...NAME, reaper: PROCESS }, reaper: 'dead' }, 'reap'],
    ['this very process, which failed at it', { kind: 'reaping', file: 'f', name: { ...NAME, reaper: PROCESS }, reaper: 'self' }, 'reap'],
    ['a living reaper', { kind: 'reaping', file: 'f', name: { ...NAME, reaper: PROCESS }, reaper: 'alive' }, 'keep'],
    ['an unknown reaper', { kind: 'reaping', file: 'f', name: { ...NAME, reaper: PROCESS }, reaper: 'unknown' }, 'keep'],
  ])('%s', (_name, suspect, wanted) => {
    expect(decideReap(POLICY, suspect).kind).toBe(wanted);
  });

  it('over every combination: only a proven death is reaped, and rule and evidence are given', () => {
    let reaped = 0;
    for (const owner of ['alive', 'dead', 'unknown'] as const)
      for (const session of ['alive', 'dead', 'unknown', 'none'] as const)
        for (const successor of ['expected', 'refused', 'possible'] as const)
          for (const sameBoot of [true, false])
            for (const age of [0, 30_001, 60_000, 1e9]) {
              const verdict = decideReap(POLICY, claim(owner, session, successor, sameBoot, age));
              expect(verdict.rule).not.toBe('');
              expect(verdict.evidence).toContain('s1 (pid 5)');
              if (owner !== 'dead') expect(verdict.kind).not.toBe('reap');
              if (owner === 'dead' && sameBoot && successor === 'expected') expect(verdict.kind).toBe('keep');
              if (owner === 'dead' && !sameBoot) expect(verdict.kind).toBe('reap');
              if (verdict.kind === 'reap') reaped += 1;
            }
    expect(reaped).toBeGreaterThan(0);
  });
});
