import type { Soaked } from './soak.js';

/** The summary of a run, one figure a line. */
export const printTable = (table: Soaked['table']): string => table.map(([what, value]) => `  ${what.padEnd(26)}${String(value).padStart(10)}`).join('\n');
