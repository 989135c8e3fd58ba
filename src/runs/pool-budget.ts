import { decideBudget, type BudgetVerdict } from '../ledger/decide.js';
import { hasLimit, NOTHING_SPENT, plusSpent, type Spent } from '../ledger/budget.js';
import { LedgerReader } from '../ledger/book.js';
import { countOf, type LedgerEntry } from '../ledger/entry.js';
import { moneyOf } from '../ledger/price.js';
import type { Config, Price } from '../config/config.js';
import type { Files } from '../lib/files.js';
import { allTokens, type TokenCount } from '../protocol/tokens.js';
import type { Layout } from '../protocol/layout.js';

const MINUTE_MS = 60_000;

/** What a count comes to: money by the list of prices, else what its program says it cost, else unknown. A program that says 0 is not believed: it may not know either. */
export function spentOf(prices: readonly (readonly Price[])[], count: TokenCount, account: string, atMs: number, ms: number): Spent {
  const money = moneyOf(prices, count, account, atMs);
  const usd = money.kind === 'known' ? money.usd : count.costUsd !== undefined && count.costUsd > 0 ? count.costUsd : undefined;
  return { tokens: allTokens(count), money: usd ?? 0, minutes: ms / MINUTE_MS, unpriced: usd === undefined ? 1 : 0 };
}

const spentIn = (prices: readonly (readonly Price[])[], entry: LedgerEntry): Spent => (entry.uncounted === undefined ? spentOf(prices, countOf(entry), entry.account, entry.at, entry.ms) : { ...NOTHING_SPENT, minutes: entry.ms / MINUTE_MS, unpriced: 1 });

/** The first instant of the day that an instant lies in, in this machine's time zone. */
export function dayStart(atMs: number): number {
  const at = new Date(atMs);
  return new Date(at.getFullYear(), at.getMonth(), at.getDate()).getTime();
}

/** What an older snakepit published has no budget. */
export const poolLimited = ({ budget }: Pick<Config, 'budget'> | { readonly budget: undefined }): boolean => budget !== undefined && (hasLimit(budget.day) || hasLimit(budget.pit));

/** What was used today, and ever: read from the ledger, and from then on only what comes to it. Without a limit of the pit only this month is opened. */
export class PoolPurse {
  private readonly files: Files;
  private readonly layout: Layout;
  private reader: LedgerReader | undefined;
  private dayMs = 0;
  private whole = false;
  private prices: Config['priceLists'] | undefined;
  private day: Spent = NOTHING_SPENT;
  private ever: Spent = NOTHING_SPENT;

  constructor(files: Files, layout: Layout) {
    this.files = files;
    this.layout = layout;
  }

  async look(config: Config, nowMs: number): Promise<{ readonly day: Spent; readonly ever: Spent }> {
    const dayMs = dayStart(nowMs);
    const whole = hasLimit(config.budget.pit);
    if (this.reader === undefined || dayMs !== this.dayMs || whole !== this.whole || config.priceLists !== this.prices) {
      Object.assign(this, { dayMs, whole, prices: config.priceLists, day: NOTHING_SPENT, ever: NOTHING_SPENT, reader: new LedgerReader(this.files, this.layout, whole ? 0 : dayMs) });
    }
    await this.reader?.read((entry) => {
      const spent = spentIn(config.priceLists, entry);
      if (entry.at >= dayMs) this.day = plusSpent(this.day, spent);
      this.ever = plusSpent(this.ever, spent);
    });
    return { day: this.day, ever: this.ever };
  }

  /** The day's verdict, or the pit's where that is the worse. */
  async verdict(config: Config, nowMs: number): Promise<BudgetVerdict> {
    if (!poolLimited(config)) return { kind: 'within', rule: 'there is no limit' };
    const { day, ever } = await this.look(config, nowMs);
    const today = decideBudget('the day', config.budget.day, day);
    const always = decideBudget('the pit', config.budget.pit, ever);
    return always.kind === 'reached' || (always.kind === 'near' && today.kind === 'within') ? (today.kind === 'reached' ? today : always) : today;
  }
}

