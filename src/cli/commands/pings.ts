import { formatDuration } from '../../lib/duration.js';
import { show } from '../../lib/text.js';
import { unreachable } from '../../lib/unreachable.js';
import { readOutbox, readProgress } from '../../pings/outbox.js';
import type { Bundle, Cursor, Entry, Source } from '../../pings/state.js';
import { openContext, print, printJson, readRules } from '../context.js';
import { paint, table } from '../style.js';

/** The rules of `pings:`, up to where each has looked, and what waits to be delivered. */
export async function pings(dir: string | undefined, options: { json?: boolean }): Promise<void> {
  const context = openContext(dir);
  const { files, layout, clock } = context;
  const rows = await Promise.all((await readRules(context)).map(async (rule) => ({ ...rule, ...(await readProgress(files, layout, rule)) })));
  const outbox = await readOutbox(files, layout);
  if (options.json === true) return printJson({ rules: rows, outbox });
  if (rows.length === 0) print('no rules; write them under pings: in snakepit.yaml');
  else print(headed(['RULE', 'ON', 'TO', 'LOOKED UP TO'], rows.map(({ name, on, to, cursor }) => [name, describeSource(on), to.join(' '), describeCursor(cursor)])));
  for (const { name, held } of rows) {
    if (held.quiet !== undefined) print(`${name}: ${events(held.quiet)} for the end of its quiet hours`);
    if (held.burst !== undefined) print(`${name}: ${events(held.burst)} to be told together`);
  }
  if (outbox.length === 0) return print('nothing waits to be delivered');
  print('');
  print(headed(['TO', 'RULE', 'FOR', 'STATE', 'TEXT'], outbox.map((entry) => [entry.to, entry.rule, formatDuration(Math.max(0, clock.wallMs() - entry.queuedAt)), describeState(entry), show(entry.text, 80)])));
}

const events = ({ count }: Bundle): string => (count === 1 ? '1 event waits' : `${count} events wait`);

const headed = (head: readonly string[], rows: readonly (readonly string[])[]): string => table([head, ...rows.map((row) => row.map((cell) => show(cell)))], (cell, _column, row) => (row === 0 ? paint('dim', cell) : cell));

function describeSource(on: Source): string {
  switch (on.kind) {
    case 'commit':
      return `commit on ${on.ref}, subject ${on.subject}${on.repo === '.' ? '' : `, in ${on.repo}`}`;
    case 'settled':
      return `settled${on.state === undefined ? '' : ` ${on.state}`}${on.tag === undefined ? '' : `, tag ${on.tag}`}${on.task === undefined ? '' : `, task ${on.task}`}`;
    case 'inbox':
      return `inbox ${on.dir}/${on.files}`;
    case 'event':
      return `event ${on.event}${Object.entries(on.match).map(([field, value]) => `, ${field} ${String(value)}`).join('')}`;
    case 'events':
      return on.kinds.join(', ');
    default:
      return unreachable(on);
  }
}

function describeCursor(cursor: Cursor | undefined): string {
  switch (cursor?.kind) {
    case undefined:
      return 'not yet';
    case 'commit':
      return cursor.sha?.slice(0, 10) ?? 'no such ref yet';
    case 'log':
      return `byte ${cursor.offset}`;
    case 'inbox':
      return `${Object.keys(cursor.seen).length} files`;
    default:
      return unreachable(cursor);
  }
}

function describeState({ state }: Entry): string {
  switch (state.kind) {
    case 'queued':
      return state.refusal === undefined ? 'waits' : `refused ${state.tries} times: ${state.refusal}`;
    case 'begun':
      return 'being typed';
    case 'settled':
      return state.receipt.kind;
    default:
      return unreachable(state);
  }
}
