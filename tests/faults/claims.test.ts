import { fork, type ChildProcess } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nodeFiles } from '../../src/lib/node-files.js';
import { layoutOf } from '../../src/protocol/layout.js';
import { NO_COUNTERS, parseClaim, printReady } from '../../src/protocol/names.js';
import { ensureLayout } from '../../src/queue/init.js';
import { cleanMutants, plantMutant } from '../rig/mutants.js';
import { until } from '../rig/until.js';

/*
 * "N processes × M tasks: M claims" (promise 2), with real processes on the real file system, while two others put files
 * into ready/ and take files out of it.
 */

const DIST = fileURLToPath(new URL('../../dist', import.meta.url));
const DEADLINE_MS = 60_000;
const RUNS = 3;

let root = '';
const children: ChildProcess[] = [];
beforeEach(async () => {
  root = fs.mkdtempSync(join(tmpdir(), 'claims-'));
  await ensureLayout(nodeFiles, layoutOf(root));
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  fs.rmSync(root, { recursive: true, force: true });
});
afterAll(cleanMutants);

interface Actor {
  readonly child: ChildProcess;
  readonly record: string;
  ready: boolean;
}

function start(program: string, number: number, dist: string): Actor {
  const record = join(root, `${program}-${number}.log`);
  fs.writeFileSync(record, '');
  if (program === 'disturber') fs.mkdirSync(join(root, `aside-${number}`));
  const child = fork(fileURLToPath(new URL(`./${program}.mjs`, import.meta.url)), [dist, root, String(number), record], { execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const actor: Actor = { child, record, ready: false };
  child.on('message', () => {
    actor.ready = true;
  });
  children.push(child);
  return actor;
}

const tell = (actors: readonly Actor[], what: 'go' | 'stop'): void => {
  for (const { child } of actors) child.send(what);
};

async function ended(what: string, actors: readonly Actor[]): Promise<void> {
  await until(`${what} end`, () => actors.every(({ child }) => child.exitCode !== null || child.signalCode !== null), DEADLINE_MS);
  expect(actors.map(({ child }) => child.exitCode), what).toEqual(actors.map(() => 0));
}

const linesOf = (actors: readonly Actor[]): string[][] => actors.flatMap(({ record }) => fs.readFileSync(record, 'utf8').split('\n').filter((line) => line !== '').map((line) => line.split(' ')));
const said = (lines: readonly string[][], word: string): string[] => lines.filter((line) => line[0] === word).map((line) => line[1] ?? '');
const without = (all: readonly string[], gone: ReadonlySet<string>): string[] => all.filter((one) => !gone.has(one));

/** All that can be said of one run; throws where a task was claimed twice, lost, or left. */
async function race(options: { claimers: number; tasks: number; dist: string }): Promise<{ extras: number; removed: number; borrowed: number; busiest: number }> {
  const layout = layoutOf(root);
  const ids = Array.from({ length: options.tasks }, (_, index) => `task-${index}`);
  for (const [index, id] of ids.entries()) fs.writeFileSync(join(layout.dir('ready'), printReady({ id, place: { priority: 50, arrivedAt: 1_000_000 + index }, counters: NO_COUNTERS })), `${id}\n`);
  const claimers = Array.from({ length: options.claimers }, (_, index) => start('claimer', index + 1, options.dist));
  const disturbers = [start('disturber', 1, options.dist), start('disturber', 2, options.dist)];
  await until('all processes are ready', () => [...claimers, ...disturbers].every((actor) => actor.ready), DEADLINE_MS);
  tell([...disturbers, ...claimers], 'go');
  const left = (): number => fs.readdirSync(layout.dir('ready')).length;
  await until('a twentieth of the tasks is left', () => left() < options.tasks / 20, DEADLINE_MS);
  tell(disturbers, 'stop');
  await ended('the disturbers', disturbers);
  await until('ready/ is empty', () => left() === 0, DEADLINE_MS);
  tell(claimers, 'stop');
  await ended('the claimers', claimers);

  const claims = linesOf(claimers);
  const claimed = claims.map(([id]) => id ?? '');
  const disturbed = linesOf(disturbers);
  const added = said(disturbed, 'added');
  const removed = new Set(said(disturbed, 'removed'));
  const duplicates = claimed.filter((id, index) => claimed.indexOf(id) !== index);
  expect(duplicates, 'claimed twice').toEqual([]);
  const all = new Set(claimed);
  expect(without(ids, all), 'never claimed').toEqual([]);
  expect(claimed.filter((id) => id.startsWith('task-'))).toHaveLength(options.tasks);
  expect(added.filter((id) => all.has(id) === removed.has(id)), 'added, and neither or both of claimed and taken back').toEqual([]);
  expect(all.size).toBe(options.tasks + added.length - removed.size);

  // The directory tells the same as the processes did: each file under the very name that its claimer got, with its bytes.
  const files = fs.readdirSync(layout.dir('claimed')).sort();
  expect(files).toEqual(claims.map(([, file]) => basename(file ?? '')).sort());
  expect(files.filter((file) => fs.readFileSync(join(layout.dir('claimed'), file), 'utf8') !== `${parseClaim(file)?.id}\n`), 'with foreign bytes').toEqual([]);
  for (const { child, record } of claimers) {
    const owners = new Set(linesOf([{ child, record, ready: true }]).map(([, file]) => parseClaim(basename(file ?? ''))?.owner.pid));
    expect(owners.size === 0 || (owners.size === 1 && owners.has(child.pid ?? 0)), 'claims bear their claimer').toBe(true);
  }
  for (const state of ['waiting', 'held', 'reaping', 'stuck', 'done', 'failed'] as const) expect(fs.readdirSync(layout.dir(state)), state).toEqual([]);
  const busiest = Math.max(...claimers.map((actor) => linesOf([actor]).length));
  return { extras: added.length, removed: removed.size, borrowed: said(disturbed, 'borrowed').length, busiest };
}

describe('24 processes on 10,000 tasks, two others adding and removing', () => {
  it.each(Array.from({ length: RUNS }, (_, run) => run + 1))('run %i: exactly 10,000 distinct claims', { timeout: 2 * DEADLINE_MS }, async (run) => {
    const { extras, removed, borrowed, busiest } = await race({ claimers: 24, tasks: 10_000, dist: DIST });
    console.log(`claims, run ${run}: ${extras} added beside, ${removed} of them taken back, ${borrowed} moved out and in again; the busiest process has ${busiest} claims`);
    expect(Math.min(extras - removed, removed, borrowed), 'the disturbance met the claims').toBeGreaterThan(0);
    expect(busiest, 'the claims are spread').toBeLessThan(5000);
  });
});

describe('the same on a store with a fault', () => {
  it('notices a claim that is taken for won without a look at the rename', async () => {
    const faulty = plantMutant('queue/directory-store.js', "claimed)) === 'missing') {", "claimed)) === 'never') {");
    await expect(race({ claimers: 8, tasks: 1000, dist: faulty })).rejects.toThrow('claimed twice');
  });
});
