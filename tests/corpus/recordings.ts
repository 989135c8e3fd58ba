import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { profileSchema, type AgentProfile } from '../../src/agents/profile.js';

/** When the recordings are said to have been made; texts such as "resets 12:18pm" are read from here. */
export const NOW = Date.parse('2026-11-21T10:00:00Z');

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** A recording's text; '' when there was none. */
export function recording(path: string): string {
  return existsSync(at(path)) ? readFileSync(at(path), 'utf8') : '';
}

const profiles = new Map<string, AgentProfile>();

/** The built-in profile that a recording's name begins with. */
export function profileOf(name: string): AgentProfile {
  const agent = name.split('-')[0] ?? '';
  const known = profiles.get(agent) ?? profileSchema.parse(parse(readFileSync(at(`../../profiles/${agent}.yaml`), 'utf8')));
  profiles.set(agent, known);
  return known;
}

export interface Label {
  /** null: it was ended by the recorder, without a record. */
  readonly exit: number | null;
  readonly state: string;
  readonly rule: string;
  readonly output?: 'json' | 'text';
  readonly answer?: string;
  readonly resetAt?: string;
}

export const labels = JSON.parse(recording('headless/labels.json')) as Readonly<Record<string, Label>>;
