import { peek } from '../agents/breaker/decide.js';
import { hasAccount, signOf, type Sign } from '../agents/breaker/signs.js';
import type { Admission, Breaker, BreakerEvent } from '../agents/breaker/state.js';
import { listBreakers, readBreaker, updateBreaker } from '../agents/breaker/store.js';
import { chooseAgent, type Chosen, type Cooling } from '../agents/choice.js';
import { ok, type Result } from '../lib/result.js';
import { unreachable } from '../lib/unreachable.js';
import type { DeferralReason, Outcome } from '../protocol/judge.js';
import { markerOf, parseClaim } from '../protocol/names.js';
import type { AttemptRecord } from '../protocol/records.js';
import type { Claim } from '../queue/store.js';
import type { SnakePorts, SnakeSetting } from './ports.js';
import type { AttemptView } from './state.js';

/** An agent that may be started now. `probe`: as the one that finds out whether its account works. */
export interface Admitted {
  readonly kind: 'admitted';
  readonly chosen: Chosen;
  readonly probe: boolean;
}

/** An account whose file is locked by somebody who was stopped is asked again after this. */
const BUSY_MS = 5000;

/**
 * The first wanted agent whose account takes the claim. A look tells which one to ask; who asks is let in or told its turn, and
 * that lies on disk. May be repeated after a crash: a claim that is the probe stays it.
 */
export async function chooseAdmitted(ports: SnakePorts, setting: SnakeSetting, claim: Claim, wanted: readonly string[]): Promise<Result<Admitted | ({ readonly kind: 'cooling' } & Cooling), string>> {
  const { layout, config } = setting;
  const profiles = await setting.profiles();
  const shut = (await listBreakers(ports.files, layout.breakers)).filter(({ state }) => state.kind !== 'closed');
  const asked = new Map<string, Admission>();
  for (;;) {
    const nowMs = ports.clock.wallMs();
    const coolingOf = (account: string): Cooling | undefined => {
      const known = shut.find((one) => one.account === account);
      const admission = asked.get(account) ?? (known === undefined ? undefined : peek(config.breaker, known, claim.name.id, nowMs));
      return admission?.kind === 'wait' ? admission : undefined;
    };
    const choosing = chooseAgent(profiles, wanted, coolingOf);
    if (!choosing.ok) return choosing;
    const { value } = choosing;
    const account = value.kind === 'chosen' ? value.chosen.account.key : value.account;
    const answer = asked.get(account);
    if (value.kind === 'cooling' && answer !== undefined) return ok({ kind: 'cooling', until: value.until, why: value.why });
    if (value.kind === 'chosen' && (answer !== undefined || !shut.some((one) => one.account === account))) return ok({ kind: 'admitted', chosen: value.chosen, probe: answer?.kind === 'probe' });
    asked.set(account, await ask(ports, setting, claim, account));
  }
}

async function ask(ports: SnakePorts, { layout, config }: SnakeSetting, claim: Claim, account: string): Promise<Admission> {
  const update = await updateBreaker(ports, layout.breakers, account, config.breaker, async ({ state }) => ({
    kind: 'asked', marker: claim.marker, id: claim.name.id, probeGone: state.kind === 'half-open' && (await isGone(ports, layout.dir('claimed'), state.probe.marker)),
  }));
  if (update?.change !== undefined) await ports.events.emit(update.change);
  return update?.admission ?? { kind: 'wait', until: ports.clock.wallMs() + BUSY_MS, why: `the breaker of the account ${account} is locked` };
}

/** Two looks must agree: a listing may miss a file that is being renamed. */
async function isGone({ files }: SnakePorts, claimed: string, marker: string): Promise<boolean> {
  for (let look = 0; look < 2; look += 1) {
    for (const file of await files.list(claimed)) {
      const claim = parseClaim(file);
      if (claim !== undefined && markerOf(claim) === marker) return false;
    }
  }
  return true;
}

/**
 * Tells the account how an attempt on it ended, before that is recorded. Returns what is to be recorded: an attempt that showed no
 * sign of work on an account that is shut is not counted against its task.
 */
export async function tellAccount(ports: SnakePorts, { layout, config, profiles }: SnakeSetting, claim: Claim, view: AttemptView, attempt: AttemptRecord, outcome: Outcome): Promise<Outcome> {
  const profile = (await profiles())[attempt.profile];
  if (profile === undefined || !hasAccount(profile, attempt.mode)) return outcome;
  const endedAt = view.exit?.endedAt ?? ports.clock.wallMs();
  const sign = signOf(outcome, {
    lifeMs: endedAt - attempt.startedAt, answer: view.agent?.answer, code: view.exit?.code,
    plain: attempt.mode === 'headless' && profile.headless?.output === 'text',
  });
  const event = eventOf(sign, claim.marker, attempt);
  if ((event.kind === 'worked' || event.kind === 'ended') && isQuiet(await readBreaker(ports.files, layout.breakers, attempt.account))) return outcome;
  const update = await updateBreaker(ports, layout.breakers, attempt.account, config.breaker, () => event);
  if (update?.change !== undefined) await ports.events.emit(update.change);
  const shutFor = update === undefined ? undefined : reasonOf(update.before);
  return sign.kind === 'broken' && shutFor !== undefined ? { kind: 'deferred', reason: shutFor, detail: sign.evidence, resetAt: undefined } : outcome;
}

const isQuiet = ({ state, failing }: Breaker): boolean => state.kind === 'closed' && Object.keys(failing).length === 0;

/** Why the account was shut while the attempt ran; undefined: it was not. */
const reasonOf = ({ state }: Breaker): DeferralReason | undefined => (state.kind === 'open' || state.kind === 'half-open' ? state.reason : undefined);

function eventOf(sign: Sign, marker: string, { startedAt, profile }: AttemptRecord): BreakerEvent {
  switch (sign.kind) {
    case 'limited':
      return { ...sign, marker, startedAt };
    case 'worked':
    case 'broken':
      return { ...sign, marker, startedAt, profile };
    case 'none':
      return { kind: 'ended', marker };
    default:
      return unreachable(sign);
  }
}
