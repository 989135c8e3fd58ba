import { decideBudget, type BudgetVerdict } from '../ledger/decide.js';
import { hasLimit, NOTHING_SPENT, plusSpent, type Spent } from '../ledger/budget.js';
import { LedgerReader } from '../ledger/book.js';
import { countOf, type LedgerEntry } from '../ledger/entry.js';
import type { Config, Price } from '../config/config.js';
import type { Files } from '../lib/files.js';
import type { Layout } from '../protocol/layout.js';
import { usesNow } from './running-use.js';
import { spentOf } from './spent.js';

const MINUTE_MS = 60_000;

const spentIn = (prices: readonly (readonly Price[])[], entry: LedgerEntry): Spent => (entry.uncounted === undefined ? spentOf(prices, countOf(entry), entry.account, entry.at, entry.ms) : { ...NOTHING_SPENT, minutes: entry.ms / MINUTE_MS, unpriced: 1 });

/** The first instant of the day that an instant lies in, in this machine's time zone. */
export function dayStart(atMs: number): number {
  const at = new Date(atMs);
  return new Date(at.getFullYear(), at.getMonth(), at.getDate()).getTime();
}

/** What an older snakepit published has no budget. */
export const poolLimited = ({ budget }: Pick<Config, 'budget'> | { readonly budget: undefined }): boolean => budget !== undefined && (hasLimit(budget.day) || hasLimit(budget.pit));

/**
 * What was used today, and ever: read from the ledger, and from then on only what comes to it, and what the sessions that run have used so far. Without
 * a limit of the pit only this month is opened.
 */
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
    // Before the ledger: what is entered meanwhile stands there, and is left out here.
    const running = await usesNow(this.files, this.layout, config, nowMs);
    await this.reader?.read((entry) => {
      const spent = spentIn(config.priceLists, entry);
      if (entry.at >= dayMs) this.day = plusSpent(this.day, spent);
      this.ever = plusSpent(this.ever, spent);
    });
    const now = running.filter(({ key }) => this.reader?.has(key) !== true).reduce((sum, { spent }) => plusSpent(sum, spent), NOTHING_SPENT);
    return { day: plusSpent(this.day, now), ever: plusSpent(this.ever, now) };
  }

  /** The day's verdict, or the pit's where that is the worse. */
  async verdict(config: Config, nowMs: number): Promise<BudgetVerdict> {
    return poolLimited(config) ? verdictOf(config, await this.look(config, nowMs)) : NO_LIMIT;
  }
}

const NO_LIMIT: BudgetVerdict = { kind: 'within', rule: 'there is no limit' };

/** The same of what was looked at. Pure. */
export function verdictOf(config: Config, { day, ever }: { readonly day: Spent; readonly ever: Spent }): BudgetVerdict {
  if (!poolLimited(config)) return NO_LIMIT;
  const today = decideBudget('the day', config.budget.day, day);
  const always = decideBudget('the pit', config.budget.pit, ever);
  return always.kind === 'reached' || (always.kind === 'near' && today.kind === 'within') ? (today.kind === 'reached' ? today : always) : today;
}

