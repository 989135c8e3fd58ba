import { err, ok, type Result } from '../lib/result.js';
import { complaint, printed, type Git } from './run.js';

const HEADS = 'refs/heads/';

/** Where a branch stands; undefined: there is none of that name. */
export async function branchTip(git: Git, dir: string, branch: string): Promise<Result<string | undefined, string>> {
  const ran = await git(dir, ['rev-parse', '--verify', '--quiet', '--end-of-options', `${HEADS}${branch}^{commit}`]);
  // 1: there is none; anything else is no answer.
  if (ran.kind === 'unknown' || ran.code > 1) return err(complaint(ran));
  return ok(ran.code === 0 ? ran.stdout.trim() : undefined);
}

/** "changed": the ref does not stand where it was expected; somebody else moved it. */
export type Moved = { readonly kind: 'moved' } | { readonly kind: 'changed' } | { readonly kind: 'unknown'; readonly why: string };

const NOTHING = '0'.repeat(40);

/**
 * Moves a ref from exactly where it stood (compare and swap). `from` undefined: it must not be there; `to` undefined: it is deleted.
 * A ref that stands there already counts as moved, so that a call may be repeated after a crash.
 */
export async function moveRef(git: Git, dir: string, ref: string, to: string | undefined, from: string | undefined, why: string): Promise<Moved> {
  const ran = await git(dir, to === undefined ? ['update-ref', '-d', ref, from ?? NOTHING] : ['update-ref', '-m', why, ref, to, from ?? NOTHING]);
  if (ran.kind === 'unknown') return ran;
  if (ran.code === 0) return { kind: 'moved' };
  const now = await git(dir, ['rev-parse', '--verify', '--quiet', '--end-of-options', ref]);
  if (now.kind === 'unknown' || now.code > 1) return { kind: 'unknown', why: complaint(now) };
  const at = now.code === 0 ? now.stdout.trim() : undefined;
  if (at === to) return { kind: 'moved' };
  return at === from ? { kind: 'unknown', why: complaint(ran) } : { kind: 'changed' };
}

/** Branches and remote branches that contain a commit, by their full names. */
export async function refsWith(git: Git, dir: string, sha: string): Promise<Result<string[], string>> {
  const ran = await git(dir, ['for-each-ref', '--format=%(refname)', `--contains=${sha}`, 'refs/heads', 'refs/remotes']);
  const said = printed(ran);
  return said === undefined ? err(complaint(ran)) : ok(said.split('\n').filter((line) => line !== ''));
}
