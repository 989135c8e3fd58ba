import { join } from 'node:path';
import type { Files } from '../lib/files.js';
import type { Layout } from '../protocol/layout.js';

/*
 * Done tasks of long ago lie in queue/archive/<year>-<month>/ with their stories, under the same names. Such a task is still
 * done: what needs it may go, its id stays taken, `show` finds it.
 */

/** The month, in UTC, that a task ended in. */
export const monthOf = (atMs: number): string => new Date(atMs).toISOString().slice(0, 7);

/** The months that have an archive, newest first. */
export async function archivedMonths(files: Files, layout: Layout): Promise<string[]> {
  return (await files.list(layout.archive)).filter((name) => /^\d{4}-\d\d$/.test(name)).sort().reverse();
}

/** The file of a done task, wherever it lies. done/ is asked first: a task that is archived meanwhile is found behind it. */
export async function doneFile(files: Files, layout: Layout, id: string): Promise<string | undefined> {
  const name = `${id}.md`;
  const recent = join(layout.dir('done'), name);
  if (await files.exists(recent)) return recent;
  for (const month of await archivedMonths(files, layout)) {
    const file = join(layout.archive, month, name);
    if (await files.exists(file)) return file;
  }
  return undefined;
}
