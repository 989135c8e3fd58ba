import { rowsOf, scrolled, placeOf } from './rows.js';
import { PANES, type Model, type Pane, type Size, type Ui } from './state.js';

/** A part of the screen; `top` and `left` count from 0. */
export interface Box {
  readonly top: number;
  readonly left: number;
  readonly rows: number;
  readonly cols: number;
}

/** Where everything stands. A list's box is its rows alone, without the line above them. */
export interface Plan {
  readonly header: number;
  /** Columns' names and rows of the sessions; undefined while another pane has the whole of a small screen. */
  readonly sessions: Box | undefined;
  readonly tabs: number | undefined;
  readonly list: { readonly pane: Exclude<Pane, 'sessions'>; readonly box: Box } | undefined;
  readonly preview: Box | undefined;
  readonly events: Box | undefined;
  readonly footer: number;
}

/** Below this a screen shows one pane at a time. */
const ROOM = { rows: 18, cols: 60 };
/** From here on the preview stands beside the list. */
const WIDE = 120;

/** Pure. The header has as many lines as the frame says; everything else shares what is left. */
export function plan(model: Model, ui: Ui, size: Size, headerLines: number): Plan {
  const { rows, cols } = size;
  const footer = rows - 1;
  const box = (top: number, height: number, left = 0, width = cols): Box => ({ top, left, rows: Math.max(0, height), cols: width });
  const header = Math.min(headerLines, Math.max(1, rows - 5));
  const tabs = header;
  const free = footer - tabs - 1;
  const list = ui.focus === 'sessions' ? ui.list : ui.focus;
  if (rows < ROOM.rows || cols < ROOM.cols) {
    if (ui.focus === 'sessions') return { header, sessions: box(tabs + 2, free - 1), tabs, list: undefined, preview: undefined, events: undefined, footer };
    return { header, sessions: undefined, tabs, list: { pane: list, box: box(tabs + 1, free) }, preview: undefined, events: undefined, footer };
  }
  // Sessions first, with a line of columns above; the lists get at least a third of what is left.
  const wanted = rowsOf(model, ui, 'sessions').rows.length;
  const body = footer - header;
  const sessionRows = Math.max(1, Math.min(wanted, Math.floor(body * (ui.focus === 'sessions' ? 0.5 : 0.4)) - 1));
  const tabsAt = header + 1 + sessionRows;
  const below = footer - tabsAt - 1;
  const eventRows = list === 'events' || below < 12 ? 0 : Math.min(6, Math.floor(below / 5));
  const main = below - (eventRows === 0 ? 0 : eventRows + 1);
  const events = eventRows === 0 ? undefined : box(footer - eventRows, eventRows);
  const sessions = box(header + 1, sessionRows);
  const whole = { header, sessions, tabs: tabsAt, events, footer };
  if (!ui.preview || list === 'events') return { ...whole, list: { pane: list, box: box(tabsAt + 1, main) }, preview: undefined };
  if (cols >= WIDE) {
    const left = Math.floor(cols * 0.45);
    return { ...whole, list: { pane: list, box: box(tabsAt + 1, main, 0, left) }, preview: box(tabsAt + 1, main, left + 1, cols - left - 1) };
  }
  if (main < 9) return { ...whole, list: { pane: list, box: box(tabsAt + 1, main) }, preview: undefined };
  const listRows = Math.max(3, Math.floor(main * 0.4));
  return { ...whole, list: { pane: list, box: box(tabsAt + 1, listRows) }, preview: box(tabsAt + 2 + listRows, main - listRows - 1) };
}

/** The first row of a pane that its box shows. */
export function offsetIn(model: Model, ui: Ui, pane: Pane, height: number): number {
  const rows = rowsOf(model, ui, pane);
  return scrolled(ui.cursors[pane].offset, placeOf(rows, ui.cursors[pane]), height, rows.rows.length);
}

/** The tabs in their order, with where each begins and ends in the line; as many as fit. */
export function tabSpans(labels: Readonly<Record<Pane, string>>, panes: readonly Pane[] = PANES): { readonly pane: Pane; readonly from: number; readonly to: number }[] {
  let at = 1;
  return panes.map((pane) => {
    const from = at;
    at += labels[pane].length + 2;
    return { pane, from, to: at };
  });
}

/** What lies under a place of the screen; counted from 0. */
export type Hit = { readonly kind: 'row'; readonly pane: Pane; readonly index: number } | { readonly kind: 'pane'; readonly pane: Pane } | { readonly kind: 'nothing' };

export function hit(model: Model, ui: Ui, where: Plan, labels: Readonly<Record<Pane, string>>, x: number, y: number): Hit {
  const inside = (box: Box): boolean => y >= box.top && y < box.top + box.rows && x >= box.left && x < box.left + box.cols;
  if (where.tabs === y) {
    const tab = tabSpans(labels).find(({ from, to }) => x >= from && x < to);
    return tab === undefined ? { kind: 'nothing' } : { kind: 'pane', pane: tab.pane };
  }
  const lists: { pane: Pane; box: Box }[] = [...(where.sessions === undefined ? [] : [{ pane: 'sessions' as const, box: where.sessions }]), ...(where.list === undefined ? [] : [where.list]), ...(where.events === undefined ? [] : [{ pane: 'events' as const, box: where.events }])];
  const found = lists.find(({ box }) => inside(box));
  if (found === undefined) return { kind: 'nothing' };
  const index = offsetIn(model, ui, found.pane, found.box.rows) + y - found.box.top;
  return index < rowsOf(model, ui, found.pane).rows.length ? { kind: 'row', pane: found.pane, index } : { kind: 'pane', pane: found.pane };
}
