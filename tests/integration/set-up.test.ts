import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { QUICK } from '../rig/pit.js';
import { gitIn, seedRepo, worktreeOf } from '../rig/repo.js';
import { head, hasEnded, isIn, read, sh, story, withPit } from './rig.js';

const MS = 240_000;
const CACHE = ['setup-cache: {paths: [node_modules], key: [lock]}'];

describe('setup:', () => {
  it('is run before the first session and not again, its output kept; ten at once copy what one made, snakes are killed meanwhile, and nobody gets what an agent changed', () =>
    withPit({ bare: true, config: [...QUICK, ...CACHE, 'setup: "echo run >> ../../../made; mkdir -p node_modules/m; cp lock node_modules/m/part; until [ -e ../../../go ]; do sleep 0.1; done; cp lock node_modules/m/lock; echo all is ready"', 'verify-timeout: 1m'] }, async (pit) => {
      seedRepo(pit.root);
      fs.writeFileSync(join(pit.root, 'lock'), 'lock 1\n');
      gitIn(pit.root, 'add', 'lock');
      gitIn(pit.root, 'commit', '-qm', 'lock', '--', 'lock');
      await pit.up(5);
      const ids = Array.from({ length: 10 }, (_none, index) => `t${index}`);
      const made = (): string[] => read(join(pit.root, 'made')).split('\n').filter((line) => line !== '');
      for (const id of ids) pit.dropTask(`${id}.md`, `${head('attempts: 1')}${sh('cmp lock node_modules/m/lock', `echo ${id} >> node_modules/m/lock`, `echo ${id} > work`)}`);
      await pit.until('one sets up', () => made().length > 0, 60_000);
      // Whoever holds the set-up, and whoever waits for it: dead; their successors begin it anew.
      for (const { process: one } of await pit.snakes()) await pit.kill(one);
      await pit.until('a successor sets up', () => made().length > 1, 60_000);
      fs.writeFileSync(join(pit.root, 'go'), '');
      await pit.until('all have ended', () => ids.every((id) => hasEnded(pit, 'done', id) || hasEnded(pit, 'failed', id)), 150_000);
      for (const id of ids) expect(isIn(pit, 'done', id), story(pit, 'failed', id)).toBe(true);
      expect(made()).toHaveLength(2);
      const entries = fs.readdirSync(pit.layout.setupCache).filter((name) => !name.startsWith('.'));
      expect(entries).toHaveLength(1);
      expect(read(join(pit.layout.setupCache, entries[0] ?? '', '0', 'm', 'lock'))).toBe('lock 1\n');
      expect(read(join(worktreeOf(pit, 't3'), 'node_modules', 'm', 'lock'))).toBe('lock 1\nt3\n');
      const logs = fs.readdirSync(pit.layout.runs).flatMap((id) => fs.readdirSync(join(pit.layout.runs, id)).map((run) => read(join(pit.layout.runs, id, run, 'setup.log'))));
      expect(logs.filter((text) => text.includes('all is ready'))).toHaveLength(1);
      const events = (await pit.ok('events', '--json')).split('\n').filter((line) => line.includes('"worktree-set-up"'));
      expect(events).toHaveLength(10);
      expect(events.filter((line) => line.includes('copied from'))).toHaveLength(9);
    }), MS);

  it('that fails for all makes them wait, says so, spends no attempt, and goes on by itself; a task has its own, or none', () =>
    withPit({ bare: true, config: [...QUICK, 'setup: ["true", "test -e ../../../mended || { echo no such registry; exit 7; }"]'] }, async (pit) => {
      seedRepo(pit.root);
      await pit.up(2);
      for (const id of ['one', 'two', 'three']) pit.dropTask(`${id}.md`, `${head('attempts: 1')}${sh('true')}`);
      pit.dropTask('none.md', `${head('setup: []', 'attempts: 1')}${sh('true')}`);
      pit.dropTask('own.md', `${head('setup: echo mine > node_modules', 'attempts: 1')}${sh('test "$(cat node_modules)" = mine')}`);
      await pit.until('what needs it not is done', () => ['none', 'own'].every((id) => hasEnded(pit, 'done', id)), 60_000);
      const failures = async (): Promise<string[]> => (await pit.ok('events', '--json')).split('\n').filter((line) => line.includes('"set-up-failed"'));
      await pit.until('it has failed often', async () => (await failures()).length > 6, 90_000);
      expect(await pit.ok('status')).toMatch(/^set-up fails \(\d+ times since [^)]*\): test -e [^\n]*ended with status 7: no such registry; its output: \.snakepit\/runs\/\w+\/\d{3}-\w+\/setup\.log; /m);
      fs.writeFileSync(join(pit.root, 'mended'), '');
      await pit.until('all are done', () => ['one', 'two', 'three'].every((id) => hasEnded(pit, 'done', id) || hasEnded(pit, 'failed', id) || isIn(pit, 'needs', id)), 90_000);
      for (const id of ['one', 'two', 'three']) expect(isIn(pit, 'done', id), id).toBe(true);
      expect(story(pit, 'done', 'one')).toMatch(/not set up: test -e .* ended with status 7: no such registry/);
      expect(await pit.ok('status')).not.toContain('set-up fails');
    }), MS);

  it('that fails for one task alone, or is too slow, parks it, and an answer tries it again', () =>
    withPit({ bare: true, config: [...QUICK, 'setup-timeout: 1s'] }, async (pit) => {
      seedRepo(pit.root);
      await pit.up(1);
      pit.dropTask('alone.md', `${head('setup: "until [ -e ../../../mended ]; do sleep 0.1; done"', 'attempts: 1')}${sh('test -z "$SNAKEPIT_PREVIOUS_FAILURE$SNAKEPIT_ANSWER"')}`);
      await pit.until('it asks', () => fs.existsSync(join(pit.layout.dir('needs'), 'alone.question.md')), 90_000);
      const question = read(join(pit.layout.dir('needs'), 'alone.question.md'));
      expect(question).toContain('that its worktree can be set up');
      expect(question).toContain('was ended after setup-timeout: 1s');
      expect(question).toContain('No session was started and no attempt is spent');
      fs.writeFileSync(join(pit.root, 'mended'), '');
      await pit.ok('answer', 'alone');
      await pit.until('it has ended', () => hasEnded(pit, 'done', 'alone') || hasEnded(pit, 'failed', 'alone'), 60_000);
      expect(isIn(pit, 'done', 'alone'), story(pit, 'failed', 'alone')).toBe(true);
    }), MS);

  it('readies the merged tree for its checks too', () =>
    withPit({ bare: true, config: [...QUICK, 'merge: squash', ...CACHE, 'setup: mkdir node_modules && echo run >> ../../../made'] }, async (pit) => {
      seedRepo(pit.root);
      fs.writeFileSync(join(pit.root, 'lock'), 'lock 1\n');
      gitIn(pit.root, 'add', 'lock');
      gitIn(pit.root, 'commit', '-qm', 'lock', '--', 'lock');
      await pit.up(1);
      pit.dropTask('joins.md', `${head('verify: test -d node_modules', 'attempts: 1')}${sh('echo work > work')}`);
      await pit.until('it has ended', () => hasEnded(pit, 'done', 'joins') || hasEnded(pit, 'failed', 'joins'), 60_000);
      expect(isIn(pit, 'done', 'joins'), story(pit, 'failed', 'joins')).toBe(true);
      expect(read(join(pit.root, 'made'))).toBe('run\n');
    }), MS);
});
