import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkout, COMMIT, gitIn, seedRepo, worktreeOf } from '../rig/repo.js';
import { head, hasEnded, isIn, sh, story, withPit } from './rig.js';

const MS = 180_000;

describe('a task in a git repository', () => {
  it('works in a worktree and on a branch of its own, and the checkout stays byte for byte', () =>
    withPit({ bare: true }, async (pit) => {
      seedRepo(pit.root);
      const before = checkout(pit.root);
      await pit.up(4);
      const ids = Array.from({ length: 10 }, (_none, index) => `t${index}`);
      for (const id of ids) pit.dropTask(`${id}.md`, sh('set -e', `echo ${id} > "${id}.txt"`, `git add "${id}.txt"`, `${COMMIT} "work of ${id}"`, 'printf "%s %s %s" "$SNAKEPIT_WORKSPACE" "$SNAKEPIT_BRANCH" "$SNAKEPIT_BASE" > said', 'git add said', `${COMMIT} said`));
      await pit.until('all ten are done', () => ids.every((id) => hasEnded(pit, 'done', id) || hasEnded(pit, 'failed', id)), 120_000);
      for (const id of ids) {
        expect(isIn(pit, 'done', id), story(pit, 'failed', id)).toBe(true);
        const base = gitIn(pit.root, 'rev-parse', 'main').trim();
        expect(gitIn(pit.root, 'show', `snakepit/${id}:${id}.txt`)).toBe(`${id}\n`);
        expect(gitIn(pit.root, 'show', `snakepit/${id}:said`)).toBe(`${worktreeOf(pit, id)} snakepit/${id} ${base}`);
        expect(gitIn(pit.root, 'merge-base', 'main', `snakepit/${id}`).trim()).toBe(base);
      }
      expect(checkout(pit.root)).toEqual(before);
    }), MS);

  it('keeps its worktree from one attempt to the next, and starts where base: says', () =>
    withPit({ bare: true }, async (pit) => {
      seedRepo(pit.root);
      gitIn(pit.root, 'branch', 'old', 'main');
      await pit.up(1);
      pit.dropTask('again.md', `${head('base: old')}${sh('if [ -e half ]; then test "$SNAKEPIT_ATTEMPT" = 2 && echo whole > whole; else echo half > half; exit 3; fi')}`);
      await pit.until('it is done', () => hasEnded(pit, 'done', 'again') || hasEnded(pit, 'failed', 'again'), 60_000);
      expect(isIn(pit, 'done', 'again'), story(pit, 'failed', 'again')).toBe(true);
      const record = JSON.parse(fs.readFileSync(join(pit.layout.workspaces, 'again', 'workspace.json'), 'utf8')) as { base: { name: string }; branch: string };
      expect(record).toMatchObject({ base: { name: 'old' }, branch: 'snakepit/again' });
    }), MS);

  it('commits what was left uncommitted, and tells its branch and what changed; a task that wants changes and has none fails', () =>
    withPit({ bare: true }, async (pit) => {
      seedRepo(pit.root);
      const before = checkout(pit.root);
      await pit.up(2);
      pit.dropTask('loose.md', `${head('verify: [test -e new.txt, touch of-the-check]')}${sh('echo one >> a.txt', 'echo new > new.txt', 'mkdir -p node_modules && echo x > node_modules/x', 'echo {} > "$SNAKEPIT_RESULT_FALLBACK"; rm "$SNAKEPIT_RESULT_FALLBACK"')}`);
      pit.dropTask('idle.md', `${head('changes: required', 'attempts: 1')}${sh('true')}`);
      pit.dropTask('reads.md', sh('true'));
      await pit.until('their stories are told', () => story(pit, 'done', 'loose') !== '' && story(pit, 'failed', 'idle') !== '' && story(pit, 'done', 'reads') !== '', 60_000);
      expect(story(pit, 'done', 'loose')).toMatch(/\*\*branch\*\*: snakepit\/loose, since [0-9a-f]{10}: 1 commit, 2 files, \+2 -0; what was left uncommitted is its last commit\n {2}- a\.txt \+1 -0\n {2}- new\.txt \+1 -0/);
      expect(gitIn(pit.root, 'show', '--stat', '--format=%an %s', 'snakepit/loose')).toMatch(/^snakepit snakepit: what loose left uncommitted/);
      expect(gitIn(worktreeOf(pit, 'loose'), 'status', '--porcelain')).toBe('?? of-the-check\n');
      expect(story(pit, 'failed', 'idle')).toContain('no-change');
      expect(story(pit, 'done', 'reads')).toContain('no change');
      expect(checkout(pit.root)).toEqual(before);
    }), MS);

  it.each([['a tracked file', 'echo oops >> "$SNAKEPIT_DIR/a.txt"', 'a.txt'], ['a new file', 'echo oops > "$SNAKEPIT_DIR/new file"', 'new file'], ['what was changed already', 'echo oops >> "$SNAKEPIT_DIR/c.txt"', 'c.txt'], ['the stash', 'git stash clear', 'the stash'], ['the index', 'git -C "$SNAKEPIT_DIR" add c.txt', 'the index']])('that touches %s of the checkout fails, and its story names it', (_what, line, named) =>
    withPit({ bare: true }, async (pit) => {
      seedRepo(pit.root);
      await pit.up(1);
      pit.dropTask('bad.md', `${head('attempts: 1')}${sh(line)}`);
      await pit.until('its story is told', () => story(pit, 'failed', 'bad') !== '', 60_000);
      expect(story(pit, 'failed', 'bad')).toContain(`left-workspace: the project's own checkout changed while it ran: `);
      expect(story(pit, 'failed', 'bad')).toContain(named);
    }), MS);

  it('finds its broken worktree mended, or kept aside and made anew; no other is harmed', () =>
    withPit({ bare: true }, async (pit) => {
      seedRepo(pit.root);
      await pit.up(2);
      const breaks = { mended: 'rm .git; git status && exit 0', anew: 'printf "gitdir: /nowhere\\n" > .git; rm -r "$SNAKEPIT_DIR/.git/worktrees/anew"', gone: 'rm -rf "$SNAKEPIT_WORKSPACE"', locked: ': > "$(git rev-parse --git-dir)/index.lock"' };
      for (const [id, line] of Object.entries(breaks)) pit.dropTask(`${id}.md`, sh(`if [ "$SNAKEPIT_ATTEMPT" = 1 ]; then echo work > work.txt; ${line}; exit 3; fi`, 'git add -A', `${COMMIT} "second attempt" --allow-empty`));
      pit.dropTask('other.md', sh('echo fine > fine.txt'));
      const ids = [...Object.keys(breaks), 'other'];
      await pit.until('all have ended', () => ids.every((id) => story(pit, 'done', id) !== '' || story(pit, 'failed', id) !== ''), 90_000);
      for (const id of ids) expect(story(pit, 'done', id), `${id}: ${story(pit, 'failed', id)}`).not.toBe('');
      expect(gitIn(pit.root, 'show', 'snakepit/mended:work.txt')).toBe('work\n');
      expect(gitIn(pit.root, 'show', 'snakepit/locked:work.txt')).toBe('work\n');
      expect(story(pit, 'done', 'locked')).toContain('a lock that a dead git had left was removed');
      const kept = fs.readdirSync(pit.layout.salvage).find((name) => name.startsWith('anew-')) ?? '';
      expect(fs.readFileSync(join(pit.layout.salvage, kept, 'work.txt'), 'utf8')).toBe('work\n');
    }), MS);

  it('works the project itself one at a time, whoever holds the turn dies', () =>
    withPit({ bare: true }, async (pit) => {
      seedRepo(pit.root);
      await pit.up(3);
      const line = 'mkdir "$SNAKEPIT_QUEUE/../.snakepit/one" || exit 9; until [ -e "$SNAKEPIT_QUEUE/../.snakepit/go" ]; do sleep 0.1; done; sleep 0.3; rmdir "$SNAKEPIT_QUEUE/../.snakepit/one"';
      const ids = ['r1', 'r2', 'r3'];
      for (const id of ids) pit.dropTask(`${id}.md`, `${head('workspace: repo', 'attempts: 1')}${sh(line)}`);
      await pit.until('one is at work', () => fs.existsSync(join(pit.layout.state, 'one')), 60_000);
      const turn = async (): Promise<boolean> => (await Promise.all(ids.filter((id) => isIn(pit, 'waiting', id)).map(async (id) => (await pit.cli('explain', id)).stdout))).some((text) => /it works the project itself, where it is the turn of r\d/.test(text));
      await pit.until('one says whose turn it is', turn, 60_000);
      expect(await pit.ok('status')).toMatch(/^the project itself \(workspace: repo\) is worked by r\d; others wait for their turn$/m);
      fs.writeFileSync(join(pit.layout.state, 'go'), '');
      for (const { process: one } of await pit.snakes()) await pit.kill(one);
      await pit.until('all have ended', () => ids.every((id) => story(pit, 'done', id) !== '' || story(pit, 'failed', id) !== ''), 90_000);
      for (const id of ids) expect(story(pit, 'done', id), story(pit, 'failed', id)).not.toBe('');
    }), MS);

  it('claims nothing while the disk budget is used up, and says so', () =>
    withPit({ config: ['tick: 100ms', 'settle: 50ms', 'cleanup: 1s', 'disk: 1KB'] }, async (pit) => {
      fs.mkdirSync(join(pit.layout.runs, 'old'), { recursive: true });
      fs.writeFileSync(join(pit.layout.runs, 'old', 'big'), 'x'.repeat(100_000));
      await pit.up(1);
      await pit.until('it was measured', () => fs.existsSync(pit.layout.diskUse), 60_000);
      pit.dropTask('waits.md', sh('true'));
      await pit.until('it is in line', () => isIn(pit, 'ready', 'waits'), 60_000);
      expect(await pit.ok('status')).toMatch(/^worktrees and runs take \d+ KB of the 1 KB of disk: nothing is claimed; /m);
      expect(await pit.ok('explain', 'waits')).toContain('of disk: nothing is claimed');
      fs.writeFileSync(pit.layout.configFile, 'disk: 0\ntick: 100ms\n');
      await pit.until('it goes on', () => hasEnded(pit, 'done', 'waits'), 60_000);
    }), MS);

  it('outside of a repository works in a fresh directory, and says plainly that a worktree cannot be had', () =>
    withPit({}, async (pit) => {
      await pit.up(1);
      pit.dropTask('plain.md', sh('test -z "$SNAKEPIT_BRANCH"', 'case $PWD in */work) exit 0;; *) exit 4;; esac'));
      pit.dropTask('wants.md', `${head('workspace: worktree')}${sh('true')}`);
      await pit.until('both have ended', () => hasEnded(pit, 'done', 'plain') && story(pit, 'failed', 'wants') !== '', 60_000);
      expect(story(pit, 'failed', 'wants')).toMatch(/worktree needs a git repository/);
    }), MS);
});
