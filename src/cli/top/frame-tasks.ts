import { unreachable } from '../../lib/unreachable.js';
import { allTokens } from '../../protocol/tokens.js';
import { stateWord } from '../state-word.js';
import { chosen, cells, type Column } from './columns.js';
import { safe, selectedLine, span, type Line } from './cells.js';
import { amount, money, since } from './figures.js';
import { toneOfState } from './frame-header.js';
import type { Box } from './layout.js';
import { placeOf, rowsOf, scrolled } from './rows.js';
import { detailKey, type Model, type Pane, type TaskPane, type TaskRow, type Ui } from './state.js';

const EMPTY: Readonly<Record<TaskPane, string>> = {
  queue: 'nothing is in line; drop markdown files into queue/',
  done: 'nothing is done yet',
  failed: 'nothing has failed',
  needs: 'nobody needs you',
  held: 'nothing is held',
  stuck: 'nothing is stuck',
};

function columns(model: Model, pane: TaskPane): Column<TaskRow>[] {
  const now = model.at;
  const detail = (row: TaskRow) => model.details.get(detailKey(row));
  const task: Column<TaskRow> = { title: 'TASK', width: 14, weight: 0, takesRest: true, cell: ({ id }) => ({ text: id }) };
  const state: Column<TaskRow> = { title: 'STATE', width: 7, weight: 1, cell: (row) => ({ text: stateWord(row.state), tone: toneOfState(row.state) }) };
  const age: Column<TaskRow> = { title: 'AGE', width: 6, weight: 2, side: 'right', cell: ({ at }) => ({ text: since(at, now), tone: 'dim' }) };
  const attempt: Column<TaskRow> = { title: 'ATT', width: 3, weight: 5, side: 'right', cell: (row) => ({ text: String(row.attempt ?? detail(row)?.attempt ?? ''), tone: 'dim' }) };
  const note: Column<TaskRow> = { title: '', width: 10, weight: 3, takesRest: true, cell: (row) => ({ text: detail(row)?.note ?? '', tone: pane === 'failed' ? 'bad' : pane === 'needs' ? 'ask' : 'dim' }) };
  const took: Column<TaskRow> = { title: 'TOOK', width: 6, weight: 4, side: 'right', cell: (row) => ({ text: since(detail(row)?.tookMs === undefined ? undefined : now - (detail(row)?.tookMs ?? 0), now) }) };
  const agent: Column<TaskRow> = { title: 'AGENT', width: 9, weight: 6, cell: (row) => ({ text: detail(row)?.agent ?? '', tone: 'dim' }) };
  const tokens: Column<TaskRow> = { title: 'TOKENS', width: 6, weight: 7, side: 'right', cell: (row) => ({ text: amountOf(detail(row)?.tokens), tone: 'dim' }) };
  const cost: Column<TaskRow> = { title: 'COST', width: 7, weight: 8, side: 'right', cell: (row) => ({ text: costOf(detail(row)?.tokens), tone: 'dim' }) };
  switch (pane) {
    case 'queue':
      return [state, task, { title: 'PRI', width: 3, weight: 5, side: 'right', cell: ({ priority }) => ({ text: priority === undefined ? '' : String(priority), tone: 'dim' }) }, attempt, age, { ...note, cell: (row) => ({ text: dueText(row, now) || (detail(row)?.note ?? ''), tone: 'dim' }) }];
    case 'done':
      return [task, age, took, attempt, agent, tokens, cost, note];
    case 'failed':
      return [state, task, age, attempt, took, agent, tokens, note];
    case 'needs':
    case 'stuck':
      return [task, age, attempt, note];
    case 'held':
      return [task, age, attempt];
    default:
      return unreachable(pane);
  }
}

type Tokens = NonNullable<ReturnType<Model['details']['get']>>['tokens'];
const amountOf = (tokens: Tokens): string => (tokens === undefined ? '' : amount(allTokens(tokens)));
const costOf = (tokens: Tokens): string => (tokens?.costUsd === undefined ? '' : money(tokens.costUsd));
const dueText = ({ dueAt }: TaskRow, now: number): string => (dueAt === undefined || dueAt <= now ? '' : `in ${since(now, dueAt)}`);

/** The rows of the lower pane, as many as the box has. */
export function listLines(model: Model, ui: Ui, pane: Exclude<Pane, 'sessions'>, box: Box): readonly Line[] {
  const found = rowsOf(model, ui, pane);
  const place = placeOf(found, ui.cursors[pane]);
  const offset = scrolled(ui.cursors[pane].offset, place, box.rows, found.rows.length);
  const focused = ui.focus === pane;
  const none = (text: string): Line[] => [[span(ui.filter === '' ? text : `nothing here matches ${safe(ui.filter, 40)}`, 'dim')]];
  switch (found.kind) {
    case 'sessions':
      return [];
    case 'events':
      if (found.rows.length === 0) return none('nothing has happened yet');
      return found.rows.slice(offset, offset + box.rows).map((text, index): Line => (focused && offset + index === place ? selectedLine([span(safe(text))], box.cols) : [span(safe(text), 'dim')]));
    case 'tasks': {
      if (found.rows.length === 0) return none(EMPTY[found.pane]);
      const head = chosen(columns(model, found.pane), box.cols);
      return found.rows.slice(offset, offset + box.rows).map((row, index) => (focused && offset + index === place ? selectedLine(cells(head, row), box.cols) : cells(head, row)));
    }
    default:
      return unreachable(found);
  }
}
