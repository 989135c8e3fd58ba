import type { LimitsOf } from '../config/config.js';

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
