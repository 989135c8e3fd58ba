import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { exitOf } from '../../src/cli/exit.js';
import { buildProgram } from '../../src/cli/program.js';
import { PathError } from '../../src/lib/files.js';
import { identify, linuxProcesses } from '../../src/lib/linux-processes.js';
import type { ProcessIdentity } from '../../src/lib/processes.js';
import { Pit, QUICK } from '../rig/pit.js';
import { until } from '../rig/until.js';
import { background, call, CLI, envOf, fileOf, head, hasEnded, isIn, mv, read, sh, story, Terminal, withPit } from './rig.js';

const json = (text: string): Record<string, unknown> => JSON.parse(text) as Record<string, unknown>;
const oneLine = (text: string): boolean => /^snakepit: [^\n]+\n$/.test(text);

/** A script whose children are as hard to end as can be; each writes its own pid. It stays until it is ended. */
const STUBBORN = (pids: string): string =>
  sh(
    `me() { echo "$$" > '${pids}'/"$1"; }`,
    `mkdir -p '${pids}'`,
    `sh -c 'trap "" HUP TERM INT; echo $$ > ${pids}/ignores; while :; do sleep 1; done' &`,
    `setsid sh -c 'trap "" HUP TERM INT; echo $$ > ${pids}/setsid; while :; do sleep 1; done' &`,
    `( setsid sh -c 'trap "" HUP TERM; echo $$ > ${pids}/double; while :; do sleep 1; done' </dev/null >/dev/null 2>&1 & )`,
    `( cd / && exec nohup sh -c 'echo $$ > ${pids}/nohup; while :; do sleep 1; done' >/dev/null 2>&1 ) &`,
    'me main',
    'echo started',
    'wait',
  );
const KINDS = ['double', 'ignores', 'main', 'nohup', 'setsid'];

async function stubbornPids(pit: Pit, dir: string): Promise<ProcessIdentity[]> {
  await pit.until('all children have written their pids', () => fs.existsSync(dir) && KINDS.every((kind) => /^\d+\n$/.test(read(join(dir, kind)))));
  return KINDS.map((kind) => {
    const identity = identify(Number(read(join(dir, kind))));
    if (identity === undefined) throw new Error(`${kind} is not there`);
    return identity;
  });
}

async function living(processes: readonly ProcessIdentity[]): Promise<number> {
  let count = 0;
  for (const one of processes) if ((await linuxProcesses.liveness(one)) !== 'dead') count += 1;
  return count;
}

describe('without a running pit', () => {
  it('init makes a pit, and says it again without touching what is there', () =>
    withPit({ bare: true }, async (pit) => {
      fs.rmSync(pit.layout.configFile);
      expect(await pit.ok('init')).toMatch(/a pit is ready in .*\n.*snakepit up/);
      expect(read(pit.layout.configFile)).toContain('#snakes: 4');
      expect(fs.statSync(pit.layout.state).mode & 0o077).toBe(0);
      fs.writeFileSync(pit.layout.configFile, 'snakes: 7\n');
      await pit.ok('init');
      expect(read(pit.layout.configFile)).toBe('snakes: 7\n');
    }));

  it('ls lists the newest of what has ended, and says what it left out', () =>
    withPit({}, async (pit) => {
      for (let index = 0; index < 30; index += 1) {
        const id = `t-${String(index).padStart(2, '0')}`;
        const file = join(pit.layout.dir('done'), id);
        fs.writeFileSync(`${file}.md`, '# x\n');
        fs.writeFileSync(`${file}.result.md`, '# Done: x\n');
        // The story's time counts: a file keeps that of its last heartbeat.
        fs.utimesSync(`${file}.result.md`, 1_700_000_000 + index, 1_700_000_000 + index);
      }
      fs.writeFileSync(join(pit.layout.dir('done'), '.t.tmp'), '');
      const rows = (text: string): string[] => [...text.matchAll(/^done +(\S+)/gm)].map(([, id]) => id ?? '');
      const newest = Array.from({ length: 30 }, (_, index) => `t-${String(29 - index).padStart(2, '0')}`);
      for (const args of [['ls'], ['ls', 'done']]) {
        expect(rows(await pit.ok(...args))).toEqual(newest.slice(0, 20));
        expect(await pit.ok(...args)).toContain('… and 10 more done: snakepit ls done --all\n');
      }
      expect(rows(await pit.ok('ls', 'done', '--all'))).toEqual(newest);
      const few = await pit.ok('ls', 'done', '--limit', '3');
      expect(rows(few)).toEqual(newest.slice(0, 3));
      expect(few).toContain('… and 27 more done');
      expect(json(await pit.ok('ls', '--json'))['tasks']).toHaveLength(30);
      expect(json(await pit.ok('ls', '--json'))).not.toHaveProperty('more');
      expect(json(await pit.ok('ls', '--json', '--limit', '5'))).toMatchObject({ tasks: { length: 5 }, more: { done: 25 } });
      expect((await pit.cli('ls', 'done', '--all', '--limit', '3')).code).toBe(64);
    }));

  it('a place without a pit: every command says so in one line, with code 66', () =>
    withPit({ bare: true }, async (pit) => {
      fs.rmSync(pit.layout.configFile);
      for (const args of [['status'], ['ls'], ['up'], ['down'], ['show', 'x'], ['wait'], ['cleanup'], ['add', '-'], ['pause'], ['events']]) {
        const called = await call(pit, args, { here: true });
        expect([args[0], called.code, oneLine(called.stderr), called.stdout]).toEqual([args[0], 66, true, '']);
        expect(called.stderr).toContain('snakepit init');
      }
      expect((await call(pit, ['-C', '/nowhere/at/all', 'status'], { here: true })).code).toBe(66);
      const machine = await call(pit, ['doctor'], { here: true });
      expect([machine.code, machine.stdout]).toEqual([0, expect.stringMatching(/ok +node[^]*ok +pit +none here; make one with: snakepit init/)]);
    }));

  it('the pit is found from below, and by SNAKEPIT_DIR', () =>
    withPit({}, async (pit) => {
      const below = join(pit.root, 'src', 'deep');
      fs.mkdirSync(below, { recursive: true });
      expect((await call(pit, ['ls'], { here: true, cwd: below })).code).toBe(0);
      expect((await call(pit, ['ls'], { here: true, cwd: '/', env: { SNAKEPIT_DIR: pit.root } })).code).toBe(0);
    }));

  it('wrong usage is one line with code 64 and the way out; help is code 0 for every command', () =>
    withPit({}, async (pit) => {
      for (const args of [['bogus'], ['stat'], ['up', '-n', 'x'], ['up', '-n', '-1'], ['up', '-n', '100000'], ['ls', 'nowhere'], ['show'], ['wait', '--timeout', 'soon'], ['--bogus'], ['config', '--schema', '--defaults'], ['add', '--id', 'x', 'a', 'b']]) {
        const called = await pit.cli(...args);
        expect([args.join(' '), called.code]).toEqual([args.join(' '), 64]);
        expect(called.stderr).toMatch(/^snakepit: [^\n]+\n$/);
      }
      expect((await pit.cli('up', '-n', '100000')).stderr).toContain('use a whole number from 0 to 9999');
      expect((await pit.cli('stat')).stderr).toContain('(Did you mean');
      const names = buildProgram().commands.map((command) => command.name());
      expect(names.length).toBeGreaterThan(25);
      for (const name of names) {
        const called = await pit.cli(name, '--help');
        expect([name, called.code, called.stdout.startsWith(`Usage: snakepit ${name}`)]).toEqual([name, 0, true]);
      }
      const top = await pit.cli('--help');
      for (const name of names) expect(top.stdout).toContain(`\n  ${name} `);
      expect(top.stdout).toMatch(/Exit codes: 0 well/);
    }), 120_000);

  it('add: files, standard input, --id, --json, and what is wrong with file and line, code 65', () =>
    withPit({}, async (pit) => {
      const file = pit.beside('My Task.md');
      fs.writeFileSync(file, sh('true'));
      expect(await pit.ok('add', file)).toBe('my-task\n');
      expect((await call(pit, ['add', '-'], { input: `# Read the news\n\n${sh('true')}` })).stdout).toBe('read-the-news\n');
      expect((await call(pit, ['add', '--id', 'mine', '-'], { input: sh('true') })).stdout).toBe('mine\n');
      const asJson = json((await call(pit, ['add', '--json', '--id', 'j', '-'], { input: head('in: 1h') + sh('true') })).stdout);
      expect(asJson).toMatchObject({ schemaVersion: 1, added: [{ id: 'j', state: 'waiting' }] });
      const twice = await pit.cli('add', file);
      expect([twice.code, oneLine(twice.stderr)]).toEqual([65, true]);
      expect(twice.stderr).toContain('the id my-task is taken: a task of that id is in ready/; add `id: other` to its front matter');
      const bad = pit.beside('bad.md');
      for (const [text, message] of [
        ['---\ntitle: x\ntimeout: soon\n---\nx\n', `${bad}:3: timeout: is not a duration`],
        ['', `${bad}:1: the file is empty`],
        ['# only prose\n', `${bad}: the shell profile runs`],
        [`${head('agent: claud')}x\n`, 'no agent profile is called claud'],
      ] as const) {
        fs.writeFileSync(bad, text);
        const called = await pit.cli('add', bad);
        expect([called.code, oneLine(called.stderr), called.stdout]).toEqual([65, true, '']);
        expect(called.stderr).toContain(message);
      }
      const stdin = await call(pit, ['add', '-'], { input: '---\nid: A B\n---\nx\n' });
      expect([stdin.code, stdin.stderr]).toEqual([65, expect.stringContaining('standard input:2: id: is not a legal id')]);
      expect((await pit.cli('add', '/nowhere.md')).code).toBe(66);
      expect((await pit.cli('add', pit.root)).code).toBe(66);
      const warned = await call(pit, ['add', '--id', 'w', '-'], { input: head('prioritty: 5') + sh('true') });
      expect([warned.code, warned.stderr]).toEqual([0, 'snakepit: standard input:2: unknown key prioritty (did you mean priority?); kept, not used\n']);
      const mixed = await pit.cli('add', bad, file, pit.beside('nope.md'));
      expect(mixed.code).not.toBe(0);
      expect(pit.files('ready')).toHaveLength(4);
    }));

  it('ls, show, status, hold, release, cancel, pause, resume on tasks that nobody works', () =>
    withPit({}, async (pit) => {
      expect(await pit.ok('ls')).toContain('no tasks');
      pit.dropTask('x.md', sh('true'));
      await call(pit, ['add', '--id', 'a', '-'], { input: `${head('priority: high')}# Title of a\n${sh('true')}` });
      await call(pit, ['add', '--id', 'b', '-'], { input: head('after: [a, ghost]') + sh('true') });
      expect(await pit.ok('ls')).toMatch(/^STATE +TASK +ATTEMPT +PRIORITY\nready +a +1 +30\nwaiting +b +1 +50 +waits for a, ghost \(no such task\)\n$/);
      expect(json(await pit.ok('ls', 'ready', '--json'))).toMatchObject({ schemaVersion: 1, tasks: [{ id: 'a', state: 'ready', attempt: 1, priority: 30 }] });
      expect(await pit.ok('ls', 'stuck')).toBe('nothing is stuck\n');
      expect(await pit.ok('show', 'a')).toMatch(/^# Title of a\na: ready\nfile +queue\/ready\/.*\nattempt +1 /);
      expect(await pit.ok('show', 'b')).toContain('b: waiting, waits for a, ghost (no such task)');
      expect(json(await pit.ok('show', 'b', '--json'))).toMatchObject({ id: 'b', state: 'waiting', why: 'waits for a, ghost (no such task)' });
      expect((await pit.cli('show', 'nobody')).stderr).toBe('snakepit: no task is called nobody; see: snakepit ls\n');
      expect(await pit.ok('status')).toMatch(/^no pit is running; start it with: snakepit up\nready 1 {3}waiting 1 {3}running 0/);
      expect(json(await pit.ok('status', '--json'))).toMatchObject({ paused: false, counts: { ready: 1, waiting: 1 } });

      expect(await pit.ok('hold', 'a', 'b')).toBe('a is held; let it go with: snakepit release a\nb is held; let it go with: snakepit release b\n');
      expect([await pit.cli('hold', 'a')].map(({ code, stderr }) => [code, stderr])).toEqual([[0, '']]);
      expect(await pit.ok('release', 'a', 'b')).toBe('a is ready\nb is waiting\n');
      expect((await pit.cli('release', 'a')).code).toBe(64);
      expect((await pit.cli('retry', 'a')).stderr).toBe('snakepit: a is ready, not failed\n');
      const some = await pit.cli('hold', 'nobody', 'a');
      expect([some.code, some.stdout.includes('a is held')]).toEqual([66, true]);

      expect(await pit.ok('cancel', 'a')).toBe('a is cancelled; it lies in failed/\n');
      expect(story(pit, 'failed', 'a')).toMatch(/# Failed:.*\n[^]*cancelled/);
      expect(story(pit, 'failed', 'a')).toContain('what to do**: nothing; to run it after all: `snakepit retry a`');
      expect((await pit.cli('cancel', 'a')).code).toBe(64);
      expect(await pit.ok('retry', 'a')).toBe('a is ready again\n');

      expect(await pit.ok('pause')).toContain('paused');
      expect(await pit.ok('pause')).toBe('it is paused already; go on with: snakepit resume\n');
      expect(await pit.ok('status')).toContain('paused: nothing is claimed');
      expect(fs.existsSync(pit.layout.paused)).toBe(true);
      expect(await pit.ok('resume')).toBe('resumed\n');
      expect(await pit.ok('resume')).toBe('it was not paused\n');
    }), 120_000);

  it('wait without a pit gives up with code 75 and the remedy; its timeout is 124; nothing to wait for is 0', () =>
    withPit({}, async (pit) => {
      expect((await pit.cli('wait')).code).toBe(0);
      expect((await pit.cli('wait', 'ghost')).code).toBe(66);
      await call(pit, ['add', '--id', 'a', '-'], { input: sh('true') });
      const short = await pit.cli('wait', '--quiet', '--timeout', '300ms');
      expect([short.code, short.stderr]).toEqual([124, 'snakepit: 1 task is still open after 300ms\n']);
      const pitless = await pit.cli('wait', 'a');
      expect(pitless.code).toBe(75);
      expect(pitless.stderr).toContain('no pit is running; start it with: snakepit up');
      await pit.ok('hold', 'a');
      const parked = await pit.cli('wait');
      expect([parked.code, parked.stderr.includes('1 needs a person')]).toEqual([1, true]);
    }));

  it('config, version, doctor', () =>
    withPit({ config: ['snakes: 3', 'timeout: 5m'] }, async (pit) => {
      expect(json(await pit.ok('config', '--json'))).toMatchObject({ config: { snakes: 3, timeoutMs: 300_000 } });
      const yaml = await pit.ok('config');
      expect(yaml).toMatch(/^snakes: 3\n[^]*\ntimeout: 5m\n[^]*\nbackoff:\n {2}first: 10s\n {2}factor: 3\n[^]*\nmin-free: 268435456\n/);
      fs.writeFileSync(pit.layout.configFile, yaml);
      expect(await pit.ok('config')).toBe(yaml);
      fs.writeFileSync(pit.layout.configFile, 'snakes: 3\ntimeout: 5m\n');
      expect(json((await call(pit, ['config', '--json'], { env: { SNAKEPIT_CONFIG_SNAKES: '9' } })).stdout)).toMatchObject({ config: { snakes: 9 } });
      expect(json(await pit.ok('config', '--schema'))).toMatchObject({ type: 'object', properties: { snakes: { default: 4 } } });
      expect(await pit.ok('config', '--defaults')).toContain('#timeout: "1h"');
      expect(await pit.ok('--version')).toMatch(/^\d+\.\d+\.\d+\n$/);
      expect(await pit.ok('version')).toMatch(/^snakepit \d+\.\d+\.\d+, node 2\d\.[\d.]+, tmux \d/);
      expect(json(await pit.ok('version', '--json'))).toMatchObject({ node: process.versions.node });
      expect(await pit.ok('doctor')).toMatch(/ok +node/);
      expect(json(await pit.ok('doctor', '--json'))).toMatchObject({ findings: expect.arrayContaining([expect.objectContaining({ check: 'tmux', level: 'ok' })]) });
      fs.writeFileSync(pit.layout.configFile, 'snakes: 3\ntimeot: 5m\n');
      for (const command of ['config', 'up', 'add']) {
        const called = await pit.cli(command, ...(command === 'add' ? ['-'] : []));
        expect([command, called.code, called.stderr]).toEqual([command, 78, 'snakepit: snakepit.yaml:2: timeot: unknown key; did you mean timeout?\n']);
      }
      expect((await pit.cli('doctor')).stdout).toMatch(/BAD +configuration +snakepit\.yaml:2: timeot: unknown key/);
      fs.writeFileSync(pit.layout.configFile, 'attempts: many\n');
      expect((await pit.cli('config')).stderr).toBe('snakepit: snakepit.yaml:1: attempts: use a whole number from 1 to 100\n');
      fs.writeFileSync(pit.layout.configFile, '');
      fs.rmdirSync(pit.layout.dir('stuck'));
      const sick = await pit.cli('doctor');
      expect([sick.code, sick.stderr]).toEqual([69, 'snakepit: 1 must be mended: one filesystem\n']);
      const tmuxless = pit.beside('bin');
      fs.mkdirSync(tmuxless);
      fs.symlinkSync('/bin/sh', join(tmuxless, 'sh'));
      expect((await call(pit, ['doctor'], { env: { PATH: tmuxless } })).stdout).toMatch(/BAD +tmux +not found → install it/);
    }));

  it('colour only where it is wanted', () =>
    withPit({}, async (pit) => {
      const escape = '\u001b[';
      expect(await pit.ok('status')).not.toContain(escape);
      expect((await call(pit, ['status'], { env: { FORCE_COLOR: '1' } })).stdout).toContain(escape);
      expect((await call(pit, ['status'], { env: { FORCE_COLOR: '1', NO_COLOR: '1' } })).stdout).not.toContain(escape);
      const terminal = new Terminal(pit, ['status']);
      await pit.until('status in a terminal', async () => (await terminal.screen()).includes('ended with 0')).finally(() => terminal.close());
    }));

  it('a reader that goes away is no error', () =>
    withPit({}, async (pit) => {
      const child = spawn('/bin/sh', ['-c', '"$0" "$1" -C "$2" config --schema | head -c 1', process.execPath, CLI, pit.root], { stdio: ['ignore', 'pipe', 'pipe'] });
      let errors = '';
      child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
      const code = await new Promise((resolve) => child.on('close', resolve));
      expect([code, errors]).toEqual([0, '']);
    }));

  it('outside a session, done, fail, ask, note, wait-until and toss say where they work', () =>
    withPit({}, async (pit) => {
      for (const args of [['done'], ['fail'], ['ask', 'x'], ['note', 'x'], ['wait-until', '5m'], ['toss', '-']]) {
        const called = await pit.cli(...args);
        expect([args[0], called.code, oneLine(called.stderr)]).toEqual([args[0], 64, true]);
        expect(called.stderr).toContain('inside a session');
      }
    }));
});

describe('a running pit', () => {
  let pit: Pit;
  beforeAll(async () => {
    pit = new Pit({ config: [...QUICK, 'env: [NAMED]'], env: { NAMED: 'named', SECRET: 'secret' } });
    await pit.ok('init');
    await pit.up(1);
  });
  afterAll(() => pit.dispose());
  // A test that failed half-way must not make the next ones fail: what it left running is ended.
  afterEach(async () => {
    if (pit.files('claimed').length === 0 && !fs.existsSync(pit.layout.paused)) return;
    await pit.cli('resume');
    for (const name of pit.files('claimed')) await pit.cli('cancel', name.split('~')[1] ?? '');
    await pit.until('nothing is claimed', () => pit.files('claimed').length === 0);
  });

  it('up again changes nothing; it scales up and down live, under the running pit', async () => {
    const daemon = await pit.daemon();
    const before = await pit.snakes();
    expect(await pit.ok('up')).toMatch(/^the pit \(pid \d+\) already runs; 1 snake, in /);
    expect(await pit.snakes()).toEqual(before);
    expect(await pit.up(4)).toContain('already runs; snakes 1 → 4, in ');
    expect((await pit.snakes()).map((one) => one.snake).sort()).toEqual(['s1', 's2', 's3', 's4']);
    expect(await pit.ok('up')).toContain('already runs; 4 snakes, in ');
    await pit.up(1);
    await pit.until('three have left', async () => (await pit.snakes()).length === 1);
    expect(await pit.snakes()).toEqual(before);
    await pit.up(0);
    await pit.until('all have left', async () => (await pit.snakes()).length === 0);
    await pit.up(1);
    expect(await pit.daemon()).toEqual(daemon);
    const foreground = await pit.cli('up', '--foreground');
    expect([foreground.code, oneLine(foreground.stderr)]).toEqual([75, true]);
  });

  it('wait: 0 when all went well, 1 when one failed, also for a drop that is not taken in yet', async () => {
    pit.dropTask('good.md', sh('true'));
    expect((await pit.cli('wait', 'good')).code).toBe(0);
    pit.dropTask('bad.md', head('attempts: 1') + sh('exit 4'));
    const waited = await pit.cli('wait', 'good', 'bad');
    expect([waited.code, waited.stderr.trim().split('\n').at(-1)]).toEqual([1, 'snakepit: 1 failed: bad; why: snakepit show bad']);
    pit.dropTask('good2.md', sh('true'));
    expect((await pit.cli('wait')).code).toBe(0);
    expect(await pit.ok('show', 'bad')).toContain('exit-status: it exited with status 4 (1 of 1 attempts)');
    fs.writeFileSync(fileOf(pit, 'failed', 'bad'), sh('true'));
    await pit.ok('retry', 'bad');
    expect((await pit.cli('wait', 'bad')).code).toBe(0);
    expect(await pit.ok('ls', 'done')).toContain('bad');
  });

  it('logs: of an ended task, of a snake, of nobody; -f until it ends; what would act on the terminal is made harmless', async () => {
    const go = pit.beside('go');
    pit.dropTask('talk.md', sh('echo first', `until [ -e '${go}' ]; do sleep 0.05; done`, "printf '\\033]0;owned\\007\\033[31mred\\033[0m\\n'", 'echo last'));
    await pit.until('it works', () => isIn(pit, 'claimed', 'talk'));
    const follow = background(pit, 'logs', '-f', 'talk');
    await pit.until('the first line came', () => follow.output().includes('first\n'));
    expect(follow.output()).not.toContain('last');
    fs.writeFileSync(go, '');
    expect(await follow.ended).toBe(0);
    expect(follow.output()).toBe('first\nred\nlast\n');
    expect(await pit.ok('logs', 'talk')).toBe('first\nred\nlast\n');
    expect(await pit.ok('logs', '--raw', 'talk')).toContain('\u001b[31mred');
    expect(await pit.ok('logs', 's1')).toMatch(/snake-started[^]*task-claimed/);
    expect((await pit.cli('logs', 'nobody')).code).toBe(66);
    expect((await pit.cli('logs', 's77')).stderr).toBe('snakepit: no snake is called s77; see: snakepit status\n');
    expect(await pit.ok('logs', '--attempt', '1', 'talk')).toBe('first\nred\nlast\n');
    expect(await pit.ok('logs', '--all', 'talk')).toBe('# attempt 1: shell\nfirst\nred\nlast\n');
    expect((await pit.cli('logs', '--step', 'review', 'talk')).stderr).toBe('snakepit: talk has no step review: it worked without a workflow\n');
    expect((await pit.cli('logs', '--attempt', '7', 'talk')).stderr).toBe('snakepit: talk has no attempt 7 that printed anything; see: snakepit show talk\n');
  });

  it('attach: into a running session, keys do nothing with -r, detached it goes on; without a terminal it says so', async () => {
    const go = pit.beside('go-attach');
    pit.dropTask('seen.md', sh('echo look at me', `until [ -e '${go}' ]; do sleep 0.05; done`));
    await pit.until('it printed', () => isIn(pit, 'claimed', 'seen'));
    const blind = await pit.cli('attach', 'seen');
    expect([blind.code, oneLine(blind.stderr)]).toEqual([64, true]);
    for (const args of [['seen'], ['s1'], ['-r', 'seen']]) {
      const terminal = new Terminal(pit, ['attach', ...args]);
      try {
        await pit.until('the session is on the screen', async () => (await terminal.screen()).includes('look at me'));
        if (args.length > 1) {
          await terminal.press('C-c');
          await pit.until('still there', async () => (await terminal.screen()).includes('look at me'));
        }
        await terminal.press('C-b', 'd');
        await pit.until('detached', async () => (await terminal.screen()).includes('ended with 0'));
      } finally {
        await terminal.close();
      }
      expect(isIn(pit, 'claimed', 'seen')).toBe(true);
    }
    fs.writeFileSync(go, '');
    await pit.until('done', () => hasEnded(pit, 'done', 'seen'));
    expect((await pit.cli('attach', 'seen')).stderr).toContain('seen is not running, it is done');
    expect((await pit.cli('attach', 's1')).stderr).toBe('snakepit: s1 is idle; what it did: snakepit logs s1\n');
    expect((await pit.cli('attach', 's99')).stderr).toBe('snakepit: no snake is called s99; see: snakepit status\n');
  });

  it('top: one frame, one frame into a pipe, and live in a terminal that it leaves as it was', async () => {
    expect(await pit.ok('top', '--once')).toMatch(/^project {2}running {2}\d+ snakes?[^]*NAME +STATE/);
    expect(await pit.ok('top')).toContain('NAME');
    for (const key of ['q', 'C-c']) {
      const terminal = new Terminal(pit, ['top']);
      try {
        await pit.until('a frame', async () => (await terminal.screen()).includes('q quit'));
        expect(await terminal.alternate()).toBe(true);
        await terminal.press(key);
        await pit.until('it ended well', async () => (await terminal.screen()).includes('ended with 0'));
        expect(await terminal.alternate()).toBe(false);
      } finally {
        await terminal.close();
      }
    }
  });

  it('pause: nothing is claimed while what runs goes on', async () => {
    const go = pit.beside('go-pause');
    pit.dropTask('runs.md', sh(`until [ -e '${go}' ]; do sleep 0.05; done`));
    await pit.until('it works', () => isIn(pit, 'claimed', 'runs'));
    await pit.ok('pause');
    pit.dropTask('stays.md', sh('true'));
    await pit.until('it is ready', () => isIn(pit, 'ready', 'stays'));
    fs.writeFileSync(go, '');
    await pit.until('the running one is done', () => hasEnded(pit, 'done', 'runs'));
    expect(isIn(pit, 'ready', 'stays')).toBe(true);
    await pit.ok('resume');
    await pit.until('the other is done', () => hasEnded(pit, 'done', 'stays'));
  });

  it('cancel a running task: every process of its session ends, and only those', async () => {
    const pids = pit.beside('cancelled');
    pit.dropTask('endless.md', STUBBORN(pids));
    const processes = await stubbornPids(pit, pids);
    expect(await living(processes)).toBe(5);
    const snakes = await pit.snakes();
    expect((await pit.cli('hold', 'endless')).stderr).toContain('snakepit cancel endless');
    expect(await pit.ok('cancel', 'endless')).toContain('wait for it with: snakepit wait endless');
    expect((await pit.cli('wait', '--quiet', 'endless')).code).toBe(1);
    expect(await living(processes)).toBe(0);
    expect(story(pit, 'failed', 'endless')).toContain('cancelled: a person cancelled it');
    expect(await pit.snakes()).toEqual(snakes);
  });

  it('cleanup: a dry run prints the plan and does nothing; a live claim is kept; --json', async () => {
    const go = pit.beside('go-cleanup');
    pit.dropTask('alive.md', sh(`until [ -e '${go}' ]; do sleep 0.05; done`));
    await pit.until('it works', () => isIn(pit, 'claimed', 'alive'));
    expect(await pit.ok('cleanup', '--dry-run')).toMatch(/^keep +alive: its owner is alive \(s1 \(pid \d+\) is alive\)\n$/);
    expect(json(await pit.ok('cleanup', '--dry-run', '--json'))).toMatchObject({ planned: [{ specialist: 'reaper', subject: 'alive', kind: 'keep' }] });
    expect(json(await pit.ok('cleanup', '--json'))).toMatchObject({ planned: [{ subject: 'alive' }], applied: [] });
    fs.writeFileSync(go, '');
    await pit.until('done', () => hasEnded(pit, 'done', 'alive'));
    expect(await pit.ok('cleanup')).toBe('clean: there is nothing to do\n');
  });

  it('in a session: done, note, wait-until, fail, and what they leave in the story', async () => {
    const go = pit.beside('go-session');
    pit.dropTask('says.md', sh('snakepit note one; snakepit note two words', 'snakepit wait-until 2030-01-01T00:00Z', `until [ -e '${go}' ]; do sleep 0.05; done`, 'snakepit done all is well'));
    await pit.until('it waits', async () => (await pit.cli('show', 'says')).stdout.includes('says      it waits until 2030-01-01T00:00:00.000Z'));
    fs.writeFileSync(go, '');
    await pit.until('done', () => story(pit, 'done', 'says') !== '');
    expect(story(pit, 'done', 'says')).toMatch(/it says\*\*: all is well[^]*- one\n- two words/);
    pit.dropTask('fails.md', head('attempts: 2') + sh('snakepit fail not good'));
    await pit.until('failed', () => story(pit, 'failed', 'fails') !== '');
    expect(story(pit, 'failed', 'fails')).toMatch(/after 2 attempts[^]*said-fail: not good/);
    pit.dropTask('final.md', sh('snakepit fail --final never'));
    await pit.until('failed', () => story(pit, 'failed', 'final') !== '');
    expect(story(pit, 'failed', 'final')).toMatch(/after 1 attempt\n[^]*said-fail: never/);
    pit.dropTask('handwritten.md', sh("printf '%s' '{\"outcome\":\"done\",\"message\":\"by hand\"}' > \"$SNAKEPIT_RESULT_FALLBACK\""));
    await pit.until('done', () => story(pit, 'done', 'handwritten').includes('by hand'));
    pit.dropTask('garbage.md', head('attempts: 1') + sh('echo nonsense > "$SNAKEPIT_RESULT"'));
    await pit.until('failed', () => story(pit, 'failed', 'garbage').includes('bad-result'));
    pit.dropTask('timeless.md', head('attempts: 1') + sh('snakepit wait-until tomorrow'));
    await pit.until('failed', () => story(pit, 'failed', 'timeless').includes('neither a time nor a duration'));
  });

  it('a variable that the configuration names reaches the session; nobody else\'s does', async () => {
    pit.dropTask('env.md', sh('env | sort | cut -d= -f1 | tr "\\n" " "; echo; pwd; echo "$NAMED"'));
    await pit.until('done', () => hasEnded(pit, 'done', 'env'));
    const [names = '', cwd, named] = (await pit.ok('logs', 'env')).split('\n');
    for (const name of names.trim().split(' ')) expect(name).toMatch(/^(PATH|HOME|LANG|NAMED|TERM|TERM_PROGRAM|TERM_PROGRAM_VERSION|SHELL|PWD|OLDPWD|SHLVL|_|SNAKEPIT_[A-Z_]+)$/);
    expect(names).not.toContain('SECRET');
    expect(named).toBe('named');
    expect(cwd).toContain('/.snakepit/runs/env/');
  });
});

describe('refused files', () => {
  it('wait counts those of its own time; ls, status, show, doctor tell of them; one that is mended counts no more', () =>
    withPit({}, async (pit) => {
      await pit.up(1);
      pit.dropTask('bad.md', '---\ntimeout: soon\n---\nx\n');
      pit.dropTask('good.md', sh('true'));
      const waited = await pit.cli('wait');
      expect([waited.code, waited.stderr.trim().split('\n').at(-1)]).toEqual([1, expect.stringMatching(/^snakepit: bad\.md was refused: line 2: timeout: is not a duration; .*; see queue\/failed\/bad\.refused-\w{10}\.result\.md$/)]);
      const later = await pit.cli('wait');
      expect([later.code, later.stderr]).toEqual([0, expect.stringContaining('1 file was refused before this wait began: snakepit ls failed')]);
      expect(await pit.ok('status')).toMatch(/done 1 {3}failed 0 {3}refused 1\n/);
      expect(await pit.ok('top', '--once')).toContain('refused 1');
      for (const args of [['ls'], ['ls', 'failed']]) expect(await pit.ok(...args)).toMatch(/^refused +bad\.md +\d+\w* ago, line 2: timeout: is not a duration$/m);
      expect(json(await pit.ok('ls', 'failed', '--json'))).toMatchObject({ tasks: [], refused: [{ file: 'bad.md', id: 'bad', line: 2 }] });
      for (const args of [['show', 'bad.md'], ['show', 'bad'], ['wait', 'bad'], ['wait', 'bad.md'], ['logs', 'bad']]) {
        const called = await pit.cli(...args);
        expect([args.join(' '), called.code, called.stderr]).toEqual([args.join(' '), 65, expect.stringContaining('bad.md was refused: line 2: ')]);
      }
      expect(await pit.ok('doctor')).toMatch(/warn +refused files +1 in queue\/failed\//);
      const kept = fs.readdirSync(pit.layout.dir('failed')).find((name) => /^bad\.refused-\w{10}\.md$/.test(name)) ?? '';
      fs.writeFileSync(join(pit.layout.dir('failed'), kept), sh('true'));
      expect(await pit.ok('retry', kept.replace('.md', ''))).toBe('bad is ready again\n');
      expect((await pit.cli('wait', 'bad.md')).code).toBe(0);
      expect(await pit.ok('status')).not.toContain('refused');
      expect(fs.readdirSync(pit.layout.dir('failed'))).toEqual([]);
      expect(fs.readdirSync(join(pit.layout.runs, 'bad')).some((name) => /^refused-\w{10}\.md$/.test(name))).toBe(true);
    }));

  it('an edited file dropped again for a done task: wait and show say so; rerun runs the done one again, its story kept', () =>
    withPit({}, async (pit) => {
      await pit.up(1);
      const out = pit.beside('out');
      pit.dropTask('a.md', sh(`echo x >> '${out}'`));
      expect((await pit.cli('wait', 'a')).code).toBe(0);
      pit.dropTask('a.md', sh('echo edited'));
      const waited = await pit.cli('wait', 'a');
      expect([waited.code, waited.stderr]).toEqual([65, expect.stringMatching(/a\.md was refused: line 1: the id a is taken: a task of that id is in done\/; to run that one again: snakepit rerun a; else add `id: other` to its front matter;/)]);
      const shown = await pit.cli('show', 'a');
      expect([shown.code, shown.stdout.startsWith('# Done'), shown.stderr]).toEqual([0, true, expect.stringContaining('a newer a.md was refused')]);
      expect((await pit.cli('retry', 'a')).stderr).toContain('a is done, not failed; to run it again: snakepit rerun a');
      expect(await pit.ok('rerun', 'a')).toBe('a is ready again\n');
      await pit.until('it ran again', () => read(out) === 'x\nx\n' && story(pit, 'done', 'a') !== '');
      expect((await pit.cli('wait', 'a')).code).toBe(0);
      expect(fs.readdirSync(join(pit.layout.runs, 'a')).filter((name) => name.startsWith('story-before-'))).toHaveLength(1);
      expect((await pit.cli('rerun', 'nobody')).code).toBe(66);
    }));
});

describe('what cannot move', () => {
  it('wait says why, once, and goes on waiting: paused, no snakes, a need that exists nowhere', () =>
    withPit({}, async (pit) => {
      await pit.up(0);
      pit.dropTask('a.md', sh('true'));
      await pit.until('it is in', () => isIn(pit, 'ready', 'a'));
      const waiting = background(pit, 'wait');
      await pit.until('it says that there are no snakes', () => waiting.output().includes('the pit has no snakes; give it some: snakepit up -n 4'));
      await pit.ok('pause');
      await pit.until('it says that it is paused', () => waiting.output().includes('paused: nothing is claimed; go on with: snakepit resume'));
      await pit.ok('resume');
      await pit.up(1);
      expect(await waiting.ended).toBe(0);
      expect(waiting.output().split('the pit has no snakes')).toHaveLength(2);
      pit.dropTask('b.md', head('after: nothere') + sh('true'));
      await pit.until('it waits', () => isIn(pit, 'waiting', 'b'));
      const forever = background(pit, 'wait', 'b');
      await pit.until('it says for what', () => forever.output().includes('b waits for nothere (no such task); add what is missing, or: snakepit cancel b'));
      pit.dropTask('nothere.md', sh('true'));
      expect(await forever.ended).toBe(0);
    }));

  it('up while a slot drains, and up while it all goes down: at once, and it says what follows', () =>
    withPit({}, async (pit) => {
      await pit.up(2);
      const go = pit.beside('go');
      for (const id of ['a', 'b']) pit.dropTask(`${id}.md`, sh(`until [ -e '${go}' ]; do sleep 0.05; done`));
      await pit.until('both work', () => isIn(pit, 'claimed', 'a') && isIn(pit, 'claimed', 'b'));
      expect(await pit.up(1)).toContain('snakes 2 → 1');
      expect(await pit.up(2)).toMatch(/snakes 1 → 2, in .*\ns2 had been told to end: it finishes its task, and a new one follows\n/);
      const down = background(pit, 'down');
      await pit.until('it goes down', () => pit.snapshot()?.mode === 'drain');
      const up = await pit.cli('up');
      expect([up.code, up.stderr, up.stdout]).toEqual([0, expect.stringMatching(/was going down: that is revoked/), expect.stringContaining('s1, s2 had been told to end: they finish their tasks, and new ones follow')]);
      expect(await down.ended).toBe(75);
      expect(down.output()).toContain('somebody said snakepit up meanwhile, which revokes this: the pit stays up');
      fs.writeFileSync(go, '');
      await pit.until('new ones came', async () => hasEnded(pit, 'done', 'a') && hasEnded(pit, 'done', 'b') && (await pit.snakes()).length === 2);
      pit.dropTask('c.md', sh('true'));
      expect((await pit.cli('wait', 'c')).code).toBe(0);
    }));
});

describe('what happened', () => {
  it('events: for a person, as JSON, since, and followed; ls of ended tasks says when and why', () =>
    withPit({}, async (pit) => {
      await pit.up(1);
      pit.dropTask('odd.md', head('colour: red', 'attempts: 1') + sh('exit 3'));
      const follow = background(pit, 'events', '-f');
      expect((await pit.cli('wait', 'odd')).code).toBe(1);
      await pit.until('it is followed', () => follow.output().includes('task-failed'));
      follow.child.kill('SIGKILL');
      expect(await pit.ok('events')).toMatch(/^\d{4}-[\d:.TZ-]+ {2}pit-started {2}pid=\d+ {2}snakes=1\n[^]*task-warned {2}id=odd {2}line=2 {2}text="unknown key colour; kept, not used"/);
      const lines = (await pit.ok('events', '--json')).trim().split('\n').map(json);
      expect(lines[0]).toMatchObject({ v: 1, kind: 'pit-started' });
      expect(await pit.ok('events', '--since', '2999-01-01')).toBe('');
      expect((await pit.cli('events', '--since', 'soon')).code).toBe(64);
      expect(await pit.ok('ls')).toMatch(/^failed +odd +1 +\d+\w* ago, exit-status: it exited with status 3 \(1 of 1 attempts\)$/m);
      expect(await pit.ok('show', 'odd')).toContain('- **mind**: line 2: unknown key colour; kept, not used');
      expect(await pit.ok('ls', 'needs')).toBe('nothing needs a person\n');
    }));

  it('what may not be read is code 77 with the way out', () => {
    expect(exitOf(new PathError('reading', '/x', Object.assign(new Error('no'), { code: 'EACCES' })))).toEqual({ code: 77, line: expect.stringContaining('EACCES while reading: /x; the pit belongs to whoever made it') });
  });
});

describe('the README', () => {
  it('its tour, pasted as it stands, goes through', () =>
    withPit({ bare: true }, async (pit) => {
      fs.rmSync(pit.layout.configFile);
      const text = read(fileURLToPath(new URL('../../README.md', import.meta.url)));
      const [install = '', ...tour] = (/^````sh\n([^]*?)\n````$/m.exec(text)?.[1] ?? '').split('\n');
      expect(install).toContain('npm ci');
      const bin = pit.beside('bin');
      fs.mkdirSync(bin);
      fs.writeFileSync(join(bin, 'snakepit'), `#!/bin/sh\nexec '${process.execPath}' '${CLI}' "$@"\n`, { mode: 0o755 });
      const script = tour.filter((line) => !line.startsWith('mkdir night')).join('\n');
      const ran = await new Promise<{ code: number | null; output: string }>((resolve) => {
        const child = spawn('/bin/bash', ['-e'], { cwd: pit.root, env: { ...envOf(pit), PATH: `${bin}:${process.env['PATH'] ?? ''}` }, stdio: ['pipe', 'pipe', 'pipe'] });
        let output = '';
        child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
        child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
        child.on('close', (code) => resolve({ code, output }));
        child.stdin.end(script);
      });
      expect([ran.code, ran.output]).toEqual([0, expect.stringMatching(/# Done: Say hello[^]*hello from attempt 1[^]*the pit is down/)]);
    }));
});

describe('init', () => {
  it('writes .gitignore inside a git repository only, once, and leaves what a person commented out', () =>
    withPit({ bare: true }, async (pit) => {
      const ignore = join(pit.root, '.gitignore');
      await pit.ok('init');
      expect(fs.existsSync(ignore)).toBe(false);
      fs.mkdirSync(join(pit.root, '.git'));
      fs.writeFileSync(ignore, 'dist');
      expect(await pit.ok('init')).toContain('.snakepit/ is in .gitignore now');
      await pit.ok('init');
      expect(read(ignore)).toBe('dist\n.snakepit/\n');
      fs.writeFileSync(ignore, '# .snakepit/\n');
      await pit.ok('init');
      expect(read(ignore)).toBe('# .snakepit/\n');
    }));
});

describe('toss', () => {
  const config = [...QUICK, 'toss: {depth: 1, per-task: 2, commands: true}'];
  it('children go in line with their parent\'s name; depth and count have an end', () =>
    withPit({ config }, async (pit) => {
      await pit.up(1);
      const child = (name: string): string => `printf '%s\\n' '\`\`\`sh' 'echo child' '\`\`\`' > ${name}.md`;
      pit.dropTask('parent.md', `~~~sh\n${child('c1')}\n${child('c2')}\n${child('c3')}\nsnakepit toss c1.md\nsnakepit toss - < c2.md\nif snakepit toss c3.md; then exit 1; else echo "code $?"; fi\n~~~\n`);
      await pit.until('parent and children are done', () => ['parent', 'c1', 'parent-2'].every((id) => hasEnded(pit, 'done', id)));
      expect(await pit.ok('logs', 'parent')).toMatch(/^c1\nparent-2\nsnakepit: parent has tossed 2 tasks, as many as toss\.per-task allows\ncode 64\n$/);
      expect(read(fileOf(pit, 'done', 'c1'))).toMatch(/^---\nparent: parent\ndepth: 1\n---\n/);
      expect(isIn(pit, 'done', 'c3') || isIn(pit, 'ready', 'c3')).toBe(false);
      pit.dropTask('deep.md', `${head('parent: parent', 'depth: 1')}~~~sh\n${child('g')}\nif snakepit toss g.md; then exit 1; else echo "code $?"; fi\n~~~\n`);
      await pit.until('deep is done', () => hasEnded(pit, 'done', 'deep'));
      expect(await pit.ok('logs', 'deep')).toMatch(/toss\.depth allows 1\ncode 64\n/);
    }));

  it('names no commands unless the configuration allows it, writes no parent: itself, and is told of faults with line', () =>
    withPit({}, async (pit) => {
      await pit.up(1);
      const write = (name: string, ...lines: string[]): string => `printf '%s\\n' ${lines.map((line) => `'${line}'`).join(' ')} > ${name}.md; snakepit toss ${name}.md; echo "${name} code $?"`;
      pit.dropTask('p.md', `~~~sh\nset +e\n${write('a', '```sh', 'id', '```')}\n${write('b', '---', 'run: id', '---', 'x')}\n${write('c', '---', 'verify: id', '---', 'x')}\n${write('d', '---', 'parent: q', '---', 'x')}\n${write('e', '---', 'timeout: soon', '---', 'x')}\n~~~\n`);
      await pit.until('done', () => hasEnded(pit, 'done', 'p'));
      const said = await pit.ok('logs', 'p');
      for (const name of ['a', 'b', 'c', 'd', 'e']) expect(said).toContain(`${name} code 65`);
      expect(said).toMatch(/may name no commands/);
      expect(said).toMatch(/e\.md:2: timeout: is not a duration/);
      expect(pit.files('ready')).toEqual([]);
    }));
});

describe('down', () => {
  it('drains: what runs is finished, nothing new is begun, nothing is left; the next up goes on', () =>
    withPit({}, async (pit) => {
      await pit.up(1);
      const go = pit.beside('go');
      pit.dropTask('running.md', sh(`until [ -e '${go}' ]; do sleep 0.05; done`));
      await pit.until('it works', () => isIn(pit, 'claimed', 'running'));
      pit.dropTask('next.md', sh('true'));
      await pit.until('the next is ready', () => isIn(pit, 'ready', 'next'));
      const down = background(pit, 'down');
      await pit.until('it says what it waits for', () => down.output().includes('waiting for 1 running: running (stop them with: snakepit down --now)'));
      expect(await pit.ok('status')).toContain('going down (drain)');
      fs.writeFileSync(go, '');
      expect(await down.ended).toBe(0);
      expect(down.output()).toContain('the pit is down; no snake, no session and no process of it is left');
      expect(pit.processes()).toEqual([]);
      expect([isIn(pit, 'done', 'running'), isIn(pit, 'ready', 'next')]).toEqual([true, true]);
      expect(fs.existsSync(pit.layout.tmuxSocket)).toBe(false);
      await pit.up(1);
      await pit.until('the next is done', () => hasEnded(pit, 'done', 'next'));
    }));

  it('--now: the running task goes back to ready/, a deferral counted, no process left however stubborn; the next up runs it again', () =>
    withPit({}, async (pit) => {
      await pit.up(2);
      const pids = pit.beside('pids');
      const second = pit.beside('second');
      pit.dropTask('work.md', sh(`if [ -e '${second}' ]; then echo "again, attempt $SNAKEPIT_ATTEMPT after: $SNAKEPIT_PREVIOUS_FAILURE"; exit 0; fi`) + STUBBORN(pids));
      const processes = await stubbornPids(pit, pids);
      expect(await pit.ok('down', '--now')).toContain('the pit is down');
      expect(await living(processes)).toBe(0);
      expect(pit.processes()).toEqual([]);
      expect(pit.files('ready')).toEqual([expect.stringMatching(/~work~0\.0\.1\.md$/)]);
      fs.writeFileSync(second, '');
      await pit.up(2);
      await pit.until('done', () => story(pit, 'done', 'work') !== '');
      expect(await pit.ok('logs', 'work')).toContain('again, attempt 2 after: released: the pit went down while it ran');
      expect(await pit.ok('down')).toContain('the pit is down');
      expect(await pit.ok('down')).toContain('the pit is down');
    }), 90_000);

  it('--now while draining, after the pit was killed: what it left is taken over and ended', () =>
    withPit({}, async (pit) => {
      await pit.up(1);
      const pids = pit.beside('pids');
      pit.dropTask('work.md', STUBBORN(pids));
      const processes = await stubbornPids(pit, pids);
      const daemon = await pit.daemon();
      if (daemon !== undefined) await pit.kill(daemon);
      await pit.until('the pit is dead', async () => (await pit.daemon()) === undefined);
      expect(await pit.ok('status')).toContain('no pit is running');
      expect(await living(processes)).toBe(5);
      await pit.ok('down', '--now');
      expect(await living(processes)).toBe(0);
      expect(pit.files('ready')).toEqual([expect.stringMatching(/~work~0\.0\.1\.md$/)]);
    }));

  it('does not call itself done while snakes live that no pit could end', () =>
    withPit({}, async (pit) => {
      await pit.up(1);
      const daemon = await pit.daemon();
      if (daemon !== undefined) await pit.kill(daemon);
      const good = read(pit.layout.configFile);
      fs.writeFileSync(pit.layout.configFile, 'timeot: 5m\n');
      const called = await pit.cli('down');
      expect([called.code, oneLine(called.stderr)]).toEqual([69, true]);
      expect(called.stderr).toMatch(/still alive: s1 \(pid \d+\)/);
      fs.writeFileSync(pit.layout.configFile, good);
      expect(await pit.ok('down')).toContain('the pit is down');
    }));

  it('--foreground: one TERM takes it down, and nothing is left', () =>
    withPit({}, async (pit) => {
      const foreground = background(pit, 'up', '-n', '1', '--foreground');
      await pit.until('a snake is up', async () => (await pit.snakes()).length === 1);
      pit.dropTask('x.md', sh('true'));
      await pit.until('done', () => hasEnded(pit, 'done', 'x'));
      foreground.child.kill('SIGTERM');
      expect(await foreground.ended).toBe(0);
      await until('nothing is left', () => pit.processes().length === 0, 5000);
    }));

  it('--foreground: Ctrl-C says what it finishes; a second one ends it', () =>
    withPit({}, async (pit) => {
      const foreground = background(pit, 'up', '-n', '1', '--foreground');
      pit.dropTask('f1.md', sh('exec sleep 1000'));
      await pit.until('it works', () => isIn(pit, 'claimed', 'f1'));
      foreground.child.kill('SIGINT');
      await pit.until('it says so', () => foreground.output().includes('snakepit: finishing f1; Ctrl-C again ends it now'));
      foreground.child.kill('SIGINT');
      expect(await foreground.ended).toBe(0);
      expect(isIn(pit, 'ready', 'f1')).toBe(true);
    }));

  it('cancel of a claim whose snake is dead, with no pit: cleanup ends it as cancelled', () =>
    withPit({ config: [...QUICK.filter((line) => !line.startsWith('adopt')), 'adopt: 0s'] }, async (pit) => {
      await pit.up(1);
      const pids = pit.beside('pids');
      pit.dropTask('work.md', STUBBORN(pids));
      const processes = await stubbornPids(pit, pids);
      for (const one of [await pit.daemon(), ...(await pit.snakes()).map((snake) => snake.process)]) if (one !== undefined) await pit.kill(one);
      await pit.until('both are dead', async () => (await pit.daemon()) === undefined && (await pit.snakes()).length === 0);
      await pit.ok('cancel', 'work');
      expect(await pit.ok('cleanup', '--dry-run')).toMatch(/^reap +work: its owner is dead/);
      expect(await living(processes)).toBe(5);
      expect(await pit.cli('cleanup')).toMatchObject({ code: 1, stdout: expect.stringContaining('work: now failed') });
      expect(await living(processes)).toBe(0);
      expect(story(pit, 'failed', 'work')).toContain('cancelled');
      mv(fileOf(pit, 'failed', 'work'), pit.beside('kept.md'));
    }));
});
