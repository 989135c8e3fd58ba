import { afterAll, beforeAll, expect, test } from 'vitest';
import { MUTANTS } from './mutants.js';
import { runSchedule } from './schedule.js';
import type { Report } from './worker.js';
import { build, type Build } from './workers.js';

/*
 * The real protocol code through thousands of schedules, with a crash, a stop or an order at any step.
 *
 *     npm run sim                                    twenty thousand schedules; without it, what CI has time for
 *     SIM_SEEDS=100000 npx vitest run tests/sim      more, or fewer
 *     SIM_SEED=123 npx vitest run tests/sim          one schedule, step by step
 *     SIM_SEED=123 SIM_MUTANT=1 npx vitest run tests/sim     the same with a planted bug
 */

const CORES = 2;
const SEEDS = Number(process.env['SIM_SEEDS'] ?? 3000);
/** A planted bug that takes more schedules than this would not be found in daily use. */
const MUTANT_SEEDS = 6000;
/** They are looked for in so many at a time: a core that finds nothing in its share stops where the other has found something. */
const MUTANT_CHUNK = 250;
const replay = process.env['SIM_SEED'];

let built: Build;
beforeAll(() => {
  built = build();
});
afterAll(() => built.remove());

const howToReplay = (seed: number, mutant = ''): string => `replay: SIM_SEED=${seed}${mutant} npx vitest run tests/sim`;

test.runIf(replay !== undefined)('one schedule, step by step', async () => {
  const mutant = MUTANTS[Number(process.env['SIM_MUTANT'] ?? 0) - 1];
  const verdict = await runSchedule(Number(replay), { traced: true, mutant });
  process.stdout.write(`${verdict.trace.join('\n')}\n`);
  expect(verdict.violation).toBeUndefined();
});

test.skipIf(replay !== undefined)(`schedules 1 to ${SEEDS} keep every promise`, { timeout: 60_000 + SEEDS * 30 }, async () => {
  const startedAt = performance.now();
  const reports = await Promise.all(Array.from({ length: CORES }, (_, core) => built.run(1 + core, SEEDS, CORES, -1)));
  const seconds = (performance.now() - startedAt) / 1000;
  const sum = (of: 'schedules' | 'steps' | 'faults'): number => reports.reduce((total, report) => total + report[of], 0);
  process.stdout.write(`${sum('schedules')} schedules, ${sum('steps')} steps, ${sum('faults')} faults in ${seconds.toFixed(1)} s: ${Math.round(sum('schedules') / seconds)} schedules a second\n`);
  const failures = reports.flatMap(({ failure }) => (failure === undefined ? [] : [failure])).sort((a, b) => a.seed - b.seed);
  for (const { seed, violation } of failures) process.stdout.write(`seed ${seed}: ${violation}\n${howToReplay(seed)}\n`);
  expect(failures).toEqual([]);
});

test.skipIf(replay !== undefined)('the same seed gives the same schedule', async () => {
  const [one, two] = [await runSchedule(7, { traced: true }), await runSchedule(7, { traced: true })];
  expect(one.trace.length).toBeGreaterThan(50);
  expect(two).toEqual(one);
});

test.skipIf(replay !== undefined).each(MUTANTS.map(({ name }, number) => ({ name, number })))('planted bug is caught: $name', { timeout: 300_000 }, async ({ name, number }) => {
  let first: Report['failure'];
  for (let from = 1; from <= MUTANT_SEEDS && first === undefined; from += MUTANT_CHUNK) {
    const reports = await Promise.all(Array.from({ length: CORES }, (_, core) => built.run(from + core, from + MUTANT_CHUNK - 1, CORES, number)));
    first = reports.flatMap(({ failure }) => (failure === undefined ? [] : [failure])).sort((a, b) => a.seed - b.seed)[0];
  }
  process.stdout.write(`${name}\n  ${first === undefined ? `not seen in ${MUTANT_SEEDS} schedules` : `seed ${first.seed}: ${first.violation}; ${howToReplay(first.seed, ` SIM_MUTANT=${number + 1}`)}`}\n`);
  expect(first).toBeDefined();
});
