import { resolve } from 'node:path';
import type { Git } from '../git/run.js';
import { boundedMatch } from '../lib/bounded-regex.js';
import type { Commit, Cursor, Look, Source } from './state.js';

/** Of one look; more than that came in from elsewhere, and is said to be left out. */
const MOST = 1000;
/** Of a subject that a pattern sees, characters. */
const SUBJECT_CHARS = 500;
/** Of one subject, milliseconds. */
const PATTERN_MS = 50;
/** Of one look, subjects that a pattern may take too long on; the rest are not tried. */
const MOST_SLOW = 5;
const FORMAT = '--format=%H%x1f%at%x1f%ae%x1f%an%x1f%s';

/** What came to a ref since the cursor. A ref that was not there before brings only the commits that are on no other branch. */
export async function observeCommits(git: Git, root: string, on: Extract<Source, { kind: 'commit' }>, cursor: Extract<Cursor, { kind: 'commit' }> | undefined): Promise<Look> {
  const repo = resolve(root, on.repo);
  const look = (tip: string | null, commits: Commit[] = [], dropped: Omit<Commit, 'match'>[] = [], gap?: string): Look => ({ kind: 'commit', tip, commits, dropped, gap });
  const parsed = await git(repo, ['rev-parse', '--verify', '--quiet', '--end-of-options', `${on.ref}^{commit}`]);
  if (parsed.kind === 'unknown') return { kind: 'unseen', why: parsed.why };
  if (parsed.code !== 0) return parsed.stderr === '' ? look(null) : { kind: 'unseen', why: parsed.stderr.trim().split('\n')[0] ?? '' };
  const tip = parsed.stdout.trim();
  if (cursor === undefined || cursor.sha === tip) return look(tip);
  if (cursor.sha === null) return log(await nameOf(repo), undefined);
  const ancestor = await git(repo, ['merge-base', '--is-ancestor', cursor.sha, tip]);
  if (ancestor.kind === 'unknown') return { kind: 'unseen', why: ancestor.why };
  if (ancestor.code === 0) return log([`${cursor.sha}..${tip}`], undefined);
  if (ancestor.code !== 1) return look(tip, [], [], `${on.ref} was rewritten, and ${cursor.sha.slice(0, 10)}, where it stood, is gone: what came with it is not known`);
  const gone = await commits([`${tip}..${cursor.sha}`]);
  if (typeof gone === 'string') return { kind: 'unseen', why: gone };
  return log([`${cursor.sha}..${tip}`], `${on.ref} was rewritten: ${cursor.sha.slice(0, 10)} is no longer on it; commits that were only moved are not told again`, gone);

  async function log(range: readonly string[], gap: string | undefined, dropped: Omit<Commit, 'match'>[] = []): Promise<Look> {
    const found = await commits(range);
    if (typeof found === 'string') return { kind: 'unseen', why: found };
    const cut = found.length > MOST ? `more than ${MOST} commits at once on ${on.ref}: the older ones are left out` : undefined;
    let slow = 0;
    const matched = found.slice(-MOST).map((commit): Commit => {
      const match = slow < MOST_SLOW ? boundedMatch(on.subject, commit.subject.slice(0, SUBJECT_CHARS), PATTERN_MS) : ({ kind: 'slow' } as const);
      if (match.kind === 'slow') slow += 1;
      return { ...commit, match };
    });
    return look(tip, matched, dropped, gap ?? cut);
  }

  /** Its full name, so that it does not exclude itself. */
  async function nameOf(dir: string): Promise<string[]> {
    const named = await git(dir, ['rev-parse', '--symbolic-full-name', '--end-of-options', on.ref]);
    const full = named.kind === 'ended' && named.code === 0 ? (named.stdout.trim().split('\n').at(-1) ?? '') : '';
    return [tip, '--not', ...['--branches', '--remotes'].flatMap((all) => [...(full.startsWith('refs/') ? [`--exclude=${full}`, `--exclude=${full.replace(/^refs\/(heads|remotes)\//, '')}`] : []), all])];
  }

  /** Oldest first; a text where git did not say. */
  async function commits(range: readonly string[]): Promise<Omit<Commit, 'match'>[] | string> {
    const ran = await git(repo, ['log', '-z', '--reverse', '--topo-order', `--max-count=${MOST + 1}`, FORMAT, ...range, '--']);
    if (ran.kind === 'unknown') return ran.why;
    if (ran.code !== 0) return ran.stderr.trim().split('\n')[0] ?? '';
    return ran.stdout.split('\0').flatMap((line) => {
      const [sha, at, email, author, ...subject] = line.split('\x1f');
      return sha === undefined || subject.length === 0 ? [] : [{ sha, at: Number(at), email: email ?? '', author: author ?? '', subject: subject.join('\x1f') }];
    });
  }
}
