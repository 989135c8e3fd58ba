import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { resolveProfiles } from '../../../src/agents/resolve.js';
import { resolveConfig } from '../../../src/config/load.js';
import { nodeFiles } from '../../../src/lib/node-files.js';
import { ensureLayout, writeShim } from '../../../src/queue/init.js';
import { TmuxServer } from '../../../src/tmux/server.js';
import { Pit, QUICK } from '../../rig/pit.js';
import { seedRepo } from '../../rig/repo.js';
import { Witness } from '../../chaos/witness.js';

/*
 * A pit's directory as a running pit leaves it, but without a pit: each actor is started by the test, alone, as the real program
 * over real files, and may be told where to die.
 */

const DIST = fileURLToPath(new URL('../../../dist', import.meta.url));
const SEAM = new URL('./seam.mjs', import.meta.url).href;
const ROUND = fileURLToPath(new URL('./round.mjs', import.meta.url));

/** Where a process dies; see seam.mjs. */
export interface Stop {
  /** "full": it does not die; from there on the disk takes no more. */
  readonly when: 'before' | 'after' | 'half' | 'full';
  /** The operation, with `*` for anything; or its number. */
  readonly op?: string;
  readonly at?: number;
  readonly nth?: number;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
}

export class Stage {
  readonly pit: Pit;
  readonly witness: Witness;
  private readonly dist: string;
  private readonly tmux: TmuxServer;
  private lists = 0;
  /** Where programs are looked for. */
  path = process.env['PATH'] ?? '/usr/bin:/bin';

  private constructor(dist: string | undefined, more: readonly string[], hooks: boolean) {
    this.dist = dist ?? DIST;
    this.pit = new Pit({ config: [...QUICK.filter((line) => !/^(adopt|cleanup|grace|tick|settle):/.test(line)), 'adopt: 0s', 'cleanup: 1h', 'grace: 100ms', 'tick: 50ms', 'settle: 0s', ...more], dist });
    this.tmux = new TmuxServer(this.pit.layout.tmuxSocket, this.pit.layout.tmuxConfig);
    if (hooks) fs.appendFileSync(this.pit.layout.configFile, `hooks: ${JSON.stringify([{ name: 'told', on: ['task-done'], run: ['/bin/sh', '-c', `echo told >> '${this.pit.beside('told')}'`] }])}\n`);
    this.witness = new Witness(this.pit.beside('witness'));
  }

  /** `more`: further lines of snakepit.yaml. */
  static async open(options: { readonly dist?: string | undefined; readonly more?: readonly string[]; readonly repo?: boolean; readonly hooks?: boolean; readonly tmux?: boolean } = {}): Promise<Stage> {
    const stage = new Stage(options.dist, options.more ?? [], options.hooks === true);
    const { layout } = stage.pit;
    if (options.repo === true) seedRepo(layout.root);
    await ensureLayout(nodeFiles, layout);
    const text = fs.readFileSync(layout.configFile, 'utf8');
    const config = resolveConfig('snakepit.yaml', text, {});
    if (!config.ok) throw new Error(config.error.problem);
    const profiles = resolveProfiles('snakepit.yaml', text, config.value);
    if (!profiles.ok) throw new Error(profiles.error.problem);
    fs.writeFileSync(layout.activeConfig, JSON.stringify(config.value));
    fs.writeFileSync(layout.agents, JSON.stringify(profiles.value));
    fs.chmodSync(await writeShim(nodeFiles, layout, process.execPath, join(stage.dist, 'cli', 'main.js')), 0o700);
    if (options.tmux !== false && (await stage.tmux.found(nodeFiles)) !== 'up') throw new Error('tmux did not start');
    return stage;
  }

  /** A snake under the name s1. */
  snake(stop?: Stop, list?: string): ChildProcess {
    return this.spawn([join(this.dist, 'snake', 'main.js'), this.pit.root, 's1'], stop, list);
  }

  /** The pit's daemon. */
  daemon(stop?: Stop, list?: string): ChildProcess {
    return this.spawn([join(this.dist, 'pit', 'daemon.js'), this.pit.root], stop, list);
  }

  /** A shell's words for a command of snakepit's inside a session, which dies where `orderSession` says: once. */
  seamed(words: string): string {
    const [fuse, order] = [this.pit.beside('fuse'), this.pit.beside('order')];
    return `SNAKEPIT_TEST_CRASH="$([ -e '${fuse}' ] && cat '${order}' || echo '{}')" '${process.execPath}' --import '${SEAM}' '${join(this.dist, 'cli', 'main.js')}' ${words}`;
  }

  orderSession(stop: Stop | undefined, list: string | undefined): void {
    fs.writeFileSync(this.pit.beside('fuse'), '');
    fs.writeFileSync(this.pit.beside('order'), JSON.stringify({ root: this.pit.root, ...stop, ...(stop === undefined ? {} : { fuse: this.pit.beside('fuse') }), ...(list === undefined ? {} : { list }) }));
  }

  sessionDied = (): boolean => !fs.existsSync(this.pit.beside('fuse'));

  /** A command of snakepit's to its end, or to the stop. */
  cli(args: readonly string[], stop?: Stop, list?: string): Promise<Ended> {
    return end(this.spawn([join(this.dist, 'cli', 'main.js'), '-C', this.pit.root, ...args], stop, list));
  }

  /** One round of what the pit does at each tick; round.mjs knows which there are. */
  round(name: 'drops' | 'recurring' | 'waiting' | 'stories', stop?: Stop, list?: string): Promise<Ended> {
    return end(this.spawn([ROUND, this.dist, this.pit.root, name], stop, list));
  }

  /** The operations of one run, as the seam wrote them down. */
  async listing(run: (list: string) => Promise<unknown>): Promise<string[]> {
    const list = this.pit.beside(`operations-${(this.lists += 1)}`);
    await run(list);
    return fs.existsSync(list) ? fs.readFileSync(list, 'utf8').trimEnd().split('\n') : [];
  }

  private spawn(argv: readonly string[], stop: Stop | undefined, list: string | undefined): ChildProcess {
    const order = stop === undefined && list === undefined ? undefined : JSON.stringify({ root: this.pit.root, ...stop, ...(list === undefined ? {} : { list }) });
    const env = { PATH: this.path, HOME: this.pit.beside('home'), LANG: 'C.UTF-8', ...(order === undefined ? {} : { SNAKEPIT_TEST_CRASH: order }) };
    return spawn(process.execPath, [...(order === undefined ? [] : ['--import', SEAM]), ...argv], { cwd: this.pit.root, env, stdio: ['ignore', 'pipe', 'pipe'] });
  }

  /** Sessions of claims that tmux still has. */
  async sessions(): Promise<string[]> {
    const listed = await this.tmux.sessions();
    return listed.kind === 'listed' ? listed.rows.map(({ session }) => session) : [];
  }

  /** Ends the tmux server and whatever is left; returns what should not have been there. */
  async close(): Promise<string[]> {
    await this.tmux.killServer();
    const faults: string[] = [];
    await this.pit.until('what is ending has ended', () => this.pit.processes().length === 0, 5000).catch(() => undefined);
    for (const { process: one, command } of this.pit.processes()) {
      faults.push(`left alive: ${command}`);
      await this.pit.kill(one);
    }
    if ((process.env['KEEP_PIT'] ?? '') === '') fs.rmSync(dirname(this.pit.root), { recursive: true, force: true });
    else console.log(`kept: ${this.pit.root}`);
    return faults;
  }
}

/** The end of a process, and what it said. */
export async function end(child: ChildProcess): Promise<Ended> {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  if (child.exitCode === null && child.signalCode === null) await once(child, 'close');
  return { code: child.exitCode, signal: child.signalCode, output };
}
