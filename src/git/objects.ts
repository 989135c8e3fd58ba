import { err, ok, type Result } from '../lib/result.js';
import { complaint, printed, type Git } from './run.js';

const CONTENT_MS = 300_000;

/** Who commits where snakepit does so itself. */
const IDENTITY = { GIT_AUTHOR_NAME: 'snakepit', GIT_AUTHOR_EMAIL: 'snakepit@localhost', GIT_COMMITTER_NAME: 'snakepit', GIT_COMMITTER_EMAIL: 'snakepit@localhost' } as const;

/**
 * A tree of all that a checkout holds, tracked and untracked, without what is ignored. Through an index of its own at `index`, a path
 * that the caller removes: the checkout's index stays as it is.
 */
export async function treeOf(git: Git, dir: string, index: string): Promise<Result<string, string>> {
  const env = { GIT_INDEX_FILE: index };
  const read = await git(dir, ['read-tree', 'HEAD'], { timeoutMs: CONTENT_MS, env });
  if (printed(read) === undefined) return err(complaint(read));
  // Of a repository within, "add" asks git for its state, by that repository's own configuration: its filters would run. "update-index" reads its commit only.
  const listed = await git(dir, ['ls-files', '-s', '-z'], { timeoutMs: CONTENT_MS, env });
  const entries = printed(listed);
  if (entries === undefined) return err(complaint(listed));
  const within = entries.split('\0').flatMap((entry) => (entry.startsWith('160000 ') ? [entry.slice(entry.indexOf('\t') + 1)] : []));
  const added = await git(dir, ['add', '--all', '--', ':/', ...within.map((path) => `:(top,exclude,literal)${path}`)], { timeoutMs: CONTENT_MS, env });
  if (printed(added) === undefined) return err(complaint(added));
  if (within.length > 0) {
    const updated = await git(dir, ['update-index', '-z', '--remove', '--stdin'], { timeoutMs: CONTENT_MS, env, input: within.join('\0') });
    if (printed(updated) === undefined) return err(complaint(updated));
  }
  const ran = await git(dir, ['write-tree'], { timeoutMs: CONTENT_MS, env });
  const said = printed(ran);
  return said === undefined ? err(complaint(ran)) : ok(said.trim());
}

/** The tree of a commit. */
export async function treeAt(git: Git, dir: string, commit: string): Promise<Result<string, string>> {
  const ran = await git(dir, ['rev-parse', '--verify', '--end-of-options', `${commit}^{tree}`]);
  const said = printed(ran);
  return said === undefined ? err(complaint(ran)) : ok(said.trim());
}

/** Who wrote a commit, and when: as git prints it, ISO 8601. */
export interface Author {
  readonly name: string;
  readonly email: string;
  readonly date: string;
}

/** A commit that no ref has yet; no hook runs and nothing is signed. `author` undefined: snakepit. */
export async function commitTree(git: Git, dir: string, tree: string, parents: readonly string[], message: string, author?: Author): Promise<Result<string, string>> {
  const own = author === undefined ? {} : { GIT_AUTHOR_NAME: author.name, GIT_AUTHOR_EMAIL: author.email, GIT_AUTHOR_DATE: author.date };
  const ran = await git(dir, ['commit-tree', tree, ...parents.flatMap((parent) => ['-p', parent])], { input: message, env: { ...IDENTITY, ...own } });
  const said = printed(ran);
  return said === undefined ? err(complaint(ran)) : ok(said.trim());
}

/** Nested repositories that a tree has and another has not: a commit holds no more of them than a number. */
export async function gitlinksSince(git: Git, dir: string, from: string, to: string): Promise<Result<string[], string>> {
  const ran = await git(dir, ['diff-tree', '-r', '-z', '--raw', '--no-renames', '--no-ext-diff', '--no-textconv', from, to, '--'], { timeoutMs: CONTENT_MS });
  const said = printed(ran);
  if (said === undefined) return err(complaint(ran));
  const fields = said.split('\0');
  return ok(fields.flatMap((field, index) => (/^:\d{6} 160000 /.test(field) ? [fields[index + 1] ?? ''] : [])));
}

/** Two commits merged in memory: no checkout, no index and no ref is touched. */
export type Merged =
  | { readonly kind: 'clean'; readonly tree: string }
  | { readonly kind: 'conflict'; readonly tree: string; readonly paths: readonly string[] }
  | { readonly kind: 'unknown'; readonly why: string };

/** Needs git 2.38. */
export async function mergeTrees(git: Git, dir: string, ours: string, theirs: string): Promise<Merged> {
  const ran = await git(dir, ['merge-tree', '--write-tree', '--name-only', '--no-messages', '-z', ours, theirs], { timeoutMs: CONTENT_MS });
  if (ran.kind === 'unknown') return ran;
  const [tree, ...paths] = ran.stdout.split('\0').filter((field) => field !== '');
  if (tree === undefined || ran.code > 1) return { kind: 'unknown', why: complaint(ran) };
  return ran.code === 0 ? { kind: 'clean', tree } : { kind: 'conflict', tree, paths: [...new Set(paths)] };
}
