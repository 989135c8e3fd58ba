import { chooseAgent, type Profiles } from '../agents/choice.js';
import type { Config, ResidentConfig } from '../config/config.js';
import { placeOf, type ConfigFault } from '../config/load.js';
import { parseDuration } from '../lib/duration.js';
import { err, ok, type Result } from '../lib/result.js';
import type { ResidentKind, Wanted } from './state.js';

/** The agents that it may be, in order. */
export const agentsOf = (config: Config, asked: ResidentConfig): string[] => (asked.agent ?? config.agent).split(',');

/** A resident of the configuration, with the profile's own mode filled in. The error says what it cannot be; its key is the first part. */
export function wantedOf(config: Config, profiles: Profiles, name: string, asked: ResidentConfig): Result<Wanted, { readonly key: string; readonly problem: string }> {
  const fault = (key: string, problem: string): Result<Wanted, { key: string; problem: string }> => err({ key, problem });
  const { every, ...rest } = asked;
  const everyMs = every === undefined ? undefined : parseDuration(every);
  const as = (kind: ResidentKind): Result<Wanted, never> => ok({ name, kind, everyMs, fingerprint: JSON.stringify({ ...rest, kind, agent: kind === 'service' ? undefined : agentsOf(config, asked) }) });
  if (asked.command !== undefined) return as('service');
  const chosen = chooseAgent(profiles, agentsOf(config, asked), () => undefined);
  if (!chosen.ok) return fault('agent', chosen.error);
  if (chosen.value.kind !== 'chosen') return fault('agent', 'no agent is named');
  const { agent } = chosen.value.chosen;
  const mode = asked.mode ?? agent.mode;
  if ((mode === 'headless' ? agent.headless : agent.interactive) === undefined) return fault(asked.mode === undefined ? 'agent' : 'mode', `the agent ${agent.name} has no ${mode} mode; it has ${agent.headless === undefined ? 'interactive' : 'headless'}`);
  return as(mode);
}

/** All residents of a configuration that stands; those that it would refuse are left out. */
export function allWanted(config: Config, profiles: Profiles): Map<string, Wanted> {
  const found = new Map<string, Wanted>();
  for (const [name, asked] of Object.entries(config.residents)) {
    const wanted = wantedOf(config, profiles, name, asked);
    if (wanted.ok) found.set(name, wanted.value);
  }
  return found;
}

/** What only the profiles can tell of `residents:`: the first one that cannot be. */
export function residentFault(file: string, text: string | undefined, config: Config, profiles: Profiles): ConfigFault | undefined {
  for (const [name, asked] of Object.entries(config.residents)) {
    const wanted = wantedOf(config, profiles, name, asked);
    if (!wanted.ok) return { where: placeOf(file, text, ['residents', name, wanted.error.key]), problem: `residents.${name}.${wanted.error.key}: ${wanted.error.problem}` };
  }
  return undefined;
}
