import type { Config } from '../../config/config.js';
import type { BudgetVerdict } from '../../ledger/decide.js';
import { PoolPurse, verdictOf } from '../../runs/pool-budget.js';
import type { Context } from '../context.js';
import { configInForce } from '../config-in-force.js';
import type { Model } from './state.js';

/** What the ledger tells of this day against the budget, read on from where the last look ended; the configuration anew only where it changed. */
export class Today {
  private readonly context: Context;
  private readonly purse: PoolPurse;
  private known: { readonly stamp: string; readonly config: Config } | undefined;

  constructor(context: Context) {
    this.context = context;
    this.purse = new PoolPurse(context.files, context.layout);
  }

  async look(nowMs: number): Promise<Pick<Model, 'today' | 'budget'> & { readonly config: Config; readonly verdict: BudgetVerdict }> {
    const { files, layout } = this.context;
    const stamp = `${await files.mtimeMs(layout.configFile)} ${await files.mtimeMs(layout.activeConfig)}`;
    if (this.known?.stamp !== stamp) this.known = { stamp, config: await this.read() };
    const { config } = this.known;
    const spent = await this.purse.look(config, nowMs);
    const { day } = spent;
    const { tokens, money } = config.budget.day;
    return {
      today: { tokens: day.tokens, costUsd: day.money, unpriced: day.unpriced > 0 },
      budget: { ...(tokens === undefined ? {} : { tokens }), ...(money === undefined ? {} : { costUsd: money }) },
      config,
      verdict: verdictOf(config, spent),
    };
  }

  /** While the file is being edited it may hold anything: then what was in force before. */
  private async read(): Promise<Config> {
    try {
      return await configInForce(this.context);
    } catch (cause) {
      if (this.known === undefined) throw cause;
      return this.known.config;
    }
  }
}
