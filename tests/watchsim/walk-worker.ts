import { cutNudges, loadWalk, walk } from './walk.js';

/** Arguments: "walks", first seed, last seed, step between seeds; or "cuts". Stops at the first failure, which is one line of JSON, or null. */
const [what = 'walks', ...numbers] = process.argv.slice(2);
const [first = 1, last = 0, stride = 1] = numbers.map(Number);
const loaded = loadWalk();

async function firstFailure(): Promise<{ seed: number; problem: string } | null> {
  for (let seed = first; seed <= last; seed += stride) {
    const problem = await walk(seed, loaded);
    if (problem !== undefined) return { seed, problem };
  }
  return null;
}

const cut = what === 'cuts' ? await cutNudges(loaded) : undefined;
process.stdout.write(`${JSON.stringify(what === 'walks' ? await firstFailure() : cut === undefined ? null : { seed: 0, problem: cut })}\n`);
