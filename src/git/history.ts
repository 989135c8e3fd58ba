import { err, ok, type Result } from '../lib/result.js';
import { commitTree, mergeTrees, treeAt, type Author, type Merged } from './objects.js';
import { complaint, printed, type Git } from './run.js';

const LONG_MS = 300_000;

/** One commit as it is needed to make it again elsewhere. */
export interface Commit {
  readonly sha: string;
  readonly parents: readonly string[];
  readonly author: Author;
  readonly message: string;
}

/** What `to` has and `from` has not, parents before children. */
export async function commitsBetween(git: Git, dir: string, from: string, to: string): Promise<Result<Commit[], string>> {
  const ran = await git(dir, ['log', '--topo-order', '--reverse', '-z', '--no-show-signature', '--format=%H%n%P%n%an%n%ae%n%aI%n%B', `${from}..${to}`, '--'], { timeoutMs: LONG_MS });
  const said = printed(ran);
  if (said === undefined) return err(complaint(ran));
  return ok(said.split('\0').flatMap((text) => {
    const [sha = '', parents = '', name = '', email = '', date = '', ...message] = text.replace(/^\n/, '').split('\n');
    return sha === '' ? [] : [{ sha, parents: parents.split(' ').filter((one) => one !== ''), author: { name, email, date }, message: message.join('\n') }];
  }));
}

/** The change of one commit, made again on top of another; no checkout is touched. */
export async function replay(git: Git, dir: string, { sha, parents }: Commit, onto: string): Promise<Merged> {
  const [parent] = parents;
  if (parent === undefined || parents.length > 1) return { kind: 'unknown', why: `${sha} has not one parent` };
  // Git merges by history: a commit with the target's tree on the old parent makes that parent the base.
  const tree = await treeAt(git, dir, onto);
  if (!tree.ok) return { kind: 'unknown', why: tree.error };
  const stand = await commitTree(git, dir, tree.value, [parent], 'snakepit: a stand-in\n');
  return stand.ok ? mergeTrees(git, dir, stand.value, sha) : { kind: 'unknown', why: stand.error };
}

/** What each commit of a range changed, and what lies between the two trees, as patches without context. For a look at what is added, not for applying. */
export async function patchesOf(git: Git, dir: string, commits: readonly string[], from: string, to: string): Promise<Result<string, string>> {
  const flags = ['-r', '-p', '-U0', '--root', '--no-renames', '--no-ext-diff', '--no-textconv', '--src-prefix=a/', '--dst-prefix=b/'];
  const whole = await git(dir, ['diff-tree', ...flags, from, to, '--'], { timeoutMs: LONG_MS });
  const said = printed(whole);
  if (said === undefined) return err(complaint(whole));
  if (commits.length === 0) return ok(said);
  const each = await git(dir, ['diff-tree', '--stdin', '-m', ...flags], { timeoutMs: LONG_MS, input: `${commits.join('\n')}\n` });
  const more = printed(each);
  return more === undefined ? err(complaint(each)) : ok(`${said}\n${more}`);
}

/** Files with the lines added and removed, as `git diff --stat` shows them to a person, or the whole patch. */
export async function showDiff(git: Git, dir: string, from: string, to: string, how: '--stat' | '--patch'): Promise<Result<string, string>> {
  const ran = await git(dir, ['diff', '--no-color', '--no-ext-diff', '--no-textconv', how, from, to, '--'], { timeoutMs: LONG_MS });
  const said = printed(ran);
  return said === undefined ? err(complaint(ran)) : ok(said);
}
