import * as fs from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Pit, QUICK } from '../rig/pit.js';
import { randomFrom } from '../rig/random.js';
import { until } from '../rig/until.js';
import { attemptsOf, auditLeftovers, auditLocks, auditQueue, auditTasks } from './audit.js';
import { auditRepo, tidy } from './audit-repo.js';
import { gitShim, type GitFaults } from './git-shim.js';
import { keepUp } from './keeper.js';
import { draw, moment, Monkey, MONKEY, PROGRESS_MS, type MonkeyDeed } from './monkey.js';
import { seedProject } from './repo-work.js';
import { quieten, shimFaults, tmuxShim, type TmuxFaults } from './shims.js';
import { Person } from './stuck.js';
import { planTasks, Witness, type TaskPlan } from './witness.js';

/*
 * Tasks of every habit, and a monkey: it kills, stops and wakes whatever it can reach, while file calls are delayed, and tmux and git fail, lie
 * and die. Each tenth task works in a worktree of one repository and is merged.
 * At the end a ledger: every task ended exactly once, was never worked by two at once, has its attempts counted right, and nothing is left.
 */

export interface SoakOptions {
  readonly seed: number;
  readonly tasks: number;
  readonly snakes: number;
  /** Hits of the monkey for each hundred tasks; it waits for the work, so a slow machine is not hit more often than a quick one. */
  readonly rate: number;
  /** Then the monkey rests and no more tasks are dropped: what has been dropped is worked in peace. */
  readonly minutes: number;
  /** A build with a fault in it; else the real one. */
  readonly dist?: string | undefined;
  readonly tmux?: TmuxFaults;
  readonly git?: GitFaults;
  /** How work is merged; left out: drawn. */
  readonly merge?: 'no-ff' | 'squash';
  /** See delays.mjs. */
  readonly delays?: { readonly share: number; readonly ms: number };
  readonly dieAfter?: string;
  /** Weights of the monkey's deeds; left out: all as MONKEY has them. */
  readonly monkey?: Partial<Record<MonkeyDeed, number>>;
  readonly habit?: (plan: TaskPlan) => TaskPlan;
  /** The faults found so far are enough: for a planted one. */
  readonly endAtViolation?: boolean;
}

export interface Soaked {
  readonly faults: string[];
  readonly table: readonly (readonly [string, string | number])[];
  readonly log: string;
}

export const QUIET_TMUX: TmuxFaults = { fails: 0, hangs: 0, lies: 0, diesAfterLaunch: 0, launchesTwice: 0, launchesLate: 0, late: 3 };
export const WILD_TMUX: TmuxFaults = { fails: 10, hangs: 2, lies: 10, diesAfterLaunch: 2, launchesTwice: 40, launchesLate: 5, late: 3 };
export const QUIET_GIT: GitFaults = { waits: 0, fails: 0, lies: 0, hangs: 0, dies: 0, killsCaller: 0, killsMover: 0, leavesLock: 0 };
export const WILD_GIT: GitFaults = { waits: 20, fails: 8, lies: 8, hangs: 1, dies: 8, killsCaller: 3, killsMover: 60, leavesLock: 60 };
const SOME_DELAYS = { share: 0.02, ms: 30 };

/** Between two deeds, at most. */
const BREATH_MS = 300;
/** From the monkey's rest to the last task, and from `down` to the last process, however slow the machine; a test's own limit is above. */
const END_MS = 300_000;
const GONE_MS = 20_000;

/** Runs to its end and gives the ledger. `dir` outlives it: the shim, the log. Whatever the ledger says, the pit is put down and its directory removed. */
export async function soak(options: SoakOptions, dir: string): Promise<Soaked> {
  const { seed, tasks, snakes, rate, minutes } = options;
  const random = randomFrom(seed);
  const delays = options.delays ?? SOME_DELAYS;
  const shim = tmuxShim(join(dir, 'bin'), options.tmux ?? WILD_TMUX);
  gitShim(shim, options.git ?? WILD_GIT);
  const env = {
    PATH: `${shim}:${process.env['PATH'] ?? '/usr/bin:/bin'}`,
    NODE_OPTIONS: `--import=${fileURLToPath(new URL('./delays.mjs', import.meta.url))}`,
    CHAOS_SEED: String(seed), CHAOS_DELAY_SHARE: String(delays.share), CHAOS_DELAY_MS: String(delays.ms),
    ...(options.dieAfter === undefined ? {} : { CHAOS_DIE_AFTER: options.dieAfter }),
  };
  // Half of the runs each.
  const merge = options.merge ?? (seed % 2 === 0 ? 'no-ff' : 'squash');
  const pit = new Pit({ config: [...QUICK.filter((line) => !line.startsWith('adopt:')), 'adopt: 200ms', 'losses: 100', 'deferrals: 1000', 'timeout: 10m', `merge: ${merge}`, 'fix-rounds: 20', 'keep-worktrees: 1s'], env, dist: options.dist, callMs: END_MS });
  const before = seedProject(pit.root);
  const witness = new Witness(pit.beside('witness'));
  const all = planTasks(tasks, random).map(options.habit ?? ((plan) => plan));
  const logFile = join(dir, 'soak.log');
  const startedAt = performance.now();
  const log = (line: string): void => fs.appendFileSync(logFile, `${String(Math.round(performance.now() - startedAt)).padStart(7)} ${line}\n`);
  log(`seed ${seed}`);
  const filesIn = (state: 'done' | 'failed'): number => (fs.existsSync(pit.layout.dir(state)) ? pit.files(state).length : 0);
  const settled = (): number => filesIn('done') + filesIn('failed');
  let dropped = 0;
  const dropTo = (count: number): void => {
    for (const plan of all.slice(dropped, count)) pit.dropTask(`${plan.id}.md`, witness.taskText(plan));
    dropped = Math.max(dropped, Math.min(count, all.length));
  };
  const faults: string[] = [];
  const enough = (): boolean => options.endAtViolation === true && witness.violations().length > 0;
  const keeper = keepUp(pit, snakes, log);
  const monkey = new Monkey(pit, keeper, random, log);
  const person = new Person(pit, log);
  const weights = options.monkey ?? MONKEY;
  let table: Soaked['table'] = [];
  /** Whoever was stopped is woken in time, and stuck tasks are seen to; false where what was waited for never came. */
  const waited = async (what: string, condition: () => boolean, deadlineMs: number): Promise<boolean> => {
    const tended = async (): Promise<boolean> => {
      await monkey.wake(performance.now());
      await person.look();
      return enough() || condition();
    };
    return pit.until(what, tended, deadlineMs).then(() => true, (cause: unknown) => {
      log(String(cause));
      faults.push(`not in time: ${what}`);
      return false;
    });
  };
  try {
    dropTo(8 * snakes);
    const wanted = Math.round((tasks * rate) / 100);
    const timeUp = (): boolean => performance.now() - startedAt > minutes * 60_000;
    let goesOn = await waited('the snakes work', () => pit.events().filter(({ kind }) => kind === 'session-launched').length >= Math.min(snakes, tasks), PROGRESS_MS);
    while (goesOn && monkey.hits < wanted && !timeUp() && !enough()) {
      await moment(random() * BREATH_MS);
      await monkey.act(draw(weights as Record<string, number>, random));
      dropTo(settled() + 8 * snakes);
      const due = Math.floor((0.95 * tasks * monkey.hits) / wanted);
      goesOn = await waited(`${due} tasks have ended, after ${monkey.hits} hits`, () => settled() >= due || timeUp(), PROGRESS_MS);
    }
    log('the monkey rests');
    const atRest = settled();
    await monkey.wake(Number.POSITIVE_INFINITY);
    if (!timeUp()) dropTo(tasks);
    const plans = all.slice(0, dropped);
    if (goesOn) await waited('all tasks have ended', () => settled() >= dropped, END_MS);
    const { ups, inVain } = await keeper.stop();
    const tookS = (performance.now() - startedAt) / 1000;
    if (enough()) faults.push(...witness.violations().map((one) => `two at once: ${one}`));
    else {
      faults.push(...(await putDown(pit, shim, log)), ...auditQueue(pit, plans), ...auditTasks(pit, plans.filter(({ id }) => !person.resolved.has(id)), witness), ...(await auditLocks(pit)), ...auditLeftovers(pit), ...(await tidy(pit, log)), ...(await auditRepo(pit, plans, merge, before)), ...person.faults(tasks));
      if (monkey.hits < (wanted * dropped) / tasks / 2) faults.push(`the monkey hit ${monkey.hits} times only, not ${wanted}: this run proves little`);
    }
    const attempts = plans.flatMap(({ id }) => attemptsOf(pit, id));
    const events = pit.events();
    const count = (kind: string): number => events.filter((event) => event.kind === kind).length;
    table = [
      ['seed', seed], ['merge', merge], ['tasks', dropped], ['snakes', snakes], ['seconds', Math.round(tookS)],
      ['hits', monkey.hits], ...Object.entries(monkey.done).map(([deed, n]) => [`  ${deed}`, n] as const), ['shots at nobody', monkey.misses],
      ...Object.entries(shimFaults(shim)).map(([kind, n]) => [`tmux ${kind}`, n] as const),
      ...Object.entries(shimFaults(shim, 'git-faults.log')).map(([kind, n]) => [`git ${kind}`, n] as const),
      ['times up', ups], ['  in vain', inVain.length], ['ended at the last hit', atRest],
      ['attempts', attempts.length], ['agent starts', plans.reduce((sum, { id }) => sum + witness.seen(id, 'start').length, 0)],
      ...(['lost', 'released', 'failed', 'sent-back', 'parked'] as const).map((kind) => [`  ${kind}`, attempts.filter(({ outcome }) => outcome.kind === kind).length] as const),
      ['adopted', count('task-adopted')], ['reaped', count('claim-reaped')], ['claims lost', count('claim-lost')], ['snakes broken', count('snake-broken')], ['merged', count('task-merged')], ['stuck, and resolved', person.resolved.size],
      ['done', pit.files('done').length], ['failed', pit.files('failed').length],
    ];
  } finally {
    log('audited');
    await monkey.wake(Number.POSITIVE_INFINITY);
    await keeper.stop();
    quieten(shim);
    // What it finds is a fault where there is no other; where there is one, it only tidies up.
    await pit.dispose().catch((cause: unknown) => (faults.length === 0 ? faults.push(String(cause)) : log(`disposed: ${String(cause)}`)));
    log('disposed of');
  }
  for (const fault of faults) log(`FAULT ${fault}`);
  return { faults, log: logFile, table };
}

/** A lying tmux may make `down` fail once; a person says it again. Then nothing may be left. */
async function putDown(pit: Pit, shim: string, log: (line: string) => void): Promise<string[]> {
  const first = await pit.cli('down');
  log(`down ended with ${first.code}`);
  if (first.code !== 0) log(first.stderr);
  quieten(shim);
  const second = first.code === 0 ? first : await pit.cli('down');
  await until('all processes have ended', () => pit.processes().length === 0, GONE_MS).catch(() => undefined);
  return [...(second.code === 0 ? [] : [`down ended with ${second.code}: ${second.stderr}`]), ...pit.processes().map(({ process: one, command }) => `left alive: ${one.pid} ${command}`)];
}
