import { printUsd } from '../ledger/price.js';
import type { Sum } from '../ledger/sum.js';
import { formatDuration } from '../lib/duration.js';
import { show } from '../lib/text.js';
import { paint, table } from './style.js';

/** One line of a report. */
export interface TokenRow {
  readonly name: string;
  readonly sum: Sum;
}

/** With a comma between thousands; the locale's own way of it takes as long as all the rest of a long report. */
function count(value: number): string {
  const digits = String(value);
  let text = digits.slice(-3);
  for (let end = digits.length - 3; end > 0; end -= 3) text = `${digits.slice(Math.max(0, end - 3), end)},${text}`;
  return text;
}
function all(counts: Readonly<Record<string, number>>): number {
  let sum = 0;
  for (const why in counts) sum += counts[why] ?? 0;
  return sum;
}

/** "$1.20", "unknown", or "$1.20 + unknown": what has no price is never taken for nothing. */
export function moneyWords({ usd, counted, unpriced }: Sum): string {
  const unknown = all(unpriced);
  if (unknown === 0) return counted === 0 ? '' : printUsd(usd);
  return unknown === counted ? 'unknown' : `${printUsd(usd)} + unknown`;
}

/** "2 attempts not counted: no transcript (1), …"; each with its reasons, the commonest first. */
function lacking(what: string, counts: Readonly<Record<string, number>>): string[] {
  const sum = all(counts);
  if (sum === 0) return [];
  const reasons = Object.entries(counts).sort((a, b) => b[1] - a[1]);
  const shown = reasons.slice(0, 5).map(([why, times]) => `${show(why)} (${times})`);
  return [`${sum} attempt${sum === 1 ? '' : 's'} ${what}: ${shown.join('; ')}${reasons.length > 5 ? `; and ${reasons.length - 5} reasons more` : ''}`];
}

/** What is not known of a sum, in plain words; none where all is. */
export const unknowns = (sum: Sum): string[] => [...lacking('not counted', sum.uncounted), ...lacking('without a price', sum.unpriced)];

/** Head, rows, total: as cells of plain text. */
export function tokenRows(by: string, rows: readonly TokenRow[], total: Sum): string[][] {
  const reported = total.reporting > 0;
  const cells = (name: string, sum: Sum): string[] => [
    show(name, 60), count(sum.input), count(sum.output), count(sum.cacheRead), count(sum.cacheWrite), moneyWords(sum),
    ...(reported ? [sum.reporting === 0 ? '' : printUsd(sum.reported)] : []), formatDuration(sum.ms), String(sum.counted + all(sum.uncounted)),
  ];
  const head = [by.toUpperCase(), 'INPUT', 'OUTPUT', 'CACHE READ', 'CACHE WRITE', 'MONEY', ...(reported ? ['REPORTED'] : []), 'TIME', 'ATTEMPTS'];
  return [head, ...rows.map(({ name, sum }) => cells(name, sum)), cells('total', total)];
}

/** The report of `snakepit tokens`, with its total last. */
export function tokenTable(by: string, rows: readonly TokenRow[], total: Sum): string {
  const body = tokenRows(by, rows, total);
  return table(body, (cell, _column, row) => (row === 0 || row === body.length - 1 ? paint('dim', cell) : cell));
}
