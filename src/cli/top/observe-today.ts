import { LedgerReader } from '../../ledger/book.js';
import { dayOf, NOTHING, plusEntry, type Sum } from '../../ledger/sum.js';
import { allTokens } from '../../protocol/tokens.js';
import type { Context } from '../context.js';
import { priceLists } from '../price-lists.js';
import type { Model } from './state.js';

/** What the ledger tells of this day, read on from where the last look ended. */
export class Today {
  private readonly context: Context;
  private day = '';
  private reader: LedgerReader | undefined;
  private sum: Sum = NOTHING;

  constructor(context: Context) {
    this.context = context;
  }

  async look(nowMs: number): Promise<Model['today']> {
    const day = dayOf(nowMs);
    const { files, layout } = this.context;
    if (this.reader === undefined || day !== this.day) {
      this.day = day;
      this.sum = NOTHING;
      this.reader = new LedgerReader(files, layout, new Date(nowMs).setHours(0, 0, 0, 0));
    }
    let prices: Awaited<ReturnType<typeof priceLists>> | undefined;
    const entries: Parameters<typeof plusEntry>[1][] = [];
    await this.reader.read((entry) => entries.push(entry));
    for (const entry of entries) this.sum = plusEntry(this.sum, entry, (prices ??= await priceLists(this.context)));
    return { tokens: allTokens(this.sum), costUsd: this.sum.usd, unpriced: Object.keys(this.sum.unpriced).length > 0 };
  }
}
