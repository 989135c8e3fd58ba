import type { Price } from '../config/config.js';
import type { Spent } from '../ledger/budget.js';
import { moneyOf } from '../ledger/price.js';
import { allTokens, type TokenCount } from '../protocol/tokens.js';

const MINUTE_MS = 60_000;

/** What a count comes to: money by the list of prices, else what its program says it cost, else unknown. A program that says 0 is not believed: it may not know either. */
export function spentOf(prices: readonly (readonly Price[])[], count: TokenCount, account: string, atMs: number, ms: number): Spent {
  const money = moneyOf(prices, count, account, atMs);
  const usd = money.kind === 'known' ? money.usd : count.costUsd !== undefined && count.costUsd > 0 ? count.costUsd : undefined;
  return { tokens: allTokens(count), money: usd ?? 0, minutes: ms / MINUTE_MS, unpriced: usd === undefined ? 1 : 0 };
}
