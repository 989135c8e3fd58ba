import type { Price } from '../config/config.js';
import { NO_FIGURES, plusFigures, type Figures } from '../protocol/tokens.js';
import { countOf, type LedgerEntry } from './entry.js';
import { moneyOf } from './price.js';

/** How a report may be cut. */
export const CUTS = ['task', 'step', 'profile', 'account', 'model', 'day'] as const;
export type Cut = (typeof CUTS)[number];

/** What many entries come to. */
export interface Sum extends Figures {
  /** Entries with figures. */
  readonly counted: number;
  /** Entries without, by the reason. */
  readonly uncounted: Readonly<Record<string, number>>;
  /** US dollars by the list of prices, of all that has one. */
  readonly usd: number;
  /** Counted entries without a price, by the reason: their money is in no sum. */
  readonly unpriced: Readonly<Record<string, number>>;
  /** US dollars as the programs say, and of how many entries. */
  readonly reported: number;
  readonly reporting: number;
  /** Milliseconds. */
  readonly ms: number;
}

export const NOTHING: Sum = { ...NO_FIGURES, counted: 0, uncounted: {}, usd: 0, unpriced: {}, reported: 0, reporting: 0, ms: 0 };

const more = (counts: Readonly<Record<string, number>>, why: string): Record<string, number> => ({ ...counts, [why]: (counts[why] ?? 0) + 1 });

/** One entry more. */
export function plusEntry(sum: Sum, entry: LedgerEntry, prices: readonly (readonly Price[])[]): Sum {
  const ms = sum.ms + entry.ms;
  if (entry.uncounted !== undefined) return { ...sum, ms, uncounted: more(sum.uncounted, entry.uncounted) };
  const money = moneyOf(prices, countOf(entry), entry.account, entry.at);
  return {
    ...plusFigures(sum, entry),
    ms,
    counted: sum.counted + 1,
    uncounted: sum.uncounted,
    usd: sum.usd + (money.kind === 'known' ? money.usd : 0),
    unpriced: money.kind === 'known' ? sum.unpriced : more(sum.unpriced, money.why),
    reported: sum.reported + (entry.reported ?? 0),
    reporting: sum.reporting + (entry.reported === undefined ? 0 : 1),
  };
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
