import type { Composer } from './state.js';

/** What is typed at most: one line that a composer of 80 columns shows whole. */
export const SHORT_LINE = 200;

/** Controls but tab and line feed are taken out (an escape would end the bracket of a paste), as are line ends at the end; all line ends become line feeds. */
export function clean(text: string): string {
  const wellFormed = text.replace(/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g, '\uFFFD');
  return wellFormed.replace(/\r\n?|[\u0085\u2028\u2029]/g, '\n').replace(/[^\P{Cc}\n\t]/gu, '').replace(/\s+$/u, '');
}

export interface Typed {
  /** The one line to deliver. */
  readonly line: string;
  /** What the caller must first write to the path; undefined when the line is the text itself. */
  readonly file?: string;
}

/** A text that is longer than one short line becomes a file and a line that names it; `always`: a short one too. */
export function asFileRef(text: string, path: string, always = false): Typed {
  const cleaned = clean(text);
  if (!always && cleaned.length <= SHORT_LINE && !cleaned.includes('\n')) return { line: cleaned };
  return { line: `Read the file ${clean(path).replaceAll('\n', ' ')} and do what it says.`, file: text };
}

/** The greatest part of a text that is taken for the end of a scrolled one; a text that lost its head at start-up was 99 in 100 of itself. */
const SCROLLED = 0.75;

const bare = (text: string): string => text.replace(/[\s\u00a0\u200b]+/gu, '');
const lines = (text: string): number => text.split('\n').length;

/** What a composer holds, measured at the text that was pasted, blanks and wraps aside. `folded`: patterns of the markers that stand for a long paste, groups `lines` and `chars` of which are compared. A composer of few rows shows the end of a text, where the cursor stands: whole lines are missing then, or, where it wraps, with `end`, much of it. */
export function composerOf(draft: string | undefined, text: string, folded: readonly RegExp[], end: boolean): Composer {
  if (draft === undefined) return 'none';
  const [shown, whole] = [bare(draft), bare(text)];
  if (shown === '') return 'empty';
  if (shown === whole) return 'ours';
  const rest = folded.reduce((left, pattern) => left.replace(pattern, (marker: string, ...groups: unknown[]) => (fits(groups.at(-1), text) ? '\n' : marker)), draft);
  if (rest !== draft) {
    const parts = rest.split('\n').map(bare).filter((part) => part !== '');
    return parts.every((part) => whole.includes(part)) ? 'folded' : 'mixed';
  }
  if (shown.includes(whole)) return 'mixed';
  if (shown.length < 20 || !whole.endsWith(shown)) return 'foreign';
  const missing = whole.length - shown.length;
  const scrolled = text.split('\n').some((_line, at, all) => at > 0 && bare(all.slice(0, at).join('')).length === missing);
  return scrolled || (end && shown.length <= whole.length * SCROLLED) ? 'ours' : 'foreign';
}

/** Before the paste only the whole text counts as ours, and a short word may be anybody's. */
export function heldBefore(draft: string | undefined, text: string): Composer {
  if (draft === undefined) return 'none';
  const shown = bare(draft);
  return shown === '' ? 'empty' : shown === bare(text) && shown.length >= 8 ? 'ours' : 'foreign';
}

/** Programs count the lines or the line ends, characters or bytes; a marker that counts otherwise is of another text. */
function fits(groups: unknown, text: string): boolean {
  const counted = typeof groups === 'object' && groups !== null ? (groups as Readonly<Record<string, string | undefined>>) : {};
  const fitsLines = counted['lines'] === undefined || Math.abs(Number(counted['lines']) - lines(text)) <= 1;
  const fitsChars = counted['chars'] === undefined || [text.length, Array.from(text).length, Buffer.byteLength(text)].includes(Number(counted['chars']));
  return fitsLines && fitsChars;
}

/** Whether a recorded prompt is, or wraps, this text to the letter; programs differ only in line ends and in blanks at the end of lines. */
export function isIntact(prompt: string, text: string): boolean {
  const plain = (one: string): string => one.replace(/\r\n?/g, '\n').replace(/[ \t\u00a0]+$/gmu, '');
  return plain(prompt).includes(plain(text));
}
