import { join } from 'node:path';
import { layoutOf, QUEUE_STATES } from '../../src/protocol/layout.js';
import { NO_COUNTERS, printReady } from '../../src/protocol/names.js';
import { runJanitor, runSnake, SIM_CONFIG, type Mutant, type SnakeOrders, type Stage } from './actors.js';
import { Disk } from './disk.js';
import { Monkey } from './monkey.js';
import type { TwinFaults } from './session-twin.js';
import { Witness } from './witness.js';
import { World } from './world.js';

const LAYOUT = layoutOf('/sim');
/** From here on nothing is broken any more, and everything has to come to its end. */
const FAULTY_STEPS = 900;
const MOST_STEPS = 60_000;
/** How long after the last task's end a late launch may still look about and leave. */
const AFTERGLOW_MS = 35_000;

export interface Verdict {
  readonly seed: number;
  readonly violation: string | undefined;
  readonly steps: number;
  readonly faults: number;
  readonly trace: readonly string[];
}

/** One schedule, wholly determined by its seed. */
export async function runSchedule(seed: number, options: { mutant?: Mutant | undefined; traced?: boolean } = {}): Promise<Verdict> {
  const world = new World(seed, options.traced === true);
  const { random } = world;
  const disk = new Disk();
  for (const state of QUEUE_STATES) disk.makeDir(LAYOUT.dir(state), 0);
  disk.makeDir(LAYOUT.runs, 0);
  const ids = ['t1', 't2', 't3'].slice(0, random.between(1, 3));
  for (const [index, id] of ids.entries()) {
    disk.write(join(LAYOUT.dir('ready'), printReady({ id, place: { priority: 50, arrivedAt: world.wallMs() + index }, counters: NO_COUNTERS })), `# ${id}\n\n\`\`\`sh\ntrue\n\`\`\`\n`, world.wallMs());
  }
  const witness = new Witness(world, disk, LAYOUT, ids, SIM_CONFIG.timeoutMs);
  const rough = random.chance(0.8);
  const faults: TwinFaults = { unknownChance: rough ? 0.01 : 0, launchFaultChance: rough ? 0.25 : 0, undeadChance: rough ? 0.01 : 0, troubleAfterLaunchChance: rough ? 0.25 : 0, troubleAfterLaunch: (snake) => monkey.troubles(snake) };
  const twin = { world, disk, witness, claimedDir: LAYOUT.dir('claimed'), faults, checksClaim: options.mutant?.wrapperChecksClaim !== false };
  const stage: Stage = { world, disk, layout: LAYOUT, twin, mutant: options.mutant };
  const startSnake = (name: string): void => {
    const orders: SnakeOrders = { draining: false, release: false, changed: new AbortController() };
    const process = world.spawn({ kind: 'snake', name }, (me) => runSnake(stage, me, orders));
    monkey.tracks(process, orders);
  };
  const startJanitor = (name: string): void => void world.spawn({ kind: 'janitor', name }, (me) => runJanitor(stage, me));
  const monkey = new Monkey(world, witness, rough ? random.between(1, 6) : 0);

  const snakes = random.between(2, 3);
  for (let number = 1; number <= snakes; number += 1) startSnake(`s${number}`);
  startJanitor('j1');
  if (random.chance(0.5)) startJanitor('j2');
  monkey.restarts(startSnake, startJanitor);
  await world.settle();

  let endedAt: number | undefined;
  while (world.violation === undefined) {
    if (world.steps < FAULTY_STEPS) monkey.maybe();
    else Object.assign(faults, { unknownChance: 0, launchFaultChance: 0, undeadChance: 0, troubleAfterLaunchChance: 0 });
    await world.advance();
    witness.undead ||= world.processes.some((one) => one.undead === true);
    if (world.steps % 16 === 0 || endedAt !== undefined) {
      endedAt = witness.allEnded() ? (endedAt ?? world.now) : undefined;
      if (endedAt !== undefined && world.timersLeft === 0 && witness.leftovers().length === 0) break;
      if (endedAt !== undefined && world.now > endedAt + AFTERGLOW_MS) world.violate(`all tasks have ended, and these live: ${witness.leftovers().map((one) => `${one.kind} of ${one.marker ?? ''}`).join(', ')}`);
    }
    if (world.steps > MOST_STEPS) world.violate(`it comes to no end: ${ids.map((id) => `${id} in ${witness.places(id).join()}`).join(', ')}`);
  }
  return { seed, violation: world.violation, steps: world.steps, faults: monkey.done, trace: world.trace ?? [] };
}
