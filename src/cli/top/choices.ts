import { unreachable } from '../../lib/unreachable.js';
import { stay, type Step } from './step.js';
import { rowsOf, selectedOf } from './rows.js';
import { detailKey, type Action, type Model, type SessionRow, type TaskRow, type Ui, type View } from './state.js';

/* Keys that ask for something to be done. What cannot be done is said in one line, and why. */

const tell = (ui: Ui, text: string): Step => stay({ ...ui, notice: { text, tone: 'bad' } });
const ask = (ui: Ui, question: string, then: Action): Step => stay({ ...ui, mode: { kind: 'asking', question, yes: then } });

/** The task, which says exactly which attempt is meant; a resident has only its name. */
const nameOf = (row: SessionRow): string => row.task ?? row.name;

export function act(ui: Ui, pressed: string, model: Model): Step {
  switch (pressed) {
    case 'p':
      return { ui, action: { kind: model.paused ? 'resume' : 'pause' } };
    case '+':
    case '=':
      return scale(ui, model, 1);
    case '-':
      return scale(ui, model, -1);
    case 'N':
      return toAll(ui, model);
    default:
      break;
  }
  const selected = selectedOf(model, ui);
  switch (selected.kind) {
    case 'session':
      return onSession(ui, pressed, selected.row);
    case 'task':
      return onTask(ui, pressed, selected.row, model);
    case 'nothing':
      return stay(ui);
    default:
      return unreachable(selected);
  }
}

function scale(ui: Ui, { pit }: Model, by: 1 | -1): Step {
  if (pit.kind === 'none' || pit.kind === 'dead') return by < 0 ? tell(ui, 'no pit is running') : ask(ui, pit.kind === 'dead' ? 'the pit is dead: start a new one, which takes over what still runs?' : 'no pit is running: start one?', { kind: 'scale', to: undefined });
  if (pit.kind === 'starting') return tell(ui, 'the pit is starting; in a moment');
  const from = ui.scaling ?? pit.wanted;
  const to = from + by;
  if (to < 0) return tell(ui, 'the pit has no snakes');
  const action: Action = { kind: 'scale', to };
  return pit.mode === 'run' ? { ui: { ...ui, scaling: to, notice: { text: `snakes ${from} → ${to}`, tone: 'plain' } }, action } : ask(ui, `the pit is going down: revoke that, with ${to} snakes?`, action);
}

/** Everyone who is on the screen of the sessions, as the filter leaves them. */
function toAll(ui: Ui, model: Model): Step {
  const shown = rowsOf(model, ui, 'sessions');
  const names = shown.kind === 'sessions' ? shown.rows.filter((row) => row.session !== undefined).map(nameOf) : [];
  return names.length === 0 ? tell(ui, 'nobody is in a session') : stay({ ...ui, mode: { kind: 'typing', what: { kind: 'ping', names }, text: '' } });
}

function onSession(ui: Ui, pressed: string, row: SessionRow): Step {
  const name = nameOf(row);
  const view = (what: View, of = name): Step => ({ ui, action: { kind: 'view', what, name: of } });
  const idle = (): Step => tell(ui, `${row.name} has no session now`);
  switch (pressed) {
    case 'enter':
      return row.session !== undefined ? { ui, action: { kind: 'attach', name } } : row.task !== undefined ? view('show') : view('explain', row.name);
    case 'a':
      return row.session === undefined ? idle() : { ui, action: { kind: 'attach', name } };
    case 'n':
      return row.session === undefined ? idle() : stay({ ...ui, mode: { kind: 'typing', what: { kind: 'nudge', name }, text: '' } });
    case 'x':
      if (row.kind === 'resident') return tell(ui, 'a resident is ended by taking it out of residents: in snakepit.yaml');
      return row.task === undefined ? tell(ui, `${row.name} works on nothing`) : ask(ui, `end ${row.task}, and all that it runs?`, { kind: 'cancel', id: row.task });
    case 's':
      return row.task === undefined ? view('explain', row.name) : view('show');
    case 'l':
      return view('logs');
    case 'e':
      return view('explain');
    case 'd':
      return row.task === undefined ? tell(ui, `${row.name} works on nothing`) : view('diff');
    case 'h':
    case 'r':
    case 'm':
    case 'R':
      return tell(ui, row.task === undefined ? `${row.name} works on nothing` : `${row.task} is running: x ends it`);
    default:
      return stay(ui);
  }
}

function onTask(ui: Ui, pressed: string, row: TaskRow, model: Model): Step {
  const { id, state } = row;
  const view = (what: View): Step => ({ ui, action: { kind: 'view', what, name: id } });
  const ended = state === 'done' || state === 'failed' || state === 'refused';
  switch (pressed) {
    case 'enter':
    case 'a':
      if (state === 'needs') return stay({ ...ui, mode: { kind: 'typing', what: { kind: 'answer', id }, text: '' } });
      return pressed === 'enter' ? view('show') : tell(ui, `${id} asks nothing, and has no session`);
    case 's':
      return view('show');
    case 'l':
      return view('logs');
    case 'e':
      return view('explain');
    case 'd':
      return view('diff');
    case 'r':
      if (state === 'failed' || state === 'refused') return { ui, action: { kind: 'retry', id } };
      if (state === 'done') return ask(ui, `${id} is done: run it once more?`, { kind: 'rerun', id });
      return tell(ui, `${id} has not failed`);
    case 'h':
      if (state === 'held') return { ui, action: { kind: 'release', id } };
      return state === 'ready' || state === 'waiting' ? { ui, action: { kind: 'hold', id } } : tell(ui, 'only what is ready or waiting can be held');
    case 'x':
      return ended ? tell(ui, `${id} has ended`) : ask(ui, `cancel ${id}? It goes to failed/`, { kind: 'cancel', id });
    case 'm':
    case 'R':
      return onBranch(ui, pressed, row, model);
    case 'n':
      return tell(ui, `${id} is not running`);
    default:
      return stay(ui);
  }
}

/** Merge and reject: of what is done, or asks, and has a branch; what failed can only be rejected. Where that is not known yet, the command says. */
function onBranch(ui: Ui, pressed: 'm' | 'R', row: TaskRow, model: Model): Step {
  const { id, state } = row;
  const failed = state === 'failed' || state === 'refused';
  if (failed && (pressed === 'm' || state === 'refused')) return tell(ui, `${id} has failed: r tries it again`);
  if (state !== 'done' && state !== 'needs' && !failed) return tell(ui, `${id} has not ended`);
  switch (model.details.get(detailKey(row))?.branch) {
    case 'merged':
      return tell(ui, `${id} is merged`);
    case 'proposed':
      return tell(ui, `${id} is proposed: it is merged there`);
    case 'none':
      return tell(ui, `${id} has no branch with a change`);
    case 'left':
    case undefined:
      return pressed === 'm' ? ask(ui, `merge ${id}?`, { kind: 'merge', id }) : stay({ ...ui, mode: { kind: 'typing', what: { kind: 'reject', id }, text: '' } });
  }
}
