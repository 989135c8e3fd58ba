import stringWidth from 'string-width';
import { show } from '../../lib/text.js';

/*
 * Text of a table in a terminal. Everything that comes from tasks, agents and files goes through `safe` once, before it is measured:
 * what terminals and tables of widths disagree about (emoji sequences, flags, variation selectors, fillers) is made plain there, so
 * that a column stands where it was reckoned to stand. What is left of such disagreement cannot wrap: screen.ts switches wrapping off.
 */

const ASCII = /^[ -~]*$/;
const FLAG_A = 0x1f1e6;

/** One line, fit for a terminal and for being measured; at most `maxChars` of it. */
export function safe(text: string, maxChars = 500): string {
  if (text.length <= maxChars && ASCII.test(text)) return text;
  return show(text.slice(0, maxChars * 2).normalize('NFC'), maxChars)
    .replace(/[\u{1F1E6}-\u{1F1FF}]/gu, (letter) => String.fromCharCode(65 + (letter.codePointAt(0) ?? FLAG_A) - FLAG_A))
    .replace(/[\p{Variation_Selector}\u{1F3FB}-\u{1F3FF}\p{Me}]/gu, '')
    .replace(/\p{Default_Ignorable_Code_Point}/gu, '\u00b7')
    .replace(/(\p{M}{2})\p{M}+/gu, '$1');
}

/** Widths that were measured: the same lines come again each second, and to measure two hundred dashes takes a millisecond. */
const measured = new Map<string, number>();
const MEASURED = 4000;

/** Columns of a safe text. */
export function widthOf(text: string): number {
  if (ASCII.test(text)) return text.length;
  const known = measured.get(text);
  if (known !== undefined) return known;
  if (measured.size >= MEASURED) measured.clear();
  const width = stringWidth(text);
  measured.set(text, width);
  return width;
}

/** At most `cols` columns of a safe text; what is cut away shows as an ellipsis. */
export function cut(text: string, cols: number): string {
  if (cols <= 0) return '';
  if (widthOf(text) <= cols) return text;
  if (ASCII.test(text)) return `${text.slice(0, cols - 1)}…`;
  let kept = '';
  let used = 0;
  for (const point of text) {
    const more = widthOf(point);
    if (used + more > cols - 1) break;
    kept += point;
    used += more;
  }
  return `${kept}…`;
}

/** Exactly `cols` columns. */
export function fit(text: string, cols: number, side: 'left' | 'right' = 'left'): string {
  const short = cut(text, cols);
  const pad = ' '.repeat(Math.max(0, cols - widthOf(short)));
  return side === 'left' ? short + pad : pad + short;
}

/** What a piece of a line means; palette.ts says how that looks. */
export type Tone = 'plain' | 'dim' | 'good' | 'bad' | 'warn' | 'busy' | 'ask' | 'ready' | 'title' | 'key';

/** A piece of a line. Its text is safe. */
export interface Span {
  readonly text: string;
  readonly tone: Tone;
  /** Of the selected row: shown the other way round, in no colour of its own. */
  readonly selected?: true;
}

/** One line of the screen, or of a part of it. */
export type Line = readonly Span[];

export const span = (text: string, tone: Tone = 'plain'): Span => ({ text, tone });
export const widthOfLine = (line: Line): number => line.reduce((sum, { text }) => sum + widthOf(text), 0);

/** At most `cols` columns; what is cut away shows as an ellipsis. */
export function cutLine(line: Line, cols: number): Line {
  if (widthOfLine(line) <= cols) return line;
  const kept: Span[] = [];
  let left = cols;
  for (const one of line) {
    const width = widthOf(one.text);
    if (width >= left) {
      // It ends here: the ellipsis stands in the last column, whether this piece or the next one is cut.
      kept.push({ ...one, text: width > left ? cut(one.text, left) : cut(`${one.text}…`, left) });
      break;
    }
    kept.push(one);
    left -= width;
  }
  return kept;
}

/** Cut and filled up to exactly `cols` columns. */
export function fitLine(line: Line, cols: number): Line {
  const kept = cutLine(line, cols);
  const left = cols - widthOfLine(kept);
  return left > 0 ? [...kept, span(' '.repeat(left))] : kept;
}

/** The same line as the one that the cursor is on, over the whole width. */
export const selectedLine = (line: Line, cols: number): Line => fitLine(line, cols).map((one) => ({ ...one, selected: true }));
