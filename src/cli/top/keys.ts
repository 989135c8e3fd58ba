import { unreachable } from '../../lib/unreachable.js';
import { act } from './choices.js';
import { planFor, tabLabels } from './frame.js';
import type { Key } from './input.js';
import { hit, offsetIn } from './layout.js';
import { nameAt, placeOf, rowsOf } from './rows.js';
import { PANES, SORTS, type Action, type Model, type Pane, type Size, type Ui } from './state.js';
import { browse, stay, type Step } from './step.js';
import { type as typed } from './typing.js';

/** Pure: every key in every mode. */
export function key(ui: Ui, pressed: Key, model: Model, size: Size): Step {
  if (pressed.kind === 'ctrl') {
    if (pressed.char === 'c') return ui.mode.kind === 'typing' || ui.mode.kind === 'asking' ? stay(browse(ui, { text: 'left as it is', tone: 'plain' })) : { ui, action: { kind: 'quit' } };
    if (pressed.char === 'z') return { ui, action: { kind: 'suspend' } };
    if (pressed.char === 'l') return { ui, action: { kind: 'redraw' } };
  }
  const { mode } = ui;
  switch (mode.kind) {
    case 'typing':
      return typed(ui, mode, pressed);
    case 'asking':
      if (pressed.kind === 'char' && pressed.char.toLowerCase() === 'y') return { ui: browse(ui, begun(mode.yes)), action: mode.yes };
      return stay(browse(ui, { text: 'left as it is', tone: 'plain' }));
    case 'helping':
      return help(ui, mode.offset, pressed);
    case 'browsing':
      return browsing(ui, pressed, model, size);
    default:
      return unreachable(mode);
  }
}

/** What takes a while is told when it begins. */
const begun = (action: Action): Ui['notice'] => (action.kind === 'merge' ? { text: `merging ${action.id}; its checks may take a while`, tone: 'plain' } : undefined);

function help(ui: Ui, offset: number, pressed: Key): Step {
  const to = (by: number): Step => stay({ ...ui, mode: { kind: 'helping', offset: Math.max(0, offset + by) } });
  if (pressed.kind === 'wheel') return to(pressed.by * 3);
  if (pressed.kind === 'named' && (pressed.name === 'down' || pressed.name === 'up')) return to(pressed.name === 'down' ? 1 : -1);
  if (pressed.kind === 'named' && (pressed.name === 'page-down' || pressed.name === 'page-up')) return to(pressed.name === 'page-down' ? 8 : -8);
  if (pressed.kind === 'char' && (pressed.char === 'j' || pressed.char === 'k')) return to(pressed.char === 'j' ? 1 : -1);
  return stay(browse(ui));
}

function browsing(ui: Ui, pressed: Key, model: Model, size: Size): Step {
  const calm: Ui = { ...ui, notice: undefined };
  switch (pressed.kind) {
    case 'char':
      return char(calm, pressed.char, model, size);
    case 'named':
      switch (pressed.name) {
        case 'up':
        case 'down':
          return stay(move(calm, model, size, pressed.name === 'down' ? 1 : -1));
        case 'page-up':
        case 'page-down':
          return stay(move(calm, model, size, (pressed.name === 'page-down' ? 1 : -1) * Math.max(1, heightOf(calm, model, size, calm.focus) - 1)));
        case 'home':
        case 'end':
          return stay(move(calm, model, size, pressed.name === 'end' ? Number.MAX_SAFE_INTEGER : Number.MIN_SAFE_INTEGER));
        case 'tab':
        case 'right':
        case 'back-tab':
        case 'left':
          return stay(focusOn(calm, PANES[(PANES.indexOf(calm.focus) + (pressed.name === 'tab' || pressed.name === 'right' ? 1 : PANES.length - 1)) % PANES.length] ?? 'sessions'));
        case 'escape':
          return stay(ui.notice === undefined ? { ...calm, filter: '' } : calm);
        case 'enter':
          return act(calm, 'enter', model);
        case 'backspace':
        case 'delete':
          return stay(calm);
        default:
          return unreachable(pressed.name);
      }
    case 'click':
    case 'wheel':
      return mouse(calm, pressed, model, size);
    case 'ctrl':
    case 'paste':
      return stay(calm);
    default:
      return unreachable(pressed);
  }
}

function char(ui: Ui, pressed: string, model: Model, size: Size): Step {
  const number = Number(pressed);
  const pane = Number.isInteger(number) && pressed !== ' ' ? PANES[number - 1] : undefined;
  if (pane !== undefined) return stay(focusOn(ui, pane));
  switch (pressed) {
    case 'q':
      return { ui, action: { kind: 'quit' } };
    case '?':
      return stay({ ...ui, mode: { kind: 'helping', offset: 0 } });
    case 'j':
    case 'k':
      return stay(move(ui, model, size, pressed === 'j' ? 1 : -1));
    case 'g':
    case 'G':
      return stay(move(ui, model, size, pressed === 'G' ? Number.MAX_SAFE_INTEGER : Number.MIN_SAFE_INTEGER));
    case '/':
      return stay({ ...ui, mode: { kind: 'typing', what: { kind: 'filter' }, text: ui.filter } });
    case 'o':
    case 'O': {
      const sorts = SORTS[ui.focus];
      const next = sorts[(sorts.indexOf(ui.sorts[ui.focus]) + (pressed === 'o' ? 1 : sorts.length - 1)) % sorts.length] ?? '';
      return stay({ ...ui, sorts: { ...ui.sorts, [ui.focus]: next }, notice: { text: `in order of ${next}`, tone: 'plain' } });
    }
    case 'v':
      return stay({ ...ui, preview: !ui.preview });
    case 'M':
      return { ui: { ...ui, mouse: !ui.mouse, notice: { text: ui.mouse ? 'the mouse is the terminal\'s again: M takes it back' : 'clicks and the wheel are taken', tone: 'plain' } }, action: { kind: 'mouse', on: !ui.mouse } };
    default:
      return act(ui, pressed, model);
  }
}

const focusOn = (ui: Ui, pane: Pane): Ui => ({ ...ui, focus: pane, list: pane === 'sessions' ? ui.list : pane });

function heightOf(ui: Ui, model: Model, size: Size, pane: Pane): number {
  const where = planFor(model, ui, size);
  const box = pane === 'sessions' ? where.sessions : where.list?.pane === pane ? where.list.box : pane === 'events' ? where.events : undefined;
  return Math.max(1, box?.rows ?? 1);
}

/** The cursor goes by so many rows, and stays on one. */
function move(ui: Ui, model: Model, size: Size, by: number, pane: Pane = ui.focus): Ui {
  const rows = rowsOf(model, ui, pane);
  const cursor = ui.cursors[pane];
  return put(ui, model, size, pane, Math.max(0, Math.min(rows.rows.length - 1, placeOf(rows, cursor) + by)));
}

function put(ui: Ui, model: Model, size: Size, pane: Pane, place: number): Ui {
  const rows = rowsOf(model, ui, pane);
  const index = rows.kind === 'events' ? rows.rows.length - 1 - place : place;
  const height = heightOf(ui, model, size, pane);
  const offset = offsetIn(model, ui, pane, height);
  const moved: Ui = { ...ui, cursors: { ...ui.cursors, [pane]: { name: nameAt(rows, place), index: Math.max(0, index), offset } } };
  return { ...moved, cursors: { ...moved.cursors, [pane]: { ...moved.cursors[pane], offset: offsetIn(model, moved, pane, height) } } };
}

function mouse(ui: Ui, pressed: Extract<Key, { kind: 'click' | 'wheel' }>, model: Model, size: Size): Step {
  const found = hit(model, ui, planFor(model, ui, size), tabLabels(model, ui, size), pressed.x, pressed.y);
  if (pressed.kind === 'wheel') return stay(move(ui, model, size, pressed.by * 3, found.kind === 'nothing' ? ui.focus : found.pane));
  switch (found.kind) {
    case 'nothing':
      return stay(ui);
    case 'pane':
      return stay(focusOn(ui, found.pane));
    case 'row':
      return stay(put(focusOn(ui, found.pane), model, size, found.pane, found.index));
    default:
      return unreachable(found);
  }
}
