import { peek } from '../agents/breaker/decide.js';
import type { Breaker } from '../agents/breaker/state.js';
import { listBreakers, updateBreaker } from '../agents/breaker/store.js';
import type { CleanupPorts, CleanupSetting } from './ports.js';
import type { Applied, Step } from './specialist.js';
import { claimStands, nonceOf } from './untold.js';

/*
 * Breakers that nobody asks. Time moves none by itself, which is right as long as somebody asks next; where nobody does, a probe
 * whose claim has gone stands there as if it were tried, and holds running sessions off their watchdog. It is told to the breaker as
 * what it is, an attempt that ended and has shown nothing; what follows from that is the breaker's own.
 */

const step = (breaker: Breaker, kind: Step['kind'], verb: string, rule: string, evidence: string, target: string): Step => ({ specialist: 'reconciler', kind, verb, subject: `account ${breaker.account}`, rule, evidence, target });

/** What is to be said, or done, about each account that is shut. */
export async function planProbes({ files, clock }: CleanupPorts, { layout, config }: CleanupSetting): Promise<Step[]> {
  const steps: Step[] = [];
  for (const breaker of await listBreakers(files, layout.breakers)) {
    const { state } = breaker;
    if (state.kind === 'half-open' && !(await probeStands(files, layout, state.probe.marker))) {
      steps.push(step(breaker, 'act', 'free', 'the claim of its probe has gone', `${state.probe.id} was let in at ${new Date(state.probe.since).toISOString()} to see whether it works`, `${breaker.account}\n${state.probe.marker}`));
    } else if (state.kind === 'open' && peek(config.breaker, breaker, '', clock.wallMs()).kind === 'probe') {
      steps.push(step(breaker, 'keep', 'keep', 'its time is over: the next task that asks is let in to see', `it was shut until ${new Date(state.until).toISOString()}: ${state.evidence}`, breaker.account));
    }
  }
  return steps;
}

/** Two looks must agree: a listing may miss a file that is being renamed. */
async function probeStands(files: CleanupPorts['files'], layout: CleanupSetting['layout'], marker: string): Promise<boolean> {
  return (await claimStands(files, layout, nonceOf(marker))) || claimStands(files, layout, nonceOf(marker));
}

/** Told under the account's lock, if it is still that probe. */
export async function freeProbe(ports: CleanupPorts, { layout, config }: CleanupSetting, target: string): Promise<Pick<Applied, 'kind' | 'told'>> {
  const [account = '', marker = ''] = target.split('\n');
  if (await probeStands(ports.files, layout, marker)) return { kind: 'gone', told: 'its probe has a claim after all' };
  const update = await updateBreaker(ports, layout.breakers, account, config.breaker, () => ({ kind: 'ended', marker }));
  if (update === undefined) return { kind: 'refused', told: 'its breaker is locked by somebody who does not go on' };
  return update.after === update.before ? { kind: 'gone', told: 'it has moved on' } : { kind: 'done', told: 'the next task that asks is let in to see' };
}
