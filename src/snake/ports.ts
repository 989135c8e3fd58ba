import type { EventSink } from '../events/event-log.js';
import type { Clock } from '../lib/clock.js';
import type { Files } from '../lib/files.js';
import type { Processes } from '../lib/processes.js';
import type { Config } from '../config/config.js';
import type { Layout } from '../protocol/layout.js';
import type { Owner } from '../protocol/names.js';
import type { QueueStore } from '../queue/store.js';
import type { Launched, LaunchSpec } from '../tmux/server.js';
import type { VerifyRun } from '../protocol/records.js';

/** The outside world of one snake. The simulator brings its own of each. */
export interface SnakePorts {
  readonly files: Files;
  readonly clock: Clock;
  readonly processes: Processes;
  readonly events: EventSink;
  readonly store: QueueStore;
  readonly tmux: { launch(spec: LaunchSpec): Promise<Launched> };
  /** Runs one verify: command in the workspace, outside the agent's session, and says how it ended. */
  readonly verify: (command: string, cwd: string, env: Readonly<Record<string, string>>, timeoutMs: number) => Promise<VerifyRun>;
  /** Resolves when something changed in the directory, at the latest after `ms`. */
  readonly waitForChange: (dir: string, ms: number) => Promise<void>;
}

export interface SnakeSetting {
  readonly layout: Layout;
  readonly config: Config;
  readonly owner: Owner;
  readonly pitId: string;
  /** The environment that sessions may inherit from, by allow-list. */
  readonly outerEnv: Readonly<Record<string, string | undefined>>;
}
