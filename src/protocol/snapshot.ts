import type { ProcessIdentity } from '../lib/processes.js';
import type { QueueState } from './layout.js';

/** What the pit publishes at each change, for `status` and `top`: they read this, never the pit's insides. */
export interface Snapshot {
  readonly v: 1;
  readonly at: number;
  readonly pit: ProcessIdentity;
  readonly startedAt: number;
  readonly mode: 'run' | 'drain' | 'now';
  readonly wanted: number;
  readonly snakes: readonly SnakeRow[];
  /** Absent in what an older pit published. */
  readonly residents?: readonly ResidentRow[];
  readonly counts: Readonly<Record<QueueState, number>>;
  /** The last edit of snakepit.yaml was refused for this; the one before is in force. */
  readonly configProblem: string | undefined;
  /** tmux as seen at this tick. */
  readonly tmux: 'up' | 'gone' | 'unknown';
  readonly sessions: number;
}

export interface SnakeRow {
  readonly snake: string;
  readonly state: 'empty' | 'starting' | 'up' | 'draining' | 'backing-off' | 'broken';
  readonly pid: number | undefined;
  readonly why: string | undefined;
}

/** One resident. Times are wall clock, milliseconds. */
export interface ResidentRow {
  readonly resident: string;
  readonly kind: 'interactive' | 'headless' | 'service';
  /** What its session is seen to be in; else where it stands: starting, up, resting, down, ending, backing-off, broken. */
  readonly state: string;
  readonly pid: number | undefined;
  /** When its present run was begun. */
  readonly since: number | undefined;
  /** When it is woken, or tried again, next. */
  readonly nextAt: number | undefined;
  readonly why: string | undefined;
}

/** What a person asked for, written by `up` and `down`, read by the pit. */
export interface DesiredRecord {
  readonly snakes: number;
  readonly mode: 'run' | 'drain' | 'now';
  readonly generation: number;
}

export function parseDesired(value: unknown): DesiredRecord | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { snakes, mode, generation } = value as Record<string, unknown>;
  if (typeof snakes !== 'number' || !Number.isInteger(snakes) || snakes < 0 || snakes > 9999) return undefined;
  if (mode !== 'run' && mode !== 'drain' && mode !== 'now') return undefined;
  return { snakes, mode, generation: typeof generation === 'number' ? generation : 0 };
}
