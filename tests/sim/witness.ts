import { basename, dirname } from 'node:path';
import { isTaskFile, QUEUE_STATES, type Layout, type QueueState } from '../../src/protocol/layout.js';
import { markerOf, NO_COUNTERS, parseAny, parseClaim, parseReaping, type Counters } from '../../src/protocol/names.js';
import type { Disk } from './disk.js';
import type { SimProcess, World } from './world.js';

const sum = ({ failures, losses, deferrals }: Counters): number => failures + losses + deferrals;

interface History {
  claims: number;
  publications: number;
}

/**
 * The independent witness: it sees every change of the disk and every start and end of a process, never asks the protocol
 * code what it thinks, and reports the first broken promise.
 */
export class Witness {
  private readonly started = new Set<string>();
  private readonly exits = new Map<string, number>();
  private readonly failing = new Set<string>();
  private readonly asking = new Set<string>();
  private readonly claimedAt = new Map<string, number>();
  private readonly history = new Map<string, History>();
  private readonly ids: readonly string[];
  private readonly stateOf: ReadonlyMap<string, QueueState>;
  private readonly world: World;
  private readonly disk: Disk;
  private readonly timeoutMs: number;
  /** Faults that explain a loss, and orders that explain a deferral. */
  losable = false;
  deferrable = false;
  /** A process was made that nothing can end: then, and only then, a task may end in stuck/. */
  undead = false;

  constructor(world: World, disk: Disk, layout: Layout, ids: readonly string[], timeoutMs: number) {
    this.timeoutMs = timeoutMs;
    this.world = world;
    this.disk = disk;
    this.ids = ids;
    this.stateOf = new Map(QUEUE_STATES.map((state) => [layout.dir(state), state]));
    for (const id of ids) this.history.set(id, { claims: 0, publications: 0 });
    disk.onChange = (change) => {
      world.changed(dirname(change.to));
      this.sawChange(change.from, change.to, change.how);
    };
    world.onExit = (process) => {
      if (process.kind === 'agent' && process.marker !== undefined) this.exits.set(process.marker, process.code);
    };
  }

  saidFail(marker: string): void {
    this.failing.add(marker);
  }

  asks(marker: string): void {
    this.asking.add(marker);
  }

  agentStarted(agent: SimProcess): void {
    const marker = agent.marker ?? '';
    const id = idOf(marker);
    if (this.started.has(marker)) this.world.violate(`the agent of ${marker} was started twice`);
    this.started.add(marker);
    const other = this.liveSession(id).find((one) => one !== agent);
    if (other !== undefined) this.world.violate(`two at once: the agent of ${marker} started while a process of ${other.marker ?? ''} lives`);
    const stands = (['claimed', 'reaping'] as const).some((state) => this.filesIn(state).some((name) => name.includes(`~${marker}~`)));
    if (!stands) this.world.violate(`the agent of ${marker} started when its claim was over`);
  }

  /** Agents and what they left behind; a wrapper is no worker. */
  private liveSession(id: string): SimProcess[] {
    return this.world.processes.filter((one) => (one.kind === 'agent' || one.kind === 'orphan') && idOf(one.marker ?? '') === id);
  }

  private filesIn(state: QueueState): string[] {
    for (const [dir, name] of this.stateOf) if (name === state) return this.disk.list(dir);
    return [];
  }

  /** Where each task lies, by its text: a copy counts as much as the file itself. */
  places(id: string): QueueState[] {
    const found: QueueState[] = [];
    for (const [dir, state] of this.stateOf) {
      for (const name of this.disk.list(dir)) if (isTaskFile(name) && this.disk.text(`${dir}/${name}`)?.startsWith(`# ${id}\n`) === true) found.push(state);
    }
    return found;
  }

  private sawChange(from: string | undefined, to: string, how: string): void {
    const target = this.stateOf.get(dirname(to));
    const source = from === undefined ? undefined : this.stateOf.get(dirname(from));
    if (target === undefined && source === undefined) return;
    if (!isTaskFile(basename(to))) return;
    for (const id of this.ids) {
      const places = this.places(id);
      if (places.length !== 1) this.world.violate(`${id} lies in ${places.length === 0 ? 'no place' : places.join(' and ')}`);
    }
    if (from !== undefined && source === 'ready' && target === 'claimed') this.sawClaim(basename(to));
    if ((target === 'done' || target === 'failed') && how !== 'remove') this.sawPublication(to);
    if (from !== undefined && (source === 'claimed' || source === 'reaping')) this.sawEnd(basename(from), target, basename(to));
  }

  /** The counters account for each earlier claim, exactly. */
  private sawClaim(file: string): void {
    const name = parseClaim(file);
    const history = this.history.get(name?.id ?? '');
    if (name === undefined || history === undefined) return this.world.violate(`a claim has no legal name: ${file}`);
    const { failures, losses, deferrals } = name.counters;
    if (sum(name.counters) !== history.claims) this.world.violate(`${name.id} was claimed ${history.claims} times before, and its counters say ${failures}.${losses}.${deferrals}`);
    history.claims += 1;
    this.claimedAt.set(markerOf(name), this.world.now);
  }

  private sawPublication(path: string): void {
    const id = /^# (\S+)\n/.exec(this.disk.text(path) ?? '')?.[1] ?? '';
    const history = this.history.get(id);
    if (history === undefined) return;
    history.publications += 1;
    if (history.publications > 1) this.world.violate(`${id} was published ${history.publications} times`);
  }

  /** A claim left the hands of its holder: its processes are gone, and its counters say what happened. */
  private sawEnd(from: string, target: QueueState | undefined, to: string): void {
    const name = parseReaping(from) ?? parseClaim(from);
    if (name === undefined || target === 'claimed' || target === 'reaping') return;
    const marker = markerOf(name);
    if (target === 'stuck') {
      if (!this.undead) this.world.violate(`${name.id} is stuck although all its processes could be ended`);
      return;
    }
    const alive = this.world.processes.filter((one) => (one.kind === 'agent' || one.kind === 'orphan') && one.marker === marker);
    if (alive.length > 0) this.world.violate(`${marker} went to ${target ?? 'nowhere'} while ${alive.map((one) => one.kind).join(', ')} of it lived`);
    if (target === 'done' && (this.exits.get(marker) !== 0 || this.failing.has(marker))) this.world.violate(`${marker} is in done/ and its agent ended with ${String(this.exits.get(marker))}`);
    if (target === 'needs' && !this.asking.has(marker)) this.world.violate(`${marker} is parked and asked nothing`);
    if (target !== 'ready' && target !== 'waiting' && target !== 'needs') return;
    const after = parseAny(to)?.counters ?? NO_COUNTERS;
    const moved = { failures: after.failures - name.counters.failures, losses: after.losses - name.counters.losses, deferrals: after.deferrals - name.counters.deferrals };
    if (sum(moved) !== 1 || Math.min(moved.failures, moved.losses, moved.deferrals) < 0) this.world.violate(`${marker} went back with counters ${JSON.stringify(after)}`);
    if (moved.failures === 1 && !this.failed(marker)) this.world.violate(`${marker} counts a failure that did not happen`);
    if (moved.losses === 1 && !this.losable) this.world.violate(`${marker} counts a loss, and nothing was lost`);
    if (target === 'needs' && moved.deferrals !== 1) this.world.violate(`${marker} was parked, and its deferrals did not move`);
    if (moved.deferrals === 1 && !this.deferrable && !this.asking.has(marker)) this.world.violate(`${marker} counts a deferral that nobody ordered`);
  }

  /** Its agent ended badly, said so, or its time was over: the deadline runs from the preparation, whether an agent ran or not. */
  private failed(marker: string): boolean {
    const overdue = this.world.now - (this.claimedAt.get(marker) ?? 0) >= this.timeoutMs;
    return overdue || this.failing.has(marker) || (this.exits.get(marker) ?? 0) !== 0;
  }

  /** All tasks have come to their end. */
  allEnded(): boolean {
    return this.ids.every((id) => {
      const [place] = this.places(id);
      return place === 'done' || place === 'failed' || place === 'stuck';
    });
  }

  leftovers(): SimProcess[] {
    return this.world.processes.filter((one) => one.marker !== undefined && one.undead !== true);
  }
}

const idOf = (marker: string): string => marker.slice(0, marker.indexOf('~'));
