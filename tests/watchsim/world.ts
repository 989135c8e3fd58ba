import { join } from 'node:path';
import { fileEventSink, type EventSink } from '../../src/events/event-log.js';
import type { PitEvent } from '../../src/events/event.js';
import type { PitLog } from '../../src/events/logger.js';
import type { Profiles } from '../../src/agents/choice.js';
import type { Config } from '../../src/config/config.js';
import type { ProcessIdentity } from '../../src/lib/processes.js';
import { openLiveConfig, type LiveConfig } from '../../src/pit/live-config.js';
import { newPitMemory, tick } from '../../src/pit/loop.js';
import type { PitPorts, PitSetting } from '../../src/pit/ports.js';
import { layoutOf, type QueueState } from '../../src/protocol/layout.js';
import { NO_COUNTERS, parseAny, parseClaim, printReady, printWaiting } from '../../src/protocol/names.js';
import { parseTask } from '../../src/protocol/parse-task.js';
import { parseJson } from '../../src/protocol/records.js';
import { parseDesired } from '../../src/protocol/snapshot.js';
import { DirectoryStore } from '../../src/queue/directory-store.js';
import { ensureLayout } from '../../src/queue/init.js';
import { registerSnake } from '../../src/runs/registry.js';
import { snakeLoop } from '../../src/snake/loop.js';
import type { Commands, SnakePorts, SnakeSetting } from '../../src/snake/ports.js';
import { take } from '../../src/lib/baton.js';
import { actorProfile } from '../rig/actor.js';
import { TreeDisk } from './disk.js';
import { Machine, type SimProcess } from './machine.js';
import { portsOf } from './ports.js';
import type { Script } from './script.js';
import { Session, type Stage } from './session.js';
import { lineOf, type Line } from './timeline.js';
import { SimTmux } from './tmux.js';

/*
 * The watchdog's simulator: the pit's real tick (intake, supervisor, reaper, watchdog, delivery) and the real snakes, over a machine,
 * a disk and a tmux in memory. Not real: the wrapper and the program (session.ts plays a script), what stands around the tick
 * in pit/main.ts (signals, watchers, going down), and the claim's log lines. Delivery is the real one, into a drawn screen.
 */

const LAYOUT = layoutOf('/sim');
const SPAWN_MS = 150;
const NONCE = '0123456789abcdefghijklmnopqrstuvwxyz';

export interface TaskPlan {
  /** Front matter, line by line. */
  readonly head?: readonly string[];
  /** By attempt; the last one repeats. */
  readonly scripts: readonly Script[];
  /** Of a workflow, by step and round: `review`, `review-r2`. */
  readonly steps?: Readonly<Record<string, Script>>;
  /** When it comes, milliseconds; default: at the beginning. */
  readonly comesAt?: number;
}

export interface WorldPlan {
  readonly snakes?: number;
  /** Lines of snakepit.yaml besides the agents' profiles. */
  readonly config?: readonly string[];
  readonly tasks: Readonly<Record<string, TaskPlan>>;
  /** Of tasks that nobody planned: those that templates make. */
  readonly fallback?: Script;
  /** Loaded before: reading fourteen profiles for each of hundreds of worlds takes long. */
  readonly loaded?: { readonly config: Config; readonly profiles: Profiles };
}

/** Besides the scripted agent in full screen: another of another provider, and one in print mode. */
const MORE_AGENTS = [
  ...actorProfile('spare'),
  '  printer:', '    extends: command', '    account: for-printer', '    headless:', "      argv: [cat, '{prompt-file}']", '      prompt: file', '      output: jsonl', '      rules:',
  '        - {id: stop, match: {event: stop}, state: finished, answer: answer}',
  '        - {id: limit, match: {event: limit}, state: usage-limited, reset: {path: reset, unit: epoch-s}}',
  "        - {id: works, match: {event: 'begins|works|prompt'}, state: working}",
];

/** A whole snakepit.yaml. */
export const configText = (lines: readonly string[]): string => ['agent: actor', ...lines, 'agents:', ...actorProfile(), ...MORE_AGENTS, ''].join('\n');

export class World {
  readonly machine = new Machine();
  readonly disk = new TreeDisk(this.machine.wallMs);
  readonly layout = LAYOUT;
  readonly lines: Line[] = [];
  /** Keys and texts that reached a pane, by task. */
  readonly typed: { readonly at: number; readonly id: string; readonly what: string }[] = [];
  readonly tmux: SimTmux;
  readonly limits: Stage['limits'] = new Map();
  launches = 0;
  /** Called at each event of the pit's, once it is written; and when a pit was killed. */
  onPitEvent: (event: PitEvent) => void = () => undefined;
  onPitDeath: () => void = () => undefined;
  private readonly plan: WorldPlan;
  private readonly all: Session[] = [];
  private pit: SimProcess | undefined;
  private nonces = 0;

  constructor(plan: WorldPlan) {
    this.plan = plan;
    const stage = {
      machine: this.machine, disk: this.disk, limits: this.limits,
      scriptOf: (id: string, attempt: number, step: string | undefined): Script => {
        const own = step === undefined ? undefined : plan.tasks[id]?.steps?.[step];
        if (own !== undefined) return own;
        const scripts = plan.tasks[id]?.scripts ?? [plan.fallback ?? [[{ mute: true as const }]]];
        return scripts[Math.min(attempt, scripts.length) - 1] ?? [];
      },
      tell: (id: string, action: string, evidence = ''): void => this.tell('agent', id, action, evidence),
    };
    this.tmux = new SimTmux(
      this.machine,
      (spec) => {
        this.launches += 1;
        const session = new Session(stage, spec);
        this.all.push(session);
        return session;
      },
      (session, what) => {
        this.typed.push({ at: this.machine.now, id: session.id, what });
        this.tell('keys', session.id, what.length > 90 ? `${what.slice(0, 90)}…` : what);
      },
    );
  }

  tell(who: string, about: string, what: string, evidence = ''): void {
    this.lines.push({ at: this.machine.now, who, about, what, rule: '', evidence });
  }

  /** The directory, the configuration, the tasks; then the pit. */
  async begin(): Promise<void> {
    const person = this.machine.spawn({ role: 'person', name: 'person' });
    const { files } = portsOf(this.machine, this.disk, person);
    // Reads its library when first used, which takes real time.
    await parseTask(Buffer.from('---\nid: a\n---\n# a\n'));
    await ensureLayout(files, LAYOUT);
    this.configure(this.plan.config ?? []);
    this.disk.write(LAYOUT.desired, `${JSON.stringify({ snakes: this.plan.snakes ?? 1, mode: 'run', generation: 0 })}\n`);
    for (const [id, task] of Object.entries(this.plan.tasks)) {
      if (task.comesAt === undefined) this.put(id, task);
      else this.machine.after(task.comesAt, () => this.put(id, task));
    }
    this.startPit();
  }

  /** Writes snakepit.yaml anew; the pit sees it at its next tick. */
  configure(lines: readonly string[]): void {
    this.disk.write(LAYOUT.configFile, configText(lines));
  }

  /** It sleeps, or its clock is set: only the wall clock moves. */
  sleepMachine(ms: number): void {
    this.machine.jump(ms);
    this.tell('machine', '', 'clock', `${ms > 0 ? '+' : ''}${Math.round(ms / 60_000)} min`);
  }

  /** Somebody is attached and presses a key that changes nothing. */
  personTypes(id: string): void {
    const session = this.session(id);
    if (session !== undefined) session.screen.person = this.machine.wallMs();
  }

  /** A person writes a file, by its path in the pit's directory. */
  write(path: string, text: string): void {
    this.disk.makeDir(join(LAYOUT.root, path, '..'));
    this.disk.write(join(LAYOUT.root, path), text);
    this.tell('person', '', `writes ${path}`);
  }

  desire(snakes: number): void {
    this.disk.write(LAYOUT.desired, `${JSON.stringify({ snakes, mode: 'run', generation: 0 })}\n`);
    this.tell('person', '', `wants ${snakes} snakes`);
  }

  private put(id: string, { head = [] }: TaskPlan): void {
    const name = { id, place: { priority: 50, arrivedAt: this.machine.wallMs() }, counters: NO_COUNTERS };
    this.disk.write(join(LAYOUT.dir('ready'), printReady(name)), `${head.length === 0 ? '' : `---\n${head.join('\n')}\n---\n`}# ${id}\n\nPlease work.\n`);
  }

  run(ms: number): Promise<void> {
    return this.machine.run(this.machine.now + ms);
  }

  /** kill -9, and a new one some seconds later. */
  restartPit(afterMs = 3000): void {
    this.killPit();
    this.machine.after(afterMs, () => this.startPit());
  }

  /** kill -9. */
  killPit(): void {
    if (this.pit?.alive === true) this.machine.end(this.pit);
  }

  /** kill -9 in the middle of a port call, so many calls from now. */
  killPitAfter(calls: number): void {
    if (this.pit !== undefined) this.pit.callsLeft = calls;
  }

  get pitLives(): boolean {
    return this.pit?.alive === true;
  }

  killSnake(name: string): void {
    for (const one of this.machine.processes.filter(({ role, name: of }) => role === 'snake' && of === name)) {
      this.machine.end(one);
      this.tell('machine', name, 'kill -9');
    }
  }

  startPit(): void {
    const me = this.machine.spawn({ role: 'pit', name: 'pit' });
    void this.runPit(me).catch((cause: unknown) => this.tell('pit', '', `BROKEN ${cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)}`));
  }

  session(id: string): Session | undefined {
    return this.all.findLast((one) => one.id === id);
  }

  /** Where a task lies, by directory. */
  placeOf(id: string): QueueState | undefined {
    const states: readonly QueueState[] = ['ready', 'waiting', 'held', 'claimed', 'reaping', 'stuck', 'needs', 'done', 'failed'];
    return states.find((state) => this.disk.list(LAYOUT.dir(state)).some((name) => name === `${id}.md` || parseAny(name)?.id === id || parseClaim(name)?.id === id));
  }

  /** Puts a waiting task's time off or forward, as a person would with mv. */
  dueNow(id: string): void {
    const from = this.disk.list(LAYOUT.dir('waiting')).find((name) => name.includes(`~${id}~`));
    const name = from === undefined ? undefined : parseAny(from);
    if (from !== undefined && name !== undefined) this.disk.rename(join(LAYOUT.dir('waiting'), from), join(LAYOUT.dir('waiting'), printWaiting({ ...name, dueAt: this.machine.wallMs() })));
  }

  private eventsOf(me: SimProcess): EventSink {
    const ports = portsOf(this.machine, this.disk, me);
    const sink = fileEventSink(ports.files, ports.clock, LAYOUT.events);
    return {
      emit: async (event: PitEvent) => {
        await sink.emit(event);
        this.lines.push(lineOf(this.machine.now, me.role === 'pit' ? 'pit' : me.name, event));
        if (me.role === 'pit') this.onPitEvent(event);
      },
    };
  }

  private async runPit(me: SimProcess): Promise<void> {
    const { machine } = this;
    const own = portsOf(machine, this.disk, me);
    if ((await take(own.files, own.processes, LAYOUT.locks.pit)).kind === 'held') {
      this.tell('pit', 'pit', 'gives way', 'another pit has this directory');
      return machine.end(me);
    }
    me.onEnd = () => {
      this.tell('machine', 'pit', 'kill -9');
      this.onPitDeath();
    };
    this.pit = me;
    const log: PitLog = { info: () => undefined, warn: (message) => this.tell('pit', '', message), error: (message) => this.tell('pit', '', message), close: () => Promise.resolve() };
    const ports: PitPorts = {
      ...own, events: this.eventsOf(me), log, tmux: this.tmux.of(me), wake: () => undefined,
      spawnSnake: (_setting, snake) => (me.alive ? this.spawnSnake(snake) : undefined),
    };
    const live = this.plan.loaded === undefined ? await openLiveConfig(ports, LAYOUT, {}) : await fixedConfig(ports, this.plan.loaded);
    const desired = parseDesired(parseJson(await own.files.read(LAYOUT.desired))) ?? { snakes: 1, mode: 'run' as const, generation: 0 };
    const memory = newPitMemory(desired);
    const setting: PitSetting = { layout: LAYOUT, pitId: 'sim', startedAt: machine.wallMs(), snakeEnv: {}, config: () => live.current(), slots: () => memory.slots, residents: { layout: LAYOUT, pitId: 'sim', outerEnv: { HOME: '/home' }, asRoot: false, viewer: [] } };
    for (;;) await own.clock.sleep((await tick(ports, setting, memory, live)).nextMs);
  }

  private spawnSnake(snake: string): ProcessIdentity {
    const me = this.machine.spawn({ role: 'snake', name: snake });
    this.machine.after(SPAWN_MS, () => void this.runSnake(me).catch((cause: unknown) => this.tell(snake, '', `BROKEN ${cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)}`)), me);
    return me.identity;
  }

  /** As snake/main.ts does, signals and all. */
  private async runSnake(me: SimProcess): Promise<void> {
    const { machine, disk } = this;
    const own = portsOf(machine, disk, me);
    const registered = await registerSnake(own.files, own.processes, LAYOUT, me.name);
    if (registered.kind === 'taken') return machine.end(me);
    let changed = new AbortController();
    const orders = { draining: false, release: false };
    me.onSignal = (signal) => {
      orders.draining = true;
      orders.release ||= signal === 'SIGINT';
      changed.abort();
      changed = new AbortController();
    };
    const store = new DirectoryStore(LAYOUT, { ...own, newNonce: () => this.nonce(), watch: (dir, tell) => disk.watch(dir, (name) => (me.alive ? tell(name) : undefined)) });
    const ports: SnakePorts = {
      ...own, events: this.eventsOf(me), store, tmux: this.tmux.of(me),
      verify: (command) => Promise.resolve({ command, code: 0, tail: [] }),
      waitForChange: async (dir, ms, enough) => {
        const touched = new AbortController();
        const unwatch = disk.watch(dir, () => touched.abort());
        await machine.sleep(me, ms, touched.signal, changed.signal, enough);
        unwatch();
      },
    };
    const read = cached(disk);
    const setting: SnakeSetting = {
      layout: LAYOUT, pitId: 'sim', outerEnv: { HOME: '/home', SNAKEPIT_TASK_ID: 'stale' }, asRoot: false, newSession: () => this.nonce(), viewer: [], owner: { snake: me.name, ...me.identity },
      get config() {
        return read<Config>(LAYOUT.activeConfig) as Config;
      },
      profiles: () => Promise.resolve(read<Profiles>(LAYOUT.agents) as Profiles),
    };
    const commands: Commands = {
      get draining() {
        return orders.draining;
      },
      get orders() {
        return { release: orders.release };
      },
      get changed() {
        return changed.signal;
      },
      mayClaim: () => true,
    };
    await snakeLoop(ports, setting, commands);
    await registered.leave();
    machine.end(me);
  }

  /** The same in every run, so that a run can be played again. */
  private nonce(): string {
    this.nonces += 1;
    let rest = this.nonces;
    let text = '';
    while (text.length < 10) {
      text = `${NONCE[rest % 36] ?? '0'}${text}`;
      rest = Math.floor(rest / 36);
    }
    return text;
  }
}

function cached(disk: TreeDisk): <T>(path: string) => T | undefined {
  const known = new Map<string, { readonly text: string; readonly value: unknown }>();
  return <T>(path: string) => {
    const text = disk.text(path);
    const before = known.get(path);
    if (text !== undefined && before?.text !== text) known.set(path, { text, value: parseJson(text) });
    return known.get(path)?.value as T | undefined;
  };
}

async function fixedConfig({ files }: Pick<PitPorts, 'files'>, { config, profiles }: NonNullable<WorldPlan['loaded']>): Promise<LiveConfig> {
  await files.write(LAYOUT.agents, JSON.stringify(profiles));
  await files.write(LAYOUT.activeConfig, JSON.stringify(config));
  return { current: () => config, profiles: () => profiles, pings: () => [], problem: () => undefined, refresh: () => Promise.resolve() };
}
