import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkout, COMMIT, gitIn, seedRepo } from '../rig/repo.js';
import { QUICK, type Pit } from '../rig/pit.js';
import { hasEnded, head, isIn, read, sh, story, withPit } from './rig.js';

const MS = 240_000;
const work = (id: string, ...lines: readonly string[]): string => sh('set -e', ...lines, 'git add -A', `${COMMIT} "work of ${id}"`);
const over = (pit: Pit, id: string): boolean => hasEnded(pit, 'done', id) || hasEnded(pit, 'failed', id) || (isIn(pit, 'needs', id) && read(join(pit.layout.dir('needs'), `${id}.question.md`)) !== '');

describe('snakepit merge', () => {
  it('merges what is done, by the policy and the checks of the workers, once, and says why where it does not', () =>
    withPit({ bare: true, config: [...QUICK, 'co-authors: ["Ann <ann@example.org>"]'] }, async (pit) => {
      seedRepo(pit.root);
      const before = checkout(pit.root);
      await pit.up(3);
      pit.dropTask('one.md', `${head('verify: [test ! -e bad]')}${work('one', 'echo 1 > one.txt')}`);
      pit.dropTask('clash.md', work('clash', 'echo 2 > one.txt'));
      pit.dropTask('bad.md', `${head('verify: [test ! -e one.txt]')}${work('bad', 'echo x > bad')}`);
      pit.dropTask('none.md', sh('true'));
      await pit.until('all are done', () => ['one', 'clash', 'bad', 'none'].every((id) => hasEnded(pit, 'done', id)), 90_000);
      await pit.ok('down');

      expect(await pit.ok('merge', 'one', '--dry-run')).toMatch(/^one would be merged \(no-ff\): snakepit\/one, 1 commit, into snakepit-main, which would be made, at [0-9a-f]{10}, if on the merged tree: test ! -e bad$/m);
      expect(gitIn(pit.root, 'branch', '--list', 'snakepit-main')).toBe('');
      expect(await pit.cli('merge', 'one', '--into', 'main')).toMatchObject({ code: 1, stderr: expect.stringContaining(`one is not merged: main is checked out in ${pit.root}`) });
      expect(JSON.parse(await pit.ok('merge', 'one', '--json'))).toMatchObject({ id: 'one', merged: true, into: 'snakepit-main' });
      expect(gitIn(pit.root, 'log', '-1', '--format=%s|%(trailers:key=Co-authored-by,valueonly,separator=%x2C)', 'snakepit-main').trim()).toBe('Merge task one: one|Ann <ann@example.org>');
      expect(story(pit, 'done', 'one')).toMatch(/\*\*merged\*\*: into snakepit-main as [0-9a-f]{10}/);
      const tip = gitIn(pit.root, 'rev-parse', 'snakepit-main');
      expect(await pit.ok('merge', 'one')).toMatch(/one was merged into snakepit-main as [0-9a-f]{10} before/);
      expect(await pit.cli('merge', 'clash', '--dry-run')).toMatchObject({ code: 1, stderr: expect.stringContaining('it conflicts with snakepit-main in one.txt') });
      expect(await pit.cli('merge', 'clash', '--how', 'squash')).toMatchObject({ code: 1, stderr: expect.stringContaining('it conflicts with snakepit-main in one.txt') });
      expect(await pit.cli('merge', 'clash', '--how', 'ff')).toMatchObject({ code: 1, stderr: expect.stringContaining('ff only goes forward') });
      expect(await pit.cli('merge', 'bad')).toMatchObject({ code: 1, stderr: expect.stringContaining('its check fails: test ! -e one.txt ends with status 1') });
      expect(await pit.cli('merge', 'none')).toMatchObject({ code: 1, stderr: expect.stringContaining('its branch has no change') });
      expect(gitIn(pit.root, 'rev-parse', 'snakepit-main')).toBe(tip);
      gitIn(pit.root, 'branch', 'release', 'main');
      fs.writeFileSync(join(pit.layout.worktrees, 'clash', 'loose.txt'), 'x');
      expect(await pit.cli('merge', 'clash', '--into', 'release', '--how', 'rebase')).toMatchObject({ code: 64, stderr: expect.stringContaining('holds what nobody committed') });
      fs.rmSync(join(pit.layout.worktrees, 'clash', 'loose.txt'));
      expect(await pit.ok('merge', 'clash', '--into', 'release', '--how', 'rebase')).toMatch(/clash is merged into release as [0-9a-f]{10} \(rebase\)/);
      expect(gitIn(pit.root, 'show', 'release:one.txt')).toBe('2\n');
      expect(await pit.cli('merge', 'nobody')).toMatchObject({ code: 66 });
      expect(fs.readdirSync(join(pit.root, '.snakepit', 'merging'))).toEqual([]);
      expect(checkout(pit.root)).toEqual(before);
    }), MS);

  it('merges what was parked by its merge, which is done then; again after a crash in between', () =>
    withPit({ bare: true, config: [...QUICK, 'merge: squash', 'into: main'] }, async (pit) => {
      seedRepo(pit.root);
      await pit.up(2);
      pit.dropTask('one.md', work('one', 'echo 1 > one.txt'));
      pit.dropTask('two.md', work('two', 'echo 2 > two.txt'));
      await pit.until('both wait for a person', () => over(pit, 'one') && over(pit, 'two'), 60_000);
      expect(await pit.cli('merge', 'one')).toMatchObject({ code: 1, stderr: expect.stringMatching(/main is checked out in .*; back to its author with words: snakepit answer one TEXT/) });
      expect(isIn(pit, 'needs', 'one')).toBe(true);
      gitIn(pit.root, 'switch', '-qc', 'elsewhere');
      expect(await pit.ok('merge', 'one')).toMatch(/one is merged into main as [0-9a-f]{10} \(squash\), which stood at [0-9a-f]{10} before; it is done/);
      expect(hasEnded(pit, 'done', 'one')).toBe(true);
      expect(story(pit, 'done', 'one')).toMatch(/# Done[^]*\*\*merged\*\*: into main as [^]*asked a person \(merge\)[^]*\n- a person merged it into main\n/);
      expect(fs.existsSync(join(pit.layout.dir('needs'), 'one.question.md'))).toBe(false);
      // As if it had died between the swap and its records: the target has it, and nothing says so.
      const file = fs.readdirSync(pit.layout.dir('needs')).find((name) => name.includes('~two~')) ?? '';
      const text = read(join(pit.layout.dir('needs'), file));
      await pit.ok('merge', 'two');
      const merged = gitIn(pit.root, 'rev-parse', 'main');
      fs.renameSync(join(pit.layout.dir('done'), 'two.md'), join(pit.layout.dir('needs'), file));
      fs.rmSync(join(pit.layout.dir('done'), 'two.result.md'));
      const runs = join(pit.layout.runs, 'two');
      for (const name of fs.readdirSync(runs)) if (name.startsWith('002-')) fs.rmSync(join(runs, name), { recursive: true });
      expect(await pit.ok('merge', 'two')).toContain(`two is merged into main as ${merged.slice(0, 10)}`);
      expect([hasEnded(pit, 'done', 'two'), read(join(pit.layout.dir('done'), 'two.md'))]).toEqual([true, text]);
      expect(gitIn(pit.root, 'rev-parse', 'main')).toBe(merged);
    }), MS);
});

describe('snakepit reject', () => {
  it('keeps all that a task made as refs, frees worktree and branch, and says so; merged work is refused with the line that undoes it', () =>
    withPit({ bare: true, config: [...QUICK] }, async (pit) => {
      seedRepo(pit.root);
      const before = checkout(pit.root);
      await pit.up(2);
      pit.dropTask('one.md', work('one', 'echo 1 > one.txt'));
      pit.dropTask('two.md', work('two', 'echo 2 > two.txt'));
      await pit.until('both are done', () => ['one', 'two'].every((id) => hasEnded(pit, 'done', id)), 60_000);
      await pit.ok('down');
      await pit.ok('merge', 'two');
      const merged = gitIn(pit.root, 'rev-parse', 'snakepit-main').trim();
      expect(await pit.cli('reject', 'two', 'no')).toMatchObject({ code: 64, stderr: expect.stringContaining(`git revert -m 1 ${merged.slice(0, 12)}`) });
      expect(isIn(pit, 'done', 'two')).toBe(true);
      const tip = gitIn(pit.root, 'rev-parse', 'snakepit/one').trim();
      const ref = `refs/snakepit/rejected/one-${tip.slice(0, 10)}`;
      fs.writeFileSync(join(pit.layout.worktrees, 'one', 'loose.txt'), 'loose\n');
      expect(await pit.ok('reject', 'one', 'not', 'what', 'I', 'meant')).toContain(`one is rejected; it lies in failed/; what it made is kept as ${ref} and refs/snakepit/salvage/one; its worktree is gone, its branch snakepit/one too`);
      expect([gitIn(pit.root, 'show', `${ref}:one.txt`), gitIn(pit.root, 'show', 'refs/snakepit/salvage/one:loose.txt'), gitIn(pit.root, 'branch', '--list', 'snakepit/one')]).toEqual(['1\n', 'loose\n', '']);
      expect([hasEnded(pit, 'failed', 'one'), isIn(pit, 'done', 'one'), fs.existsSync(join(pit.layout.worktrees, 'one'))]).toEqual([true, false, false]);
      expect(story(pit, 'failed', 'one')).toMatch(/after 1 attempt; a person decided\n[^]*\*\*why\*\*: rejected: not what I meant; what it made is kept as refs[^]*\n- a person rejected it: not what I meant/);
      expect(await pit.cli('reject', 'one')).toMatchObject({ code: 0, stdout: expect.stringContaining('one is rejected') });
      expect(await pit.cli('merge', 'one')).toMatchObject({ code: 64 });
      // As if it had died after the record: the task still lies in done/.
      fs.renameSync(join(pit.layout.dir('failed'), 'one.md'), join(pit.layout.dir('done'), 'one.md'));
      expect(await pit.ok('reject', 'one')).toContain('it lies in failed/');
      await pit.up(1);
      await pit.ok('retry', 'one');
      await pit.until('it is done anew', () => hasEnded(pit, 'done', 'one'), 60_000);
      expect(gitIn(pit.root, 'rev-list', '--count', 'main..snakepit/one').trim()).toBe('1');
      expect(checkout(pit.root)).toEqual(before);
    }), MS);

  it('with --again gives the words to its author, in the same worktree, for a done task and for a parked one', () =>
    withPit({ bare: true, config: [...QUICK, 'merge: no-ff', 'into: main'] }, async (pit) => {
      seedRepo(pit.root);
      await pit.up(2);
      const said = 'echo "$SNAKEPIT_ATTEMPT:$SNAKEPIT_ANSWER" >> said.txt';
      pit.dropTask('kept.md', `${head('merge: none', 'priority: low')}${work('kept', said)}`);
      pit.dropTask('parked.md', work('parked', said));
      await pit.until('one is done, the other waits', () => over(pit, 'kept') && over(pit, 'parked'), 60_000);
      expect(await pit.cli('reject', 'kept', '--again')).toMatchObject({ code: 64, stderr: expect.stringContaining('say what is to be mended') });
      expect(await pit.ok('reject', 'kept', '--again', 'smaller', 'please')).toContain('kept is ready again, with your words for its author');
      await pit.until('it is done again', () => hasEnded(pit, 'done', 'kept') && gitIn(pit.root, 'rev-list', '--count', 'main..snakepit/kept').trim() === '2', 60_000);
      expect(gitIn(pit.root, 'show', 'snakepit/kept:said.txt')).toBe('1:\n3:smaller please\n');
      expect(story(pit, 'done', 'kept')).toMatch(/, after 2 attempts\n[^]*\n- a person sent it back to its author\n {3}- \*\*answered\*\*: smaller please\n2\. /);
      await pit.ok('reject', 'parked', '--again', 'other', 'words');
      await pit.until('it went to its author', () => over(pit, 'parked') && gitIn(pit.root, 'rev-list', '--count', 'main..snakepit/parked').trim() === '2', 60_000);
      expect(gitIn(pit.root, 'show', 'snakepit/parked:said.txt')).toBe('1:\n2:other words\n');
      expect(await pit.ok('reject', 'parked', '--json')).toContain('"rejected": true');
      expect(hasEnded(pit, 'failed', 'parked')).toBe(true);
    }), MS);
});
