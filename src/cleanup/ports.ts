import type { Config } from '../config/config.js';
import type { EventSink } from '../events/event-log.js';
import type { Clock } from '../lib/clock.js';
import type { Files } from '../lib/files.js';
import type { Processes } from '../lib/processes.js';
import type { Layout } from '../protocol/layout.js';
import type { ReapingName } from '../protocol/names.js';
import type { AttemptRecord } from '../protocol/records.js';
import type { Successor } from './state.js';

export interface CleanupPorts {
  readonly files: Files;
  readonly clock: Clock;
  readonly processes: Processes;
  readonly events: EventSink;
}

/** "unkept": it could not be saved; its task stops in stuck/, with the evidence, and nothing is removed. */
export type Salvaged = { readonly kind: 'kept' } | { readonly kind: 'nothing' } | { readonly kind: 'unkept'; readonly evidence: string };

export interface CleanupSetting {
  readonly layout: Layout;
  readonly config: Config;
  /** Who may be expected to adopt a claim of this snake's name. */
  readonly successor: (snake: string) => Successor;
  readonly pitId: string;
  /**
   * Keeps what a reaped attempt left in its workspace: after its last process has ended, before its task goes on. May be repeated
   * after a crash. Left out: workspaces stay as they are, which is right while each is a directory of its own.
   */
  readonly salvage?: (name: ReapingName, attempt: AttemptRecord) => Promise<Salvaged>;
  /** Markers of the pit's own long-lived sessions. */
  readonly residents: () => Promise<readonly string[]>;
  /** Looks at every run there ever was; costs a second at ten thousand tasks. */
  readonly thorough: boolean;
}
