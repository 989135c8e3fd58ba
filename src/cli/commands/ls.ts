import { basename } from 'node:path';
import { QUEUE_STATES, type QueueState } from '../../protocol/layout.js';
import { attemptOf, parseClaim, parseWaiting } from '../../protocol/names.js';
import { judgeAllWaiting } from '../../queue/promote.js';
import { listState } from '../../queue/locate.js';
import { openContext, print, printJson } from '../context.js';
import { CliError, EXIT } from '../exit.js';
import { paint, paintState, table } from '../style.js';

const isState = (text: string): text is QueueState => (QUEUE_STATES as readonly string[]).includes(text);

export async function ls(dir: string | undefined, state: string | undefined, options: { json?: boolean }): Promise<void> {
  if (state !== undefined && !isState(state)) throw new CliError(`${state} is no state; use ${QUEUE_STATES.join(', ')}`, EXIT.usage);
  const { files, layout, clock } = openContext(dir);
  const tasks: { id: string; state: QueueState; attempt: number | undefined; priority: number | undefined; note: string; file: string }[] = [];
  const waits = state === undefined || state === 'waiting' ? (await judgeAllWaiting(files, layout, new Map(), clock.wallMs())).verdicts : new Map<string, { why: string }>();
  for (const one of state === undefined ? QUEUE_STATES : [state]) {
    for (const task of await listState(files, layout, one)) {
      const claim = parseClaim(basename(task.file));
      const waiting = parseWaiting(basename(task.file));
      const why = waiting === undefined ? '' : (waits.get(task.id)?.why ?? '');
      tasks.push({ id: task.id, state: one, attempt: task.name === undefined ? undefined : attemptOf(task.name.counters), priority: task.name?.place.priority, note: claim === undefined ? why : `by ${claim.owner.snake}`, file: task.file });
    }
  }
  if (options.json === true) return printJson({ tasks });
  if (tasks.length === 0) return print(state === undefined ? 'no tasks; drop markdown files into queue/, or: snakepit add FILE' : `nothing is ${state}`);
  const rows = tasks.map((task) => [task.state, task.id, task.attempt === undefined ? '' : String(task.attempt), task.priority === undefined ? '' : String(task.priority), task.note]);
  print(table([['STATE', 'TASK', 'ATTEMPT', 'PRIORITY', ''], ...rows], (cell, column, row) => (row === 0 ? paint('dim', cell) : column === 0 ? paintState(cell.trim(), cell) : cell)));
}
