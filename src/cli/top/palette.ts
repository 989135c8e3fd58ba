import { cutLine, type Line, type Span, type Tone } from './cells.js';

/** What a terminal can show. "plain": no escape at all; "mono": attributes but no colour, as NO_COLOR asks. */
export type Depth = 'plain' | 'mono' | '16' | '256';

/** By the colour depth in bits that node reckons from TERM, COLORTERM, NO_COLOR and FORCE_COLOR. */
export const depthOf = (isTerminal: boolean, bits: number): Depth => (!isTerminal ? 'plain' : bits >= 8 ? '256' : bits >= 4 ? '16' : 'mono');

const LOOK: Readonly<Record<Tone, Readonly<Record<Exclude<Depth, 'plain'>, string>>>> = {
  plain: { mono: '', '16': '', '256': '' },
  dim: { mono: '2', '16': '2', '256': '38;5;245' },
  good: { mono: '', '16': '32', '256': '38;5;71' },
  bad: { mono: '1', '16': '31;1', '256': '38;5;203;1' },
  warn: { mono: '1', '16': '33', '256': '38;5;179' },
  busy: { mono: '', '16': '36', '256': '38;5;80' },
  ask: { mono: '1', '16': '35;1', '256': '38;5;176;1' },
  ready: { mono: '', '16': '34', '256': '38;5;75' },
  title: { mono: '1', '16': '1', '256': '1' },
  key: { mono: '4', '16': '33', '256': '38;5;179' },
};

function paint({ text, tone, selected }: Span, depth: Exclude<Depth, 'plain'>): string {
  const look = selected === true ? '7' : LOOK[tone][depth];
  return look === '' || (text.trim() === '' && selected !== true) ? text : `\u001b[${look}m${text}\u001b[0m`;
}

/** A line as the terminal gets it, never wider than `cols`. */
export function render(line: Line, cols: number, depth: Depth): string {
  const kept = cutLine(line, cols);
  return depth === 'plain' ? kept.map(({ text }) => text).join('').trimEnd() : joined(kept).map((one) => paint(one, depth)).join('');
}

/** Neighbours of one look become one piece: fewer bytes over a slow line. */
function joined(line: Line): Span[] {
  const all: Span[] = [];
  for (const one of line) {
    const last = all.at(-1);
    if (last !== undefined && last.selected === one.selected && (last.tone === one.tone || one.selected === true)) all[all.length - 1] = { ...last, text: last.text + one.text };
    else all.push(one);
  }
  return all;
}
