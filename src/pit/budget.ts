import type { BudgetVerdict } from '../ledger/decide.js';
import { PoolPurse, dayStart, poolLimited } from '../runs/pool-budget.js';
import { parseJson } from '../protocol/records.js';
import type { Config } from '../config/config.js';
import type { PitPorts, PitSetting } from './ports.js';

/** Lost with the pit; what was told of lies on disk. */
export interface BudgetMemory {
  purse: PoolPurse | undefined;
  lookedMonoMs: number;
  /** The configuration of that look. */
  config: Config | undefined;
  /** As it was last looked at. */
  verdict: BudgetVerdict | undefined;
  /** One look at a time: the purse adds up what is new. */
  looking: Promise<void>;
}

/** The rule of a budget of the day or of the pit that is spent: then nothing that costs is begun. */
export const spentRule = ({ verdict }: BudgetMemory): string | undefined => (verdict?.kind === 'reached' ? verdict.rule : undefined);

export const newBudgetMemory = (): BudgetMemory => ({ purse: undefined, lookedMonoMs: Number.NEGATIVE_INFINITY, config: undefined, verdict: undefined, looking: Promise.resolve() });

/** What was told of last: it is not told again before it has changed. */
interface Told {
  readonly v: 1;
  readonly key: string;
}

type BudgetPorts = Pick<PitPorts, 'files' | 'clock' | 'events' | 'log'>;
type BudgetSetting = Pick<PitSetting, 'layout'>;

/** Looks every `rescan:`, so that a person is told; that nothing is claimed then is the snakes' own doing. */
export async function budgetRound(ports: BudgetPorts, setting: BudgetSetting, config: Config, memory: BudgetMemory): Promise<void> {
  if (!poolLimited(config)) memory.verdict = undefined;
  else if (isStale(ports, config, memory)) await lookOnce(ports, setting, config, memory);
}

/** Before a resident is started, woken or typed at: the rule of a budget that is spent at this moment. One that was spent a moment ago is. */
export async function spentNow(ports: BudgetPorts, setting: BudgetSetting, config: Config, memory: BudgetMemory): Promise<string | undefined> {
  if (!poolLimited(config)) return undefined;
  if (memory.verdict?.kind !== 'reached' || isStale(ports, config, memory)) await lookOnce(ports, setting, config, memory);
  return spentRule(memory);
}

const isStale = ({ clock }: BudgetPorts, config: Config, memory: BudgetMemory): boolean => config !== memory.config || clock.monoMs() - memory.lookedMonoMs >= config.rescanMs;

function lookOnce(ports: BudgetPorts, setting: BudgetSetting, config: Config, memory: BudgetMemory): Promise<void> {
  const looking = memory.looking.then(() => look(ports, setting, config, memory));
  memory.looking = looking.catch(() => undefined);
  return looking;
}

/** Tells once that the budget of the day or the pit is nearly spent, and once that it is spent. Written before it is told: a death in between leaves a warning out, and status says it all the same. */
async function look({ files, clock, events, log }: BudgetPorts, { layout }: BudgetSetting, config: Config, memory: BudgetMemory): Promise<void> {
  memory.lookedMonoMs = clock.monoMs();
  memory.config = config;
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
