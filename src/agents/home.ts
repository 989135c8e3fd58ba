import { join } from 'node:path';
import type { Files } from '../lib/files.js';
import { parseJson } from '../protocol/records.js';
import type { AgentProfile } from './profile.js';
import { renderDeep, type Placeholders } from './template.js';

/** Of a login file; a larger one is not what it is taken for. */
const CARRY_BYTES = 1024 * 1024;

type Seed = AgentProfile['seed'][number];

export interface HomeParts {
  readonly profile: AgentProfile;
  readonly carry: readonly { readonly from: string; readonly to: string }[];
  /** The program's own configuration directory, under the task's runs: nothing of the person's is read there or written. */
  readonly home: string;
  /** The person's, for `~` in `carry`. */
  readonly userHome: string;
  readonly values: Placeholders;
  readonly variable: (name: string) => string;
}

/**
 * Makes a program's configuration directory so that no trust, theme, onboarding, update or login dialog comes up. What is there
 * already stays: a later attempt of the task finds its session again, and the program its own state.
 */
export async function makeHome(files: Files, parts: HomeParts): Promise<void> {
  const { profile, home, values, variable } = parts;
  const seeds = [...profile.seed, ...(profile.hooks?.seed ?? [])];
  if (seeds.length + parts.carry.length === 0 && !Object.values(profile.env).some((text) => text.includes('{home}'))) return;
  await files.makeDir(home);
  for (const { from, to } of parts.carry) {
    const source = from.startsWith('~/') ? join(parts.userHome, from.slice(2)) : from;
    const target = join(home, to);
    const text = (await files.exists(target)) ? undefined : await files.read(source, CARRY_BYTES);
    if (text !== undefined) await writeAt(files, target, text);
  }
  for (const seed of seeds) {
    const target = join(home, seed.file);
    await writeAt(files, target, mergeSeed(seed, renderDeep(seed.content, values, variable), await files.read(target)));
  }
}

async function writeAt(files: Files, target: string, text: string): Promise<void> {
  await files.makeDir(join(target, '..'));
  await files.write(target, text);
}

/** JSON seeds are laid over what the program has written meanwhile; texts are written anew. */
function mergeSeed(seed: Seed, content: unknown, present: string | undefined): string {
  if (seed.format === 'text') return String(content);
  const before = parseJson<unknown>(present);
  return `${JSON.stringify(before === undefined ? content : over(before, content), null, 2)}\n`;
}

function over(low: unknown, high: unknown): unknown {
  if (typeof low !== 'object' || low === null || Array.isArray(low) || typeof high !== 'object' || high === null || Array.isArray(high)) return high;
  const merged: Record<string, unknown> = { ...low };
  for (const [key, value] of Object.entries(high)) merged[key] = key in merged ? over(merged[key], value) : value;
  return merged;
}
