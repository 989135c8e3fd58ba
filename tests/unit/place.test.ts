import { describe, expect, it } from 'vitest';
import { parseReady, parseWaiting, printClaim, printReady, printStuck, printWaiting } from '../../src/protocol/names.js';
import type { TaskSpec } from '../../src/protocol/task.js';
import { dueTime, placeTask } from '../../src/queue/place.js';

const NOW = 1_800_000_000_000;
const SPEC: TaskSpec = {
  id: undefined, title: '', agents: [], priority: undefined, after: [], notBefore: undefined, timeoutMs: undefined, attempts: undefined,
  workspace: undefined, base: undefined, policy: undefined, merge: undefined, changes: 'optional', mode: undefined, wakeMs: undefined, ask: undefined, workflow: undefined, with: {}, setup: undefined, verify: [], run: undefined, inputs: {}, parent: undefined, depth: 0, tags: [], budget: undefined, body: 'x',
};
const place = (spec: Partial<TaskSpec>, name: string): ReturnType<typeof placeTask> => placeTask({ ...SPEC, ...spec }, Buffer.from(name), NOW);
const FORMER = { id: 'old', place: { priority: 70, arrivedAt: NOW - 5000 }, counters: { failures: 1, losses: 2, deferrals: 3 } };

describe('placeTask', () => {
  it('a plain file is ready, with fresh counters, normal priority, and the id of its name', () => {
    const { id, state, fileName } = place({}, 'Fix the Login.md');
    expect([id, state]).toEqual(['fix-the-login', 'ready']);
    expect(parseReady(fileName)).toEqual({ id, place: { priority: 50, arrivedAt: NOW }, counters: { failures: 0, losses: 0, deferrals: 0 } });
  });

  it.each<[string, Partial<TaskSpec>, 'ready' | 'waiting', number]>([
    ['due in the past', { notBefore: { kind: 'at', atMs: NOW - 1 } }, 'ready', 0],
    ['due this instant', { notBefore: { kind: 'at', atMs: NOW } }, 'ready', 0],
    ['due later', { notBefore: { kind: 'at', atMs: NOW + 5 } }, 'waiting', NOW + 5],
    ['in two hours', { notBefore: { kind: 'in', ms: 7_200_000 } }, 'waiting', NOW + 7_200_000],
    ['in no time', { notBefore: { kind: 'in', ms: 0 } }, 'ready', 0],
    ['after another', { after: ['x'] }, 'waiting', 0],
    ['after another and later', { after: ['x'], notBefore: { kind: 'at', atMs: NOW + 5 } }, 'waiting', NOW + 5],
    ['after another, due in the past', { after: ['x'], notBefore: { kind: 'at', atMs: 5 } }, 'waiting', 5],
  ])('%s', (_name, spec, state, dueAt) => {
    const placed = place(spec, 'a.md');
    expect(placed.state).toBe(state);
    if (state === 'waiting') expect(parseWaiting(placed.fileName)?.dueAt).toBe(dueAt);
    else expect(parseReady(placed.fileName)).toBeDefined();
  });

  const owner = { snake: 's1', pid: 1, start: '1', boot: '00000000' };
  it.each([
    ['ready', printReady(FORMER)],
    ['waiting', printWaiting({ ...FORMER, dueAt: 5 })],
    ['claimed', printClaim({ ...FORMER, nonce: 'aaaaaaaaaa', owner })],
    ['stuck', printStuck({ ...FORMER, nonce: 'aaaaaaaaaa' })],
  ])('a file moved by hand from %s/ keeps its id, its arrival and its counters', (_name, fileName) => {
    const placed = place({}, fileName);
    expect(placed.id).toBe('old');
    expect(parseReady(placed.fileName)).toEqual({ ...FORMER, place: { priority: 50, arrivedAt: FORMER.place.arrivedAt } });
  });

  it('another id in the task itself makes it another task: fresh counters', () => {
    expect(parseReady(place({ id: 'new' }, printReady(FORMER)).fileName)).toMatchObject({ id: 'new', counters: { failures: 0, losses: 0, deferrals: 0 } });
    expect(parseReady(place({ id: 'old' }, printReady(FORMER)).fileName)).toMatchObject({ id: 'old', counters: FORMER.counters });
  });

  it('a file moved back whose wait is long over is ready', () => {
    expect(place({ notBefore: { kind: 'in', ms: 4000 } }, printReady(FORMER)).state).toBe('ready');
    expect(place({ notBefore: { kind: 'in', ms: 6000 } }, printReady(FORMER)).state).toBe('waiting');
  });

  it('names sort in dispatch order', () => {
    const names = [place({ priority: 0 }, 'z.md'), place({ priority: 10 }, 'y.md'), place({}, 'b.md'), place({ priority: 99 }, 'a.md')].map((one) => one.fileName);
    expect([...names].sort()).toEqual(names);
  });

  it.each([[undefined, 0], [{ kind: 'at', atMs: 9 } as const, 9], [{ kind: 'in', ms: 9 } as const, NOW + 9]])('dueTime of %j', (notBefore, wanted) => {
    expect(dueTime({ ...SPEC, notBefore }, NOW)).toBe(wanted);
  });
});
