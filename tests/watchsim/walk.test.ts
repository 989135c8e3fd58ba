import { execFile } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { strip } from '../rig/strip.mjs';

/*
 * In plain Node, one child process for each core: inside the test runner it takes four times as long.
 *
 *     npm run walks                                                  three hundred walks; without it, what CI has time for
 *     WALK_SEEDS=3000 npx vitest run tests/watchsim/walk.test.ts     more, or fewer
 *     WALK_SEED=123 npx vitest run tests/watchsim/walk.test.ts       one
 */
const CORES = 2;
const SEEDS = Number(process.env['WALK_SEEDS'] ?? 60);
/** A planted fault that takes more walks than this would not be found in daily use. */
const FAULT_SEEDS = 300;
/** They are looked for in so many at a time: a core that finds nothing in its share stops where the other has found something. */
const FAULT_CHUNK = 20;
const replay = process.env['WALK_SEED'];

/** To take the types out takes seconds, and is done once: a planted fault is a copy of this. */
let built = '';
const made: string[] = [];
beforeAll(() => {
  built = strip(['src', 'tests/sim', 'tests/watchsim', 'tests/rig']);
  made.push(built);
});
afterAll(() => made.forEach((dir) => fs.rmSync(dir, { recursive: true, force: true })));

async function work(dir: string, ...args: readonly (string | number)[]): Promise<string | undefined> {
  const { stdout } = await promisify(execFile)(process.execPath, [join(dir, 'tests', 'watchsim', 'walk-worker.js'), ...args.map(String)]);
  const failure = JSON.parse(stdout) as { seed: number; problem: string } | null;
  return failure === null ? undefined : `${failure.seed === 0 ? '' : `seed ${failure.seed}: `}${failure.problem}`;
}

async function walks(from: number, to: number, dir = built): Promise<string | undefined> {
  const failures = await Promise.all(Array.from({ length: CORES }, (_, core) => work(dir, 'walks', from + core, to, CORES)));
  return failures.find((one) => one !== undefined);
}

describe('random sessions, with and without deaths of the pit', () => {
  it(`${replay ?? `walks 1 to ${SEEDS}`}: the same decisions`, { timeout: 60_000 + SEEDS * 2000 }, async () => {
    const from = performance.now();
    const failure = replay === undefined ? await walks(1, SEEDS) : await walks(Number(replay), Number(replay));
    console.log(`${replay ?? SEEDS} walks in ${Math.round(performance.now() - from)} ms`);
    expect(failure).toBeUndefined();
  });
});

it.skipIf(replay !== undefined)('a nudge that is cut off anywhere is told no second time', { timeout: 300_000 }, async () => {
  expect(await work(built, 'cuts')).toBeUndefined();
});

describe.skipIf(replay !== undefined)('planted faults are noticed', () => {
  /** The whole of it with one exact text of one file of the pit replaced. */
  function plant(file: string, find: string, replace: string): string {
    const dir = `${built}-${made.length}`;
    made.push(dir);
    fs.cpSync(built, dir, { recursive: true, verbatimSymlinks: true });
    const path = join(dir, 'src', file);
    const source = fs.readFileSync(path, 'utf8');
    if (source.split(find).length !== 2) throw new Error(`the text to mutate does not occur once in ${file}: ${find}`);
    fs.writeFileSync(path, source.replace(find, () => replace));
    return dir;
  }

  /** Where each shows: in nudges that are cut off, or in walks. */
  const faults: readonly (readonly [string, 'cuts' | 'walks', string, string, string])[] = [
    ['what was remembered is not read', 'cuts', 'watchdog/ladder.js', 'parseJson(await files.read(join(from.dir, RUN_FILES.watch)))', 'undefined'],
    ['a nudge is written down after it is typed', 'cuts', 'watchdog/ladder.js', "if (action.kind !== 'none' || due)", "if (action.kind !== 'nudge' && (action.kind !== 'none' || due))"],
    ['silence counts from the start of the pit', 'walks', 'watchdog/ladder.js', 'watch: persisted ?? beginWatch(from.attempt.startedAt)', 'watch: { ...(persisted ?? beginWatch(from.attempt.startedAt)), progressAt: clock.wallMs() }'],
    ['what is not seen is silent', 'walks', 'watchdog/watch.js', "one.attempt.mode === 'interactive' && row === undefined", 'false'],
    ['a half-written verdict is left', 'walks', 'watchdog/ladder.js', 'if (persisted?.verdict !== undefined', 'if (false && persisted?.verdict !== undefined'],
    ['its own typing is progress, after a death', 'walks', 'watchdog/ladder.js', 'if (look.kind === \'seen\' && one.cutOff !== undefined)', 'if (false)'],
  ];
  it.each(faults)('%s', { timeout: 300_000 }, async (what, by, file, find, replace) => {
    const dir = plant(file, find, replace);
    let failure = by === 'cuts' ? await work(dir, 'cuts') : undefined;
    for (let from = 1; by === 'walks' && from <= FAULT_SEEDS && failure === undefined; from += FAULT_CHUNK) failure = await walks(from, from + FAULT_CHUNK - 1, dir);
    console.log(`${what}: ${failure ?? `not seen in ${by === 'cuts' ? 'nudges that are cut off' : `${FAULT_SEEDS} walks`}`}`);
    expect(failure).toBeDefined();
  });
});
