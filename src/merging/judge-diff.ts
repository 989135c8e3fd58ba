import { wildcard } from '../lib/wildcard.js';
import type { Violation } from '../protocol/merging.js';
import type { Policy } from '../protocol/policy.js';
import type { SecretFound } from './secrets.js';

/** One file of a diff; no number of lines: it is binary. */
export interface DiffFile {
  readonly path: string;
  readonly added: number | undefined;
  readonly removed: number | undefined;
}

/** Pure: whether a path is meant by a pattern of `policy:`. One that ends in / means all below it. */
export function matches(pattern: string, path: string): boolean {
  const whole = pattern.endsWith('/') ? `${pattern}*` : pattern;
  return wildcard(whole, path) || (!pattern.includes('/') && wildcard(pattern, path.slice(path.lastIndexOf('/') + 1)));
}

const total = (files: readonly DiffFile[], key: 'added' | 'removed'): number => files.reduce((sum, file) => sum + (file[key] ?? 0), 0);

/** Pure: what of a diff breaks one of the policies, all of which hold. Empty: it may go on. */
export function judgeDiff(policies: readonly Policy[], files: readonly DiffFile[], secrets: readonly SecretFound[]): Violation[] {
  const found: Violation[] = [];
  const over = (rule: 'max-added' | 'max-removed' | 'max-files', limit: number | null | undefined, count: number, what: string): void => {
    if (limit !== undefined && limit !== null && count > limit) found.push({ rule, path: undefined, detail: `${count} ${what}, of at most ${limit}` });
  };
  for (const policy of policies) {
    for (const { path, added } of files) {
      const denied = (policy.deny ?? []).find((pattern) => matches(pattern, path));
      if (denied !== undefined) found.push({ rule: 'deny', path, detail: `is denied by ${denied}` });
      const { allow } = policy;
      if (allow !== undefined && allow.length > 0 && !allow.some((pattern) => matches(pattern, path))) found.push({ rule: 'allow', path, detail: `is not among ${allow.join(', ')}` });
      if (policy.binaries === 'deny' && added === undefined) found.push({ rule: 'binaries', path, detail: 'is a binary file' });
    }
    over('max-files', policy['max-files'], files.length, 'files');
    over('max-added', policy['max-added'], total(files, 'added'), 'lines added');
    over('max-removed', policy['max-removed'], total(files, 'removed'), 'lines removed');
    if (policy.secrets === 'deny') for (const { path, what } of secrets) found.push({ rule: 'secrets', path, detail: `holds ${what}` });
  }
  return [...new Map(found.map((one) => [JSON.stringify(one), one])).values()];
}

const SHOWN = 8;

/** For a person: each file and its rule; a secret is never printed. */
export const describeViolations = (violations: readonly Violation[]): string =>
  `${violations.slice(0, SHOWN).map(({ rule, path, detail }) => `${path === undefined ? '' : `${path} `}${detail} (policy: ${rule})`).join('; ')}${violations.length > SHOWN ? `; and ${violations.length - SHOWN} more` : ''}`;
