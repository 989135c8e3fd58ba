import type { Files } from '../lib/files.js';
import { isTaskFile } from '../protocol/layout.js';

/** A task in done/ or failed/, by its names alone. */
export interface EndedTask {
  readonly id: string;
  /** Absolute path. */
  readonly file: string;
  /** When it was settled, wall clock, milliseconds: the time of its story; without one, of the file itself. */
  readonly at: number;
}

/** Times by path, of earlier listings: a story is written once, so each is looked at once. */
export type KnownTimes = Map<string, number>;

/**
 * The tasks among these names of done/ or failed/, the newest first; `dir` is absolute and ends in no slash. No record is read: ten
 * thousand cost a listing and a look at each one's time, some 40 ms.
 */
export async function endedTasks(files: Pick<Files, 'mtimeMs'>, dir: string, names: readonly string[], known?: KnownTimes): Promise<EndedTask[]> {
  const stories = new Set(names.filter((name) => name.endsWith('.result.md')));
  const found: EndedTask[] = [];
  for (const name of names) {
    if (!isTaskFile(name)) continue;
    const id = name.slice(0, -3);
    // Not joined: that would take as long as all the rest.
    const path = `${dir}/${stories.has(`${id}.result.md`) ? `${id}.result.md` : name}`;
    const at = known?.get(path) ?? (await files.mtimeMs(path));
    // It has just been moved away.
    if (at === undefined) continue;
    known?.set(path, at);
    found.push({ id, file: `${dir}/${name}`, at });
  }
  return found.sort((a, b) => b.at - a.at || (a.id < b.id ? -1 : 1));
}
