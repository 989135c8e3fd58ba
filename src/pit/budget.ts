import type { BudgetVerdict } from '../ledger/decide.js';
import { PoolPurse, dayStart, poolLimited } from '../runs/pool-budget.js';
import { parseJson } from '../protocol/records.js';
import type { Config } from '../config/config.js';
import type { PitPorts, PitSetting } from './ports.js';

/** Lost with the pit; what was told of lies on disk. */
export interface BudgetMemory {
  purse: PoolPurse | undefined;
  lookedMonoMs: number;
  /** As it was last looked at. */
  verdict: BudgetVerdict | undefined;
}

/** The rule of a budget of the day or of the pit that is spent: then nothing that costs is begun. */
export const spentRule = ({ verdict }: BudgetMemory): string | undefined => (verdict?.kind === 'reached' ? verdict.rule : undefined);

export const newBudgetMemory = (): BudgetMemory => ({ purse: undefined, lookedMonoMs: Number.NEGATIVE_INFINITY, verdict: undefined });

/** What was told of last: it is not told again before it has changed. */
interface Told {
  readonly v: 1;
  readonly key: string;
}

/**
 * Tells once that the budget of the day or the pit is nearly spent, and once that it is spent; that nothing is claimed then is the
 * snakes' own doing, that no resident is started or woken the residents', by the verdict that is kept here. Written before it is told: a death in between leaves a warning out, and status says it all the same.
 */
export async function budgetRound({ files, clock, events, log }: Pick<PitPorts, 'files' | 'clock' | 'events' | 'log'>, { layout }: Pick<PitSetting, 'layout'>, config: Config, memory: BudgetMemory): Promise<void> {
  if (!poolLimited(config)) {
    memory.verdict = undefined;
    return;
  }
  if (clock.monoMs() - memory.lookedMonoMs < config.rescanMs) return;
  memory.lookedMonoMs = clock.monoMs();
  memory.purse ??= new PoolPurse(files, layout);
  const verdict = await memory.purse.verdict(config, clock.wallMs());
  memory.verdict = verdict;
  if (verdict.kind === 'within') return;
  const key = JSON.stringify([verdict.kind, verdict.rule, verdict.unit, dayStart(clock.wallMs()), config.budget]);
  if (parseJson<Told>(await files.read(layout.budgetTold))?.key === key) return;
  await files.write(layout.budgetTold, `${JSON.stringify({ v: 1, key } satisfies Told)}\n`);
  log.warn(verdict.rule, { evidence: verdict.evidence });
  await events.emit({ kind: verdict.kind === 'near' ? 'budget-warned' : 'budget-reached', id: '', unit: verdict.unit, rule: verdict.rule, evidence: verdict.evidence });
}
