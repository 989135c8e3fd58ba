import { join } from 'node:path';
import type { Files } from '../lib/files.js';
import type { Layout } from '../protocol/layout.js';
import type { WaitsFor } from '../protocol/judge.js';
import { isTaskId, printWaiting, type TaskName } from '../protocol/names.js';
import { parseJson, RUN_FILES } from '../protocol/records.js';
import type { Children } from '../protocol/workflow.js';
import { doneFile } from './archive.js';

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

/** How the tasks that it has tossed stand, `without` those that a person gave up. */
export async function childrenOf(files: Files, layout: Layout, id: string, without: readonly string[] = []): Promise<Children> {
  const done: string[] = [];
  const failed: string[] = [];
  const open: string[] = [];
  for (const child of (await files.list(join(layout.runs, id, RUN_FILES.tossed))).filter((one) => isTaskId(one) && !without.includes(one)).sort()) {
    if ((await doneFile(files, layout, child)) !== undefined) done.push(child);
    else if (await files.exists(join(layout.dir('failed'), `${child}.md`))) failed.push(child);
    else open.push(child);
  }
  return { done, failed, open };
}
