import * as fs from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { dueBy } from '../../src/queue/promote.js';
import type { WaitingName } from '../../src/protocol/names.js';
import { hasEnded, head, isIn, read, sh, withPit } from '../integration/rig.js';
import { QUICK } from '../rig/pit.js';

/*
 * The wall clock is set, a day back and a day ahead, while a pit, its snakes and their sessions work: no session is ended, no back-off waits for
 * a day, no due time of a template is made twice.
 */

const DAY_MS = 86_400_000;
const PRELOAD = fileURLToPath(new URL('../rig/shifted-clock.mjs', import.meta.url));
/** On a busy machine. Far less than a day. */
const BOUND_MS = 90_000;

it('a day back and a day ahead, in a session, a back-off, what waits for a task, a template: nothing is lost, ended, made twice, or waits for a day', { timeout: 300_000 }, () => {
  const clock = join(fs.mkdtempSync('/tmp/clock-'), 'offset');
  const set = (ms: number): void => fs.writeFileSync(clock, String(ms));
  set(0);
  return withPit({ config: [...QUICK.filter((line) => !line.startsWith('backoff')), 'backoff: {first: 20s, factor: 1, max: 20s}'], env: { NODE_OPTIONS: `--import=${PRELOAD}`, TEST_CLOCK_FILE: clock } }, async (pit) => {
    const [go, ran, healed] = ['go', 'ran', 'healed'].map((name) => pit.beside(name)) as [string, string, string];
    const runs = (id: string): number => read(ran).split('\n').filter((line) => line.startsWith(id)).length;
    const says = `echo "$SNAKEPIT_TASK_ID" >> '${ran}'`;
    fs.writeFileSync(join(pit.layout.recurring, 'daily.md'), head('every: 1d') + sh(says));
    await pit.up(2);
    pit.dropTask('long.md', head('timeout: 30m') + sh(says, `while ! [ -e '${go}' ]; do sleep 0.1; done`));
    pit.dropTask('then.md', head('after: [long]') + sh(says));
    pit.dropTask('flaky.md', head('attempts: 3') + sh(says, `[ -e '${healed}' ]`));
    await pit.until('one runs, one is in its back-off', () => runs('long') === 1 && isIn(pit, 'waiting', 'flaky'), BOUND_MS);
    const before = { pit: await pit.daemon(), snakes: await pit.snakes() };
    fs.writeFileSync(healed, '');

    set(-DAY_MS);
    await pit.until('the back-off is over', () => hasEnded(pit, 'done', 'flaky'), BOUND_MS);
    expect(runs('daily')).toBe(0);

    set(DAY_MS + 60_000);
    await pit.until('what came due has run', () => fs.readdirSync(pit.layout.dir('done')).some((name) => /^daily-.*\.result\.md$/.test(name)), BOUND_MS);
    set(0);
    pit.dropTask('between.md', sh(says));
    await pit.until('what is dropped is worked', () => hasEnded(pit, 'done', 'between'), BOUND_MS);
    set(DAY_MS + 120_000);
    pit.dropTask('again.md', sh(says));
    await pit.until('what is dropped is worked', () => hasEnded(pit, 'done', 'again'), BOUND_MS);
    expect(runs('daily')).toBe(1);

    expect([isIn(pit, 'claimed', 'long'), isIn(pit, 'waiting', 'then')]).toEqual([true, true]);
    fs.writeFileSync(go, '');
    await pit.until('all has ended', () => hasEnded(pit, 'done', 'long') && hasEnded(pit, 'done', 'then'), BOUND_MS);
    expect(['long', 'then', 'flaky', 'between', 'again'].map(runs)).toEqual([1, 1, 2, 1, 1]);
    expect({ pit: await pit.daemon(), snakes: await pit.snakes() }).toEqual(before);
    expect(pit.events().filter(({ kind }) => kind === 'session-ended' || kind === 'claim-lost' || kind === 'snake-ended')).toEqual([]);
  }).finally(() => fs.rmSync(join(clock, '..'), { recursive: true }));
});

it('a back-off is over where the clock was set back since it began; what names a time waits for that', () => {
  const waiting = (counters: WaitingName['counters'], dueAt: number): WaitingName => ({ id: 'x', place: { priority: 50, arrivedAt: 0 }, counters, dueAt });
  const now = 100 * DAY_MS;
  const failed = { failures: 1, losses: 0, deferrals: 0 };
  const untried = { failures: 0, losses: 0, deferrals: 0 };
  const cases: [string, WaitingName, number, number][] = [
    ['a back-off, the clock as it was', waiting(failed, now + 20_000), now, now + 20_000],
    ['a back-off, the clock set back', waiting(failed, now + DAY_MS + 20_000), now + DAY_MS, now],
    ['a back-off, the clock corrected by seconds', waiting(failed, now + 20_000), now + 5000, now + 20_000],
    ['a wait that names a day', waiting({ ...untried, deferrals: 1 }, now + 3 * DAY_MS), now + DAY_MS, now + 3 * DAY_MS],
    ['a task that was never tried', waiting(untried, now + DAY_MS + 20_000), now + DAY_MS, now + DAY_MS + 20_000],
  ];
  for (const [what, name, touchedAt, due] of cases) expect([what, dueBy(name, touchedAt, now)]).toEqual([what, due]);
});
