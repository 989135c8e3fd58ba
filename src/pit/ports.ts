import type { Config } from '../config/config.js';
import type { ProcessIdentity } from '../lib/processes.js';
import type { Layout } from '../protocol/layout.js';
import type { ResidentPorts, ResidentSetting } from '../residents/ports.js';
import type { measureDisk } from '../workspace/disk.js';
import type { Slots } from './state.js';

/** What its residents need, and the starting of snakes. */
export interface PitPorts extends ResidentPorts {
  /** Undefined: nobody measures the disk. */
  readonly measureDisk?: typeof measureDisk;
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
