import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import * as realEvictions from '../../src/cleanup/setup-caches.js';
import * as realTrouble from '../../src/workspace/setup-trouble.js';
import { cacheKey } from '../../src/workspace/setup.js';
import { cleanMutants, importMutant, killedBy } from '../rig/mutants.js';
import { forAll } from './for-all.js';

type Trouble = Pick<typeof realTrouble, 'decideSetupFailure' | 'withFailure'>;
type Evictions = Pick<typeof realEvictions, 'decideEvictions'>;

const BACKOFF = { backoff: { firstMs: 10_000, factor: 3, maxMs: 600_000 } };
const ids = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 12 });

/** Failures in a row, whoever's: nobody is parked while others fail too; who fails alone is, at the third; and all wait longer and longer, up to the most. */
const aloneIsParked = (m: Trouble): void =>
  forAll(ids, (failing) => {
    let trouble: realTrouble.Trouble | undefined;
    let waitedMs = 0;
    for (const [nth, id] of failing.entries()) {
      trouble = m.withFailure(trouble, ['npm ci'], id, 'e', 'l', 1000 + nth);
      const own = failing.slice(0, nth + 1).filter((one) => one === id).length;
      const verdict = m.decideSetupFailure(BACKOFF, id, own, trouble);
      expect(verdict.kind).toBe(own >= 3 && new Set(failing.slice(0, nth + 1)).size === 1 ? 'park' : 'wait');
      if (verdict.kind === 'park') return;
      expect(verdict.waitMs).toBeGreaterThanOrEqual(waitedMs);
      expect(verdict.waitMs).toBeLessThanOrEqual(600_000);
      waitedMs = verdict.waitMs;
    }
    expect(trouble?.failures).toBe(failing.length);
    expect(trouble?.since).toBe(1000);
  });

const entry: fc.Arbitrary<realEvictions.SeenEntry> = fc.record({ key: fc.constant(''), usedAt: fc.nat(2000), bytes: fc.option(fc.nat(100), { nil: undefined, freq: 8 }) });
const entries = fc.array(entry, { maxLength: 12 }).map((list) => list.map((one, index) => ({ ...one, key: String(index) })));

/** What stays is readable, young enough and fits; and nothing goes that is young, readable, and would have fitted beside all that was used after it. */
const boundsHold = (m: Evictions): void =>
  forAll(fc.tuple(entries, fc.nat(300)), ([list, bytes]) => {
    const gone = new Set(m.decideEvictions({ keepMs: 1000, bytes }, list, 2000).map(({ key }) => key));
    const left = list.filter(({ key }) => !gone.has(key));
    expect(left.every((one) => one.bytes !== undefined && 2000 - one.usedAt < 1000)).toBe(true);
    expect(left.reduce((sum, one) => sum + (one.bytes ?? 0), 0)).toBeLessThanOrEqual(bytes);
    for (const one of list) {
      if (!gone.has(one.key) || one.bytes === undefined || 2000 - one.usedAt >= 1000) continue;
      const later = list.filter((other) => other.usedAt >= one.usedAt && 2000 - other.usedAt < 1000);
      expect(later.reduce((sum, other) => sum + (other.bytes ?? 0), 0)).toBeGreaterThan(bytes);
    }
  });

describe('set-up', () => {
  it('that fails for one task alone parks it at the third time; one that fails for others too makes all wait', () => aloneIsParked(realTrouble));
  it('what is kept stays within its bounds, the longest unused goes first', () => boundsHold(realEvictions));
  it('fits by every byte of its key files, its commands and its paths', async () => {
    const key = (files: Record<string, string>, commands = ['npm ci'], paths = ['node_modules']): Promise<string | undefined> =>
      cacheKey({ readBytes: async (path) => (files[String(path)] === undefined ? undefined : Buffer.from(files[String(path)] ?? '')) }, { commands, paths, key: ['a', 'b'], timeoutMs: 1 }, '');
    const keys = await Promise.all([key({ a: 'x', b: 'y' }), key({ a: 'xy', b: '' }), key({ a: 'x' }), key({ b: 'x' }), key({ a: 'x', b: 'y' }, ['npm i']), key({ a: 'x', b: 'y' }, ['npm ci'], ['other'])]);
    expect(new Set(keys).size).toBe(keys.length);
    expect(await key({ a: 'x', b: 'y' })).toBe(keys[0]);
    expect(await key({})).toBeUndefined();
    expect(await key({ a: 'x' }, ['npm ci'], [])).toBeUndefined();
  });
});

describe('planted faults', () => {
  afterAll(cleanMutants);
  it.each([
    ['everybody is parked', 'workspace/setup-trouble.js', 'own >= SETUP_TRIES && others === 0', 'own >= SETUP_TRIES', aloneIsParked],
    ['nobody is parked', 'workspace/setup-trouble.js', 'own >= SETUP_TRIES && others === 0', 'false', aloneIsParked],
    ['each task waits by its own count', 'workspace/setup-trouble.js', 'Math.max(own, trouble.failures)', 'own', aloneIsParked],
    ['what is left is not counted down', 'cleanup/setup-caches.js', 'left -= size;', '', boundsHold],
    ['the youngest go first', 'cleanup/setup-caches.js', 'a.usedAt - b.usedAt', 'b.usedAt - a.usedAt', boundsHold],
    ['the old stay', 'cleanup/setup-caches.js', 'nowMs - entry.usedAt >= keepMs', 'false', boundsHold],
  ] as const)('%s', async (_what, file, find, replace, property) => {
    expect(await killedBy(property as (m: Trouble & Evictions) => void, (await importMutant(file, find, replace)) as Trouble & Evictions)).toBe(true);
  });
});
