import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { launcherScript } from '../../src/agents/launcher.js';
import { Pit, QUICK } from '../rig/pit.js';
import { fakePrograms } from './fake-program.js';
import { ended, runDir } from './stubbed.js';

/** The launcher holds it, until it is let in or removed. */
const KEY = 'sk-never-to-be-launched-0123456789';

it('a launch that never started leaves no launcher, whether its snake settles it or the reaper', { timeout: 120_000 }, async () => {
  const top = mkdtempSync(join(tmpdir(), 'snakepit-launch-'));
  const bin = join(top, 'bin');
  fakePrograms(bin, join(top, 'dumps'), ['aider', 'tmux']);
  const real = execFileSync('sh', ['-c', 'command -v tmux'], { encoding: 'utf8' }).trim();
  writeFileSync(join(bin, 'tmux'), `#!/bin/sh\ncase "$*" in *new-session*) exit 1 ;; esac\nexec ${real} "$@"\n`);
  const pit = new Pit({ config: [...QUICK, 'agent: aider'], env: { PATH: `${bin}:${process.env['PATH'] ?? ''}`, OPENAI_API_KEY: KEY } });
  const launcher = (id: string): string => join(runDir(pit, id), 'launch.sh');
  try {
    await pit.up(2);
    for (const id of ['a', 'b']) pit.dropTask(`${id}.md`, 'Never to be begun.\n');
    await pit.until('both are prepared', () => ['a', 'b'].every((id) => existsSync(join(pit.layout.runs, id)) && existsSync(launcher(id))));
    expect(readFileSync(launcher('a'), 'utf8')).toContain(KEY);
    await pit.ok('cancel', 'a');
    await pit.until('it is settled', () => ended(pit, 'a') !== undefined);
    expect(existsSync(launcher('a'))).toBe(false);
    for (const { process: snake } of await pit.snakes()) await pit.kill(snake);
    await pit.ok('down', '--now');
    expect(existsSync(launcher('b'))).toBe(false);
  } finally {
    await pit.dispose();
    rmSync(top, { recursive: true, force: true });
  }
});

it('an agent that ends at once is not waited for by its viewer, which hears of it however late it comes to run', { timeout: 60_000 }, async () => {
  const top = mkdtempSync(join(tmpdir(), 'snakepit-launch-'));
  const claimedDir = join(top, 'claimed');
  mkdirSync(claimedDir);
  writeFileSync(join(claimedDir, '50-x~x~0.0.0~n~s1.md'), '');
  const children: ReturnType<typeof spawn>[] = [];
  try {
    const launched = Array.from({ length: 300 }, (_, n) => {
      const runDir = join(top, String(n));
      mkdirSync(runDir);
      writeFileSync(join(runDir, 'launch.sh'), launcherScript({ runDir, claimedDir, marker: 'x~0.0.0~n', workspace: top, umask: '022', env: {}, program: { argv: ['/bin/sh', '-c', 'exit 3'], stdin: { kind: 'nothing' }, stream: join(runDir, 'stream.jsonl') }, stderr: join(runDir, 'stderr.log'), viewer: ['/bin/sleep', '600'] }));
      const child = spawn('/bin/sh', [join(runDir, 'launch.sh')], { stdio: 'ignore', detached: true });
      children.push(child);
      return once(child, 'exit').then(() => readFileSync(join(runDir, 'exit'), 'utf8').split(' ')[0]);
    });
    expect(new Set(await Promise.all(launched))).toEqual(new Set(['3']));
  } finally {
    for (const child of children) if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    rmSync(top, { recursive: true, force: true });
  }
});
