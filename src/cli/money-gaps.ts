import { accountsOf, parseChoice, type Profiles } from '../agents/choice.js';
import type { Config, LimitsOf } from '../config/config.js';
import { findPrice } from '../ledger/price.js';
import { show } from '../lib/text.js';

/**
 * What a budget of money would not see, a line each; none where no such budget stands. Of the agents that the configuration names: one whose model has
 * no price, or that leaves its model to its program, where nobody can tell before it has run.
 */
export function moneyGaps({ agent, residents, budget, priceLists }: Pick<Config, 'agent' | 'residents' | 'budget' | 'priceLists'>, profiles: Profiles, nowMs: number): string[] {
  const limits: readonly (LimitsOf | undefined)[] = [budget.day, budget.pit, budget.task];
  if (limits.every((one) => one?.money === undefined)) return [];
  const wanted = new Set([...agent.split(','), ...Object.values(residents).flatMap((one) => one.agent ?? [])].map((one) => one.trim()));
  const gaps: string[] = [];
  for (const one of wanted) {
    const choice = parseChoice(one);
    const profile = profiles[choice.profile];
    if (profile === undefined || profile.account === 'none') continue;
    const model = choice.model ?? profile.model;
    if (model === undefined) gaps.push(`agent ${show(one)}: its program chooses the model; where that has no price, its money is not counted`);
    else if (accountsOf(profile).some(({ key }) => findPrice(priceLists, model, key, nowMs) === undefined)) gaps.push(`agent ${show(one)}: no price is known for ${show(model)}, so its money is not counted`);
  }
  return gaps;
}

/** What to do about it. */
export const MONEY_REMEDY = 'give its price under prices: in snakepit.yaml, or set a limit of tokens or minutes as well (docs/tokens.md)';
