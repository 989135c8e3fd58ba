import type { Price } from '../config/config.js';
import { wildcard } from '../lib/wildcard.js';
import type { Figures, TokenCount } from '../protocol/tokens.js';

/** What something costs by the list of prices, or why that is not known. Never a guess. */
export type Money = { readonly kind: 'known'; readonly usd: number } | { readonly kind: 'unknown'; readonly why: string };

const PRICED = ['input', 'output', 'cacheRead', 'cacheWrite'] as const satisfies readonly (keyof Figures)[];
const WORDS: Readonly<Record<(typeof PRICED)[number], string>> = { input: 'input', output: 'output', cacheRead: 'reading the cache', cacheWrite: 'writing the cache' };
const MILLION = 1_000_000;

type Lists = readonly (readonly Price[])[];

/** Prices that fit one model of one account, the best first whatever the day, by model and then account; kept, since a report asks for the same ones thousands of times. */
const fitting = new WeakMap<Lists, Map<string, Map<string, readonly Price[]>>>();

const letters = (price: Price): number => price.model.replaceAll('*', '').length + (price.account === undefined ? 0 : 1000);

function fits(lists: Lists, model: string, account: string): readonly Price[] {
  let known = fitting.get(lists);
  if (known === undefined) fitting.set(lists, (known = new Map()));
  let byAccount = known.get(model);
  if (byAccount === undefined) known.set(model, (byAccount = new Map()));
  let found = byAccount.get(account);
  if (found === undefined) {
    found = lists.flatMap((list) => list.filter((price) => wildcard(price.model, model) && (price.account === undefined || wildcard(price.account, account))).sort((a, b) => letters(b) - letters(a) || b.fromMs - a.fromMs));
    byAccount.set(account, found);
  }
  return found;
}

/** Two lists: a price of the first that fits beats all of the second. Within one the pattern with the most letters, then the latest day. */
export const findPrice = (lists: Lists, model: string, account: string, atMs: number): Price | undefined => fits(lists, model, account).find((price) => price.fromMs <= atMs);

/** What a count costs at the prices of an instant. */
export function moneyOf(lists: readonly (readonly Price[])[], count: TokenCount, account: string, atMs: number): Money {
  if (count.models === undefined) return ofModel(lists, count.model ?? '', count, account, atMs);
  let usd = 0;
  for (const [model, figures] of Object.entries(count.models)) {
    const money = ofModel(lists, model, figures, account, atMs);
    if (money.kind === 'unknown') return money;
    usd += money.usd;
  }
  return { kind: 'known', usd };
}

function ofModel(lists: readonly (readonly Price[])[], model: string, figures: Figures, account: string, atMs: number): Money {
  if (figures.input <= 0 && figures.output <= 0 && figures.cacheRead <= 0 && figures.cacheWrite <= 0) return { kind: 'known', usd: 0 };
  if (model === '') return { kind: 'unknown', why: 'its program names no model' };
  const price = findPrice(lists, model, account, atMs);
  if (price === undefined) return { kind: 'unknown', why: `no price is known for ${model}` };
  let usd = 0;
  for (const field of PRICED) {
    const [used, perMillion] = [figures[field], price[field]];
    if (used <= 0) continue;
    if (perMillion === undefined) return { kind: 'unknown', why: `no price is known for ${WORDS[field]} of ${model}` };
    usd += (used * perMillion) / MILLION;
  }
  return { kind: 'known', usd };
}

/** "$12.30", "$0.0042". */
export const printUsd = (usd: number): string => `$${usd.toFixed(usd !== 0 && usd < 1 ? 4 : 2)}`;

/** "$1.20 by the list of prices"; what is unknown is said, and counted for nothing. undefined for nothing at all. */
export function moneyWords(costs: readonly Money[]): string | undefined {
  if (costs.length === 0) return undefined;
  const known = costs.flatMap((cost) => (cost.kind === 'known' ? [cost.usd] : []));
  const whys = [...new Set(costs.flatMap((cost) => (cost.kind === 'unknown' ? [cost.why] : [])))];
  const sum = known.length === 0 ? [] : [`${printUsd(known.reduce((a, b) => a + b, 0))} by the list of prices`];
  return [...sum, ...(whys.length === 0 ? [] : [`money unknown (${whys.join('; ')})`])].join(', and ');
}
