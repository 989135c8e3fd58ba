import * as fs from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type * as add from '../../src/cli/commands/add.js';
import type * as answer from '../../src/cli/commands/answer.js';
import type * as moves from '../../src/cli/commands/moves.js';
import type * as reaper from '../../src/cleanup/reaper.js';
import type { Context } from '../../src/cli/context.js';
import type * as directoryStore from '../../src/queue/directory-store.js';
import type * as drops from '../../src/queue/drops.js';
import type * as init from '../../src/queue/init.js';
import type * as intake from '../../src/queue/intake.js';
import type * as promote from '../../src/queue/promote.js';
import type * as never from '../../src/runs/never.js';
import type * as snakeLoop from '../../src/snake/loop.js';
import type { Config } from '../../src/config/config.js';
import { newNonce } from '../../src/lib/ids.js';
import type { ProcessIdentity } from '../../src/lib/processes.js';
import type { Claim } from '../../src/queue/store.js';
import type { SnakePorts, SnakeSetting } from '../../src/snake/ports.js';
import { SHELL, SIM_CONFIG } from '../sim/actors.js';
import { Died, Waits, World, type Snake } from './queue-model-world.js';
import { BACKOFF_MS, LOSSES } from './queue-model-state.js';

/** The code under test: the real modules, or those of a copy with a planted fault. */
export type Protocol = typeof add & typeof answer & typeof moves & typeof reaper & typeof directoryStore & typeof drops & typeof init & typeof intake & typeof promote & typeof never & typeof snakeLoop;

const MODULES = ['cli/commands/add', 'cli/commands/answer', 'cli/commands/moves', 'cleanup/reaper', 'queue/directory-store', 'queue/drops', 'queue/init', 'queue/intake', 'queue/promote', 'runs/never', 'snake/loop'] as const;

export async function protocolFrom(dist: string): Promise<Protocol> {
  const parts = await Promise.all(MODULES.map((name) => import(/* @vite-ignore */ pathToFileURL(join(dist, `${name}.js`)).href) as Promise<object>));
  return Object.assign({}, ...parts) as Protocol;
}

export const CONFIG: Config = { ...SIM_CONFIG, timeoutMs: 1e9, losses: LOSSES, asks: 1000, settleMs: 300, adoptMs: 2000, backoff: { firstMs: BACKOFF_MS, factor: 1, maxMs: BACKOFF_MS } };

/** A snake with its own store and the claims it believes to hold; what it remembers dies with it. */
interface Body extends Snake {
  claims: Claim[];
  store: directoryStore.DirectoryStore | undefined;
  tell: (name: string) => void;
}

/** One directory, its actors, and the real code between them. Each call is one command of the model. */
export class Bench {
  readonly world = new World();
  readonly snakes: Body[];
  private readonly protocol: Protocol;
  private readonly dropMemory: drops.DropMemory = new Map();
  private readonly needs: promote.NeedsMemory = new Map();

  constructor(protocol: Protocol, snakes: number) {
    this.protocol = protocol;
    this.snakes = Array.from({ length: snakes }, (_, index) => ({ name: `s${index + 1}`, process: this.world.spawn(), stopped: false, claims: [], store: undefined, tell: () => undefined }));
  }

  async found(): Promise<void> {
    await this.protocol.ensureLayout(this.world.files(undefined, () => undefined), this.world.layout);
  }

  dispose(): void {
    for (const { store } of this.snakes) store?.close();
    this.world.dispose();
  }

  /** The ports of an actor who dies at the k-th change. */
  private ports(self: ProcessIdentity, diesAt: number | undefined): Omit<Context, 'layout'> {
    const { world } = this;
    return { files: world.files(diesAt, () => world.living.delete(self.pid)), clock: world.clock, processes: world.processes(self), events: { emit: async () => undefined } };
  }

  private async asPerson<T>(diesAt: number | undefined, act: (context: Context) => Promise<T>): Promise<T> {
    const self = this.world.spawn();
    try {
      return await act({ layout: this.world.layout, ...this.ports(self, diesAt) });
    } finally {
      this.world.living.delete(self.pid);
    }
  }

  async add(diesAt: number | undefined, text: string): Promise<void> {
    const { checkTask } = this.protocol;
    const checked = await checkTask(Buffer.from(text), CONFIG.maxTaskBytes);
    if (!checked.ok) throw new Error(checked.error.problem);
    await this.asPerson(diesAt, (context) => this.protocol.putInLine(context, checked.value, Buffer.from(text), 'x.md', Buffer.from('x.md')));
  }

  /** `what` as `snakepit retry NAME` does it, and so on. */
  async person(what: 'retry' | 'rerun' | 'hold' | 'release' | 'cancel' | 'answer', name: string, diesAt: number | undefined): Promise<void> {
    const { retryOne, rerunOne, holdOne, releaseOne, cancelOne, answerOne } = this.protocol;
    const acts: Readonly<Record<typeof what, (context: Context, name: string) => Promise<unknown>>> = { retry: retryOne, rerun: rerunOne, hold: holdOne, release: releaseOne, cancel: cancelOne, answer: (context: Context, id: string) => answerOne(context, id, 'yes') };
    await this.asPerson(diesAt, (context) => acts[what](context, name));
  }

  /** The pit looks at its drop zones, long enough after the last drop. */
  async look(diesAt: number | undefined): Promise<void> {
    this.world.pass(CONFIG.settleMs + 1);
    await this.asPerson(diesAt, (context) => this.protocol.takeInDrops(context, this.world.layout, this.dropMemory, CONFIG));
  }

  async promote(diesAt: number | undefined): Promise<void> {
    await this.asPerson(diesAt, async (context) => {
      for (const one of await this.protocol.promoteWaiting(context, this.world.layout, this.needs)) await this.protocol.endDependent(context, this.world.layout, one.id, one.why);
    });
  }

  async reap(diesAt: number | undefined, successor: 'refused' | 'possible' | 'expected'): Promise<void> {
    await this.asPerson(diesAt, async (context) => {
      const setting = { layout: this.world.layout, config: CONFIG, successor: () => successor, pitId: 'model', residents: async () => [], thorough: false };
      await this.protocol.execute(context, setting, await this.protocol.plan(context, setting));
    });
  }

  /** Runs as this snake; its death takes all that it remembers. */
  private async asSnake<T>(snake: Body, diesAt: number | undefined, act: (ports: SnakePorts) => Promise<T>): Promise<T> {
    const { world } = this;
    const { layout } = world;
    const ports = this.ports(snake.process, diesAt);
    const make = (heard: (tell: (name: string | undefined) => void) => void): directoryStore.DirectoryStore => new this.protocol.DirectoryStore(layout, { ...ports, newNonce, watch: (_dir, changed) => (heard(changed), () => undefined) });
    // What a store remembers of the line is kept; a call that may die has files of its own, and so a store of its own.
    const tell = (changed: Body['tell']): void => void (snake.tell = changed);
    const used = diesAt === undefined ? (snake.store ??= make(tell)) : make(() => undefined);
    const all: SnakePorts = {
      ...ports, store: used,
      tmux: { launch: async ({ env, argv }) => (world.launch(env['SNAKEPIT_CLAIM'] ?? '', join(argv[1] ?? '', '..')), { kind: 'launched' }) },
      verify: () => Promise.reject(new Error('no task of the model has checks')),
      waitForChange: async () => {
        throw new Waits('its session runs');
      },
    };
    try {
      return await act(all);
    } catch (cause) {
      if (cause instanceof Died) this.kill(snake);
      throw cause;
    }
  }

  kill(snake: Body): void {
    this.world.living.delete(snake.process.pid);
    snake.store?.close();
    Object.assign(snake, { claims: [], store: undefined, stopped: false });
  }

  readonly lives = (snake: Body): boolean => this.world.living.has(snake.process.pid);

  /** A new snake of that name takes up what its dead namesake left. */
  async respawn(snake: Body, diesAt: number | undefined): Promise<void> {
    snake.process = this.world.spawn();
    snake.claims = await this.asSnake(snake, diesAt, ({ store }) => store.adopt({ snake: snake.name, ...snake.process }));
  }

  async claim(snake: Body, diesAt: number | undefined, told: boolean): Promise<string> {
    this.world.pass(300);
    return this.asSnake(snake, diesAt, async ({ store }) => {
      if (told && diesAt === undefined) for (const name of fs.readdirSync(this.world.layout.dir('ready'))) snake.tell(name);
      const claimed = await store.claim({ snake: snake.name, ...snake.process });
      if (claimed.kind === 'claimed') snake.claims.push(claimed.claim);
      return claimed.kind;
    });
  }

  /** One claim, until its session would have to be waited for, or to its end. */
  async work(snake: Body, claim: Claim, diesAt: number | undefined): Promise<'waits' | 'over'> {
    const setting: SnakeSetting = { layout: this.world.layout, config: CONFIG, owner: { snake: snake.name, ...snake.process }, pitId: 'model', outerEnv: {}, asRoot: false, newSession: () => 'none', viewer: [], profiles: async () => ({ shell: SHELL }) };
    const commands = { draining: false, orders: { release: false }, changed: new AbortController().signal, mayClaim: () => true };
    try {
      await this.asSnake(snake, diesAt, (ports) => this.protocol.workClaim(ports, setting, claim, commands));
    } catch (cause) {
      if (cause instanceof Waits) return 'waits';
      throw cause;
    }
    snake.claims = snake.claims.filter((one) => one !== claim);
    return 'over';
  }
}
