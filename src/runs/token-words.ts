import { show } from '../lib/text.js';
import { unreachable } from '../lib/unreachable.js';
import type { AgentRecord } from '../protocol/records.js';
import { sumTokens, type TokenCount, type TokenSource } from '../protocol/tokens.js';

/** "2,111 in, 49 out (5 of them reasoning), 433 from the cache; $0.0123; some-model". What is nought is left out, but for in and out. */
export function describeTokens({ input, output, cacheRead, cacheWrite, reasoning, costUsd, model }: TokenCount): string {
  const counts = [`${print(input)} in`, `${print(output)} out${reasoning === 0 ? '' : ` (${print(reasoning)} of them reasoning)`}`];
  if (cacheRead > 0) counts.push(`${print(cacheRead)} from the cache`);
  if (cacheWrite > 0) counts.push(`${print(cacheWrite)} to the cache`);
  return [counts.join(', '), ...(costUsd === undefined || costUsd === 0 ? [] : [`$${costUsd.toFixed(costUsd < 1 ? 4 : 2)}`]), ...(model === undefined ? [] : [show(model)])].join('; ');
}

/** The same of one attempt, with who says so; undefined for a program that never tells. */
export function describeUse(use: Pick<AgentRecord, 'tokens' | 'uncounted'> | undefined): string | undefined {
  if (use?.tokens !== undefined) return `${describeTokens(use.tokens)}; ${describeSource(use.tokens.source)}`;
  return use?.uncounted === undefined ? undefined : `not counted: ${show(use.uncounted)}`;
}

/** What several sessions used together, with the first reason why one is not counted. */
export function sumUse(uses: readonly Pick<AgentRecord, 'tokens' | 'uncounted'>[]): Pick<AgentRecord, 'tokens' | 'uncounted'> | undefined {
  if (uses.length <= 1) return uses[0];
  const counted = uses.flatMap(({ tokens }) => tokens ?? []);
  const [first] = counted;
  const uncounted = uses.find((use) => use.uncounted !== undefined)?.uncounted;
  if (first === undefined) return uncounted === undefined ? undefined : { uncounted };
  return { tokens: { ...first, ...sumTokens(counted) }, ...(uncounted === undefined ? {} : { uncounted }) };
}

const print = (count: number): string => count.toLocaleString('en-US');

function describeSource(source: TokenSource): string {
  switch (source) {
    case 'transcript':
      return 'from its transcript';
    case 'export':
      return 'from its export of the session';
    case 'stream':
      return 'from what it printed';
    case 'events':
      return 'from its events';
    default:
      return unreachable(source);
  }
}
