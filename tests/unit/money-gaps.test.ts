import { describe, expect, it } from 'vitest';
import { loadProfiles } from '../../src/agents/load-profiles.js';
import { moneyGaps } from '../../src/cli/money-gaps.js';
import { resolveConfig } from '../../src/config/load.js';

const NOW = Date.UTC(2026, 10, 22);

function gaps(yaml: string): string[] {
  const config = resolveConfig('snakepit.yaml', yaml, {});
  if (!config.ok) throw new Error(config.error.problem);
  const profiles = loadProfiles(config.value.agents);
  if (!profiles.ok) throw new Error(profiles.error.problem);
  return moneyGaps(config.value, profiles.value, NOW);
}

describe('a budget of money', () => {
  const PRICE = 'prices: [{model: "dear-*", input: 1, output: 2}]\n';
  it.each([
    ['there is none', 'agent: claude:nobody-knows\n', []],
    ['tokens only', 'budget: {day: {tokens: 5}}\nagent: claude:nobody-knows\n', []],
    ['an agent that costs nothing', 'budget: {day: {money: 5}}\nagent: shell\n', []],
    ['a price', `${PRICE}budget: {pit: {money: 5}}\nagent: claude:dear-1\n`, []],
    ['none', `${PRICE}budget: {task: {money: 5}}\nagent: claude:cheap-1\n`, ['agent claude:cheap-1: no price is known for cheap-1, so its money is not counted']],
    ['none for the second', `${PRICE}budget: {day: {money: 5}}\nagent: claude:dear-1,codex:cheap-1\n`, ['agent codex:cheap-1: no price is known for cheap-1, so its money is not counted']],
    ['the program chooses', 'budget: {day: {money: 5}}\nagent: claude\n', ['agent claude: its program chooses the model; where that has no price, its money is not counted']],
    ['of a resident', `${PRICE}budget: {day: {money: 5}}\nresidents: {one: {agent: "claude:cheap-2", prompt: x, every: 1h}}\n`, ['agent claude:cheap-2: no price is known for cheap-2, so its money is not counted']],
  ])('%s', (_what, yaml, said) => expect(gaps(yaml)).toEqual(said));
});
