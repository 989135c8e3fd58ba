import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { commitTree, gitlinksSince, mergeTrees, treeAt, treeOf } from '../../src/git/objects.js';
import { branchTip, moveRef, refsWith } from '../../src/git/refs.js';
import { countBetween, headOf, isAncestor, isIgnored, repositoryOf, resolveCommit } from '../../src/git/repository.js';
import { driversOff, systemGit } from '../../src/git/run.js';
import { diffOf, parseNumstat, parseStatus, statusOf } from '../../src/git/status.js';
import { addWorktree, isLockFight, listWorktrees, parseWorktrees, removeWorktree } from '../../src/git/worktrees.js';
import { gitIn, seedRepo } from '../rig/repo.js';

let top: string;
let repo: string;
const git = systemGit({ PATH: process.env['PATH'], HOME: '/nonexistent' });
const value = <T>(result: { ok: true; value: T } | { ok: false; error: string }): T => {
  if (!result.ok) throw new Error(result.error);
  return result.value;
};
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

beforeEach(() => {
  top = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), 'snakepit-git-')));
  repo = join(top, 'repo');
  fs.mkdirSync(repo);
});
afterEach(() => fs.rmSync(top, { recursive: true, force: true }));

describe('a repository', () => {
  it('is told from a plain directory and from one without a commit', async () => {
    expect(value(await repositoryOf(git, top))).toBe('none');
    gitIn(repo, 'init', '-q');
    expect(value(await repositoryOf(git, repo))).toMatchObject({ top: repo, commonDir: join(repo, '.git') });
    expect(value(await headOf(git, repo))).toEqual({ ref: 'refs/heads/main', sha: undefined });
  });

  it('tells what is changed, what a commit changed, and how refs relate', async () => {
    seedRepo(repo);
    fs.writeFileSync(join(repo, 'naïve "name"\n.txt'), 'x\n');
    expect(value(await statusOf(git, repo, ['untracked.txt'])).map(({ code, path }) => `${code} ${path}`).sort()).toEqual([' M c.txt', '?? naïve "name"\n.txt', 'M  b.txt']);
    const sha = value(await resolveCommit(git, repo, 'main')) ?? '';
    expect(value(await resolveCommit(git, repo, 'nothing'))).toBeUndefined();
    const tree = value(await treeOf(git, repo, join(top, 'index')));
    const commit = value(await commitTree(git, repo, tree, [sha], 'kept\n'));
    expect(value(await diffOf(git, repo, sha, commit)).map(({ path }) => path).sort()).toEqual(['b.txt', 'c.txt', 'naïve "name"\n.txt', 'untracked.txt']);
    expect(value(await countBetween(git, repo, sha, commit))).toBe(1);
    expect([await isAncestor(git, repo, sha, commit), await isAncestor(git, repo, commit, sha)]).toEqual([true, false]);
    expect([await isIgnored(git, repo, '.snakepit/x'), await isIgnored(git, repo, 'a.txt')]).toEqual([true, false]);
    expect(value(await treeAt(git, repo, commit))).toBe(tree);
    expect(value(await gitlinksSince(git, repo, sha, commit))).toEqual([]);
    expect(gitIn(repo, 'status', '--porcelain')).toContain('M  b.txt');
  });

  it('moves a ref only from where it stood, and takes a repeated move as done', async () => {
    seedRepo(repo);
    const one = value(await resolveCommit(git, repo, 'main')) ?? '';
    const two = value(await commitTree(git, repo, value(await treeAt(git, repo, one)), [one], 'two\n'));
    expect(await moveRef(git, repo, 'refs/heads/x', one, undefined, 'made')).toEqual({ kind: 'moved' });
    expect(await moveRef(git, repo, 'refs/heads/x', one, undefined, 'made')).toEqual({ kind: 'moved' });
    expect(await moveRef(git, repo, 'refs/heads/x', two, two, 'wrong')).toEqual({ kind: 'changed' });
    expect(value(await branchTip(git, repo, 'x'))).toBe(one);
    expect(await moveRef(git, repo, 'refs/heads/x', two, one, 'right')).toEqual({ kind: 'moved' });
    expect(value(await refsWith(git, repo, two))).toEqual(['refs/heads/x']);
    expect(await moveRef(git, repo, 'refs/heads/x', undefined, two, 'away')).toEqual({ kind: 'moved' });
    expect(value(await branchTip(git, repo, 'x'))).toBeUndefined();
  });

  it('merges in memory, and names what conflicts', async () => {
    seedRepo(repo);
    const base = value(await resolveCommit(git, repo, 'main')) ?? '';
    const side = async (text: string, name: string): Promise<string> => {
      gitIn(repo, 'worktree', 'add', '-q', '--detach', join(top, name), base);
      fs.writeFileSync(join(top, name, name === 'far' ? 'far.txt' : 'a.txt'), text);
      return value(await commitTree(git, repo, value(await treeOf(git, join(top, name), join(top, `${name}.index`))), [base], `${name}\n`));
    };
    const [ours, theirs, far] = [await side('ours\n', 'ours'), await side('theirs\n', 'theirs'), await side('far\n', 'far')];
    expect((await mergeTrees(git, repo, ours, far)).kind).toBe('clean');
    expect(await mergeTrees(git, repo, ours, theirs)).toMatchObject({ kind: 'conflict', paths: ['a.txt'] });
    expect((await mergeTrees(git, repo, ours, 'nothing')).kind).toBe('unknown');
  });

  it('gives twenty worktrees at once, lists and removes them, and leaves a locked one', async () => {
    seedRepo(repo);
    const names = Array.from({ length: 20 }, (_none, index) => `w${index}`);
    const added = await Promise.all(names.map((name) => addWorktree(git, repo, join(top, name), `snakepit/${name}`, 'main', {}, sleep)));
    expect(added.filter(({ ok }) => !ok)).toEqual([]);
    expect(value(await listWorktrees(git, repo)).map(({ branch }) => branch)).toEqual(expect.arrayContaining(['refs/heads/main', ...names.map((name) => `refs/heads/snakepit/${name}`)]));
    gitIn(repo, 'worktree', 'lock', '--reason', 'mine', join(top, 'w1'));
    expect(value(await listWorktrees(git, repo)).find(({ path }) => path === join(top, 'w1'))?.locked).toBe('mine');
    expect(await removeWorktree(git, repo, join(top, 'w1'))).toMatchObject({ ok: false });
    expect(await removeWorktree(git, repo, join(top, 'w2'))).toMatchObject({ ok: true });
    expect(fs.existsSync(join(top, 'w2'))).toBe(false);
  }, 120_000);

  it('runs nothing that its configuration names', async () => {
    seedRepo(repo);
    const trap = join(top, 'sprung');
    const script = join(top, 'trap.sh');
    fs.writeFileSync(script, `#!/bin/sh\necho "$0 $*" >> '${trap}'\ncat\n`, { mode: 0o755 });
    for (const hook of ['post-checkout', 'pre-commit', 'reference-transaction', 'post-index-change']) fs.copyFileSync(script, join(repo, '.git', 'hooks', hook));
    const set: Record<string, string> = { 'core.fsmonitor': script, 'filter.evil.clean': script, 'filter.evil.smudge': script, 'filter.evil.required': 'true', 'filter.more.process': script, 'diff.evil.command': script, 'diff.evil.textconv': script, 'diff.external': script, 'merge.evil.driver': `${script} %A`, 'core.pager': script, 'gpg.program': script, 'commit.gpgSign': 'true' };
    const base = value(await resolveCommit(git, repo, 'main')) ?? '';
    fs.writeFileSync(join(repo, '.gitattributes'), '*.txt filter=evil diff=evil merge=evil\nb.txt filter=more\n');
    fs.writeFileSync(join(repo, '.git', 'info', 'attributes'), '*.txt filter=evil diff=evil merge=evil\n');
    for (const [key, word] of Object.entries(set)) gitIn(repo, '-c', 'core.fsmonitor=false', 'config', key, word);
    fs.rmSync(trap, { force: true });
    fs.writeFileSync(join(repo, 'a.txt'), 'changed\n');
    expect(value(await statusOf(git, repo)).length).toBeGreaterThan(0);
    const tree = value(await treeOf(git, repo, join(top, 'index')));
    const commit = value(await commitTree(git, repo, tree, [base], 'kept\n'));
    value(await diffOf(git, repo, base, commit));
    const other = value(await commitTree(git, repo, value(await treeAt(git, repo, base)), [base], 'other\n'));
    await mergeTrees(git, repo, commit, other);
    expect(await moveRef(git, repo, 'refs/heads/evil', commit, undefined, 'x')).toEqual({ kind: 'moved' });
    value(await addWorktree(git, repo, join(top, 'w'), 'snakepit/w', commit, {}, sleep));
    expect(fs.readFileSync(join(top, 'w', 'a.txt'), 'utf8')).toBe('changed\n');
    expect(fs.existsSync(trap) ? fs.readFileSync(trap, 'utf8') : '').toBe('');
    gitIn(repo, 'status');
    expect(fs.existsSync(trap), 'the trap is one: git as it is run by others springs it').toBe(true);
  }, 60_000);
});

describe('what git prints', () => {
  it('is read as it is', () => {
    expect(parseStatus('?? a b\0 M c\n\0')).toEqual([{ code: '??', path: 'a b' }, { code: ' M', path: 'c\n' }]);
    expect(parseNumstat('3\t0\ta b\0-\t-\timg\0')).toEqual([{ path: 'a b', added: 3, removed: 0 }, { path: 'img', added: undefined, removed: undefined }]);
    expect(parseWorktrees('worktree /a\0HEAD 00\0branch refs/heads/m\0\0worktree /b c\0HEAD abc\0detached\0locked\0prunable gitdir file points to non-existent location\0\0')).toEqual([
      { path: '/a', head: undefined, branch: 'refs/heads/m', locked: undefined, prunable: undefined },
      { path: '/b c', head: 'abc', branch: undefined, locked: '', prunable: 'gitdir file points to non-existent location' },
    ]);
    expect(isLockFight("fatal: Unable to create '/r/.git/index.lock': File exists.")).toBe(true);
    expect(isLockFight("fatal: 'x' is already checked out")).toBe(false);
    expect(driversOff(['filter.a b.clean', 'merge.x.driver', 'user.name'])).toEqual([['filter.a b.clean', ''], ['filter.a b.required', 'false'], ['merge.x.driver', 'false']]);
  });
});
