import { dirname, join } from 'node:path';
import { RUN_FILES } from '../../src/protocol/records.js';
import type { Launched, LaunchSpec } from '../../src/tmux/server.js';
import type { Files } from '../../src/lib/files.js';
import type { Disk } from './disk.js';
import { portsOf, type ProbeFaults } from './ports.js';
import type { Witness } from './witness.js';
import type { SimProcess, World } from './world.js';

/*
 * The agent's session. A *twin*, not the real thing: the wrapper is a shell script (src/agents/launcher.ts), and what runs
 * here is its steps written again, in the same order. A change there must be made here by hand; that the script itself keeps
 * this order is the business of the tests with a real shell.
 */

export interface TwinFaults extends ProbeFaults {
  /** tmux answers "unknown", late, never, or acts twice. */
  launchFaultChance: number;
  undeadChance: number;
  /** A snake that dies, or has to give its claim back, with its launch under way: the hardest case, so it happens more often than by chance. */
  troubleAfterLaunchChance: number;
  troubleAfterLaunch: (snake: SimProcess) => void;
}

export interface TwinSetting {
  readonly world: World;
  readonly disk: Disk;
  readonly witness: Witness;
  readonly claimedDir: string;
  readonly faults: TwinFaults;
  /** False only in a mutant. */
  readonly checksClaim: boolean;
}

/** tmux as a snake sees it: one step, after which the wrapper may exist soon, late, twice or never, whatever was answered. */
export function launchOf(twin: TwinSetting, me: SimProcess): (spec: LaunchSpec) => Promise<Launched> {
  const { world, faults } = twin;
  return (spec) =>
    world.step(me, `launches ${spec.session}`, (): Launched => {
      const { random } = world;
      const start = (delay: number): void => world.later(delay, () => void startWrapper(twin, spec), spec.env['SNAKEPIT_CLAIM']);
      const troubled = random.chance(faults.troubleAfterLaunchChance);
      if (troubled) world.later(random.between(0, 3), () => faults.troubleAfterLaunch(me));
      if (world.processes.some((one) => one.kind === 'wrapper' && one.name === spec.session)) return { kind: 'exists' };
      if (!random.chance(faults.launchFaultChance)) {
        start(troubled && random.chance(0.6) ? random.between(30, 5000) : random.between(0, 30));
        return { kind: 'launched' };
      }
      switch (random.between(0, 4)) {
        case 0:
          return { kind: 'gone' };
        case 1:
          return { kind: 'unknown', why: 'never happened' };
        case 2:
          start(random.between(0, 50));
          start(random.between(0, 50));
          return { kind: 'launched' };
        case 3:
          start(random.between(0, 50));
          return { kind: 'unknown', why: 'happened' };
        default:
          start(random.between(50, 30_000));
          return { kind: 'unknown', why: 'will happen' };
      }
    });
}

function startWrapper(twin: TwinSetting, spec: LaunchSpec): SimProcess {
  const marker = spec.env['SNAKEPIT_CLAIM'] ?? '';
  return twin.world.spawn({ kind: 'wrapper', name: spec.session, marker }, (me) => wrapper(twin, me, marker, spec.argv[1] ?? ''));
}

async function wrapper(twin: TwinSetting, me: SimProcess, marker: string, launcher: string): Promise<number> {
  const { world, disk } = twin;
  const { files } = portsOf(world, disk, me, twin.faults);
  const run = dirname(launcher);
  if (!(await files.exists(launcher))) return 2;
  for (let tries = 0; twin.checksClaim && !(await claimStands(files, twin.claimedDir, marker)); ) {
    tries += 1;
    if (tries >= 5) return 0;
    await world.sleep(me, 50);
  }
  const record = join(run, `.session.${me.identity.pid}`);
  await files.write(record, `${me.identity.pid} ${me.identity.start}\n`);
  if ((await files.makeDir(join(run, RUN_FILES.started))) === 'exists') {
    await files.remove(record);
    return 0;
  }
  await files.rename(record, join(run, RUN_FILES.session));
  await files.remove(launcher);
  me.ignoresTerm = true;
  const agent = await world.step(me, 'starts the agent', () => startAgent(twin, marker, run));
  const code = await world.waitForChild(me, agent);
  await files.write(join(run, RUN_FILES.exit), `${code} ${Math.floor(world.wallMs() / 1000)}\n`);
  return code;
}

/** The glob, then a look at each match: an adoption between the two is why the script tries again. */
async function claimStands(files: Files, claimedDir: string, marker: string): Promise<boolean> {
  for (const name of await files.list(claimedDir)) {
    if (name.includes(`~${marker}~`) && (await files.exists(join(claimedDir, name)))) return true;
  }
  return false;
}

/** An agent works for a while, says something or not, and ends well, badly or never, or asks a person and waits; one in four leaves a child behind. */
function startAgent(twin: TwinSetting, marker: string, run: string): SimProcess {
  const { world, disk, faults, witness } = twin;
  const { random } = world;
  const plan = { how: random.between(0, 9), ms: random.between(10, 2500), leavesOrphan: random.chance(0.25), asks: random.chance(0.12) };
  const agent = world.spawn({ kind: 'agent', name: marker, marker, ignoresTerm: random.chance(0.15) }, async (me) => {
    const { files } = portsOf(world, disk, me, faults);
    if (plan.how === 9) await world.sleep(me, 3_600_000);
    await world.sleep(me, plan.ms);
    if (plan.leavesOrphan) await world.step(me, 'leaves a child', () => startOrphan(twin, marker));
    if (plan.asks) {
      witness.asks(marker);
      const state = { kind: 'blocked-on-permission', source: 'pane', rule: 'twin', evidence: 'May I?' };
      // As the pit would write it of a dialog that has stood for long.
      await files.write(join(run, RUN_FILES.agent), JSON.stringify({ state, since: world.wallMs() - 10_000 }));
      await world.sleep(me, 3_600_000);
    }
    if (plan.how >= 7) return 1;
    if (plan.how >= 5) await files.write(join(run, RUN_FILES.result), JSON.stringify({ outcome: plan.how === 6 ? 'fail' : 'done', message: 'x' }));
    if (plan.how === 6) witness.saidFail(marker);
    return 0;
  });
  witness.agentStarted(agent);
  return agent;
}

function startOrphan(twin: TwinSetting, marker: string): void {
  const { world, faults } = twin;
  world.spawn({ kind: 'orphan', name: marker, marker, ignoresTerm: world.random.chance(0.3), undead: world.random.chance(faults.undeadChance) }, async (me) => {
    await world.sleep(me, 360_000_000);
    return 0;
  });
}
