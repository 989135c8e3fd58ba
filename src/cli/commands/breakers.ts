import { updateBreaker } from '../../agents/breaker/store.js';
import { nearest, show } from '../../lib/text.js';
import { openContext, print, printJson, readConfig, type Context } from '../context.js';
import { coolingAccounts, coolingWords } from '../cooling.js';
import { CliError, EXIT } from '../exit.js';
import { paint, table } from '../style.js';

/** `snakepit breakers`: the accounts that do not take every task now; with `close`, opened to all again by hand. */
export async function breakers(dir: string | undefined, options: { json?: boolean; close?: string }): Promise<void> {
  const context = openContext(dir);
  if (options.close !== undefined) await close(context, options.close);
  const accounts = await coolingAccounts(context);
  if (options.json === true) return printJson({ breakers: accounts });
  if (accounts.length === 0) return print('every account is open to its tasks');
  const nowMs = context.clock.wallMs();
  const rows = accounts.map((one) => [one.account, one.state, String(one.strikes), show(coolingWords(one, nowMs), 160)]);
  print(table([['ACCOUNT', 'STATE', 'STRIKES', ''], ...rows], (cell, _column, row) => (row === 0 ? paint('dim', cell) : cell)));
}

/** What waits for it comes at its own time; what is ready may go at once. */
async function close(context: Context, account: string): Promise<void> {
  const known = (await coolingAccounts(context)).map((one) => one.account);
  if (!known.includes(account)) {
    const near = nearest(account, known);
    throw new CliError(`the account ${account} is not shut${near === undefined ? (known.length === 0 ? '' : `; shut: ${known.join(', ')}`) : `; did you mean ${near}?`}`, EXIT.notFound);
  }
  const { breaker } = await readConfig(context);
  const update = await updateBreaker(context, context.layout.breakers, account, breaker, () => ({ kind: 'closed-by-hand' }));
  if (update === undefined) throw new CliError(`the breaker of ${account} is locked; try again`, EXIT.busy);
  if (update.change !== undefined) await context.events.emit(update.change);
}
