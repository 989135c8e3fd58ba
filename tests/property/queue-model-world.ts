import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../src/lib/clock.js';
import type { Files } from '../../src/lib/files.js';
import { nodeFiles } from '../../src/lib/node-files.js';
import type { ProcessIdentity, Processes } from '../../src/lib/processes.js';
import { layoutOf, QUEUE_STATES, type Layout } from '../../src/protocol/layout.js';
import { claimEntry } from '../../src/protocol/names.js';

/*
 * The world of the model test: a real directory, and beside it what a test must hold in its hand: the clock, who lives, which
 * sessions run, and the file call at which an actor dies.
 */

const BOOT = '6fd0c2e1';
const EPOCH_MS = 1_767_225_600_000;

/** kill -9 of whoever made the call: nothing of his code runs on, no `finally` has any effect. */
export class Died extends Error {}
/** A snake that would wait for its session: the model goes on elsewhere. */
export class Waits extends Error {}

/** What a wrapper and its agent come to. "runs": they work on. */
export const PLANS = ['well', 'badly', 'finally', 'asks', 'vanishes', 'runs'] as const;
export type Plan = (typeof PLANS)[number];

export interface Session {
  readonly marker: string;
  readonly runDir: string;
  /** The wrapper's process number. */
  readonly leader: number;
  readonly processes: (ProcessIdentity & { readonly undead: boolean })[];
}

export interface Snake {
  readonly name: string;
  process: ProcessIdentity;
  stopped: boolean;
}

/** One task file as it was found: which document, in which directory, under which name. */
export interface Lies {
  readonly doc: number;
  readonly dir: string;
  readonly name: string;
}

export class World {
  readonly root: string;
  readonly layout: Layout;
  readonly living = new Map<number, ProcessIdentity>();
  readonly sessions: Session[] = [];
  /** Each start of an agent, by marker. */
  readonly starts: string[] = [];
  plan: Plan = 'runs';
  undead = false;
  private nowMs = 0;
  private pids = 100;
  private serial = 0;

  constructor() {
    this.root = fs.mkdtempSync(join(fs.existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'queue-model-'));
    this.layout = layoutOf(this.root);
  }

  dispose(): void {
    fs.rmSync(this.root, { recursive: true, force: true });
  }

  readonly clock: Clock = {
    wallMs: () => EPOCH_MS + this.nowMs,
    monoMs: () => this.nowMs,
    sleep: async (ms) => this.pass(ms),
  };

  pass(ms: number): void {
    this.nowMs += Math.ceil(ms);
  }

  spawn(): ProcessIdentity {
    this.pids += 1;
    const one = { pid: this.pids, start: String(this.pids * 7), boot: BOOT };
    this.living.set(one.pid, one);
    return one;
  }

  /** The process table as `self` sees it. */
  processes(self: ProcessIdentity): Processes {
    const all = (): Session['processes'] => this.sessions.flatMap((one) => one.processes);
    const lives = (of: ProcessIdentity): boolean => this.living.get(of.pid)?.start === of.start || all().some((one) => one.pid === of.pid && one.start === of.start);
    return {
      self: () => self,
      boot: () => BOOT,
      liveness: async (of) => (lives(of) ? 'alive' : 'dead'),
      find: async ({ entry }) => ({ complete: true, processes: this.sessions.filter(({ marker }) => claimEntry(marker) === entry).flatMap((one) => one.processes) }),
      markers: async () => new Map(),
      table: async () => [],
      signal: async (to, signal) => {
        if (signal !== 'SIGKILL' && signal !== 'SIGTERM') return;
        for (const { processes } of this.sessions) {
          const at = processes.findIndex((one) => one.pid === to.pid && !one.undead);
          if (at >= 0) processes.splice(at, 1);
        }
      },
    };
  }

  /** The real files, with our clock's times; the k-th change that is asked for kills the asker before it is made. */
  files(diesAt: number | undefined, dies: () => void): Files {
    let changes = 0;
    let dead = false;
    const change = <A extends unknown[], T>(act: (...args: A) => Promise<T>) => async (...args: A): Promise<T> => {
      changes += 1;
      if (!dead && changes === diesAt) {
        dead = true;
        dies();
      }
      if (dead) throw new Died('killed between two calls');
      return act(...args);
    };
    return {
      ...nodeFiles,
      rename: change(nodeFiles.rename),
      touch: change(async (path: string) => ((await nodeFiles.touch(path)) === 'ok' ? this.dated(path) : 'missing')),
      write: change(async (path: string, text: string) => {
        await nodeFiles.write(path, text);
        this.dated(path);
      }),
      append: change(nodeFiles.append),
      makeDir: change(nodeFiles.makeDir),
      remove: change(nodeFiles.remove),
    };
  }

  dated(path: string): 'ok' {
    fs.utimesSync(path, this.clock.wallMs() / 1000, this.clock.wallMs() / 1000);
    return 'ok';
  }

  /** A person's editor: each edit has a time of its own. */
  edit(path: string, text: string): void {
    fs.writeFileSync(path, text);
    this.serial += 1;
    const at = this.clock.wallMs() / 1000 + this.serial / 100_000;
    fs.utimesSync(path, at, at);
  }

  /** tmux and the wrapper, as far as they leave traces: the same order, the agent's end written before the snake looks again. */
  launch(marker: string, runDir: string): void {
    const stands = fs.readdirSync(this.layout.dir('claimed')).some((name) => name.includes(`~${marker}~`));
    if (!stands || fs.existsSync(join(runDir, 'started'))) return;
    fs.mkdirSync(join(runDir, 'started'));
    const agent = { ...this.spawn(), undead: this.undead };
    const leader = { ...this.spawn(), undead: false };
    for (const one of [agent, leader]) this.living.delete(one.pid);
    fs.writeFileSync(join(runDir, 'session'), `${leader.pid} ${leader.start}\n`);
    this.starts.push(marker);
    const session = { marker, runDir, leader: leader.pid, processes: [leader, agent] };
    this.sessions.push(session);
    this.finish(session, this.plan);
  }

  finish(session: Session, plan: Plan): void {
    const { runDir, processes } = session;
    const exit = (code: number): void => fs.writeFileSync(join(runDir, 'exit'), `${code} ${Math.floor(this.clock.wallMs() / 1000)}\n`);
    const end = (): void => void processes.splice(0, processes.length, ...processes.filter((one) => one.undead));
    const asking = { state: { kind: 'blocked-on-permission', source: 'pane', rule: 'model', evidence: 'May I?' }, since: this.clock.wallMs() - 10_000 };
    switch (plan) {
      case 'well':
      case 'badly':
        exit(plan === 'well' ? 0 : 3);
        return end();
      case 'finally':
        fs.writeFileSync(join(runDir, 'result.json'), '{"outcome":"fail","message":"it cannot be done","final":true}');
        exit(0);
        return end();
      case 'asks':
        fs.writeFileSync(join(runDir, 'agent.json'), JSON.stringify(asking));
        return;
      case 'vanishes':
        return end();
      case 'runs':
        return;
    }
  }

  live(marker: string): boolean {
    return this.sessions.some((one) => one.marker === marker && one.processes.length > 0);
  }

  /** Every task file there is, by the document's mark in its text. */
  lies(): Lies[] {
    const found: Lies[] = [];
    for (const dir of ['', ...QUEUE_STATES]) {
      for (const name of fs.readdirSync(join(this.layout.queue, dir))) {
        if (!name.endsWith('.md') || name.endsWith('.result.md') || name.endsWith('.question.md')) continue;
        const text = fs.readFileSync(join(this.layout.queue, dir, name), 'utf8');
        found.push({ doc: Number(/^# doc-(\d+) /m.exec(text)?.[1] ?? -1), dir, name });
      }
    }
    return found;
  }
}
