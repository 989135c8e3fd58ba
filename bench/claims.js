import { fork } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { layoutOf } from '../dist/protocol/layout.js';
import { NO_COUNTERS, printReady } from '../dist/protocol/names.js';
import { systemClock } from '../dist/lib/clock.js';
import { newNonce } from '../dist/lib/ids.js';
import { linuxProcesses } from '../dist/lib/linux-processes.js';
import { nodeFiles } from '../dist/lib/node-files.js';
import { DirectoryStore } from '../dist/queue/directory-store.js';
import { watchDirectory } from '../dist/queue/watch.js';
import { cleanEnv, figure, median, onEnd, show, sum, tempDir } from './lib.js';

/*
 * Claim and settle, as snakes do: a process each, the store's own watcher, one turn of the event loop per task (so that
 * what the watcher has to say is heard and paid for). A new store's first claim lists the backlog; it is measured apart.
 */

const COUNTS = [1, 6, 24];
const DEPTHS = [100, 10_000, 100_000];
const REPEATS = 3;
const BAR = 1.5;
/** Claims per measurement: the same number at every depth. */
const claimsFor = (processes) => Math.max(2000, processes * 100);

// --- one process -------------------------------------------------------------------------------------------------

const cpuMicros = (since) => {
  const { user, system } = process.cpuUsage(since);
  return user + system;
};

function openStore(root) {
  return new DirectoryStore(layoutOf(root), { files: nodeFiles, clock: systemClock, processes: linuxProcesses, newNonce, watch: watchDirectory });
}

async function workOne(store, owner, signal) {
  for (;;) {
    const claimed = await store.claim(owner);
    if (claimed.kind === 'claimed') {
      if ((await store.settle(claimed.claim, { kind: 'done' })) !== 'ok') throw new Error('a claim was lost');
      await turn();
      return;
    }
    await store.wait(50, signal);
  }
}

async function child() {
  const { signal } = new AbortController();
  const owner = { snake: `s${process.argv[3]}`, ...linuxProcesses.self() };
  let store;
  process.on('disconnect', () => process.exit(0));
  for await (const [order] of messages()) {
    const before = process.cpuUsage();
    const startedAt = performance.timeOrigin + performance.now();
    if (order.open !== undefined) {
      store = openStore(order.open);
      await workOne(store, owner, signal);
    } else for (let left = order.claims; left > 0; left -= 1) await workOne(store, owner, signal);
    const cpu = cpuMicros(before);
    process.send({ cpu, startedAt, endedAt: performance.timeOrigin + performance.now() });
    if (order.close === true) store.close();
  }
}

async function* messages() {
  for (;;) yield [await new Promise((resolve) => process.once('message', resolve))];
}

// --- the bench ---------------------------------------------------------------------------------------------------

let made = 0;
function fill(root, count) {
  const ready = layoutOf(root).dir('ready');
  for (let at = 0; at < count; at += 1) {
    made += 1;
    writeFileSync(join(ready, printReady({ id: `task-${made}`, place: { priority: 50, arrivedAt: 1_700_000_000_000 + made }, counters: NO_COUNTERS })), '');
  }
}

function makeRoot() {
  const root = tempDir();
  for (const state of ['ready', 'claimed', 'done']) mkdirSync(layoutOf(root).dir(state), { recursive: true });
  return root;
}

async function all(children, order) {
  return Promise.all(
    children.map(
      (one) =>
        new Promise((resolve, reject) => {
          one.once('message', resolve);
          one.once('exit', () => reject(new Error('a claiming process died')));
          one.send(order);
        }),
    ),
  ).finally(() => children.forEach((one) => one.removeAllListeners('exit')));
}

/** So many claims at one depth, in as many rounds as the backlog needs; each round begins with a new store per process. */
async function measure(children, root, depth) {
  const processes = children.length;
  const total = claimsFor(processes);
  const perRound = Math.floor(Math.min(depth, total) / processes);
  const result = { openCpu: 0, opens: 0, cpu: 0, claims: 0, seconds: 0 };
  while (result.claims < total - processes) {
    fill(root, depth - readdirSync(layoutOf(root).dir('ready')).length);
    const opened = await all(children, { open: root });
    const worked = await all(children, { claims: perRound - 1, close: true });
    result.openCpu += sum(opened.map((one) => one.cpu));
    result.opens += processes;
    result.cpu += sum(worked.map((one) => one.cpu));
    result.claims += processes * (perRound - 1);
    result.seconds += (Math.max(...worked.map((one) => one.endedAt)) - Math.min(...worked.map((one) => one.startedAt))) / 1000;
  }
  const perClaim = result.cpu / result.claims;
  const perOpen = result.openCpu / result.opens;
  // Every process lists once; over a whole backlog's claims that is this much a claim.
  return { perClaim, perOpen, amortised: perClaim + (perOpen * processes) / depth, perSecond: result.claims / result.seconds };
}

async function measureCount(processes, roots) {
  const children = Array.from({ length: processes }, (_, index) => fork(fileURLToPath(import.meta.url), ['--child', String(index + 1)], { env: cleanEnv(), stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }));
  onEnd(() => children.forEach((one) => one.kill('SIGKILL')));
  // The compiler's warm-up is nobody's claim.
  const warm = makeRoot();
  fill(warm, processes * 300);
  await all(children, { open: warm });
  await all(children, { claims: 299, close: true });
  const samples = new Map(DEPTHS.map((depth) => [depth, []]));
  for (let repeat = 0; repeat < REPEATS; repeat += 1) for (const depth of DEPTHS) samples.get(depth).push(await measure(children, roots.get(depth), depth));
  children.forEach((one) => one.disconnect());
  return samples;
}

function figuresFor(processes, samples) {
  const of = (depth, key) => median(samples.get(depth).map((sample) => sample[key]));
  const rows = DEPTHS.map((depth) => {
    const text = `${show(of(depth, 'perClaim'))} µs CPU a claim, ${show(of(depth, 'perSecond'))} claims/s; first claim (lists) ${show(of(depth, 'perOpen') / 1000)} ms CPU a process; both over the whole backlog ${show(of(depth, 'amortised'))} µs a claim`;
    return figure(`${processes} × 10^${Math.log10(depth)}`, text);
  });
  const [low, high] = [DEPTHS[0], DEPTHS.at(-1)];
  for (const [key, name] of [['perClaim', 'without the first listing'], ['amortised', 'with it']]) {
    // Shallow and deep of the same repeat are compared, then the median taken: a slow minute slows both.
    const ratio = median(samples.get(high).map((sample, at) => sample[key] / samples.get(low)[at][key]));
    rows.push(figure(`${processes}: cost at 10^5 / at 10^2, ${name}`, show(ratio), { value: ratio, atMost: BAR }));
  }
  return rows;
}

export async function claims() {
  const roots = new Map(DEPTHS.map((depth) => [depth, makeRoot()]));
  const figures = [];
  for (const processes of COUNTS) figures.push(...figuresFor(processes, await measureCount(processes, roots)));
  const lost = [...roots.values()].map((root) => readdirSync(layoutOf(root).dir('claimed')).length);
  figures.push(figure('claims left unsettled', String(sum(lost)), { value: sum(lost), atMost: 0 }));
  return figures;
}

if (process.argv[2] === '--child') await child();
