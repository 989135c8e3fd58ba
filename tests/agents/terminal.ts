import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deliver } from '../../src/agents/deliver/deliver.js';
import { paneLock } from '../../src/agents/deliver/lock.js';
import { linesProof } from '../../src/agents/deliver/records.js';
import type { Receipt } from '../../src/agents/deliver/state.js';
import { targetOf, type DeliveryWish } from '../../src/agents/deliver/target.js';
import type { ScreenLook } from '../../src/agents/deliver/ports.js';
import type { AgentProfile } from '../../src/agents/profile.js';
import { classifyScreen } from '../../src/agents/screen.js';
import { systemClock } from '../../src/lib/clock.js';
import { linuxProcesses } from '../../src/lib/linux-processes.js';
import { nodeFiles } from '../../src/lib/node-files.js';
import type { PaneCapture, TmuxPane } from '../../src/tmux/pane.js';
import { TmuxServer } from '../../src/tmux/server.js';
import { until } from '../rig/until.js';
import { COMPOSERS, transcriptsBelow } from './composers.js';
import { envOf, HEADLESS, type Core, type Place } from './headless.js';

const SESSION = 'agent';
const READY_MS = 90_000;

/** One real program in a pane of a tmux server of its own, and delivery into it as snakepit does it. */
export class AgentTerminal implements AsyncDisposable {
  readonly pane: TmuxPane;
  private readonly name: Core;
  private readonly place: Place;
  private readonly server: TmuxServer;
  private readonly profile: AgentProfile;
  private readonly socket: string;

  private constructor(name: Core, place: Place, profile: AgentProfile) {
    this.name = name;
    this.place = place;
    this.profile = profile;
    this.socket = join(place.home, 't.sock');
    this.server = new TmuxServer(this.socket, join(place.home, 't.conf'));
    this.pane = this.server.pane(SESSION);
  }

  static async start(name: Core, bin: string, place: Place, profile: AgentProfile): Promise<AgentTerminal> {
    const terminal = new AgentTerminal(name, place, profile);
    await HEADLESS[name].seed(place);
    if (name === 'opencode') {
      const config = join(place.home, '.config/opencode/opencode.json');
      writeFileSync(config, readFileSync(config, 'utf8').replace('"permission":"allow"', '"permission":{"bash":"ask"}'));
    }
    await terminal.server.found(nodeFiles);
    terminal.tmux('set', '-g', 'remain-on-exit', 'on');
    const env = envOf(name, place);
    const launched = await terminal.server.launch({ session: SESSION, env: { ...env, TERM: 'screen-256color', COLORTERM: 'truecolor' }, argv: ['/bin/sh', '-c', 'cd "$1" && shift && exec "$@"', 'sh', place.work, bin, ...COMPOSERS[name].argv], recording: join(place.home, 'recording'), size: { columns: 120, rows: 40 } });
    if (launched.kind !== 'launched') throw new Error(launched.kind);
    return terminal;
  }

  tmux(...args: string[]): string {
    return execFileSync('tmux', ['-u', '-S', this.socket, ...args], { encoding: 'utf8' });
  }

  keys(...keys: string[]): void {
    this.tmux('send-keys', '-t', `=${SESSION}:`, ...keys);
  }

  private get interactive(): NonNullable<AgentProfile['interactive']> {
    if (this.profile.interactive === undefined) throw new Error(`${this.name} has no interactive mode`);
    return this.profile.interactive;
  }

  readonly look = (capture: PaneCapture): ScreenLook => classifyScreen(this.interactive.screen, this.interactive.dialogs, capture);

  async now(): Promise<ScreenLook & { text: string }> {
    const seen = await this.pane.observe();
    return seen.kind === 'seen' ? { ...this.look(seen.capture), text: seen.capture.text } : { kind: 'unknown', text: seen.kind };
  }

  /** Its composer is there and empty, and it does nothing, twice in a row. */
  async idle(): Promise<void> {
    let calm = 0;
    await until(`${this.name} is idle`, async () => {
      const { kind, draft } = await this.now();
      calm = (kind === 'idle' || kind === 'finished') && draft === '' ? calm + 1 : 0;
      return calm >= 2;
    }, READY_MS).catch(async (cause: unknown) => {
      throw new Error(`${String(cause)}\n${(await this.now()).text}`);
    });
  }

  async shows(what: RegExp): Promise<void> {
    await until(`${this.name} shows ${what}`, async () => what.test((await this.now()).text), READY_MS).catch(async (cause: unknown) => {
      throw new Error(`${String(cause)}\n${(await this.now()).text}`);
    });
  }

  send(text: string, wish: DeliveryWish): Promise<Receipt> {
    const { transcripts } = COMPOSERS[this.name];
    const rules = this.profile.transcript?.kind === 'jsonl' ? this.profile.transcript.rules : [];
    const proof = linesProof(nodeFiles, systemClock, [{ source: 'transcript', rules, files: async () => transcriptsBelow(join(this.place.home, transcripts)) }]);
    return deliver({ clock: systemClock, pane: this.pane, look: this.look, proof, lock: paneLock(nodeFiles, linuxProcesses, join(this.place.home, 'pane.lock')) }, targetOf(this.interactive, wish), text);
  }

  /** The server, the program and whatever it started: all have our home in their environment. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.killServer();
    const left = (): number[] => readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && ours(pid, this.place.home)).map(Number);
    await until('it has ended', () => left().length === 0, 3000).catch(() => undefined);
    for (const pid of left()) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It ended by itself.
      }
    }
    await until('what was left is gone', () => left().length === 0, 5000);
  }
}

function ours(pid: string, home: string): boolean {
  try {
    return Number(pid) !== process.pid && readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(`HOME=${home}`);
  } catch {
    return false;
  }
}
