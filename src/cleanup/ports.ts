import type { Config } from '../config/config.js';
import type { EventSink } from '../events/event-log.js';
import type { Git } from '../git/run.js';
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
  /** Undefined: worktrees are left to somebody else. */
  readonly checkouts?: CheckoutPorts;
}

/** What salvager and pruner need besides. */
export interface CheckoutPorts {
  readonly git: Git;
  /** Processes whose working directory is this one or lies below it; `named`: only those whose name begins so; undefined: nobody knows. */
  readonly workingIn: (dir: string, named?: string) => Promise<readonly number[] | undefined>;
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
  /** What counting the tokens of the dead needs; undefined: nobody counts. */
  readonly counting?: Counting;
}

export interface Counting {
  /** What a program that prints its own transcript may inherit from. */
  readonly outerEnv: Readonly<Record<string, string | undefined>>;
  readonly asRoot: boolean;
  /** Also what only a program can tell, which takes seconds: not in a tick. */
  readonly programs: boolean;
}
