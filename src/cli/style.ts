import { styleText } from 'node:util';

type Format = Parameters<typeof styleText>[0];

/** Colour where the terminal wants it; NO_COLOR, FORCE_COLOR and pipes are honoured by node itself. */
export function paint(format: Format, text: string): string {
  const wanted = process.env['NO_COLOR'] === undefined || process.env['NO_COLOR'] === '' ? process.stdout.isTTY || (process.env['FORCE_COLOR'] ?? '0') !== '0' : false;
  return wanted ? styleText(format, text, { validateStream: false }) : text;
}

const STATE_FORMAT: Readonly<Record<string, Format>> = { done: 'green', failed: 'red', refused: 'red', stuck: 'red', claimed: 'cyan', running: 'cyan', reaping: 'yellow', waiting: 'yellow', held: 'magenta', needs: 'magenta', parked: 'magenta', ready: 'blue' };

export const paintState = (state: string, text: string = state): string => paint(STATE_FORMAT[state] ?? 'white', text);

/** Columns padded to their widest cell, the last one free. `widths` are of the plain text; cells may be painted afterwards. */
export function table(rows: readonly (readonly string[])[], decorate: (cell: string, column: number, row: number) => string = (cell) => cell): string {
  const widths: number[] = [];
  for (const row of rows) for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
  return rows
    .map((row, index) =>
      row
        .map((cell, column) => decorate(column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0), column, index))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
