import type { ScreenRules } from './profile.js';

/** One thing that was said on the screen: its lines joined by single blanks, so that a narrow pane's wraps do not matter. */
export interface Entry {
  readonly text: string;
  /** What the person said. */
  readonly anchor: boolean;
}

/** A screen cut into the places that rules may look at. Without a live prompt box only `tail` means anything. */
export interface Regions {
  readonly blank: boolean;
  /** What stands in the prompt box, placeholders too; undefined: there is none. */
  readonly box: string | undefined;
  /** The rule above the box, which may carry a text. */
  readonly rule: string;
  /** What stands above the box, or on the whole screen without one. */
  readonly entries: readonly Entry[];
  readonly footer: readonly string[];
  /** The bottom lines as one text without frames. */
  readonly tail: string;
}

/** A dialog that is taller than this shows its question and its choices in these lines all the same; what is further up is history. */
const TAIL_LINES = 30;
/** A prompt box that is taller than the pane has no top to be found. */
const BOX_LINES = 60;

/** Thirty full lines of 130 columns; the longest message of a program that was seen has 400. */
const JOINED_CHARS = 4000;

const patterns = new Map<string, RegExp>();

/** The bottom rows that a dialog can be in, without their frames; what is further up is history. */
export const tailRows = (text: string): string[] => linesOf(text).filter((line) => line !== '').slice(-TAIL_LINES).map((line) => line.replace(/[╭╮╰╯│┃║─━═╌▌▄▀]+/gu, ' '));

/** The compiled pattern of a profile. */
export function compiled(source: string): RegExp {
  let pattern = patterns.get(source);
  if (pattern === undefined) patterns.set(source, (pattern = new RegExp(source, 'u')));
  return pattern;
}

/** Words of several lines as one: a wrap is a blank, and blanks are one. What is longer than a screenful is cut, so that no pattern takes long. */
export const joined = (lines: readonly string[], from = 0): string => lines.join(' ').replace(/\s+/gu, ' ').trim().slice(from, from === 0 ? JOINED_CHARS : undefined);

/** Claude Code and others put no-break spaces into their boxes; tmux pads captures to the pane's height. */
function linesOf(text: string): string[] {
  const lines = text.replace(/\r/g, '').replace(/[\u00a0\u202f]/g, ' ').split('\n').map((line) => line.trimEnd());
  return lines.slice(0, lines.findLastIndex((line) => line !== '') + 1);
}

export function cut(rules: ScreenRules, text: string): Regions {
  const lines = linesOf(text);
  const box = findBox(rules, lines);
  return {
    blank: lines.length === 0,
    box: box?.draft,
    rule: box === undefined || rules.box.top === undefined ? '' : (lines[box.from] ?? ''),
    entries: entriesOf(rules, box === undefined ? lines : lines.slice(0, box.from)),
    footer: box === undefined ? [] : lines.slice(box.to).filter((line) => line !== ''),
    tail: joined(tailRows(text), -JOINED_CHARS),
  };
}

/**
 * The lowest box, when nothing below it says that it is history: programs show what was said in boxes that look alike.
 * `from`: its first line; `to`: the first line below it.
 */
function findBox({ box }: ScreenRules, lines: readonly string[]): { from: number; to: number; draft: string } | undefined {
  const top = box.top === undefined ? undefined : compiled(box.top);
  const bottom = box.bottom === undefined ? undefined : compiled(box.bottom);
  const [first, more] = [compiled(box.first), compiled(box.more)];
  for (let at = lines.length - 1; at >= 0; at -= 1) {
    if (!first.test(lines[at] ?? '') || (top !== undefined && (at === 0 || !top.test(lines[at - 1] ?? '')))) continue;
    let end = at + 1;
    while (end < lines.length && end - at < BOX_LINES && bottom?.test(lines[end] ?? '') !== true && more.test(lines[end] ?? '')) end += 1;
    if (bottom !== undefined && (end >= lines.length || !bottom.test(lines[end] ?? ''))) continue;
    const below = bottom === undefined ? end : end + 1;
    const past = box.past;
    if (past !== undefined && lines.slice(below).some((line) => compiled(past).test(line))) return undefined;
    const typed = lines.slice(at, end).map((line, index) => (index === 0 ? first : more).exec(line)?.groups?.['draft'] ?? '');
    return { from: top === undefined ? at : at - 1, to: below, draft: typed.join('\n').trim() };
  }
  return undefined;
}

/** Lines in entries: each begins at a line with the program's margin mark; where it has no marks, after an empty line. */
function entriesOf(rules: ScreenRules, lines: readonly string[]): Entry[] {
  const mark = rules.entry === undefined ? undefined : compiled(rules.entry);
  const groups: string[][] = [];
  let open = false;
  for (const line of lines) {
    const begins = mark === undefined ? !open && line !== '' : mark.test(line);
    open = line !== '';
    if (begins) groups.push([line]);
    else if (line !== '') groups.at(-1)?.push(line);
  }
  return groups.map((group) => ({ text: joined(group), anchor: rules.anchor !== undefined && compiled(rules.anchor).test(group[0] ?? '') }));
}
