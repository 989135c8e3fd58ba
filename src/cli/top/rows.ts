import { unreachable } from '../../lib/unreachable.js';
import type { Cursor, Model, Pane, SessionRow, TaskPane, TaskRow, Ui } from './state.js';

/** The rows of a pane as they are on the screen: filtered, in order. */
export type Rows = { readonly kind: 'sessions'; readonly rows: readonly SessionRow[] } | { readonly kind: 'tasks'; readonly pane: TaskPane; readonly rows: readonly TaskRow[] } | { readonly kind: 'events'; readonly rows: readonly string[] };

const byName = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
/** Largest first; what is not known comes last. */
const largest = (a: number | undefined, b: number | undefined): number => (b ?? Number.NEGATIVE_INFINITY) - (a ?? Number.NEGATIVE_INFINITY) || 0;
/** The smallest instant is the longest ago. */
const longestAgo = (a: number | undefined, b: number | undefined): number => (a ?? Number.POSITIVE_INFINITY) - (b ?? Number.POSITIVE_INFINITY) || 0;

/** s2 before s10, snakes before residents. */
function bySeat(a: SessionRow, b: SessionRow): number {
  if (a.kind !== b.kind) return a.kind === 'snake' ? -1 : 1;
  return a.kind === 'snake' ? Number(a.name.slice(1)) - Number(b.name.slice(1)) : byName(a.name, b.name);
}

const used = ({ tokens }: SessionRow): number | undefined => (tokens === undefined ? undefined : tokens.input + tokens.output + tokens.cacheRead + tokens.cacheWrite);

function sessionOrder(sort: string): (a: SessionRow, b: SessionRow) => number {
  switch (sort) {
    case 'state':
      return (a, b) => byName(a.state, b.state) || bySeat(a, b);
    case 'elapsed':
      return (a, b) => longestAgo(a.since, b.since) || bySeat(a, b);
    case 'quiet':
      return (a, b) => longestAgo(a.movedAt, b.movedAt) || bySeat(a, b);
    case 'tokens':
      return (a, b) => largest(used(a), used(b)) || bySeat(a, b);
    case 'memory':
      return (a, b) => largest(a.memory, b.memory) || bySeat(a, b);
    default:
      return bySeat;
  }
}

/** Undefined: as they are listed, which is their place in line, or the newest first. */
function taskOrder(sort: string): ((a: TaskRow, b: TaskRow) => number) | undefined {
  switch (sort) {
    case 'name':
      return (a, b) => byName(a.id, b.id);
    case 'age':
    case 'oldest':
      return (a, b) => a.at - b.at;
    case 'newest':
      return (a, b) => b.at - a.at;
    default:
      return undefined;
  }
}

const has = (needle: string, ...texts: readonly (string | undefined)[]): boolean => texts.some((text) => text?.toLowerCase().includes(needle) === true);

/** Of ten thousand ended tasks the order is worked out once for each listing, not at each frame. */
const remembered = new WeakMap<readonly TaskRow[], { readonly key: string; readonly rows: readonly TaskRow[] }>();

function tasksOf(all: readonly TaskRow[], needle: string, sort: string): readonly TaskRow[] {
  const key = `${sort} ${needle}`;
  const known = remembered.get(all);
  if (known?.key === key) return known.rows;
  const kept = needle === '' ? all : all.filter((row) => has(needle, row.id, row.state));
  const order = taskOrder(sort);
  const rows = order === undefined ? kept : [...kept].sort(order);
  remembered.set(all, { key, rows });
  return rows;
}

export function rowsOf(model: Model, ui: Ui, pane: Pane): Rows {
  const needle = ui.filter.toLowerCase();
  switch (pane) {
    case 'sessions': {
      const kept = needle === '' ? model.sessions : model.sessions.filter((row) => has(needle, row.name, row.task, row.state, row.profile, row.step));
      return { kind: 'sessions', rows: [...kept].sort(sessionOrder(ui.sorts.sessions)) };
    }
    case 'events':
      return { kind: 'events', rows: needle === '' ? model.events : model.events.filter((text) => has(needle, text)) };
    case 'queue':
    case 'done':
    case 'failed':
    case 'needs':
    case 'held':
    case 'stuck':
      return { kind: 'tasks', pane, rows: tasksOf(model.tasks[pane], needle, ui.sorts[pane]) };
    default:
      return unreachable(pane);
  }
}

export function nameAt(rows: Rows, index: number): string | undefined {
  switch (rows.kind) {
    case 'sessions':
      return rows.rows[index]?.name;
    case 'tasks':
      return rows.rows[index]?.id;
    case 'events':
      return undefined;
    default:
      return unreachable(rows);
  }
}

/** Where the cursor is: on the row of its name, wherever that has moved; else where it was. The events are read from their end. */
export function placeOf(rows: Rows, cursor: Cursor): number {
  const last = rows.rows.length - 1;
  if (rows.kind === 'events') return Math.max(0, last - cursor.index);
  const there = cursor.name === undefined || nameAt(rows, cursor.index) === cursor.name ? -1 : indexOf(rows, cursor.name);
  return there >= 0 ? there : Math.max(0, Math.min(cursor.index, last));
}

function indexOf(rows: Rows, name: string): number {
  if (rows.kind === 'sessions') return rows.rows.findIndex((row) => row.name === name);
  return rows.kind === 'tasks' ? rows.rows.findIndex((row) => row.id === name) : -1;
}

/** The first row on the screen: as little scrolling as shows the cursor's row, and never an empty end. */
export function scrolled(offset: number, place: number, height: number, count: number): number {
  const seen = Math.max(Math.min(offset, place), place - height + 1);
  return Math.max(0, Math.min(seen, count - height));
}

/** The row that a key would act on. */
export type Selected = { readonly kind: 'session'; readonly row: SessionRow } | { readonly kind: 'task'; readonly row: TaskRow } | { readonly kind: 'nothing' };

export function selectedOf(model: Model, ui: Ui, pane: Pane = ui.focus): Selected {
  const rows = rowsOf(model, ui, pane);
  const place = placeOf(rows, ui.cursors[pane]);
  switch (rows.kind) {
    case 'sessions': {
      const row = rows.rows[place];
      return row === undefined ? { kind: 'nothing' } : { kind: 'session', row };
    }
    case 'tasks': {
      const row = rows.rows[place];
      return row === undefined ? { kind: 'nothing' } : { kind: 'task', row };
    }
    case 'events':
      return { kind: 'nothing' };
    default:
      return unreachable(rows);
  }
}
