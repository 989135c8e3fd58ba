import type { Config } from '../config/config.js';
import { configJsonSchema, resolveConfig, type ConfigFault } from '../config/load.js';
import { join } from 'node:path';
import type { Profiles } from '../agents/choice.js';
import { resolveProfiles } from '../agents/resolve.js';
import { err, ok, type Result } from '../lib/result.js';
import { resolveHooks } from '../pings/hooks.js';
import { resolveRules } from '../pings/rules.js';
import type { Rule } from '../pings/state.js';
import { residentFault } from '../residents/wanted.js';
import { systemZone } from '../recurring/observe.js';
import { specialistFault } from '../specialists/wanted.js';
import type { PitPorts } from './ports.js';
import type { Layout } from '../protocol/layout.js';

export interface LiveConfig {
  current(): Config;
  profiles(): Profiles;
  pings(): readonly Rule[];
  problem(): string | undefined;
  /** Reads the file again if it changed; a bad edit keeps what is in force and says so once. */
  refresh(): Promise<void>;
}

interface InForce {
  readonly config: Config;
  readonly profiles: Profiles;
  readonly pings: readonly Rule[];
}

/** Throws with one line when there is no good configuration to start with. */
export async function openLiveConfig({ files, events, log }: Pick<PitPorts, 'files' | 'events' | 'log'>, layout: Layout, env: NodeJS.ProcessEnv): Promise<LiveConfig> {
  const load = async (): Promise<Result<InForce, ConfigFault>> => {
    const text = await files.read(layout.configFile);
    const config = resolveConfig('snakepit.yaml', text, env);
    if (!config.ok) return config;
    const profiles = resolveProfiles('snakepit.yaml', text, config.value);
    if (!profiles.ok) return profiles;
    const fault = residentFault('snakepit.yaml', text, config.value, profiles.value);
    if (fault !== undefined) return err(fault);
    const wrong = await specialistFault('snakepit.yaml', text, config.value, profiles.value, systemZone());
    if (wrong !== undefined) return err(wrong);
    const pings = resolveRules('snakepit.yaml', text, config.value.pings);
    if (!pings.ok) return pings;
    const hooks = resolveHooks('snakepit.yaml', text, config.value);
    return hooks.ok ? ok({ config: config.value, profiles: profiles.value, pings: [...pings.value, ...hooks.value] }) : hooks;
  };
  const first = await load();
  if (!first.ok) throw new Error(`${first.error.where}: ${first.error.problem}`);
  let current = first.value;
  let problem: string | undefined;
  let at = await files.mtimeMs(layout.configFile);
  const publish = async (): Promise<void> => {
    await files.write(layout.agents, `${JSON.stringify(current.profiles)}\n`);
    await files.write(layout.activeConfig, `${JSON.stringify(current.config, null, 2)}\n`);
  };
  await publish();
  await files.write(join(layout.state, 'config.schema.json'), `${JSON.stringify(configJsonSchema(), null, 2)}\n`);
  return {
    current: () => current.config,
    profiles: () => current.profiles,
    pings: () => current.pings,
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
