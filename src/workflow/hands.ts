import { join } from 'node:path';
import { boundedMatch } from '../lib/bounded-regex.js';
import type { Files } from '../lib/files.js';
import type { Handed } from '../protocol/workflow.js';

const BYTES = 1024 * 1024;
/** For all lines of one file together. */
const MATCH_MS = 200;

/** How many whole lines of a handed file match; undefined: there is no such file. "slow": the pattern did not come to an end. */
export async function matchingLines(files: Files, handed: string, file: string, line: string): Promise<number | 'slow' | undefined> {
  const text = await files.read(join(handed, file), BYTES);
  if (text === undefined) return undefined;
  let count = 0;
  const until = performance.now() + MATCH_MS * 10;
  for (const one of text.split('\n')) {
    const matched = boundedMatch(`^(?:${line})$`, one.replace(/\r$/, '').slice(0, 10_000), MATCH_MS);
    if (matched.kind === 'slow' || performance.now() > until) return 'slow';
    if (matched.kind === 'yes') count += 1;
  }
  return count;
}

/** What a step was to hand on and did not; undefined: it handed on everything. */
export async function missingHands(files: Files, handed: string, wanted: readonly Handed[]): Promise<string | undefined> {
  for (const { file, line, times } of wanted) {
    const size = (await files.inspect(join(handed, file)))?.size;
    if (size === undefined || size === 0) return `it was to leave ${file} in $SNAKEPIT_HANDED, and did not`;
    if (line === undefined) continue;
    const found = await matchingLines(files, handed, file, line);
    if (found === 'slow') return `the pattern ${line} took too long on ${file}`;
    if (times === undefined ? (found ?? 0) < 1 : found !== times) return `${file} has ${found ?? 0} lines that match ${line}; ${times === undefined ? 'at least one is' : `exactly ${times} ${times === 1 ? 'is' : 'are'}`} wanted`;
  }
  return undefined;
}
