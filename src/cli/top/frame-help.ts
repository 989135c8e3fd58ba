import { span, type Line } from './cells.js';

/** Every key; docs/top.md says the same. */
export const HELP: readonly (readonly [keys: string, what: string])[] = [
  ['↑ ↓ j k', 'a row up, down; PgUp PgDn Home End g G'],
  ['Tab ← → 1…8', 'another pane: sessions, queue, done, failed, needs, held, stuck, events'],
  ['/', 'filter by name, task, state; Esc: all again'],
  ['o O', 'the next order of rows, the one before'],
  ['v', 'the preview beside or below: show, hide'],
  ['Enter', 'what fits: attach, answer, or the story'],
  ['a', 'attach to the session (C-b d comes back); answer a question'],
  ['n', 'nudge: type a line into the session'],
  ['N', 'ping: the same line to all sessions that the filter leaves'],
  ['x', 'kill: end a running task, cancel any other; asks first'],
  ['r', 'retry what failed; run once more what is done'],
  ['m', 'merge its branch; asks first'],
  ['R', 'reject what it made: why, then y'],
  ['h', 'hold, release'],
  ['s l d e', 'into the pager: story, log, diff, explanation'],
  ['p', 'pause claiming, resume'],
  ['+ -', 'a snake more, one less; + starts a pit where none runs'],
  ['M', 'leave the mouse to the terminal, take it back'],
  ['C-l C-z', 'draw all anew; stop until fg'],
  ['q', 'quit; everything goes on without this view'],
];

const KEYS_WIDTH = 12;

export function helpLines(offset: number, rows: number, cols: number): readonly Line[] {
  const wide = cols >= 60;
  const all: Line[] = [[span('Keys', 'title')], ...HELP.flatMap(([keys, what]): Line[] => (wide ? [[span(keys.padEnd(KEYS_WIDTH), 'key'), span(` ${what}`)]] : [[span(keys, 'key')], [span(`  ${what}`)]]))];
  return all.slice(Math.max(0, Math.min(offset, all.length - rows))).slice(0, rows);
}
