import { newNonce } from '../lib/ids.js';
import type { Ran } from '../lib/run.js';
import { isGone, isMissing } from './answer.js';

/** One look at a pane, all of it from one instant: the server answers a list of commands without a pause. */
export interface PaneCapture {
  readonly dead: boolean;
  /** Copy mode, a tree or a menu: keys would go there and not to the program. */
  readonly inMode: boolean;
  /** As the program set it; without controls. */
  readonly title: string;
  readonly cursor: { readonly x: number; readonly y: number };
  readonly size: { readonly columns: number; readonly rows: number };
  /** Terminals that are attached and may type. `activeAtMs`: wall clock of the last key, whole seconds; of the attachment, before any. */
  readonly people: readonly { readonly activeAtMs: number }[];
  /** The screen, row by row, without and with its colours (SGR only). */
  readonly text: string;
  readonly styled: string;
}

export type PaneSeen = { readonly kind: 'seen'; readonly capture: PaneCapture } | { readonly kind: 'gone' } | { readonly kind: 'unknown'; readonly why: string };

/** How a guarded act went. Anything but "done" and "unknown" is proof that nothing reached the program. */
export type PaneActed = { readonly kind: 'done' | 'dead' | 'in-mode' | 'moved' | 'gone' } | { readonly kind: 'unknown'; readonly why: string };

export type RunTmux = (args: readonly string[], input?: string) => Promise<Ran>;

const FACTS = '#{pane_dead} #{pane_in_mode} #{cursor_x} #{cursor_y} #{pane_width} #{pane_height} #{pane_title}';
const REFUSES = '#{||:#{pane_dead},#{pane_in_mode}}';
const WHY = 'display-message -p -t TARGET "#{?pane_dead,dead,#{?pane_in_mode,in-mode,moved}}"';

/**
 * The one pane of one session. Every act is guarded inside the server, in the same command as the act itself: a pane that has
 * died is never pasted into (tmux 3.3a: the whole server dies of that, 3 of 3), one in copy mode gets no keys, and a key
 * is sent only while the cursor stands where the last look saw it. Texts go in over standard input, never as an argument.
 */
export class TmuxPane {
  private readonly run: RunTmux;
  private readonly session: string;

  /** `session`: letters, digits and dashes. */
  constructor(run: RunTmux, session: string) {
    this.run = run;
    this.session = session;
  }

  async observe(): Promise<PaneSeen> {
    const mark = `~${newNonce()}`;
    const divide = [';', 'display-message', '-p', '--', mark, ';'];
    const ran = await this.run([
      'list-panes', '-t', this.target, '-F', FACTS, ...divide,
      'list-clients', '-t', `=${this.session}`, '-F', '#{client_activity} #{client_readonly} #{client_control_mode}', ...divide,
      'capture-pane', '-p', '-t', this.target, ...divide,
      'capture-pane', '-p', '-e', '-t', this.target,
    ]);
    if (ran.kind === 'unknown') return ran;
    if (ran.code !== 0) return isGone(ran) || isMissing(ran) ? { kind: 'gone' } : { kind: 'unknown', why: ran.stderr.trim() };
    const capture = parse(ran.stdout.split(`${mark}\n`));
    return capture === undefined ? { kind: 'unknown', why: 'an answer of tmux that cannot be read' } : { kind: 'seen', capture };
  }

  /** All modes at once, those inside of others too. Harmless in a pane that is in none. */
  async leaveMode(): Promise<void> {
    await this.run(['if-shell', '-F', '-t', this.target, '#{pane_in_mode}', `copy-mode -q -t ${this.target}`]);
  }

  /** Pastes as a terminal does, bracketed by tmux itself where the program asked for it. Line feeds arrive as carriage returns, as they do from every terminal. */
  async paste(text: string): Promise<PaneActed> {
    const buffer = `snakepit-${newNonce()}`;
    const acted = outcome(await this.run(['load-buffer', '-b', buffer, '-', ';', ...this.guarded(REFUSES, `paste-buffer -p -d -b ${buffer} -t ${this.target}`)], text));
    if (acted.kind !== 'done') await this.run(['delete-buffer', '-b', buffer]);
    return acted;
  }

  /** One key, by tmux's name ("Enter", "Tab", "C-c") or as bytes ("hex:0d"), which no key table touches. */
  async key(key: string, cursor?: { readonly x: number; readonly y: number }): Promise<PaneActed> {
    const bytes = /^hex:((?:[0-9a-f]{2})+)$/.exec(key)?.[1]?.match(/../g);
    if (bytes === undefined && !/^[A-Za-z0-9-]+$/.test(key)) return { kind: 'unknown', why: `not a key: ${JSON.stringify(key)}` };
    const press = bytes == null ? `-- ${key}` : `-H ${bytes.join(' ')}`;
    const moved = cursor === undefined ? REFUSES : `#{||:${REFUSES},#{||:#{!=:#{cursor_x},${cursor.x}},#{!=:#{cursor_y},${cursor.y}}}}`;
    return outcome(await this.run(this.guarded(moved, `send-keys -t ${this.target} ${press}`)));
  }

  private get target(): string {
    return `=${this.session}:`;
  }

  private guarded(refuses: string, act: string): string[] {
    return ['if-shell', '-F', '-t', this.target, refuses, WHY.replace('TARGET', this.target), `${act} ; display-message -p done`];
  }
}

function outcome(ran: Ran): PaneActed {
  if (ran.kind === 'unknown') return ran;
  if (ran.code !== 0) return isGone(ran) || isMissing(ran) ? { kind: 'gone' } : { kind: 'unknown', why: ran.stderr.trim() };
  const said = ran.stdout.trim();
  return said === 'done' || said === 'dead' || said === 'in-mode' || said === 'moved' ? { kind: said } : { kind: 'unknown', why: `tmux said ${JSON.stringify(said)}` };
}

function parse(parts: readonly string[]): PaneCapture | undefined {
  const [facts, clients, text, styled] = parts;
  const match = /^(\d) (\d+) (\d+) (\d+) (\d+) (\d+) ([^\n]*)\n$/.exec(facts ?? '');
  if (match === null || clients === undefined || text === undefined || styled === undefined) return undefined;
  const people = clients.split('\n').flatMap((line) => {
    const [activity, readOnly, control] = line.split(' ');
    return activity === undefined || activity === '' || readOnly === '1' || control === '1' ? [] : [{ activeAtMs: Number(activity) * 1000 }];
  });
  const [, dead, modes, x, y, columns, rows, title] = match;
  return {
    dead: dead === '1', inMode: modes !== '0', title: title ?? '', cursor: { x: Number(x), y: Number(y) },
    size: { columns: Number(columns), rows: Number(rows) }, people, text, styled,
  };
}
