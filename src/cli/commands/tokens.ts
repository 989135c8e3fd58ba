import { LedgerReader } from '../../ledger/book.js';
import { addEntry, addPriced, CUTS, newSum, priceEntry, shares, type Cut, type Sum } from '../../ledger/sum.js';
import { allTokens } from '../../protocol/tokens.js';
import { openContext, print, printJson } from '../context.js';
import { CliError, EXIT } from '../exit.js';
import { priceLists } from '../config-in-force.js';
import { sinceWhen } from '../since.js';
import { tokenTable, unknowns } from '../token-table.js';

/** What was used, by whatever it is to be cut by, from the ledger. */
export async function tokens(dir: string | undefined, options: { by?: string; since?: string; json?: boolean }): Promise<void> {
  const context = openContext(dir);
  const { files, layout, clock } = context;
  const by = CUTS.find((cut) => cut === (options.by ?? 'task'));
  if (by === undefined) throw new CliError(`--by ${options.by} is unknown; use ${CUTS.join(', ')}`, EXIT.usage);
  const since = options.since === undefined ? 0 : sinceWhen(options.since, clock.wallMs());
  const prices = await priceLists(context);
  const reader = new LedgerReader(files, layout, since);
  const sums = new Map<string, Sum>();
  const total = newSum();
  await reader.read((entry) => {
    const money = priceEntry(entry, prices);
    addPriced(total, entry, money);
    for (const share of shares(entry, by)) {
      let sum = sums.get(share.name);
      if (sum === undefined) sums.set(share.name, (sum = newSum()));
      if (share.entry === entry) addPriced(sum, entry, money);
      else addEntry(sum, share.entry, prices);
    }
  });
  const rows = [...sums].map(([name, sum]) => ({ name, sum })).sort(by === 'day' ? (a, b) => (a.name < b.name ? -1 : 1) : dearest);
  if (options.json === true) return printJson({ by, since: since === 0 ? undefined : since, rows: rows.map(({ name, sum }) => ({ [by]: name, ...sum })), total, brokenLines: reader.broken });
  if (rows.length === 0) return print(`nothing was counted${options.since === undefined ? ' yet; attempts are counted when they end' : ` since ${new Date(since).toISOString()}`}`);
  print(tokenTable(by satisfies Cut, rows, total));
  for (const line of unknowns(total)) print(line);
  if (Object.keys(total.unpriced).length > 0) print('a price of your own goes under prices: in snakepit.yaml; see docs/tokens.md');
  if (reader.broken > 0) print(`${reader.broken} lines of .snakepit/ledger/ cannot be read and are passed over`);
}

const dearest = (a: { readonly sum: Sum; readonly name: string }, b: { readonly sum: Sum; readonly name: string }): number => b.sum.usd - a.sum.usd || allTokens(b.sum) - allTokens(a.sum) || (a.name < b.name ? -1 : 1);
