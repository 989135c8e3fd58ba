import { basename } from 'node:path';
import { peek, stateAt } from '../agents/breaker/decide.js';
import type { Breaker } from '../agents/breaker/state.js';
import { listBreakers } from '../agents/breaker/store.js';
import { chooseAgent, wantedAgents, type Profiles } from '../agents/choice.js';
import { formatDuration } from '../lib/duration.js';
import { show } from '../lib/text.js';
import { unreachable } from '../lib/unreachable.js';
import { parseWaiting } from '../protocol/names.js';
import { parseTask } from '../protocol/parse-task.js';
import { parseJson } from '../protocol/records.js';
import type { Located } from '../queue/locate.js';
import { dueTime } from '../queue/place.js';
import type { Context } from './context.js';
import { configInForce } from './config-in-force.js';

/** An account that does not take every task now, as a person is told of it. `next`: wall clock, milliseconds, of the next task that is let in. */
export interface CoolingAccount {
  readonly account: string;
  readonly state: 'open' | 'half-open' | 'releasing';
  readonly reason: string | undefined;
  readonly evidence: string | undefined;
  readonly probe: string | undefined;
  readonly next: number | undefined;
  readonly strikes: number;
}

export async function coolingAccounts({ files, layout, clock }: Context): Promise<CoolingAccount[]> {
  const nowMs = clock.wallMs();
  return (await listBreakers(files, layout.breakers)).flatMap((breaker) => coolingOf(breaker, nowMs) ?? []);
}

function coolingOf(breaker: Breaker, nowMs: number): CoolingAccount | undefined {
  const { account, strikes } = breaker;
  const state = stateAt(breaker, nowMs);
  switch (state.kind) {
    case 'closed':
      return undefined;
    case 'open':
      return { account, state: 'open', reason: state.reason, evidence: state.evidence, probe: undefined, next: state.until, strikes };
    case 'half-open':
      return { account, state: 'half-open', reason: state.reason, evidence: state.evidence, probe: state.probe.id, next: undefined, strikes };
    case 'releasing':
      return { account, state: 'releasing', reason: undefined, evidence: undefined, probe: undefined, next: Math.min(state.freeAt, ...state.slots.map(({ at }) => at).filter((at) => at > nowMs)), strikes };
    default:
      return unreachable(state);
  }
}

/** One account in one line, without its name. */
export function coolingWords(one: CoolingAccount, nowMs: number): string {
  const left = one.next === undefined ? '' : formatDuration(Math.max(0, one.next - nowMs));
  switch (one.state) {
    case 'open':
      return `${one.reason ?? ''}${(one.next ?? 0) > nowMs ? ` for ${left} more` : ': the next task that asks is let in to see'}${one.evidence === undefined ? '' : ` (${show(one.evidence, 80)})`}`;
    case 'half-open':
      return `${one.reason ?? ''}, half-open: ${one.probe ?? ''} is let in to see whether it works`;
    case 'releasing':
      return `works again, and lets its tasks go one by one; the next in ${left}`;
    default:
      return unreachable(one.state);
  }
}

/** Tells of waiting tasks why they wait for a time that they do not name themselves: none of the accounts that they may use takes them now. */
export async function coolingExplainer(context: Context): Promise<(task: Located) => Promise<string | undefined>> {
  const { files, layout, clock } = context;
  const nowMs = clock.wallMs();
  const shut = (await listBreakers(files, layout.breakers)).filter((one) => stateAt(one, nowMs).kind !== 'closed');
  const profiles = shut.length === 0 ? undefined : parseJson<Profiles>(await files.read(layout.agents));
  if (profiles === undefined) return async () => undefined;
  const config = await configInForce(context);
  return async ({ file }) => {
    const name = parseWaiting(basename(file));
    if (name === undefined || name.dueAt <= nowMs) return undefined;
    const bytes = await files.readBytes(file, 16 * 1024 * 1024);
    const parsed = bytes === undefined ? undefined : await parseTask(bytes);
    if (parsed?.ok !== true || dueTime(parsed.value.spec, name.place.arrivedAt) > nowMs) return undefined;
    const choosing = chooseAgent(profiles, wantedAgents(parsed.value.spec.agents, config.agent, undefined), (account) => {
      const breaker = shut.find((one) => one.account === account);
      const admission = breaker === undefined ? undefined : peek(config.breaker, breaker, name.id, nowMs);
      return admission?.kind === 'wait' ? admission : undefined;
    });
    return choosing.ok && choosing.value.kind === 'cooling' ? `${choosing.value.why} until ${new Date(name.dueAt).toISOString()}` : undefined;
  };
}

/** The same for one task. */
export const coolingWhy = async (context: Context, task: Located): Promise<string | undefined> => (await coolingExplainer(context))(task);
