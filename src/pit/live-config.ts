import type { Config } from '../config/config.js';
import { configJsonSchema, resolveConfig } from '../config/load.js';
import { join } from 'node:path';
import type { PitPorts } from './ports.js';
import type { Layout } from '../protocol/layout.js';

export interface LiveConfig {
  current(): Config;
  problem(): string | undefined;
  /** Reads the file again if it changed; a bad edit keeps what is in force and says so once. */
  refresh(): Promise<void>;
}

/** Throws with one line when there is no good configuration to start with. */
export async function openLiveConfig({ files, events, log }: Pick<PitPorts, 'files' | 'events' | 'log'>, layout: Layout, env: NodeJS.ProcessEnv): Promise<LiveConfig> {
  const load = async (): Promise<ReturnType<typeof resolveConfig>> => resolveConfig('snakepit.yaml', await files.read(layout.configFile), env);
  const first = await load();
  if (!first.ok) throw new Error(`${first.error.where}: ${first.error.problem}`);
  let current = first.value;
  let problem: string | undefined;
  let at = await files.mtimeMs(layout.configFile);
  const publish = (): Promise<void> => files.write(layout.activeConfig, `${JSON.stringify(current, null, 2)}\n`);
  await publish();
  await files.write(join(layout.state, 'config.schema.json'), `${JSON.stringify(configJsonSchema(), null, 2)}\n`);
  return {
    current: () => current,
    problem: () => problem,
    async refresh() {
      const now = await files.mtimeMs(layout.configFile);
      if (now === at) return;
      at = now;
      const next = await load();
      if (next.ok) {
        current = next.value;
        problem = undefined;
        await publish();
        await events.emit({ kind: 'config-changed', file: 'snakepit.yaml' });
        return;
      }
      problem = `${next.error.where}: ${next.error.problem}`;
      log.warn('the configuration was refused; the last good one stays in force', { problem });
      await events.emit({ kind: 'config-refused', file: 'snakepit.yaml', problem });
    },
  };
}
