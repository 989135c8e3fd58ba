import { basename } from 'node:path';
import { idFromFileName } from '../protocol/task-id.js';
import { locate, type Located } from '../queue/locate.js';
import { listRefusals, refusalOf, type Refusal } from '../queue/refusals.js';
import type { Context } from './context.js';
import { CliError, EXIT } from './exit.js';

/** What a person means by a name. `newer`: a file meant for the same task that was refused after this one came. */
export type Found = { readonly kind: 'task'; readonly task: Located; readonly newer: Refusal | undefined } | { readonly kind: 'refused'; readonly refusal: Refusal } | { readonly kind: 'nobody' };

/** By id; by the name of the dropped file, with or without its ending; and what was refused under either. */
export async function find(context: Context, name: string, memory?: Map<string, Refusal>): Promise<Found> {
  const { files, layout } = context;
  const refusals = await listRefusals(files, layout, memory);
  const refusal = refusalOf(refusals, name) ?? refusalOf(refusals, idFromFileName(Buffer.from(name)));
  const task = await locateByName(context, name);
  if (task === undefined) return refusal === undefined ? { kind: 'nobody' } : { kind: 'refused', refusal };
  const since = task.name === undefined ? ((await files.mtimeMs(task.file)) ?? 0) : task.name.place.arrivedAt;
  const meant = refusal ?? refusals.findLast((one) => one.id === task.id);
  return { kind: 'task', task, newer: meant !== undefined && meant.at >= since ? meant : undefined };
}

async function locateByName(context: Context, name: string): Promise<Located | undefined> {
  const { files, layout } = context;
  const found = await locate(files, layout, name);
  if (found !== undefined) return found;
  const file = basename(name);
  for (const id of new Set([idFromFileName(Buffer.from(file)), idFromFileName(Buffer.from(`${file}.md`))])) {
    const task = await locate(files, layout, id);
    if (task !== undefined) return task;
  }
  // The file may name an id of its own: the event log knows which. Loaded only then.
  const { readEvents } = await import('./events.js');
  const added = (await readEvents(context, { holding: '"task-added"' })).findLast((event) => event.kind === 'task-added' && (event.from === file || event.from === `${file}.md`));
  return added?.kind === 'task-added' ? locate(files, layout, added.id) : undefined;
}

export const refusedText = (refusal: Refusal): string => `${refusal.file} was refused: line ${refusal.line}: ${refusal.problem}; ${refusal.fix === '' ? '' : `${refusal.fix}; `}see queue/failed/${refusal.story}`;

/** The task; ends the command with the reason where there is none, or where it was refused. */
export async function findTask(context: Context, name: string): Promise<Located> {
  const found = await find(context, name);
  if (found.kind === 'task') return found.task;
  if (found.kind === 'refused') throw new CliError(refusedText(found.refusal), EXIT.badTask);
  throw new CliError(`no task is called ${name}; see: snakepit ls`, EXIT.notFound);
}
