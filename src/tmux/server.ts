import { spawn } from 'node:child_process';
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Files } from '../lib/files.js';
import { run, type Ran } from '../lib/run.js';
import { formatLiteral, shellQuote } from '../lib/quote.js';
import { newNonce } from '../lib/ids.js';
import { isGone, isMissing } from './answer.js';
import { TmuxPane } from './pane.js';

/** "unknown" where tmux did not answer: never taken for "gone". */
export type ServerState = 'up' | 'gone' | 'unknown';

/** One row of the one query per tick. */
export interface SessionRow {
  readonly session: string;
  readonly panePid: number;
  readonly dead: boolean;
  /** As the program set it. */
  readonly title: string;
  /** The pane's text, row by row; only of the sessions that were asked for. */
  readonly screen: string | undefined;
}

export type Sessions = { readonly kind: 'listed'; readonly rows: readonly SessionRow[] } | { readonly kind: 'gone' } | { readonly kind: 'unknown'; readonly why: string };

export type Launched = { readonly kind: 'launched' } | { readonly kind: 'exists' } | { readonly kind: 'gone' } | { readonly kind: 'unknown'; readonly why: string };

/** What a pane is started with. All of it is ours: no task text reaches a tmux argument. */
export interface LaunchSpec {
  /** Letters, digits and dashes only. */
  readonly session: string;
  /** Put into the pane's own environment before its program starts: the claim's marker, nothing secret. */
  readonly env: Readonly<Record<string, string>>;
  readonly argv: readonly [string, ...string[]];
  /** Everything the pane shows is appended here. */
  readonly recording: string;
  readonly size: { readonly columns: number; readonly rows: number };
}

const CALL_TIMEOUT_MS = 5000;
/** Blocks of 512 bytes: a recording ends at 256 MiB, its writer by SIGXFSZ, the session undisturbed. */
const RECORDING_BLOCKS = 524_288;

const CONFIG = `set -g exit-empty off
set -g destroy-unattached off
set -g remain-on-exit off
set -g history-limit 20000
set -g automatic-rename off
set -g allow-rename off
set -g set-clipboard off
set -g set-titles off
set -g update-environment ''
set -g default-terminal screen-256color
set -g status-left '[snakepit] '
set -g status-right 'detach: C-b d'
set -g window-status-format ''
set -g window-status-current-format ''
`;

/** Of the server and of every call: a client hands its whole environment to the server, and ours holds every profile's keys. */
const cleanEnv = (): Record<string, string> => ({ PATH: process.env['PATH'] ?? '/usr/bin:/bin', HOME: process.env['HOME'] ?? '/', TERM: 'screen-256color', LANG: 'C.UTF-8' });

/**
 * The pit's private tmux server. Founded clean: empty environment, cwd /, own socket and configuration; founded from a
 * snake it would carry that snake's marker, working directory and keys into every pane. The only place that runs tmux.
 */
export class TmuxServer {
  private readonly socket: string;
  private readonly configFile: string;

  constructor(socket: string, configFile: string) {
    this.socket = socket;
    this.configFile = configFile;
  }

  /** Exact arguments for a person's own terminal: `attach`. */
  attachArgv(session: string, readOnly: boolean): [string, ...string[]] {
    return ['tmux', '-u', '-S', this.socket, 'attach-session', ...(readOnly ? ['-r'] : []), '-t', `=${session}`];
  }

  /** Idempotent. Waits until the server answers. */
  async found(files: Files): Promise<ServerState> {
    await files.makeDir(dirname(this.socket));
    await files.write(this.configFile, CONFIG);
    await new Promise<void>((resolve) => {
      const child = spawn('tmux', ['-u', '-S', this.socket, '-f', this.configFile, 'start-server'], { cwd: '/', env: cleanEnv(), detached: true, stdio: 'ignore' });
      const timer = setTimeout(() => child.kill('SIGKILL'), CALL_TIMEOUT_MS);
      const settle = (): void => {
        clearTimeout(timer);
        resolve();
      };
      child.on('error', settle);
      child.on('exit', settle);
    });
    return this.state();
  }

  async state(): Promise<ServerState> {
    const ran = await this.tmux(['display-message', '-p', '#{pid}']);
    return ran.kind === 'unknown' ? 'unknown' : ran.code === 0 ? 'up' : isGone(ran) ? 'gone' : 'unknown';
  }

  /** The server's pid; undefined when it is not up. */
  async pid(): Promise<number | undefined> {
    const ran = await this.tmux(['display-message', '-p', '#{pid}']);
    return ran.kind === 'ended' && ran.code === 0 ? Number(ran.stdout.trim()) : undefined;
  }

  /** One tmux query, whatever the number of sessions and of captured screens. A screen whose session has just ended is left out, and so are those after it: they are seen at the next look. */
  async sessions(captured: readonly string[] = []): Promise<Sessions> {
    const mark = `~${newNonce()}~`;
    const ran = await this.tmux(['list-panes', '-a', '-F', '#{session_name} #{pane_pid} #{pane_dead} #{pane_title}', ...captured.flatMap((session) => [';', 'display-message', '-p', '--', `${mark}${session}`, ';', 'capture-pane', '-p', '-t', `=${session}:`])]);
    if (ran.kind === 'unknown') return ran;
    if (ran.code !== 0 && !(captured.length > 0 && isMissing(ran))) return isGone(ran) ? { kind: 'gone' } : /no (current )?(sessions|target)/.test(ran.stderr) ? { kind: 'listed', rows: [] } : { kind: 'unknown', why: ran.stderr.trim() };
    const [list = '', ...pictures] = ran.stdout.split(mark);
    const screens = new Map(pictures.map((picture) => [picture.slice(0, picture.indexOf('\n')), picture.slice(picture.indexOf('\n') + 1)]));
    const rows = list.split('\n').flatMap((line) => {
      const [, session, pid, dead, title] = /^(\S+) (\d+) (\d) ?(.*)$/.exec(line) ?? [];
      return session === undefined || pid === undefined ? [] : [{ session, panePid: Number(pid), dead: dead === '1', title: title ?? '', screen: screens.get(session) }];
    });
    return { kind: 'listed', rows };
  }

  /** Starts a session and its recording in one command queue, so that not a byte of output is missed. May be retried: a name exists once. */
  async launch(spec: LaunchSpec): Promise<Launched> {
    const env = Object.entries(spec.env).flatMap(([key, value]) => ['-e', `${key}=${value}`]);
    const record = formatLiteral(`ulimit -f ${RECORDING_BLOCKS}; exec cat >>${shellQuote(spec.recording)}`);
    const ran = await this.tmux([
      'new-session', '-d', '-s', spec.session, '-x', String(spec.size.columns), '-y', String(spec.size.rows), ...env, '--', ...spec.argv,
      ';', 'pipe-pane', '-O', '-t', `=${spec.session}:`, record,
    ]);
    if (ran.kind === 'unknown') return ran;
    // A command that ended before its recording was attached still ran: that is a launch.
    if (ran.code === 0 || /can't find (pane|session|window)/.test(ran.stderr)) return { kind: 'launched' };
    if (/duplicate session/.test(ran.stderr)) return { kind: 'exists' };
    return isGone(ran) ? { kind: 'gone' } : { kind: 'unknown', why: ran.stderr.trim() };
  }

  /** Shows a line on every attached terminal, and says on how many; with `bell`, rings there. Nothing is typed. */
  async tell(text: string, bell = false): Promise<number> {
    const listed = await this.tmux(['list-clients', '-F', '#{client_tty} #{client_name}']);
    const clients = listed.kind === 'ended' && listed.code === 0 ? listed.stdout.split('\n').filter((name) => name !== '') : [];
    let shown = 0;
    for (const line of clients) {
      const space = line.indexOf(' ');
      const client = line.slice(space + 1);
      if (bell) ringTerminal(line.slice(0, space));
      const ran = await this.tmux(['display-message', '-c', client, '-d', '3000', '--', formatLiteral(text)]);
      if (ran.kind === 'ended' && ran.code === 0) shown += 1;
    }
    return shown;
  }

  async killSession(session: string): Promise<void> {
    await this.tmux(['kill-session', '-t', `=${session}`]);
  }

  async killServer(): Promise<void> {
    await this.tmux(['kill-server']);
  }

  /** Looks into and types into the one pane of a session. */
  pane(session: string): TmuxPane {
    return new TmuxPane((args, input) => this.tmux(args, input), session);
  }

  private tmux(args: readonly string[], input?: string): Promise<Ran> {
    return run(['tmux', '-u', '-S', this.socket, ...args], { timeoutMs: CALL_TIMEOUT_MS, env: cleanEnv(), ...(input === undefined ? {} : { input }) });
  }
}

/**
 * One BEL, written to the terminal of an attached client: tmux has no command that rings, and in a pane it would stand in a session's
 * recording. A terminal that takes nothing now, or is gone, is left alone.
 */
function ringTerminal(tty: string): void {
  if (!tty.startsWith('/dev/')) return;
  let fd: number | undefined;
  try {
    fd = openSync(tty, constants.O_WRONLY | constants.O_NOCTTY | constants.O_NONBLOCK);
    writeSync(fd, '\u0007');
  } catch {
    /* see above */
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** What the pit asks of its tmux server. A port: the simulator brings its own. */
export type Tmux = Omit<{ readonly [K in keyof TmuxServer]: TmuxServer[K] }, 'pane'> & { pane(session: string): Pick<TmuxPane, keyof TmuxPane> };
