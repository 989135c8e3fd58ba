import { formatBytes } from '../lib/bytes.js';
import type { Files } from '../lib/files.js';
import { run } from '../lib/run.js';
import type { Layout } from '../protocol/layout.js';
import { parseJson } from '../protocol/records.js';

/** What worktrees and runs took of the disk at the last look. Blocks as `du` counts them: what two files share counts for both. */
export interface DiskUse {
  readonly v: 1;
  /** Wall clock, milliseconds. */
  readonly at: number;
  readonly bytes: number;
  /** Of these, each task's worktree. */
  readonly worktrees: Readonly<Record<string, number>>;
}

const MEASURE_MS = 300_000;

/** By `du`, which takes seconds over a million files; undefined where it did not answer or stumbled over what went away meanwhile. */
export async function measureDisk(layout: Layout, files: Files, atMs: number): Promise<DiskUse | undefined> {
  const worktrees: Record<string, number> = {};
  let bytes = 0;
  for (const [dir, depth] of [[layout.worktrees, 1], [layout.runs, 0]] as const) {
    if (!(await files.exists(dir))) continue;
    const ran = await run(['du', '-k', '-x', `--max-depth=${depth}`, '--', dir], { timeoutMs: MEASURE_MS, env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C' } });
    if (ran.kind === 'unknown') return undefined;
    for (const line of ran.stdout.split('\n')) {
      const [kib, path] = line.split('\t');
      if (path === dir) bytes += Number(kib) * 1024;
      else if (path !== undefined) worktrees[path.slice(dir.length + 1)] = Number(kib) * 1024;
    }
  }
  return { v: 1, at: atMs, bytes, worktrees };
}

export async function readDisk(files: Files, layout: Layout): Promise<DiskUse | undefined> {
  const use = parseJson<DiskUse>(await files.read(layout.diskUse));
  return use?.v === 1 ? use : undefined;
}

/** A worktree has been removed: snakes need not wait for the next look. */
export async function forgetDisk(files: Files, layout: Layout, id: string): Promise<void> {
  const use = await readDisk(files, layout);
  const freed = use?.worktrees[id];
  if (use === undefined || freed === undefined) return;
  const { [id]: _gone, ...worktrees } = use.worktrees;
  await files.write(layout.diskUse, `${JSON.stringify({ ...use, bytes: Math.max(0, use.bytes - freed), worktrees } satisfies DiskUse)}\n`);
}

/** Bytes over the budget at the last look; 0: within it, or there is none (`budget` 0, or of an older configuration), or nobody has looked. */
export const overBudget = (use: Pick<DiskUse, 'bytes'> | undefined, budget: number | undefined): number => (use === undefined || budget === undefined || budget === 0 ? 0 : Math.max(0, use.bytes - budget));

/** Why nothing is claimed, with the way out; undefined: the disk does not hinder. */
export function diskWhy(use: DiskUse | undefined, budget: number | undefined): string | undefined {
  if (overBudget(use, budget) === 0 || use === undefined || budget === undefined) return undefined;
  return `worktrees and runs take ${formatBytes(use.bytes)} of the ${formatBytes(budget)} of disk: nothing is claimed; snakepit cleanup removes what is over and kept, or raise disk: in snakepit.yaml`;
}
