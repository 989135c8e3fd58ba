import { allTokens } from '../../protocol/tokens.js';
import { chosen, cells, titles, type Column } from './columns.js';
import { safe, selectedLine, widthOf, type Line, type Tone } from './cells.js';
import { amount, bytes, money, since } from './figures.js';
import type { Box } from './layout.js';
import { placeOf, rowsOf, scrolled } from './rows.js';
import type { Model, SessionRow, Ui } from './state.js';

const TONES: Readonly<Record<string, Tone>> = {
  working: 'busy', starting: 'busy', idle: 'dim', finished: 'good', resting: 'dim', up: 'good',
  'blocked-on-permission': 'ask', 'blocked-on-dialog': 'ask', 'waiting-for-input': 'ask',
  retrying: 'warn', 'rate-limited': 'warn', 'usage-limited': 'warn', draining: 'warn', ending: 'warn', 'backing-off': 'warn', unmanaged: 'warn', 'no pit': 'dim', empty: 'dim',
  'auth-failed': 'bad', 'context-exhausted': 'bad', 'session-lost': 'bad', errored: 'bad', crashed: 'bad', broken: 'bad',
};
/** A session that has been silent for so long is worth a look; the watchdog's own patience is longer. */
const QUIET_MS = 120_000;

function columns(model: Model): Column<SessionRow>[] {
  const now = model.at;
  const nameWidth = Math.max(5, ...model.sessions.map(({ name }) => Math.min(14, widthOf(safe(name)))));
  const steps = model.sessions.some(({ step }) => step !== undefined);
  const all: (Column<SessionRow> | undefined)[] = [
    { title: 'NAME', width: nameWidth, weight: 0, cell: ({ name }) => ({ text: name }) },
    { title: 'STATE', width: 12, weight: 1, cell: ({ state }) => ({ text: state, tone: TONES[state] ?? 'plain' }) },
    { title: 'TASK', width: 12, weight: 2, takesRest: true, cell: ({ task, why, kind }) => (task === undefined ? { text: kind === 'snake' ? '' : why, tone: 'dim' } : { text: task }) },
    steps ? { title: 'STEP', width: 14, weight: 5, cell: ({ step, round }) => ({ text: step === undefined ? '' : round === undefined || round < 2 ? step : `${step} (${round})` }) } : undefined,
    { title: 'AGENT', width: 9, weight: 6, cell: ({ profile }) => ({ text: profile ?? '', tone: 'dim' }) },
    { title: 'FOR', width: 6, weight: 3, side: 'right', cell: ({ since: at }) => ({ text: since(at, now) }) },
    { title: 'QUIET', width: 6, weight: 4, side: 'right', cell: ({ movedAt }) => ({ text: since(movedAt, now), tone: movedAt !== undefined && now - movedAt > QUIET_MS ? 'warn' : 'dim' }) },
    { title: 'NUD', width: 3, weight: 8, side: 'right', cell: ({ nudges }) => ({ text: nudges === 0 ? '' : String(nudges), tone: 'warn' }) },
    { title: 'ATT', width: 3, weight: 7, side: 'right', cell: ({ attempt }) => ({ text: attempt === undefined ? '' : String(attempt), tone: (attempt ?? 1) > 1 ? 'warn' : 'dim' }) },
    { title: 'MEM', width: 5, weight: 9, side: 'right', cell: ({ memory }) => ({ text: memory === undefined ? '' : bytes(memory), tone: 'dim' }) },
    { title: 'TOKENS', width: 6, weight: 10, side: 'right', cell: ({ tokens }) => ({ text: tokens === undefined ? '' : amount(allTokens(tokens)), tone: 'dim' }) },
    { title: 'COST', width: 7, weight: 11, side: 'right', cell: ({ tokens }) => ({ text: tokens?.costUsd === undefined ? '' : money(tokens.costUsd), tone: 'dim' }) },
    { title: 'WHY', width: 16, weight: 12, takesRest: true, cell: ({ why }) => ({ text: why, tone: 'dim' }) },
  ];
  return all.filter((one) => one !== undefined);
}

/** The columns' names, then as many rows as the box has. */
export function sessionLines(model: Model, ui: Ui, box: Box): readonly Line[] {
  const found = rowsOf(model, ui, 'sessions');
  if (found.kind !== 'sessions') return [];
  const { rows } = found;
  const head = chosen(columns(model), box.cols);
  const place = placeOf(found, ui.cursors.sessions);
  const offset = scrolled(ui.cursors.sessions.offset, place, box.rows, rows.length);
  const focused = ui.focus === 'sessions';
  const shown = rows.slice(offset, offset + box.rows).map((row, index) => (focused && offset + index === place ? selectedLine(cells(head, row), box.cols) : cells(head, row)));
  const empty: Line[] = rows.length > 0 ? [] : [[{ text: ui.filter === '' ? 'no snakes, no residents' : `nobody here matches ${safe(ui.filter, 40)}`, tone: 'dim' }]];
  return [titles(head), ...shown, ...empty.slice(0, box.rows)];
}
