import { join } from 'node:path';
import type { Files } from '../lib/files.js';
import { monthOf } from '../lib/month.js';
import type { Layout } from '../protocol/layout.js';

/*
 * Done tasks of long ago lie in queue/archive/<year>-<month>/ with their stories, under the same names. Such a task is still
 * done: what needs it may go, its id stays taken, `show` finds it.
 */

/** The months that have an archive, newest first. */
export async function archivedMonths(files: Files, layout: Layout): Promise<string[]> {
  return (await files.list(layout.archive)).filter((name) => /^\d{4}-\d\d$/.test(name)).sort().reverse();
}

/**
 * One file of done/, a task or its story, into the month that the task ended in: one rename. Something of that name there is
 * never written over: it may be all that is left of an earlier run.
 */
export async function archive(files: Files, layout: Layout, name: string, endedAt: number): Promise<'ok' | 'missing' | 'taken'> {
  const month = join(layout.archive, monthOf(endedAt));
  if (await files.exists(join(month, name))) return 'taken';
  await files.makeDir(month);
  return files.rename(join(layout.dir('done'), name), join(month, name));
}

/** The file of a done task in the archive. */
export async function archivedFile(files: Files, layout: Layout, id: string): Promise<string | undefined> {
  for (const month of await archivedMonths(files, layout)) {
    const file = join(layout.archive, month, `${id}.md`);
    if (await files.exists(file)) return file;
  }
  return undefined;
}

/** The file of a done task, wherever it lies. done/ is asked first: a task that is archived meanwhile is found behind it. */
export async function doneFile(files: Files, layout: Layout, id: string): Promise<string | undefined> {
  const recent = join(layout.dir('done'), `${id}.md`);
  return (await files.exists(recent)) ? recent : archivedFile(files, layout, id);
}
