import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { layoutOf } from '../../src/protocol/layout.js';
import { decideGround, type Standing } from '../../src/queue/ground.js';
import { call, head, sh, withPit } from '../integration/rig.js';
import { runDir } from '../agents/stubbed.js';
import { QUICK, type Pit } from '../rig/pit.js';

const root = process.getuid?.() === 0;

/** Every path of a pit but what a task made in its workspace, with its mode. */
function modes(dir: string): { path: string; mode: number; kind: 'directory' | 'file' | 'other' }[] {
  return fs.readdirSync(dir, { recursive: true, encoding: 'utf8' }).map((name) => {
    const stat = fs.lstatSync(join(dir, name));
    return { path: join(dir, name), mode: stat.mode & 0o7777, kind: stat.isDirectory() ? 'directory' : stat.isFile() ? 'file' : 'other' };
  });
}

const own: Standing = { path: '/p/queue', role: 'own', kind: 'directory', uid: 1000, mode: 0o40700 };

describe('whose queue it is', () => {
  it.each<[string, Partial<Standing>, RegExp | undefined]>([
    ['its own', {}, undefined],
    ['read by others', { mode: 0o40755 }, undefined],
    ['written by its group', { mode: 0o40775 }, undefined],
    ['written by everybody', { mode: 0o40777 }, /written by everybody.*chmod o-w \/p\/queue/],
    ['sticky, written by everybody', { mode: 0o41777 }, /written by everybody/],
    ['another user\'s', { uid: 1001 }, /belongs to user 1001.*SNAKEPIT_TRUST_UID=1001/],
    ['root\'s', { uid: 0 }, /belongs to user 0/],
    ['a link', { kind: 'link' }, /symbolic link/],
    ['a file', { kind: 'file' }, /no directory/],
    ['a project of root\'s', { role: 'project', uid: 0 }, undefined],
    ['a project of another\'s', { role: 'project', uid: 1001 }, /belongs to user 1001/],
    ['a project under /tmp itself', { role: 'project', uid: 0, mode: 0o41777 }, undefined],
    ['a configuration that everybody writes', { role: 'project', kind: 'file', mode: 0o100666 }, /written by everybody/],
    ['under /tmp', { role: 'above', uid: 0, mode: 0o41777 }, undefined],
    ['under a directory where everybody may rename', { role: 'above', uid: 0, mode: 0o40777 }, /written by everybody/],
    ['under another\'s', { role: 'above', uid: 1001 }, undefined],
  ])('%s', (_what, change, says) => {
    const fault = decideGround([own, { ...own, ...change }], 1000);
    if (says === undefined) expect(fault).toBeUndefined();
    else expect(fault).toMatch(says);
  });

  it('a user who is trusted by name may own it', () => {
    expect(decideGround([{ ...own, uid: 1001 }], 1000, [1001])).toBeUndefined();
    expect(decideGround([{ ...own, uid: 1001, mode: 0o40777 }], 1000, [1001])).toMatch(/written by everybody/);
  });

  it('a name with controls is shown escaped', () => expect(decideGround([{ ...own, path: '/p/\u001b]0;x\u0007', mode: 0o40777 }], 1000)).not.toContain('\u001b'));
});

const acting = (pit: Pit): Promise<{ code: number; stderr: string }[]> =>
  Promise.all([pit.cli('up', '-n', '1'), pit.cli('init'), pit.cli('cleanup'), call(pit, ['add', '-'], { input: 'Do it.\n' })]);

describe('a pit on unsafe ground', () => {
  it.each<[string, (pit: Pit) => void, RegExp]>([
    ['a queue that everybody may write', (pit) => fs.chmodSync(pit.layout.queue, 0o777), /queue can be written by everybody .*chmod o-w/],
    ['a ready/ that everybody may write', (pit) => fs.chmodSync(pit.layout.dir('ready'), 0o777), /ready can be written by everybody/],
    ['a configuration that everybody may write', (pit) => fs.chmodSync(pit.layout.configFile, 0o666), /snakepit.yaml can be written by everybody/],
    ['a project that everybody may write', (pit) => fs.chmodSync(pit.root, 0o777), /project can be written by everybody/],
    ['a done/ that is a link', (pit) => {
      fs.mkdirSync(pit.beside('elsewhere'));
      fs.rmdirSync(pit.layout.dir('done'));
      fs.symlinkSync(pit.beside('elsewhere'), pit.layout.dir('done'));
    }, /done is a symbolic link/],
  ])('%s: nothing is begun there, and the words say what to do', async (_what, spoil, says) => {
    await withPit({}, async (pit) => {
      spoil(pit);
      for (const { code, stderr } of await acting(pit)) {
        expect(stderr).toMatch(says);
        expect(code).toBe(77);
      }
      expect(await pit.daemon()).toBeUndefined();
      expect(fs.readdirSync(pit.layout.queue).filter((name) => name.endsWith('.md'))).toEqual([]);
      if (fs.existsSync(pit.beside('elsewhere'))) expect(fs.readdirSync(pit.beside('elsewhere'))).toEqual([]);
      const doctor = await pit.cli('doctor');
      expect(doctor.code).not.toBe(0);
      expect(doctor.stdout).toMatch(says);
    });
  });

  it.skipIf(!root)('another user\'s queue (needs root to make one)', async () => {
    await withPit({}, async (pit) => {
      fs.chownSync(pit.layout.queue, 12_345, 12_345);
      for (const { code, stderr } of await acting(pit)) {
        expect(stderr).toMatch(/queue belongs to user 12345, and you are user 0/);
        expect(code).toBe(77);
      }
      const trusting = await call(pit, ['add', '-'], { input: sh('true'), env: { SNAKEPIT_TRUST_UID: '12345' } });
      expect(trusting).toMatchObject({ code: 0, stderr: '' });
    });
  });

  it('a path too long for a socket has it under /tmp, where a directory of that name may be somebody else\'s', async () => {
    await withPit({ bare: true }, async (pit) => {
      const deep = join(pit.root, 'd'.repeat(90));
      fs.mkdirSync(deep);
      fs.writeFileSync(join(deep, 'snakepit.yaml'), '', { mode: 0o600 });
      const standIn = dirname(layoutOf(deep).tmuxSocket);
      expect(standIn).toMatch(/^\/tmp\/snakepit-/);
      fs.mkdirSync(standIn, { mode: 0o777 });
      fs.chmodSync(standIn, 0o777);
      try {
        for (const command of [['init'], ['up', '-n', '1']]) {
          const called = await call(pit, ['-C', deep, ...command], { here: true });
          expect(called.stderr).toMatch(/\/tmp\/snakepit-\S+ can be written by everybody/);
          expect(called.code).toBe(77);
        }
      } finally {
        fs.rmdirSync(standIn);
      }
    });
  });
});

describe('what a pit makes is its owner\'s alone', () => {
  it('directories 0700, files 0600, also under an umask of 0', async () => {
    await withPit({ bare: true, config: [...QUICK, 'attempts: 2', 'cleanup: 1s', 'residents: {web: {command: "echo up; sleep 600"}}'] }, async (pit) => {
      fs.rmdirSync(pit.layout.queue);
      const before = process.umask(0);
      try {
        await pit.ok('init');
        await pit.up(2);
      } finally {
        process.umask(before);
      }
      pit.dropTask('good.md', sh('snakepit note "a note"', 'echo out; snakepit done "it is done"', 'umask; : > made-here'));
      pit.dropTask('bad.md', head('run: exit 3') + 'It fails.');
      pit.dropTask('refused.md', '---\nbroken: [\n---\nText.');
      pit.dropTask('later.md', head('in: 1h') + 'Later.');
      await pit.until('all has ended', () => ['good.result.md', 'bad.result.md'].every((name) => pit.files(name.startsWith('good') ? 'done' : 'failed', true).includes(name)) && pit.files('failed').some((name) => name.includes('.refused-')));
      await pit.ok('hold', 'later');
      const dropped = new Set(['good.md', 'bad.md']);
      const all = [...modes(pit.layout.queue), ...modes(pit.layout.state)];
      // What an agent makes in its workspace is the project's, by `session-umask:`.
      const open = all.filter(({ path, mode, kind }) => kind !== 'other' && (mode & 0o077) !== 0 && !dropped.has(path.split('/').at(-1) ?? '') && !/~later~|\.refused-\w+\.md$/.test(path));
      expect(open.map(({ path, mode }) => `${mode.toString(8)} ${path}`)).toEqual([`644 ${join(runDir(pit, 'good'), 'work', 'made-here')}`]);
      expect(all.filter(({ kind }) => kind === 'directory').filter(({ mode }) => mode !== 0o700)).toEqual([]);
      expect([pit.layout.queue, pit.layout.state].map((path) => fs.statSync(path).mode & 0o777)).toEqual([0o700, 0o700]);
      // All kinds of records were there to be looked at.
      const names = all.map(({ path }) => path.split('/').at(-1) ?? '');
      for (const kind of ['events.jsonl', 'pit.out', 'snakes.log', 'tmux.conf', 'tmux.sock', 'attempt.json', 'outcome.json', 'output.log', 'notes.jsonl', 'result.json', 'exit', 'session', 'started', 'snapshot.json', 'config.json', 'agents.json', 'good.result.md']) expect(names, kind).toContain(kind);
      expect(names.some((name) => /^pit-.*\.log$/.test(name))).toBe(true);
      expect(fs.statSync(pit.layout.tmuxSocket).mode & 0o077).toBe(0);
    });
  });
});
