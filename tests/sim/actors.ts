import { basename } from 'node:path';
import { profileSchema } from '../../src/agents/profile.js';
import { endDependent } from '../../src/runs/never.js';
import { missingTexts, publishMissing } from '../../src/runs/publish.js';
import { execute, plan } from '../../src/cleanup/reaper.js';
import type { CleanupPorts, CleanupSetting } from '../../src/cleanup/ports.js';
import type { Config } from '../../src/config/config.js';
import type { Layout } from '../../src/protocol/layout.js';
import { DirectoryStore, type DirectoryStorePorts } from '../../src/queue/directory-store.js';
import { beginRound, takeIn } from '../../src/queue/intake.js';
import { listState } from '../../src/queue/locate.js';
import { putAwayQuestions } from '../../src/queue/stray-stories.js';
import { parkedAttempt, writeAnswer } from '../../src/runs/answers.js';
import { promoteWaiting, type NeedsMemory } from '../../src/queue/promote.js';
import type { QueueStore } from '../../src/queue/store.js';
import { snakeLoop } from '../../src/snake/loop.js';
import type { Commands, SnakePorts, SnakeSetting } from '../../src/snake/ports.js';
import type { Disk } from './disk.js';
import { portsOf, type SimPorts } from './ports.js';
import { launchOf, type TwinSetting } from './session-twin.js';
import type { SimProcess, World } from './world.js';

/** Where a planted bug may take the place of a part; left out: the real thing. */
export interface Mutant {
  readonly name: string;
  /** Ports of every snake and janitor. */
  readonly anyPorts?: (ports: SimPorts, layout: Layout) => SimPorts;
  readonly reaperPorts?: (ports: CleanupPorts, layout: Layout) => CleanupPorts;
  readonly makeStore?: (layout: Layout, ports: DirectoryStorePorts) => QueueStore;
  readonly wrapperChecksClaim?: false;
}

/** Short times: a schedule is a few virtual minutes. */
export const SIM_CONFIG: Config = {
  snakes: 2, agent: 'shell', workspace: 'scratch', workflow: 'solo', repo: '.', base: 'HEAD', guard: 'off', merge: 'none', into: '', fixRounds: 2, coAuthors: [], push: { remote: '', branches: [] },
  policy: { allow: [], deny: [], 'max-added': null, 'max-removed': null, 'max-files': null, binaries: 'allow', secrets: 'deny' }, timeoutMs: 4000, attempts: 2, losses: 3, deferrals: 50, asks: 10,
  backoff: { firstMs: 200, factor: 2, maxMs: 1000 },
  settleMs: 300, maxTaskBytes: 65_536, heartbeatMs: 2000, tickMs: 500, rescanMs: 4000, graceMs: 100, adoptMs: 2000, cleanupMs: 300_000, keepMs: 1e12, keepLogsMs: 1e12, keepWorktreesMs: 1e12, eventLog: { bytes: 1e12, everyMs: 1e12, keepMs: 1e12 }, verifyTimeoutMs: 1000, setup: [], setupTimeoutMs: 1000, setupCache: { paths: [], key: [], keepMs: 1e12, bytes: 0 }, sessionUmask: '022', minFreeBytes: 0, diskBytes: 0,
  toss: { depth: 0, perTask: 0, commands: false }, env: [], agents: {}, residents: {}, specialists: {}, heal: { restarts: 5, pool: 20, windowMs: 600_000, firstMs: 1000, maxMs: 300_000, openMs: 600_000 }, startupMs: 60_000, signalMs: 60_000, retryMs: 60_000, stallMs: 600_000, nudgeMs: 300_000, nudges: 2, waitCapMs: 3_600_000, pings: [], hooks: [], quiet: [], pingKeepMs: 3_600_000, budget: { day: {}, pit: {} }, prices: [], priceLists: [],
  breaker: { floorMs: 30_000, marginMs: 45_000, firstMs: 60_000, maxMs: 1_800_000, staggerMs: 2000, releaseMs: 60_000, failures: 5 },
};

/** The shell profile, as profiles/shell.yaml has it. */
export const SHELL = profileSchema.parse({ profile: 1, name: 'shell', title: 'shell', binary: 'sh', install: '', account: 'none', headless: { argv: ['{interpreter}', '{script}'], prompt: 'blocks', output: 'text' } });

export interface Stage {
  readonly world: World;
  readonly disk: Disk;
  readonly layout: Layout;
  readonly twin: TwinSetting;
  readonly mutant: Mutant | undefined;
}

/** Commands that a fault may give to a snake: `down`, or `down --now`. */
export interface SnakeOrders {
  draining: boolean;
  release: boolean;
  changed: AbortController;
}

/** A snake: the real loop, over the real store. It ends when it is told to. */
export async function runSnake(stage: Stage, me: SimProcess, orders: SnakeOrders): Promise<number> {
  const { world, disk, layout, twin, mutant } = stage;
  const plain = portsOf(world, disk, me, twin.faults);
  const sim = mutant?.anyPorts?.(plain, layout) ?? plain;
  const storePorts: DirectoryStorePorts = { ...sim, newNonce: () => nonce(world), watch: () => () => undefined };
  const ports: SnakePorts = {
    ...sim,
    store: mutant?.makeStore?.(layout, storePorts) ?? new DirectoryStore(layout, storePorts),
    tmux: { launch: launchOf(twin, me) },
    verify: () => Promise.reject(new Error('tasks of the simulation have no verify: commands')),
    waitForChange: (dir, ms) => world.sleep(me, ms, { signal: orders.changed.signal, watching: dir }),
  };
  const setting: SnakeSetting = { layout, config: SIM_CONFIG, owner: { snake: me.name, ...me.identity }, pitId: 'sim', outerEnv: {}, asRoot: false, newSession: () => 'none', viewer: [], profiles: () => Promise.resolve({ shell: SHELL }) };
  const commands: Commands = {
    get draining() {
      return orders.draining;
    },
    get orders() {
      return { release: orders.release };
    },
    get changed() {
      return orders.changed.signal;
    },
    mayClaim: () => true,
  };
  await snakeLoop(ports, setting, commands);
  return 0;
}

/**
 * A janitor: what the pit and `snakepit cleanup` do for the queue, again and again: reap, promote, write missing stories.
 * Several may run at once: the cleanup lock is left out, so that the protocol must hold without it.
 */
export async function runJanitor(stage: Stage, me: SimProcess): Promise<number> {
  const { world, disk, layout, twin, mutant } = stage;
  const plain = portsOf(world, disk, me, twin.faults);
  const ports = mutant?.anyPorts?.(plain, layout) ?? plain;
  const successor: CleanupSetting['successor'] = () => world.random.pick(['refused', 'refused', 'possible', 'expected']);
  const needs: NeedsMemory = new Map();
  for (;;) {
    const reaping = mutant?.reaperPorts?.(ports, layout) ?? ports;
    const setting: CleanupSetting = { layout, config: SIM_CONFIG, successor, pitId: 'sim', residents: async () => [], thorough: false };
    await execute(reaping, setting, await plan(reaping, setting));
    for (const one of await promoteWaiting(ports, layout, needs)) await endDependent(ports, layout, one.id, one.why);
    await publishMissing(ports.files, layout, await missingTexts(ports.files, layout));
    if (world.random.chance(0.5)) await answerAll(ports, layout);
    await world.sleep(me, world.random.between(100, 1500));
  }
}

function nonce(world: World): string {
  return Array.from({ length: 10 }, () => world.random.between(0, 35).toString(36)).join('');
}

/** A person who answers whatever is asked, as `snakepit answer` does; several at once, without the intake lock. */
async function answerAll(ports: SimPorts, layout: Layout): Promise<void> {
  for (const task of await listState(ports.files, layout, 'needs')) {
    const asked = await parkedAttempt(ports.files, layout, task.id);
    if (asked !== undefined) await writeAnswer(ports.files, asked, 'yes');
    const round = await beginRound(ports.files, layout);
    await takeIn(ports, layout, round, layout.dir('needs'), Buffer.from(basename(task.file)), SIM_CONFIG.maxTaskBytes);
  }
  await putAwayQuestions(ports.files, layout, ports.clock.wallMs());
}
