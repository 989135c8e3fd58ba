import { describe, expect, it } from 'vitest';
import type { Slot, SnakeSeen } from '../../src/pit/state.js';
import { snakeNames, supervise, SUPERVISE_POLICY as POLICY } from '../../src/pit/supervise.js';

const NOW = 1_000_000;
const P1 = { pid: 11, start: '1', boot: 'b0b0b0b0' };
const P2 = { pid: 22, start: '2', boot: 'b0b0b0b0' };
const up = (told: 'nothing' | 'drain' | 'now' = 'nothing', deaths: number[] = []): Slot => ({ kind: 'up', process: P1, sinceMonoMs: NOW - 5000, deaths, told });
const starting = (sinceMonoMs = NOW - 100): Slot => ({ kind: 'starting', process: P1, sinceMonoMs, deaths: [] });
const backingOff = (untilMonoMs: number, deaths = [NOW - 100]): Slot => ({ kind: 'backing-off', untilMonoMs, deaths });
const EMPTY: Slot = { kind: 'empty', deaths: [] };
const BROKEN: Slot = { kind: 'broken', why: 'w' };
const ALIVE: SnakeSeen = { kind: 'alive', process: P1 };
const DIED: SnakeSeen = { kind: 'died', process: P1 };
const UNKNOWN: SnakeSeen = { kind: 'unknown' };
const ABSENT: SnakeSeen = { kind: 'absent' };
type Mode = 'run' | 'drain' | 'now';

function step(slot: Slot | undefined, seen: SnakeSeen, mode: Mode = 'run', snakes = 1, spawned: SnakeSeen = ABSENT, now = NOW): { slot: Slot | undefined; kinds: string[] } {
  const result = supervise(POLICY, new Map(slot === undefined ? [] : [['s1', slot]]), new Map([['s1', seen]]), new Map([['s1', spawned]]), { snakes, mode, generation: 1 }, now);
  return { slot: result.slots.get('s1'), kinds: result.actions.map((action) => action.kind) };
}

describe('supervise', () => {
  it.each<[string, Slot | undefined, SnakeSeen, Mode, number, SnakeSeen, string | undefined, string[]]>([
    ['nobody, wanted', undefined, ABSENT, 'run', 1, ABSENT, 'empty', ['spawn']],
    ['nobody, not wanted', undefined, ABSENT, 'run', 0, ABSENT, undefined, []],
    ['nobody, going down', undefined, ABSENT, 'drain', 1, ABSENT, undefined, []],
    ['empty, wanted', EMPTY, ABSENT, 'run', 1, ABSENT, 'empty', ['spawn']],
    ['empty, found alive: taken over', EMPTY, ALIVE, 'run', 1, ABSENT, 'up', []],
    ['unheard of, found alive: taken over', undefined, ALIVE, 'run', 1, ABSENT, 'up', []],
    ['unheard of, alive, not wanted', undefined, ALIVE, 'run', 0, ABSENT, 'up', ['drain']],
    ['unheard of, alive, going down now', undefined, ALIVE, 'now', 1, ABSENT, 'up', ['stop-now']],
    ['empty, a dead registration: the first death is forgiven at once', EMPTY, DIED, 'run', 1, ABSENT, 'backing-off', ['tell-ended', 'spawn']],
    ['starting, not registered yet', starting(), ABSENT, 'run', 1, ALIVE, 'starting', []],
    ['starting, unknown', starting(), ABSENT, 'run', 1, UNKNOWN, 'starting', []],
    ['starting, registered', starting(), ALIVE, 'run', 1, ALIVE, 'up', []],
    ['starting, its process died unregistered', starting(), ABSENT, 'run', 1, DIED, 'backing-off', ['tell-ended', 'spawn']],
    ['starting, long overdue, process alive: no second beside it', starting(NOW - 60_000), ABSENT, 'run', 1, ALIVE, 'starting', []],
    ['starting, overdue and absent', starting(NOW - 60_000), ABSENT, 'run', 1, ABSENT, 'backing-off', ['tell-ended', 'spawn']],
    ['starting, not overdue and absent', starting(), ABSENT, 'run', 1, ABSENT, 'starting', []],
    ['starting, not wanted any more: told when it is up', starting(), ABSENT, 'run', 0, ALIVE, 'starting', []],
    ['up and alive', up(), ALIVE, 'run', 1, ABSENT, 'up', []],
    ['up, unknown', up(), UNKNOWN, 'run', 1, ABSENT, 'up', []],
    ['up, died', up(), DIED, 'run', 1, ABSENT, 'backing-off', ['tell-ended', 'spawn']],
    ['up, left cleanly, still wanted', up(), ABSENT, 'run', 1, ABSENT, 'empty', ['spawn']],
    ['up, left cleanly, not wanted', up('drain'), ABSENT, 'run', 0, ABSENT, undefined, []],
    ['up, not wanted', up(), ALIVE, 'run', 0, ABSENT, 'up', ['drain']],
    ['up, not wanted, told already', up('drain'), ALIVE, 'run', 0, ABSENT, 'up', []],
    ['up, the pit drains', up(), ALIVE, 'drain', 1, ABSENT, 'up', ['drain']],
    ['up, draining already', up('drain'), ALIVE, 'drain', 1, ABSENT, 'up', []],
    ['up, down now', up(), ALIVE, 'now', 1, ABSENT, 'up', ['stop-now']],
    ['up, draining, then down now', up('drain'), ALIVE, 'now', 1, ABSENT, 'up', ['stop-now']],
    ['up, told now already', up('now'), ALIVE, 'now', 1, ABSENT, 'up', []],
    ['up, died while going down', up('drain'), DIED, 'drain', 1, ABSENT, undefined, ['tell-ended']],
    ['backing off, not yet', backingOff(NOW + 1), ABSENT, 'run', 1, ABSENT, 'backing-off', []],
    ['backing off, its time has come', backingOff(NOW), ABSENT, 'run', 1, ABSENT, 'backing-off', ['spawn']],
    ['backing off, found alive after all', backingOff(NOW + 1), ALIVE, 'run', 1, ABSENT, 'up', []],
    ['backing off, unknown, not yet', backingOff(NOW + 1), UNKNOWN, 'run', 1, ABSENT, 'backing-off', []],
    ['backing off, not wanted', backingOff(NOW), ABSENT, 'run', 0, ABSENT, undefined, []],
    ['broken, wanted', BROKEN, ABSENT, 'run', 1, ABSENT, 'broken', []],
    ['broken, a dead registration', BROKEN, DIED, 'run', 1, ABSENT, 'broken', ['tell-ended']],
    ['broken, unknown', BROKEN, UNKNOWN, 'run', 1, ABSENT, 'broken', []],
    ['broken, found alive', BROKEN, ALIVE, 'run', 1, ABSENT, 'up', []],
    ['broken, going down', BROKEN, ABSENT, 'now', 1, ABSENT, 'broken', []],
  ])('%s', (_name, slot, seen, mode, snakes, spawned, wanted, actions) => {
    const after = step(slot, seen, mode, snakes, spawned);
    expect(after.slot?.kind).toBe(wanted);
    expect(after.kinds).toEqual(actions);
  });

  it('answers every combination, with at most one order a slot, and starts nobody who is not wanted', () => {
    for (const slot of [undefined, EMPTY, starting(), starting(0), up(), up('drain'), up('now'), backingOff(NOW - 1), backingOff(NOW + 1), BROKEN])
      for (const seen of [ALIVE, DIED, UNKNOWN, ABSENT])
        for (const spawned of [ALIVE, DIED, UNKNOWN, ABSENT])
          for (const mode of ['run', 'drain', 'now'] as const)
            for (const snakes of [0, 1]) {
              const { kinds } = step(slot, seen, mode, snakes, spawned);
              const orders = kinds.filter((kind) => !kind.startsWith('tell-'));
              expect(orders.length).toBeLessThanOrEqual(1);
              if (mode !== 'run' || snakes === 0) expect(orders).not.toContain('spawn');
              if (seen.kind === 'alive') expect(orders).not.toContain('spawn');
              if (mode === 'run' && snakes === 1) expect(orders).not.toContain('drain');
            }
  });

  it('a new process under the name makes a new slot, which nobody has told anything', () => {
    expect(step(up('drain'), { kind: 'alive', process: P2 }).slot).toMatchObject({ kind: 'up', process: P2, told: 'nothing' });
  });

  // A pit that was restarted knows no slot; a snake that is registered and cannot be looked at may live.
  it.each([[undefined], [EMPTY], [backingOff(NOW)]])('starts no second snake beside one that cannot be looked at', (slot) => {
    expect(step(slot, UNKNOWN).kinds).not.toContain('spawn');
  });

  it.each<[string, Slot | undefined, SnakeSeen, Mode, number, string[]]>([
    ['the pit drains: a successor adopts it', undefined, ABSENT, 'drain', 1, ['spawn']],
    ['the pit drains, its registration still there', undefined, DIED, 'drain', 1, ['tell-ended', 'spawn']],
    ['more than are wanted', undefined, ABSENT, 'run', 0, ['spawn']],
    ['its successor is up and has not adopted it yet: not told to end', up(), ALIVE, 'drain', 1, []],
    ['its owner cannot be looked at: no second one', undefined, UNKNOWN, 'drain', 1, []],
    ['the pit goes down now: it is reaped', undefined, ABSENT, 'now', 1, []],
    ['broken: it is reaped', BROKEN, ABSENT, 'drain', 1, []],
  ])('a claim with a dead owner, %s', (_name, slot, seen, mode, snakes, actions) => {
    const result = supervise(POLICY, new Map(slot === undefined ? [] : [['s1', slot]]), new Map([['s1', seen]]), new Map(), { snakes, mode, generation: 1 }, NOW, new Set(['s1']));
    expect(result.actions.map((action) => action.kind)).toEqual(actions);
  });

  it('backs off longer with each death and is broken at the fifth within a minute', () => {
    let slot: Slot | undefined = up();
    const waits: number[] = [];
    for (let death = 1; death <= 5; death += 1) {
      const now = NOW + death * 1000;
      const after = step(slot, DIED, 'run', 1, ABSENT, now);
      slot = after.slot;
      if (slot?.kind === 'backing-off') {
        waits.push(slot.untilMonoMs - now);
        slot = { kind: 'up', process: P1, sinceMonoMs: now, deaths: slot.deaths, told: 'nothing' };
      } else expect(after.kinds).toEqual(['tell-ended', 'tell-broken']);
    }
    expect(waits).toEqual([0, 500, 1000, 2000]);
    expect(slot).toMatchObject({ kind: 'broken', why: expect.stringContaining('5 times') });
  });

  it('forgets deaths that are older than the window', () => {
    const old = [1, 2, 3, 4].map((n) => NOW - POLICY.deathWindowMs - n);
    expect(step(up('nothing', old), DIED).slot).toMatchObject({ kind: 'backing-off', deaths: [NOW], untilMonoMs: NOW });
  });

  it('treats many slots on their own, in one round', () => {
    const slots = new Map<string, Slot>([['s1', up()], ['s3', up()]]);
    const seen = new Map<string, SnakeSeen>([['s1', ALIVE], ['s3', ALIVE]]);
    const { actions } = supervise(POLICY, slots, seen, new Map(), { snakes: 2, mode: 'run', generation: 1 }, NOW);
    expect(actions.map((action) => `${action.kind} ${action.snake}`).sort()).toEqual(['drain s3', 'spawn s2']);
    expect(actions.every((action) => action.rule !== '')).toBe(true);
    expect(snakeNames(3)).toEqual(['s1', 's2', 's3']);
  });
});
