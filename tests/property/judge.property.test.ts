import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { ASK_POLICIES } from '../../src/protocol/task.js';
import { AGENT_STATES, type AgentState } from '../../src/protocol/agent-state.js';
import * as realJudge from '../../src/protocol/judge.js';
import type { AttemptFacts, DeferralReason, FailureReason, Outcome, RetryPolicy } from '../../src/protocol/judge.js';
import { attemptOf, NO_COUNTERS, type Counters } from '../../src/protocol/names.js';
import { STOP_REASONS, type ResultRecord, type StopReason, type VerifyRun } from '../../src/protocol/records.js';
import { forAll } from './for-all.js';
import { cleanMutants, importMutant, killedBy } from '../rig/mutants.js';

type Judge = typeof realJudge;

const text = fc.string({ maxLength: 12 });
const code = fc.oneof(fc.constant(0), fc.constant(0), fc.constantFrom(1, 2, 126, 128, 130, 137, 255), fc.nat(255));
const result: fc.Arbitrary<ResultRecord> = fc.oneof(
  fc.record({ kind: fc.constant('done' as const), message: text }),
  fc.record({ kind: fc.constant('fail' as const), message: text, final: fc.boolean() }),
  fc.record({ kind: fc.constant('malformed' as const), why: text }),
  fc.record({ kind: fc.constant('ask' as const), message: text }),
);
const verifyRun: fc.Arbitrary<VerifyRun> = fc.record({ command: text, code: fc.oneof(fc.constant(0), fc.constant(0), code), tail: fc.array(text, { maxLength: 2 }) });
const perhaps = <T>(value: fc.Arbitrary<T>, freq = 2): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined, freq });
const plain = {
  exit: perhaps(fc.record({ code, endedAt: fc.nat() }), 4),
  result: perhaps(result),
  verify: perhaps(fc.array(verifyRun, { maxLength: 4 })),
  timeoutMs: fc.nat(10_000_000),
};
const BLOCKED = { 'blocked-on-permission': 'permission', 'blocked-on-dialog': 'dialog', 'waiting-for-input': 'question' } as const;
const blockedAs = (kind: string | undefined): 'permission' | 'dialog' | 'question' | undefined => BLOCKED[kind as keyof typeof BLOCKED];
const LIMITS: readonly Exclude<DeferralReason, 'failing'>[] = ['usage-limited', 'rate-limited', 'auth-failed'];
const agent: fc.Arbitrary<AgentState> = fc.record(
  { kind: fc.oneof(fc.constantFrom(...AGENT_STATES), fc.constantFrom(...LIMITS)), source: fc.constantFrom('exit', 'event', 'process', 'pane'), rule: text, evidence: text, resetAt: fc.nat() },
  { requiredKeys: ['kind', 'source', 'rule', 'evidence'] },
);
/** Of a program that leaves no records of its own. */
const plainFacts: fc.Arbitrary<AttemptFacts> = fc.record({ ...plain, stop: fc.oneof(fc.constant(undefined), fc.constant(undefined), fc.constantFrom<StopReason>('timeout', 'cancelled', 'released')) });
const facts: fc.Arbitrary<AttemptFacts> = fc.oneof(plainFacts, fc.record({ ...plain, stop: fc.oneof(fc.constant(undefined), fc.constantFrom(...STOP_REASONS)), agent: perhaps(agent), answer: perhaps(text), mustSignal: fc.boolean(), ask: perhaps(fc.constantFrom(...ASK_POLICIES)), asked: perhaps(fc.nat(20)) }));

const named = (outcome: Outcome): string => (outcome.kind === 'failed' ? outcome.reason : outcome.kind);
const isBad = (said: ResultRecord | undefined): boolean => said !== undefined && said.kind !== 'done';

const doneMeansChecked = (m: Judge): void => {
  forAll(plainFacts, (of) => {
    const good = of.stop === undefined && of.exit?.code === 0 && !isBad(of.result) && (of.verify ?? []).every((run) => run.code === 0);
    const outcome = m.judge(of);
    expect(outcome.kind === 'done').toBe(good);
    if (outcome.kind === 'done') expect(outcome.message).toBe(of.result?.kind === 'done' ? of.result.message : '');
  }, 2000);
  forAll(facts, (of) => {
    if (m.judge(of).kind !== 'done') return;
    expect(isBad(of.result) || (of.verify ?? []).some((run) => run.code !== 0) || (of.mustSignal === true && of.result === undefined)).toBe(false);
    if (of.stop === undefined) expect(of.exit?.code).toBe(0);
    else if (of.stop === 'task-budget') expect(of.result?.kind).toBe('done');
    else expect(['signalled', 'observed']).toContain(of.stop);
  }, 2000);
};

/** The first of these that speaks gives the outcome, and whatever comes after it can be anything. */
const firstReasonDecides = (m: Judge): void =>
  forAll(fc.tuple(plainFacts, plainFacts), ([of, other]) => {
    const rest = { ...other, stop: undefined };
    const badRun = of.verify?.find((run) => run.code !== 0);
    const [name, same]: [string, AttemptFacts] =
      of.stop !== undefined ? [of.stop, { ...other, stop: of.stop, timeoutMs: of.timeoutMs }]
      : of.exit === undefined ? ['lost', { ...rest, exit: undefined }]
      : of.result?.kind === 'fail' ? ['said-fail', { ...rest, exit: other.exit ?? of.exit, result: of.result }]
      : of.result?.kind === 'malformed' ? ['bad-result', { ...rest, exit: other.exit ?? of.exit, result: of.result }]
      : of.result?.kind === 'ask' ? ['blocked', { ...rest, exit: other.exit ?? of.exit, result: of.result }]
      : of.exit.code !== 0 ? ['exit-status', { ...rest, exit: of.exit, result: isBad(other.result) ? of.result : other.result }]
      : badRun !== undefined ? ['verify-failed', { ...rest, exit: of.exit, result: isBad(other.result) ? of.result : other.result, verify: [badRun, ...(other.verify ?? [])] }]
      : ['done', { ...rest, exit: of.exit, result: of.result, verify: undefined }];
    expect(named(m.judge(of))).toBe(name);
    expect(m.judge(same)).toEqual(m.judge(of));
  }, 2000);

/** Texts are carried, never read: neither what was printed nor what the session said in words changes how it ended. */
const wordsAreNoFacts = (m: Judge): void =>
  forAll(fc.tuple(facts, text, fc.nat()), ([of, word, endedAt]) => {
    const said = of.result?.kind === 'malformed' ? { ...of.result, why: word } : of.result === undefined ? undefined : { ...of.result, message: word };
    const state = of.agent === undefined ? undefined : { ...of.agent, rule: word, evidence: word };
    const [before, after] = [m.judge(of), m.judge({ ...of, agent: state, answer: word, exit: of.exit && { ...of.exit, endedAt }, result: said, verify: of.verify?.map((run) => ({ ...run, command: word, tail: [word] })) })];
    expect([named(after), after.kind === 'failed' && after.final]).toEqual([named(before), before.kind === 'failed' && before.final]);
  });

/** For good is only what a person cancelled, and what the session itself gave up. */
const finalIsSaid = (m: Judge): void =>
  forAll(facts, (of) => {
    const outcome = m.judge(of);
    if (outcome.kind === 'failed') expect(outcome.final).toBe(outcome.reason === 'cancelled' || (outcome.reason === 'said-fail' && of.result?.kind === 'fail' && of.result.final));
  });

/** A limit of the provider is no failure of the task: it says until when, and only where the session itself did not say how it ended. */
const limitsAreDeferred = (m: Judge): void =>
  forAll(facts, (of) => {
    const outcome = m.judge(of);
    const limited = LIMITS.find((kind) => kind === of.agent?.kind);
    if (outcome.kind === 'deferred') expect([outcome.reason, outcome.resetAt]).toEqual([limited, of.agent?.resetAt]);
    const ended = of.stop === 'observed' || (of.stop === undefined && of.exit !== undefined);
    if (ended && limited !== undefined && of.result === undefined) expect(outcome.kind).toBe('deferred');
  }, 2000);

/** Parked is what asks, says nothing of its own, was ended for that or by itself, and is not to fail; it is counted on. */
const askingFacts = fc.record({ ...plain, stop: fc.constantFrom<StopReason | undefined>(undefined, 'observed', 'observed', 'cancelled', 'timeout'), agent: agent.chain((one) => fc.constantFrom(...Object.keys(BLOCKED)).map((kind) => ({ ...one, kind: kind as AgentState['kind'] }))), mustSignal: fc.boolean(), ask: perhaps(fc.constantFrom(...ASK_POLICIES), 4), asked: perhaps(fc.nat(20)) });
const questionsAreParked = (m: Judge): void =>
  forAll(fc.oneof(facts, askingFacts), (of) => {
    const outcome = m.judge(of);
    const reason = blockedAs(of.agent?.kind);
    if (of.stop === 'task-budget' && of.result === undefined) return expect(outcome).toMatchObject({ kind: 'parked', reason: 'budget', nth: 0 });
    const ended = of.stop === 'observed' || of.stop === 'signalled' || of.stop === 'task-budget' || (of.stop === undefined && of.exit !== undefined);
    const inWords = of.result?.kind === 'ask';
    const asks = ended && ((reason !== undefined && of.result === undefined) || inWords) && (of.ask === 'park' || of.ask === 'allow');
    expect(outcome.kind === 'parked').toBe(asks);
    if (outcome.kind === 'parked') expect([outcome.reason, outcome.nth]).toEqual([inWords ? 'asked' : reason, (of.asked ?? 0) + 1]);
    if (outcome.kind === 'parked' && inWords) expect(outcome.detail).toBe(of.result?.kind === 'ask' ? of.result.message : '');
  }, 3000);

/** Nothing is done unchecked, checks are owed once, and nobody waits for the checks of what has failed already. */
const checksAreOwedOnce = (m: Judge): void =>
  forAll(fc.tuple(facts, fc.array(text, { maxLength: 3 }), fc.nat(2)), ([of, commands, failing]) => {
    const owes = m.owesVerify(of, commands);
    const outcome = m.judge(of);
    if (outcome.kind !== 'done') expect(owes).toBe(false);
    if (outcome.kind === 'done' && commands.length > 0 && of.verify === undefined) expect(owes).toBe(true);
    if (!owes) return;
    expect(commands).not.toEqual([]);
    for (const bad of [undefined, failing % commands.length]) {
      const checked = { ...of, verify: commands.map((command, index) => ({ command, code: index === bad ? 1 : 0, tail: [] })) };
      expect([m.owesVerify(checked, commands), named(m.judge(checked))]).toEqual([false, bad === undefined ? 'done' : 'verify-failed']);
    }
  }, 1000);

describe('the judge', () => {
  it('says done only of what ended with 0, said no other, and passed its checks', () => doneMeansChecked(realJudge));
  it('goes by the first reason there is', () => firstReasonDecides(realJudge));
  it('reads no text', () => wordsAreNoFacts(realJudge));
  it('ends a task for good only where somebody said so', () => finalIsSaid(realJudge));
  it('takes a limit of the provider for what it is', () => limitsAreDeferred(realJudge));
  it('parks what asks a person, and nothing else', () => questionsAreParked(realJudge));
  it('wants checks once, of what ended well', () => checksAreOwedOnce(realJudge));
  // Ended because it could not go on; by the next look its program has been ended too, and its state says nothing against it.
  it('says done of what we ended only where it said so itself', () =>
    forAll(facts, (of) => {
      if (of.stop !== undefined && realJudge.judge(of).kind === 'done') expect(of.result?.kind).toBe('done');
    }, 3000));
});

const outcome: fc.Arbitrary<Outcome> = fc.oneof(
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('done' as const), message: text }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('failed' as const), reason: fc.constantFrom<FailureReason>('exit-status', 'timeout', 'said-fail', 'verify-failed'), detail: text, final: fc.nat(9).map((n) => n === 0) }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('lost' as const), detail: text }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('sent-back' as const), reason: fc.constantFrom('merge-conflict' as const, 'merge-checks' as const), detail: text }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('released' as const), detail: text }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('parked' as const), reason: fc.constantFrom('permission' as const, 'dialog' as const, 'question' as const), detail: text, nth: fc.oneof(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 120 })) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('deferred' as const), reason: fc.constantFrom(...LIMITS), detail: text, resetAt: perhaps(fc.nat()) }) },
);
/** What `snakepit.yaml` allows. */
const limit = fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 100 }));
const backoff = fc.record({ firstMs: fc.oneof(fc.nat(50), fc.nat(600_000)), factor: fc.double({ min: 1, max: 10, noNaN: true }), maxMs: fc.oneof(fc.nat(200), fc.nat(6_000_000)) });
const policy: fc.Arbitrary<RetryPolicy> = fc.record({ attempts: limit, losses: limit, deferrals: limit, asks: fc.oneof(fc.nat(5), fc.nat(1000)), backoff });
const count = fc.oneof(fc.nat(6), fc.nat(999_998));
const counters: fc.Arbitrary<Counters> = fc.record({ failures: count, losses: count, deferrals: count });

const COUNTER = { failed: 'failures', lost: 'losses', released: 'deferrals', deferred: 'deferrals', parked: 'deferrals', 'sent-back': 'deferrals', 'not-set-up': 'deferrals' } as const;

const oneCounterMoves = (m: Judge): void =>
  forAll(fc.tuple(policy, counters, outcome), ([limits, before, end]) => {
    const next = m.afterAttempt(limits, before, end);
    if (end.kind === 'done') return expect(next).toEqual({ kind: 'done' });
    if (next.kind === 'done') throw new Error('done without a reason');
    expect(next.counters).toEqual({ ...before, [COUNTER[end.kind]]: before[COUNTER[end.kind]] + 1 });
    expect(attemptOf(next.counters)).toBe(attemptOf(before) + 1);
  }, 1000);

/** Own tally against the counters: a task goes again until its limit and not beyond, whatever else happens in between. */
const everyTaskEnds = (m: Judge): void =>
  forAll(fc.tuple(policy, fc.array(outcome, { maxLength: 250 })), ([limits, ends]) => {
    let at = NO_COUNTERS;
    const tally = { failures: 0, losses: 0, deferrals: 0 };
    for (const end of ends) {
      if (end.kind !== 'done') tally[COUNTER[end.kind]] += 1;
      const failed = (end.kind === 'failed' && (end.final || tally.failures === limits.attempts)) || (end.kind === 'lost' && tally.losses === limits.losses) || ((end.kind === 'deferred' || end.kind === 'not-set-up') && tally.deferrals >= limits.deferrals) || (end.kind === 'parked' && end.nth > limits.asks);
      const next = m.afterAttempt(limits, at, end);
      expect(next.kind).toBe(end.kind === 'done' ? 'done' : failed ? 'failed' : end.kind === 'parked' ? 'parked' : 'again');
      if (next.kind !== 'again' && next.kind !== 'parked') return;
      expect(next.counters).toEqual(tally);
      expect(tally.failures + tally.losses).toBeLessThanOrEqual(limits.attempts + limits.losses - 2);
      at = next.counters;
    }
  }, 500);

/** Also when a person lowered the limit below what has been counted already. */
const nothingGoesAgainBeyondItsLimit = (m: Judge): void =>
  forAll(fc.tuple(policy, counters, outcome), ([limits, before, end]) => {
    const next = m.afterAttempt(limits, before, end);
    if (next.kind !== 'again') return;
    if (end.kind === 'failed') expect(next.counters.failures).toBeLessThan(limits.attempts);
    if (end.kind === 'lost') expect(next.counters.losses).toBeLessThan(limits.losses);
    if (end.kind === 'deferred') expect(next.counters.deferrals).toBeLessThan(limits.deferrals);
  }, 1000);

/** Only a failure of its own makes a task wait; what was done to it does not. */
const onlyFailuresWait = (m: Judge): void =>
  forAll(fc.tuple(policy, counters, outcome), ([limits, before, end]) => {
    const next = m.afterAttempt(limits, before, end);
    if (next.kind === 'again') expect(next.waitMs).toBe(end.kind === 'failed' ? m.backoffMs(limits, before.failures + 1) : 0);
  }, 1000);

const backOffGrowsToItsMost = (m: Judge): void =>
  forAll(fc.tuple(policy, fc.integer({ min: 1, max: 100 })), ([limits, failures]) => {
    const { firstMs, factor, maxMs } = limits.backoff;
    const [wait, longer] = [m.backoffMs(limits, failures), m.backoffMs(limits, failures + 1)];
    expect(Number.isSafeInteger(wait) && wait >= Math.min(firstMs, maxMs) && wait <= maxMs).toBe(true);
    expect(longer).toBeGreaterThanOrEqual(wait);
    if (failures === 1) expect(wait).toBe(Math.min(firstMs, maxMs));
    // Each wait is rounded by itself, so two of them are off by half a millisecond and the factor's half.
    if (longer < maxMs) expect(Math.abs(longer - wait * factor)).toBeLessThanOrEqual(0.5 + factor / 2 + 1e-6);
  }, 1000);

describe('after an attempt', () => {
  it('exactly one counter has moved, by one', () => oneCounterMoves(realJudge));
  it('a task ends at its limits, and only releases go on for ever', () => everyTaskEnds(realJudge));
  it('nothing goes again at or beyond its limit', () => nothingGoesAgainBeyondItsLimit(realJudge));
  it('only failures wait', () => onlyFailuresWait(realJudge));
  it('waits grow by their factor up to the longest', () => backOffGrowsToItsMost(realJudge));
  // 0 × ∞ is no number: beyond the hundred attempts that the settings allow.
  it('a wait of nothing stays nothing', () => expect(realJudge.backoffMs({ attempts: 1000, losses: 1, deferrals: 1, asks: 1, backoff: { firstMs: 0, factor: 10, maxMs: 1000 } }, 310)).toBe(0));
});

describe('planted faults are noticed', () => {
  afterAll(cleanMutants);
  const faults: readonly (readonly [string, string, string, (m: Judge) => void])[] = [
    ['a word stands in for an exit record', 'exit === undefined)', 'exit === undefined && result === undefined)', firstReasonDecides],
    ['whoever says done need not end with 0', 'exit.code !== 0)', "exit.code !== 0 && result?.kind !== 'done')", doneMeansChecked],
    ['only the last check counts', 'verify?.find(', 'verify?.slice(-1).find(', doneMeansChecked],
    ['whatever a session gives up is given up for good', ', result.final);', ', true);', finalIsSaid],
    ['checks are owed for ever', 'facts.verify === undefined && ', '', checksAreOwedOnce],
    ['what failed is checked all the same', " && judge(facts).kind === 'done'", '', checksAreOwedOnce],
    ['a limit is anything that went wrong', 'return failed(\'agent-error\')', "return { kind: 'deferred', reason: 'usage-limited', detail, resetAt: undefined }", limitsAreDeferred],
    ['what is to fail is parked', "ask === 'fail' || ", '', questionsAreParked],
    ['who said how it ended is parked', ' || result !== undefined ? ', ' ? ', questionsAreParked],
    ['a question counts from nought each time', '(asked ?? 0) + 1', '1', questionsAreParked],
    ['what is asked in words is parked though it is to fail', " || facts.ask === 'fail' ? ", ' ? ', questionsAreParked],
    ['what is asked in words counts from nought each time', '(facts.asked ?? 0) + 1', '1', questionsAreParked],
    ['one question too many', 'outcome.nth > policy.asks', 'outcome.nth > policy.asks + 1', everyTaskEnds],
    ['a question is counted nowhere', "next = { ...counters, deferrals: counters.deferrals + 1 };\n            const why = `${outcome.reason}: ${outcome.detail}`;\n            return", "next = { ...counters };\n            const why = `${outcome.reason}: ${outcome.detail}`;\n            return", oneCounterMoves],
    ['one attempt too many', 'next.failures >= policy.attempts', 'next.failures > policy.attempts', everyTaskEnds],
    ['a limit that was passed is none', 'next.losses >= policy.losses', 'next.losses === policy.losses', nothingGoesAgainBeyondItsLimit],
    ['a loss is a failure', 'losses: counters.losses + 1', 'failures: counters.failures + 1', oneCounterMoves],
    ['a release is counted nowhere', 'deferrals: counters.deferrals + 1 }, waitMs', 'deferrals: counters.deferrals }, waitMs', oneCounterMoves],
    ['the first wait is the second', 'failures - 1', 'failures', backOffGrowsToItsMost],
    ['waits have no end', 'Math.min(maxMs, ', '(', backOffGrowsToItsMost],
  ];
  it.each(faults)('%s', async (_what, find, replace, property) => {
    expect(await killedBy<Judge>(property, await importMutant('protocol/judge.js', find, replace))).toBe(true);
  });
});
