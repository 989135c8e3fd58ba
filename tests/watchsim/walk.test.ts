import * as fs from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { strip } from '../rig/strip.mjs';
import { cutNudges, loadWalk, walk } from './walk.js';
import type { PitCode } from './world.js';

/*
 *     WALK_SEEDS=3000 npx vitest run tests/watchsim/walk.test.ts     more walks
 *     WALK_SEED=123 npx vitest run tests/watchsim/walk.test.ts       one
 */
const SEEDS = Number(process.env['WALK_SEEDS'] ?? 300);
const replay = process.env['WALK_SEED'];
const loaded = loadWalk();

async function firstFailure(from: number, to: number, code?: PitCode): Promise<string | undefined> {
  for (let seed = from; seed <= to; seed += 1) {
    const problem = await walk(seed, loaded, code);
    if (problem !== undefined) return `seed ${seed}: ${problem}`;
  }
  return undefined;
}

describe('random sessions, with and without deaths of the pit', () => {
  it(`${replay ?? `${SEEDS} walks`}: the same decisions`, { timeout: 60_000 + SEEDS * 2000 }, async () => {
    const from = performance.now();
    const failure = replay === undefined ? await firstFailure(1, SEEDS) : await firstFailure(Number(replay), Number(replay));
    console.log(`${replay ?? SEEDS} walks in ${Math.round(performance.now() - from)} ms`);
    expect(failure).toBeUndefined();
  });
});

it.skipIf(replay !== undefined)('a nudge that is cut off anywhere is told no second time', { timeout: 300_000 }, async () => {
  expect(await cutNudges(loaded)).toBeUndefined();
});

describe.skipIf(replay !== undefined)('planted faults are noticed', () => {
  const made: string[] = [];
  afterAll(() => made.forEach((dir) => fs.rmSync(dir, { recursive: true, force: true })));

  /** The pit's code with one exact text of one file replaced. */
  async function plant(file: string, find: string, replace: string): Promise<PitCode> {
    const dir = strip(['src']);
    made.push(dir);
    const path = join(dir, 'src', file);
    const source = fs.readFileSync(path, 'utf8');
    if (source.split(find).length !== 2) throw new Error(`the text to mutate does not occur once in ${file}: ${find}`);
    fs.writeFileSync(path, source.replace(find, () => replace));
    return (await import(/* @vite-ignore */ pathToFileURL(join(dir, 'src', 'pit', 'loop.js')).href)) as PitCode;
  }

  const faults: readonly (readonly [string, string, string, string])[] = [
    ['what was remembered is not read', 'watchdog/ladder.js', 'parseJson(await files.read(join(from.dir, RUN_FILES.watch)))', 'undefined'],
    ['a nudge is written down after it is typed', 'watchdog/ladder.js', "if (action.kind !== 'none' || due)", "if (action.kind !== 'nudge' && (action.kind !== 'none' || due))"],
    ['silence counts from the start of the pit', 'watchdog/ladder.js', 'watch: persisted ?? beginWatch(from.attempt.startedAt)', 'watch: { ...(persisted ?? beginWatch(from.attempt.startedAt)), progressAt: clock.wallMs() }'],
    ['what is not seen is silent', 'watchdog/watch.js', "one.attempt.mode === 'interactive' && row === undefined", 'false'],
    ['a half-written verdict is left', 'watchdog/ladder.js', 'if (persisted?.verdict !== undefined', 'if (false && persisted?.verdict !== undefined'],
    ['its own typing is progress, after a death', 'watchdog/ladder.js', 'if (look.kind === \'seen\' && one.cutOff !== undefined)', 'if (false)'],
  ];
  it.each(faults)('%s', { timeout: 300_000 }, async (what, file, find, replace) => {
    const code = await plant(file, find, replace);
    const failure = (await cutNudges(loaded, code)) ?? (await firstFailure(1, SEEDS, code));
    console.log(`${what}: ${failure ?? `not seen in ${SEEDS} walks`}`);
    expect(failure).toBeDefined();
  });
});
