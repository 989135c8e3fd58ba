import type { Profiles } from '../agents/choice.js';
import type { Ended } from '../agents/end-session.js';
import type { Config } from '../config/config.js';
import type { EventSink } from '../events/event-log.js';
import type { PitLog } from '../events/logger.js';
import type { Clock } from '../lib/clock.js';
import type { Files } from '../lib/files.js';
import type { Processes } from '../lib/processes.js';
import type { Layout } from '../protocol/layout.js';
import type { DesiredRecord } from '../protocol/snapshot.js';
import type { Tmux } from '../tmux/server.js';
import type { ResidentRecord, Run } from './state.js';
import type { Tally } from './tally.js';

export interface ResidentPorts {
  readonly files: Files;
  readonly clock: Clock;
  readonly processes: Processes;
  readonly events: EventSink;
  readonly log: PitLog;
  readonly tmux: Tmux;
  /** Makes the next tick come at once. */
  readonly wake: () => void;
}

export interface ResidentSetting {
  readonly layout: Layout;
  readonly pitId: string;
  /** The environment that sessions may inherit from, by allow-list. */
  readonly outerEnv: Readonly<Record<string, string | undefined>>;
  readonly asRoot: boolean;
  /** The program that shows a print-mode run in its pane: argv, to which profile, stream and error file are added. */
  readonly viewer: readonly string[];
}

/** What holds at one tick. */
export interface ResidentWorld {
  readonly config: Config;
  readonly profiles: Profiles;
  readonly desired: DesiredRecord;
  /** Why nothing that costs is begun at this moment: the budget of the day or of the pit is spent. */
  readonly spent: () => Promise<string | undefined>;
}

/** What the pit's own hands are doing for one resident, or came to; lost with the pit, and that is harmless. */
export interface Hands {
  /** Something is under way that takes seconds: nothing is decided meanwhile. */
  busy: boolean;
  /** The run that the rest is about. */
  nonce: string;
  tries: number;
  triedMonoMs: number;
  failed: string | undefined;
  ended: Ended | undefined;
  /** A refused wake was told of. */
  toldRefused: boolean;
  /** The pit goes down: the record is written no more. */
  closed: boolean;
  doing: Promise<void>;
}

export const emptyHands = (run: Run | undefined): Hands => ({ busy: false, nonce: run?.nonce ?? '', tries: 0, triedMonoMs: 0, failed: undefined, ended: undefined, toldRefused: false, closed: false, doing: Promise.resolve() });

/** One resident as the pit remembers it: the record as it lies on disk, and its hands. */
export interface Resident {
  record: ResidentRecord;
  /** As it lies on disk. */
  written: string;
  readonly hands: Hands;
  readonly tally: Tally;
  /** The rule of the last look, for `status`. */
  rule: string;
}
