import { err, ok, type Result } from '../lib/result.js';
import { complaint, printed, type Git } from './run.js';

/** One checkout of a repository, as its list has it. */
export interface Worktree {
  readonly path: string;
  /** Undefined in a repository without a commit, and in a broken entry. */
  readonly head: string | undefined;
  /** The full name of the branch that is checked out. */
  readonly branch: string | undefined;
  /** Somebody locked it: nobody but them removes it. The reason may be ''. */
  readonly locked: string | undefined;
  /** Git itself would drop the entry, and says why. */
  readonly prunable: string | undefined;
}

const ADD_MS = 600_000;
const REMOVE_MS = 120_000;
/** Other processes hold the repository's locks for milliseconds. */
const TRIES = 8;
const FIRST_WAIT_MS = 20;

/** All checkouts, the main one first. */
export async function listWorktrees(git: Git, dir: string): Promise<Result<Worktree[], string>> {
  let ran = await git(dir, ['worktree', 'list', '--porcelain', '-z']);
  for (let attempt = 1; attempt < TRIES && ran.kind === 'ended' && ran.code !== 0 && isLockFight(ran.stderr); attempt += 1) ran = await git(dir, ['worktree', 'list', '--porcelain', '-z']);
  const said = printed(ran);
  return said === undefined ? err(complaint(ran)) : ok(parseWorktrees(said));
}

/** Fields end with NUL, entries with one more. */
export function parseWorktrees(text: string): Worktree[] {
  return text.split('\0\0').flatMap((entry) => {
    const fields = new Map<string, string>();
    for (const field of entry.split('\0')) {
      const space = field.indexOf(' ');
      if (field !== '') fields.set(space < 0 ? field : field.slice(0, space), space < 0 ? '' : field.slice(space + 1));
    }
    const path = fields.get('worktree');
    const head = fields.get('HEAD');
    return path === undefined ? [] : [{ path, head: head === undefined || /^0+$/.test(head) ? undefined : head, branch: fields.get('branch'), locked: fields.get('locked'), prunable: fields.get('prunable') }];
  });
}

/** Whether another process held a lock of the repository just then, or was in the middle of making a worktree's entry: worth another try. */
export const isLockFight = (text: string): boolean => /failed to read .*(commondir|gitdir|HEAD)|unable to create .*\.lock|could not lock|File exists|cannot lock ref/i.test(text);

/**
 * A new checkout at `path`. `from` given: of a new branch that starts there; undefined: of the branch that exists. Tried again where
 * another process held a lock. An error: git's words; what a try that failed left behind is the caller's to clear.
 */
export async function addWorktree(git: Git, dir: string, path: string, branch: string, from: string | undefined, env: Readonly<Record<string, string>>, sleep: (ms: number) => Promise<void>): Promise<Result<void, string>> {
  const existing = ['worktree', 'add', '--quiet', path, branch];
  if (from === undefined) return add(git, dir, existing, env, sleep);
  // The branch was free: one that is there at a further try is what the try before had got to.
  const again = async (): Promise<readonly string[] | undefined> => (printed(await git(dir, ['rev-parse', '--verify', '--quiet', `refs/heads/${branch}`])) === undefined ? undefined : existing);
  return add(git, dir, ['worktree', 'add', '--quiet', '--no-track', '-b', branch, path, from], env, sleep, again);
}

async function add(git: Git, dir: string, first: readonly string[], env: Readonly<Record<string, string>>, sleep: (ms: number) => Promise<void>, again?: () => Promise<readonly string[] | undefined>): Promise<Result<void, string>> {
  let args = first;
  for (let attempt = 1; ; attempt += 1) {
    const ran = await git(dir, args, { timeoutMs: ADD_MS, env });
    if (ran.kind === 'unknown') return err(ran.why);
    if (ran.code === 0) return ok(undefined);
    if (attempt >= TRIES || !isLockFight(ran.stderr)) return err(complaint(ran));
    await sleep(FIRST_WAIT_MS * 2 ** attempt);
    args = (await again?.()) ?? args;
  }
}

/** A checkout of one commit, of no branch. */
export async function addDetached(git: Git, dir: string, path: string, commit: string, env: Readonly<Record<string, string>>, sleep: (ms: number) => Promise<void>): Promise<Result<void, string>> {
  return add(git, dir, ['worktree', 'add', '--quiet', '--detach', path, commit], env, sleep);
}

/** Takes a checkout away with all that lies in it. Never forced twice: a locked one stays, and git says so. */
export async function removeWorktree(git: Git, dir: string, path: string): Promise<Result<void, string>> {
  const ran = await git(dir, ['worktree', 'remove', '--force', path], { timeoutMs: REMOVE_MS });
  return printed(ran) === undefined ? err(complaint(ran)) : ok(undefined);
}
