import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import * as realBudget from '../../src/ledger/budget.js';
import * as realDecide from '../../src/ledger/decide.js';
import { resolveConfig } from '../../src/config/load.js';
import { cleanMutants, importMutant, killedBy } from '../rig/mutants.js';
import { forAll } from './for-all.js';

const { UNITS } = realBudget;
const limit = fc.option(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 50 })), { nil: undefined });
const limitsOf = fc.record({ tokens: limit, money: limit, minutes: limit });
const used = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 60 }));
const spentOf = fc.record({ tokens: used, money: used, minutes: used, unpriced: fc.constant(0) });

/** Said apart from the code: reached when any limit is used up, near from 80 % of any on. */
function check({ decideBudget }: Pick<typeof realDecide, 'decideBudget'>): void {
  forAll(fc.tuple(limitsOf, spentOf), ([limits, spent]) => {
    const parts = UNITS.flatMap((unit) => (limits[unit] === undefined ? [] : [{ unit, over: spent[unit] >= limits[unit], near: spent[unit] * 10 >= limits[unit] * 8 }]));
    const verdict = decideBudget('it', limits, spent);
    expect(verdict.kind).toBe(parts.some(({ over }) => over) ? 'reached' : parts.some(({ near }) => near) ? 'near' : 'within');
    if (verdict.kind !== 'within') {
      expect(parts.find(({ unit }) => unit === verdict.unit)).toMatchObject(verdict.kind === 'reached' ? { over: true } : { near: true });
      expect(verdict.evidence).toContain(realDecide.amount(verdict.unit, limits[verdict.unit] ?? -1));
    }
  }, 3000);
  // Exactly on the line, which chance seldom meets.
  const at = (tokens: number): string => decideBudget('it', { tokens: 10, money: 100 }, { tokens, money: 0, minutes: 0, unpriced: 0 }).kind;
  expect([at(7), at(8), at(9), at(10)]).toEqual(['within', 'near', 'near', 'reached']);
}

describe('a budget', () => {
  afterAll(cleanMutants);
  it('is reached when one of its limits is used up, and near from four fifths of one on', () => check(realDecide));
  it.each<[string, string]>([
    ['part < WARN_AT', 'part <= WARN_AT'],
    ['part >= 1', 'part > 1'],
    ['part > worst.part', 'part < worst.part'],
    ['limit <= 0', 'false'],
  ])('notices %s → %s', async (find, replace) => {
    expect(await killedBy(check, (await importMutant('ledger/decide.js', find, replace)) as typeof realDecide)).toBe(true);
  });

  it('in snakepit.yaml is read, and a slip is told with its line', () => {
    const of = (text: string): unknown => {
      const config = resolveConfig('snakepit.yaml', text, {});
      return config.ok ? config.value.budget : `${config.error.where}: ${config.error.problem}`;
    };
    expect(of('budget: {pit: {tokens: 1.5M, money: 5}, day: {minutes: 600}}')).toEqual({ pit: { tokens: 1_500_000, money: 5 }, day: { minutes: 600 } });
    expect(of('')).toEqual({ day: {}, pit: {} });
    expect(of('snakes: 1\nbudget:\n  day:\n    tokens: many\n')).toMatch(/^snakepit\.yaml:4: budget\.day\.tokens: is not a number of tokens/);
    expect(of('budget:\n  week: {tokens: 1}\n')).toMatch(/^snakepit\.yaml:2: budget\.week: unknown key/);
    const price = resolveConfig('snakepit.yaml', 'prices:\n  - {model: x, from: soon}\n', {});
    expect(price.ok ? '' : `${price.error.where}: ${price.error.problem}`).toMatch(/^snakepit\.yaml:2: prices\.0\.from: is not a day/);
  });
});
