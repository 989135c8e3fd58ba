import { nearest } from '../lib/text.js';

/** What a task's diff may be; what is undefined is not limited. Keys as in `policy:`. */
export interface Policy {
  /** Every file must match one of them. `*` stands for any characters, `/` too; a pattern without `/` is also held against the file's name alone. */
  readonly allow?: readonly string[] | undefined;
  readonly deny?: readonly string[] | undefined;
  readonly 'max-added'?: number | null | undefined;
  readonly 'max-removed'?: number | null | undefined;
  readonly 'max-files'?: number | null | undefined;
  readonly binaries?: 'allow' | 'deny' | undefined;
  readonly secrets?: 'allow' | 'deny' | undefined;
}

const KEYS = ['allow', 'deny', 'max-added', 'max-removed', 'max-files', 'binaries', 'secrets'];

/** Reads a task's own `policy:`, or says what is wrong with it. It stands beside the configuration's, and a diff must satisfy both. */
export function readPolicy(value: unknown, set: (policy: Policy) => void): { problem: string; fix: string } | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { problem: 'policy: is not a map', fix: 'write policy: {deny: [secrets/*], max-files: 10}' };
  for (const [key, one] of Object.entries(value)) {
    const near = nearest(key, KEYS);
    if (!KEYS.includes(key)) return { problem: `policy: has the unknown key ${key}`, fix: near === undefined ? `known: ${KEYS.join(', ')}` : `did you mean ${near}?` };
    if (key === 'allow' || key === 'deny') {
      if (!Array.isArray(one) || !one.every((item) => typeof item === 'string' && item !== '')) return { problem: `policy: ${key} is not a list of patterns`, fix: `write ${key}: [docs/*, "*.md"]` };
    } else if (key === 'binaries' || key === 'secrets') {
      if (one !== 'allow' && one !== 'deny') return { problem: `policy: ${key} is unknown`, fix: 'use allow or deny' };
    } else if (typeof one !== 'number' || !Number.isInteger(one) || one < 0) return { problem: `policy: ${key} is no whole number`, fix: `write ${key}: 500` };
  }
  set(value);
  return undefined;
}
