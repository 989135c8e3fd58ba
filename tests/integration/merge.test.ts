import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkout, COMMIT, gitIn, seedRepo } from '../rig/repo.js';
import { QUICK, type Pit } from '../rig/pit.js';
import { hasEnded, head, isIn, read, sh, story, withPit } from './rig.js';

const MS = 240_000;

const config = (...lines: readonly string[]): string[] => [...QUICK, ...lines];
const ended = (pit: Pit, ids: readonly string[]): boolean => ids.every((id) => story(pit, 'done', id) !== '' || story(pit, 'failed', id) !== '' || read(join(pit.layout.dir('needs'), `${id}.question.md`)) !== '');
const work = (id: string, ...lines: readonly string[]): string => sh('set -e', ...lines, 'git add -A', `${COMMIT} "work of ${id}"`);

describe('a task whose work is good', () => {
  it.each(['no-ff', 'squash', 'rebase'])('is merged with %s into the integration branch, which the next task starts from; the checkout stays as it is', (mode) =>
    withPit({ bare: true, config: config(`merge: ${mode}`, 'co-authors: ["Ann <ann@example.org>"]') }, async (pit) => {
      seedRepo(pit.root);
      const before = checkout(pit.root);
      await pit.up(1);
      pit.dropTask('one.md', `${head('title: "The \\x1b first: one"')}${work('one', 'echo 1 > one.txt', 'git add -A', `${COMMIT} half`, 'echo 2 >> one.txt')}`);
      await pit.until('the first is done', () => ended(pit, ['one']), 60_000);
      expect(story(pit, 'done', 'one'), story(pit, 'failed', 'one')).toMatch(/\*\*merged\*\*: into snakepit-main as [0-9a-f]{10}/);
      pit.dropTask('two.md', work('two', 'cp one.txt two.txt'));
      await pit.until('the second is done', () => ended(pit, ['two']), 60_000);
      expect(isIn(pit, 'done', 'two'), story(pit, 'failed', 'two')).toBe(true);
      expect(gitIn(pit.root, 'show', 'snakepit-main:two.txt')).toBe('1\n2\n');
      const log = gitIn(pit.root, 'log', '--first-parent', '--format=%s|%(trailers:key=Snakepit-Task,valueonly,separator=%x2C)|%(trailers:key=Co-authored-by,valueonly,separator=%x2C)', 'main..snakepit-main').trim().split('\n');
      const wanted = { 'no-ff': ['Merge task two: two', 'Merge task one: The   first: one'], squash: ['two', 'The   first: one'], rebase: ['work of two', 'work of one', 'half'] }[mode] ?? [];
      expect(log.map((line) => line.split('|')[1])).toEqual(mode === 'rebase' ? ['two', 'one', 'one'] : ['two', 'one']);
      expect(log.every((line) => line.endsWith('|Ann <ann@example.org>'))).toBe(true);
      expect(log[0]).toContain(mode === 'no-ff' ? 'Merge task two' : mode === 'rebase' ? wanted[0] ?? '' : '');
      expect(gitIn(pit.root, 'rev-parse', 'refs/snakepit/backup/one')).toBe(gitIn(pit.root, 'rev-parse', 'main'));
      expect(checkout(pit.root)).toEqual(before);
    }), MS);

  it('that conflicts goes back to its author with the files named, and is merged once it is mended', () =>
    withPit({ bare: true, config: config('merge: no-ff') }, async (pit) => {
      seedRepo(pit.root);
      await pit.up(2);
      const gate = join(pit.root, '.snakepit', 'gate');
      pit.dropTask('slow.md', sh('set -e', `if [ "$SNAKEPIT_ATTEMPT" = 1 ]; then while [ ! -e "${gate}" ]; do sleep 0.1; done; echo slow > a.txt; else git -c user.name=A -c user.email=a@b merge -q snakepit-main && exit 9; printf "fast\\nslow\\n" > a.txt; printf "%s" "$SNAKEPIT_PREVIOUS_FAILURE" > why; fi`, 'git add -A', `${COMMIT} "work of slow"`));
      await pit.until('it is at work', () => isIn(pit, 'claimed', 'slow'), 60_000);
      pit.dropTask('fast.md', work('fast', 'echo fast > a.txt'));
      await pit.until('the other is merged', () => ended(pit, ['fast']), 60_000);
      fs.writeFileSync(gate, '');
      await pit.until('it is merged too', () => ended(pit, ['slow']), 60_000);
      expect(isIn(pit, 'done', 'slow'), story(pit, 'failed', 'slow')).toBe(true);
      expect(gitIn(pit.root, 'show', 'snakepit-main:a.txt')).toBe('fast\nslow\n');
      expect(gitIn(pit.root, 'show', 'snakepit-main:why')).toMatch(/sent back \(merge-conflict\): it conflicts with snakepit-main in a\.txt; merge [0-9a-f]{40} into snakepit\/slow/);
    }), MS);

  it('is checked on the merged tree; what never gets there waits for a person, and the target stays', () =>
    withPit({ bare: true, config: config('merge: squash', 'fix-rounds: 1') }, async (pit) => {
      seedRepo(pit.root);
      await pit.up(2);
      const gate = join(pit.root, '.snakepit', 'gate');
      // Each is good alone; both together are not.
      const both = head('verify: ["test ! -e left || test ! -e right"]');
      pit.dropTask('left.md', `${both}${work('left', `while [ ! -e "${gate}" ]; do sleep 0.1; done`, 'date +%N > left')}`);
      await pit.until('it is at work', () => isIn(pit, 'claimed', 'left'), 60_000);
      pit.dropTask('right.md', `${both}${work('right', 'echo r > right')}`);
      await pit.until('the other is merged', () => ended(pit, ['right']), 60_000);
      fs.writeFileSync(gate, '');
      await pit.until('a person is asked', () => ended(pit, ['left']), 90_000);
      expect(isIn(pit, 'needs', 'left'), story(pit, 'failed', 'left')).toBe(true);
      expect(gitIn(pit.root, 'ls-tree', '--name-only', 'snakepit-main')).not.toContain('left');
      expect(fs.readdirSync(join(pit.root, '.snakepit', 'merging'))).toEqual([]);
    }), MS);

  it('never moves a branch that is checked out: it waits for a person, and is then merged without a session, or goes back with words', () =>
    withPit({ bare: true, config: config('merge: no-ff', 'into: main') }, async (pit) => {
      seedRepo(pit.root);
      const before = checkout(pit.root);
      await pit.up(1);
      const sessions = join(pit.root, '.snakepit', 'sessions');
      pit.dropTask('one.md', `${head('verify: [test -e one.txt]')}${work('one', `echo "$SNAKEPIT_ATTEMPT $SNAKEPIT_ANSWER" >> "${sessions}"`, 'echo "$SNAKEPIT_ATTEMPT" > one.txt')}`);
      const question = join(pit.layout.dir('needs'), 'one.question.md');
      const asked = (nth: number): Promise<void> => pit.until(`a person is asked for time number ${nth}`, () => isIn(pit, 'needs', 'one') && (nth === 1 ? read(question) !== '' : read(question).includes(`time number ${nth}`)), 60_000);
      await asked(1);
      expect(read(question)).toContain(`main is checked out in ${pit.root}`);
      expect(read(question)).toContain('snakepit answer one merge ');
      expect(checkout(pit.root)).toEqual(before);
      // Nothing has changed: it asks again, and no session was started for it.
      await pit.ok('answer', 'one', 'merge');
      await asked(2);
      expect(read(sessions)).toBe('1 \n');
      // Words are for its author.
      await pit.ok('answer', 'one', 'once', 'more');
      await asked(3);
      expect(read(sessions)).toBe('1 \n3 once more\n');
      gitIn(pit.root, 'switch', '-qc', 'elsewhere');
      await pit.ok('answer', 'one');
      await pit.until('it is merged', () => hasEnded(pit, 'done', 'one') || hasEnded(pit, 'failed', 'one'), 60_000);
      expect(story(pit, 'done', 'one'), story(pit, 'failed', 'one')).toContain('no session was started: only its merge was owed');
      expect(gitIn(pit.root, 'show', 'main:one.txt')).toBe('3\n');
      expect(read(sessions)).toBe('1 \n3 once more\n');
    }), MS);

  it('is pushed where that is allowed, and is done; its story says what to type where no pull request was opened', () =>
    withPit({ bare: true, config: config('merge: pull-request', 'push: {remote: origin}') }, async (pit) => {
      seedRepo(pit.root);
      const remote = pit.beside('remote.git');
      fs.mkdirSync(remote, { recursive: true });
      gitIn(remote, 'init', '-q', '--bare');
      gitIn(pit.root, 'remote', 'add', 'origin', remote);
      const before = checkout(pit.root);
      await pit.up(1);
      pit.dropTask('one.md', work('one', 'echo 1 > one.txt'));
      await pit.until('it has ended', () => hasEnded(pit, 'done', 'one') || hasEnded(pit, 'failed', 'one') || isIn(pit, 'needs', 'one'), 90_000);
      expect(story(pit, 'done', 'one'), read(join(pit.layout.dir('needs'), 'one.question.md'))).toContain('`gh pr create --head snakepit/one --base main`');
      expect(gitIn(remote, 'for-each-ref', '--format=%(refname) %(objectname)').trim()).toBe(`refs/heads/snakepit/one ${gitIn(pit.root, 'rev-parse', 'snakepit/one').trim()}`);
      expect(checkout(pit.root)).toEqual(before);
    }), MS);

  it('whose diff breaks the policy has failed, by file and rule, merged or not', () =>
    withPit({ bare: true, config: config('policy:', '  deny: [infra/]', '  max-files: 3', 'attempts: 1') }, async (pit) => {
      seedRepo(pit.root);
      await pit.up(2);
      const tasks = {
        denied: work('denied', 'mkdir infra && echo x > infra/a.tf'),
        many: work('many', 'for n in 1 2 3 4; do echo $n > $n; done'),
        secret: work('secret', 'printf "%s%s\\n" "-----BEGIN PRIVATE" " KEY-----" > k.pem', 'git add -A', `${COMMIT} key`, 'echo gone > k.pem'),
        own: `${head('policy: {allow: ["*.md"]}')}${work('own', 'echo x > y.txt')}`,
        fine: work('fine', 'echo x > y.txt'),
      };
      for (const [id, text] of Object.entries(tasks)) pit.dropTask(`${id}.md`, text);
      await pit.until('all have ended', () => Object.keys(tasks).every((id) => story(pit, 'done', id) !== '' || story(pit, 'failed', id) !== ''), 90_000);
      expect(story(pit, 'failed', 'denied')).toContain('policy-violation: infra/a.tf is denied by infra/ (policy: deny)');
      expect(story(pit, 'failed', 'many')).toContain('policy-violation: 4 files, of at most 3 (policy: max-files)');
      expect(story(pit, 'failed', 'secret')).toContain('policy-violation: k.pem holds a private key (policy: secrets)');
      expect(story(pit, 'failed', 'own')).toContain('policy-violation: y.txt is not among *.md (policy: allow)');
      expect(story(pit, 'done', 'fine'), story(pit, 'failed', 'fine')).toContain('snakepit diff fine');
    }), MS);
});
