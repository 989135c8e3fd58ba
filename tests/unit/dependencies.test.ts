import { describe, expect, it } from 'vitest';
import { judgeWaiting, type Waiting, type WaitVerdict } from '../../src/queue/dependencies.js';

const NOW = 1_800_000_000_000;
const task = (id: string, after: string[] = [], dueAt = 0): Waiting => ({ id, after, dueAt });
const parent = (id: string, ...children: string[]): Waiting => ({ id, after: [], dueAt: 0, children });

function verdicts(tasks: Waiting[], done: string[] = [], failed: string[] = []): Map<string, WaitVerdict> {
  return judgeWaiting(tasks, { done: (id) => done.includes(id), failed: (id) => failed.includes(id) }, NOW);
}

describe('judgeWaiting', () => {
  it.each<[string, Waiting[], string[], string[], Record<string, string>]>([
    ['no tasks', [], [], [], {}],
    ['its time has come', [task('a', [], NOW)], [], [], { a: 'ready' }],
    ['its time has not come', [task('a', [], NOW + 1)], [], [], { a: 'not-yet' }],
    ['what it needs is done', [task('a', ['x', 'y'])], ['x', 'y'], [], { a: 'ready' }],
    ['one of two is done', [task('a', ['x', 'y'])], ['x'], [], { a: 'not-yet' }],
    ['nobody has dropped what it needs', [task('a', ['ghost'])], [], [], { a: 'not-yet' }],
    ['done, but too early', [task('a', ['x'], NOW + 5)], ['x'], [], { a: 'not-yet' }],
    ['what it needs failed', [task('a', ['x'])], [], ['x'], { a: 'never' }],
    ['what it needs failed, one of two', [task('a', ['x', 'y'])], ['x'], ['y'], { a: 'never' }],
    ['failed beats too early', [task('a', ['x'], NOW + 5)], [], ['x'], { a: 'never' }],
    ['done beats failed of the same id', [task('a', ['x'])], ['x'], ['x'], { a: 'ready' }],
    ['needs itself', [task('a', ['a'])], [], [], { a: 'never' }],
    ['two need each other', [task('a', ['b']), task('b', ['a'])], [], [], { a: 'never', b: 'never' }],
    ['three in a ring, a fourth outside waits on', [task('a', ['b']), task('b', ['c']), task('c', ['a']), task('d', ['a'])], [], [], { a: 'never', b: 'never', c: 'never', d: 'not-yet' }],
    ['a ring that a done task opens', [task('a', ['b']), task('b', ['a'])], ['b'], [], { a: 'ready', b: 'not-yet' }],
    ['a diamond is no ring', [task('a', ['b', 'c']), task('b', ['d']), task('c', ['d']), task('d', ['e'])], [], [], { a: 'not-yet', b: 'not-yet', c: 'not-yet', d: 'not-yet' }],
    ['the same need twice', [task('a', ['x', 'x'])], ['x'], [], { a: 'ready' }],
    ['its children are done', [parent('p', 'a', 'b')], ['a', 'b'], [], { p: 'ready' }],
    ['one of its children has failed, the other has not ended', [parent('p', 'a', 'b')], [], ['a'], { p: 'not-yet' }],
    ['its children have ended, some failed', [parent('p', 'a', 'b')], ['b'], ['a'], { p: 'ready' }],
    ['a child that needs its parent fails, the parent is told then', [parent('p', 'a', 'b'), task('a', ['p'])], ['b'], [], { p: 'not-yet', a: 'never' }],
    ['children of a child', [parent('p', 'a'), parent('a', 'b')], [], ['b'], { p: 'not-yet', a: 'ready' }],
  ])('%s', (_name, tasks, done, failed, wanted) => {
    expect(Object.fromEntries([...verdicts(tasks, done, failed)].map(([id, verdict]) => [id, verdict.kind]))).toEqual(wanted);
  });

  it('says what it waits for, what failed, and the way round', () => {
    expect(verdicts([task('a', ['x', 'y'])], ['x']).get('a')?.why).toBe('waits for y');
    expect(verdicts([task('a', ['x'])], [], ['x']).get('a')?.why).toBe('it needs x, which failed');
    expect(verdicts([task('a', [], NOW + 1)]).get('a')?.why).toContain('2027-01-15T08:00:00.001Z');
    expect(verdicts([task('a', ['b']), task('b', ['c']), task('c', ['a'])]).get('a')?.why).toBe('these tasks need each other: a → b → c → a');
  });

  it('says which children it waits for, and which have failed', () => {
    expect(verdicts([parent('p', 'a', 'b')], [], ['a']).get('p')?.why).toBe('waits for b; a failed');
    expect(verdicts([parent('p', 'a', 'b')], ['b'], ['a']).get('p')?.why).toBe('its children have ended; a failed');
  });

  it('names a way that is one: each step of the ring is a need', () => {
    const tasks = [task('a', ['z', 'b']), task('z', ['z2']), task('z2', []), task('b', ['z', 'c']), task('c', ['b', 'a'])];
    const why = verdicts(tasks).get('a')?.why ?? '';
    const way = why.replace(/^.*: /, '').split(' → ');
    expect(way[0]).toBe('a');
    expect(way.at(-1)).toBe('a');
    for (const [index, id] of way.slice(0, -1).entries()) expect(tasks.find((one) => one.id === id)?.after).toContain(way[index + 1]);
  });

  it('a chain of five thousand and a ring of five hundred neither overflow nor take long', () => {
    const chain = Array.from({ length: 5000 }, (_, index) => task(`t${index}`, index === 4999 ? [] : [`t${index + 1}`]));
    const ring = Array.from({ length: 500 }, (_, index) => task(`r${index}`, [`r${(index + 1) % 500}`]));
    const startedAt = performance.now();
    expect(verdicts(ring).get('r0')?.kind).toBe('never');
    expect(verdicts([chain[0] as Waiting, ...chain.slice(4900)]).get('t0')?.kind).toBe('not-yet');
    expect(performance.now() - startedAt).toBeLessThan(5000);
  });

  it('names needs that exist nowhere, where that was looked at', () => {
    const of = (ids?: readonly string[]): WaitVerdict | undefined => judgeWaiting([task('a', ['b', 'ghost'])], { done: () => false, failed: () => false }, NOW, ids === undefined ? undefined : { ids: new Set(ids), halted: new Set() }).get('a');
    expect(of(['a', 'b'])).toEqual({ kind: 'not-yet', why: 'waits for b, ghost (no such task)', missing: ['ghost'], halted: [] });
    expect(of()).toMatchObject({ why: 'waits for b, ghost' });
  });

  it('names what a person must move first, also behind others, and nothing of what can go on', () => {
    const tasks = [task('a', ['b']), task('b', ['parked', 'c']), task('c', []), task('d', ['c'])];
    const of = judgeWaiting(tasks, { done: () => false, failed: () => false }, NOW, { ids: new Set(['a', 'b', 'c', 'd', 'parked']), halted: new Set(['parked']) });
    expect(of.get('b')).toMatchObject({ kind: 'not-yet', why: 'waits for parked (which needs a person), c', halted: ['parked'] });
    expect(of.get('a')).toMatchObject({ kind: 'not-yet', why: 'waits for b', halted: ['b'] });
    expect(of.get('d')).toMatchObject({ kind: 'not-yet', halted: [] });
  });
});
