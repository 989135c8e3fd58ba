import type { ProcessIdentity } from '../../src/lib/processes.js';

/*
 * The machine of the watchdog's simulator: one virtual clock, a process table, and timers.
 *
 * The code under test is asynchronous in type and synchronous in fact: between two sleeps it runs in microtasks only. So time
 * stands still while anybody can go on, and then jumps to the next timer: an hour takes as long as its decisions do. A process
 * that is killed never wakes again: its timers are dropped, and a port call that it is about to make never answers.
 */

export type Role = 'pit' | 'snake' | 'session' | 'program' | 'tool' | 'person';

export interface SimProcess {
  readonly role: Role;
  readonly name: string;
  readonly identity: ProcessIdentity;
  readonly parent: number;
  /** The leader of its session. */
  readonly session: number;
  readonly startedMs: number;
  /** Environment entries by which it is known. */
  readonly marks: ReadonlySet<string>;
  alive: boolean;
  /** Processor time used, milliseconds. */
  cpuMs: number;
  /** Port calls that it may still make before it is killed in the middle of the next; undefined: as many as it likes. */
  callsLeft: number | undefined;
  /** What it does with TERM and INT; nothing here: it ends. */
  onSignal: ((signal: string) => void) | undefined;
  onEnd: (() => void) | undefined;
}

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly owner: SimProcess | undefined;
  readonly act: () => void;
}

/** 2026-01-01 00:00 UTC; any instant will do. */
export const EPOCH_MS = 1_767_225_600_000;
const BOOTED_MS = 1_000_000;
const never = (): Promise<never> => new Promise(() => undefined);

export class Machine {
  /** Milliseconds since the scenario began, as they pass while the machine is awake. */
  now = 0;
  processes: SimProcess[] = [];
  /** Port calls that anybody made. */
  calls = 0;
  readonly boot = '6fd0c2e1';
  private wallOffset = EPOCH_MS;
  private heap: Timer[] = [];
  private orders = 0;
  private pids = 100;

  wallMs = (): number => Math.floor(this.wallOffset + this.now);
  monoMs = (): number => BOOTED_MS + Math.floor(this.now);

  /** The machine sleeps, or somebody sets its clock: only the wall clock moves. */
  jump(ms: number): void {
    this.wallOffset += ms;
  }

  spawn(spec: { role: Role; name: string; parent?: SimProcess; leads?: boolean; marks?: readonly string[] }): SimProcess {
    this.pids += 1;
    const pid = this.pids;
    const me: SimProcess = {
      role: spec.role, name: spec.name, identity: { pid, start: String(this.monoMs()), boot: this.boot }, parent: spec.parent?.identity.pid ?? 1,
      session: spec.leads === false ? (spec.parent?.session ?? pid) : pid, startedMs: this.monoMs(), marks: new Set(spec.marks ?? []),
      alive: true, cpuMs: 0, callsLeft: undefined, onSignal: undefined, onEnd: undefined,
    };
    this.processes.push(me);
    return me;
  }

  end(process: SimProcess): void {
    if (!process.alive) return;
    process.alive = false;
    this.processes = this.processes.filter((one) => one !== process);
    process.onEnd?.();
  }

  find({ pid, start, boot }: ProcessIdentity): SimProcess | undefined {
    return this.processes.find(({ identity }) => identity.pid === pid && identity.start === start && identity.boot === boot);
  }

  /** One port call: takes effect at once, or never, where the process is dead or dies in it. */
  call<T>(me: SimProcess, effect: () => T): Promise<T> {
    this.calls += 1;
    if (me.callsLeft !== undefined && me.alive) {
      me.callsLeft -= 1;
      if (me.callsLeft < 0) this.end(me);
    }
    if (!me.alive) return never();
    try {
      return Promise.resolve(effect());
    } catch (cause) {
      return Promise.reject(cause as Error);
    }
  }

  sleep(me: SimProcess, ms: number, ...signals: readonly (AbortSignal | undefined)[]): Promise<void> {
    if (!me.alive) return never();
    return new Promise((resolve) => {
      const wake = (): void => {
        for (const signal of signals) signal?.removeEventListener('abort', wake);
        if (me.alive) resolve();
      };
      for (const signal of signals) signal?.addEventListener('abort', wake, { once: true });
      this.after(signals.some((signal) => signal?.aborted === true) ? 0 : ms, wake, me);
    });
  }

  /** `owner`: nothing happens when it is dead by then. */
  after(ms: number, act: () => void, owner?: SimProcess): void {
    this.orders += 1;
    push(this.heap, { at: this.now + Math.max(0, ms), order: this.orders, owner, act });
  }

  /** Everything that happens until then. */
  async run(until: number): Promise<void> {
    await drain();
    for (let next = this.heap[0]; next !== undefined && next.at <= until; next = this.heap[0]) {
      pop(this.heap);
      if (next.owner?.alive === false) continue;
      this.now = Math.max(this.now, next.at);
      next.act();
      await drain();
    }
    this.now = Math.max(this.now, until);
  }
}

/** Everybody runs to the next sleep: a macrotask comes after all microtasks. */
const drain = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

const before = (a: Timer, b: Timer): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

function push(heap: Timer[], timer: Timer): void {
  let at = heap.push(timer) - 1;
  while (at > 0) {
    const up = (at - 1) >> 1;
    if (!before(timer, heap[up] as Timer)) break;
    heap[at] = heap[up] as Timer;
    at = up;
  }
  heap[at] = timer;
}

function pop(heap: Timer[]): void {
  const last = heap.pop() as Timer;
  if (heap.length === 0) return;
  let at = 0;
  for (;;) {
    let down = at * 2 + 1;
    if (down >= heap.length) break;
    if (down + 1 < heap.length && before(heap[down + 1] as Timer, heap[down] as Timer)) down += 1;
    if (!before(heap[down] as Timer, last)) break;
    heap[at] = heap[down] as Timer;
    at = down;
  }
  heap[at] = last;
}
