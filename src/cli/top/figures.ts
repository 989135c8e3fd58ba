import { formatDuration } from '../../lib/duration.js';

/* Numbers as short as a column is narrow. */

const UNITS = ['', 'k', 'M', 'G', 'T'] as const;

function scaled(amount: number, step: number): string {
  let value = amount;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= step;
    unit += 1;
  }
  return `${unit === 0 || value >= 9.95 ? Math.round(value) : value.toFixed(1)}${UNITS[unit] ?? ''}`;
}

/** 950, 12k, 1.2M. */
export const amount = (count: number): string => scaled(count, 1000);

/** Bytes: 512k, 1.5G. */
export const bytes = (count: number): string => scaled(count, 1024);

export const money = (usd: number): string => `$${usd.toFixed(usd < 0.1 ? 4 : 2)}`;

/** "" where there is no instant. Clocks that were set make nothing negative. */
export const since = (at: number | undefined, now: number): string => (at === undefined ? '' : formatDuration(Math.max(0, Math.floor((now - at) / 1000) * 1000)).replace(/^0ms$/, '0s'));
