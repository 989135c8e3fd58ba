import { spawn } from 'node:child_process';
import { openSync, closeSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { identify } from '../lib/linux-processes.js';
import type { ProcessIdentity } from '../lib/processes.js';
import { unreachable } from '../lib/unreachable.js';
import type { PitPorts, PitSetting } from './ports.js';
import type { Slot, SuperviseAction } from './state.js';

/** A snake outlives the pit: detached, in a session of its own, its complaints in one file. It is told to end by signal. */
export function spawnSnake({ layout, snakeEnv }: PitSetting, snake: string, ended: () => void): ProcessIdentity | undefined {
  const log = openSync(join(layout.log, 'snakes.log'), 'a', 0o600);
  try {
    const main = fileURLToPath(new URL('../snake/main.js', import.meta.url));
    const child = spawn(process.execPath, ['--max-semi-space-size=1', main, layout.root, snake], { cwd: layout.root, env: snakeEnv, detached: true, stdio: ['ignore', log, log] });
    child.on('error', ended);
    child.on('exit', ended);
    child.unref();
    return child.pid === undefined ? undefined : identify(child.pid);
  } finally {
    closeSync(log);
  }
}

/** Carries out one action of the supervisor; returns the slot where the effect itself decides it. */
export async function applySupervise(ports: PitPorts, setting: PitSetting, action: SuperviseAction): Promise<Slot | undefined> {
  const { events, processes, clock, log } = ports;
  const { snake } = action;
  switch (action.kind) {
    case 'spawn': {
      const before = setting.slots().get(snake);
      const deaths = before === undefined || before.kind === 'broken' ? [] : before.deaths;
      const process_ = ports.spawnSnake(setting, snake, ports.wake);
      if (process_ === undefined) return { kind: 'backing-off', untilMonoMs: clock.monoMs() + 1000, deaths: [...deaths, clock.monoMs()] };
      await events.emit({ kind: 'snake-started', snake, pid: process_.pid });
      return { kind: 'starting', process: process_, sinceMonoMs: clock.monoMs(), deaths };
    }
    case 'drain':
      await processes.signal(action.process, 'SIGTERM');
      return undefined;
    case 'stop-now':
      await processes.signal(action.process, 'SIGINT');
      return undefined;
    case 'tell-broken':
      log.error(`${snake} is broken`, { why: action.why });
      await events.emit({ kind: 'snake-broken', snake, why: action.why });
      return undefined;
    case 'tell-ended':
      log.warn(`${snake} ended`, { pid: action.process.pid, why: action.why });
      await events.emit({ kind: 'snake-ended', snake, pid: action.process.pid, why: action.why });
      return undefined;
    default:
      return unreachable(action);
  }
}
