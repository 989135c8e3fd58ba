import { execFile, spawn, type ChildProcess } from 'node:child_process';
import * as fs from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { linuxProcesses } from '../../src/lib/linux-processes.js';
import type { ProcessIdentity } from '../../src/lib/processes.js';
import { isTaskFile, type QueueState } from '../../src/protocol/layout.js';
import { Pit, QUICK, type Called, type PitOptions } from '../rig/pit.js';

export const CLI = fileURLToPath(new URL('../../bin/snakepit.js', import.meta.url));

/** Runs the body with a pit of its own and disposes of it; a fault of the body is told first, one of the disposal never swallowed. */
export async function withPit(options: PitOptions & { readonly bare?: boolean }, body: (pit: Pit) => Promise<void>): Promise<void> {
  const pit = new Pit({ ...options, config: options.config ?? QUICK });
  const faults: unknown[] = [];
  try {
    if (options.bare !== true) await pit.ok('init');
    await body(pit);
  } catch (cause) {
    faults.push(cause);
  }
  await pit.dispose().catch((cause: unknown) => faults.push(cause));
  if (faults.length === 1) throw faults[0];
  if (faults.length > 1) throw new AggregateError(faults, faults.map(String).join('\n--- and: '));
}

/** The environment that a pit's own calls get. */
export const envOf = (pit: Pit, extra: Readonly<Record<string, string>> = {}): Record<string, string> => ({ PATH: process.env['PATH'] ?? '/usr/bin:/bin', HOME: pit.beside('home'), LANG: 'C.UTF-8', ...extra });

/** A call with its own standard input, environment or directory. */
export function call(pit: Pit, args: readonly string[], options: { input?: string; env?: Readonly<Record<string, string>>; cwd?: string; here?: boolean } = {}): Promise<Called> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [CLI, ...(options.here === true ? [] : ['-C', pit.root]), ...args], { env: envOf(pit, options.env), cwd: options.cwd ?? pit.root, timeout: 90_000, killSignal: 'SIGKILL' }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : 137, stdout, stderr });
    });
    child.stdin?.end(options.input ?? '');
  });
}

/** A call left running, its output collected. */
export function background(pit: Pit, ...args: readonly string[]): { child: ChildProcess; output(): string; ended: Promise<number> } {
  const child = spawn(process.execPath, [CLI, '-C', pit.root, ...args], { env: envOf(pit), cwd: pit.root, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = new Promise<number>((resolve) => child.on('close', (code) => resolve(code ?? 137)));
  return { child, output: () => output, ended };
}

export const alive = async (one: ProcessIdentity): Promise<boolean> => (await linuxProcesses.liveness(one)) === 'alive';

/** kill -9 of the pit alone, and until it is seen to be dead. */
export async function killPit(pit: Pit): Promise<void> {
  const daemon = await pit.daemon();
  if (daemon === undefined) throw new Error('there is no pit to kill');
  await pit.kill(daemon);
  await pit.until('the pit is dead', async () => (await pit.daemon()) === undefined);
}

export const sh = (...lines: readonly string[]): string => `\`\`\`sh\n${lines.join('\n')}\n\`\`\`\n`;
export const head = (...lines: readonly string[]): string => `---\n${lines.join('\n')}\n---\n`;

export function read(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

export const story = (pit: Pit, state: 'done' | 'failed', id: string): string => read(join(pit.layout.dir(state), `${id}.result.md`));
export const isIn = (pit: Pit, state: QueueState, id: string): boolean => fs.readdirSync(pit.layout.dir(state)).some((name) => name === `${id}.md` || (name.includes(`~${id}~`) && name.endsWith('.md')));
/** The task has ended and its story stands; the story follows the rename, so a test that waits for less reads too early. */
export const hasEnded = (pit: Pit, state: 'done' | 'failed', id: string): boolean => isIn(pit, state, id) && story(pit, state, id) !== '';
/** Task files of a state: no stories, and no file that is being written. */
export const tasksIn = (pit: Pit, state: QueueState): string[] => fs.readdirSync(pit.layout.dir(state)).filter(isTaskFile);
export const fileOf = (pit: Pit, state: QueueState, id: string): string => {
  const name = fs.readdirSync(pit.layout.dir(state)).find((one) => one === `${id}.md` || one.includes(`~${id}~`));
  if (name === undefined) throw new Error(`${id} is not in ${state}/ but: ${fs.readdirSync(pit.layout.dir(state)).join(' ')}`);
  return join(pit.layout.dir(state), name);
};

/** What was refused under a file name: where it was kept, and the story. */
export function refusal(pit: Pit, shownName: string): { kept: string; story: string } | undefined {
  const failed = pit.layout.dir('failed');
  for (const name of fs.readdirSync(failed)) {
    if (!/\.refused-[0-9a-z]{10}\.result\.md$/.test(name)) continue;
    const text = read(join(failed, name));
    if (!text.startsWith(`# Not taken in: ${shownName}\n`)) continue;
    const stem = name.slice(0, -'.result.md'.length);
    const kept = fs.readdirSync(failed).find((other) => other === `${stem}.md` || other === `${stem}.special`);
    if (kept !== undefined) return { kept: join(failed, kept), story: text };
  }
  return undefined;
}

/** Moves a file as a person does, keeping its name or giving it another. */
export function mv(from: string, to: string): void {
  fs.renameSync(from, fs.existsSync(to) && fs.statSync(to).isDirectory() ? join(to, basename(from)) : to);
}

let terminals = 0;

/** A tmux of the test's own, for what needs a terminal. */
export class Terminal {
  private readonly socket: string;
  private readonly env: Record<string, string>;
  /** `script`: what its shell does instead of calling the command line and telling how that ended; "$@" is the call. */
  constructor(pit: Pit, args: readonly string[], setting: { readonly env?: Readonly<Record<string, string>>; readonly script?: string } = {}) {
    // A socket of its own: a server that is just going down would take the next one's session with it.
    this.socket = pit.beside(`terminal-${(terminals += 1)}.sock`);
    this.env = envOf(pit, { TERM: 'screen-256color', ...setting.env });
    this.run('-f', '/dev/null', 'new-session', '-d', '-s', 't', '-x', '120', '-y', '30', '--', '/bin/sh', '-c', setting.script ?? '"$@"; printf "ended with %s\\n" "$?"; exec cat', 'sh', process.execPath, CLI, '-C', pit.root, ...args);
  }
  private tmux(...args: readonly string[]): Promise<Called> {
    return new Promise((resolve) => {
      execFile('tmux', ['-u', '-S', this.socket, ...args], { env: this.env, cwd: dirname(this.socket) }, (error, stdout, stderr) => resolve({ code: error === null ? 0 : 1, stdout, stderr }));
    });
  }
  private queue: Promise<unknown> = Promise.resolve();
  private run(...args: readonly string[]): Promise<Called> {
    const next = this.queue.then(() => this.tmux(...args));
    this.queue = next;
    return next;
  }
  async screen(...how: readonly string[]): Promise<string> {
    return (await this.run('capture-pane', '-p', ...how, '-t', 't')).stdout;
  }
  async alternate(): Promise<boolean> {
    return (await this.run('display-message', '-p', '-t', 't', '#{alternate_on}')).stdout.trim() === '1';
  }
  async resize(cols: number, rows: number): Promise<void> {
    await this.run('resize-window', '-t', 't', '-x', String(cols), '-y', String(rows));
  }
  /** What the pane was told of itself: modes that a program must give back. */
  async told(format: string): Promise<string> {
    return (await this.run('display-message', '-p', '-t', 't', format)).stdout.trim();
  }
  async press(...keys: readonly string[]): Promise<void> {
    await this.run('send-keys', '-t', 't', ...keys);
  }
  async close(): Promise<void> {
    await this.run('kill-server');
  }
}
