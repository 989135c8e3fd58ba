import { unreachable } from '../../lib/unreachable.js';
import { TmuxServer } from '../../tmux/server.js';
import type { Context } from '../context.js';
import type { Recent } from './recent.js';
import { selectedOf } from './rows.js';
import type { Model, Preview, SessionRow, TaskRow, Ui } from './state.js';

const TEXT_BYTES = 16 * 1024;

export async function observePreview(context: Context, recent: Recent, model: Model, ui: Ui): Promise<Preview | undefined> {
  const selected = selectedOf(model, ui);
  switch (selected.kind) {
    case 'nothing':
      return undefined;
    case 'session':
      return screenOf(context, selected.row);
    case 'task':
      return textOf(context, recent, selected.row, model.at);
    default:
      return unreachable(selected);
  }
}

/** One call of tmux, for this one alone. */
async function screenOf({ layout }: Context, row: SessionRow): Promise<Preview> {
  const nothing = (why: string): Preview => ({ of: row.name, kind: 'nothing', lines: [why] });
  if (row.session === undefined) return nothing(row.why === '' ? 'no session' : row.why);
  const seen = await new TmuxServer(layout.tmuxSocket, layout.tmuxConfig).sessions([row.session]);
  switch (seen.kind) {
    case 'listed': {
      const screen = seen.rows.find(({ session }) => session === row.session)?.screen;
      return screen === undefined ? nothing('its session is not there (any more)') : { of: row.task === undefined ? row.name : `${row.name}: ${row.task}`, kind: 'screen', lines: screen.split('\n') };
    }
    case 'gone':
      return nothing('the tmux server is not there');
    case 'unknown':
      return nothing(`tmux does not answer: ${seen.why}`);
    default:
      return unreachable(seen);
  }
}

/** A story or a question where there is one, else the task itself. */
async function textOf({ layout }: Context, recent: Recent, row: TaskRow, now: number): Promise<Preview> {
  const ended = row.state === 'done' || row.state === 'failed' || row.state === 'refused';
  const beside = ended ? row.file.replace(/\.(md|special)$/, '.result.md') : row.state === 'needs' ? `${layout.dir('needs')}/${row.id}.question.md` : undefined;
  const text = (beside === undefined ? undefined : await recent.text(beside, now, TEXT_BYTES)) ?? (await recent.text(row.file, now, TEXT_BYTES));
  return text === undefined ? { of: row.id, kind: 'nothing', lines: ['it has just moved'] } : { of: row.id, kind: 'text', lines: text.split('\n').map((line) => line.replaceAll('\t', '  ')) };
}
