import type { SnakeOrders } from './actors.js';
import type { Witness } from './witness.js';
import type { SimProcess, World } from './world.js';

const CHANCE_A_STEP = 0.012;

/** Breaks things between steps: kills, stops, orders, reboots; and starts again whatever was killed of ours, under its old name. */
export class Monkey {
  done = 0;
  private left: number;
  private readonly world: World;
  private readonly witness: Witness;
  private readonly orders = new Map<SimProcess, SnakeOrders>();

  constructor(world: World, witness: Witness, budget: number) {
    this.world = world;
    this.witness = witness;
    this.left = budget;
  }

  tracks(snake: SimProcess, orders: SnakeOrders): void {
    this.orders.set(snake, orders);
  }

  /** As the pit does with its snakes, and cron with the cleanup: some time later, under the same name. */
  restarts(startSnake: (name: string) => void, startJanitor: (name: string) => void): void {
    const before = this.world.onExit;
    this.world.onExit = (process) => {
      before(process);
      this.orders.delete(process);
      if (process.kind === 'snake') this.world.later(this.world.random.between(0, 3000), () => startSnake(process.name));
      if (process.kind === 'janitor') this.world.later(this.world.random.between(0, 3000), () => startJanitor(process.name));
    };
  }

  /** Possibly one fault. */
  maybe(): void {
    const { world } = this;
    const { random } = world;
    if (this.left === 0 || this.world.processes.length === 0 || !random.chance(CHANCE_A_STEP)) return;
    this.left -= 1;
    this.done += 1;
    const victim = this.victim();
    const kind = random.between(0, 99);
    if (kind < 2) {
      this.witness.losable = true;
      world.reboot();
    } else if (kind < 60) {
      this.kills(victim);
    } else if (kind < 85) {
      const ms = random.between(1, 8000);
      // A wrapper stopped for long between `started` and its record reads as killed there.
      if (victim.kind === 'wrapper') this.witness.losable = true;
      world.log(() => `STOP ${victim.kind} ${victim.name} for ${ms} ms`);
      victim.stoppedUntil = world.now + ms;
    } else {
      const snake = random.pick([...this.orders.keys()]);
      if (snake !== undefined) this.order(snake, random.chance(0.7));
    }
  }

  kills(victim: SimProcess): void {
    this.witness.losable = true;
    this.world.log(() => `KILL -9 ${victim.kind} ${victim.name}`);
    this.world.kill(victim);
  }

  /** Our own processes twice as often as theirs. */
  private victim(): SimProcess {
    const { processes, random } = this.world;
    const ours = processes.filter((one) => one.kind === 'snake' || one.kind === 'janitor');
    return ours.length > 0 && random.chance(0.4) ? random.pick(ours) : random.pick(processes);
  }

  /** Death, or an order to give back what it has. */
  troubles(snake: SimProcess): void {
    if (this.world.random.chance(0.6)) this.kills(snake);
    else this.order(snake, true);
  }

  private order(snake: SimProcess, release: boolean): void {
    const { world } = this;
    const orders = this.orders.get(snake);
    if (orders === undefined) return;
    orders.draining = true;
    if (release) {
      orders.release = true;
      this.witness.deferrable = true;
    }
    world.log(() => `${orders.release ? 'INT' : 'TERM'} to snake ${snake.name}`);
    const before = orders.changed;
    orders.changed = new AbortController();
    before.abort();
  }
}
