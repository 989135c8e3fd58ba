import type { Config } from '../config/config.js';
import { placeOf, type ConfigFault } from '../config/load.js';
import { err, ok, type Result } from '../lib/result.js';
import type { Profiles } from './choice.js';
import { loadProfiles } from './load-profiles.js';

/** All profiles as a configuration makes them; a fault names file, line and key. */
export function resolveProfiles(file: string, text: string | undefined, config: Config): Result<Profiles, ConfigFault> {
  const loaded = loadProfiles(config.agents);
  if (loaded.ok) return ok(loaded.value);
  const path = ['agents', ...loaded.error.path];
  return err({ where: placeOf(file, text, path), problem: `${path.join('.')}: ${loaded.error.problem}` });
}
