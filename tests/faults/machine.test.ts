import { execFile, execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { printClaim, printReady } from '../../src/protocol/names.js';
import { alive, call, CLI, envOf, hasEnded, isIn, sh, withPit } from '../integration/rig.js';
import { QUICK, type Called, type Pit } from '../rig/pit.js';

/*
 * The machine fails; what is promised holds, and what is wrong is said in words that a person can act on. Every task is counted at the
 * end: each exactly once, none lost.
 */

const root = process.getuid?.() === 0;
const canMount = root && (() => {
  try {
    execFileSync('unshare', ['-m', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

const canNarrow = (() => {
  try {
    execFileSync('unshare', ['-Ur', 'sh', '-c', 'echo 0 > /proc/sys/user/max_inotify_watches && echo 0 > /proc/sys/user/max_inotify_instances'], { stdio: 'ignore' });
    return true;
  } catch {
    console.log('inotify that is used up is SKIPPED: no user namespace with limits of its own can be had here');
    return false;
  }
})();

/** A call of the command line where a limit of the kernel is nought for this user. */
const narrowed = (pit: Pit, limit: string, ...args: readonly string[]): Promise<Called> =>
  new Promise((resolve) => {
    execFile('unshare', ['-Ur', 'sh', '-c', `echo 0 > /proc/sys/user/${limit} && exec "$@"`, 'sh', process.execPath, CLI, '-C', pit.root, ...args], { env: envOf(pit), cwd: pit.root }, (error, stdout, stderr) => resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }));
  });

const linesWith = (pit: Pit, file: RegExp, words: RegExp): string[] => fs.readdirSync(pit.layout.log).filter((name) => file.test(name)).flatMap((name) => fs.readFileSync(join(pit.layout.log, name), 'utf8').split('\n')).filter((line) => words.test(line));

/** Where every one of these tasks is, by name; each must be in one place. */
const places = (pit: Pit, ids: readonly string[]): Record<string, string[]> => Object.fromEntries(ids.map((id) => [id, (['ready', 'waiting', 'held', 'claimed', 'reaping', 'stuck', 'needs', 'done', 'failed'] as const).filter((state) => isIn(pit, state, id))]));
const eachOnce = (pit: Pit, ids: readonly string[], state: string): void => expect(places(pit, ids)).toEqual(Object.fromEntries(ids.map((id) => [id, [state]])));
const IDS = ['t1', 't2', 't3', 't4', 't5'];

/** Its pit on a file system of its own, small; unmounted before the pit's directory goes. */
async function onTmpfs(options: string, body: (pit: Pit) => Promise<void>): Promise<void> {
  await withPit({ bare: true, config: [...QUICK, 'min-free: 0'] }, async (pit) => {
    const config = fs.readFileSync(pit.layout.configFile);
    execFileSync('mount', ['-t', 'tmpfs', '-o', `mode=0700,${options}`, 'snakepit-test', pit.root]);
    try {
      fs.writeFileSync(pit.layout.configFile, config, { mode: 0o600 });
      await body(pit);
      await pit.ok('down', '--now');
    } finally {
      await pit.until('nothing of it is left', () => pit.processes().length === 0, 10_000).catch(() => undefined);
      for (const { process: one } of pit.processes()) await pit.kill(one);
      execFileSync('umount', ['-l', pit.root]);
    }
  });
}

/** Fills what is left, keeping nothing back. */
function fill(path: string): void {
  const fd = fs.openSync(path, 'w');
  try {
    for (let size = 65_536; size >= 1; size = Math.floor(size / 2)) {
      try {
        for (;;) fs.writeSync(fd, Buffer.alloc(size));
      } catch {
        continue;
      }
    }
  } finally {
    fs.closeSync(fd);
  }
}

describe.skipIf(!canMount)('a disk that takes no more (needs root to mount one)', () => {
  it('ENOSPC: add says so and leaves nothing half, the pit goes on, and every task ends once when there is room again', () =>
    onTmpfs('size=4m', async (pit) => {
      await pit.ok('init');
      await pit.up(2);
      for (const id of IDS.slice(0, 2)) await call(pit, ['add', '-'], { input: `---\nid: ${id}\n---\n${sh('true')}` });
      await pit.until('the first have ended', () => IDS.slice(0, 2).every((id) => hasEnded(pit, 'done', id)));
      await pit.ok('pause');
      for (const id of IDS.slice(2)) await call(pit, ['add', '-'], { input: `---\nid: ${id}\n---\n${sh('true')}` });
      fill(join(pit.root, 'ballast'));
      const added = await call(pit, ['add', '-'], { input: `---\nid: extra\n---\n${sh('true')}${'x'.repeat(10_000)}\n` });
      expect(added.code).not.toBe(0);
      expect(added.stderr).toMatch(/ENOSPC.*the disk is full, or has no inodes left: free some/);
      expect(places(pit, ['extra'])).toEqual({ extra: [] });
      const before = { pit: await pit.daemon(), snakes: await pit.snakes() };
      fs.rmSync(pit.layout.paused);
      // However it fares meanwhile: looked at again and again for a while, each task is in one place.
      for (let look = 0; look < 20; look += 1) {
        for (const states of Object.values(places(pit, IDS))) expect(states.length).toBeLessThanOrEqual(1);
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
      const said = await pit.cli('doctor');
      expect(said.stdout).toMatch(/free space.*bad|bad.*free space|0\.0 GiB free/);
      fs.rmSync(join(pit.root, 'ballast'));
      // Nobody has to start anything anew.
      expect({ pit: await pit.daemon(), snakes: await pit.snakes() }).toEqual(before);
      await pit.until('all have ended', () => IDS.every((id) => hasEnded(pit, 'done', id)), 60_000);
      eachOnce(pit, IDS, 'done');
    }), 180_000);

  it('out of inodes: the same', () =>
    onTmpfs('size=64m,nr_inodes=700', async (pit) => {
      await pit.ok('init');
      await pit.up(1);
      await pit.ok('pause');
      for (const id of IDS) await call(pit, ['add', '-'], { input: `---\nid: ${id}\n---\n${sh('true')}` });
      let made = 0;
      const useUp = (): void => {
        try {
          for (;; made += 1) fs.writeFileSync(join(pit.root, `inode-${made}`), '');
        } catch (cause) {
          expect(String(cause)).toContain('ENOSPC');
        }
      };
      useUp();
      const added = await call(pit, ['add', '-'], { input: `---\nid: extra\n---\n${sh('true')}` });
      expect(added.code).not.toBe(0);
      expect(added.stderr).toMatch(/inodes/);
      expect((await pit.cli('doctor')).stdout).toMatch(/inodes/);
      // Nobody is started who could not register: by dying of that they would break the slot.
      const [snake] = await pit.snakes();
      const began = Date.now();
      // What the dead one leaves behind is no room for the next.
      const taking = setInterval(useUp, 5);
      try {
        if (snake !== undefined) await pit.kill(snake.process);
        await pit.until('longer than five quick deaths take', () => Date.now() - began > 12_000, 20_000);
        expect(await pit.snakes()).toEqual([]);
      } finally {
        clearInterval(taking);
      }
      for (let one = 0; one < made; one += 1) fs.rmSync(join(pit.root, `inode-${one}`));
      fs.rmSync(pit.layout.paused);
      await pit.until('all have ended', () => IDS.every((id) => hasEnded(pit, 'done', id)), 60_000);
      eachOnce(pit, IDS, 'done');
    }), 180_000);

  it('EROFS: everything that would write says so, and looking works', () =>
    onTmpfs('size=8m', async (pit) => {
      await pit.ok('init');
      for (const id of IDS) await call(pit, ['add', '-'], { input: `---\nid: ${id}\n---\n${sh('true')}` });
      execFileSync('mount', ['-o', 'remount,ro', pit.root]);
      for (const command of [['up', '-n', '1'], ['pause'], ['cancel', 't1']]) {
        const called = await pit.cli(...command);
        expect(called.code, command.join(' ')).toBe(77);
        expect(called.stderr, command.join(' ')).toMatch(/EROFS.*read-only/);
      }
      expect((await pit.cli('ls')).stdout).toContain('t1');
      expect((await pit.cli('status')).code).toBe(0);
      execFileSync('mount', ['-o', 'remount,rw', pit.root]);
      eachOnce(pit, IDS, 'ready');
      await pit.up(1);
      await pit.until('all have ended', () => IDS.every((id) => hasEnded(pit, 'done', id)), 60_000);
      eachOnce(pit, IDS, 'done');
    }), 180_000);
});

describe('tmux', () => {
  it('missing: up says how to get it, and begins nothing', () =>
    withPit({ config: QUICK }, async (pit) => {
      const bin = pit.beside('bin');
      fs.mkdirSync(bin);
      for (const program of ['sh', 'node']) fs.symlinkSync(program === 'node' ? process.execPath : '/bin/sh', join(bin, program));
      const called = await call(pit, ['up', '-n', '1'], { env: { PATH: bin } });
      expect(called).toMatchObject({ code: 69, stderr: 'snakepit: tmux is not on the PATH; install it: apt-get install tmux\n' });
      expect((await call(pit, ['doctor'], { env: { PATH: bin } })).stdout).toMatch(/tmux.*not found/);
      expect(await pit.daemon()).toBeUndefined();
    }));

  it('a server that is stopped: nobody is robbed or started twice, it is said, and all goes on when it answers again', () =>
    withPit({ config: QUICK }, async (pit) => {
      const starts = pit.beside('starts');
      pit.dropTask('t1.md', sh(`echo t1 >> ${starts}`, `while ! [ -e '${pit.beside('go')}' ]; do sleep 0.1; done`));
      await pit.up(1);
      await pit.until('it runs', () => fs.existsSync(starts));
      const pid = Number(execFileSync('tmux', ['-S', pit.layout.tmuxSocket, 'display-message', '-p', '#{pid}'], { encoding: 'utf8', env: envOf(pit) }));
      const server = pit.processes().find(({ process: one }) => one.pid === pid)?.process;
      if (server === undefined) throw new Error('no tmux server is found');
      process.kill(pid, 'SIGSTOP');
      try {
        await pit.until('the pit has noticed', () => pit.snapshot()?.tmux === 'unknown', 60_000);
        const status = await pit.ok('status');
        expect(status).toMatch(/tmux does not answer/);
        expect(places(pit, ['t1'])).toEqual({ t1: ['claimed'] });
        expect(await alive(server)).toBe(true);
      } finally {
        process.kill(pid, 'SIGCONT');
      }
      fs.writeFileSync(pit.beside('go'), '');
      await pit.until('it has ended', () => hasEnded(pit, 'done', 't1'), 60_000);
      await pit.until('tmux answers', () => pit.snapshot()?.tmux === 'up', 60_000);
      expect(await pit.ok('status')).not.toMatch(/does not answer/);
      expect(fs.readFileSync(starts, 'utf8')).toBe('t1\n');
    }), 180_000);
});

describe('what a process may have', () => {
  it.skipIf(!canNarrow)('no inotify instance, or no watch: all goes on by looking, and it is said once, with what to do', () =>
    withPit({ config: QUICK }, async (pit) => {
      const words = /no inotify instance is left: changes are found by looking at each tick and each rescan/;
      // Limits of a user namespace of its own: nobody else's.
      const up = await narrowed(pit, 'max_inotify_instances', 'up', '-n', '2');
      expect(up, up.stderr).toMatchObject({ code: 0 });
      expect(up.stderr).toMatch(words);
      expect(up.stderr).toMatch(/raise fs\.inotify\.max_user_instances \(sysctl -w, as root\)/);
      for (const id of IDS) pit.dropTask(`${id}.md`, sh('true'));
      await pit.until('all have ended', () => IDS.every((id) => hasEnded(pit, 'done', id)), 60_000);
      eachOnce(pit, IDS, 'done');
      expect(linesWith(pit, /^pit-.*\.log$/, words)).toHaveLength(1);
      for (const snake of ['s1', 's2']) expect(linesWith(pit, /^snakes\.log$/, words).filter((line) => line.includes(` ${snake}: `))).toHaveLength(1);
      for (const [limit, what] of [['max_inotify_instances', 'instance'], ['max_inotify_watches', 'watch']] as const) {
        expect((await narrowed(pit, limit, 'doctor')).stdout).toMatch(new RegExp(`warn +watching files +no inotify ${what} is left: .* → raise fs\\.inotify\\.max_user_`));
      }
    }), 120_000);

  it('out of descriptors: the pit does not take "not seen" for "dead", and says what it met', () =>
    withPit({ config: QUICK }, async (pit) => {
      const starts = pit.beside('starts');
      pit.dropTask('t1.md', sh(`echo t1 >> ${starts}`, `while ! [ -e '${pit.beside('go')}' ]; do sleep 0.1; done`));
      await pit.up(1);
      await pit.until('it runs', () => fs.existsSync(starts));
      const daemon = await pit.daemon();
      if (daemon === undefined) throw new Error('there is no pit');
      execFileSync('prlimit', ['--pid', String(daemon.pid), '--nofile=3:']);
      for (const id of IDS.slice(1)) pit.dropTask(`${id}.md`, sh('true'));
      const words = /the pit cannot go on, and waits: EMFILE while [a-z ]+: \S+.*; too many files are open: ulimit -n says how many may be; raise it, or end what holds them/;
      await pit.until('it has met the limit, and says so', async () => words.test(await pit.ok('status')));
      expect((await pit.cli('doctor')).stdout).toMatch(/BAD +pit +cannot go on, and waits: EMFILE.* → too many files are open: ulimit -n/);
      expect(await pit.ok('explain', 't1')).toContain('t1');
      expect(places(pit, ['t1'])).toEqual({ t1: ['claimed'] });
      execFileSync('prlimit', ['--pid', String(daemon.pid), '--nofile=1024:']);
      await pit.until('it goes on', async () => !(await pit.ok('status')).includes('cannot go on'), 60_000);
      expect(await pit.daemon()).toEqual(daemon);
      fs.writeFileSync(pit.beside('go'), '');
      await pit.until('all have ended', () => IDS.every((id) => hasEnded(pit, 'done', id)), 60_000);
      expect(fs.readFileSync(starts, 'utf8')).toBe('t1\n');
      eachOnce(pit, IDS, 'done');
    }), 120_000);
});

describe('who else is here', () => {
  it('a second pit on the directory refuses in words, and the first goes on', () =>
    withPit({ config: QUICK }, async (pit) => {
      await pit.up(1);
      const first = await pit.daemon();
      const second = await pit.cli('up', '--foreground');
      expect(second).toMatchObject({ code: 75 });
      expect(second.stderr).toMatch(/a pit already runs here \(pid \d+\); scale it with: snakepit up -n N/);
      expect(await pit.daemon()).toEqual(first);
    }));

  it('another host\'s claim is never robbed: nothing starts, and it is told', () =>
    withPit({ config: QUICK }, async (pit) => {
      const claim = printClaim({ id: 't1', place: { priority: 50, arrivedAt: 1_800_000_000_000 }, counters: { failures: 0, losses: 0, deferrals: 0 }, nonce: 'abcdefghij', owner: { snake: 's1', pid: 4_000_000, start: '1', boot: '0123abcd' } });
      fs.writeFileSync(join(pit.layout.dir('claimed'), claim), sh('true'));
      fs.writeFileSync(pit.layout.host, 'elsewhere\n');
      for (const command of [['up', '-n', '1'], ['cleanup']]) {
        const called = await pit.cli(...command);
        expect(called.code).toBe(75);
        expect(called.stderr).toMatch(/tasks here are claimed by the host elsewhere.*If that host is gone for good: rm .*host/);
      }
      expect(fs.readdirSync(pit.layout.dir('claimed'))).toEqual([claim]);
      fs.rmSync(pit.layout.host);
      await pit.up(1);
      await pit.until('it is done', () => hasEnded(pit, 'done', 't1'), 60_000);
    }), 120_000);

  it('the machine was started anew: what ran is requeued as lost, once, and it is told', () =>
    withPit({ config: QUICK }, async (pit) => {
      const name = { id: 't1', place: { priority: 50, arrivedAt: 1_800_000_000_000 }, counters: { failures: 0, losses: 0, deferrals: 0 } };
      fs.writeFileSync(join(pit.layout.dir('claimed'), printClaim({ ...name, nonce: 'abcdefghij', owner: { snake: 's1', pid: process.pid, start: '1', boot: '0123abcd' } })), sh('true'));
      fs.writeFileSync(join(pit.layout.state, 'boot'), '0123abcd\n');
      fs.writeFileSync(join(pit.layout.dir('ready'), printReady({ ...name, id: 't2' })), sh('true'));
      await pit.up(1);
      await pit.until('both are done', () => hasEnded(pit, 'done', 't1') && hasEnded(pit, 'done', 't2'), 60_000);
      const events = pit.events();
      expect(events.filter(({ kind }) => kind === 'pit-rebooted')).toMatchObject([{ requeued: 1 }]);
      expect(events.flatMap((event) => (event.kind === 'task-done' && event.id === 't1' ? [event.marker] : []))).toEqual([expect.stringMatching(/^t1~0\.1\.0~|^t1~0\.0\.0~abcdefghij/)]);
    }), 120_000);
});
