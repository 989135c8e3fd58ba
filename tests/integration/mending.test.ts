import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { newBreaker, type Breaker } from '../../src/agents/breaker/state.js';
import type { CleanupPorts, CleanupSetting } from '../../src/cleanup/ports.js';
import { applyCleanup, planCleanup } from '../../src/cleanup/specialists.js';
import type { SpecialistName } from '../../src/cleanup/specialist.js';
import { resolveConfig } from '../../src/config/load.js';
import type { PitEvent } from '../../src/events/event.js';
import { systemClock } from '../../src/lib/clock.js';
import { linuxProcesses } from '../../src/lib/linux-processes.js';
import { nodeFiles } from '../../src/lib/node-files.js';
import { layoutOf, QUEUE_STATES } from '../../src/protocol/layout.js';
import { markerOf, printClaim, type ClaimName } from '../../src/protocol/names.js';
import { runDirOf } from '../../src/runs/run-dir.js';
import { isIn, read, story, withPit } from './rig.js';
import type { Pit } from '../rig/pit.js';

/* Rounds of the reaper and the reconciler over a directory that no pit has, laid out as a crash leaves it. */

const root = join(tmpdir(), `mending-${process.pid}`);
const layout = layoutOf(root);
const pit = { layout } as Pit;
const told: PitEvent[] = [];

beforeEach(() => {
  told.length = 0;
  for (const dir of [...QUEUE_STATES.map((state) => layout.dir(state)), layout.log, layout.runs, layout.breakers]) fs.mkdirSync(dir, { recursive: true });
});
afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

const ports: CleanupPorts = { files: nodeFiles, clock: systemClock, processes: linuxProcesses, events: { emit: async (event) => void told.push(event) } };
function settingOf(more: Partial<CleanupSetting> = {}): CleanupSetting {
  const config = resolveConfig('snakepit.yaml', 'grace: 100ms\nlosses: 5\n', {});
  if (!config.ok) throw new Error(config.error.problem);
  return { layout, config: config.value, successor: () => 'refused', pitId: 'x', residents: async () => [], thorough: true, ...more };
}
const round = async (only: SpecialistName, setting = settingOf(), all = ports): Promise<{ plan: string[]; done: string[] }> => {
  const plan = await planCleanup(all, setting, [only]);
  return { plan: plan.map(({ kind, subject, rule }) => `${kind} ${subject}: ${rule}`), done: (await applyCleanup(all, setting, plan)).map(({ kind, told: what }) => `${kind}: ${what}`) };
};

/** A claim whose snake is dead, with a session that was launched and a workspace. */
function layClaim(id: string, losses: number): ClaimName {
  const name: ClaimName = { id, place: { priority: 50, arrivedAt: 1_700_000_000_000 }, counters: { failures: 0, losses, deferrals: 0 }, nonce: 'abcdefghij', owner: { snake: 's1', pid: 1, start: '1', boot: linuxProcesses.boot() } };
  fs.writeFileSync(join(layout.dir('claimed'), printClaim(name)), '# Work\n');
  const dir = runDirOf(layout, name);
  fs.mkdirSync(join(dir, 'work'), { recursive: true });
  fs.writeFileSync(join(dir, 'attempt.json'), JSON.stringify({ marker: markerOf(name), agent: 'shell', attempt: losses + 1, startedAt: Date.now() - 60_000, startedMonoMs: 0, boot: linuxProcesses.boot(), workspace: join(dir, 'work'), privateWorkspace: true }));
  return name;
}

describe('the reaper', () => {
  it('a task that loses its worker too often is poison: it fails, and its story says so', async () => {
    layClaim('one', 3);
    expect((await round('reaper')).done).toEqual(['done: now ready']);
    fs.rmSync(layout.dir('ready'), { recursive: true });
    fs.mkdirSync(layout.dir('ready'));
    layClaim('two', 4);
    expect((await round('reaper')).done).toEqual(['done: now failed']);
    expect(isIn(pit, 'failed', 'two')).toBe(true);
    expect(story(pit, 'failed', 'two')).toContain('lost-too-often: its worker or session vanished 5 times');
    expect(told.filter(({ kind }) => kind === 'task-failed')).toMatchObject([{ id: 'two', why: expect.stringContaining('its owner is dead') }]);
  });

  it('what cannot be shown gone stops in stuck/, however often it was lost', { timeout: 120_000 }, async () => {
    layClaim('one', 4);
    const blind: CleanupPorts = { ...ports, processes: { ...linuxProcesses, find: async () => ({ complete: false, processes: [] }) } };
    expect((await round('reaper', settingOf(), blind)).done).toEqual(['refused: now stuck']);
    expect([isIn(pit, 'stuck', 'one'), isIn(pit, 'failed', 'one')]).toEqual([true, false]);
    expect(told.map(({ kind }) => kind)).toContain('task-stuck');
  });
});

describe('the reconciler, of accounts that nobody asks', () => {
  const file = join(layout.breakers, 'work.json');
  const lay = (state: Breaker['state']): void => fs.writeFileSync(file, JSON.stringify({ ...newBreaker('work'), state, strikes: 2, openedAt: 1 }));
  const state = (): Breaker['state'] => (JSON.parse(read(file)) as Breaker).state;
  const since = Date.now() - 3_600_000;
  const SHUT = { reason: 'rate-limited', evidence: 'said 429', until: since } as const;

  it('a probe whose claim has gone is freed; one whose claim stands is left alone', async () => {
    const name = layClaim('prober', 0);
    lay({ kind: 'half-open', ...SHUT, probe: { marker: markerOf(name), id: 'prober', since } });
    expect((await round('reconciler')).plan).toEqual([]);
    fs.rmSync(join(layout.dir('claimed'), printClaim(name)));
    expect(await round('reconciler')).toEqual({ plan: ['act account work: the claim of its probe has gone'], done: ['done: the next task that asks is let in to see'] });
    expect(state()).toEqual({ kind: 'open', ...SHUT });
  });

  it('another probe in the meantime is not taken for the first', async () => {
    lay({ kind: 'half-open', ...SHUT, probe: { marker: 'first~0.0.0~aaaaaaaaaa', id: 'first', since } });
    const setting = settingOf();
    const plan = await planCleanup(ports, setting, ['reconciler']);
    lay({ kind: 'half-open', ...SHUT, probe: { marker: 'second~0.0.0~bbbbbbbbbb', id: 'second', since } });
    expect(await applyCleanup(ports, setting, plan)).toMatchObject([{ kind: 'gone', told: 'it has moved on' }]);
    expect(state()).toMatchObject({ kind: 'half-open', probe: { id: 'second' } });
  });

  it('one past its time is said, and left to its own machine', async () => {
    lay({ kind: 'open', ...SHUT });
    expect(await round('reconciler')).toEqual({ plan: ['keep account work: its time is over: the next task that asks is let in to see'], done: [] });
    expect(state()).toEqual({ kind: 'open', ...SHUT });
    lay({ kind: 'open', ...SHUT, until: Date.now() + 3_600_000 });
    expect((await round('reconciler')).plan).toEqual([]);
  });
});

describe('cleanup of a pit', () => {
  it('tells accounts in the words of the plan', { timeout: 60_000 }, () =>
    withPit({}, async (own) => {
      fs.mkdirSync(own.layout.breakers, { recursive: true });
      fs.writeFileSync(join(own.layout.breakers, 'work.json'), JSON.stringify({ ...newBreaker('work'), state: { kind: 'half-open', reason: 'rate-limited', evidence: 'said 429', until: 5, probe: { marker: 'gone~0.0.0~abcdefghij', id: 'gone', since: 5 } }, strikes: 1, openedAt: 1 }));
      const ran = await own.cli('cleanup');
      expect([ran.code, ran.stdout]).toEqual([1, expect.stringMatching(/^free {4}account work: the claim of its probe has gone \(gone was let in at .*\)\naccount work: the next task that asks is let in to see\n$/)]);
      expect(await own.ok('cleanup')).toMatch(/^keep {4}account work: its time is over/);
    }));
});
