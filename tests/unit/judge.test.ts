import { describe, expect, it } from 'vitest';
import { afterAttempt, backoffMs, describeExit, judge, owesVerify, type AttemptFacts, type Outcome, type RetryPolicy } from '../../src/protocol/judge.js';
import type { AgentState } from '../../src/protocol/agent-state.js';
import { NO_COUNTERS, type Counters } from '../../src/protocol/names.js';
import type { ExitRecord, ResultRecord, StopReason, VerifyRun } from '../../src/protocol/records.js';

const exit = (code: number): ExitRecord => ({ code, endedAt: 1 });
const GOOD: VerifyRun = { command: 'true', code: 0, tail: [] };
const BAD: VerifyRun = { command: 'npm test', code: 3, tail: [] };
const NOTHING: AttemptFacts = { stop: undefined, exit: undefined, result: undefined, verify: undefined, timeoutMs: 90_000 };

const ASKING: AgentState = { kind: 'waiting-for-input', source: 'pane', rule: 'question', evidence: 'Which one?' };

const summary = (outcome: Outcome): string => (outcome.kind === 'failed' ? `failed ${outcome.reason}${outcome.final ? ' final' : ''}` : outcome.kind);

describe('judge', () => {
  const cases: [string, Partial<AttemptFacts>, string][] = [
    ['nothing at all', {}, 'lost'],
    ['exit 0', { exit: exit(0) }, 'done'],
    ['exit 1', { exit: exit(1) }, 'failed exit-status'],
    ['exit 137', { exit: exit(137) }, 'failed exit-status'],
    ['said done, exit 0', { exit: exit(0), result: { kind: 'done', message: '' } }, 'done'],
    ['said done, exit 1: the exit status decides', { exit: exit(1), result: { kind: 'done', message: '' } }, 'failed exit-status'],
    ['said done, no exit: a word without a record is a lost session', { result: { kind: 'done', message: '' } }, 'lost'],
    ['said fail, exit 0', { exit: exit(0), result: { kind: 'fail', message: '', final: false } }, 'failed said-fail'],
    ['said fail for good', { exit: exit(0), result: { kind: 'fail', message: 'no', final: true } }, 'failed said-fail final'],
    ['said fail, exit 1: its word is the reason', { exit: exit(1), result: { kind: 'fail', message: 'no', final: false } }, 'failed said-fail'],
    ['a malformed result', { exit: exit(0), result: { kind: 'malformed', why: 'x' } }, 'failed bad-result'],
    ['checks passed', { exit: exit(0), verify: [GOOD, GOOD] }, 'done'],
    ['one check failed', { exit: exit(0), verify: [GOOD, BAD] }, 'failed verify-failed'],
    ['no check was given', { exit: exit(0), verify: [] }, 'done'],
    ['a bad exit beats a bad check', { exit: exit(2), verify: [BAD] }, 'failed exit-status'],
    ['timeout', { stop: 'timeout' }, 'failed timeout'],
    ['timeout, and it ended well in that moment', { stop: 'timeout', exit: exit(0), result: { kind: 'done', message: '' } }, 'failed timeout'],
    ['cancelled', { stop: 'cancelled' }, 'failed cancelled final'],
    ['cancelled beats everything', { stop: 'cancelled', exit: exit(0), result: { kind: 'done', message: '' }, verify: [GOOD] }, 'failed cancelled final'],
    ['asks, and is to fail', { stop: 'observed', agent: ASKING, ask: 'fail' }, 'failed blocked'],
    ['asks, and nobody said what then (an older record)', { stop: 'observed', agent: ASKING }, 'failed blocked'],
    ['asks, and is to wait', { stop: 'observed', agent: ASKING, ask: 'park' }, 'parked'],
    ['asks, and nothing could be chosen', { stop: 'observed', agent: ASKING, ask: 'allow' }, 'parked'],
    ['asked in print mode, and ended', { exit: exit(0), agent: { ...ASKING, kind: 'blocked-on-permission' }, ask: 'park' }, 'parked'],
    ['asks though it said that it is done', { stop: 'observed', agent: ASKING, ask: 'park', result: { kind: 'done', message: '' } }, 'failed blocked'],
    ['asked, and was cancelled', { stop: 'cancelled', agent: ASKING, ask: 'park' }, 'failed cancelled final'],
    ['asks in words', { exit: exit(0), ask: 'park', result: { kind: 'ask', message: 'Which?' } }, 'parked'],
    ['asks in words, whatever its exit status', { exit: exit(1), ask: 'allow', result: { kind: 'ask', message: 'Which?' } }, 'parked'],
    ['asks in words, its turn is over and we ended it', { stop: 'signalled', ask: 'park', mustSignal: true, result: { kind: 'ask', message: 'Which?' } }, 'parked'],
    ['asks in words, and is to fail', { exit: exit(0), ask: 'fail', result: { kind: 'ask', message: 'Which?' } }, 'failed blocked'],
    ['asks in words, and was cancelled', { stop: 'cancelled', ask: 'park', result: { kind: 'ask', message: 'Which?' } }, 'failed cancelled final'],
    ['works, and is not to be parked', { exit: exit(0), agent: { ...ASKING, kind: 'finished' }, ask: 'park' }, 'done'],
    ['released', { stop: 'released' }, 'released'],
    ['released, though it exited', { stop: 'released', exit: exit(1) }, 'released'],
  ];
  it.each(cases)('%s', (_name, facts, wanted) => {
    expect(summary(judge({ ...NOTHING, ...facts }))).toBe(wanted);
  });

  it('is total, and says done only on a clean exit without a reason against it', () => {
    const stops: (StopReason | undefined)[] = [undefined, 'timeout', 'cancelled', 'released'];
    const exits = [undefined, exit(0), exit(1)];
    const results: (ResultRecord | undefined)[] = [undefined, { kind: 'done', message: 'm' }, { kind: 'fail', message: '', final: false }, { kind: 'malformed', why: '' }];
    const verifies = [undefined, [], [GOOD], [BAD]];
    let seen = 0;
    for (const stop of stops) for (const end of exits) for (const result of results) for (const verify of verifies) {
      const outcome = judge({ stop, exit: end, result, verify, timeoutMs: 1 });
      const clean = stop === undefined && end?.code === 0 && (result === undefined || result.kind === 'done') && verify?.[0] !== BAD;
      expect(outcome.kind === 'done').toBe(clean);
      seen += 1;
    }
    expect(seen).toBe(4 * 3 * 4 * 4);
  });

  it('puts the reason in words', () => {
    expect(judge({ ...NOTHING, stop: 'timeout' })).toMatchObject({ detail: expect.stringContaining('90 s') });
    expect(judge({ ...NOTHING, exit: exit(0), verify: [BAD] })).toMatchObject({ detail: 'verify: npm test ended with status 3' });
    expect(judge({ ...NOTHING, exit: exit(0), result: { kind: 'done', message: 'well' } })).toEqual({ kind: 'done', message: 'well' });
    expect(describeExit(137)).toContain('KILL');
    expect(describeExit(143)).toContain('TERM');
    expect(describeExit(3)).toBe('it exited with status 3');
    expect(describeExit(128)).toBe('it exited with status 128');
    expect(describeExit(200)).toBe('it exited with status 200');
  });

  it.each<[string, Partial<AttemptFacts>, string[], boolean]>([
    ['ended well, not yet checked', { exit: exit(0) }, ['x'], true],
    ['nothing to check', { exit: exit(0) }, [], false],
    ['checked already', { exit: exit(0), verify: [GOOD] }, ['x'], false],
    ['ended badly', { exit: exit(1) }, ['x'], false],
    ['said that it failed', { exit: exit(0), result: { kind: 'fail', message: '', final: false } }, ['x'], false],
    ['vanished', {}, ['x'], false],
    ['was stopped', { exit: exit(0), stop: 'released' }, ['x'], false],
  ])('owes its checks: %s', (_name, facts, commands, wanted) => {
    expect(owesVerify({ ...NOTHING, ...facts }, commands)).toBe(wanted);
  });
});

describe('afterAttempt', () => {
  const policy: RetryPolicy = { attempts: 3, losses: 2, deferrals: 10, asks: 2, backoff: { firstMs: 100, factor: 3, maxMs: 1000 } };
  const counters = (failures: number, losses = 0, deferrals = 0): Counters => ({ failures, losses, deferrals });
  const failed = (final = false): Outcome => ({ kind: 'failed', reason: 'exit-status', detail: 'it exited with status 1', final });
  const deferred: Outcome = { kind: 'deferred', reason: 'usage-limited', detail: 'at its limit', resetAt: 1 };
  const lost: Outcome = { kind: 'lost', detail: 'gone' };
  const released: Outcome = { kind: 'released', detail: 'down' };
  const parked = (nth: number): Outcome => ({ kind: 'parked', reason: 'question', detail: 'which one?', nth });

  it.each<[string, Counters, Outcome, object]>([
    ['done', counters(2, 1, 9), { kind: 'done', message: '' }, { kind: 'done' }],
    ['a limit', NO_COUNTERS, deferred, { kind: 'again', counters: counters(0, 0, 1), waitMs: 0 }],
    ['the last limit', counters(1, 1, 9), deferred, { kind: 'failed', counters: counters(1, 1, 10) }],
    ['a question moves the deferrals', counters(1, 1, 3), parked(1), { kind: 'parked', counters: counters(1, 1, 4), why: 'question: which one?' }],
    ['the last question that is allowed', NO_COUNTERS, parked(2), { kind: 'parked' }],
    ['one question too many', counters(0, 0, 2), parked(3), { kind: 'failed', counters: counters(0, 0, 3), why: expect.stringContaining('asked-too-often: 3 times') }],
    ['questions are no limit of a provider', counters(0, 0, 50), parked(1), { kind: 'parked' }],
    ['first failure', NO_COUNTERS, failed(), { kind: 'again', counters: counters(1), waitMs: 100 }],
    ['second failure', counters(1), failed(), { kind: 'again', counters: counters(2), waitMs: 300 }],
    ['last failure', counters(2), failed(), { kind: 'failed', counters: counters(3) }],
    ['a failure past the limit, after it was lowered', counters(7), failed(), { kind: 'failed', counters: counters(8) }],
    ['final at the first attempt', NO_COUNTERS, failed(true), { kind: 'failed', counters: counters(1) }],
    ['first loss goes again at once', NO_COUNTERS, lost, { kind: 'again', counters: counters(0, 1), waitMs: 0 }],
    ['last loss', counters(0, 1), lost, { kind: 'failed', counters: counters(0, 2) }],
    ['losses are no failures', counters(2, 0), lost, { kind: 'again', counters: counters(2, 1), waitMs: 0 }],
    ['a deferral costs nothing', counters(2, 1, 400), released, { kind: 'again', counters: counters(2, 1, 401), waitMs: 0 }],
  ])('%s', (_name, before, outcome, wanted) => {
    expect(afterAttempt(policy, before, outcome)).toMatchObject(wanted);
  });

  it('moves exactly one counter by one for every outcome but done, and ends every task that fails or is lost', () => {
    for (const outcome of [failed(), failed(true), lost, released, parked(1), parked(3)]) {
      for (const before of [NO_COUNTERS, counters(1, 1, 1), counters(5, 0, 2)]) {
        const next = afterAttempt(policy, before, outcome);
        if (next.kind === 'done') throw new Error('unreachable');
        const moved = next.counters.failures + next.counters.losses + next.counters.deferrals - before.failures - before.losses - before.deferrals;
        expect(moved).toBe(1);
      }
    }
    for (const outcome of [failed(), lost]) {
      let at = NO_COUNTERS;
      let rounds = 0;
      for (let next = afterAttempt(policy, at, outcome); next.kind === 'again'; next = afterAttempt(policy, at, outcome)) {
        at = next.counters;
        rounds += 1;
        expect(rounds).toBeLessThan(10);
      }
    }
  });

  it.each([[0, 100], [1, 100], [2, 300], [3, 900], [4, 1000], [100, 1000], [100_000, 1000]])('waits after failure %i for %i ms', (failures, wanted) => {
    expect(backoffMs(policy, failures)).toBe(wanted);
  });
});
