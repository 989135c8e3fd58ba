import type { Price } from '../config/config.js';
import type { LedgerEntry } from './entry.js';
import { moneyOf, type Money } from './price.js';

/** How a report may be cut. */
export const CUTS = ['task', 'step', 'profile', 'account', 'model', 'day'] as const;
export type Cut = (typeof CUTS)[number];

type Counts = Record<string, number>;

/** What many entries come to. It grows in place: a report adds ten thousand entries in a moment. */
export interface Sum {
  input: number;
  output: number;
  cacheRead: number;
  cacheWrite: number;
  reasoning: number;
  /** Entries with figures. */
  counted: number;
  /** Entries without, by the reason. */
  uncounted: Counts;
  /** US dollars by the list of prices, of all that has one. */
  usd: number;
  /** Counted entries without a price, by the reason: their money is in no sum. */
  unpriced: Counts;
  /** US dollars as the programs say, and of how many entries. */
  reported: number;
  reporting: number;
  /** Milliseconds. */
  ms: number;
}

/** Of most sums, which lack nothing: one for all, so that ten thousand rows do not make twenty thousand of it. */
const NONE: Counts = Object.freeze({});

/** Field by field, here and in `addPriced`: spread and looped over they cost four times as much, and a report of ten thousand tasks makes as many. */
export const newSum = (): Sum => ({ input: 0, output: 0, cacheRead: 0, cacheWrite: 0, reasoning: 0, counted: 0, uncounted: NONE, usd: 0, unpriced: NONE, reported: 0, reporting: 0, ms: 0 });

function more(counts: Counts, why: string): Counts {
  const own = counts === NONE ? {} : counts;
  own[why] = (own[why] ?? 0) + 1;
  return own;
}

/** One entry more. */
export const addEntry = (sum: Sum, entry: LedgerEntry, prices: readonly (readonly Price[])[]): void => addPriced(sum, entry, priceEntry(entry, prices));

/** What an entry costs by the list of prices. */
export const priceEntry = (entry: LedgerEntry, prices: readonly (readonly Price[])[]): Money => moneyOf(prices, entry, entry.account, entry.at);

/** One entry more, for whoever adds it to several sums: its money is reckoned once, by `priceEntry`. */
export function addPriced(sum: Sum, entry: LedgerEntry, money: Money): void {
  sum.ms += entry.ms;
  if (entry.uncounted !== undefined) {
    sum.uncounted = more(sum.uncounted, entry.uncounted);
    return;
  }
  sum.input += entry.input;
  sum.output += entry.output;
  sum.cacheRead += entry.cacheRead;
  sum.cacheWrite += entry.cacheWrite;
  sum.reasoning += entry.reasoning;
  sum.counted += 1;
  if (money.kind === 'known') sum.usd += money.usd;
  else sum.unpriced = more(sum.unpriced, money.why);
  if (entry.reported !== undefined) {
    sum.reported += entry.reported;
    sum.reporting += 1;
  }
}

/** `2026-11-21` of this machine's time zone. */
export function dayOf(atMs: number): string {
  const at = new Date(atMs);
  return `${at.getFullYear()}-${String(at.getMonth() + 1).padStart(2, '0')}-${String(at.getDate()).padStart(2, '0')}`;
}

/** The rows of a cut that an entry belongs to, with its share: by model a session of several is split; its time and cost are then the first one's. */
export function shares(entry: LedgerEntry, by: Cut): { readonly name: string; readonly entry: LedgerEntry }[] {
  switch (by) {
    case 'task':
      return [{ name: entry.kind === 'task' ? entry.id : `${entry.id} (resident)`, entry }];
    case 'step':
      return [{ name: entry.step ?? '-', entry }];
    case 'profile':
    case 'account':
      return [{ name: entry[by], entry }];
    case 'day':
      return [{ name: dayOf(entry.at), entry }];
    case 'model':
      return byModelOf(entry);
  }
}

function byModelOf(entry: LedgerEntry): { name: string; entry: LedgerEntry }[] {
  const { models, reported, ...rest } = entry;
  if (models === undefined) return [{ name: entry.model ?? 'unknown', entry }];
  return Object.entries(models).map(([model, figures], index) => ({
    name: model === '' ? 'unknown' : model,
    entry: { ...rest, ...figures, model, ms: index === 0 ? rest.ms : 0, ...(index === 0 && reported !== undefined ? { reported } : {}) },
  }));
}
