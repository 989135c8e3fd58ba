import { UNITS, type Limits, type Spent, type Unit } from './budget.js';

/** From this part of a limit on it is warned of. */
export const WARN_AT = 0.8;

/** Where what was used stands to its limits: the unit that is the nearest to its own, or beyond it. */
export type BudgetVerdict =
  | { readonly kind: 'within'; readonly rule: string }
  | { readonly kind: 'near' | 'reached'; readonly unit: Unit; readonly rule: string; readonly evidence: string };

/** Pure and total. A limit is reached when it is used up, not when it is exceeded: the next request would exceed it. */
export function decideBudget(what: string, limits: Limits, spent: Spent): BudgetVerdict {
  let worst: { unit: Unit; part: number; limit: number } | undefined;
  for (const unit of UNITS) {
    const limit = limits[unit];
    if (limit === undefined) continue;
    const part = limit <= 0 ? Number.POSITIVE_INFINITY : spent[unit] / limit;
    if (worst === undefined || part > worst.part) worst = { unit, part, limit };
  }
  if (worst === undefined) return { kind: 'within', rule: 'there is no limit' };
  const { unit, part, limit } = worst;
  if (part < WARN_AT) return { kind: 'within', rule: 'it is below its limits' };
  const evidence = `${amount(unit, spent[unit])} of ${amount(unit, limit)}${spent.unpriced === 0 || unit !== 'money' ? '' : `; the money of ${spent.unpriced} more is unknown`}`;
  return part >= 1 ? { kind: 'reached', unit, rule: `the budget of ${what} is spent`, evidence } : { kind: 'near', unit, rule: `the budget of ${what} is nearly spent`, evidence };
}

/** "1,200 tokens", "$3.40", "12 minutes". */
export function amount(unit: Unit, value: number): string {
  switch (unit) {
    case 'tokens':
      return `${Math.round(value).toLocaleString('en-US')} tokens`;
    case 'money':
      return `$${value.toFixed(value !== 0 && value < 1 ? 4 : 2)}`;
    case 'minutes':
      return `${Number(value.toFixed(1))} minutes`;
  }
}
