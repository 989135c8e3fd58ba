import { join } from 'node:path';
import type { Files } from '../lib/files.js';
import type { Layout } from '../protocol/layout.js';
import type { WaitsFor } from '../protocol/judge.js';
import { isTaskId, printWaiting, type TaskName } from '../protocol/names.js';
import { parseJson, RUN_FILES } from '../protocol/records.js';
import type { Children } from '../protocol/workflow.js';
import { doneFile } from './archive.js';
import { locate } from './locate.js';

/*
 * A task that waits for its children lies in waiting/ under a name that was written down beforehand, in runs/<id>/awaits.json, with their ids.
 * Under any other name (it was tried again by hand, or held and released) the record says nothing of it.
 */

interface Awaits {
  readonly file: string;
  readonly children: readonly string[];
}

const awaitsFile = (layout: Layout, id: string): string => join(layout.runs, id, RUN_FILES.awaits);

/** Before it is settled: what it will wait for, under the name that it gets then. */
export async function rememberAwaited(files: Files, layout: Layout, { id, place, counters }: TaskName, { ids, at }: WaitsFor): Promise<void> {
  const record: Awaits = { file: printWaiting({ id, place, counters, dueAt: at }), children: ids };
  await files.write(awaitsFile(layout, id), `${JSON.stringify(record)}\n`);
}

/** The children that a waiting file waits for; none where it waits for something else. */
export async function awaitedBy(files: Files, layout: Layout, id: string, file: string): Promise<readonly string[]> {
  const record = parseJson<Awaits>(await files.read(awaitsFile(layout, id)));
  return record?.file === file ? record.children : [];
}

/** The name under which a child is counted until it is in line. */
export const tossBegun = (id: string): string => `+${id}`;

/** The ids that stand in a task's tossed/: those in line, and those of a toss that was begun. */
export const tossedIds = (names: readonly string[]): string[] => [...new Set(names.map((name) => name.replace(/^\+/, '')))].filter(isTaskId).sort();

/** How the tasks that it has tossed stand, `without` those that a person gave up. */
export async function childrenOf(files: Files, layout: Layout, id: string, without: readonly string[] = []): Promise<Children> {
  const done: string[] = [];
  const failed: string[] = [];
  const open: string[] = [];
  const names = await files.list(join(layout.runs, id, RUN_FILES.tossed));
  for (const child of tossedIds(names).filter((one) => !without.includes(one))) {
    // Whoever tossed it was killed, perhaps before it was in line.
    if (!names.includes(child) && (await locate(files, layout, child)) === undefined) continue;
    if ((await doneFile(files, layout, child)) !== undefined) done.push(child);
    else if (await files.exists(join(layout.dir('failed'), `${child}.md`))) failed.push(child);
    else open.push(child);
  }
  return { done, failed, open };
}
