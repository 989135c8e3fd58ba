import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import type { Price } from '../../src/config/config.js';
import type { LedgerEntry } from '../../src/ledger/entry.js';
import { findPrice } from '../../src/ledger/price.js';
import type * as Sums from '../../src/ledger/sum.js';
import * as realSums from '../../src/ledger/sum.js';
import { cleanMutants, importMutant, killedBy } from '../rig/mutants.js';
import { forAll } from './for-all.js';

/* What a report adds up in one pass, field by field, is what the entries come to when each figure is looked for on its own. */

const FIELDS = ['input', 'output', 'cacheRead', 'cacheWrite', 'reasoning'] as const;
const PAID = ['input', 'output', 'cacheRead', 'cacheWrite'] as const;
const PRICES: Price[][] = [[{ model: 'own*', account: undefined, fromMs: 500, input: 7, output: undefined, cacheRead: 1, cacheWrite: 1, source: 't' }], [{ model: 'a*', account: undefined, fromMs: 0, input: 1, output: 10, cacheRead: 0.1, cacheWrite: 2, source: 't' }]];

const figure = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 1_000_000 }));
const figures = { input: figure, output: figure, cacheRead: figure, cacheWrite: figure, reasoning: figure };
const model = fc.constantFrom('a1', 'a2', 'own', 'nobody');
const entries: fc.Arbitrary<LedgerEntry[]> = fc.array(
  fc.record(
    {
      v: fc.constant(1 as const), kind: fc.constantFrom('task' as const, 'resident' as const), id: fc.constantFrom('t1', 't2', 'constructor'), run: fc.string(), step: fc.constantFrom('build', 'review'),
      attempt: fc.constant(1), at: fc.integer({ min: 0, max: 1000 }), ms: fc.integer({ min: 0, max: 9999 }), profile: fc.constantFrom('p', 'q'), account: fc.constantFrom('x', 'y'), session: fc.constant('s'),
      source: fc.constant('transcript' as const), model, models: fc.dictionary(model, fc.record(figures), { minKeys: 2, maxKeys: 3 }), reported: fc.integer({ min: 0, max: 9 }), uncounted: fc.constantFrom('no transcript', 'it went back'), ...figures,
    },
    { requiredKeys: ['v', 'kind', 'id', 'run', 'attempt', 'at', 'ms', 'profile', 'account', 'session', 'source', ...FIELDS] },
  ),
  { maxLength: 30 },
) as fc.Arbitrary<LedgerEntry[]>;

/** Money of one entry, spelled out; undefined where any of it is not known. */
function moneyOf(entry: LedgerEntry): number | undefined {
  const parts = entry.models === undefined ? [{ model: entry.model ?? '', of: entry as Pick<LedgerEntry, (typeof FIELDS)[number]> }] : Object.entries(entry.models).map(([name, of]) => ({ model: name, of }));
  const costs = parts.flatMap(({ model: name, of }) => PAID.map((field) => (of[field] === 0 ? 0 : name === '' ? undefined : ((price) => (price === undefined ? undefined : (of[field] * price) / 1_000_000))(findPrice(PRICES, name, entry.account, entry.at)?.[field]))));
  return costs.some((cost) => cost === undefined) ? undefined : costs.reduce<number>((a, b) => a + (b ?? 0), 0);
}

const total = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
const times = (words: readonly string[]): Record<string, number> => Object.fromEntries([...new Set(words)].map((word) => [word, words.filter((one) => one === word).length]));

function equal({ addEntry, addPriced, newSum, priceEntry }: typeof Sums): void {
  forAll(entries, (all) => {
    const [one, other] = [newSum(), newSum()];
    for (const entry of all) {
      addEntry(one, entry, PRICES);
      addPriced(other, entry, priceEntry(entry, PRICES));
    }
    expect(other).toEqual(one);
    const counted = all.filter(({ uncounted }) => uncounted === undefined);
    for (const field of FIELDS) expect(one[field]).toBe(total(counted.map((entry) => entry[field])));
    expect([one.ms, one.counted]).toEqual([total(all.map(({ ms }) => ms)), counted.length]);
    expect(one.uncounted).toEqual(times(all.flatMap(({ uncounted }) => uncounted ?? [])));
    const money = counted.map(moneyOf);
    expect(one.usd).toBeCloseTo(total(money.map((usd) => usd ?? 0)), 6);
    expect(total(Object.values(one.unpriced))).toBe(money.filter((usd) => usd === undefined).length);
    expect([one.reporting, one.reported]).toEqual([counted.filter(({ reported }) => reported !== undefined).length, total(counted.map(({ reported }) => reported ?? 0))]);
    // What one sum lacks is no other's.
    expect(newSum()).toMatchObject({ uncounted: {}, unpriced: {} });
  });
}

/** Every cut gives out each figure of an entry exactly once. */
function whole({ shares, CUTS }: typeof Sums): void {
  forAll(entries, (all) => {
    for (const by of CUTS) {
      for (const entry of all) {
        const given = shares(entry, by);
        if (by === 'model' && entry.models !== undefined) expect(total(given.map((share) => share.entry.ms))).toBe(entry.ms);
        else expect(given.map((share) => share.entry)).toEqual([entry]);
      }
    }
  });
}

describe('a sum of the ledger', () => {
  afterAll(cleanMutants);
  it('is what its entries come to', () => {
    equal(realSums);
    whole(realSums);
  });

  it.each<[string, string]>([
    ['counts === NONE ? {} : counts', 'counts === NONE ? {} : { ...counts, extra: 1 }'],
    ['sum.cacheWrite += entry.cacheWrite', 'sum.cacheWrite += entry.cacheRead'],
    ['sum.ms += entry.ms;', 'if (entry.uncounted === undefined) sum.ms += entry.ms;'],
    ['uncounted: NONE', 'uncounted: NONE.x ??= {}'],
    ['sum.usd += money.usd', 'sum.usd = money.usd'],
    ['ms: index === 0 ? rest.ms : 0', 'ms: rest.ms'],
  ])('notices %s → %s', async (find, replace) => {
    const planted = (await importMutant('ledger/sum.js', find, replace)) as typeof Sums;
    expect(
      await killedBy(() => {
        equal(planted);
        whole(planted);
      }, undefined),
    ).toBe(true);
  });
});
