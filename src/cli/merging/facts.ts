import type { Config } from '../../config/config.js';
import { branchTip } from '../../git/refs.js';
import { systemGit, type Git } from '../../git/run.js';
import type { Located } from '../../queue/locate.js';
import { pastAttempts, readAttempt, type PastAttempt } from '../../runs/run-dir.js';
import { readSpec } from '../../runs/task-copy.js';
import type { TaskSpec } from '../../protocol/task.js';
import { projectDir } from '../../workspace/ground.js';
import { readWorkspace } from '../../workspace/record.js';
import type { WorktreeRecord } from '../../workspace/state.js';
import type { Context } from '../context.js';
import { CliError, EXIT } from '../exit.js';
import { findTask } from '../find.js';

/** A task that has ended, or waits for a person, with its branch. */
export interface Branched {
  readonly task: Located;
  readonly git: Git;
  /** Oldest first. */
  readonly past: readonly PastAttempt[];
  readonly last: PastAttempt;
  /** As its last attempt was given it. */
  readonly spec: TaskSpec | undefined;
  /** Undefined: its worktree and branch were taken away after it was merged. */
  readonly record: WorktreeRecord | undefined;
  /** A checkout of the repository. */
  readonly repo: string;
  readonly branch: string;
  readonly base: { readonly name: string; readonly sha: string };
  /** Where the branch stands; undefined: it is gone. */
  readonly tip: string | undefined;
}

/** Ends the command with the reason where the task has no branch, or git does not answer. */
export async function branchOf(context: Context, config: Config, name: string): Promise<Branched> {
  const { files, layout } = context;
  const task = await findTask(context, name);
  const past = await pastAttempts(files, layout, task.id);
  const last = past.at(-1);
  const record = await readWorkspace(files, layout, task.id);
  const measured = past.findLast(({ record: one }) => one.changes !== undefined);
  const attempt = measured === undefined ? undefined : await readAttempt(files, measured.run);
  const branch = record?.branch ?? measured?.record.changes?.branch;
  const base = record?.base ?? (measured?.record.changes === undefined ? undefined : { name: attempt?.worktree?.baseName ?? 'HEAD', sha: measured.record.changes.base });
  if (last === undefined || branch === undefined || base === undefined) throw new CliError(`${task.id} has no branch: it worked in no worktree, or has not begun`, EXIT.notFound);
  const git = systemGit(process.env);
  const repo = record?.repo ?? projectDir(layout, config.repo);
  const tip = await branchTip(git, repo, branch);
  if (!tip.ok) throw new CliError(`git cannot read ${repo}: ${tip.error}`, EXIT.unavailable);
  return { task, git, past, last, spec: await readSpec(files, (measured ?? last).run), record, repo, branch, base, tip: tip.value };
}

/** The merge of its present life; undefined: it was not merged. */
export function mergedAs({ past, last }: Pick<Branched, 'past' | 'last'>): { readonly into: string; readonly commit: string; readonly onto: string } | undefined {
  const { merge } = last.record;
  if (merge?.kind === 'merged') return merge;
  // A run by hand after it (rerun) begins a life of its own, with an attempt of number one.
  const before = past.findLast(({ record }) => record.merge !== undefined)?.record.merge;
  return last.record.outcome.kind === 'failed' && before?.kind === 'merged' ? before : undefined;
}
