import { stringify } from 'yaml';
import { err, ok, type Result } from '../lib/result.js';
import { nearest } from '../lib/text.js';
import { builtInProfiles, type Json } from './built-in.js';
import { profileSchema, type AgentProfile } from './profile.js';

/** What is wrong with a profile: the path of the key below `agents:`, and the problem in words. */
export interface ProfileFault {
  readonly path: readonly string[];
  readonly problem: string;
}

const isMap = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Key by key; a list or a plain value replaces the one below it. */
function overlay(low: Json, high: Json): Json {
  const merged: Record<string, unknown> = { ...low };
  for (const [key, value] of Object.entries(high)) {
    const below = merged[key];
    merged[key] = isMap(value) && isMap(below) ? overlay(below, value) : value;
  }
  return merged;
}

/**
 * Built-in profiles with the person's own keys laid over them. A new name starts from the profile that its `extends:` names, and
 * from `command` without one. The first fault is returned; nothing is half taken. A fault in a built-in profile is ours, and throws.
 */
export function loadProfiles(overrides: Readonly<Record<string, Json>>): Result<Readonly<Record<string, AgentProfile>>, ProfileFault> {
  const raw = builtInProfiles();
  // What the person laid over a built-in profile holds for those that start from it, wherever it stands in the file.
  const own = Object.entries(overrides);
  for (const [name, { extends: base, ...keys }] of [...own.filter(([one]) => raw.has(one)), ...own.filter(([one]) => !raw.has(one))]) {
    const from = raw.get(name) ?? raw.get(typeof base === 'string' ? base : 'command');
    if (from === undefined) return err({ path: [name, 'extends'], problem: `no profile is called ${String(base)}${hint(String(base), [...raw.keys()])}` });
    raw.set(name, { ...overlay(from, keys), name });
  }
  const profiles: Record<string, AgentProfile> = {};
  for (const [name, value] of raw) {
    const parsed = profileSchema.safeParse(value);
    if (parsed.success) {
      profiles[name] = parsed.data;
      continue;
    }
    const issue = parsed.error.issues[0];
    const unknown = issue?.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
    const path = [name, ...(issue?.path.map(String) ?? []), ...(unknown === undefined ? [] : [unknown])];
    const problem = unknown === undefined ? (issue?.message ?? 'is not valid') : `unknown key${hint(unknown, Object.keys(profileSchema.shape))}`;
    if (overrides[name] === undefined) throw new Error(`built-in profile ${path.join('.')}: ${problem}`);
    return err({ path, problem });
  }
  return ok(profiles);
}

function hint(word: string, known: readonly string[]): string {
  const near = nearest(word, known);
  return near === undefined ? '' : `; did you mean ${near}?`;
}

/** A profile as it could stand in a file. */
export const printProfile = (profile: AgentProfile): string => stringify(profile, { lineWidth: 160 });
