import type { Config } from '../config/config.js';
import type { EventSink } from '../events/event-log.js';
import type { Clock } from '../lib/clock.js';
import type { Files } from '../lib/files.js';
import type { Processes } from '../lib/processes.js';
import type { Layout } from '../protocol/layout.js';
import type { Successor } from './state.js';

export interface CleanupPorts {
  readonly files: Files;
  readonly clock: Clock;
  readonly processes: Processes;
  readonly events: EventSink;
}

export interface CleanupSetting {
  readonly layout: Layout;
  readonly config: Config;
  /** Who may be expected to adopt a claim of this snake's name. */
  readonly successor: (snake: string) => Successor;
  readonly pitId: string;
  /** Markers of the pit's own long-lived sessions. */
  readonly residents: () => Promise<readonly string[]>;
  /** Looks at every run there ever was; costs a second at ten thousand tasks. */
  readonly thorough: boolean;
}
