import type { QueueState } from '../../protocol/layout.js';
import type { TokenCount } from '../../protocol/tokens.js';

/*
 * The live view. Facts come in as a Model (observe*.ts), what a person does as keys (input.ts); both are turned into a screen
 * and into actions by pure functions:
 *
 *   observe ──► Model ─┐
 *                      ├─► frame(model, size, ui) ──► lines ──► screen.ts (writes what changed)
 *   bytes ──► Key ──► key(ui, key, model, size) ──► Ui, Action ──► act.ts (the commands' own functions)
 */

export const PANES = ['sessions', 'queue', 'done', 'failed', 'needs', 'held', 'stuck', 'events'] as const;
export type Pane = (typeof PANES)[number];
/** Panes whose rows are tasks. */
export type TaskPane = Exclude<Pane, 'sessions' | 'events'>;

export interface Size {
  readonly cols: number;
  readonly rows: number;
}

/** One snake or resident. Instants are wall clock, milliseconds. Texts may be hostile: the frame shows them safely. */
export interface SessionRow {
  readonly name: string;
  readonly kind: 'snake' | 'resident';
  readonly state: string;
  /** By what rule it is in that state, or what holds it. */
  readonly why: string;
  readonly task: string | undefined;
  readonly step: string | undefined;
  readonly round: number | undefined;
  readonly profile: string | undefined;
  readonly since: number | undefined;
  /** Its last true progress. */
  readonly movedAt: number | undefined;
  readonly nudges: number;
  readonly attempt: number | undefined;
  /** Of the ended attempts of its task; a running attempt is counted when it ends. */
  readonly tokens: TokenCount | undefined;
  /** Resident memory of all its processes, bytes. */
  readonly memory: number | undefined;
  /** Its tmux session; undefined: nothing to attach to. */
  readonly session: string | undefined;
}

export interface TaskRow {
  readonly id: string;
  readonly state: QueueState | 'refused';
  /** Absolute path. */
  readonly file: string;
  /** When it ended; of one that has not, when it arrived. Wall clock, milliseconds. */
  readonly at: number;
  readonly attempt: number | undefined;
  readonly priority: number | undefined;
  /** Not before this instant. */
  readonly dueAt: number | undefined;
}

/** What is read of a task only while its row is on the screen. */
export interface TaskDetail {
  readonly note: string;
  readonly attempt: number | undefined;
  readonly agent: string | undefined;
  readonly tookMs: number | undefined;
  readonly tokens: TokenCount | undefined;
  /** What became of its branch; undefined: that is not known. */
  readonly branch?: 'none' | 'left' | 'merged' | 'proposed';
}

export type PitFacts =
  | { readonly kind: 'none' }
  /** It ended without having been told to; what it left goes on. */
  | { readonly kind: 'dead'; readonly pid: number }
  | { readonly kind: 'starting'; readonly pid: number }
  | { readonly kind: 'running'; readonly pid: number; readonly startedAt: number; readonly mode: 'run' | 'drain' | 'now'; readonly wanted: number; readonly tmux: 'up' | 'gone' | 'unknown' };

export interface Preview {
  /** Of whom: the name that was selected. */
  readonly of: string;
  readonly kind: 'screen' | 'text' | 'nothing';
  readonly lines: readonly string[];
}

export interface Model {
  readonly at: number;
  readonly name: string;
  readonly pit: PitFacts;
  readonly paused: boolean;
  /** Why nothing is claimed, with the way out. */
  readonly hindrance: string | undefined;
  readonly configProblem: string | undefined;
  readonly counts: Readonly<Record<QueueState, number>>;
  readonly refused: number;
  /** Tasks that ended, an hour; reckoned over `windowMs`. */
  readonly rates: { readonly done: number; readonly failed: number; readonly windowMs: number };
  /** Arrival of the one that has been in line for longest. */
  readonly oldestAt: number | undefined;
  readonly accounts: readonly string[];
  readonly load: number;
  readonly cpus: number;
  readonly disk: { readonly freeBytes: number; readonly floorBytes: number } | undefined;
  /** Since midnight, of what has been counted: an attempt is when it ends. `unpriced`: some of it is in no sum of money. */
  readonly today: { readonly tokens: number; readonly costUsd: number; readonly unpriced: boolean };
  readonly budget: { readonly tokens?: number; readonly costUsd?: number } | undefined;
  readonly sessions: readonly SessionRow[];
  readonly tasks: Readonly<Record<TaskPane, readonly TaskRow[]>>;
  /** By `state/id`. */
  readonly details: ReadonlyMap<string, TaskDetail>;
  /** Newest last; each fit for a terminal. */
  readonly events: readonly string[];
  readonly preview: Preview | undefined;
}

export const detailKey = (row: Pick<TaskRow, 'id' | 'state'>): string => `${row.state}/${row.id}`;

/** How the rows of a pane are put in order; the first one is where it begins. */
export const SORTS: Readonly<Record<Pane, readonly string[]>> = {
  sessions: ['name', 'state', 'elapsed', 'quiet', 'tokens', 'memory'],
  queue: ['line', 'name', 'age'],
  done: ['newest', 'oldest', 'name'],
  failed: ['newest', 'oldest', 'name'],
  needs: ['oldest', 'newest', 'name'],
  held: ['line', 'name', 'age'],
  stuck: ['line', 'name', 'age'],
  events: ['time'],
};

/** Commands that only tell. */
export type View = 'show' | 'logs' | 'explain' | 'diff';

export type Action =
  | { readonly kind: 'none' }
  | { readonly kind: 'quit' }
  | { readonly kind: 'suspend' }
  | { readonly kind: 'redraw' }
  | { readonly kind: 'mouse'; readonly on: boolean }
  | { readonly kind: 'attach'; readonly name: string }
  | { readonly kind: 'nudge'; readonly name: string; readonly text: string }
  | { readonly kind: 'ping'; readonly names: readonly string[]; readonly text: string }
  | { readonly kind: 'answer'; readonly id: string; readonly text: string }
  /** The branch of a task that has ended, or waits with it for a person: into its target. */
  | { readonly kind: 'merge'; readonly id: string }
  | { readonly kind: 'reject'; readonly id: string; readonly text: string }
  | { readonly kind: 'cancel' | 'retry' | 'rerun' | 'hold' | 'release'; readonly id: string }
  | { readonly kind: 'pause' | 'resume' }
  /** `to` undefined: a pit is started with as many as it had, or as the configuration says. */
  | { readonly kind: 'scale'; readonly to: number | undefined }
  /** Into the pager: what the command of that name prints. */
  | { readonly kind: 'view'; readonly what: View; readonly name: string };

/** What is being typed, and what becomes of it at Enter. */
export type Typing =
  | { readonly kind: 'filter' }
  | { readonly kind: 'nudge'; readonly name: string }
  | { readonly kind: 'ping'; readonly names: readonly string[] }
  | { readonly kind: 'answer'; readonly id: string }
  /** Why it is rejected. */
  | { readonly kind: 'reject'; readonly id: string };

export type Mode =
  | { readonly kind: 'browsing' }
  | { readonly kind: 'typing'; readonly what: Typing; readonly text: string }
  /** y does it, any other key does not. */
  | { readonly kind: 'asking'; readonly question: string; readonly yes: Action }
  | { readonly kind: 'helping'; readonly offset: number };

/** The selected row of a pane, by name; by place where the name has gone. `offset`: the first row on the screen. */
export interface Cursor {
  readonly name: string | undefined;
  readonly index: number;
  readonly offset: number;
}

export interface Ui {
  readonly focus: Pane;
  /** What the lower pane shows while the sessions have the focus. */
  readonly list: Exclude<Pane, 'sessions'>;
  readonly cursors: Readonly<Record<Pane, Cursor>>;
  readonly sorts: Readonly<Record<Pane, string>>;
  readonly filter: string;
  readonly mode: Mode;
  readonly preview: boolean;
  readonly mouse: boolean;
  /** A single frame: nothing is selected. */
  readonly still: boolean;
  /** How many snakes were asked for last, until that has been done. */
  readonly scaling: number | undefined;
  /** What the last action came to. */
  readonly notice: { readonly text: string; readonly tone: 'good' | 'bad' | 'plain' } | undefined;
}

const each = <T>(value: (pane: Pane) => T): Record<Pane, T> => Object.fromEntries(PANES.map((pane) => [pane, value(pane)])) as Record<Pane, T>;

export const newUi = (): Ui => ({
  focus: 'sessions',
  list: 'queue',
  cursors: each(() => ({ name: undefined, index: 0, offset: 0 })),
  sorts: each((pane) => SORTS[pane][0] ?? ''),
  filter: '',
  mode: { kind: 'browsing' },
  preview: true,
  mouse: true,
  still: false,
  scaling: undefined,
  notice: undefined,
});
