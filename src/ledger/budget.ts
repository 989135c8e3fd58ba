import type { LimitsOf } from '../config/config.js';
import { parseDuration } from '../lib/duration.js';
import { parseTokens } from '../protocol/limits.js';

/** What may be used up; a kind that is left out has no limit. Tokens: all that go in and come out, the cache included. Money: US dollars, of what has a price. */
export type Limits = LimitsOf;

/** What was used up. */
export interface Spent {
  readonly tokens: number;
  readonly money: number;
  readonly minutes: number;
  /** Attempts whose money is unknown, and is not in `money`. */
  readonly unpriced: number;
}

export const UNITS = ['tokens', 'money', 'minutes'] as const;
export type Unit = (typeof UNITS)[number];

export const NOTHING_SPENT: Spent = { tokens: 0, money: 0, minutes: 0, unpriced: 0 };

export const plusSpent = (a: Spent, b: Spent): Spent => ({ tokens: a.tokens + b.tokens, money: a.money + b.money, minutes: a.minutes + b.minutes, unpriced: a.unpriced + b.unpriced });

export const hasLimit = (limits: Limits): boolean => UNITS.some((unit) => limits[unit] !== undefined);

/** What a person's answer adds to a budget: `+1M` tokens, `+5$`, `+30m` of time, `2x` for all of it, `off` for no limit; several of them by blanks. */
export type Raise = { readonly kind: 'plus'; readonly unit: Unit; readonly amount: number } | { readonly kind: 'times'; readonly factor: number } | { readonly kind: 'off' };

const MINUTE_MS = 60_000;

/** undefined where a word of it is none of these. A small m is minutes, a large one a million. */
export function parseRaise(text: string): Raise[] | undefined {
  const words = text.trim().split(/\s+/).filter((word) => word !== '');
  const raises = words.map(parseWord);
  return words.length === 0 || raises.some((raise) => raise === undefined) ? undefined : (raises as Raise[]);
}

function parseWord(word: string): Raise | undefined {
  if (word === 'off') return { kind: 'off' };
  const times = /^(\d{1,3}(?:\.\d{1,3})?)x$/.exec(word);
  if (times !== null) return Number(times[1]) > 1 ? { kind: 'times', factor: Number(times[1]) } : undefined;
  if (!word.startsWith('+')) return undefined;
  const amount = word.slice(1);
  const money = /^(?:\$(\d{1,9}(?:\.\d{1,4})?)|(\d{1,9}(?:\.\d{1,4})?)\$)$/.exec(amount);
  if (money !== null) return { kind: 'plus', unit: 'money', amount: Number(money[1] ?? money[2]) };
  const tokens = parseTokens(amount);
  if (tokens !== undefined) return { kind: 'plus', unit: 'tokens', amount: tokens };
  const ms = parseDuration(amount);
  return ms === undefined ? undefined : { kind: 'plus', unit: 'minutes', amount: ms / MINUTE_MS };
}

/** A limit that there is not is raised by nothing. */
export function raised(limits: Limits, raises: readonly Raise[]): Limits {
  let now = limits;
  for (const raise of raises) {
    const next: { -readonly [K in keyof Limits]: Limits[K] } = {};
    for (const unit of UNITS) {
      const limit = now[unit];
      if (limit === undefined || raise.kind === 'off') continue;
      next[unit] = raise.kind === 'times' ? limit * raise.factor : raise.unit === unit ? limit + raise.amount : limit;
    }
    now = next;
  }
  return now;
}
