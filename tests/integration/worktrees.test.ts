import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkout, COMMIT, gitIn, seedRepo, worktreeOf } from '../rig/repo.js';
import { head, isIn, sh, story, withPit } from './rig.js';

const MS = 180_000;

describe('a task in a git repository', () => {
  it('works in a worktree and on a branch of its own, and the checkout stays byte for byte', () =>
    withPit({ bare: true }, async (pit) => {
      seedRepo(pit.root);
      const before = checkout(pit.root);
      await pit.up(4);
      const ids = Array.from({ length: 10 }, (_none, index) => `t${index}`);
      for (const id of ids) pit.dropTask(`${id}.md`, sh('set -e', `echo ${id} > "${id}.txt"`, `git add "${id}.txt"`, `${COMMIT} "work of ${id}"`, 'printf "%s %s %s" "$SNAKEPIT_WORKSPACE" "$SNAKEPIT_BRANCH" "$SNAKEPIT_BASE" > said', 'git add said', `${COMMIT} said`));
      await pit.until('all ten are done', () => ids.every((id) => isIn(pit, 'done', id) || isIn(pit, 'failed', id)), 120_000);
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
      await pit.until('it is done', () => isIn(pit, 'done', 'again') || isIn(pit, 'failed', 'again'), 60_000);
      expect(isIn(pit, 'done', 'again'), story(pit, 'failed', 'again')).toBe(true);
      const record = JSON.parse(fs.readFileSync(join(pit.layout.workspaces, 'again', 'workspace.json'), 'utf8')) as { base: { name: string }; branch: string };
      expect(record).toMatchObject({ base: { name: 'old' }, branch: 'snakepit/again' });
    }), MS);

  it('outside of a repository works in a fresh directory, and says plainly that a worktree cannot be had', () =>
    withPit({}, async (pit) => {
      await pit.up(1);
      pit.dropTask('plain.md', sh('test -z "$SNAKEPIT_BRANCH"', 'case $PWD in */work) exit 0;; *) exit 4;; esac'));
      pit.dropTask('wants.md', `${head('workspace: worktree')}${sh('true')}`);
      await pit.until('both have ended', () => isIn(pit, 'done', 'plain') && story(pit, 'failed', 'wants') !== '', 60_000);
      expect(story(pit, 'failed', 'wants')).toMatch(/worktree needs a git repository/);
    }), MS);
});
