import { describe, expect, it } from 'vitest';
import { chooseSessions, endsBefore, isStep, sessionHead, type LoggedSession, type Which } from '../../src/cli/log-sessions.js';

const session = (dir: string, attempt: number, step?: string, more: Partial<LoggedSession> = {}): LoggedSession => ({ dir, attempt, step, agent: 'claude', startedAt: attempt * 1000, resumed: false, printedAt: attempt * 1000 + 500, ...more });
const all = [session('a', 1, '01-build'), session('b', 1, '02-review'), session('c', 2, '03-fix-r2'), session('d', 2, '04-review-r2'), session('e', 1)];

describe('which sessions of a task are shown', () => {
  it.each<[Which, readonly string[]]>([
    [{}, ['e']],
    [{ all: true }, ['a', 'b', 'c', 'd', 'e']],
    [{ attempt: 2 }, ['d']],
    // After a retry by hand a number is there twice: the newest of them.
    [{ attempt: 1 }, ['e']],
    [{ attempt: 1, all: true }, ['a', 'b', 'e']],
    [{ step: 'review' }, ['d']],
    [{ step: 'review', all: true }, ['b', 'd']],
    [{ step: 'review', attempt: 1 }, ['b']],
    [{ step: 'review-r2' }, ['d']],
    [{ step: '01-build' }, ['a']],
  ])('%j', (which, dirs) => {
    const chosen = chooseSessions('x', all, which);
    expect(chosen.ok ? chosen.value.map(({ dir }) => dir) : chosen.error).toEqual(dirs);
  });

  it.each<[readonly LoggedSession[], Which, string]>([
    [[], {}, 'x has printed nothing yet'],
    [[], { attempt: 1 }, 'x has no attempt 1 that printed anything; see: snakepit show x'],
    [all, { attempt: 7 }, 'x has no attempt 7 that printed anything; see: snakepit show x'],
    [all, { step: 'tests' }, 'x has no step tests; there is 01-build, 02-review, 03-fix-r2, 04-review-r2'],
    [all, { step: 'fix', attempt: 1 }, 'attempt 1 of x has no step fix; there is 01-build, 02-review'],
    [all.slice(4), { step: 'fix' }, 'x has no step fix: it worked without a workflow'],
  ])('%# says why there is none', (sessions, which, why) => expect(chooseSessions('x', sessions, which)).toEqual({ ok: false, error: why }));

  it('a step is called by its name, its round or its directory, and by nothing else', () => {
    for (const name of ['review', 'review-r2', '04-review-r2']) expect(isStep('04-review-r2', name)).toBe(true);
    for (const name of ['04', 'view', '04-review', 'r2', '']) expect(isStep('04-review-r2', name)).toBe(false);
    expect(isStep(undefined, 'review')).toBe(false);
  });

  it('what another attempt said in the same session is not its own', () => {
    const resumed = [session('a', 1), session('b', 2), session('c', 3, undefined, { resumed: true }), session('d', 4, undefined, { resumed: true })];
    expect(['a', 'b', 'c', 'd'].map((dir) => endsBefore(resumed, dir))).toEqual([3000, 3000, 4000, undefined]);
  });

  it('each begins with a line at the margin', () => {
    expect(sessionHead(session('d', 2, '04-review-r2'))).toBe('# attempt 2, 04-review-r2: claude');
    expect(sessionHead(session('e', 1, undefined, { agent: undefined }))).toBe('# attempt 1');
  });
});
