import { basename, dirname } from 'node:path';
import type { Files } from '../../src/lib/files.js';
import type { ProcessIdentity, Processes } from '../../src/lib/processes.js';
import type { Ran } from '../../src/lib/run.js';
import type { Clock } from '../../src/lib/clock.js';
import { layoutOf } from '../../src/protocol/layout.js';
import type { EventSink } from '../../src/events/event-log.js';
import type { PitEvent } from '../../src/events/event.js';
import { partPath } from '../../src/events/parts.js';
import type * as roundModule from '../../src/pings/round.js';
import type { RoundMemory, RoundPorts } from '../../src/pings/round.js';
import type { PingReceipt, Rule } from '../../src/pings/state.js';

/*
 * A world of rounds: a disk in memory, an event log, a git history, targets with moods, and one process after another that runs
 * the real rounds over them and may be killed at any call that changes the disk, and within the typing.
 */

export class Killed extends Error {}
export type Mood = 'submitted' | 'unconfirmed' | 'refused' | 'absent';
interface Node {
  text: string;
  mtimeMs: number;
}

export const LAYOUT = layoutOf('/p');

export class World {
  now = 1_800_000_000_000;
  readonly disk = new Map<string, Node>();
  readonly typed: { readonly to: string; readonly text: string }[] = [];
  /** When, of each. */
  readonly typedAt: number[] = [];
  readonly moods = new Map<string, Mood>();
  /** Every commit that ever was, and where the branch stands. */
  readonly commits = new Map<string, { readonly parent: string | undefined; readonly subject: string; readonly at: number }>([['root', { parent: undefined, subject: 'root', at: 0 }]]);
  tip = 'root';
  gitBroken = false;
  private rotatedAt = 0;
  /** What the rounds said; kept apart from the log, so that half a line in it stays half a line. */
  readonly events: PitEvent[] = [];
  generation = 1;
  private life: { dead: boolean; left: number } = { dead: false, left: Number.POSITIVE_INFINITY };
  private memory: RoundMemory;
  private readonly round: typeof roundModule;

  constructor(round: typeof roundModule) {
    this.round = round;
    this.memory = round.newRoundMemory();
  }

  /** The process dies at the k-th step from now: a change of the disk, or one of typing. */
  killAt(steps: number): void {
    this.life.left = steps;
  }

  restart(): void {
    this.life.dead = true;
    this.life = { dead: false, left: Number.POSITIVE_INFINITY };
    this.generation += 1;
    this.memory = this.round.newRoundMemory();
  }

  /** One round of the living process, and the typing that it began; a process that was killed in it is followed by the next. */
  async ring(rules: readonly Rule[], keepMs: number): Promise<void> {
    const { life } = this;
    const ports: RoundPorts = { files: this.files(life), clock: this.clock(), processes: this.processes(), events: this.sink(life), git: this.git(), outlet: this.outlet(life), warn: () => undefined };
    try {
      await this.round.ring(ports, { layout: LAYOUT, rules, keepMs, settleMs: 0, gitMs: 0 }, this.memory);
      await Promise.all(this.memory.typing.values());
    } catch (cause) {
      if (!(cause instanceof Killed)) throw cause;
    }
    if (life.dead) this.restart();
  }

  /** Lines that others write into the event log. */
  log(text: string): void {
    const node = this.disk.get(LAYOUT.events);
    this.disk.set(LAYOUT.events, { text: (node?.text ?? '') + text, mtimeMs: this.now });
  }

  rotate(): void {
    const node = this.disk.get(LAYOUT.events);
    if (node === undefined || !node.text.includes('\n') || !node.text.endsWith('\n')) return;
    this.disk.delete(LAYOUT.events);
    // As cleanup does: two within a millisecond have two names.
    this.rotatedAt = Math.max(this.now, this.rotatedAt + 1);
    this.disk.set(partPath(LAYOUT.events, this.rotatedAt), node);
  }

  commit(sha: string, subject: string, at: number): void {
    this.commits.set(sha, { parent: this.tip, subject, at });
    this.tip = sha;
  }

  /** The last commits get other names, and a commit of somebody else's below them. */
  rebase(count: number, below: string, subject: string, at: number): void {
    const chain = this.ancestors(this.tip).slice(-count).filter((sha) => sha !== 'root');
    this.tip = this.commits.get(chain[0] ?? '')?.parent ?? this.tip;
    this.commit(below, subject, at);
    for (const sha of chain) {
      const moved = this.commits.get(sha);
      if (moved !== undefined) this.commit(`${sha}'`, moved.subject, moved.at);
    }
  }

  /** Oldest first. */
  private ancestors(sha: string): string[] {
    const parent = this.commits.get(sha)?.parent;
    return [...(parent === undefined ? [] : this.ancestors(parent)), sha];
  }

  private step(life: { dead: boolean; left: number }): void {
    if (life.dead) throw new Killed();
    life.left -= 1;
    if (life.left >= 0) return;
    life.dead = true;
    throw new Killed();
  }

  /** As the real one: a log that cannot be written stops nothing. */
  private sink(life: { dead: boolean; left: number }): EventSink {
    return {
      emit: async (event) => {
        try {
          this.step(life);
          this.events.push(event);
        } catch {
          /* killed */
        }
      },
    };
  }

  private clock(): Clock {
    return { wallMs: () => this.now, monoMs: () => this.now, sleep: async () => undefined };
  }

  private identity(): ProcessIdentity {
    return { pid: this.generation, start: '1', boot: '00000000' };
  }

  private processes(): Processes {
    const me = this.identity();
    return { self: () => me, boot: () => me.boot, liveness: async ({ pid }) => (pid === this.generation ? 'alive' : 'dead'), find: async () => ({ complete: true, processes: [] }), table: async () => undefined, markers: async () => undefined, signal: async () => undefined };
  }

  private outlet(life: { dead: boolean; left: number }): RoundPorts['outlet'] {
    return {
      find: async (name) =>
        this.moods.get(name) === 'absent'
          ? { kind: 'absent', why: 'it rests' }
          : {
              kind: 'ready',
              at: name,
              say: async ({ text }): Promise<PingReceipt> => {
                this.step(life);
                const kind = this.moods.get(name) ?? 'submitted';
                if (kind !== 'refused' && kind !== 'absent') {
                  this.typed.push({ to: name, text });
                  this.typedAt.push(this.now);
                }
                this.step(life);
                return { kind: kind === 'absent' ? 'refused' : kind, rule: kind, evidence: '' };
              },
            },
    };
  }

  private git(): RoundPorts['git'] {
    const ended = (code: number, stdout = ''): Ran => ({ kind: 'ended', code, stdout, stderr: '' });
    return async (_repo, args) => {
      if (this.gitBroken) return { kind: 'unknown', why: 'git did not answer' };
      if (args[0] === 'rev-parse') return ended(0, `${this.tip}\n`);
      if (args[0] === 'merge-base') return ended(this.ancestors(args[3] ?? '').includes(args[2] ?? '') ? 0 : 1);
      const [from, to] = (args.find((one) => one.includes('..')) ?? '..').split('..');
      const without = new Set(this.ancestors(from ?? ''));
      const shas = this.ancestors(to ?? '').filter((sha) => !without.has(sha));
      return ended(0, shas.map((sha) => `${sha}\x1f${this.commits.get(sha)?.at ?? 0}\x1fe\x1fa\x1f${this.commits.get(sha)?.subject ?? ''}\0`).join(''));
    };
  }

  private files(life: { dead: boolean; left: number }): Files {
    const { disk } = this;
    const alive = (): void => {
      if (life.dead) throw new Killed();
    };
    const bytes = (path: string): Buffer | undefined => (disk.has(path) ? Buffer.from(disk.get(path)?.text ?? '') : undefined);
    return {
      list: async (dir) => (alive(), [...disk.keys()].filter((path) => dirname(path) === dir).map((path) => basename(path))),
      listBytes: async () => [],
      exists: async (path) => (alive(), disk.has(path)),
      rename: async () => 'missing',
      touch: async () => 'missing',
      mtimeMs: async (path) => (alive(), disk.get(path)?.mtimeMs),
      read: async (path) => (alive(), disk.get(path)?.text),
      readBytes: async (path, max) => (alive(), bytes(String(path))?.subarray(0, max)),
      readFrom: async (path, offset, max) => (alive(), bytes(path)?.subarray(offset, offset + max) ?? new Uint8Array()),
      inspect: async (path) => {
        alive();
        const node = disk.get(String(path));
        if (node !== undefined) return { kind: 'file', size: Buffer.byteLength(node.text), mtimeMs: node.mtimeMs, links: 1 };
        return [...disk.keys()].some((one) => dirname(one) === path) ? { kind: 'directory', size: 0, mtimeMs: 0, links: 2 } : undefined;
      },
      write: async (path, content) => {
        this.step(life);
        disk.set(path, { text: String(content), mtimeMs: this.now });
      },
      append: async (path, text) => {
        this.step(life);
        disk.set(path, { text: (disk.get(path)?.text ?? '') + text, mtimeMs: this.now });
      },
      makeDir: async () => 'exists',
      remove: async (path) => {
        this.step(life);
        return disk.delete(path) ? 'ok' : 'missing';
      },
      syncDir: async () => undefined,
    };
  }
}
