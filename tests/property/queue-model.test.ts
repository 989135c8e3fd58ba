import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import * as add from '../../src/cli/commands/add.js';
import * as answer from '../../src/cli/commands/answer.js';
import * as moves from '../../src/cli/commands/moves.js';
import * as reaper from '../../src/cleanup/reaper.js';
import * as directoryStore from '../../src/queue/directory-store.js';
import * as drops from '../../src/queue/drops.js';
import * as init from '../../src/queue/init.js';
import * as intake from '../../src/queue/intake.js';
import * as promote from '../../src/queue/promote.js';
import * as never from '../../src/runs/never.js';
import * as snakeLoop from '../../src/snake/loop.js';
import { cleanMutants, plantMutant } from '../rig/mutants.js';
import { TEST_SEED } from '../rig/seed.js';
import { Bench, protocolFrom, type Protocol } from './queue-model-bench.js';
import { deed, Step } from './queue-model-commands.js';
import { Model } from './queue-model-state.js';

/*
 * A map from task to state, and a real directory: thousands of random commands, by people, snakes, the pit and the reaper, many
 * of whom are killed on the way. After each, every file lies where the map says.
 */

const REAL: Protocol = { ...add, ...answer, ...moves, ...reaper, ...directoryStore, ...drops, ...init, ...intake, ...promote, ...never, ...snakeLoop };
const STEPS = Number(process.env['MODEL_STEPS'] ?? 10_000);
const LENGTH = 80;

/** Runs command sequences until so many steps were made; returns their number. */
async function play(protocol: Protocol, steps: number, options: { readonly endOnFailure?: boolean } = {}): Promise<number> {
  let made = 0;
  for (let round = 0; made < steps; round += 1) {
    await fc.assert(
      fc.asyncProperty(fc.commands([deed.map((one) => new Step(one))], { maxCommands: LENGTH, size: 'max' }), async (commands) => {
        const model = new Model();
        const bench = new Bench(protocol, 3);
        await bench.found();
        try {
          await fc.asyncModelRun(() => ({ model, real: bench }), commands);
        } finally {
          made += model.steps;
          bench.dispose();
        }
      }),
      { numRuns: 20, seed: TEST_SEED + round, ...options },
    );
  }
  return made;
}

describe('the queue, played against a map from task to state', () => {
  it(`lies as the map says after each of ${STEPS} commands`, { timeout: 600_000 }, async () => {
    expect(await play(REAL, STEPS)).toBeGreaterThanOrEqual(STEPS);
  });
});

describe('planted faults are noticed', () => {
  afterAll(cleanMutants);
  const faults: readonly (readonly [string, string, string, string])[] = [
    ['a second task of one id is taken in', 'queue/intake.js', 'return round.tasks.get(id)', 'return new Map().get(id)'],
    ['a file moved by hand is its own duplicate', 'queue/intake.js', 'file !== from', 'file !== undefined'],
    ['a place in line is kept and its counters are not', 'queue/place.js', 'former.counters', 'NO_COUNTERS'],
    ['losses are not counted', 'protocol/judge.js', 'losses: counters.losses + 1', 'losses: counters.losses'],
    ['the late are robbed', 'cleanup/decide.js', "{ kind: 'report', rule: 'alive, and late", "{ kind: 'reap', rule: 'alive, and late"],
    ['requeue without killing', 'cleanup/reaper.js', 'const ended = await endSession(', "const ended = await (async () => ({ kind: 'gone', killed: 0 }))("],
    ['the reaper does not look at what is recorded', 'cleanup/reaper.js', 'before !== undefined && !(', 'false && !('],
    ['check, then publish: settled by a copy', 'queue/directory-store.js', "(await files.rename(claim.file, target)) === 'missing'", "(await files.read(claim.file)) === undefined || (await files.write(target, await files.read(claim.file)), await files.remove(claim.file), false)"],
    ['a pause is not looked at', 'queue/directory-store.js', '(await files.exists(this.layout.paused)) ||', ''],
    ['what needs a failed task goes', 'queue/dependencies.js', "verdicts.set(task.id, { kind: 'never', why: `it needs", "verdicts.set(task.id, { kind: 'ready', why: `it needs"],
  ];
  it.each(faults)('%s', { timeout: 600_000 }, async (_what, file, find, replace) => {
    const mutant = await protocolFrom(plantMutant(file, find, replace));
    await expect(play(mutant, 3 * STEPS, { endOnFailure: true })).rejects.toThrow();
  });
});
