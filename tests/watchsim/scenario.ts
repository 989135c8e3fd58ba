import type { Line } from './timeline.js';
import { World, type WorldPlan } from './world.js';

/** One story for the watchdog: what there is, what happens when, and for how long it is watched. */
export interface Scenario extends WorldPlan {
  readonly name: string;
  /** What is to be seen, in one sentence. */
  readonly about: string;
  /** Rows and faults of the requirements that it stands for. */
  readonly rows: readonly string[];
  /** What happens from outside, by virtual time. */
  readonly happens?: readonly (readonly [number, (world: World) => void])[];
  /** Virtual milliseconds. */
  readonly lasts: number;
}

export interface Played {
  readonly world: World;
  readonly lines: readonly Line[];
  /** Real milliseconds that it took. */
  readonly tookMs: number;
}

export async function play(scenario: Scenario): Promise<Played> {
  const from = performance.now();
  const world = new World(scenario);
  for (const [at, act] of scenario.happens ?? []) world.machine.after(at, () => act(world));
  await world.begin();
  await world.run(scenario.lasts);
  return { world, lines: world.lines, tookMs: performance.now() - from };
}

