import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { linuxProcesses } from '../../src/lib/linux-processes.js';
import type { ProcessIdentity } from '../../src/lib/processes.js';
import { parseSession } from '../../src/protocol/records.js';
import type { Pit } from '../rig/pit.js';
import { until } from '../rig/until.js';
import type { Keeper } from './keeper.js';

export const MONKEY = { 'kill-snake': 40, 'kill-pit': 10, 'kill-cleanup': 10, 'kill-session': 12, 'stop-snake': 8, 'stop-pit': 4, 'stop-session': 6, 'kill-server': 2, 'kill-all': 2, 'kill-all-reap': 2 } as const;
export type MonkeyDeed = keyof typeof MONKEY;

/** A cleanup run lives about so long, so a kill within it hits any moment of its life. */
const CLEANUP_MS = 400;
const STOP_MS = 1500;
/** However slow the machine. */
export const PROGRESS_MS = 120_000;

/** A random moment: the one wait that is for no condition. */
export async function moment(withinMs: number): Promise<void> {
  const at = performance.now() + withinMs;
  await until('the moment has come', () => performance.now() >= at, withinMs + 10_000);
}

const pick = <T>(among: readonly T[], random: () => number): T | undefined => among[Math.floor(random() * among.length)];

/** Kills and stops what it can reach, and counts whom it hit. */
export class Monkey {
  readonly done: Partial<Record<MonkeyDeed, number>> = {};
  misses = 0;
  private readonly pit: Pit;
  private readonly keeper: Keeper;
  private readonly random: () => number;
  private readonly log: (line: string) => void;
  private readonly asleep = new Map<ProcessIdentity, number>();

  constructor(pit: Pit, keeper: Keeper, random: () => number, log: (line: string) => void) {
    this.pit = pit;
    this.keeper = keeper;
    this.random = random;
    this.log = log;
  }

  get hits(): number {
    return Object.values(this.done).reduce((sum, one) => sum + one, 0);
  }

  async act(deed: MonkeyDeed): Promise<void> {
    await this.wake(performance.now());
    const hit = await this.perform(deed);
    this.log(`${deed} ${hit === undefined ? 'missed' : hit}`);
    if (hit === undefined) this.misses += 1;
    else this.done[deed] = (this.done[deed] ?? 0) + 1;
  }

  /** Those whose time has come go on; at Infinity all do. */
  async wake(now: number): Promise<void> {
    for (const [one, at] of this.asleep) {
      if (at > now) continue;
      this.asleep.delete(one);
      await linuxProcesses.signal(one, 'SIGCONT');
    }
  }

  private async perform(deed: MonkeyDeed): Promise<string | undefined> {
    const { pit, random } = this;
    switch (deed) {
      case 'kill-snake':
        return this.kill(pick(await pit.snakes(), random)?.process);
      case 'kill-pit':
        return this.kill(await pit.daemon());
      case 'kill-session':
        return this.kill(await this.session());
      case 'kill-server':
        return this.kill(pit.processes().find(({ command }) => /^(\S*\/)?tmux .*start-server/.test(command))?.process);
      case 'stop-snake':
        return this.stop(pick(await pit.snakes(), random)?.process);
      case 'stop-pit':
        return this.stop(await pit.daemon());
      case 'stop-session':
        return this.stop(await this.session());
      case 'kill-cleanup': {
        const child = pit.start('cleanup');
        const exited = once(child, 'exit');
        await moment(random() * CLEANUP_MS);
        return killChild(child, exited);
      }
      case 'kill-all':
        return this.killAll(['cleanup']);
      case 'kill-all-reap':
        return this.killAll(['cleanup', '--only', 'reaper']);
    }
  }

  private async kill(victim: ProcessIdentity | undefined): Promise<string | undefined> {
    return victim !== undefined && (await this.pit.kill(victim)) ? String(victim.pid) : undefined;
  }

  private async stop(victim: ProcessIdentity | undefined): Promise<string | undefined> {
    if (victim === undefined) return undefined;
    await linuxProcesses.signal(victim, 'SIGSTOP');
    this.asleep.set(victim, performance.now() + this.random() * STOP_MS);
    return String(victim.pid);
  }

  /** The wrapper of a session that works. */
  private async session(): Promise<ProcessIdentity | undefined> {
    const { layout } = this.pit;
    const claim = pick(fs.readdirSync(layout.dir('claimed')), this.random)?.split('~');
    const runs = join(layout.runs, claim?.[1] ?? '-');
    const run = (fs.existsSync(runs) ? fs.readdirSync(runs) : []).find((name) => name.endsWith(`-${claim?.[3] ?? '-'}`));
    const file = join(runs, run ?? '-', 'session');
    return run !== undefined && fs.existsSync(file) ? parseSession(fs.readFileSync(file, 'utf8'), linuxProcesses.boot())?.leader : undefined;
  }

  /**
   * What only the reaper can mend: the pit and all snakes at once, with nobody to start them for longer than `adopt:`; then
   * cleanup runs, each but the last killed while it has something in reaping/. The reaper alone leaves nothing to the orphan hunter, which would mend
   * much of what a reaper leaves.
   */
  private async killAll(cleanup: readonly string[]): Promise<string> {
    const { pit, random } = this;
    this.keeper.asleep = true;
    await this.kill(await pit.daemon());
    let snakes = 0;
    for (const { process: snake } of await pit.snakes()) if (await pit.kill(snake)) snakes += 1;
    for (let round = 0; round < 2; round += 1) {
      const child = pit.start(...cleanup);
      const exited = once(child, 'exit');
      // Where nothing is to be reaped it looks at every worktree, with a git that hangs now and then.
      await until('a cleanup run reaps, or ends', () => child.exitCode !== null || child.signalCode !== null || pit.files('reaping').length > 0, 3 * PROGRESS_MS);
      await moment(random() * 60);
      await killChild(child, exited);
    }
    if (random() < 0.5) await pit.cli(...cleanup);
    this.keeper.asleep = false;
    return `${snakes} snakes`;
  }
}

async function killChild(child: ChildProcess, exited: Promise<unknown>): Promise<string | undefined> {
  if (child.exitCode === null) child.kill('SIGKILL');
  await exited;
  return child.signalCode === 'SIGKILL' ? String(child.pid) : undefined;
}

/** A deed by its weight. */
export function draw(weights: Readonly<Record<string, number>>, random: () => number): MonkeyDeed {
  let left = random() * Object.values(weights).reduce((sum, one) => sum + one, 0);
  for (const [deed, weight] of Object.entries(weights)) if ((left -= weight) < 0) return deed as MonkeyDeed;
  return 'kill-snake';
}

