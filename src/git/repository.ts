import { isAbsolute, join } from 'node:path';
import { err, ok, type Result } from '../lib/result.js';
import { complaint, printed, type Git } from './run.js';

/** A repository as seen from a directory in one of its checkouts. Paths are absolute, links resolved. */
export interface Repository {
  /** The top of this checkout. */
  readonly top: string;
  /** Its own .git directory; that of the main checkout is the common one. */
  readonly gitDir: string;
  /** Where branches, objects and the list of worktrees lie. */
  readonly commonDir: string;
}

/** What HEAD names. `ref` undefined: no branch is checked out; `sha` undefined: there is no commit yet. */
export interface Head {
  readonly ref: string | undefined;
  readonly sha: string | undefined;
}

/** "none": no checkout of a repository. An error: git did not say, or refuses; its words. */
export async function repositoryOf(git: Git, dir: string): Promise<Result<Repository | 'none', string>> {
  const ran = await git(dir, ['rev-parse', '--show-toplevel', '--absolute-git-dir', '--git-common-dir']);
  const said = printed(ran);
  if (said === undefined) {
    const why = complaint(ran);
    return /not a git repository|must be run in a work tree|No such file or directory/.test(why) ? ok('none') : err(why);
  }
  const [top, gitDir, common] = said.split('\n');
  if (top === undefined || gitDir === undefined || common === undefined) return err('git told no directories');
  return ok({ top, gitDir, commonDir: isAbsolute(common) ? common : join(dir, common) });
}

export async function headOf(git: Git, dir: string): Promise<Result<Head, string>> {
  const ref = await git(dir, ['symbolic-ref', '--quiet', 'HEAD']);
  // 1: no branch is checked out; anything else is no answer.
  if (ref.kind === 'unknown' || ref.code > 1) return err(complaint(ref));
  const sha = await resolveCommit(git, dir, 'HEAD');
  return sha.ok ? ok({ ref: printed(ref)?.trim(), sha: sha.value }) : sha;
}

/** The commit that a name means now; undefined: there is none. */
export async function resolveCommit(git: Git, dir: string, name: string): Promise<Result<string | undefined, string>> {
  const ran = await git(dir, ['rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`]);
  if (ran.kind === 'unknown') return err(ran.why);
  if (ran.code === 0) return ok(ran.stdout.trim());
  return ran.stderr.trim() === '' ? ok(undefined) : err(complaint(ran));
}

/** Whether the first commit lies in the history of the second; undefined: git did not say. */
export async function isAncestor(git: Git, dir: string, ancestor: string, of: string): Promise<boolean | undefined> {
  const ran = await git(dir, ['merge-base', '--is-ancestor', ancestor, of]);
  return ran.kind === 'unknown' || ran.code > 1 ? undefined : ran.code === 0;
}

/** How many commits `to` has that `from` has not. */
export async function countBetween(git: Git, dir: string, from: string, to: string): Promise<Result<number, string>> {
  const ran = await git(dir, ['rev-list', '--count', `${from}..${to}`, '--']);
  const said = printed(ran);
  return said === undefined ? err(complaint(ran)) : ok(Number(said.trim()));
}

/** Whether git ignores a path below a checkout; undefined: it did not say. */
export async function isIgnored(git: Git, dir: string, path: string): Promise<boolean | undefined> {
  const ran = await git(dir, ['check-ignore', '--quiet', '--', path]);
  return ran.kind === 'unknown' || ran.code > 1 ? undefined : ran.code === 0;
}
