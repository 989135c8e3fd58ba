import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { commitTree, mergeTrees, treeAt, treeOf } from '../../src/git/objects.js';
import { moveRef } from '../../src/git/refs.js';
import { commitsBetween, patchesOf, showDiff } from '../../src/git/history.js';
import { driversOff, systemGit } from '../../src/git/run.js';
import { diffOf, statusOf } from '../../src/git/status.js';
import { addDetached, addWorktree, listWorktrees, removeWorktree } from '../../src/git/worktrees.js';
import { hasEnded, head, isIn, sh, story, withPit } from '../integration/rig.js';
import { QUICK } from '../rig/pit.js';
import { COMMIT, gitIn, seedRepo } from '../rig/repo.js';

/*
 * A repository's configuration, hooks and attributes are shared by all of its worktrees, and an agent may write them. Git as snakepit runs it starts
 * nothing that they name: each trap here writes a line, and is shown to be one by git as a person runs it.
 */

let top: string;
let repo: string;
let trap: string;
let script: string;
beforeEach(() => {
  top = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), 'git-traps-')));
  [repo, trap, script] = [join(top, 'repo'), join(top, 'sprung'), join(top, 'trap.sh')];
  fs.mkdirSync(repo);
  fs.writeFileSync(script, `#!/bin/sh\necho "$0 $*" >>'${trap}'\ncat\n`, { mode: 0o755 });
  seedRepo(repo);
});
afterEach(() => fs.rmSync(top, { recursive: true, force: true }));

const git = systemGit({ PATH: process.env['PATH'], HOME: '/nonexistent' });
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const sprung = (): string => (fs.existsSync(trap) ? fs.readFileSync(trap, 'utf8') : '');
const value = <T>(result: { ok: true; value: T } | { ok: false; error: string }): T => {
  if (!result.ok) throw new Error(result.error);
  return result.value;
};
const asAPerson = (dir: string, ...args: readonly string[]): void => {
  try {
    gitIn(dir, ...args);
  } catch {
    // That a trap breaks what it lies in is nothing to us.
  }
};
/** What an agent can write into a repository's configuration, whatever git makes of it. */
const settings = (evil: string): Record<string, string> => ({
  'core.fsmonitor': evil, 'core.hooksPath': join(top, 'hooks'), 'core.sshCommand': evil, 'core.pager': evil, 'core.editor': evil, 'core.askPass': evil, 'core.gitProxy': evil, 'core.alternateRefsCommand': evil,
  'gpg.program': evil, 'gpg.ssh.program': evil, 'gpg.format': 'ssh', 'commit.gpgSign': 'true', 'tag.gpgSign': 'true', 'log.showSignature': 'true', 'user.signingKey': 'x',
  'diff.external': evil, 'diff.evil.command': evil, 'diff.evil.textconv': evil, 'filter.evil.clean': evil, 'filter.evil.smudge': evil, 'filter.evil.required': 'true', 'filter.more.process': evil,
  'merge.evil.driver': `${evil} %A`, 'merge.default': 'evil', 'merge.renormalize': 'true', 'alias.status': `!${evil}`, 'alias.rev-parse': `!${evil}`, 'alias.update-ref': `!${evil}`, 'credential.helper': evil,
  'sequence.editor': evil, 'interactive.diffFilter': evil, 'pager.log': evil, 'trailer.x.command': evil, 'submodule.recurse': 'true', 'hook.evil.command': evil, 'hook.evil.event': 'reference-transaction',
});

function lay(dir: string): void {
  fs.mkdirSync(join(top, 'hooks'), { recursive: true });
  for (const hook of ['post-checkout', 'pre-commit', 'commit-msg', 'reference-transaction', 'post-index-change', 'post-merge', 'pre-auto-gc', 'fsmonitor-watchman']) for (const at of [join(top, 'hooks'), join(dir, '.git', 'hooks')]) fs.copyFileSync(script, join(at, hook));
  fs.writeFileSync(join(dir, '.gitattributes'), '*.txt filter=evil diff=evil merge=evil\nb.txt filter=more\n');
  fs.writeFileSync(join(dir, '.git', 'info', 'attributes'), '*.txt filter=evil diff=evil merge=evil\n');
  for (const [key, word] of Object.entries(settings(script))) gitIn(dir, '-c', 'core.fsmonitor=false', 'config', key, word);
  fs.rmSync(trap, { force: true });
}

/** Every kind of call that snakepit makes. */
async function everyCall(dir: string, base: string): Promise<void> {
  value(await statusOf(git, dir));
  const tree = value(await treeOf(git, dir, join(top, 'index')));
  const commit = value(await commitTree(git, dir, tree, [base], 'kept\n'));
  const other = value(await commitTree(git, dir, value(await treeAt(git, dir, base)), [base], 'other\n'));
  value(await diffOf(git, dir, base, commit));
  value(await commitsBetween(git, dir, base, commit));
  value(await patchesOf(git, dir, [commit], base, commit));
  value(await showDiff(git, dir, base, commit, '--patch'));
  await mergeTrees(git, dir, commit, other);
  expect(await moveRef(git, dir, 'refs/heads/evil', commit, undefined, 'x')).toEqual({ kind: 'moved' });
  value(await addWorktree(git, dir, join(top, 'w'), 'snakepit/w', commit, {}, sleep));
  value(await addDetached(git, dir, join(top, 'd'), commit, {}, sleep));
  value(await listWorktrees(git, dir));
  value(await removeWorktree(git, dir, join(top, 'd')));
}

describe('what an agent wrote into the repository', () => {
  it('is not run: hooks, monitors, filters, drivers, signing programs, aliases, pagers', async () => {
    const base = gitIn(repo, 'rev-parse', 'main').trim();
    lay(repo);
    fs.writeFileSync(join(repo, 'a.txt'), 'changed\n');
    await everyCall(repo, base);
    expect(sprung()).toBe('');
    asAPerson(repo, 'status');
    expect(sprung(), 'git as a person runs it springs them').not.toBe('');
  }, 120_000);

  it('is not run where it lies in a repository within, which a commit of the branch names', async () => {
    const inner = join(repo, 'inner');
    fs.mkdirSync(inner);
    seedRepo(inner);
    gitIn(repo, 'add', 'inner');
    gitIn(repo, 'commit', '-qm', 'a repository within');
    const base = gitIn(repo, 'rev-parse', 'main').trim();
    lay(inner);
    // So that git would have to read it to know whether it changed.
    fs.utimesSync(join(inner, 'a.txt'), 1, 1);
    await everyCall(repo, base);
    expect(sprung()).toBe('');
    fs.utimesSync(join(inner, 'a.txt'), 2, 2);
    asAPerson(repo, 'add', '--all');
    expect(sprung(), 'git as a person runs it springs them').not.toBe('');
    gitIn(inner, '-c', 'core.fsmonitor=false', '-c', 'core.hooksPath=/dev/null', '-c', 'filter.evil.clean=', '-c', 'filter.evil.required=false', '-c', 'commit.gpgSign=false', 'commit', '-q', '--allow-empty', '-m', 'moved');
    const tree = value(await treeOf(git, repo, join(top, 'index')));
    expect(gitIn(repo, 'ls-tree', tree, 'inner'), 'and its new commit is seen').toContain(gitIn(inner, '-c', 'core.fsmonitor=false', 'rev-parse', 'HEAD').trim());
  }, 120_000);

  it.each([['a program of its own to fetch with', 'remote.evil.uploadpack'], ['a program to reach it by', 'core.sshCommand']])('is not run when an object is missing, and a remote promises it: %s', async (_what, key) => {
    const base = gitIn(repo, 'rev-parse', 'main').trim();
    const blob = gitIn(repo, 'rev-parse', 'main:a.txt').trim();
    fs.rmSync(join(repo, '.git', 'objects', blob.slice(0, 2), blob.slice(2)));
    // It must not wait for what git would say to it.
    fs.writeFileSync(script, `#!/bin/sh\necho "$0 $*" >>'${trap}'\nexit 1\n`);
    const url = key === 'core.sshCommand' ? 'ssh://nowhere/x' : repo;
    for (const [name, word] of [['core.repositoryFormatVersion', '1'], ['extensions.partialClone', 'evil'], ['remote.evil.url', url], ['remote.evil.promisor', 'true'], [key, script]] as const) gitIn(repo, 'config', name, word);
    fs.rmSync(trap, { force: true });
    await git(repo, ['cat-file', '-p', blob]);
    await patchesOf(git, repo, [base], `${base}~`, base).catch(() => undefined);
    await addWorktree(git, repo, join(top, 'w'), 'snakepit/w', base, {}, sleep);
    expect(sprung()).toBe('');
    asAPerson(repo, 'cat-file', '-p', blob);
    expect(sprung(), 'git as a person runs it springs it').not.toBe('');
  }, 120_000);

  it('turns off what newer versions of git take from a configuration as hooks, and asks nothing of one that it cannot read', async () => {
    expect(driversOff(['hook.a b.command', 'hook.a b.event'])).toEqual([['hook.a b.enabled', 'false'], ['hook.a b.enabled', 'false']]);
    fs.appendFileSync(join(repo, '.git', 'config'), '[filter "x"\n');
    expect((await git(repo, ['status'])).kind === 'ended' && (await git(repo, ['status']))).toMatchObject({ code: 128 });
  }, 60_000);
});

it('a task that lays all of them in its worktree is measured, kept, merged and removed, and none is sprung outside of its session', () =>
  withPit({ bare: true, config: [...QUICK, 'merge: no-ff', 'keep-worktrees: 1s', 'attempts: 1'] }, async (pit) => {
    seedRepo(pit.root);
    const evil = pit.beside('trap.sh');
    const line = pit.beside('sprung');
    fs.writeFileSync(evil, `#!/bin/sh\n[ -e '${pit.beside('over')}' ] && echo "$0 $*" >>'${line}'\ncat\n`, { mode: 0o755 });
    const traps = Object.entries(settings(evil)).filter(([key]) => key !== 'core.hooksPath').map(([key, word]) => `git config '${key}' '${word}'`);
    await pit.up(1);
    pit.dropTask('trap.md', `${head('verify: ["true"]')}${sh(
      'set -e', 'echo work > work.txt', 'git add work.txt', `${COMMIT} work`, 'echo more > left.txt', "echo '*.txt filter=evil diff=evil merge=evil' > .gitattributes",
      'hooks=$(git rev-parse --git-common-dir)/hooks', `for hook in post-checkout reference-transaction pre-commit post-index-change; do cp '${evil}' "$hooks/$hook"; done`,
      ...traps, `: > '${pit.beside('over')}'`,
    )}`);
    await pit.until('it has ended', () => hasEnded(pit, 'done', 'trap') || hasEnded(pit, 'failed', 'trap'), 120_000);
    expect(isIn(pit, 'done', 'trap'), story(pit, 'failed', 'trap')).toBe(true);
    await pit.until('its worktree is removed', async () => {
      await pit.cli('cleanup', '--only', 'salvager', 'pruner');
      return !fs.existsSync(join(pit.layout.worktrees, 'trap'));
    }, 120_000);
    expect(fs.existsSync(line) ? fs.readFileSync(line, 'utf8') : '').toBe('');
    // Only now: git as the test runs it would spring them.
    expect(gitIn(pit.root, '-c', 'core.fsmonitor=false', '-c', 'core.hooksPath=/dev/null', 'ls-tree', '--name-only', 'snakepit-main')).toMatch(/left\.txt[^]*work\.txt/);
  }), 300_000);
