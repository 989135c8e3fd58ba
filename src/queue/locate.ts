import { join } from 'node:path';
import type { Files } from '../lib/files.js';
import { isTaskFile, QUEUE_STATES, type Layout, type QueueState } from '../protocol/layout.js';
import { parseAny, type TaskName } from '../protocol/names.js';
import { doneFile } from './archive.js';

/** A task where it lies now. In done/ and failed/ only the id is in the name. */
export interface Located {
  readonly id: string;
  readonly state: QueueState;
  readonly file: string;
  readonly name: TaskName | undefined;
}

/** The id that a file in a state directory stands for; undefined for stories, refused files and foreign names. */
export function idOf(state: QueueState, file: string): { id: string; name: TaskName | undefined } | undefined {
  if (!isTaskFile(file)) return undefined;
  if (state === 'done' || state === 'failed') return { id: file.slice(0, -3), name: undefined };
  const name = parseAny(file);
  return name === undefined ? undefined : { id: name.id, name };
}

/** Every task of one state, in dispatch order. */
export async function listState(files: Files, layout: Layout, state: QueueState): Promise<Located[]> {
  const names = (await files.list(layout.dir(state))).sort();
  return names.flatMap((file) => {
    const found = idOf(state, file);
    return found === undefined ? [] : [{ ...found, state, file: join(layout.dir(state), file) }];
  });
}

/**
 * Where a task is. A task that moves while the directories are being listed can be missed once; a second look, in the
 * order of the states, finds it unless it moves again in that very instant.
 */
export async function locate(files: Files, layout: Layout, id: string): Promise<Located | undefined> {
  if (!isTaskFile(`${id}.md`) || id.includes('/')) return undefined;
  for (let look = 0; look < 3; look += 1) {
    const done = await doneFile(files, layout, id);
    if (done !== undefined) return { id, state: 'done', file: done, name: undefined };
    const failed = join(layout.dir('failed'), `${id}.md`);
    if (await files.exists(failed)) return { id, state: 'failed', file: failed, name: undefined };
    for (const state of QUEUE_STATES) {
      if (state === 'done' || state === 'failed') continue;
      const found = (await listState(files, layout, state)).find((task) => task.id === id);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

/** All tasks that are somewhere on their way, by id, for refusing duplicates of them. More than one of an id: a person moved files by hand. */
export async function tasksOnTheWay(files: Files, layout: Layout): Promise<Map<string, Located[]>> {
  const tasks = new Map<string, Located[]>();
  for (const state of QUEUE_STATES) {
    if (state === 'done' || state === 'failed') continue;
    for (const task of await listState(files, layout, state)) tasks.set(task.id, [...(tasks.get(task.id) ?? []), task]);
  }
  return tasks;
}

/** Their ids, and in which state each is. */
export async function idsOnTheWay(files: Files, layout: Layout): Promise<Map<string, QueueState>> {
  return new Map([...(await tasksOnTheWay(files, layout))].flatMap(([id, tasks]) => tasks.map(({ state }) => [id, state] as const)));
}
