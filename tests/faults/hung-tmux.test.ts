import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { alive, hasEnded, isIn, sh, withPit } from '../integration/rig.js';
import { QUICK, type Called } from '../rig/pit.js';

/*
 * A tmux that hangs: whatever is asked of it gets no answer, and it does not end when it is asked to. Every command ends in its own time
 * and says so; nobody is judged dead; all goes on when it answers again.
 */

/** What a command may take while tmux hangs, on a machine that is busy with other things too. */
const BOUND_MS = 60_000;

it('a tmux that never answers: up begins nothing; status, top, doctor and cleanup say so; what runs ends by its files; all goes on afterwards; down leaves no server', { timeout: 300_000 }, () => {
  const real = execFileSync('sh', ['-c', 'command -v tmux'], { encoding: 'utf8' }).trim();
  const bin = fs.mkdtempSync(join(tmpdir(), 'hung-tmux-'));
  const hang = join(bin, 'hang');
  return withPit({ config: QUICK, env: { PATH: `${bin}:${process.env['PATH'] ?? '/usr/bin:/bin'}` } }, async (pit) => {
    const [go, starts] = [pit.beside('go'), pit.beside('starts')];
    fs.writeFileSync(join(bin, 'tmux'), `#!/bin/sh\ntrap '' TERM\nwhile [ -e '${hang}' ]; do sleep 0.2; done\nexec '${real}' "$@"\n`, { mode: 0o755 });
    const inTime = async (...args: readonly string[]): Promise<Called> => {
      const begun = performance.now();
      const called = await pit.cli(...args);
      expect([args.join(' '), performance.now() - begun < BOUND_MS]).toEqual([args.join(' '), true]);
      return called;
    };
    fs.writeFileSync(hang, '');
    const [up, doctor] = await Promise.all([inTime('up', '-n', '1'), inTime('doctor')]);
    expect(up).toMatchObject({ code: 69, stderr: expect.stringMatching(/tmux does not answer \(tmux did not answer within \d+ ms\); try tmux -V: is it a wrapper that hangs/) });
    expect(await pit.daemon()).toBeUndefined();
    expect(doctor.stdout).toMatch(/BAD +tmux +it does not answer: .* → try tmux -V/);
    fs.rmSync(hang);

    await pit.up(1);
    const before = { pit: await pit.daemon(), snakes: await pit.snakes() };
    pit.dropTask('t1.md', sh(`echo t1 >> ${starts}`, `while ! [ -e '${go}' ]; do sleep 0.1; done`));
    await pit.until('it runs', () => fs.existsSync(starts));
    fs.writeFileSync(hang, '');
    await pit.until('the pit has noticed', () => pit.snapshot()?.tmux === 'unknown', BOUND_MS);
    const [status, top, cleanup, sick] = await Promise.all([inTime('status'), inTime('top', '--once'), inTime('cleanup'), inTime('doctor')]);
    expect(status.stdout).toMatch(/tmux does not answer: what runs goes on, nothing new starts/);
    expect(top.stdout).toMatch(/tmux: no answer/);
    expect(cleanup.stdout).toMatch(/keep +t1: its owner is alive/);
    expect(sick.stdout).toMatch(/BAD +tmux server +it does not answer the pit/);
    expect(isIn(pit, 'claimed', 't1')).toBe(true);
    for (const one of before.snakes) expect(await alive(one.process)).toBe(true);
    fs.writeFileSync(go, '');
    await pit.until('what ran has ended, by its files alone', () => hasEnded(pit, 'done', 't1'), BOUND_MS);
    pit.dropTask('t2.md', sh(`echo t2 >> ${starts}`));
    fs.rmSync(hang);
    await pit.until('the next has ended', () => hasEnded(pit, 'done', 't2'), BOUND_MS);
    await pit.until('tmux answers', () => pit.snapshot()?.tmux === 'up', BOUND_MS);
    expect({ pit: await pit.daemon(), snakes: await pit.snakes() }).toEqual(before);
    expect(fs.readFileSync(starts, 'utf8')).toBe('t1\nt2\n');

    fs.writeFileSync(hang, '');
    expect(await inTime('down', '--now')).toMatchObject({ code: 0 });
    await pit.until('no server is left', () => pit.processes().length === 0, BOUND_MS);
    fs.rmSync(hang);
  }).finally(() => fs.rmSync(bin, { recursive: true }));
});
