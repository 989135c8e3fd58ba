import type { ProcessIdentity } from '../../src/lib/processes.js';
import { Random } from './random.js';

/*
 * The simulated machine: a process table, virtual time, and one scheduler.
 *
 * A simulated process is an async function. Each call that it makes on a port is one *step*: it parks, and nothing happens
 * until the scheduler picks it; then its effect takes place at once, and the process runs on until its next port call.
 * Between two steps any process may be killed (its promise is never resolved: its code just stops there, like the code of a
 * process after SIGKILL), stopped for a while, or the whole machine be started anew.
 *
 * Not modelled: parts of one port call (a write is whole or absent), memory shared by anything, clocks that differ or jump.
 */

export type ProcessKind = 'snake' | 'janitor' | 'wrapper' | 'agent' | 'orphan';

interface Sleep {
  readonly kind: 'sleep';
  until: number;
  readonly watching: string | undefined;
  readonly resolve: (value: unknown) => void;
}

type Parked =
  | { readonly kind: 'step'; readonly what: string; readonly effect: () => unknown; readonly resolve: (value: unknown) => void; readonly reject: (cause: unknown) => void }
  | Sleep
  | { readonly kind: 'child'; readonly child: SimProcess; readonly resolve: (value: unknown) => void };

export interface SpawnSpec {
  readonly kind: ProcessKind;
  readonly name: string;
  /** The claim marker in its environment; undefined for our own processes. */
  readonly marker?: string;
  readonly ignoresTerm?: boolean;
  /** In uninterruptible sleep for ever: no signal ends it. */
  readonly undead?: boolean;
}

export interface SimProcess extends SpawnSpec {
  readonly identity: ProcessIdentity;
  ignoresTerm: boolean;
  alive: boolean;
  /** The shell's status, once it has ended. */
  code: number;
  stoppedUntil: number;
  termPending: boolean;
  parked: Parked | undefined;
}

const FIRST_BOOT = 0x6fd0c2e1;
const KILLED = 137;
const TERMED = 143;
const DRAIN_TICKS = 5000;
/** 2026-01-01; any instant will do. */
const EPOCH_MS = 1_767_225_600_000;

export class World {
  readonly random: Random;
  /** Virtual milliseconds since the schedule began; goes on over reboots. */
  now = 0;
  steps = 0;
  violation: string | undefined;
  processes: SimProcess[] = [];
  /** Filled only for replay. */
  readonly trace: string[] | undefined;
  onExit: (process: SimProcess) => void = () => undefined;
  private timers: { at: number; readonly launchOf: string | undefined; readonly act: () => void }[] = [];
  private bootedAt = 0;
  private bootNumber = FIRST_BOOT;
  private starts = 100;
  private running = 0;
  private favourite: SimProcess | undefined;

  constructor(seed: number, traced: boolean) {
    this.random = new Random(seed);
    this.trace = traced ? [] : undefined;
  }

  get boot(): string {
    return this.bootNumber.toString(16).padStart(8, '0');
  }
  wallMs = (): number => EPOCH_MS + this.now;
  monoMs = (): number => this.now - this.bootedAt;

  log(line: () => string): void {
    this.trace?.push(`${String(this.now).padStart(7)} ${line()}`);
  }

  /** The first violation ends the schedule. */
  violate(what: string): void {
    this.log(() => `VIOLATION ${what}`);
    this.violation ??= what;
  }

  /** `launchOf`: a launch that tmux still has before it, for this marker; a reboot forgets it. */
  later(ms: number, act: () => void, launchOf?: string): void {
    this.timers.push({ at: this.now + ms, launchOf, act });
  }

  /** Somebody looked for processes of this marker and found none: the worst moment for a late launch, so it often comes just then. */
  scannedInVain(marker: string): void {
    for (const timer of this.timers) if (timer.launchOf === marker && this.random.chance(0.3)) timer.at = this.now + this.random.between(0, 1);
  }
  get timersLeft(): number {
    return this.timers.length;
  }

  /** Numbers are taken again as soon as they are free: only the start time tells two processes apart. */
  spawn(spec: SpawnSpec, body: (me: SimProcess) => Promise<number>): SimProcess {
    const used = new Set(this.processes.map((one) => one.identity.pid));
    let pid = 2 + this.random.between(0, 7);
    while (used.has(pid)) pid += 1;
    this.starts += 1;
    const me: SimProcess = {
      ...spec, ignoresTerm: spec.ignoresTerm === true, identity: { pid, start: String(this.starts), boot: this.boot },
      alive: true, code: 0, stoppedUntil: 0, termPending: false, parked: undefined,
    };
    this.processes.push(me);
    this.log(() => `${label(me)} starts`);
    this.running += 1;
    body(me).then(
      (code) => {
        this.running -= 1;
        this.end(me, code);
      },
      (cause: unknown) => {
        this.running -= 1;
        this.violate(`${label(me)} threw ${cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)}`);
        this.end(me, 70);
      },
    );
    return me;
  }

  private end(process: SimProcess, code: number): void {
    if (!process.alive) return;
    process.alive = false;
    process.parked = undefined;
    process.code = code;
    this.processes = this.processes.filter((one) => one !== process);
    this.log(() => `${label(process)} ends with ${code}`);
    this.onExit(process);
  }

  kill(process: SimProcess): void {
    if (process.undead !== true) this.end(process, KILLED);
  }

  terminate(process: SimProcess): void {
    if (process.stoppedUntil > this.now) process.termPending = true;
    else if (!process.ignoresTerm && process.undead !== true) this.end(process, TERMED);
  }

  resume(process: SimProcess): void {
    process.stoppedUntil = 0;
    if (process.termPending) this.terminate(process);
  }

  /** Everything dies at once; files stay; another boot id, and monotonic time begins again. */
  reboot(): void {
    this.log(() => 'REBOOT');
    this.timers = this.timers.filter(({ launchOf }) => launchOf === undefined);
    this.bootNumber += 1;
    this.bootedAt = this.now;
    for (const process of this.processes) this.end(process, KILLED);
  }

  private park(me: SimProcess, parked: Parked): void {
    if (!me.alive) return;
    if (me.parked !== undefined) throw new Error(`${label(me)} made two port calls at once: the simulator takes one`);
    me.parked = parked;
    this.running -= 1;
  }

  /** One port call of one process: the effect takes place when the scheduler picks it. */
  step<T>(me: SimProcess, what: string, effect: () => T): Promise<T> {
    return new Promise<unknown>((resolve, reject) => this.park(me, { kind: 'step', what, effect, resolve, reject })) as Promise<T>;
  }

  sleep(me: SimProcess, ms: number, options: { signal?: AbortSignal | undefined; watching?: string } = {}): Promise<void> {
    const { signal } = options;
    return new Promise<unknown>((resolve) => {
      const wake = (): void => void (sleep.until = this.now);
      const wakeUp = (): void => {
        signal?.removeEventListener('abort', wake);
        resolve(undefined);
      };
      const sleep: Sleep = { kind: 'sleep', until: this.now + Math.max(0, ms), watching: options.watching, resolve: wakeUp };
      if (signal?.aborted === true) wake();
      else signal?.addEventListener('abort', wake, { once: true });
      this.park(me, sleep);
    }) as Promise<void>;
  }

  waitForChild(me: SimProcess, child: SimProcess): Promise<number> {
    return new Promise<unknown>((resolve) => this.park(me, { kind: 'child', child, resolve })) as Promise<number>;
  }

  /** A change in a directory: whoever watches it may hear of it, or not, as with inotify. */
  changed(dir: string): void {
    for (const { parked } of this.processes) {
      if (parked?.kind === 'sleep' && parked.watching === dir && this.random.chance(0.7)) parked.until = Math.min(parked.until, this.now);
    }
  }

  private ready(process: SimProcess): boolean {
    const { parked } = process;
    if (parked === undefined || process.stoppedUntil > this.now) return false;
    return parked.kind === 'step' || (parked.kind === 'sleep' ? parked.until <= this.now : !parked.child.alive);
  }

  /** Mostly one process for a while, then another: bursts reach interleavings that a uniform choice hardly ever makes. */
  private pick(): SimProcess | undefined {
    const ready = this.processes.filter((process) => this.ready(process));
    if (ready.length === 0) return undefined;
    if (this.favourite === undefined || this.random.chance(0.12)) this.favourite = this.random.pick(ready);
    return ready.includes(this.favourite) && this.random.chance(0.7) ? this.favourite : this.random.pick(ready);
  }

  private resolve(process: SimProcess): void {
    const { parked } = process;
    if (parked === undefined) return;
    process.parked = undefined;
    this.running += 1;
    if (parked.kind === 'sleep') return parked.resolve(undefined);
    if (parked.kind === 'child') return parked.resolve(parked.child.code);
    try {
      const value = parked.effect();
      this.log(() => `${label(process)} ${parked.what} → ${show(value)}`);
      parked.resolve(value);
    } catch (cause) {
      parked.reject(cause);
    }
  }

  /** One step of whichever process is picked; time passes when nobody can go on, and sometimes although they can. */
  async advance(): Promise<void> {
    this.steps += 1;
    if (this.random.chance(0.2)) this.now += this.random.chance(0.1) ? this.random.between(1, 400) : 1;
    const picked = this.pick();
    if (picked === undefined) this.skip();
    else this.resolve(picked);
    await this.settle();
    for (const timer of this.timers.filter(({ at }) => at <= this.now)) {
      this.timers.splice(this.timers.indexOf(timer), 1);
      timer.act();
    }
    await this.settle();
  }

  private skip(): void {
    let next = Number.POSITIVE_INFINITY;
    for (const { at } of this.timers) next = Math.min(next, at);
    for (const { parked, stoppedUntil } of this.processes) {
      if (stoppedUntil > this.now) next = Math.min(next, stoppedUntil);
      else if (parked?.kind === 'sleep') next = Math.min(next, parked.until);
    }
    if (next === Number.POSITIVE_INFINITY) this.violate('nothing can ever happen again');
    else this.now = Math.max(this.now, next);
    for (const process of this.processes) if (process.termPending && process.stoppedUntil <= this.now) this.resume(process);
  }

  /** Lets every process run to its next port call. The code between two is microtasks only, so this is exact. */
  async settle(): Promise<void> {
    for (let tick = 0; this.running > 0; tick += 1) {
      if (tick > DRAIN_TICKS) throw new Error('a simulated process awaits something that is no port');
      await undefined;
    }
  }
}

export const label = (process: SimProcess): string => `${process.kind} ${process.name}[${process.identity.pid}.${process.identity.start}]`;

function show(value: unknown): string {
  const text = typeof value === 'string' ? value.trim() : value instanceof Uint8Array ? `${value.length} bytes` : (JSON.stringify(value) ?? 'nothing');
  return text.length > 160 ? `${text.slice(0, 160)}…` : text;
}
