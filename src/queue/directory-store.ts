import { join } from 'node:path';
import type { Clock } from '../lib/clock.js';
import type { Files } from '../lib/files.js';
import { sameProcess, type Processes } from '../lib/processes.js';
import { InvariantError, unreachable } from '../lib/unreachable.js';
import { isTaskFile, QUEUE_STATES, type Layout, type QueueState } from '../protocol/layout.js';
import { markerOf, parseClaim, parseReady, printClaim, printReady, printStuck, printWaiting, type ClaimName, type Owner } from '../protocol/names.js';
import { parseJson } from '../protocol/records.js';
import { parseDesired } from '../protocol/snapshot.js';
import { ReadyListing } from './ready-listing.js';
import type { Claim, Claimed, Destination, QueueStore } from './store.js';

const DRY_RELIST_MS = 250;

/** What the directory store stands on; the simulator brings its own of each. */
export interface DirectoryStorePorts {
  readonly files: Files;
  readonly clock: Clock;
  readonly processes: Processes;
  readonly newNonce: () => string;
  /** Calls back with the name of whatever changed in ready/ (undefined: not known which); returns how to stop. */
  readonly watch: (dir: string, changed: (name: string | undefined) => void) => () => void;
}

export class DirectoryStore implements QueueStore {
  private readonly listing = new ReadyListing();
  private readonly ports: DirectoryStorePorts;
  private readonly layout: Layout;
  private readonly unwatch: () => void;
  /** Monotonic time of the last full listing; -Infinity: due now. */
  private listedAt = Number.NEGATIVE_INFINITY;
  private wakers: (() => void)[] = [];
  private told: { readonly mtimeMs: number; readonly goingDown: boolean } | undefined;

  constructor(layout: Layout, ports: DirectoryStorePorts) {
    this.layout = layout;
    this.ports = ports;
    this.unwatch = ports.watch(layout.dir('ready'), (name) => {
      if (name === undefined) this.listedAt = Number.NEGATIVE_INFINITY;
      else this.listing.offer(name);
      this.wake();
    });
  }

  async claim(owner: Owner): Promise<Claimed> {
    const { files } = this.ports;
    if ((await files.exists(this.layout.paused)) || (await this.goingDown())) return { kind: 'paused' };
    const ready = this.layout.dir('ready');
    for (;;) {
      const file = this.listing.take() ?? (await this.relist());
      if (file === undefined) return { kind: 'empty' };
      const task = parseReady(file);
      if (task === undefined) continue;
      // A lost race costs an Error object in rename, a look does not: losing is the common case with many snakes.
      if (!(await files.exists(join(ready, file)))) continue;
      const name: ClaimName = { ...task, nonce: this.ports.newNonce(), owner };
      const claimed = join(this.layout.dir('claimed'), printClaim(name));
      if ((await files.rename(join(ready, file), claimed)) === 'missing') {
        if (!(await files.exists(this.layout.dir('claimed')))) throw new InvariantError(`${this.layout.dir('claimed')} is gone`);
        continue;
      }
      // Rename keeps the modification time; from here on it is the heartbeat.
      await files.touch(claimed);
      return { kind: 'claimed', claim: { name, marker: markerOf(name), file: claimed } };
    }
  }

  /** A pit that drains takes up what runs and nothing more, also by a snake that was started only to adopt. */
  private async goingDown(): Promise<boolean> {
    const { files } = this.ports;
    const mtimeMs = await files.mtimeMs(this.layout.desired);
    if (mtimeMs === undefined) return false;
    if (this.told?.mtimeMs !== mtimeMs) this.told = { mtimeMs, goingDown: (parseDesired(parseJson(await files.read(this.layout.desired)))?.mode ?? 'run') !== 'run' };
    return this.told.goingDown;
  }

  /** The listing ran dry. Whoever claims often looks often, but never more than four times a second: watchers lose events. */
  private async relist(): Promise<string | undefined> {
    const now = this.ports.clock.monoMs();
    if (now - this.listedAt < DRY_RELIST_MS) return undefined;
    this.listedAt = now;
    this.listing.fill(await this.ports.files.list(this.layout.dir('ready')));
    return this.listing.take();
  }

  async adopt(owner: Owner): Promise<Claim[]> {
    const { files, processes } = this.ports;
    const adopted: Claim[] = [];
    for (const file of await files.list(this.layout.dir('claimed'))) {
      const old = parseClaim(file);
      if (old === undefined || old.owner.snake !== owner.snake) continue;
      if (sameProcess(old.owner, owner)) {
        adopted.push({ name: old, marker: markerOf(old), file: join(this.layout.dir('claimed'), file) });
        continue;
      }
      if ((await processes.liveness(old.owner)) !== 'dead') continue;
      const name: ClaimName = { ...old, owner };
      const mine = join(this.layout.dir('claimed'), printClaim(name));
      if ((await files.rename(join(this.layout.dir('claimed'), file), mine)) === 'missing') continue;
      await files.touch(mine);
      adopted.push({ name, marker: markerOf(name), file: mine });
    }
    return adopted;
  }

  async renew(claim: Claim): Promise<'ok' | 'lost'> {
    return (await this.ports.files.touch(claim.file)) === 'ok' ? 'ok' : 'lost';
  }

  async settle(claim: Claim, to: Destination): Promise<'ok' | 'lost'> {
    const { files } = this.ports;
    const target = await destinationPath(files, this.layout, claim.name, to);
    if ((await files.rename(claim.file, target)) === 'missing') return 'lost';
    await files.syncDir(join(target, '..'));
    return 'ok';
  }

  async read(claim: Claim, maxBytes: number): Promise<Uint8Array | undefined> {
    return this.ports.files.readBytes(claim.file, maxBytes);
  }

  async wait(ms: number, signal: AbortSignal): Promise<void> {
    const stop = new AbortController();
    const onAbort = (): void => stop.abort();
    signal.addEventListener('abort', onAbort, { once: true });
    this.wakers.push(onAbort);
    await this.ports.clock.sleep(ms, stop.signal);
    signal.removeEventListener('abort', onAbort);
    this.wakers = this.wakers.filter((waker) => waker !== onAbort);
  }

  private wake(): void {
    for (const waker of this.wakers.splice(0)) waker();
  }

  async counts(): Promise<Record<QueueState, number>> {
    return countStates(this.ports.files, this.layout);
  }

  close(): void {
    this.unwatch();
    this.wake();
  }
}

/** A path that no rename can overwrite: the plain name in done/ and failed/, with the nonce where a person put something there. */
export async function destinationPath(files: Files, layout: Layout, name: ClaimName, to: Destination): Promise<string> {
  switch (to.kind) {
    case 'ready':
    case 'held':
    case 'needs':
      return join(layout.dir(to.kind), printReady({ ...name, counters: to.counters }));
    case 'stuck':
      return join(layout.dir('stuck'), printStuck(name));
    case 'waiting':
      return join(layout.dir('waiting'), printWaiting({ ...name, counters: to.counters, dueAt: to.dueAt }));
    case 'done':
    case 'failed': {
      const plain = join(layout.dir(to.kind), `${name.id}.md`);
      return (await files.exists(plain)) ? join(layout.dir(to.kind), `${name.id}.${name.nonce}.md`) : plain;
    }
    default:
      return unreachable(to);
  }
}

/** Counts at the last listing of each state directory, trusted while the directory's own time stands still. */
export type CountMemory = Map<QueueState, { readonly mtimeMs: number; readonly count: number }>;

/** Directory times move in steps of some milliseconds: a listing made this soon after a change may miss the next one. */
const SAME_STEP_MS = 50;

/** Task files per state; stories and refused files are not tasks. With a memory, a directory that did not change is not listed again. */
export async function countStates(files: Files, layout: Layout, cache?: { readonly memory: CountMemory; readonly nowMs: number }): Promise<Record<QueueState, number>> {
  const memory = cache?.memory;
  const counts = {} as Record<QueueState, number>;
  for (const state of QUEUE_STATES) {
    const mtimeMs = memory === undefined ? undefined : await files.mtimeMs(layout.dir(state));
    const known = memory?.get(state);
    if (known !== undefined && known.mtimeMs === mtimeMs) {
      counts[state] = known.count;
      continue;
    }
    counts[state] = (await files.list(layout.dir(state))).filter(isTaskFile).length;
    if (cache !== undefined && mtimeMs !== undefined && cache.nowMs - mtimeMs > SAME_STEP_MS) memory?.set(state, { mtimeMs, count: counts[state] });
    else memory?.delete(state);
  }
  return counts;
}
