import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import type { Liveness } from '../../src/lib/processes.js';
import { AGENT_STATES } from '../../src/protocol/agent-state.js';
import { STOP_REASONS, type AgentRecord, type AttemptRecord, type ExitRecord, type ResultRecord, type SessionRecord, type StopReason, type VerifyRun } from '../../src/protocol/records.js';
import type { OutcomeRecord } from '../../src/runs/run-dir.js';
import * as realDecide from '../../src/snake/decide.js';
import type { AttemptView, LaunchMemory, SnakePolicy, Step } from '../../src/snake/state.js';
import { forAll } from './for-all.js';
import { cleanMutants, importMutant, killedBy } from '../rig/mutants.js';

type Decide = typeof realDecide;

const BOOT = 'b0b0b0b0';
const ORPHAN_MS = 3000;
const AGREED_MS = 5000;
const FRESH: LaunchMemory = { tries: 0, lastTryMonoMs: 0, orphanSinceMonoMs: undefined };
const SESSION: SessionRecord = { leader: { pid: 7, start: '7', boot: BOOT } };
const ATTEMPT: AttemptRecord = { marker: 'm', agent: 'shell', attempt: 1, startedAt: 1, startedMonoMs: 0, boot: BOOT, timeoutMs: 60_000, workspace: '/w', privateWorkspace: true, profile: 'shell', mode: 'headless', account: 'none', home: '/h', session: 'x', resumed: false };

const perhaps = <T>(value: fc.Arbitrary<T>, oneIn = 2): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined, freq: oneIn });
const rarely = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value });
const text = fc.string({ maxLength: 5 });
const code = fc.oneof(fc.constant(0), fc.constantFrom(1, 137));
const time = fc.oneof(fc.nat(20), fc.nat(20_000));

const policy: fc.Arbitrary<SnakePolicy> = fc.record({ launchPatienceMs: fc.integer({ min: 1, max: 10_000 }), launchTries: fc.integer({ min: 1, max: 6 }), startupMs: fc.oneof(fc.nat(100), fc.nat(60_000)), signalMs: fc.oneof(fc.nat(100), fc.nat(60_000)) });
const mode = fc.constantFrom<AttemptRecord['mode']>('headless', 'interactive');
const attempt: fc.Arbitrary<AttemptRecord> = fc.tuple(time, time, fc.constantFrom(BOOT, BOOT, BOOT, 'ffffffff'), mode).map(([startedMonoMs, timeoutMs, boot, as]) => ({ ...ATTEMPT, startedMonoMs, timeoutMs, boot, mode: as }));
const result: fc.Arbitrary<ResultRecord> = fc.oneof(fc.record({ kind: fc.constant('done' as const), message: text }), fc.record({ kind: fc.constant('fail' as const), message: text, final: fc.boolean() }), fc.record({ kind: fc.constant('malformed' as const), why: text }));
const verifyRun: fc.Arbitrary<VerifyRun> = fc.record({ command: text, code, tail: fc.constant([]) });
const recorded: fc.Arbitrary<OutcomeRecord> = fc.record({ marker: text, attempt: fc.nat(9), agent: text, startedAt: fc.constant(1), endedAt: fc.nat(), outcome: fc.record({ kind: fc.constant('done' as const), message: text }), next: fc.constant({ kind: 'done' as const }) });
const agent: fc.Arbitrary<AgentRecord> = fc.constantFrom(...AGENT_STATES).map((kind) => ({ state: { kind, source: 'event', rule: 'r', evidence: 'e' }, since: 1 }));
/** Reasons that say by themselves how it ended, and as what. */
const ENDS = { timeout: 'timeout', cancelled: 'cancelled', released: 'released', 'startup-stall': 'startup-stall', stalled: 'stalled', unsignalled: 'no-signal' } as const;
const stop = fc.constantFrom('timeout', 'cancelled', 'released', 'startup-stall', 'stalled', 'unsignalled');
const view: fc.Arbitrary<AttemptView> = fc.record({
  held: fc.nat(9).map((n) => n > 0),
  attempt: fc.oneof(attempt, attempt, perhaps(attempt)),
  started: fc.oneof(fc.constant(true), fc.boolean()),
  session: fc.oneof(fc.constant(SESSION), perhaps(fc.constant(SESSION))),
  leader: fc.constantFrom('alive', 'dead', 'unknown', 'none'),
  exit: perhaps(fc.record({ code, endedAt: fc.nat() })),
  result: perhaps(result),
  resultAgeMs: perhaps(time),
  agent: perhaps(agent, 4),
  agentAgeMs: perhaps(time, 4),
  verdict: rarely(fc.constantFrom('stalled' as const, 'unsignalled' as const, 'startup-stall' as const).map((reason) => ({ reason, rule: 'r', evidence: 'e', at: 1 }))),
  stop: rarely(fc.constantFrom(...STOP_REASONS)),
  verify: perhaps(fc.array(verifyRun, { maxLength: 3 })),
  verifyCommands: fc.array(text, { maxLength: 2 }),
  outcome: rarely(recorded),
  cancelled: fc.nat(3).map((n) => n === 0),
});
const looks = fc.record({ policy, view, tries: fc.nat(7), lastTriedMs: time, orphanMs: perhaps(fc.oneof(time, fc.integer({ min: ORPHAN_MS - 2, max: ORPHAN_MS + 2 }))), release: fc.nat(3).map((n) => n === 0), now: time }).map(({ tries, lastTriedMs, orphanMs, ...on }) => {
  const memory: LaunchMemory = { tries, lastTryMonoMs: on.now - lastTriedMs, orphanSinceMonoMs: orphanMs === undefined ? undefined : on.now - orphanMs };
  return { ...on, memory };
});
type Look = typeof looks extends fc.Arbitrary<infer T> ? T : never;

const next = (m: Decide, on: Look, facts: Partial<AttemptView> = {}, release = on.release): Step => m.decide(on.policy, { ...on.view, ...facts }, on.memory, { release }, { monoMs: on.now, boot: BOOT });
const unruled = (step: Step): object => ({ ...step, rule: '' });

/** A wrapper that cannot be seen is treated like one that lives, in every look. */
const unknownIsNotDead = (m: Decide): void => forAll(looks, (on) => expect(unruled(next(m, on, { leader: 'unknown' }))).toEqual(unruled(next(m, on, { leader: 'alive' }))), 2000);

/** Taken away, nothing of it is ours; recorded, it is settled as it was recorded: whatever else is seen, and by whichever snake. */
const whatIsDecidedStays = (m: Decide): void =>
  forAll(fc.tuple(looks, looks, recorded, stop), ([on, other, outcome, reason]) => {
    expect(next(m, on, { held: false }).kind).toBe('abandon');
    expect(next(m, on, { held: true, outcome })).toMatchObject({ kind: 'settle', record: outcome });
    const stopped: Partial<AttemptView> = { held: true, outcome: undefined, attempt: on.view.attempt ?? ATTEMPT, stop: reason };
    const step = next(m, on, stopped);
    expect(step.kind === 'conclude' && (step.outcome.kind === 'failed' ? step.outcome.reason : step.outcome.kind)).toBe(ENDS[reason]);
    expect(unruled(next(m, other, stopped))).toEqual(unruled(step));
  }, 500);

/** One that has started is never launched, nor one that is to end; and launches are few and far between. */
const launchesAreFew = (m: Decide): void =>
  forAll(looks, (on) => {
    if (next(m, on).kind !== 'launch') return;
    const { held, started, exit, cancelled, outcome } = on.view;
    expect([held, started, on.view.stop, exit, cancelled, outcome, on.release]).toEqual([true, false, undefined, undefined, false, undefined, false]);
    expect(on.memory.tries).toBeLessThan(on.policy.launchTries);
    if (on.memory.tries > 0) expect(on.now).toBeGreaterThanOrEqual(on.memory.lastTryMonoMs + on.policy.launchPatienceMs);
  }, 3000);

/** Lost is only what left no exit record and is shown to have ended: a dead wrapper, one that never spoke, or one of another boot; and what found no session to resume, or no terminal. */
const lostIsProven = (m: Decide): void =>
  forAll(looks, (on) => {
    const step = next(m, on);
    if (step.kind !== 'conclude' || step.outcome.kind !== 'lost' || on.view.agent?.state.kind === 'session-lost' || on.view.exit?.hungUp === true) return;
    const { started, session, leader, exit } = on.view;
    const silentMs = on.now - (on.memory.orphanSinceMonoMs ?? Number.POSITIVE_INFINITY);
    expect([started, exit]).toEqual([true, undefined]);
    expect(leader === 'dead' || (session === undefined && silentMs >= ORPHAN_MS) || on.view.attempt?.boot !== BOOT).toBe(true);
  }, 3000);

/** A wait ends, later than now, and no later than the task's time. */
const waitsGoForward = (m: Decide): void =>
  forAll(looks, (on) => {
    const step = next(m, on);
    if (step.kind !== 'wait') return;
    const { attempt: of, session, started } = on.view;
    expect(step.untilMonoMs).toBeGreaterThan(on.now);
    if (started && session === undefined) return expect(step.untilMonoMs).toBeLessThanOrEqual(on.now + ORPHAN_MS);
    expect(step.untilMonoMs).toBeLessThanOrEqual(on.now + m.LOOK_EVERY_MS);
    if (started && of !== undefined) expect(step.untilMonoMs).toBeLessThanOrEqual(of.startedMonoMs + of.timeoutMs);
  }, 3000);

/** Over time is only what has had its time, and has not ended by itself. */
const timeoutsAreTrue = (m: Decide): void =>
  forAll(looks, (on) => {
    const step = next(m, on);
    const { attempt: of, started, session, exit } = on.view;
    if (step.kind === 'stop' && step.reason === 'timeout') expect([exit, on.now >= (of?.startedMonoMs ?? 0) + (of?.timeoutMs ?? 0)]).toEqual([undefined, true]);
    const over = of !== undefined && started && session !== undefined && on.now >= of.startedMonoMs + of.timeoutMs;
    if (over) expect(step.kind === 'wait' || step.kind === 'launch').toBe(false);
  }, 2000);

/** What ended and owes no check has ended so: neither a person nor the pit going down changes that. Until then both are heard, the person first. */
const endedIsEnded = (m: Decide): void =>
  forAll(looks, (on) => {
    const facts: Partial<AttemptView> = { held: true, outcome: undefined, stop: on.view.stop === 'signalled' ? 'signalled' : undefined, attempt: on.view.attempt ?? ATTEMPT };
    const by = (cancelled: boolean, release: boolean): Step => next(m, on, { ...facts, cancelled }, release);
    const quiet = by(false, false);
    const over = (on.view.exit !== undefined || facts.stop !== undefined) && quiet.kind === 'conclude';
    expect(unruled(by(true, false))).toEqual(over ? unruled(quiet) : { kind: 'stop', reason: 'cancelled', rule: '' });
    expect(unruled(by(true, true))).toEqual(unruled(by(true, false)));
    expect(unruled(by(false, true))).toEqual(over ? unruled(quiet) : { kind: 'stop', reason: 'released', rule: '' });
  }, 1000);

/** Done is only what ended well, or said so before we ended it, and, where checks were asked for, has passed them. */
const doneIsChecked = (m: Decide): void =>
  forAll(looks, (on) => {
    const step = next(m, on);
    const { stop: stopped, exit, result: said, verify, verifyCommands } = on.view;
    if (stopped === undefined && (step.kind === 'verify' || (step.kind === 'conclude' && step.outcome.kind === 'done'))) expect(exit?.code).toBe(0);
    if (step.kind === 'verify') expect([verify, step.commands, said === undefined || said.kind === 'done']).toEqual([undefined, verifyCommands, true]);
    if (stopped !== 'observed' && step.kind === 'conclude' && step.outcome.kind === 'done' && verifyCommands.length > 0) expect(verify?.every((run) => run.code === 0)).toBe(true);
  }, 2000);

/** A session that lives is ended for what its program is in only when that has lasted, and as what it is. */
const programsHaveTime = (m: Decide): void =>
  forAll(looks, (on) => {
    const step = next(m, on);
    const { attempt: of, agent: seen, agentAgeMs = 0, result: said } = on.view;
    if (step.kind !== 'stop') return;
    // What the pit has judged is carried out as it was judged.
    if (on.view.verdict !== undefined && said === undefined && ['stalled', 'unsignalled', 'startup-stall'].includes(step.reason)) return expect(step.reason).toBe(on.view.verdict.reason);
    expect(step.reason).not.toBe('stalled');
    if (step.reason === 'observed') expect(agentAgeMs).toBeGreaterThanOrEqual(AGREED_MS);
    if (step.reason === 'signalled') expect([of?.mode, said !== undefined]).toEqual(['interactive', true]);
    if (step.reason === 'unsignalled') expect([of?.mode, said, agentAgeMs >= on.policy.signalMs * 3]).toEqual(['interactive', undefined, true]);
    if (step.reason === 'startup-stall') expect(seen === undefined ? on.now - (of?.startedMonoMs ?? 0) : agentAgeMs).toBeGreaterThanOrEqual(on.policy.startupMs);
  }, 3000);

/** What becomes of one attempt; times in milliseconds after what comes before, undefined: never. */
const fate = fc.record({
  policy,
  timeoutMs: fc.oneof(fc.nat(100), fc.nat(30_000)),
  /** Of each launch: when its wrapper is let in. */
  letIn: fc.array(perhaps(fc.oneof(fc.nat(100), fc.nat(12_000)), 3), { minLength: 8, maxLength: 8 }),
  speaks: perhaps(fc.nat(2000), 6),
  ends: perhaps(fc.nat(40_000), 4),
  exit: perhaps(code, 4),
  checks: fc.array(code, { maxLength: 2 }),
  mode,
  /** What its program is seen in once it has spoken, and when the session says that it is done. */
  shows: perhaps(agent, 8),
  says: rarely(fc.nat(20_000)),
  /** Whether the wrapper can be seen, by the second. */
  unseen: fc.array(fc.boolean(), { minLength: 1, maxLength: 5 }),
  cancelledAt: rarely(fc.nat(40_000)),
  releasedAt: rarely(fc.nat(40_000)),
  takenAt: rarely(fc.nat(40_000)),
  /** When the snake is killed and another one of its name goes on, knowing nothing. */
  replacedAt: fc.array(fc.nat(40_000), { maxLength: 3 }),
});
type Fate = typeof fate extends fc.Arbitrary<infer T> ? T : never;
interface Told {
  readonly step: Step;
  readonly at: number;
}

const reached = (at: number | undefined, now: number): boolean => at !== undefined && now >= at;

/** One attempt from its claim to its end, with every effect of a step as the snake's `apply` has it. */
function life(m: Decide, of: Fate): { told: Told[]; letInAt: number; startedMonoMs: number } {
  const told: Told[] = [];
  let now = 0;
  let looked = -1;
  let letInAt = Number.POSITIVE_INFINITY;
  let launches = 0;
  let remembered = FRESH;
  let prepared: AttemptRecord | undefined;
  let stopped: { reason: StopReason; at: number } | undefined;
  let verify: VerifyRun[] | undefined;
  let outcome: OutcomeRecord | undefined;
  for (let look = 0; look < 500; look += 1) {
    if (of.replacedAt.some((at) => at > looked && at <= now)) remembered = FRESH;
    looked = now;
    const started = now >= letInAt;
    const speaksAt = letInAt + (of.speaks ?? Number.POSITIVE_INFINITY);
    const endsAt = speaksAt + (of.ends ?? Number.POSITIVE_INFINITY);
    const ended = stopped !== undefined || now >= endsAt;
    const session = now >= speaksAt ? SESSION : undefined;
    const leader: Liveness | 'none' = session === undefined ? 'none' : (of.unseen[Math.floor(now / 1000) % of.unseen.length] ?? false) ? 'unknown' : ended ? 'dead' : 'alive';
    const exit: ExitRecord | undefined = of.exit !== undefined && now >= endsAt && (stopped === undefined || stopped.at >= endsAt) ? { code: of.exit, endedAt: endsAt } : undefined;
    const saidAt = speaksAt + (of.says ?? Number.POSITIVE_INFINITY);
    const said: Pick<AttemptView, 'result' | 'resultAgeMs'> = now >= saidAt ? { result: { kind: 'done', message: '' }, resultAgeMs: now - saidAt } : { result: undefined, resultAgeMs: undefined };
    const shown: Pick<AttemptView, 'agent' | 'agentAgeMs'> = session === undefined || of.shows === undefined ? { agent: undefined, agentAgeMs: undefined } : { agent: of.shows, agentAgeMs: now - speaksAt };
    const facts: AttemptView = { held: !reached(of.takenAt, now), attempt: prepared, started, session, leader, exit, ...said, ...shown, stop: stopped?.reason, verify, verifyCommands: of.checks.map(String), outcome, verdict: undefined, cancelled: reached(of.cancelledAt, now) };
    const step = m.decide(of.policy, facts, remembered, { release: reached(of.releasedAt, now) }, { monoMs: now, boot: BOOT });
    told.push({ step, at: now });
    if (step.kind === 'settle' || step.kind === 'abandon') return { told, letInAt, startedMonoMs: prepared?.startedMonoMs ?? 0 };
    if (step.kind === 'prepare') prepared = { ...ATTEMPT, startedMonoMs: now, timeoutMs: of.timeoutMs, mode: of.mode };
    else if (step.kind === 'launch') {
      expect(started).toBe(false);
      if (prepared !== undefined && now - prepared.startedMonoMs > 1000) prepared = { ...prepared, startedMonoMs: now };
      letInAt = Math.min(letInAt, now + (of.letIn[launches % of.letIn.length] ?? Number.POSITIVE_INFINITY));
      launches += 1;
      remembered = { ...remembered, tries: remembered.tries + 1, lastTryMonoMs: now };
    } else if (step.kind === 'wait') {
      // A watcher speaks of what happens to the run directory, or stays silent until the time is over.
      const changes = look % 2 === 0 ? [letInAt, speaksAt, endsAt, of.cancelledAt ?? now] : [];
      now = Math.min(step.untilMonoMs, ...changes.filter((at) => at > now));
      remembered = { ...remembered, orphanSinceMonoMs: started && session === undefined ? (remembered.orphanSinceMonoMs ?? now) : undefined };
    } else if (step.kind === 'stop') {
      expect([undefined, 'signalled']).toContain(stopped?.reason);
      stopped = { reason: step.reason, at: now };
    } else if (step.kind === 'verify') {
      expect(verify).toBeUndefined();
      verify = of.checks.map((each) => ({ command: 'c', code: each, tail: [] }));
    } else if (step.kind !== 'conclude') {
      throw new Error(`one session has no ${step.kind}`);
    } else {
      expect(outcome).toBeUndefined();
      outcome = { marker: 'm', attempt: 1, agent: 'shell', startedAt: 1, endedAt: now, outcome: step.outcome, next: { kind: 'done' } };
    }
  }
  throw new Error('it never ends');
}

/** Whatever happens to the wrapper, the session and the snakes: it ends, by one outcome, within its time and that of the launches. */
const everyAttemptEnds = (m: Decide): void =>
  forAll(fate, (of) => {
    const { told, letInAt, startedMonoMs } = life(m, of);
    const last = told.at(-1);
    const concluded = told.flatMap(({ step }) => (step.kind === 'conclude' ? [step.outcome] : []));
    if (last?.step.kind === 'settle') expect(concluded).toEqual([last.step.record.outcome]);
    else expect(of.takenAt).toBeDefined();
    const snakes = of.replacedAt.length + 1;
    expect(told.filter(({ step }) => step.kind === 'launch').length).toBeLessThanOrEqual(snakes * of.policy.launchTries);
    const launching = snakes * (of.policy.launchTries * (of.policy.launchPatienceMs + m.LOOK_EVERY_MS));
    expect(last?.at).toBeLessThanOrEqual(launching + of.timeoutMs + (snakes + 1) * 2 * ORPHAN_MS);
    for (const { step, at } of told) if (step.kind === 'stop' && step.reason === 'timeout') {
      const due = Math.max(startedMonoMs + of.timeoutMs, letInAt + (of.speaks ?? 0));
      expect([at >= startedMonoMs + of.timeoutMs, at <= due + ORPHAN_MS]).toEqual([true, true]);
    }
  }, 2000);

describe('the steps of a snake', () => {
  it('take a wrapper that cannot be seen for alive', () => unknownIsNotDead(realDecide));
  it('keep to what has been decided', () => whatIsDecidedStays(realDecide));
  it('launch seldom, and nothing that has started', () => launchesAreFew(realDecide));
  it('call lost only what is shown to be', () => lostIsProven(realDecide));
  it('wait forward, and not beyond the deadline', () => waitsGoForward(realDecide));
  it('call over time only what is', () => timeoutsAreTrue(realDecide));
  it('hear a person first, then the pit, and neither once it is over', () => endedIsEnded(realDecide));
  it('call done only what was checked', () => doneIsChecked(realDecide));
  it('give a program its time', () => programsHaveTime(realDecide));
  it('bring every attempt to its end', () => everyAttemptEnds(realDecide));
  // What was ended because its program could not go on is concluded at once: done, if the program is seen in another state by then, and its checks never ran.
  it('call done nothing unchecked that could not go on', () =>
    forAll(looks, (on) => {
      const step = next(realDecide, on, { held: true, outcome: undefined, attempt: ATTEMPT, stop: 'observed', verify: undefined, verifyCommands: ['false'] });
      expect(step.kind === 'conclude' && step.outcome.kind).not.toBe('done');
    }));
  // Until the wrapper has said who it is, a snake sleeps for the whole of its patience, a second longer than it says.
  it('look at least every LOOK_EVERY_MS', () => {
    forAll(looks, (on) => {
      const step = next(realDecide, on);
      if (step.kind === 'wait') expect(step.untilMonoMs - on.now).toBeLessThanOrEqual(realDecide.LOOK_EVERY_MS);
    }, 3000);
  });
});

describe('planted faults are noticed', () => {
  afterAll(cleanMutants);
  const faults: readonly (readonly [string, string, string, (m: Decide) => void])[] = [
    ['a wrapper that cannot be seen is dead', "view.leader === 'dead'", "view.leader !== 'alive'", unknownIsNotDead],
    ['a claim that was taken away is worked on', 'if (!view.held)', 'if (!view.held && view.outcome === undefined)', whatIsDecidedStays],
    ['a stop is forgotten', 'if (view.stop !== undefined)', 'if (view.stop !== undefined && view.exit !== undefined)', whatIsDecidedStays],
    ['what has started may be launched', 'if (!view.started)', 'if (view.session === undefined)', launchesAreFew],
    ['launches have no end', 'if (memory.tries >= policy.launchTries)', 'if (false)', everyAttemptEnds],
    ['launches have no patience', 'memory.tries > 0 && monoMs < nextTryAt', 'false', launchesAreFew],
    ['what another boot prepared is lost', 'view.attempt.boot !== now.boot && view.started', 'view.attempt.boot !== now.boot', lostIsProven],
    ['what does not speak at once is lost', 'since === undefined || monoMs - since', 'since !== undefined && monoMs - since', lostIsProven],
    ['what never speaks is waited for', 'monoMs - since < ORPHAN_PATIENCE_MS', 'true', everyAttemptEnds],
    ['time is never over', 'if (now.monoMs >= deadline)', 'if (false)', timeoutsAreTrue],
    ['a look comes after the deadline', 'Math.min(deadline, now.monoMs + LOOK_EVERY_MS)', 'now.monoMs + LOOK_EVERY_MS', waitsGoForward],
    ['what has ended can be cancelled', 'if (owed && view.cancelled)', 'if (view.cancelled)', endedIsEnded],
    ['checks are skipped', '    if (owed)\n', '    if (false)\n', doneIsChecked],
    ['one look at its program is enough', 'return age >= AGREED_MS', 'return age >= 0', programsHaveTime],
    ['an outcome that stands is judged anew', 'if (view.outcome !== undefined)', 'if (view.outcome !== undefined && view.stop === undefined)', everyAttemptEnds],
  ];
  it.each(faults)('%s', async (_what, find, replace, property) => {
    expect(await killedBy<Decide>(property, await importMutant('snake/decide.js', find, replace))).toBe(true);
  });
});
