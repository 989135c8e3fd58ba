import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import * as realBudget from '../../src/ledger/budget.js';
import * as realDecide from '../../src/ledger/decide.js';
import { resolveConfig } from '../../src/config/load.js';
import { parseTask } from '../../src/protocol/parse-task.js';
import { limitsOf as taskLimits } from '../../src/runs/task-budget.js';
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

const raiseWords = fc.array(fc.oneof(
  fc.integer({ min: 1, max: 999 }).map((n) => ({ word: `+${n}k`, unit: 'tokens' as const, by: n * 1000 })),
  fc.integer({ min: 1, max: 9 }).map((n) => ({ word: `+${n}M`, unit: 'tokens' as const, by: n * 1_000_000 })),
  fc.integer({ min: 1, max: 99 }).map((n) => ({ word: `+${n}$`, unit: 'money' as const, by: n })),
  fc.integer({ min: 1, max: 99 }).map((n) => ({ word: `+${n}m`, unit: 'minutes' as const, by: n })),
), { minLength: 1, maxLength: 4 });

/** Each word adds to its own kind, and where there is no limit there is none after it. */
function checkRaise({ parseRaise, raised }: Pick<typeof realBudget, 'parseRaise' | 'raised'>): void {
  forAll(fc.tuple(limitsOf, raiseWords), ([limits, words]) => {
    const after = raised(limits, parseRaise(words.map(({ word }) => word).join(' ')) ?? []);
    for (const unit of UNITS) expect(after[unit]).toBe(limits[unit] === undefined ? undefined : words.reduce((sum, one) => sum + (one.unit === unit ? one.by : 0), limits[unit]));
  }, 1000);
  expect(parseRaise('+1M +5$ +1h30m')).toEqual([{ kind: 'plus', unit: 'tokens', amount: 1_000_000 }, { kind: 'plus', unit: 'money', amount: 5 }, { kind: 'plus', unit: 'minutes', amount: 90 }]);
  expect(parseRaise('+$2.50 2x')).toEqual([{ kind: 'plus', unit: 'money', amount: 2.5 }, { kind: 'times', factor: 2 }]);
  for (const wrong of ['', 'yes', '+', '1M', '-1M', '+1M yes', '1x', '0x', '+1G', '+$']) expect([wrong, parseRaise(wrong)]).toEqual([wrong, undefined]);
  expect(raised({ tokens: 10, money: 1 }, parseRaise('+5 2x +5$ +9m') ?? [])).toEqual({ tokens: 30, money: 7 });
  expect(raised({ tokens: 10 }, parseRaise('off') ?? [])).toEqual({});
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

  it('of a task is raised by what is answered, and by nothing else', () => checkRaise(realBudget));
  it.each<[string, string]>([
    ['limit + raise.amount', 'limit'],
    ['raise.unit === unit', 'true'],
    ["limit === undefined || raise.kind === 'off'", "raise.kind === 'off'"],
    ['limit * raise.factor', 'limit + raise.factor'],
    ['Number(times[1]) > 1', 'true'],
    ["!word.startsWith('+')", 'false'],
    ['ms / MINUTE_MS', 'ms'],
  ])('of a task notices %s → %s', async (find, replace) => {
    expect(await killedBy(checkRaise, (await importMutant('ledger/budget.js', find, replace)) as typeof realBudget)).toBe(true);
  });

  it('of a task stands in its file, for each kind over the configuration', async () => {
    const of = async (line: string): Promise<unknown> => {
      const parsed = await parseTask(Buffer.from(`---\n${line}\n---\nwork\n`));
      return parsed.ok ? parsed.value.spec.budget : `${parsed.error.line}: ${parsed.error.problem}`;
    };
    expect(await of('budget: {tokens: 1.5M, money: 2.5}')).toEqual({ tokens: 1_500_000, money: 2.5 });
    expect(await of('budget: off')).toBe('off');
    expect(await of('title: x')).toBeUndefined();
    expect(await of('budget: {tokens: many}')).toBe('2: budget: has tokens that are no number');
    expect(await of('budget: {euros: 3}')).toBe('2: budget: has no euros');
    expect(await of('budget: 3')).toBe('2: budget: is not a map of limits');
    const config = { budget: { day: {}, pit: {}, task: { tokens: 10, minutes: 5 } } };
    expect(taskLimits(config, { budget: { tokens: 20 } })).toEqual({ tokens: 20, minutes: 5 });
    expect(taskLimits(config, { budget: 'off' })).toEqual({});
    expect(taskLimits(config, { budget: undefined })).toEqual({ tokens: 10, minutes: 5 });
  });

  it('in snakepit.yaml is read, and a slip is told with its line', () => {
    const of = (text: string): unknown => {
      const config = resolveConfig('snakepit.yaml', text, {});
      return config.ok ? config.value.budget : `${config.error.where}: ${config.error.problem}`;
    };
    expect(of('budget: {pit: {tokens: 1.5M, money: 5}, day: {minutes: 600}}')).toEqual({ pit: { tokens: 1_500_000, money: 5 }, day: { minutes: 600 }, task: {} });
    expect(of('')).toEqual({ day: {}, pit: {}, task: {} });
    expect(of('snakes: 1\nbudget:\n  day:\n    tokens: many\n')).toMatch(/^snakepit\.yaml:4: budget\.day\.tokens: is not a number of tokens/);
    expect(of('budget:\n  week: {tokens: 1}\n')).toMatch(/^snakepit\.yaml:2: budget\.week: unknown key/);
    const price = resolveConfig('snakepit.yaml', 'prices:\n  - {model: x, from: soon}\n', {});
    expect(price.ok ? '' : `${price.error.where}: ${price.error.problem}`).toMatch(/^snakepit\.yaml:2: prices\.0\.from: is not a day/);
  });
});
