import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { identify, linuxProcesses } from '../../src/lib/linux-processes.js';
import type { ProcessIdentity } from '../../src/lib/processes.js';
import type { Pit } from '../rig/pit.js';
import { call, envOf, fileOf, read, sh, story, withPit } from './rig.js';

interface Planned { readonly specialist: string; readonly kind: string; readonly verb: string; readonly subject: string }
interface Told { readonly planned: Planned[]; readonly applied?: { readonly subject: string; readonly kind: string; readonly told: string }[] }
const json = (text: string): Told => JSON.parse(text) as Told;

const started: ProcessIdentity[] = [];
afterEach(async () => {
  for (const one of started.splice(0)) await linuxProcesses.signal(one, 'SIGKILL');
});

/** A process that was left behind: nobody's child, in a session of its own, deaf to TERM, with these variables. */
function leftBehind(env: Readonly<Record<string, string>>): ProcessIdentity {
  const child = spawn('/bin/sh', ['-c', 'trap "" TERM HUP; exec sleep 600'], { detached: true, stdio: 'ignore', env: { PATH: process.env['PATH'] ?? '', ...env } });
  child.unref();
  const identity = child.pid === undefined ? undefined : identify(child.pid);
  if (identity === undefined) throw new Error('it did not start');
  started.push(identity);
  return identity;
}
const isAlive = async (one: ProcessIdentity): Promise<boolean> => (await linuxProcesses.liveness(one)) === 'alive';
const pitIdOf = (pit: Pit): string => read(pit.layout.pitId).trim();
const MARKER = 'gone~0.0.0~abcdefghij';

describe('cleanup', () => {
  it('orphans: what bears this pit\'s mark and no living claim\'s is ended, and nothing else is', { timeout: 90_000 }, () =>
    withPit({}, async (pit) => {
      const go = pit.beside('go');
      await pit.up(1);
      pit.dropTask('alive.md', sh(`until [ -e '${go}' ]; do sleep 0.05; done`));
      await pit.until('it works', () => pit.events().some((event) => event.kind === 'session-launched'));
      const orphan = leftBehind({ SNAKEPIT_PIT: pitIdOf(pit), SNAKEPIT_CLAIM: MARKER });
      const stranger = leftBehind({ SNAKEPIT_PIT: 'another-pit', SNAKEPIT_CLAIM: MARKER });
      const plain = leftBehind({});
      const unnamed = leftBehind({ SNAKEPIT_PIT: pitIdOf(pit) });
      const planned = await pit.ok('cleanup', '--only', 'orphans', '--dry-run', '--json');
      expect(json(planned).planned.map(({ kind, subject }) => [kind, subject])).toEqual(expect.arrayContaining([['act', MARKER], ['refuse', 'processes']]));
      expect(json(planned).planned).toHaveLength(2);
      const ran = await pit.cli('cleanup', '--only', 'orphans', '--json');
      // Mended one, and one is left to a person.
      expect(ran.code).toBe(5);
      // The plan of a dry run is the plan of the run, byte for byte.
      expect(JSON.stringify(json(ran.stdout).planned)).toBe(JSON.stringify(json(planned).planned));
      expect(json(ran.stdout).applied).toMatchObject([{ subject: MARKER, kind: 'done', told: expect.stringMatching(/^\d+ ended$/) }]);
      expect([await isAlive(orphan), await isAlive(stranger), await isAlive(plain), await isAlive(unnamed)]).toEqual([false, true, true, true]);
      expect(pit.events().filter((event) => event.kind === 'orphans-ended')).toMatchObject([{ marker: MARKER }]);
      fs.writeFileSync(go, '');
      await pit.until('the living was left alone', () => pit.files('done').length === 1);
      await linuxProcesses.signal(unnamed, 'SIGKILL');
    }));

  it('a running pit comes by at its own cadence', { timeout: 60_000 }, () =>
    withPit({ config: ['tick: 100ms', 'grace: 300ms', 'cleanup: 1s'] }, async (pit) => {
      await pit.up(0);
      const orphan = leftBehind({ SNAKEPIT_PIT: pitIdOf(pit), SNAKEPIT_CLAIM: MARKER });
      await pit.until('it is ended', async () => !(await isAlive(orphan)), 20_000);
    }));

  it('reconciler: stories, events, records of dead pits and launchers that were left out are mended, once', { timeout: 60_000 }, () =>
    withPit({}, async (pit) => {
      await pit.up(1);
      pit.dropTask('a.md', sh('echo made'));
      await pit.until('done', () => story(pit, 'done', 'a') !== '' && pit.events().some((event) => event.kind === 'task-done'));
      const told = story(pit, 'done', 'a');
      for (const one of [await pit.daemon(), ...(await pit.snakes()).map((snake) => snake.process)]) if (one !== undefined) await pit.kill(one);
      await pit.until('all are dead', async () => (await pit.daemon()) === undefined && (await pit.snakes()).length === 0);
      fs.rmSync(join(pit.layout.dir('done'), 'a.result.md'));
      const run = join(pit.layout.runs, 'a', fs.readdirSync(join(pit.layout.runs, 'a'))[0] ?? '');
      fs.writeFileSync(join(run, 'launch.sh'), 'export KEY=secret\n');
      // As if it had been settled two minutes ago, and the log had not been told.
      const outcome = JSON.parse(read(join(run, 'outcome.json'))) as { endedAt: number };
      fs.writeFileSync(join(run, 'outcome.json'), JSON.stringify({ ...outcome, endedAt: outcome.endedAt - 120_000 }));
      const lines = read(pit.layout.events).split('\n').filter((line) => line !== '' && !line.includes('"task-done"'));
      fs.writeFileSync(pit.layout.events, `${lines.map((line) => JSON.stringify({ ...(JSON.parse(line) as object), at: outcome.endedAt - 300_000 })).join('\n')}\n`);
      // The pit may have been killed while it wrote its snapshot.
      expect([0, 1]).toContain((await pit.cli('cleanup', '--only', 'sweeper')).code);
      const ran = await pit.cli('cleanup', '--json');
      expect(ran.code).toBe(1);
      expect(json(ran.stdout).applied?.map(({ subject, told: what }) => `${subject}: ${what}`).sort()).toEqual([
        '.snakepit/snakes/', '.snakepit/snapshot.json: removed', `.snakepit/runs/a/${run.slice(run.lastIndexOf('/') + 1)}/launch.sh: removed`, 'a: its story is written', 'a: the event log is told',
      ].sort().map((line) => (line.startsWith('.snakepit/snakes/') ? expect.stringMatching(/^\.snakepit\/snakes\/s1~.*: removed$/) : line)));
      expect([told, story(pit, 'done', 'a')].every((text) => text.includes('\nmade\n'))).toBe(true);
      expect(pit.events().filter((event) => event.kind === 'task-done')).toMatchObject([{ id: 'a', attempt: 1 }]);
      expect(await pit.ok('cleanup')).toBe('clean: there is nothing to do\n');
    }));

  it('reaper and sweeper alone; an unknown specialist is told', { timeout: 60_000 }, () =>
    withPit({}, async (pit) => {
      await pit.up(1);
      pit.dropTask('a.md', sh('sleep 60'));
      await pit.until('it works', () => pit.events().some((event) => event.kind === 'session-launched'));
      for (const one of [await pit.daemon(), ...(await pit.snakes()).map((snake) => snake.process)]) if (one !== undefined) await pit.kill(one);
      await pit.until('all are dead', async () => (await pit.daemon()) === undefined && (await pit.snakes()).length === 0);
      const half = join(pit.layout.tmp, '.x.md.1-1-00000000.abcdefghij.tmp');
      fs.writeFileSync(half, '');
      expect((await pit.cli('cleanup', '--only', 'sweeper')).stdout).toMatch(/^sweep {3}queue\/tmp\/\.x\.md\..*: its writer is dead \(pid 1 is gone\)\n.*: removed\n$/);
      expect(fs.existsSync(half)).toBe(false);
      await pit.until('its session is not kept for an up any more', async () => (await pit.cli('cleanup', '--only', 'reaper')).stdout.includes('a: now ready'));
      expect(fileOf(pit, 'ready', 'a')).toContain('~0.1.0');
      expect((await pit.cli('cleanup', '--only', 'butler')).stderr).toBe('snakepit: no specialist is called butler; there are: reaper, orphans, reconciler, sweeper, salvager, pruner, archivist, composter, log-keeper\n');
    }));

  it('cron: shows its lines, asks, writes them beside those of others, and takes them out again', () =>
    withPit({}, async (pit) => {
      const bin = pit.beside('bin');
      const table = pit.beside('crontab');
      fs.mkdirSync(bin);
      fs.writeFileSync(join(bin, 'crontab'), `#!/bin/sh\nif [ "$1" = -l ]; then [ -e '${table}' ] || { echo "no crontab for me" >&2; exit 1; }; cat '${table}'; else cat > '${table}'; fi\n`, { mode: 0o755 });
      const env = { PATH: `${bin}:${envOf(pit)['PATH'] ?? ''}` };
      const asked = await call(pit, ['cleanup', '--install-cron'], { env, input: 'y\n' });
      expect([asked.code, asked.stderr]).toEqual([64, 'snakepit: there is nobody to ask; say --yes\n']);
      expect(fs.existsSync(table)).toBe(false);
      fs.writeFileSync(table, '0 1 * * * backup\n');
      const written = await call(pit, ['cleanup', '--install-cron', '--yes'], { env });
      expect(written.stdout).toContain(`'cleanup' >>'${pit.layout.log}/cleanup.log' 2>&1`);
      expect(read(table)).toMatch(/^0 1 \* \* \* backup\n# snakepit cleanup of .*: begin\n\*\/10 .*\n# snakepit cleanup of .*: end\n$/);
      expect((await call(pit, ['cleanup', '--install-cron', '--yes'], { env })).stdout).toBe('the crontab has these lines already\n');
      // As cron runs it: by a shell, with next to no environment.
      const line = read(table).split('\n').find((one) => one.startsWith('*/10'))?.replace(/^(\S+ ){5}/, '') ?? '';
      const child = spawn('/bin/sh', ['-c', line], { env: {}, stdio: 'ignore', cwd: '/' });
      expect(await new Promise((resolve) => child.on('close', resolve))).toBe(0);
      expect(read(join(pit.layout.log, 'cleanup.log'))).toBe('clean: there is nothing to do\n');
      await call(pit, ['cleanup', '--uninstall-cron', '--yes'], { env });
      expect(read(table)).toBe('0 1 * * * backup\n');
      expect((await call(pit, ['cleanup', '--systemd'], { env })).stdout).toContain('OnUnitActiveSec=10min');
    }));
});
