import type { ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { Pit, QUICK } from '../rig/pit.js';
import { until } from '../rig/until.js';
import { attemptsOf, auditLeftovers, auditLocks, auditQueue, auditTasks } from './chaos-audit.js';
import { planTasks, Witness } from './chaos-witness.js';

/*
 * Hundreds of kill -9 at random moments while short tasks run: snakes, the pit (which somebody starts again), cleanup runs.
 * Whatever is hit, every task ends exactly once, was never worked by two at once, and has its attempts counted right.
 *
 *   CHAOS_TASKS=1000  CHAOS_KILLS=200  CHAOS_SEED=<printed by each run>  CHAOS_DIST=<a build with a fault in it>  KEEP_PIT=1
 */

const TASKS = Number(process.env['CHAOS_TASKS'] ?? 1000);
const KILLS = Number(process.env['CHAOS_KILLS'] ?? 200);
const SEED = Number(process.env['CHAOS_SEED'] ?? randomInt(2 ** 31));
const SNAKES = 6;
const PROGRESS_MS = 60_000;
const END_MS = 120_000;
/** No wait for an `up` whose pit was killed under it: somebody says it again. */
const UP_PATIENCE_MS = 2000;
/** A cleanup run lives about so long, so a kill within it hits any moment of its life. */
const CLEANUP_MS = 400;

type Victim = 'snake' | 'pit' | 'cleanup';
const KINDS = ['snake', 'pit', 'cleanup'] as const;

/** mulberry32: the choices of a run can be repeated, its timing cannot. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A random moment: the one wait that is for no condition. */
async function moment(random: () => number, withinMs: number): Promise<void> {
  const at = performance.now() + random() * withinMs;
  await until('the moment has come', () => performance.now() >= at, withinMs + 10_000);
}

interface Keeper {
  /** While true nobody starts the pit: the person sleeps. */
  asleep: boolean;
  stop(): Promise<{ ups: number; inVain: string[] }>;
}

/** Whoever keeps the pit up, as a person or systemd does: starts it where it is gone, and forgives broken snakes. */
function keepUp(pit: Pit): Keeper {
  let over = false;
  let saidAt = Number.NEGATIVE_INFINITY;
  const ups = new Set<Promise<void>>();
  let count = 0;
  const inVain: string[] = [];
  const say = (): void => {
    count += 1;
    saidAt = performance.now();
    const up = pit.cli('up', '-n', String(SNAKES)).then(({ code, stderr }) => {
      if (code !== 0) inVain.push(`${code}: ${stderr.trim()}`);
      ups.delete(up);
    });
    ups.add(up);
  };
  const needed = async (): Promise<boolean> => {
    if (keeper.asleep) return false;
    const patient = ups.size > 0 && performance.now() - saidAt < UP_PATIENCE_MS;
    return !patient && ((await pit.daemon()) === undefined || hasBroken(pit));
  };
  const keeper: Keeper = {
    asleep: false,
    async stop() {
      over = true;
      await kept;
      return { ups: count, inVain };
    },
  };
  const kept = (async () => {
    while (!over) {
      await until('the pit needs somebody, or all is over', async () => over || (await needed()), 10 * END_MS);
      if (!over) say();
    }
    await Promise.all(ups);
  })();
  return keeper;
}

const hasBroken = (pit: Pit): boolean => pit.snapshot()?.snakes.some((row) => row.state === 'broken') ?? false;

/** kill -9 of one of the kind; how many it hit: 0 where nobody of that kind lived at that moment. */
async function killOne(pit: Pit, victim: Victim, random: () => number): Promise<number> {
  switch (victim) {
    case 'snake': {
      const snakes = await pit.snakes();
      const chosen = snakes[Math.floor(random() * snakes.length)];
      return chosen !== undefined && (await pit.kill(chosen.process)) ? 1 : 0;
    }
    case 'pit': {
      const daemon = await pit.daemon();
      return daemon !== undefined && (await pit.kill(daemon)) ? 1 : 0;
    }
    case 'cleanup': {
      const child = pit.start('cleanup');
      const exited = once(child, 'exit');
      await moment(random, CLEANUP_MS);
      return killChild(child, exited);
    }
  }
}

async function killChild(child: ChildProcess, exited: Promise<unknown>): Promise<number> {
  if (child.exitCode === null) child.kill('SIGKILL');
  await exited;
  return child.signalCode === 'SIGKILL' ? 1 : 0;
}

/**
 * What only the reaper can mend: the pit and all snakes at once, with nobody to start them for longer than `adopt:`; then
 * cleanup runs, each but the last killed while it has something in reaping/.
 */
async function killAll(pit: Pit, keeper: Keeper, random: () => number): Promise<Record<Victim, number>> {
  keeper.asleep = true;
  const killed = { pit: await killOne(pit, 'pit', random), snake: 0, cleanup: 0 };
  for (const { process: snake } of await pit.snakes()) if (await pit.kill(snake)) killed.snake += 1;
  for (let round = 0; round < 2; round += 1) {
    const child = pit.start('cleanup');
    const exited = once(child, 'exit');
    await until('a cleanup run reaps, or ends', () => child.exitCode !== null || pit.files('reaping').length > 0, PROGRESS_MS);
    await moment(random, 60);
    killed.cleanup += await killChild(child, exited);
  }
  if (random() < 0.5) await pit.cli('cleanup');
  keeper.asleep = false;
  return killed;
}

it(`${TASKS} tasks, ${KILLS} kills, seed ${SEED}: each ends exactly once`, { timeout: 15 * 60_000 }, async ({ onTestFinished }) => {
  console.log(`chaos: seed ${SEED}`);
  const random = randomFrom(SEED);
  const pit = new Pit({ config: [...QUICK.filter((line) => !line.startsWith('adopt:')), 'adopt: 200ms', 'losses: 100', 'timeout: 2m'], dist: process.env['CHAOS_DIST'] });
  onTestFinished(() => pit.dispose(), 2 * END_MS);
  let keeper: Keeper | undefined;
  try {
    const witness = new Witness(pit.beside('witness'));
    const plans = planTasks(TASKS, random);
    const settled = (): number => pit.files('done').length + pit.files('failed').length;
    let dropped = 0;
    const dropTo = (share: number): void => {
      for (; dropped < Math.min(TASKS, Math.ceil(TASKS * share)); dropped += 1) {
        const plan = plans[dropped];
        if (plan !== undefined) pit.dropTask(`${plan.id}.md`, witness.taskText(plan));
      }
    };
    dropTo(0.3);
    const startedAt = performance.now();
    await pit.up(SNAKES);
    keeper = keepUp(pit);
    const killed: Record<Victim, number> = { snake: 0, pit: 0, cleanup: 0 };
    let volleys = 0;
    let misses = 0;
    for (let kills = 0; kills < KILLS; kills = killed.snake + killed.pit + killed.cleanup) {
      const share = kills / KILLS;
      await pit.until(`${Math.floor(share * TASKS * 0.95)} tasks have ended, after ${kills} kills`, () => settled() >= Math.floor(share * TASKS * 0.95), PROGRESS_MS);
      dropTo(share + 0.3);
      await moment(random, 200);
      const dice = random();
      if (dice < 0.06) {
        volleys += 1;
        const hit = await killAll(pit, keeper, random);
        for (const victim of KINDS) killed[victim] += hit[victim];
      } else {
        const victim: Victim = dice < 0.68 ? 'snake' : dice < 0.87 ? 'pit' : 'cleanup';
        const hit = await killOne(pit, victim, random);
        killed[victim] += hit;
        if (hit === 0) misses += 1;
      }
    }
    const lastKillAt = settled();
    dropTo(1);
    await pit.until('all tasks have ended', () => settled() === TASKS, END_MS);
    const { ups, inVain } = await keeper.stop();
    const tookMs = performance.now() - startedAt;
    await pit.ok('down');

    const events = pit.events();
    const count = (kind: string): number => events.filter((event) => event.kind === kind).length;
    const attempts = plans.reduce((total, { id }) => total + attemptsOf(pit, id).length, 0);
    const lost = plans.reduce((total, { id }) => total + attemptsOf(pit, id).filter((one) => one.outcome.kind === 'lost').length, 0);
    console.log(
      [
        `chaos: ${TASKS} tasks in ${Math.round(tookMs / 1000)} s; killed: ${killed.snake} snakes, ${killed.pit} pits, ${killed.cleanup} cleanups; ${volleys} times all at once, ${misses} shots at nobody`,
        `chaos: the last kill came when ${lastKillAt} tasks had ended; ${ups} times up, ${inVain.length} in vain${inVain.length === 0 ? '' : ` (${inVain.join('; ')})`}`,
        `chaos: ${attempts} attempts, ${lost} lost; ${count('task-adopted')} adopted, ${count('claim-reaped')} reaped, ${count('claim-lost')} claims lost, ${count('snake-broken')} snakes broken`,
      ].join('\n'),
    );
    const faults = [...auditQueue(pit, plans), ...auditTasks(pit, plans, witness), ...(await auditLocks(pit)), ...auditLeftovers(pit), ...pit.processes().map(({ process: one, command }) => `left alive: ${one.pid} ${command}`)];
    expect(faults).toEqual([]);
    expect(killed.snake + killed.pit + killed.cleanup).toBeGreaterThanOrEqual(KILLS);
    expect(count('task-adopted'), 'adopted').toBeGreaterThan(0);
    if (volleys > 0) expect(count('claim-reaped'), 'reaped').toBeGreaterThan(0);
    expect(lastKillAt, 'tasks ended at the last kill: the kills met the work').toBeLessThan(TASKS);
  } finally {
    await keeper?.stop();
  }
});
