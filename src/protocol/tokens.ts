/** Tokens of a session, in the same sense for every program: `input` without what came from the cache, `output` with the reasoning. */
export interface TokenCount {
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
  /** A part of `output`. */
  readonly reasoning: number;
  /** US dollars, where the program says so. */
  readonly costUsd?: number;
  /** The last one that was named. */
  readonly model?: string;
}

/**
 * Who gave the figures: the program's transcript, its own export of it, what it printed, or what its hooks wrote. Only the first
 * two are of the whole session; the others are of this attempt alone.
 */
export type TokenSource = 'transcript' | 'export' | 'stream' | 'events';

/** What one attempt added to its session. */
export interface TokenRecord extends TokenCount {
  readonly source: TokenSource;
  /** The program's session; a resumed one has a record in each of its attempts. */
  readonly session: string;
}

const COUNTS = ['input', 'output', 'cacheRead', 'cacheWrite', 'reasoning'] as const;
const NONE: TokenCount = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, reasoning: 0 };

export function sumTokens(all: readonly TokenCount[]): TokenCount {
  const sum = { ...NONE };
  for (const one of all) for (const field of COUNTS) sum[field] += one[field];
  const costs = all.flatMap(({ costUsd }) => costUsd ?? []);
  const model = all.findLast((one) => one.model !== undefined)?.model;
  return { ...sum, ...(costs.length === 0 ? {} : { costUsd: costs.reduce((a, b) => a + b, 0) }), ...(model === undefined ? {} : { model }) };
}

/** What has come to a session since; undefined where its figures went back, which makes the difference mean nothing. */
export function tokensSince(before: TokenCount, now: TokenCount): TokenCount | undefined {
  if (COUNTS.some((field) => now[field] < before[field])) return undefined;
  const added = Object.fromEntries(COUNTS.map((field) => [field, now[field] - before[field]])) as Record<(typeof COUNTS)[number], number>;
  const costUsd = now.costUsd === undefined ? undefined : Math.max(0, now.costUsd - (before.costUsd ?? 0));
  return { ...added, ...(costUsd === undefined ? {} : { costUsd }), ...(now.model === undefined ? {} : { model: now.model }) };
}
