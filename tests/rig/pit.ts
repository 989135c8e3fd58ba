import { execFile, spawn, type ChildProcess } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { parseEvents } from '../../src/events/event-log.js';
import type { EventLine } from '../../src/events/event.js';
import { identify, linuxProcesses } from '../../src/lib/linux-processes.js';
import { sameProcess, type ProcessIdentity } from '../../src/lib/processes.js';
import { layoutOf, type Layout, type QueueState } from '../../src/protocol/layout.js';
import { parseJson } from '../../src/protocol/records.js';
import type { Snapshot } from '../../src/protocol/snapshot.js';
import { listSnakes } from '../../src/runs/registry.js';
import { nodeFiles } from '../../src/lib/node-files.js';
import { holder } from '../../src/lib/baton.js';
import { until } from './until.js';

/*
 * A pit of a test's own: a fresh directory, a HOME of its own, the real command line on the built code. `dispose` puts it
 * down and fails where anything of it is left: a process, the tmux server, its socket.
 */

export const CLI = fileURLToPath(new URL('../../bin/snakepit.js', import.meta.url));
const CALL_MS = 90_000;
/** What a pit does takes ticks of 100 ms: to look more often costs more than it tells. */
const REST_MS = 40;

/** How one call of the command line ended; code 128+n where signal n ended it. */
export interface Called {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface PitOptions {
  /** Lines of snakepit.yaml. */
  readonly config?: readonly string[];
  /** Further variables for every call, and through `up` for the pit. */
  readonly env?: Readonly<Record<string, string>>;
  /** Another built copy than dist/, such as one with a planted fault. */
  readonly dist?: string | undefined;
  /** Who says and runs everything, where we are root and it is somebody else. */
  readonly uid?: number | undefined;
  /** How long a call of the command line may take, milliseconds. */
  readonly callMs?: number;
}

/** Short waits, so that a test does not spend its time in them. */
export const QUICK: readonly string[] = ['tick: 100ms', 'settle: 50ms', 'rescan: 500ms', 'grace: 500ms', 'adopt: 2s', 'heartbeat: 500ms', 'backoff: {first: 100ms, factor: 1, max: 100ms}'];

export class Pit {
  readonly root: string;
  readonly layout: Layout;
  private readonly top: string;
  private readonly env: Record<string, string>;
  private readonly program: string;
  private readonly callMs: number;
  private dropped = 0;
  private readonly as: { readonly uid?: number; readonly gid?: number };

  constructor(options: PitOptions = {}) {
    this.top = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), 'pit-')));
    this.root = join(this.top, 'project');
    this.layout = layoutOf(this.root);
    this.as = options.uid === undefined ? {} : { uid: options.uid, gid: options.uid };
    this.program = options.dist === undefined ? CLI : join(options.dist, 'cli', 'main.js');
    this.callMs = options.callMs ?? CALL_MS;
    this.env = { PATH: process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin', HOME: join(this.top, 'home'), LANG: 'C.UTF-8', ...options.env };
    for (const dir of [this.root, this.env['HOME'] ?? '', this.layout.queue, this.beside('drops')]) fs.mkdirSync(dir, { recursive: true });
    fs.writeFileSync(this.layout.configFile, `${(options.config ?? QUICK).join('\n')}\n`);
    for (const path of [this.top, this.root, this.env['HOME'] ?? '', this.layout.queue, this.layout.configFile]) this.give(path);
  }

  /** A path beside the project, removed with it: for what a test's scripts write. */
  beside(name: string): string {
    return join(this.top, name);
  }

  /** To whom the pit belongs, where that is not us. */
  give(path: string): void {
    if (this.as.uid !== undefined) fs.chownSync(path, this.as.uid, this.as.uid);
  }

  /** `snakepit -C <root> …` to its end. */
  cli(...args: readonly string[]): Promise<Called> {
    return new Promise((resolve) => {
      execFile(process.execPath, [this.program, '-C', this.root, ...args], { ...this.as, env: this.env, cwd: this.root, timeout: this.callMs, killSignal: 'SIGKILL', maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 137;
        resolve({ code, stdout, stderr });
      });
    });
  }

  /** The same, started and left to the caller: to be killed half-way. Its identity is safe until its exit was seen. */
  start(...args: readonly string[]): ChildProcess {
    return spawn(process.execPath, [this.program, '-C', this.root, ...args], { ...this.as, env: this.env, cwd: this.root, stdio: 'ignore' });
  }

  /** A call that must go well. */
  async ok(...args: readonly string[]): Promise<string> {
    const called = await this.cli(...args);
    if (called.code !== 0) throw new Error(`snakepit ${args.join(' ')} ended with ${called.code}: ${called.stderr}${called.stdout}\n${this.lastWords()}`);
    return called.stdout;
  }

  up(snakes: number): Promise<string> {
    return this.ok('up', '-n', String(snakes));
  }

  /** Drops a task as a careful writer does: written beside, renamed in. */
  dropTask(fileName: string, text: string): void {
    const beside = join(this.beside('drops'), String((this.dropped += 1)));
    fs.writeFileSync(beside, text);
    this.give(beside);
    fs.renameSync(beside, join(this.layout.queue, fileName));
  }

  /** Polls; on a miss, what the pit last said goes into the error. */
  async until(what: string, condition: () => boolean | Promise<boolean>, deadlineMs = 30_000): Promise<void> {
    try {
      await until(what, condition, deadlineMs, REST_MS);
    } catch (cause) {
      throw new Error(`${String(cause)}\n${this.lastWords()}`, { cause });
    }
  }

  /** File names of a state directory; `stories` says whether the .result.md files are among them. */
  files(state: QueueState, stories = false): string[] {
    return fs.readdirSync(this.layout.dir(state)).filter((name) => stories || !name.endsWith('.result.md'));
  }

  events(): EventLine[] {
    for (;;) {
      const parts = this.logParts();
      const texts = [...parts, this.layout.events].map((path) => (path.endsWith('.gz') ? gunzipSync(fs.readFileSync(path)).toString('utf8') : text(path)));
      // Rotated or compressed meanwhile: then it is read anew.
      if (JSON.stringify(this.logParts()) === JSON.stringify(parts)) return parseEvents(texts.join(''));
    }
  }

  /** Former parts of the event log, oldest first; a long test has some. */
  private logParts(): string[] {
    const names = fs.existsSync(this.layout.log) ? fs.readdirSync(this.layout.log).filter((name) => /^events-\w+\.jsonl(\.gz)?$/.test(name)).sort() : [];
    return names.filter((name) => !name.endsWith('.gz') || !names.includes(name.slice(0, -3))).map((name) => join(this.layout.log, name));
  }

  /** What the pit last published. */
  snapshot(): Snapshot | undefined {
    return parseJson<Snapshot>(text(this.layout.snapshot));
  }

  /** The living pit process, by the lock that it holds. */
  daemon(): Promise<ProcessIdentity | undefined> {
    return holder(nodeFiles, linuxProcesses, this.layout.locks.pit);
  }

  /** The living snakes, by their registrations. */
  async snakes(): Promise<{ snake: string; process: ProcessIdentity }[]> {
    return (await listSnakes(nodeFiles, linuxProcesses, this.layout)).filter((one) => one.liveness === 'alive');
  }

  /** kill -9 of that very process; false when it was gone already. */
  async kill(victim: ProcessIdentity): Promise<boolean> {
    if ((await linuxProcesses.liveness(victim)) !== 'alive') return false;
    await linuxProcesses.signal(victim, 'SIGKILL');
    return true;
  }

  /**
   * Every living process that this pit or its command line started, wherever it hides: by the pit's mark or our HOME in its
   * environment, by a working directory below ours, or by a path of ours in its arguments (the tmux server, a recorder).
   */
  processes(): { process: ProcessIdentity; command: string }[] {
    const id = fs.existsSync(this.layout.pitId) ? fs.readFileSync(this.layout.pitId, 'utf8').trim() : undefined;
    const entries = [`HOME=${this.env['HOME']}`, ...(id === undefined ? [] : [`SNAKEPIT_PIT=${id}`])];
    const found: { process: ProcessIdentity; command: string }[] = [];
    for (const name of fs.readdirSync('/proc')) {
      if (!/^\d+$/.test(name) || Number(name) === process.pid) continue;
      const command = text(`/proc/${name}/cmdline`);
      const environment = text(`/proc/${name}/environ`).split('\0');
      const cwd = link(`/proc/${name}/cwd`);
      if (!entries.some((entry) => environment.includes(entry)) && !cwd.startsWith(`${this.top}/`) && !command.includes(`${this.top}/`) && !command.includes(this.layout.tmuxSocket)) continue;
      const identity = identify(Number(name));
      if (identity !== undefined) found.push({ process: identity, command: command.replaceAll('\0', ' ').trim() });
    }
    return found;
  }

  /** `down --now`; then proof that nothing is left, the directory removed. Throws, after tidying up, where something was. */
  async dispose(): Promise<void> {
    const faults: string[] = [];
    try {
      if (fs.existsSync(this.layout.state)) {
        const called = await this.cli('down', '--now');
        if (called.code !== 0) faults.push(`down --now ended with ${called.code}: ${called.stderr}`);
        await until('processes of the pit that are ending have ended', () => this.processes().length === 0, 2000).catch(() => undefined);
      }
      const left = this.processes();
      for (const { process: one, command } of left) {
        faults.push(`left alive: ${one.pid} ${command}`);
        await this.kill(one);
      }
      await until('what was left is gone', () => !this.processes().some(({ process: one }) => left.some((other) => sameProcess(one, other.process))), 5000);
      if (fs.existsSync(this.layout.tmuxSocket)) faults.push(`the tmux socket is left: ${this.layout.tmuxSocket}`);
      if (faults.length > 0) faults.push(this.lastWords());
    } finally {
      if ((process.env['KEEP_PIT'] ?? '') === '') fs.rmSync(this.top, { recursive: true, force: true });
      else console.log(`kept: ${this.top}`);
    }
    if (faults.length > 0) throw new Error(faults.join('\n'));
  }

  private lastWords(): string {
    const last = (file: string, lines: number): string => text(file).trimEnd().split('\n').slice(-lines).join('\n');
    return ['pit.out', 'snakes.log'].map((name) => `${name}: ${last(join(this.layout.log, name), 8)}`).join('\n') + `\nevents:\n${last(this.layout.events, 12)}`;
  }
}

function text(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function link(file: string): string {
  try {
    return `${fs.readlinkSync(file).replace(/ \(deleted\)$/, '')}/`;
  } catch {
    return '';
  }
}
