import type { Config } from '../config/config.js';
import type { EventSink } from '../events/event-log.js';
import type { PitLog } from '../events/logger.js';
import type { Clock } from '../lib/clock.js';
import type { Files } from '../lib/files.js';
import type { ProcessIdentity, Processes } from '../lib/processes.js';
import type { Layout } from '../protocol/layout.js';
import type { Tmux } from '../tmux/server.js';
import type { ResidentSetting } from '../residents/ports.js';
import type { Slots } from './state.js';

export interface PitPorts {
  readonly files: Files;
  readonly clock: Clock;
  readonly processes: Processes;
  readonly events: EventSink;
  readonly log: PitLog;
  readonly tmux: Tmux;
  /** Makes the next tick come at once. */
  readonly wake: () => void;
  /** Starts a snake under this name; undefined where it could not be started. `ended` is called when it has ended. */
  readonly spawnSnake: (setting: PitSetting, snake: string, ended: () => void) => ProcessIdentity | undefined;
}

export interface PitSetting {
  readonly layout: Layout;
  readonly pitId: string;
  readonly startedAt: number;
  /** The founder's environment without our own and tmux's variables. */
  readonly snakeEnv: NodeJS.ProcessEnv;
  readonly config: () => Config;
  readonly slots: () => Slots;
  readonly residents: ResidentSetting;
}
