import * as fs from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { EventLine } from '../../src/events/event.js';
import { identify } from '../../src/lib/linux-processes.js';
import type { ProcessIdentity } from '../../src/lib/processes.js';
import { residentSession } from '../../src/residents/places.js';
import { parseRecord } from '../../src/residents/record.js';
import { runOf } from '../../src/residents/places.js';
import type { ResidentRecord, Run } from '../../src/residents/state.js';
import type { ResidentRow } from '../../src/protocol/snapshot.js';
import { QUICK, type Pit } from '../rig/pit.js';
import { alive, head, hasEnded, killPit, read, sh, withPit } from './rig.js';

const TUI = fileURLToPath(new URL('../rig/fake-tui.mjs', import.meta.url));
const HEAL = 'heal: {first: 100ms, max: 300ms, restarts: 3, window: 10m, open: 10m}';

/** A program with a composer, and nothing but its screen to go by. */
const fakeAgent = (pit: Pit, name: string): object => ({
  binary: 'node', mode: 'interactive',
  interactive: {
    argv: ['node', TUI, pit.beside(name)], prompt: 'argv', submit: { delay: '50ms', 'settle-after-start': '100ms' },
    screen: {
      box: { top: '^─{20,}$', first: '^> ?(?<draft>.*)$', more: '^  (?<draft>.*)$', bottom: '^─{20,}$' },
      rules: [{ id: 'works', in: 'status', pattern: '^\\* Working…', state: 'working' }, { id: 'ready', in: 'status', pattern: '^\\* ready', state: 'idle' }],
    },
  },
});

function configure(pit: Pit, residents: Readonly<Record<string, object>>, more: readonly string[] = []): void {
  const agents: Record<string, object> = {};
  for (const name of ['tui', 'tui2']) {
    fs.mkdirSync(pit.beside(name), { recursive: true });
    if (!fs.existsSync(join(pit.beside(name), 'how.json'))) fs.writeFileSync(join(pit.beside(name), 'how.json'), JSON.stringify({ workMs: 200 }));
    agents[name] = fakeAgent(pit, name);
  }
  const beside = pit.beside('config.new');
  fs.writeFileSync(beside, `${[...QUICK, HEAL, ...more, `agents: ${JSON.stringify(agents)}`, `residents: ${JSON.stringify(residents)}`].join('\n')}\n`);
  fs.renameSync(beside, pit.layout.configFile);
}

const how = (pit: Pit, name: string, ways: object): void => {
  fs.writeFileSync(join(pit.beside(name), 'how.tmp'), JSON.stringify(ways));
  fs.renameSync(join(pit.beside(name), 'how.tmp'), join(pit.beside(name), 'how.json'));
};
const heard = (pit: Pit, name: string): string[] => read(join(pit.beside(name), 'submitted.jsonl')).split('\n').filter((line) => line !== '').map((line) => (JSON.parse(line) as { text: string }).text);
const record = (pit: Pit, name: string): ResidentRecord | undefined => parseRecord(read(join(pit.layout.residents, name, 'resident.json')), name);
const runIs = (pit: Pit, name: string): Run | undefined => {
  const found = record(pit, name);
  return found === undefined ? undefined : runOf(found.phase);
};
const row = (pit: Pit, name: string): ResidentRow | undefined => pit.snapshot()?.residents?.find((one) => one.resident === name);
const told = <K extends EventLine['kind']>(pit: Pit, kind: K): Extract<EventLine, { kind: K }>[] => pit.events().filter((event): event is Extract<EventLine, { kind: K }> => event.kind === kind);

/** A service that writes down its pid at each start, and lives until it is ended. */
const service = (pit: Pit, name: string): string => `echo $$ >> '${pit.beside(`${name}.pids`)}'; exec sleep 1000`;
const pids = (pit: Pit, name: string): number[] => read(pit.beside(`${name}.pids`)).split('\n').filter((line) => line !== '').map(Number);
const isUp = (pit: Pit, name: string): Promise<void> => pit.until(`${name} is up`, () => record(pit, name)?.phase.kind === 'up');

async function living(pit: Pit, name: string, starts = 1): Promise<ProcessIdentity> {
  await pit.until(`${name} was started ${starts} times`, () => pids(pit, name).length >= starts);
  const identity = identify(pids(pit, name)[starts - 1] ?? 0);
  if (identity === undefined) throw new Error(`${name} has ended`);
  return identity;
}
describe('a service', () => {
  it('is kept alive after kill -9, within its budget, and is tried again when `up` is said', () =>
    withPit({}, async (pit) => {
      configure(pit, { web: { command: service(pit, 'web') } });
      await pit.up(0);
      for (let starts = 1; starts <= 4; starts += 1) {
        await pit.kill(await living(pit, 'web', starts));
        if (starts < 4) await pit.until('it is started again', () => pids(pit, 'web').length === starts + 1);
      }
      await pit.until('its budget is spent', () => row(pit, 'web')?.state === 'broken');
      expect(told(pit, 'resident-broken')).toMatchObject([{ resident: 'web', evidence: expect.stringContaining('signal KILL') as string }]);
      expect(await pit.ok('status')).toMatch(/web +broken +service/);
      expect(pids(pit, 'web')).toHaveLength(4);
      await pit.up(0);
      await living(pit, 'web', 5);
    }));

  it('goes, comes and is changed with the configuration, each time with its whole tree', () =>
    withPit({}, async (pit) => {
      const tree = `echo $$ >> '${pit.beside('web.pids')}'; (trap '' TERM HUP; exec setsid sleep 1000) & sleep 1000`;
      configure(pit, { web: { command: tree } });
      await pit.up(0);
      const first = await living(pit, 'web');
      configure(pit, { web: { command: `${tree} # changed` }, api: { command: service(pit, 'api') } });
      const second = await living(pit, 'web', 2);
      expect(await alive(first)).toBe(false);
      await living(pit, 'api');
      configure(pit, { api: { command: service(pit, 'api') } });
      await pit.until('the removed one is forgotten', () => record(pit, 'web') === undefined && row(pit, 'web') === undefined);
      expect(await alive(second)).toBe(false);
      expect(pit.processes().filter(({ command }) => command.includes('sleep 1000'))).toHaveLength(1);
      expect(told(pit, 'resident-ended').map(({ resident, rule }) => [resident, rule])).toEqual([['web', 'its configuration was changed'], ['web', 'it is no longer in the configuration']]);
    }));

  it('cleanup, from the pit or by hand, with a pit or without, leaves it alone', () =>
    withPit({}, async (pit) => {
      configure(pit, { web: { command: service(pit, 'web') } }, ['cleanup: 1s']);
      await pit.up(0);
      const one = await living(pit, 'web');
      await isUp(pit, 'web');
      expect((await pit.cli('cleanup')).stdout).not.toMatch(/orphans|resident/);
      await killPit(pit);
      expect((await pit.cli('cleanup')).stdout).not.toMatch(/orphans|resident/);
      expect(await alive(one)).toBe(true);
      await pit.up(0);
      await pit.until('the new pit looked at it', () => row(pit, 'web')?.state === 'up');
      expect([await alive(one), told(pit, 'resident-ended')]).toEqual([true, []]);
    }));

  it('a bad edit keeps the last good ones alive, and says what is wrong', () =>
    withPit({}, async (pit) => {
      configure(pit, { web: { command: service(pit, 'web') } });
      await pit.up(0);
      const one = await living(pit, 'web');
      configure(pit, { web: { agent: 'nobody', prompt: 'x', every: '1m' } });
      await pit.until('the edit is refused', () => told(pit, 'config-refused').length === 1);
      expect(told(pit, 'config-refused')[0]?.problem).toMatch(/^snakepit\.yaml:\d+: residents\.web\.agent: no agent profile is called nobody/);
      expect(await alive(one)).toBe(true);
    }));
});

describe('a full-screen resident', () => {
  it('is woken on its cadence, also with an empty queue, and rests in between without being asked whether it is done', () =>
    withPit({}, async (pit) => {
      configure(pit, { boss: { agent: 'tui', prompt: 'look around, please', every: '1500ms' } }, ['signal: 300ms', 'stall: 5m']);
      await pit.up(0);
      await pit.until('three wakes', () => heard(pit, 'tui').length >= 3);
      expect(new Set(heard(pit, 'tui'))).toEqual(new Set(['look around, please']));
      expect(told(pit, 'resident-started')).toHaveLength(1);
      expect(told(pit, 'nudge-decided')).toEqual([]);
      expect(told(pit, 'session-judged')).toEqual([]);
      await pit.until('its wakes are told', () => told(pit, 'resident-woken').length >= 3);
      expect(told(pit, 'resident-woken').every(({ receipt }) => receipt === 'submitted')).toBe(true);
      expect(await pit.ok('status')).toMatch(/boss +(idle|working) +interactive +\d/);
      expect(await pit.ok('top', '--once')).toMatch(/^boss +(idle|working) /m);
      expect(await pit.ok('logs', 'boss')).toContain('ready');
      expect(await pit.ok('nudge', 'boss', 'and another word')).toContain('submitted');
      expect(heard(pit, 'tui')).toContain('and another word');
      expect(await pit.ok('explain', 'boss')).toMatch(/^boss: interactive resident, up\n[^]*EVIDENCE\n[^]*its state +(idle|finished|working)[^]*NEXT\n[^]*its next wake/);
      // A rule's pings take the same way to it.
      expect(await pit.ok('ping', 'boss', 'a third word')).toMatch(/^boss: (submitted|queued): /);
      expect((await pit.cli('ping', 'nobody', 'a word')).code).toBe(66);
    }));

  it('is not woken while it works; then once for all that was missed', () =>
    withPit({}, async (pit) => {
      configure(pit, { boss: { agent: 'tui', prompt: 'look around', every: '1s' } });
      how(pit, 'tui', { workMs: 6000 });
      await pit.up(0);
      await pit.until('it was woken', () => heard(pit, 'tui').length === 1);
      await pit.until('it works', () => row(pit, 'boss')?.state === 'working');
      await pit.until('several wakes are due', () => (record(pit, 'boss')?.cadence?.dueAt ?? Number.POSITIVE_INFINITY) + 2000 < Date.now());
      expect(heard(pit, 'tui')).toHaveLength(1);
      how(pit, 'tui', { workMs: 60_000 });
      await pit.until('it is woken when its turn is over', () => heard(pit, 'tui').length === 2);
      await pit.until('it works again', () => row(pit, 'boss')?.state === 'working');
      expect(told(pit, 'resident-woken').filter(({ receipt }) => receipt !== 'refused').length).toBeLessThanOrEqual(2);
      expect(heard(pit, 'tui')).toHaveLength(2);
    }));

  it('a draft in its composer is nobody else\'s: the wake is told as refused once, and comes when it is gone', () =>
    withPit({}, async (pit) => {
      configure(pit, { boss: { agent: 'tui', prompt: 'look around', every: '2s' } });
      how(pit, 'tui', { workMs: 200, draft: 'a person wrote this' });
      await pit.up(0);
      await pit.until('it is refused', () => told(pit, 'resident-woken').length === 1);
      expect(told(pit, 'resident-woken')[0]).toMatchObject({ receipt: 'refused' });
      const due = record(pit, 'boss')?.cadence;
      expect(due?.wake).toBe('owed');
      await pit.until('it is tried again', () => (record(pit, 'boss')?.cadence?.triedAt ?? 0) > (due?.triedAt ?? 0));
      expect(told(pit, 'resident-woken')).toHaveLength(1);
      expect(heard(pit, 'tui')).toEqual([]);
    }));

  it('survives a pit that is killed: the same session, no second one, no wake repeated, none lost', () =>
    withPit({}, async (pit) => {
      configure(pit, { boss: { agent: 'tui', prompt: 'look around', every: '6s' }, web: { command: service(pit, 'web') } });
      await pit.up(0);
      await isUp(pit, 'boss');
      const web = await living(pit, 'web');
      const run = runIs(pit, 'boss');
      const started = pit.processes().filter(({ command }) => command.includes('fake-tui'));
      await pit.until('the first wake', () => heard(pit, 'tui').length === 1);
      const due = record(pit, 'boss')?.cadence?.dueAt ?? 0;
      await killPit(pit);
      await pit.up(0);
      await pit.until('the new pit looked at it', () => row(pit, 'boss')?.state === 'idle');
      expect(runIs(pit, 'boss')).toEqual(run);
      expect(record(pit, 'boss')?.cadence?.dueAt).toBe(due);
      expect(heard(pit, 'tui')).toHaveLength(1);
      await pit.until('the second wake', () => heard(pit, 'tui').length === 2);
      expect(Date.now()).toBeGreaterThanOrEqual(due);
      expect(pit.processes().filter(({ command }) => command.includes('fake-tui')).map(({ process: one }) => one.pid)).toEqual(started.map(({ process: one }) => one.pid));
      expect(pids(pit, 'web')).toEqual([web.pid]);
      expect(told(pit, 'resident-started')).toHaveLength(2);
      expect(told(pit, 'resident-ended')).toEqual([]);
    }));

  it('killed, it is started anew in a session of its own; so is one whose tmux server was killed', () =>
    withPit({}, async (pit) => {
      configure(pit, { boss: { agent: 'tui', prompt: 'look around', every: '1h' } });
      await pit.up(0);
      await isUp(pit, 'boss');
      const first = runIs(pit, 'boss');
      const tui = pit.processes().find(({ command }) => command.startsWith('node ') && command.includes('fake-tui'));
      if (tui === undefined) throw new Error('no program');
      await pit.kill(tui.process);
      await pit.until('a new run', () => record(pit, 'boss')?.phase.kind === 'up' && runIs(pit, 'boss')?.nonce !== first?.nonce);
      const second = runIs(pit, 'boss');
      const server = pit.processes().find(({ command }) => command.startsWith('tmux ') && command.includes('start-server'));
      if (server === undefined) throw new Error(`no server: ${pit.processes().map(({ command }) => command).join('; ')}`);
      await pit.kill(server.process);
      await pit.until('a third run', () => record(pit, 'boss')?.phase.kind === 'up' && runIs(pit, 'boss')?.nonce !== second?.nonce);
      expect(pit.processes().filter(({ command }) => command.startsWith('node ') && command.includes('fake-tui'))).toHaveLength(1);
    }));

  it('an unreadable record is put aside, and what ran of it ended before the next one starts', () =>
    withPit({}, async (pit) => {
      configure(pit, { web: { command: service(pit, 'web') } });
      await pit.up(0);
      const first = await living(pit, 'web');
      await isUp(pit, 'web');
      await killPit(pit);
      fs.writeFileSync(join(pit.layout.residents, 'web', 'resident.json'), '{"v":1,"na');
      await pit.up(0);
      const second = await living(pit, 'web', 2);
      expect([await alive(first), await alive(second)]).toEqual([false, true]);
      expect(fs.existsSync(join(pit.layout.residents, 'web', 'resident.json.unreadable'))).toBe(true);
    }));

  it('down ends them, drained or not, and up starts them anew', () =>
    withPit({}, async (pit) => {
      configure(pit, { boss: { agent: 'tui', prompt: 'look around', every: '1h' }, web: { command: service(pit, 'web') } });
      await pit.up(0);
      await isUp(pit, 'boss');
      await living(pit, 'web');
      const before = runIs(pit, 'boss');
      await pit.ok('down');
      expect(pit.processes()).toEqual([]);
      expect(fs.readdirSync(join(pit.layout.residents, 'boss')).sort()).toEqual(['claim', 'runs']);
      expect(fs.readdirSync(join(pit.layout.residents, 'boss', 'claim'))).toEqual([]);
      await pit.up(0);
      await isUp(pit, 'boss');
      await living(pit, 'web', 2);
      expect(runIs(pit, 'boss')?.nonce).not.toBe(before?.nonce);
      await killPit(pit);
      await pit.ok('down', '--now');
      expect(pit.processes()).toEqual([]);
    }));

  it('its session\'s name holds a nonce, its processes the marks, and its environment no task', () =>
    withPit({}, async (pit) => {
      configure(pit, { web: { command: `env > '${pit.beside('env.new')}'; mv '${pit.beside('env.new')}' '${pit.beside('env')}'; exec sleep 1000`, workspace: 'own' } });
      await pit.up(0);
      await pit.until('it has told', () => fs.existsSync(pit.beside('env')));
      await isUp(pit, 'web');
      const run = runIs(pit, 'web');
      if (run === undefined) throw new Error('no run');
      const env = read(pit.beside('env')).split('\n');
      expect(env).toContain(`SNAKEPIT_CLAIM=resident-web~${run.nonce}`);
      expect(env).toContain('SNAKEPIT_RESIDENT=web');
      expect(env).toContain(`SNAKEPIT_WORKSPACE=${join(pit.layout.residents, 'web', 'work')}`);
      expect(env.filter((line) => /^SNAKEPIT_(TASK|RESULT|SNAKE)/.test(line))).toEqual([]);
      expect(told(pit, 'resident-started')[0]?.session).toBe(residentSession('web', run));
    }));
});

describe('a print-mode resident', () => {
  it('is run on its cadence, one run at a time, and its end is no death', () =>
    withPit({}, async (pit) => {
      const log = pit.beside('runs.log');
      configure(pit, { janitor: { agent: 'shell', prompt: sh(`echo begin >> '${log}'`, 'sleep 1.5', `echo end >> '${log}'`), every: '1s' } });
      await pit.up(0);
      await pit.until('three runs', () => read(log).split('end').length > 3);
      expect(read(log)).toMatch(/^(begin\nend\n)+(begin\n)?$/);
      await pit.until('their ends are told', () => told(pit, 'resident-ended').length >= 3);
      expect(told(pit, 'resident-ended').every(({ rule }) => rule === 'its run has ended')).toBe(true);
      expect(told(pit, 'resident-broken')).toEqual([]);
    }));

  it('a prompt file is read anew each time; one that is missing is said', () =>
    withPit({}, async (pit) => {
      const log = pit.beside('runs.log');
      fs.writeFileSync(join(pit.root, 'janitor.md'), sh(`echo one >> '${log}'`));
      configure(pit, { janitor: { agent: 'shell', 'prompt-file': 'janitor.md', every: '1s' } });
      await pit.up(0);
      await pit.until('it ran', () => read(log).includes('one'));
      fs.writeFileSync(join(pit.root, 'janitor.md'), sh(`echo two >> '${log}'`));
      await pit.until('it ran the new text', () => read(log).includes('two'));
      fs.rmSync(join(pit.root, 'janitor.md'));
      await pit.until('it is said', () => told(pit, 'resident-ended').some(({ evidence }) => evidence.includes('janitor.md is missing')));
    }));
});

describe('a task with a cadence of its own', () => {
  it('is woken while it rests, is not asked whether it is done, and falls silent once it has said so', () =>
    withPit({}, async (pit) => {
      configure(pit, {}, ['signal: 300ms']);
      await pit.up(1);
      pit.dropTask('long.md', `${head('agent: tui', 'wake: 2s')}Wait for the build.\n`);
      await pit.until('two wakes', () => heard(pit, 'tui').length >= 2);
      expect(heard(pit, 'tui')[0]).toMatch(/wake\.md and do what it says|time to look at your task/);
      expect(told(pit, 'nudge-decided')).toEqual([]);
      const claimed = fs.readdirSync(join(pit.layout.runs, 'long'));
      fs.writeFileSync(join(pit.layout.runs, 'long', claimed[0] ?? '', 'result.json'), '{"outcome":"done","message":"the build is there"}');
      const before = heard(pit, 'tui').length;
      await pit.until('it is done', () => hasEnded(pit, 'done', 'long'));
      expect(heard(pit, 'tui').length).toBeLessThanOrEqual(before + 1);
      const ended = heard(pit, 'tui').length;
      pit.dropTask('other.md', sh('sleep 3'));
      await pit.until('another task has ended', () => hasEnded(pit, 'done', 'other'));
      expect(heard(pit, 'tui')).toHaveLength(ended);
    }));
});
