import { dirname, join, relative, resolve } from 'node:path';
import { isIgnored, headOf, repositoryOf, type Head, type Repository } from '../git/repository.js';
import type { Git } from '../git/run.js';
import { appendLine } from '../lib/append-line.js';
import { take } from '../lib/baton.js';
import type { Clock } from '../lib/clock.js';
import type { Files } from '../lib/files.js';
import type { Processes } from '../lib/processes.js';
import { err, ok, type Result } from '../lib/result.js';
import type { Layout } from '../protocol/layout.js';
import { RESULT_FALLBACK } from '../protocol/records.js';

export interface WorkspacePorts {
  readonly files: Files;
  readonly clock: Clock;
  readonly processes: Processes;
  readonly git: Git;
}

/** The project's directory as git sees it. */
export type Project = { readonly kind: 'none' } | { readonly kind: 'repository'; readonly repository: Repository; readonly head: Head };

/** The directory that tasks work on: `repo:` of the configuration, else the pit's own. */
export const projectDir = (layout: Layout, repo: string): string => resolve(layout.root, repo);

/** Git is asked only where a .git lies in the directory or above it, so that a pit elsewhere pays nothing. */
export async function lookAtProject({ files, git }: Pick<WorkspacePorts, 'files' | 'git'>, dir: string): Promise<Result<Project, string>> {
  for (let at = dir; !(await files.exists(join(at, '.git'))); at = dirname(at)) if (dirname(at) === at) return ok({ kind: 'none' });
  const repository = await repositoryOf(git, dir);
  if (!repository.ok) return /ENOENT/.test(repository.error) ? ok({ kind: 'none' }) : repository;
  if (repository.value === 'none') return ok({ kind: 'none' });
  const head = await headOf(git, dir);
  return head.ok ? ok({ kind: 'repository', repository: repository.value, head: head.value }) : head;
}

const PATIENCE_MS = 30_000;

/**
 * Our own files are nobody's changes: where no .gitignore says so, the repository's info/exclude does, which is never committed. One
 * writer at a time, and each line once.
 */
export async function excludeOurs({ files, clock, processes, git }: WorkspacePorts, layout: Layout, { top, commonDir }: Repository): Promise<Result<void, string>> {
  const wanted: string[] = [];
  const state = relative(top, layout.state);
  const probes: [string, string][] = [[RESULT_FALLBACK, `/${RESULT_FALLBACK}`], ...(state.startsWith('..') ? [] : [[`${state}/worktrees/x`, '.snakepit/'] as [string, string]])];
  for (const [path, line] of probes) {
    const ignored = await isIgnored(git, top, path);
    if (ignored === undefined) return err('git did not say what it ignores');
    if (!ignored) wanted.push(line);
  }
  if (wanted.length === 0) return ok(undefined);
  const until = clock.monoMs() + PATIENCE_MS;
  for (;;) {
    const lock = await take(files, processes, join(layout.state, 'locks', 'exclude'));
    if (lock.kind === 'taken') {
      try {
        const file = join(commonDir, 'info', 'exclude');
        await files.makeDir(dirname(file));
        const text = (await files.read(file)) ?? '';
        const lines = wanted.filter((line) => !text.split('\n').includes(line));
        if (lines.length > 0) await appendLine(files, file, lines.join('\n'));
        return ok(undefined);
      } finally {
        await lock.release();
      }
    }
    if (clock.monoMs() > until) return err(`${join(commonDir, 'info', 'exclude')} is being written by pid ${lock.by.pid}, for too long`);
    await clock.sleep(20);
  }
}
