import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { PLANTS } from '../chaos/plants.js';
import { printTable } from '../chaos/print.js';
import { soak } from '../chaos/soak.js';
import { turns } from '../rig/in-turn.js';
import { cleanMutants, plantProgram } from '../rig/mutants.js';
import { TEST_SEED as SEED } from '../rig/seed.js';

/*
 * The short soak; `npm run chaos` is the long one. Whatever is hit, every task ends exactly once, was never worked by two at once, and has
 * its attempts counted right. And the planted faults, each with what makes its window certain, are found.
 *
 *   CHAOS_TASKS=200  TEST_SEED=drawn  KEEP_PIT=1
 */

const TASKS = Number(process.env['CHAOS_TASKS'] ?? 200);

/** They wait more than they compute. */
const inTurn = turns(2);

const dirs: string[] = [];
const freshDir = (): string => {
  const dir = fs.mkdtempSync(join(tmpdir(), 'chaos-'));
  dirs.push(dir);
  return dir;
};
afterAll(() => {
  for (const dir of dirs) fs.rmSync(dir, { recursive: true, force: true });
  cleanMutants();
});

it.concurrent(`${TASKS} tasks, seed ${SEED}: each ends exactly once`, { timeout: 20 * 60_000 }, () =>
  inTurn(async () => {
    console.log(`chaos: seed ${SEED}`);
    const { faults, table, log } = await soak({ seed: SEED, tasks: TASKS, snakes: 8, rate: 15, minutes: 10 }, freshDir());
    console.log(printTable(table));
    // Its first line is what a second go tells of the first.
    expect(faults, `${faults.join('; ')}\n${fs.readFileSync(log, 'utf8').split('\n').slice(-60).join('\n')}`).toEqual([]);
  }));

describe('planted faults are found', () => {
  it.concurrent.each(Object.entries(PLANTS))('%s', { timeout: 20 * 60_000 }, (_name, { file, find, replace, options, finds }) =>
    inTurn(async () => {
      const { faults } = await soak({ ...options, seed: SEED, dist: plantProgram(file, find, replace) }, freshDir());
      expect(faults.join('\n')).toMatch(finds);
    }));
});
