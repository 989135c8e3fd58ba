import { fit, safe, span, type Line, type Span, type Tone } from './cells.js';

/** One column of a table. It is there only where the room suffices for it and for all that matter more. */
export interface Column<Row> {
  readonly title: string;
  readonly width: number;
  /** 0 matters most. */
  readonly weight: number;
  readonly side?: 'left' | 'right';
  /** What is left of the line goes to this one; of several, to the one that matters most. */
  readonly takesRest?: true;
  readonly cell: (row: Row) => { readonly text: string; readonly tone?: Tone };
}

/** Those that fit side by side, one column apart, with their widths. */
export function chosen<Row>(columns: readonly Column<Row>[], cols: number): { readonly column: Column<Row>; readonly width: number }[] {
  const kept = new Set<Column<Row>>();
  let used = -1;
  for (const column of [...columns].sort((a, b) => a.weight - b.weight)) {
    if (used + 1 + column.width > cols && kept.size > 0) continue;
    kept.add(column);
    used += 1 + column.width;
  }
  const rest = columns.filter((column) => kept.has(column) && column.takesRest === true).sort((a, b) => a.weight - b.weight);
  // The first takes a share, so that a long note beside it is still seen.
  const extra = new Map<Column<Row>, number>();
  let left = Math.max(0, cols - used);
  for (const [index, column] of rest.entries()) {
    const share = index === rest.length - 1 ? left : Math.min(left, Math.max(0, 30 - column.width));
    extra.set(column, share);
    left -= share;
  }
  return columns.filter((column) => kept.has(column)).map((column) => ({ column, width: Math.min(cols, column.width + (extra.get(column) ?? 0)) }));
}

const apart = (spans: readonly Span[]): Line => spans.flatMap((one, index) => (index === 0 ? [one] : [span(' '), one]));

export const titles = <Row>(columns: ReturnType<typeof chosen<Row>>): Line => apart(columns.map(({ column, width }) => span(fit(column.title, width, column.side), 'dim')));

export const cells = <Row>(columns: ReturnType<typeof chosen<Row>>, row: Row): Line =>
  apart(
    columns.map(({ column, width }) => {
      const { text, tone } = column.cell(row);
      return span(fit(safe(text), width, column.side), tone ?? 'plain');
    }),
  );
