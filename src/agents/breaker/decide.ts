import { unreachable } from '../../lib/unreachable.js';
import type { DeferralReason } from '../../protocol/judge.js';
import type { Admission, Breaker, BreakerEvent, BreakerPolicy, BreakerState, BreakerStep, FailingRun, Probe } from './state.js';

const MINUTE_MS = 60_000;
/** The longest window that providers sell is a week: a reset that is further away was read wrongly. */
export const CAP_MS = 8 * 24 * 60 * MINUTE_MS;
/** Times further ahead than any that is written here come from a clock that was set back, and are over. */
const ABSURD_MS = CAP_MS + 60 * MINUTE_MS;
/** The wait doubles with each strike, and beyond eight it has long reached its longest: more of them would only take longer to forget. */
const MAX_STRIKES = 8;
/** Quiet time that takes one strike back: a limit that comes back within it is most likely the same one. */
const FORGET_MS = 10 * MINUTE_MS;
/** Failures of a run that are further apart are no run. */
const RUN_MS = 60 * MINUTE_MS;
/** A probe that has said nothing for this long holds no running session off its watchdog any more: nobody may be left to ask after it. */
const PROBE_HOLD_MS = 30 * MINUTE_MS;
/** Of the stagger, between the turns of a release: whoever comes in time finds the gap over, though the one before was late by a tick. */
const SLOT = 1.25;
const EVIDENCE_CHARS = 600;

type Open = Extract<BreakerState, { kind: 'open' }>;
type HalfOpen = Extract<BreakerState, { kind: 'half-open' }>;
type Releasing = Extract<BreakerState, { kind: 'releasing' }>;
type Of<K extends BreakerEvent['kind']> = Extract<BreakerEvent, { kind: K }>;

/** Pure and total: what is known, what is seen, now → what is known then. Every state answers every event. */
export function decideBreaker(policy: BreakerPolicy, before: Breaker, event: BreakerEvent, nowMs: number): BreakerStep {
  const breaker = settled(before, nowMs);
  switch (event.kind) {
    case 'asked':
      return onAsked(policy, breaker, event, nowMs);
    case 'limited':
      return onLimited(policy, breaker, event, nowMs);
    case 'worked':
      return onWorked(policy, breaker, event, nowMs);
    case 'broken':
      return onBroken(policy, breaker, event, nowMs);
    case 'ended':
      return { after: freed(breaker, event.marker) };
    case 'closed-by-hand': {
      const after: Breaker = { ...breaker, state: { kind: 'closed' }, strikes: 0, quietFrom: nowMs, backoffMs: 0, failing: {} };
      return { after, change: { kind: 'breaker-closed', account: breaker.account, rule: 'a person closed it', evidence: `it was ${breaker.state.kind}` } };
    }
    default:
      return unreachable(event);
  }
}

/** A release whose time is over is closed. */
function settled(breaker: Breaker, nowMs: number): Breaker {
  const { state } = breaker;
  return state.kind === 'releasing' && isOver(state.freeAt, nowMs) ? { ...breaker, state: { kind: 'closed' } } : breaker;
}

/** Opened in what is the future now: the clock was set back since, and the wait that was meant cannot be told from the times. One is let in to see. */
const wasSetBack = (breaker: Breaker, nowMs: number): boolean => breaker.openedAt > nowMs + MINUTE_MS;

const isOver = (until: number, nowMs: number): boolean => nowMs >= until || until - nowMs > ABSURD_MS;

function onAsked(policy: BreakerPolicy, breaker: Breaker, asked: Of<'asked'>, nowMs: number): BreakerStep {
  const { state } = breaker;
  switch (state.kind) {
    case 'closed':
      return { after: breaker, admission: { kind: 'admitted' } };
    case 'open':
      if (!isOver(state.until, nowMs) && !wasSetBack(breaker, nowMs)) return { after: breaker, admission: { kind: 'wait', until: state.until + spread(policy, asked.id), why: whyOpen(breaker.account, state.reason) } };
      return probing(breaker, state, asked, `${wasSetBack(breaker, nowMs) ? 'the clock was set back' : 'its time is over'}: one is let in to see`, nowMs);
    case 'half-open':
      if (state.probe.marker === asked.marker) return { after: breaker, admission: { kind: 'probe' } };
      if (asked.probeGone) return probing(breaker, state, asked, 'the probe before it has gone', nowMs);
      return { after: breaker, admission: { kind: 'wait', until: nowMs + probePatience(policy, state.probe, nowMs) + spread(policy, asked.id), why: `the account ${breaker.account} is being tried by ${state.probe.id}` } };
    case 'releasing':
      return onTurn(policy, breaker, state, asked.id, nowMs);
    default:
      return unreachable(state);
  }
}

function probing(breaker: Breaker, { reason, evidence, until }: Open | HalfOpen, { marker, id }: Of<'asked'>, rule: string, nowMs: number): BreakerStep {
  const after: Breaker = { ...breaker, state: { kind: 'half-open', reason, evidence, until, probe: { marker, id, since: nowMs } } };
  return { after, admission: { kind: 'probe' }, change: { kind: 'breaker-probing', account: breaker.account, id, marker, rule, evidence: `${reason}: ${evidence}` } };
}

/** Long probes are asked after less often: forty waiting tasks must not churn. */
function probePatience(policy: BreakerPolicy, probe: Probe, nowMs: number): number {
  return Math.min(policy.staggerMs * 30, Math.max(policy.staggerMs * 5, (nowMs - probe.since) / 2));
}

/** Where within five staggers a task comes back: by its name, so that it needs no memory. */
function spread(policy: BreakerPolicy, id: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < id.length; at += 1) hash = Math.imul(hash ^ id.charCodeAt(at), 0x01000193) >>> 0;
  // The low bits of like names are alike.
  return ((hash ^ (hash >>> 15)) >>> 0) % Math.max(1, policy.staggerMs * 5);
}

/** One by one: each task that comes too early is told its turn, and the turn is kept for it. */
function onTurn(policy: BreakerPolicy, breaker: Breaker, state: Releasing, id: string, nowMs: number): BreakerStep {
  const mine = state.slots.find((slot) => slot.id === id);
  const others = state.slots.filter((slot) => slot.id !== id);
  const gapAt = state.lastAt + policy.staggerMs;
  const due = mine?.at ?? Math.max(state.lastAt, ...others.map(({ at }) => at)) + policy.staggerMs * SLOT;
  if (nowMs >= due && isOver(gapAt, nowMs)) return { after: { ...breaker, state: { ...state, lastAt: nowMs, slots: others } }, admission: { kind: 'admitted' } };
  const at = Math.max(due, gapAt);
  const why = `the account ${breaker.account} works again, and lets its tasks go one by one`;
  if (at >= state.freeAt) return { after: breaker, admission: { kind: 'wait', until: state.freeAt + spread(policy, id), why } };
  return { after: { ...breaker, state: { ...state, slots: [...others, { id, at }] } }, admission: { kind: 'wait', until: at, why } };
}

function onLimited(policy: BreakerPolicy, breaker: Breaker, limited: Of<'limited'>, nowMs: number): BreakerStep {
  const { state } = breaker;
  const fresh = breaker.openedAt === 0 || limited.startedAt >= breaker.openedAt;
  switch (state.kind) {
    case 'closed':
    case 'releasing':
      return opened(policy, breaker, limited, fresh, 'a session met a limit', nowMs);
    case 'open': {
      if (isOver(state.until, nowMs)) return opened(policy, breaker, limited, fresh, 'a session met a limit', nowMs);
      // Who was running when it opened meets the same limit: only a later reset is news, and a blink is none.
      const until = limited.resetAt === undefined ? state.until : nowMs + givenWait(policy, breaker.strikes, limited.resetAt, nowMs);
      if (until <= state.until + policy.staggerMs) return { after: breaker };
      const later: Open = { kind: 'open', reason: limited.reason, evidence: limited.evidence.slice(0, EVIDENCE_CHARS), until };
      return told({ ...breaker, state: later, quietFrom: until }, later, 'a session was told a later reset');
    }
    case 'half-open':
      if (state.probe.marker === limited.marker) return opened(policy, breaker, limited, true, 'the probe met the limit again', nowMs);
      // A straggler's news are older than what the probe is about to tell, but for a reset that lies ahead.
      return limited.resetAt !== undefined && limited.resetAt > nowMs ? opened(policy, breaker, limited, false, 'a session was told a later reset', nowMs) : { after: breaker };
    default:
      return unreachable(state);
  }
}

/** Opens it, or opens it again. `strike`: the try was let in after the last opening. */
function opened(policy: BreakerPolicy, breaker: Breaker, why: { readonly reason: DeferralReason; readonly evidence: string; readonly resetAt: number | undefined }, strike: boolean, rule: string, nowMs: number): BreakerStep {
  const { state } = breaker;
  const left = strikesAt(breaker, state.kind === 'half-open' ? state.probe.since : nowMs);
  const strikes = Math.min(MAX_STRIKES, Math.max(1, strike ? left + 1 : left));
  const backoffMs = why.resetAt === undefined ? backoffWait(policy, breaker, why.reason, strikes) : breaker.backoffMs;
  const until = nowMs + (why.resetAt === undefined ? backoffMs : givenWait(policy, strikes, why.resetAt, nowMs));
  const open: Open = { kind: 'open', reason: why.reason, evidence: why.evidence.slice(0, EVIDENCE_CHARS), until };
  return told({ ...breaker, state: open, strikes, openedAt: nowMs, quietFrom: until, backoffMs }, open, rule);
}

const told = (after: Breaker, { reason, until, evidence }: Open, rule: string): BreakerStep => ({ after, change: { kind: 'breaker-opened', account: after.account, reason, until, strikes: after.strikes, rule, evidence } });

/** What is left of the strikes after quiet time. */
function strikesAt(breaker: Breaker, atMs: number): number {
  return Math.max(0, breaker.strikes - Math.floor(Math.max(0, atMs - breaker.quietFrom) / FORGET_MS));
}

/** A given reset is taken, floored and capped; the floor grows with the strikes, since one that gives a wrong reset each time would be asked for ever. */
function givenWait(policy: BreakerPolicy, strikes: number, resetAt: number, nowMs: number): number {
  const floor = Math.max(policy.floorMs, Math.min(policy.maxMs, policy.floorMs * 2 ** (Math.max(1, strikes) - 1)));
  return Math.min(CAP_MS, Math.max(floor, resetAt + policy.marginMs - nowMs));
}

function backoffWait(policy: BreakerPolicy, breaker: Breaker, reason: DeferralReason, strikes: number): number {
  const wait = firstWait(policy, reason) * 2 ** (strikes - 1);
  return Math.min(policy.maxMs, Math.max(wait, strikes > 1 ? breaker.backoffMs : 0));
}

/** Where no reset is given. */
function firstWait({ firstMs }: BreakerPolicy, reason: DeferralReason): number {
  switch (reason) {
    // Requests and tokens are counted by the minute, and overload passes.
    case 'rate-limited':
      return firstMs;
    // Windows of hours: a look each five minutes costs little, and sooner ones are in vain.
    case 'usage-limited':
      return firstMs * 5;
    // Only a person helps, and will not want to wait long after logging in; `snakepit breakers --close` is at once.
    case 'auth-failed':
      return firstMs * 5;
    // An update that is being installed takes a minute.
    case 'failing':
      return firstMs;
    default:
      return unreachable(reason);
  }
}

function onWorked(policy: BreakerPolicy, before: Breaker, worked: Of<'worked'>, nowMs: number): BreakerStep {
  const breaker = forgetRun(before, worked);
  const { state } = breaker;
  switch (state.kind) {
    case 'closed':
    case 'releasing':
    // Not the probe: what it was given before the account was shut proves nothing of now.
    case 'open':
      return { after: breaker };
    case 'half-open': {
      if (state.probe.marker !== worked.marker) return { after: breaker };
      const after: Breaker = { ...breaker, state: { kind: 'releasing', freeAt: nowMs + policy.releaseMs, lastAt: nowMs, slots: [] }, quietFrom: nowMs };
      return { after, change: { kind: 'breaker-closed', account: breaker.account, rule: 'the probe shows that the account works', evidence: worked.evidence.slice(0, EVIDENCE_CHARS) } };
    }
    default:
      return unreachable(state);
  }
}

/** A success takes back the failures of its profile, unless it began before they did. */
function forgetRun(breaker: Breaker, { profile, startedAt }: Of<'worked'>): Breaker {
  const run = breaker.failing[profile];
  if (run === undefined || startedAt < run.firstAt) return breaker;
  const { [profile]: _forgotten, ...failing } = breaker.failing;
  return { ...breaker, failing };
}

function onBroken(policy: BreakerPolicy, before: Breaker, broken: Of<'broken'>, nowMs: number): BreakerStep {
  const run = counted(before.failing[broken.profile], broken.marker, policy.failures, nowMs);
  const breaker: Breaker = { ...before, failing: { ...before.failing, [broken.profile]: run } };
  const failing = { reason: 'failing' as const, evidence: `${broken.profile}: ${broken.evidence}`, resetAt: undefined };
  const { state } = breaker;
  switch (state.kind) {
    case 'closed':
    case 'releasing':
      return run.markers.length >= policy.failures ? opened(policy, breaker, failing, true, `${run.markers.length} attempts in a row showed no sign of work`, nowMs) : { after: breaker };
    case 'open':
      return { after: breaker };
    case 'half-open':
      if (state.probe.marker !== broken.marker) return { after: breaker };
      return state.reason === 'failing' || run.markers.length >= policy.failures ? opened(policy, breaker, failing, true, 'the probe showed no sign of work', nowMs) : { after: freed(breaker, broken.marker) };
    default:
      return unreachable(state);
  }
}

function counted(run: FailingRun | undefined, marker: string, most: number, nowMs: number): FailingRun {
  if (run === undefined || Math.abs(nowMs - run.lastAt) > RUN_MS) return { markers: [marker], firstAt: nowMs, lastAt: nowMs };
  return run.markers.includes(marker) ? run : { ...run, markers: [...run.markers, marker].slice(-most), lastAt: nowMs };
}

/** The probe is over and has shown nothing: the next that asks is the probe. */
function freed(breaker: Breaker, marker: string): Breaker {
  const { state } = breaker;
  if (state.kind !== 'half-open' || state.probe.marker !== marker) return breaker;
  return { ...breaker, state: { kind: 'open', reason: state.reason, evidence: state.evidence, until: state.until } };
}

const whyOpen = (account: string, reason: DeferralReason): string => (reason === 'failing' ? `the account ${account} is shut: its program kept failing` : `the account ${account} is at its limit`);

/** The state that holds now: a release whose time is over is closed. */
export const stateAt = (breaker: Breaker, nowMs: number): BreakerState => settled(breaker, nowMs).state;

/** What a claim would be told now, without a turn kept for it. */
export function peek(policy: BreakerPolicy, breaker: Breaker, id: string, nowMs: number): Admission {
  return decideBreaker(policy, breaker, { kind: 'asked', marker: '', id, probeGone: false }, nowMs).admission ?? { kind: 'admitted' };
}

/**
 * Until when a running session is held off its watchdog, since its account is why it is silent. The probe is watched as ever:
 * one that hangs would shut the account for good. A program that keeps failing holds nobody.
 */
export function holdsUntil(breaker: Breaker, marker: string, nowMs: number): number | undefined {
  const { state } = breaker;
  switch (state.kind) {
    case 'closed':
    case 'releasing':
      return undefined;
    case 'open':
      return state.reason === 'failing' || isOver(state.until, nowMs) || wasSetBack(breaker, nowMs) ? undefined : state.until;
    case 'half-open': {
      const until = state.probe.since + PROBE_HOLD_MS;
      return state.reason === 'failing' || state.probe.marker === marker || isOver(until, nowMs) ? undefined : until;
    }
    default:
      return unreachable(state);
  }
}
