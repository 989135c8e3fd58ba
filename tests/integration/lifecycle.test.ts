import * as fs from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { identify, linuxProcesses } from '../../src/lib/linux-processes.js';
import type { ProcessIdentity } from '../../src/lib/processes.js';
import { parseClaim, parseReady, printClaim } from '../../src/protocol/names.js';
import { QUICK, type Pit } from '../rig/pit.js';
import { until } from '../rig/until.js';
import { alive, background, call, fileOf, head, hasEnded, isIn, killPit, read, sh, story, tasksIn, withPit } from './rig.js';

const without = (...keys: readonly string[]): string[] => QUICK.filter((line) => !keys.some((key) => line.startsWith(`${key}:`)));

/** Runs until `go` exists, leaving its pid; says how often it was begun. */
const patient = (pit: Pit, name: string): string => sh(`echo x >> '${pit.beside(`${name}.runs`)}'`, `echo $$ > '${pit.beside(`${name}.pid`)}'`, `until [ -e '${pit.beside(`${name}.go`)}' ]; do sleep 0.05; done`, 'echo finished');
const letGo = (pit: Pit, name: string): void => fs.writeFileSync(pit.beside(`${name}.go`), '');
const runs = (pit: Pit, name: string): number => read(pit.beside(`${name}.runs`)).length / 2;

async function sessionOf(pit: Pit, name: string): Promise<ProcessIdentity> {
  await pit.until(`${name} runs`, () => /^\d+\n$/.test(read(pit.beside(`${name}.pid`))));
  const identity = identify(Number(read(pit.beside(`${name}.pid`))));
  if (identity === undefined) throw new Error(`${name} has ended already`);
  return identity;
}

async function onlySnake(pit: Pit): Promise<ProcessIdentity> {
  const [one, ...others] = await pit.snakes();
  if (one === undefined || others.length > 0) throw new Error('not exactly one snake');
  return one.process;
}

describe('death', () => {
  it('kill -9 of the pit: snakes and sessions work on, finish and claim more; the next up takes the same snakes over', () =>
    withPit({}, async (pit) => {
      await pit.up(2);
      pit.dropTask('a.md', patient(pit, 'a'));
      const session = await sessionOf(pit, 'a');
      const snakes = await pit.snakes();
      await killPit(pit);
      expect(await pit.snakes()).toEqual(snakes);
      expect(await alive(session)).toBe(true);
      expect((await call(pit, ['add', '--id', 'b', '-'], { input: sh('true') })).code).toBe(0);
      await pit.until('a snake without a pit takes the next task', () => hasEnded(pit, 'done', 'b'));
      expect(await pit.ok('up')).toContain('the pit is up');
      expect((await pit.snakes()).map((one) => one.process.pid).sort()).toEqual(snakes.map((one) => one.process.pid).sort());
      expect(await alive(session)).toBe(true);
      letGo(pit, 'a');
      await pit.until('done', () => hasEnded(pit, 'done', 'a'));
      expect(runs(pit, 'a')).toBe(1);
      expect(pit.events().filter((event) => event.kind === 'snake-ended')).toEqual([]);
    }));

  it('kill -9 of a snake: a new one of the same name adopts the live session; one attempt in all', () =>
    withPit({}, async (pit) => {
      await pit.up(1);
      pit.dropTask('a.md', patient(pit, 'a'));
      const session = await sessionOf(pit, 'a');
      const first = await onlySnake(pit);
      await pit.kill(first);
      await pit.until('it is adopted', () => pit.events().some((event) => event.kind === 'task-adopted' && event.id === 'a'));
      expect((await onlySnake(pit)).pid).not.toBe(first.pid);
      expect(await alive(session)).toBe(true);
      expect((await pit.snakes()).map((one) => one.snake)).toEqual(['s1']);
      letGo(pit, 'a');
      await pit.until('done', () => story(pit, 'done', 'a') !== '');
      expect(runs(pit, 'a')).toBe(1);
      expect(story(pit, 'done', 'a')).toContain('after 1 attempt\n');
      expect(pit.events().filter((event) => event.kind === 'task-claimed')).toHaveLength(1);
    }));

  it('kill -9 of pit and snake both: up adopts the session all the same', () =>
    withPit({ config: [...without('adopt'), 'adopt: 60s'] }, async (pit) => {
      await pit.up(1);
      pit.dropTask('a.md', patient(pit, 'a'));
      const session = await sessionOf(pit, 'a');
      const snake = await onlySnake(pit);
      await killPit(pit);
      await pit.kill(snake);
      await pit.until('no snake', async () => (await pit.snakes()).length === 0);
      expect((await pit.cli('cleanup')).stdout).toMatch(/^keep +a: its session works on and an up may still adopt it/);
      await pit.up(1);
      await pit.until('it is adopted', () => pit.events().some((event) => event.kind === 'task-adopted'));
      expect(await alive(session)).toBe(true);
      letGo(pit, 'a');
      await pit.until('done', () => hasEnded(pit, 'done', 'a'));
      expect(runs(pit, 'a')).toBe(1);
    }));

  it('down after kill -9 of pit and snake both: the session is adopted and finished, nothing more is claimed', () =>
    withPit({}, async (pit) => {
      await pit.up(1);
      pit.dropTask('a.md', patient(pit, 'a'));
      const session = await sessionOf(pit, 'a');
      pit.dropTask('next.md', sh('true'));
      await pit.until('the next is ready', () => isIn(pit, 'ready', 'next'));
      const snake = await onlySnake(pit);
      await killPit(pit);
      await pit.kill(snake);
      const down = background(pit, 'down');
      await pit.until('it says what it does', () => down.output().includes('the pit is dead: a new one takes over what still runs, and claims nothing more'));
      await pit.until('it is adopted', () => pit.events().some((event) => event.kind === 'task-adopted' && event.id === 'a'));
      expect(await alive(session)).toBe(true);
      letGo(pit, 'a');
      expect(await down.ended).toBe(0);
      expect([isIn(pit, 'done', 'a'), isIn(pit, 'ready', 'next'), runs(pit, 'a')]).toEqual([true, true, 1]);
      expect(pit.processes()).toEqual([]);
    }));

  it('rm -rf of the directory of a running pit: everything that it started ends, the tmux server too', () =>
    withPit({}, async (pit) => {
      await pit.up(1);
      pit.dropTask('a.md', patient(pit, 'a'));
      const session = await sessionOf(pit, 'a');
      const gone = (): boolean => {
        // What lives there may write while it is being removed; a person says it again.
        try {
          fs.rmSync(pit.root, { recursive: true, force: true });
        } catch {
          return false;
        }
        return pit.processes().length === 0;
      };
      await until('nothing is left', gone, 20_000);
      expect(await alive(session)).toBe(false);
      fs.mkdirSync(pit.root, { recursive: true });
    }));

  it('kill -9 of the session: a loss is counted, and it is run again at once', () =>
    withPit({}, async (pit) => {
      await pit.up(1);
      pit.dropTask('a.md', patient(pit, 'a'));
      const session = await sessionOf(pit, 'a');
      const claim = parseClaim(basename(fileOf(pit, 'claimed', 'a')));
      const recorded = join(pit.layout.runs, 'a', `001-${claim?.nonce ?? ''}`, 'session');
      const wrapper = identify(Number(read(recorded).split(' ')[0]));
      if (wrapper === undefined) throw new Error('the wrapper is gone');
      await pit.kill(wrapper);
      await pit.until('the second run', () => runs(pit, 'a') === 2);
      // The first agent was ended before the second began.
      expect(await alive(session)).toBe(false);
      expect(parseClaim(basename(fileOf(pit, 'claimed', 'a')))?.counters).toEqual({ failures: 0, losses: 1, deferrals: 0 });
      letGo(pit, 'a');
      await pit.until('done', () => hasEnded(pit, 'done', 'a'));
    }));

  it('kill -9 of the tmux server: sessions lost, counted, and run again on a new server', () =>
    withPit({}, async (pit) => {
      await pit.up(1);
      pit.dropTask('a.md', patient(pit, 'a'));
      await sessionOf(pit, 'a');
      const server = pit.processes().find((one) => one.command.startsWith('tmux '));
      if (server === undefined) throw new Error('no tmux server');
      await pit.kill(server.process);
      letGo(pit, 'a');
      await pit.until('done', () => hasEnded(pit, 'done', 'a'));
      pit.dropTask('b.md', sh('true'));
      await pit.until('the next one too', () => hasEnded(pit, 'done', 'b'));
    }));

  it('a SIGSTOPped snake is not robbed, however late, by the pit or by cleanup; woken, it goes on', () =>
    withPit({}, async (pit) => {
      await pit.up(1);
      pit.dropTask('a.md', patient(pit, 'a'));
      const session = await sessionOf(pit, 'a');
      const snake = await onlySnake(pit);
      await linuxProcesses.signal(snake, 'SIGSTOP');
      try {
        // Later than six heartbeats of 500 ms, and than adopt.
        await pit.until('it is reported late', async () => (await pit.cli('cleanup')).stdout.startsWith('report  a: alive, and late with its heartbeat: never robbed'), 20_000);
        expect(isIn(pit, 'claimed', 'a')).toBe(true);
        expect(await alive(session)).toBe(true);
        expect(await onlySnake(pit)).toEqual(snake);
      } finally {
        await linuxProcesses.signal(snake, 'SIGCONT');
      }
      letGo(pit, 'a');
      await pit.until('done', () => hasEnded(pit, 'done', 'a'));
      expect(runs(pit, 'a')).toBe(1);
    }));

  it('a snake whose claim was taken away while it slept publishes nothing and ends its session', () =>
    withPit({}, async (pit) => {
      await pit.up(1);
      pit.dropTask('a.md', patient(pit, 'a'));
      const session = await sessionOf(pit, 'a');
      fs.renameSync(fileOf(pit, 'claimed', 'a'), pit.beside('taken.md'));
      await pit.until('the session has ended', async () => !(await alive(session)), 10_000);
      await pit.until('it is told', () => pit.events().some((event) => event.kind === 'claim-lost'));
      expect([isIn(pit, 'done', 'a'), isIn(pit, 'failed', 'a')]).toEqual([false, false]);
      pit.dropTask('b.md', sh('true'));
      await pit.until('the snake goes on', () => hasEnded(pit, 'done', 'b'));
    }));

  it('a snake that dies five times within a minute is broken, shown with the remedy, and up again mends it', () =>
    withPit({}, async (pit) => {
      await pit.up(1);
      await pit.until('it is broken', async () => {
        for (const one of await pit.snakes()) await pit.kill(one.process);
        return pit.events().some((event) => event.kind === 'snake-broken');
      });
      const status = await pit.ok('status');
      expect(status).toMatch(/s1 +broken +it died 5 times within 60 s; why: snakepit logs s1; then say snakepit up again/);
      expect(pit.events().filter((event) => event.kind === 'snake-ended')).toHaveLength(5);
      pit.dropTask('a.md', sh('true'));
      await pit.until('the pit itself lives: it takes in', () => isIn(pit, 'ready', 'a'));
      expect(await pit.ok('up')).toContain('already runs; 1 snake');
      await pit.until('done', () => hasEnded(pit, 'done', 'a'));
    }));

  it('a snake that cannot even start is broken too, and its complaint can be read', () =>
    withPit({}, async (pit) => {
      await pit.up(0);
      fs.rmSync(pit.layout.activeConfig);
      // It registers before it reads its configuration, so `up` may see it for an instant: its code is not looked at here.
      await pit.cli('up', '-n', '1');
      await pit.until('it is broken', () => pit.snapshot()?.snakes[0]?.state === 'broken');
      expect(pit.snapshot()?.snakes).toMatchObject([{ snake: 's1', state: 'broken' }]);
      expect(read(join(pit.layout.log, 'snakes.log'))).toContain('config.json is missing');
      expect(await pit.ok('logs', 's1')).toMatch(/snake-broken[^]*config\.json is missing/);
      expect(await pit.ok('doctor')).toMatch(/warn +snakes +broken: s1 → why: snakepit logs s1/);
      expect(pit.events().filter((event) => event.kind === 'snake-ended')).toHaveLength(5);
    }), 90_000);
});

describe('the machine was started anew', () => {
  it('a claim of another boot is requeued by up, one loss counted, and run to its end', () =>
    withPit({}, async (pit) => {
      await pit.up(1);
      pit.dropTask('a.md', patient(pit, 'a'));
      await sessionOf(pit, 'a');
      const snake = await onlySnake(pit);
      await killPit(pit);
      await pit.kill(snake);
      // What a power cut leaves: no process, the claim of a boot that is over.
      for (const one of pit.processes()) await pit.kill(one.process);
      await until('all is dead', () => pit.processes().length === 0, 5000);
      const file = fileOf(pit, 'claimed', 'a');
      const claim = parseClaim(basename(file));
      if (claim === undefined) throw new Error('no claim');
      fs.renameSync(file, join(pit.layout.dir('claimed'), printClaim({ ...claim, owner: { ...claim.owner, boot: '00000000' } })));
      fs.writeFileSync(join(pit.layout.state, 'boot'), '00000000\n');
      expect(await pit.ok('cleanup', '--dry-run')).toMatch(/^reap +a: the machine was started anew/);
      letGo(pit, 'a');
      await pit.up(1);
      await pit.until('done, and told', () => pit.events().some((event) => event.kind === 'task-done'));
      expect(pit.events().filter((event) => event.kind === 'pit-rebooted')).toMatchObject([{ requeued: 1 }]);
      expect(pit.events().flatMap((event) => (event.kind === 'task-done' ? [event.attempt, event.marker.split('~')[1]] : []))).toEqual([2, '0.1.0']);
      expect(runs(pit, 'a')).toBe(2);
    }));
});

describe('policies', () => {
  it('priorities: 0 before urgent before high before normal before low before 99; equals by arrival', () =>
    withPit({}, async (pit) => {
      await pit.up(1);
      await pit.ok('pause');
      const order = pit.beside('order');
      const wanted: string[] = [];
      const tasks: [string, string][] = [['last', '99'], ['low', 'low'], ['n1', 'normal'], ['n2', ''], ['high', 'high'], ['urgent', 'urgent'], ['first', '0']];
      for (const [id, priority] of tasks) {
        const text = `${priority === '' ? '' : head(`priority: ${priority}`)}${sh(`echo ${id} >> '${order}'`)}`;
        expect((await call(pit, ['add', '--id', id, '-'], { input: text })).code).toBe(0);
      }
      wanted.push('first', 'urgent', 'high', 'n1', 'n2', 'low', 'last');
      await pit.ok('resume');
      await pit.until('all are done', () => tasksIn(pit, 'done').length === 7);
      expect(read(order).trim().split('\n')).toEqual(wanted);
    }));

  it('after: waits for all, in any order of arrival; a failed one, a ring and oneself end it with the reason', () =>
    withPit({}, async (pit) => {
      await pit.up(2);
      pit.dropTask('c.md', head('after: [a, b]') + sh('echo c'));
      await pit.until('c waits', () => isIn(pit, 'waiting', 'c'));
      pit.dropTask('a.md', patient(pit, 'a'));
      pit.dropTask('b.md', sh('true'));
      await pit.until('b is done, a runs', () => hasEnded(pit, 'done', 'b') && isIn(pit, 'claimed', 'a'));
      expect(await pit.ok('show', 'c')).toContain('c: waiting, waits for a');
      letGo(pit, 'a');
      await pit.until('c is done', () => hasEnded(pit, 'done', 'c'));

      pit.dropTask('needs.md', head('after: [bad]') + sh('true'));
      pit.dropTask('further.md', head('after: [needs]') + sh('true'));
      pit.dropTask('bad.md', head('attempts: 1') + sh('false'));
      pit.dropTask('r1.md', head('after: [r2]') + sh('true'));
      pit.dropTask('r2.md', head('after: [r1]') + sh('true'));
      pit.dropTask('self.md', head('after: self') + sh('true'));
      for (const [id, why] of [['needs', 'it needs bad, which failed'], ['further', 'it needs needs, which failed'], ['self', 'these tasks need each other: self → self']] as const) {
        await pit.until(`${id} has ended`, () => story(pit, 'failed', id) !== '');
        expect(story(pit, 'failed', id)).toContain(why);
      }
      await pit.until('the ring has ended', () => story(pit, 'failed', 'r1') !== '' && story(pit, 'failed', 'r2') !== '');
      expect(story(pit, 'failed', 'r1') + story(pit, 'failed', 'r2')).toContain('need each other');
    }));

  it('at: and in: wait for their time, and not much longer', () =>
    withPit({}, async (pit) => {
      await pit.up(1);
      const startedAt = Date.now();
      pit.dropTask('soon.md', head('in: 2s') + sh(`date +%s%3N > '${pit.beside('soon')}'`));
      pit.dropTask('then.md', head(`at: ${new Date(startedAt + 2000).toISOString()}`) + sh(`date +%s%3N > '${pit.beside('then')}'`));
      pit.dropTask('past.md', head('at: 2020-01-01') + sh('true'));
      pit.dropTask('never.md', head('at: 2999-01-01T00:00Z') + sh('true'));
      await pit.until('the past is now', () => hasEnded(pit, 'done', 'past'));
      await pit.until('both are done', () => hasEnded(pit, 'done', 'soon') && hasEnded(pit, 'done', 'then'));
      for (const name of ['soon', 'then']) expect(Number(read(pit.beside(name)))).toBeGreaterThanOrEqual(startedAt + 2000);
      expect(await pit.ok('ls', 'waiting')).toMatch(/never .*not before 2999-01-01T00:00:00\.000Z/);
    }));

  it('retries with back-off, tells the next attempt why the last one failed, and ends at the limit', () =>
    withPit({ config: [...without('backoff'), 'backoff: {first: 600ms, factor: 2, max: 1s}'] }, async (pit) => {
      await pit.up(1);
      const times = pit.beside('times');
      pit.dropTask('a.md', head('attempts: 3') + sh(`date +%s%3N >> '${times}'`, 'echo "before: $SNAKEPIT_PREVIOUS_FAILURE"', 'exit 7'));
      await pit.until('failed', () => story(pit, 'failed', 'a') !== '');
      const [first = 0, second = 0, third = 0, ...more] = read(times).trim().split('\n').map(Number);
      expect(more).toEqual([]);
      expect(second - first).toBeGreaterThanOrEqual(600);
      expect(third - second).toBeGreaterThanOrEqual(1000);
      expect(await pit.ok('logs', 'a')).toBe('before: exit-status: it exited with status 7\n');
      expect(story(pit, 'failed', 'a')).toMatch(/\(3 of 3 attempts\)[^]*1\. shell: exit-status[^]*2\. shell: [^]*3\. shell: /);
    }));

  it('a timeout ends every process of the session and is counted as a failure', () =>
    withPit({}, async (pit) => {
      await pit.up(1);
      const dir = pit.beside('pids');
      fs.mkdirSync(dir);
      pit.dropTask('a.md', head('timeout: 1500ms', 'attempts: 1') + sh(`echo $$ > '${dir}/main'`, `setsid sh -c 'trap "" TERM HUP; echo $$ > ${dir}/setsid; while :; do sleep 1; done' &`, `( setsid sh -c 'trap "" TERM HUP; echo $$ > ${dir}/double; while :; do sleep 1; done' & )`, 'wait'));
      await pit.until('all run', () => ['main', 'setsid', 'double'].every((name) => /^\d+\n$/.test(read(join(dir, name)))));
      const processes = ['main', 'setsid', 'double'].flatMap((name) => identify(Number(read(join(dir, name)))) ?? []);
      await pit.until('failed', () => story(pit, 'failed', 'a') !== '');
      for (const one of processes) expect(await alive(one)).toBe(false);
      expect(story(pit, 'failed', 'a')).toMatch(/timeout: it ran longer than its timeout of 2 s \(1 of 1 attempts\)/);
    }));

  it('verify: must pass; the failing check and its last lines are in the story; later ones are not run', () =>
    withPit({}, async (pit) => {
      await pit.up(1);
      pit.dropTask('bad.md', head('attempts: 1', 'verify:', '  - test -e made', '  - echo because; exit 5', `  - touch '${pit.beside('third')}'`) + sh('touch made', 'snakepit done I swear'));
      pit.dropTask('good.md', head('verify: test -e made') + sh('touch made'));
      pit.dropTask('slow.md', head('attempts: 1', 'verify: exit 0') + sh('exit 3'));
      await pit.until('all have ended', () => story(pit, 'failed', 'bad') !== '' && story(pit, 'done', 'good') !== '' && story(pit, 'failed', 'slow') !== '');
      expect(story(pit, 'failed', 'bad')).toMatch(/verify-failed: verify: echo because; exit 5 ended with status 5[^]*passed: test -e made\n- \*\*failed\*\* \(status 5\): echo because; exit 5\n~~~~\nbecause\n~~~~/);
      expect(fs.existsSync(pit.beside('third'))).toBe(false);
      expect(story(pit, 'done', 'good')).toContain('- passed: test -e made');
      expect(story(pit, 'failed', 'slow')).toContain('exit-status: it exited with status 3');
    }));

  it('cancel and down --now reach a task whose checks run', () =>
    withPit({}, async (pit) => {
      const check = (id: string): string => head(`verify: "echo $$ > '${pit.beside(`${id}.check`)}'; exec sleep 1000"`) + sh('true');
      const checking = async (id: string): Promise<ProcessIdentity> => {
        await pit.until(`the check of ${id} runs`, () => /^\d+\n$/.test(read(pit.beside(`${id}.check`))));
        return identify(Number(read(pit.beside(`${id}.check`)))) as ProcessIdentity;
      };
      await pit.up(1);
      pit.dropTask('a.md', check('a'));
      const first = await checking('a');
      await pit.ok('cancel', 'a');
      await pit.until('it is cancelled', () => story(pit, 'failed', 'a').includes('a person cancelled it'));
      expect(await alive(first)).toBe(false);

      pit.dropTask('b.md', check('b'));
      const second = await checking('b');
      await pit.ok('down', '--now');
      expect(await alive(second)).toBe(false);
      expect(parseReady(basename(fileOf(pit, 'ready', 'b')))?.counters).toEqual({ failures: 0, losses: 0, deferrals: 1 });
    }));

  it('a daemon that a session leaves behind is ended before the task is settled', () =>
    withPit({}, async (pit) => {
      await pit.up(1);
      const file = pit.beside('daemon');
      pit.dropTask('a.md', sh(`setsid sh -c 'echo $$ > ${file}; exec sleep 1000' </dev/null >/dev/null 2>&1 &`, `until [ -s '${file}' ]; do sleep 0.02; done`));
      await pit.until('done', () => hasEnded(pit, 'done', 'a'));
      const daemon = identify(Number(read(file)));
      expect(daemon !== undefined && (await alive(daemon))).toBe(false);
    }));
});

describe('one pit, one configuration', () => {
  it('a bad edit while running keeps the last good one and is told by status; mended, it takes effect', () =>
    withPit({}, async (pit) => {
      await pit.up(1);
      const daemon = await pit.daemon();
      const good = read(pit.layout.configFile);
      for (const [bad, problem] of [
        ['attempts: 2\ntimeot: 5m\n', 'snakepit.yaml:2: timeot: unknown key; did you mean timeout? (the last good configuration stays in force)'],
        ['attempts: [\n', 'broken YAML'],
        ['attempts: *nowhere\n', 'broken YAML'],
      ] as const) {
        fs.writeFileSync(pit.layout.configFile, bad);
        await pit.until(`status tells of ${bad}`, async () => (await pit.ok('status')).includes(problem));
      }
      expect(JSON.parse(read(pit.layout.activeConfig))).toMatchObject({ tickMs: 100, attempts: 3 });
      pit.dropTask('a.md', sh('true'));
      await pit.until('it works on', () => hasEnded(pit, 'done', 'a'));
      fs.writeFileSync(pit.layout.configFile, `${good}attempts: 1\n`);
      await pit.until('it is in force', () => (JSON.parse(read(pit.layout.activeConfig)) as { attempts: number }).attempts === 1);
      expect(await pit.ok('status')).not.toContain('last good');
      pit.dropTask('b.md', sh('false'));
      await pit.until('one attempt only', () => story(pit, 'failed', 'b').includes('(1 of 1 attempts)'));
      expect(await pit.daemon()).toEqual(daemon);
    }));

  it('ten ups at once make one pit; each is answered', () =>
    withPit({}, async (pit) => {
      const calls = await Promise.all(Array.from({ length: 10 }, () => pit.cli('up', '-n', '2')));
      expect(calls.map((one) => one.code)).toEqual(Array(10).fill(0));
      expect(new Set(calls.map((one) => /pid (\d+)/.exec(one.stdout)?.[1])).size).toBe(1);
      expect(await pit.snakes()).toHaveLength(2);
      expect(pit.events().filter((event) => event.kind === 'pit-started')).toHaveLength(1);
    }));

  it('up said in the session of another pit does not pass its marker on', () =>
    withPit({}, (outer) =>
      withPit({}, async (inner) => {
        await outer.up(1);
        outer.dropTask('a.md', sh(`snakepit -C '${inner.root}' up -n 1`, `snakepit -C '${inner.root}' add --id b - <<'E'`, 'run: nothing', '', '~~~sh', 'echo "$SNAKEPIT_TASK_ID"', '~~~', 'E', `snakepit -C '${inner.root}' wait b`));
        await outer.until('done', () => isIn(outer, 'done', 'a') || isIn(outer, 'failed', 'a'));
        expect(story(outer, 'failed', 'a')).toBe('');
        expect(isIn(inner, 'done', 'b')).toBe(true);
        expect(await inner.ok('logs', 'b')).toBe('b\n');
      }),
    ));
});
