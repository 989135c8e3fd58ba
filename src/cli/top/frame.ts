import { unreachable } from '../../lib/unreachable.js';
import { cutLine, fitLine, safe, span, type Line, type Tone } from './cells.js';
import { footerLine } from './frame-footer.js';
import { headerLines, toneOfState } from './frame-header.js';
import { helpLines } from './frame-help.js';
import { sessionLines } from './frame-sessions.js';
import { listLines } from './frame-tasks.js';
import { plan, tabSpans, type Box, type Plan } from './layout.js';
import { render, type Depth } from './palette.js';
import { rowsOf, scrolled, placeOf } from './rows.js';
import { PANES, type Model, type Pane, type Size, type TaskRow, type Ui } from './state.js';

/** Smaller than this is no room for anything. */
const LEAST: Size = { cols: 20, rows: 6 };

/** Where everything stands on a screen of this size. */
export const planFor = (model: Model, ui: Ui, size: Size): Plan => plan(model, ui, size, headerLines(model, size).length);

/**
 * Pure: the whole screen, at most `rows` lines of at most `cols` columns. Texts of tasks, agents and files come in as they are,
 * and go out without a single control of theirs.
 */
export function frame(model: Model, size: Size, ui: Ui, depth: Depth): string[] {
  const { cols, rows } = size;
  if (cols < LEAST.cols || rows < LEAST.rows) return [render([span('too small')], cols, depth)].slice(0, rows);
  const lines: Line[] = Array.from({ length: rows }, () => []);
  const header = headerLines(model, size);
  const where = plan(model, ui, size, header.length);
  const put = (top: number, some: readonly Line[], end: number): void => {
    for (const [index, one] of some.entries()) if (top + index < end) lines[top + index] = one;
  };
  put(0, header, where.header);
  if (ui.mode.kind === 'helping') put(where.header, helpLines(ui.mode.offset, where.footer - where.header, cols), where.footer);
  else {
    if (where.sessions !== undefined) put(where.sessions.top - 1, sessionLines(model, ui, where.sessions), where.sessions.top + where.sessions.rows);
    if (where.tabs !== undefined) lines[where.tabs] = tabsLine(model, ui, size);
    if (where.list !== undefined) {
      const { pane, box } = where.list;
      const list = listLines(model, ui, pane, box);
      const side = where.preview !== undefined && where.preview.top === box.top ? where.preview : undefined;
      put(box.top, side === undefined ? list : beside(list, previewLines(model, side), box, side), box.top + box.rows);
      if (where.preview !== undefined && side === undefined) put(where.preview.top - 1, [rule(previewTitle(model), cols), ...previewLines(model, where.preview)], where.preview.top + where.preview.rows);
    }
    if (where.events !== undefined) put(where.events.top - 1, [rule('events', cols), ...listLines(model, ui, 'events', where.events)], where.footer);
  }
  lines[where.footer] = footerLine(model, ui, cols);
  return lines.map((one) => render(ui.still ? one.map(({ text, tone }) => span(text, tone)) : one, cols, depth));
}

const rule = (title: string, cols: number): Line => cutLine([span('── ', 'dim'), span(title, 'title'), span(` ${'─'.repeat(Math.max(0, cols))}`, 'dim')], cols).map((one) => ({ ...one, text: one.text.replace(/…$/, '─') }));

const beside = (left: readonly Line[], right: readonly Line[], { cols, rows }: Box, side: Box): Line[] => Array.from({ length: rows }, (_, at) => [...fitLine(left[at] ?? [], cols), span('│', 'dim'), ...cutLine(right[at] ?? [], side.cols)]);

const previewTitle = ({ preview }: Model): string => (preview === undefined ? 'preview' : `${preview.kind === 'screen' ? 'screen of ' : ''}${safe(preview.of, 60)}`);

/** Of a session's screen its lower part, where programs say what they do; of a text its beginning. */
function previewLines({ preview }: Model, box: Box): readonly Line[] {
  if (preview === undefined) return [];
  const { lines } = preview;
  const end = lines.findLastIndex((one) => one.trim() !== '') + 1;
  const shown = preview.kind === 'screen' ? lines.slice(Math.max(0, end - box.rows), end) : lines.slice(0, Math.min(end, box.rows));
  return shown.map((one) => [span(safe(one, 1000), preview.kind === 'nothing' ? 'dim' : 'plain')]);
}

function countOf(model: Model, pane: Pane): number | undefined {
  switch (pane) {
    case 'sessions':
      return model.sessions.length;
    case 'queue':
      return model.counts.ready + model.counts.waiting + model.counts.reaping;
    case 'failed':
      return model.counts.failed + model.refused;
    case 'done':
    case 'needs':
    case 'held':
    case 'stuck':
      return model.counts[pane];
    case 'events':
      return undefined;
    default:
      return unreachable(pane);
  }
}

/** The panes' names with their counts; where they do not fit, less of them; at last the keys that lead there, and the name of the one that is shown. */
export function tabLabels(model: Model, ui: Ui, { cols }: Size): Readonly<Record<Pane, string>> {
  const label = (pane: Pane): string => `${pane} ${countOf(model, pane)?.toLocaleString('en-US') ?? ''}`.trim();
  const shown = ui.focus === 'sessions' ? ui.list : ui.focus;
  const active = (pane: Pane): boolean => pane === ui.focus || (cols >= 60 && pane === shown);
  const tries: ((pane: Pane) => string)[] = [label, (pane) => ((countOf(model, pane) ?? 0) > 0 || active(pane) ? label(pane) : pane), (pane, key = String(PANES.indexOf(pane) + 1)) => (active(pane) ? label(pane) : key)];
  const all = tries.map((one) => Object.fromEntries(PANES.map((pane) => [pane, one(pane)])) as Record<Pane, string>);
  return all.find((labels) => (tabSpans(labels).at(-1)?.to ?? 0) <= cols) ?? all.at(-1) ?? ({} as Record<Pane, string>);
}

const TAB_TONE: Readonly<Partial<Record<Pane, string>>> = { failed: 'failed', needs: 'needs', stuck: 'stuck' };

function tabsLine(model: Model, ui: Ui, size: Size): Line {
  const labels = tabLabels(model, ui, size);
  const shown = ui.focus === 'sessions' ? ui.list : ui.focus;
  return [
    span('─', 'dim'),
    ...tabSpans(labels).map(({ pane }) => {
      const text = ` ${labels[pane]} `;
      if (pane === ui.focus) return { text, tone: 'title' as const, selected: true as const };
      const tone: Tone = pane === shown ? 'title' : (countOf(model, pane) ?? 0) > 0 && TAB_TONE[pane] !== undefined ? toneOfState(pane) : 'dim';
      return span(text, tone);
    }),
  ];
}

/** The tasks whose rows are on the screen: only of these anything is read. */
export function tasksOnScreen(model: Model, ui: Ui, size: Size): readonly TaskRow[] {
  const { list } = planFor(model, ui, size);
  if (list === undefined) return [];
  const found = rowsOf(model, ui, list.pane);
  if (found.kind !== 'tasks') return [];
  const offset = scrolled(ui.cursors[list.pane].offset, placeOf(found, ui.cursors[list.pane]), list.box.rows, found.rows.length);
  return found.rows.slice(offset, offset + list.box.rows);
}
