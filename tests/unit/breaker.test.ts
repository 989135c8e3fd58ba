import { describe, expect, it } from 'vitest';
import { decideBreaker, holdsUntil } from '../../src/agents/breaker/decide.js';
import { signOf, type EndFacts } from '../../src/agents/breaker/signs.js';
import { newBreaker, type Breaker, type BreakerEvent, type BreakerPolicy, type BreakerState } from '../../src/agents/breaker/state.js';
import { parseBreaker } from '../../src/agents/breaker/store.js';
import type { DeferralReason, FailureReason, Outcome } from '../../src/protocol/judge.js';

const NOW = 1_800_000_000_000;
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const POLICY: BreakerPolicy = { floorMs: 30_000, marginMs: 45_000, firstMs: MINUTE, maxMs: 30 * MINUTE, staggerMs: 2000, releaseMs: MINUTE, failures: 3 };

const CLOSED: Breaker = { ...newBreaker('a'), openedAt: NOW - DAY };
const open = (until: number, more: Partial<Breaker> = {}, reason: DeferralReason = 'rate-limited'): Breaker => ({ ...newBreaker('a'), state: { kind: 'open', reason, evidence: 'e', until }, strikes: 1, openedAt: NOW - 5 * MINUTE, quietFrom: until, backoffMs: MINUTE, ...more });
const halfOpen = (more: Partial<Breaker> = {}, reason: DeferralReason = 'rate-limited'): Breaker => ({ ...open(NOW - 2000), state: { kind: 'half-open', reason, evidence: 'e', until: NOW - 2000, probe: { marker: 'p', id: 'task-p', since: NOW - 1000 } }, ...more });
const releasing = (lastAt = NOW - 500, slots: { id: string; at: number }[] = []): Breaker => ({ ...open(NOW - MINUTE), state: { kind: 'releasing', freeAt: NOW + 30_000, lastAt, slots }, quietFrom: NOW - 30_000 });

const asked = (marker = 'm', probeGone = false): BreakerEvent => ({ kind: 'asked', marker, id: `task-${marker}`, probeGone });
const limited = (resetAt?: number, marker = 'm', startedAt = NOW - 1000, reason: DeferralReason = 'rate-limited'): BreakerEvent => ({ kind: 'limited', marker, startedAt, reason, evidence: 'seen', resetAt });
const worked = (marker = 'm', startedAt = NOW - 1000): BreakerEvent => ({ kind: 'worked', marker, startedAt, profile: 'claude', evidence: 'it answered' });
const broken = (marker = 'm'): BreakerEvent => ({ kind: 'broken', marker, startedAt: NOW - 1000, profile: 'claude', evidence: 'it crashed' });
const ended = (marker = 'm'): BreakerEvent => ({ kind: 'ended', marker });
const HAND: BreakerEvent = { kind: 'closed-by-hand' };

const OPEN = open(NOW + MINUTE);
const DUE = open(NOW - 1);

describe('every state answers every event', () => {
  it.each<[string, Breaker, BreakerEvent, BreakerState['kind'], string | undefined, string | undefined]>([
    ['closed, asked', CLOSED, asked(), 'closed', 'admitted', undefined],
    ['closed, a limit', CLOSED, limited(), 'open', undefined, 'breaker-opened'],
    ['closed, it works', CLOSED, worked(), 'closed', undefined, undefined],
    ['closed, one failure', CLOSED, broken(), 'closed', undefined, undefined],
    ['closed, an end', CLOSED, ended(), 'closed', undefined, undefined],
    ['closed, by hand', CLOSED, HAND, 'closed', undefined, 'breaker-closed'],
    ['open, asked', OPEN, asked(), 'open', 'wait', undefined],
    ['open, a limit', OPEN, limited(), 'open', undefined, undefined],
    ['open, an earlier reset', OPEN, limited(NOW + 1), 'open', undefined, undefined],
    ['open, a later reset', OPEN, limited(NOW + 5 * MINUTE), 'open', undefined, 'breaker-opened'],
    ['open, it works', OPEN, worked(), 'open', undefined, undefined],
    ['open, a failure', OPEN, broken(), 'open', undefined, undefined],
    ['open, an end', OPEN, ended(), 'open', undefined, undefined],
    ['open, by hand', OPEN, HAND, 'closed', undefined, 'breaker-closed'],
    ['its time is over, asked', DUE, asked(), 'half-open', 'probe', 'breaker-probing'],
    ['its time is over, a limit', DUE, limited(), 'open', undefined, 'breaker-opened'],
    ['half-open, asked', halfOpen(), asked(), 'half-open', 'wait', undefined],
    ['half-open, the probe asks again', halfOpen(), asked('p'), 'half-open', 'probe', undefined],
    ['half-open, the probe has gone', halfOpen(), asked('m', true), 'half-open', 'probe', 'breaker-probing'],
    ['half-open, the probe meets the limit', halfOpen(), limited(undefined, 'p'), 'open', undefined, 'breaker-opened'],
    ['half-open, a straggler meets the limit', halfOpen(), limited(undefined, 'm', NOW - DAY), 'half-open', undefined, undefined],
    ['half-open, a straggler knows the reset', halfOpen(), limited(NOW + 5 * MINUTE, 'm', NOW - DAY), 'open', undefined, 'breaker-opened'],
    ['half-open, the probe works', halfOpen(), worked('p'), 'releasing', undefined, 'breaker-closed'],
    ['half-open, another works', halfOpen(), worked(), 'half-open', undefined, undefined],
    ['half-open, the probe shows no work', halfOpen(), broken('p'), 'open', undefined, undefined],
    ['half-open for failing, the probe shows no work', halfOpen({}, 'failing'), broken('p'), 'open', undefined, 'breaker-opened'],
    ['half-open, another shows no work', halfOpen({}, 'failing'), broken(), 'half-open', undefined, undefined],
    ['half-open, the probe ends', halfOpen(), ended('p'), 'open', undefined, undefined],
    ['half-open, another ends', halfOpen(), ended(), 'half-open', undefined, undefined],
    ['half-open, by hand', halfOpen(), HAND, 'closed', undefined, 'breaker-closed'],
    ['releasing, asked too early', releasing(), asked(), 'releasing', 'wait', undefined],
    ['releasing, asked in time', releasing(NOW - 3000), asked(), 'releasing', 'admitted', undefined],
    ['releasing, its turn', releasing(NOW - 2000, [{ id: 'task-m', at: NOW }]), asked(), 'releasing', 'admitted', undefined],
    ['releasing, another\'s turn', releasing(NOW - 3000, [{ id: 'task-x', at: NOW }]), asked(), 'releasing', 'wait', undefined],
    ['releasing, a limit', releasing(), limited(), 'open', undefined, 'breaker-opened'],
    ['releasing, it works', releasing(), worked(), 'releasing', undefined, undefined],
    ['releasing, a failure', releasing(), broken(), 'releasing', undefined, undefined],
    ['releasing, an end', releasing(), ended(), 'releasing', undefined, undefined],
    ['releasing, by hand', releasing(), HAND, 'closed', undefined, 'breaker-closed'],
    ['released, asked', { ...releasing(), state: { kind: 'releasing', freeAt: NOW, lastAt: NOW - 1, slots: [] } }, asked(), 'closed', 'admitted', undefined],
  ])('%s', (_name, before, event, state, admission, change) => {
    const step = decideBreaker(POLICY, before, event, NOW);
    expect([step.after.state.kind, step.admission?.kind, step.change?.kind]).toEqual([state, admission, change]);
  });
});

describe('how long it stays open', () => {
  const waits = (was: Breaker, resetAt?: number, marker = 'm', reason: DeferralReason = 'rate-limited'): number => {
    const { state } = decideBreaker(POLICY, was, limited(resetAt, marker, NOW - 1000, reason), NOW).after;
    return state.kind === 'open' ? state.until - NOW : Number.NaN;
  };
  const struck = (strikes: number, backoffMs = 0): Breaker => halfOpen({ strikes, backoffMs });
  it.each<[string, Breaker, number | undefined, string, DeferralReason, number]>([
    ['a given reset is taken, with a margin', CLOSED, NOW + 60 * MINUTE, 'm', 'usage-limited', 60 * MINUTE + 45_000],
    ['one long past waits half a minute', CLOSED, NOW - DAY, 'm', 'usage-limited', MINUTE / 2],
    ['an absurd one is capped at eight days', CLOSED, NOW + 400 * DAY, 'm', 'usage-limited', 8 * DAY],
    ['a rate limit without a reset: one minute', CLOSED, undefined, 'm', 'rate-limited', MINUTE],
    ['a usage limit without a reset: five', CLOSED, undefined, 'm', 'usage-limited', 5 * MINUTE],
    ['a login that is refused: five', CLOSED, undefined, 'm', 'auth-failed', 5 * MINUTE],
    ['met again by the probe: two', struck(1), undefined, 'p', 'rate-limited', 2 * MINUTE],
    ['a fifth time: sixteen', struck(4), undefined, 'p', 'rate-limited', 16 * MINUTE],
    ['for ever: half an hour', struck(8), undefined, 'p', 'rate-limited', 30 * MINUTE],
    ['not shorter than the last, though the reason is another', struck(2, 10 * MINUTE), undefined, 'p', 'rate-limited', 10 * MINUTE],
    ['resets that are always past are asked for less and less often', struck(3), NOW - DAY, 'p', 'rate-limited', 4 * MINUTE],
    ['an open one is never shortened', open(NOW + 500 * MINUTE), NOW + MINUTE, 'm', 'rate-limited', 500 * MINUTE],
    ['quiet time forgets', { ...CLOSED, strikes: 8, quietFrom: NOW - 81 * MINUTE }, undefined, 'm', 'rate-limited', MINUTE],
    ['ten quiet minutes forget one strike', { ...CLOSED, strikes: 3, quietFrom: NOW - 11 * MINUTE }, undefined, 'm', 'rate-limited', 4 * MINUTE],
  ])('%s', (_name, was, resetAt, marker, reason, wanted) => expect(waits(was, resetAt, marker, reason)).toBe(wanted));

  it('sessions that were running when it opened count no strike', () => {
    const { after } = decideBreaker(POLICY, { ...releasing(), strikes: 2 }, limited(undefined, 'm', NOW - DAY), NOW);
    expect(after.strikes).toBe(2);
  });

  it('a time that only a clock that was set back can have written is over', () => {
    expect(decideBreaker(POLICY, open(NOW + 400 * DAY), asked(), NOW).admission?.kind).toBe('probe');
  });

  it('one that was opened in what is the future now lets one in to see, and holds nobody off its watchdog: the clock was set back since', () => {
    const setBack = open(NOW + DAY + MINUTE, { openedAt: NOW + DAY });
    expect(decideBreaker(POLICY, setBack, asked(), NOW)).toMatchObject({ admission: { kind: 'probe' }, change: { rule: 'the clock was set back: one is let in to see' } });
    expect(holdsUntil(setBack, 'm', NOW)).toBeUndefined();
    expect(decideBreaker(POLICY, open(NOW + MINUTE, { openedAt: NOW + 5000 }), asked(), NOW).admission?.kind).toBe('wait');
  });
});

describe('a program that keeps failing', () => {
  const after = (...events: BreakerEvent[]): Breaker => events.reduce((breaker, event, index) => decideBreaker(POLICY, breaker, event, NOW + index).after, newBreaker('a'));
  it('is shut at the third failure in a row', () => expect(after(broken('1'), broken('2'), broken('3')).state).toMatchObject({ kind: 'open', reason: 'failing', until: NOW + 2 + MINUTE }));
  it('one attempt is counted once', () => expect(after(broken('1'), broken('2'), broken('2')).state.kind).toBe('closed'));
  it('a success takes them back', () => expect(after(broken('1'), broken('2'), worked('x', NOW + 2), broken('3')).state.kind).toBe('closed'));
  it('but for one that began before them', () => expect(after(broken('1'), broken('2'), worked('x', NOW - 1), broken('3')).state.kind).toBe('open'));
  it('another program of the account is not counted', () => expect(after(broken('1'), broken('2'), { ...broken('3'), profile: 'other' } as BreakerEvent).state.kind).toBe('closed'));
});

describe('who is held off its watchdog', () => {
  it.each<[string, Breaker, string, number | undefined]>([
    ['open', OPEN, 'm', NOW + MINUTE],
    ['open, and its time is over', DUE, 'm', undefined],
    ['half-open', halfOpen(), 'm', NOW - 1000 + 30 * MINUTE],
    ['half-open, the probe itself', halfOpen(), 'p', undefined],
    ['failing', open(NOW + MINUTE, {}, 'failing'), 'm', undefined],
    ['releasing', releasing(), 'm', undefined],
  ])('%s', (_name, breaker, marker, wanted) => expect(holdsUntil(breaker, marker, NOW)).toBe(wanted));
});

describe('what the end of an attempt says of its account', () => {
  const LONG: EndFacts = { lifeMs: 10 * MINUTE, answer: undefined, code: 1, plain: false };
  const SOON = { ...LONG, lifeMs: 3000 };
  const failed = (reason: FailureReason): Outcome => ({ kind: 'failed', reason, detail: 'd', final: false });
  it.each<[string, Outcome, EndFacts, string]>([
    ['done', { kind: 'done', message: '' }, LONG, 'worked'],
    ['at a limit', { kind: 'deferred', reason: 'usage-limited', detail: 'd', resetAt: 1 }, LONG, 'limited'],
    ['lost', { kind: 'lost', detail: '' }, SOON, 'none'],
    ['called back', { kind: 'released', detail: '' }, SOON, 'none'],
    ['never began', failed('startup-stall'), LONG, 'broken'],
    ['crashed', failed('agent-crashed'), LONG, 'broken'],
    ['crashed after an answer', failed('agent-crashed'), { ...LONG, answer: 'x' }, 'worked'],
    ['exited within seconds', failed('exit-status'), SOON, 'broken'],
    ['exited within seconds, having answered', failed('exit-status'), { ...SOON, answer: 'x' }, 'worked'],
    ['exited after minutes', failed('exit-status'), LONG, 'none'],
    ['plain output, within seconds', failed('exit-status'), { ...SOON, plain: true }, 'none'],
    ['plain output, not found', failed('exit-status'), { ...SOON, plain: true, code: 127 }, 'broken'],
    ['an error within seconds, whatever it says', failed('agent-error'), { ...SOON, answer: 'Error' }, 'broken'],
    ['an error after minutes', failed('agent-error'), { ...LONG, answer: 'Error' }, 'none'],
    ['its checks failed', failed('verify-failed'), SOON, 'worked'],
    ['it said that it failed', failed('said-fail'), SOON, 'worked'],
    ['too slow, with an answer', failed('timeout'), { ...LONG, answer: 'x' }, 'worked'],
    ['too slow', failed('timeout'), LONG, 'none'],
    ['cancelled', failed('cancelled'), { ...SOON, answer: 'x' }, 'none'],
  ])('%s', (_name, outcome, facts, kind) => expect(signOf(outcome, facts).kind).toBe(kind));
});

describe('the file of an account', () => {
  it('in its first format is an open one', () => {
    const old = { account: 'a', reason: 'usage-limited', evidence: 'e', openedAt: NOW, until: NOW + 1, strikes: 2 };
    expect(parseBreaker(JSON.stringify(old))).toMatchObject({ v: 2, account: 'a', state: { kind: 'open', reason: 'usage-limited', until: NOW + 1 }, strikes: 2, failing: {} });
  });
  it.each(['', 'nonsense', '[]', '{}', '{"v":2,"account":"a"}', 'null'])('%j is none', (text) => expect(parseBreaker(text)).toBeUndefined());
});
