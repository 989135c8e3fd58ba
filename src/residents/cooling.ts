import { holdsUntil } from '../agents/breaker/decide.js';
import { listBreakers } from '../agents/breaker/store.js';
import type { Cooling } from '../agents/choice.js';
import type { ResidentPorts, ResidentSetting } from './ports.js';

/**
 * Until when nothing is said on an account, by its key; undefined: it may be tried. Tasks alone are let in as probes: while one is,
 * residents wait, and after the time of a limit they go on as running sessions do, so that none starves where no task comes.
 */
export async function coolingAccounts({ files, clock }: ResidentPorts, { layout }: ResidentSetting): Promise<(account: string) => Cooling | undefined> {
  const breakers = await listBreakers(files, layout.breakers);
  return (account) => {
    const breaker = breakers.find((one) => one.account === account);
    const until = breaker === undefined ? undefined : holdsUntil(breaker, '', clock.wallMs());
    return until === undefined ? undefined : { until, why: `the account ${account} is at its limit` };
  };
}
