import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { hasEnded, isIn, sh, story, withPit } from '../integration/rig.js';
import { QUICK, type Pit, type PitOptions } from '../rig/pit.js';
import { forPlainUser } from '../rig/plain-user.js';

/*
 * EACCES: a right is taken away under a living pit, and given back. Whoever lacks it waits and says so, with the path and what to do;
 * nothing is lost, nothing is done twice, and nobody has to start anything anew. Root has every right, so all of it runs as somebody else.
 */

const plain = forPlainUser();
if (plain.kind === 'cannot') console.log(`the faults of a plain user are SKIPPED: ${plain.why}`);
const USER: PitOptions = plain.kind === 'runs' ? { uid: plain.uid, dist: plain.dist } : {};
const NO_RIGHT = /EACCES while [a-z ]+: \S+.*; the pit belongs to whoever made it: run as that user, or give the right back \(ls -ld shows whose it is; chmod u\+rwX where it is yours\)/;

afterAll(() => (plain.kind === 'runs' ? plain.remove() : undefined));

/** Until what it holds is over, the path has no more rights than `mode`. */
async function without(path: string, mode: number, body: () => Promise<void>): Promise<void> {
  const before = fs.statSync(path).mode & 0o7777;
  fs.chmodSync(path, mode);
  try {
    await body();
  } finally {
    fs.chmodSync(path, before);
  }
}

const said = async (pit: Pit, who: string, path: string): Promise<void> => {
  await pit.until(`status says that ${who} waits`, async () => new RegExp(`${who} cannot go on, and waits: ${NO_RIGHT.source}`).test(await pit.ok('status')));
  expect((await pit.ok('status')).split('\n').find((line) => line.includes(`${who} cannot go on`))).toContain(path);
};

describe.skipIf(plain.kind === 'cannot')('a plain user, from whom a right is taken', () => {
  it('in the queue: who cannot go on says so and waits; add says so and leaves nothing half; all goes on when it is given back', { timeout: 300_000 }, () =>
    withPit({ ...USER, config: QUICK }, async (pit) => {
      const starts = pit.beside('starts');
      await pit.up(1);
      const before = { pit: await pit.daemon(), snakes: await pit.snakes() };
      const file = pit.beside('extra.md');
      fs.writeFileSync(file, sh('true'));
      await without(pit.layout.dir('ready'), 0o555, async () => {
        pit.dropTask('t1.md', sh(`echo t1 >> ${starts}`, `while ! [ -e '${pit.beside('go')}' ]; do sleep 0.1; done`));
        await said(pit, 'the pit', pit.layout.queue);
        const added = await pit.cli('add', file);
        expect(added.code).toBe(77);
        expect(added.stderr).toMatch(NO_RIGHT);
        expect(fs.readdirSync(pit.layout.tmp)).toEqual([]);
        expect((await pit.cli('doctor')).stdout).toMatch(/BAD +pit +cannot go on, and waits: EACCES.* → the pit belongs to/);
      });
      await pit.until('it runs', () => fs.existsSync(starts));
      expect(await pit.ok('status')).not.toContain('cannot go on');
      await without(pit.layout.dir('claimed'), 0o555, async () => {
        fs.writeFileSync(pit.beside('go'), '');
        await said(pit, 's1', pit.layout.dir('claimed'));
        expect(isIn(pit, 'claimed', 't1')).toBe(true);
      });
      await pit.until('it has ended', () => hasEnded(pit, 'done', 't1'));
      expect(fs.readFileSync(starts, 'utf8')).toBe('t1\n');
      expect({ pit: await pit.daemon(), snakes: await pit.snakes() }).toEqual(before);
      await pit.until('it is told, once', () => pit.events().filter(({ kind }) => kind === 'task-done').length === 1);
    }));

  it('in .snakepit/: the same, and no command takes what it cannot see for what is not there', { timeout: 300_000 }, () =>
    withPit({ ...USER, config: QUICK }, async (pit) => {
      const starts = pit.beside('starts');
      await pit.up(1);
      const before = { pit: await pit.daemon(), snakes: await pit.snakes() };
      await without(pit.layout.runs, 0o555, async () => {
        pit.dropTask('t1.md', sh(`echo t1 >> ${starts}`));
        await said(pit, 's1', pit.layout.runs);
      });
      await pit.until('it has ended', () => hasEnded(pit, 'done', 't1'));
      await without(pit.layout.state, 0o000, async () => {
        pit.dropTask('t2.md', sh(`echo t2 >> ${starts}`));
        for (const command of [['status'], ['up', '-n', '1'], ['down'], ['cleanup'], ['ls'], ['doctor'], ['top', '--once']]) {
          const called = await pit.cli(...command);
          expect([command.join(' '), called.code, called.stderr]).toEqual([command.join(' '), 77, expect.stringMatching(/EACCES.*\.snakepit.*; the pit belongs to whoever made it/)]);
        }
      });
      await without(pit.root, 0o000, async () => {
        const called = await pit.cli('status');
        expect([called.code, called.stderr]).toEqual([77, expect.stringMatching(/EACCES.*; the pit belongs to whoever made it/)]);
      });
      await pit.until('it has ended', () => hasEnded(pit, 'done', 't2'), 60_000);
      expect(fs.readFileSync(starts, 'utf8')).toBe('t1\nt2\n');
      expect({ pit: await pit.daemon(), snakes: await pit.snakes() }).toEqual(before);
    }));

  it('what a task takes from us in its own worktree keeps neither its snake nor its work; its worktree goes in its time', { timeout: 300_000 }, () =>
    withPit({ ...USER, config: [...QUICK, 'keep-worktrees: 0s', 'cleanup: 1h'] }, async (pit) => {
      const git = (...args: string[]): string => execFileSync('git', ['-c', `safe.directory=${pit.root}`, ...args], { cwd: pit.root, encoding: 'utf8', env: { PATH: process.env['PATH'] ?? '', HOME: pit.beside('home') } });
      git('init', '-q');
      git('-c', 'user.name=a', '-c', 'user.email=a@example.org', 'commit', '-q', '--allow-empty', '-m', 'begin');
      if (USER.uid !== undefined) execFileSync('chown', ['-R', `${USER.uid}:${USER.uid}`, join(pit.root, '.git')]);
      await pit.up(2);
      pit.dropTask('shut.md', sh('echo work > work', 'chmod 000 .'));
      pit.dropTask('within.md', sh('mkdir within; echo work > within/work', 'chmod 000 within'));
      pit.dropTask('cache.md', sh('mkdir -p .cache/a; echo "*" > .cache/.gitignore; echo x > .cache/a/x', 'chmod -R a-w .cache'));
      pit.dropTask('file.md', `---\nattempts: 1\n---\n${sh('echo work > dark; chmod 000 dark')}`);
      await pit.until('all have ended', () => ['shut', 'within', 'cache'].every((id) => hasEnded(pit, 'done', id)) && hasEnded(pit, 'failed', 'file'), 60_000);
      expect(git('show', '--stat', '--format=', 'snakepit/shut')).toContain('work');
      expect(git('show', '--stat', '--format=', 'snakepit/within')).toContain('within/work');
      // What git cannot read is not taken for kept.
      expect(story(pit, 'failed', 'file')).toMatch(/its worktree could not be read: .*dark.*Permission denied/i);
      await pit.until('their worktrees are gone', async () => {
        await pit.cli('cleanup');
        return ['shut', 'within', 'cache'].every((id) => !fs.existsSync(join(pit.layout.worktrees, id)));
      });
      expect(fs.existsSync(join(pit.layout.worktrees, 'file', 'dark'))).toBe(true);
    }));
});
