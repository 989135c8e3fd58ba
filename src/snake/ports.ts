import type { Profiles } from '../agents/choice.js';
import type { EventSink } from '../events/event-log.js';
import type { Git } from '../git/run.js';
import type { Clock } from '../lib/clock.js';
import type { Files } from '../lib/files.js';
import type { Processes } from '../lib/processes.js';
import type { Config } from '../config/config.js';
import type { Layout } from '../protocol/layout.js';
import type { Owner } from '../protocol/names.js';
import type { QueueStore } from '../queue/store.js';
import type { Launched, LaunchSpec } from '../tmux/server.js';
import type { VerifyRun } from '../protocol/records.js';
import type { Orders } from './state.js';

/** The outside world of one snake. The simulator brings its own of each. */
export interface SnakePorts {
  readonly files: Files;
  readonly clock: Clock;
  readonly processes: Processes;
  readonly events: EventSink;
  readonly store: QueueStore;
  /** Undefined: there is none, and every task works as outside a repository. */
  readonly git?: Git;
  readonly tmux: { launch(spec: LaunchSpec): Promise<Launched> };
  /** Runs one verify: or setup: command in the workspace, outside the agent's session, and says how it ended; aborted, it is killed and says so soon. `log`: a file that its output is added to. */
  readonly verify: (command: string, cwd: string, env: Readonly<Record<string, string>>, timeoutMs: number, abort: AbortSignal, log?: string) => Promise<VerifyRun>;
  /** Resolves when something changed in the directory, when a command came, or when `enough` aborts; at the latest after `ms`. */
  readonly waitForChange: (dir: string, ms: number, enough?: AbortSignal) => Promise<void>;
}

export interface SnakeSetting {
  readonly layout: Layout;
  readonly config: Config;
  readonly owner: Owner;
  readonly pitId: string;
  /** The environment that sessions may inherit from, by allow-list. */
  readonly outerEnv: Readonly<Record<string, string | undefined>>;
  readonly asRoot: boolean;
  /** The agent profiles in force, read anew when the pit publishes them. */
  profiles(): Promise<Profiles>;
  readonly newSession: () => string;
  /** The program that shows a session's structured output in its pane: argv, to which profile, stream and error file are added. */
  readonly viewer: readonly string[];
}

/** What the pit told this snake, by signal; read anew at each step. */
export interface Commands {
  /** Finish what runs, then end. */
  readonly draining: boolean;
  readonly orders: Orders;
  /** Aborted when either changes, so that no wait outlasts a command. */
  readonly changed: AbortSignal;
  /** False below the free-space floor, and when the budget of the day or the pit is spent: then nothing new is claimed. */
  mayClaim(): boolean | Promise<boolean>;
}
