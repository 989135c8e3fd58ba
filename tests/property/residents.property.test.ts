import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { afterTyping } from '../../src/lib/cadence.js';
import type { HealingPolicy } from '../../src/lib/healing.js';
import type { AgentStateKind } from '../../src/protocol/agent-state.js';
import * as real from '../../src/residents/decide.js';
import { runOf } from '../../src/residents/places.js';
import type { Now, ResidentAction, ResidentKind, ResidentLook, ResidentPolicy, ResidentRecord, Run, Wanted } from '../../src/residents/state.js';
import { cleanMutants, killedBy, plantMutant } from '../rig/mutants.js';

/*
 * Whole lives of two residents of one pool in a model of the world: processes that live and die, a configuration that comes and
 * goes, accounts that cool, a pit that is killed before, in the middle of, or after what it decided, clocks that jump.
 */

type Residents = typeof real;
/** A planted fault needs no smallest example, and the search for one is long. */
let hunting = false;
function forAll<T>(values: fc.Arbitrary<T>, check: (value: T) => unknown): void {
  fc.assert(
    fc.property(values, (value) => {
      check(value);
    }),
    { numRuns: 300, endOnFailure: hunting },
  );
}

const T0 = 1_800_000_000_000;
const EVERY = 400;
const RETRY = 100;
const HEALING: HealingPolicy = { windowMs: 3000, perSession: 3, perPool: 4, firstMs: 50, maxMs: 400, jitter: 0.2, openMs: 1000, maxOpenMs: 6000, quietMs: 3000 };
const POLICY: ResidentPolicy = { healing: HEALING, launchPatienceMs: 200, launchTries: 3, orphanMs: 100, agreedMs: 100, wakeRetryMs: RETRY };
const NAMES = ['a', 'b'] as const;

const rarely = (times: number): fc.Arbitrary<boolean> => fc.noBias(fc.integer({ min: 1, max: times })).map((n) => n === Math.ceil(times / 2));
const REST: readonly AgentStateKind[] = ['idle', 'finished'];

/** What happens between two ticks. */
const happening = (stormy: boolean) =>
  fc.record({
    afterMs: fc.constantFrom(10, 50, 100, 210, 450),
    dies: fc.tuple(rarely(stormy ? 3 : 25), rarely(stormy ? 3 : 25)),
    state: fc.oneof({ weight: 6, arbitrary: fc.constant<AgentStateKind>('idle') }, { weight: 2, arbitrary: fc.constant<AgentStateKind>('working') }, { weight: 1, arbitrary: fc.constantFrom<AgentStateKind>('finished', 'unknown', 'blocked-on-dialog', 'usage-limited', 'errored') }),
    config: fc.oneof({ weight: stormy ? 60 : 25, arbitrary: fc.constant('same' as const) }, { weight: 1, arbitrary: fc.constantFrom('removed' as const, 'changed' as const, 'back' as const) }),
    cools: rarely(15),
    refuses: rarely(5),
    /** The pit is killed: before it wrote, after it wrote and before it acted, in the middle of acting, after. */
    killed: fc.oneof({ weight: 30, arbitrary: fc.constant('no' as const) }, { weight: 1, arbitrary: fc.constantFrom('before-write' as const, 'before-act' as const, 'in-act' as const, 'after-act' as const) }),
    launchIsLost: rarely(8),
    unseen: rarely(12),
    lingers: rarely(10),
    jump: fc.oneof({ weight: 80, arbitrary: fc.constant<number>(0) }, { weight: 1, arbitrary: fc.constantFrom<number>(10_000, 100_000) }),
    reboots: rarely(80),
  });
const life = fc.tuple(fc.boolean(), fc.constantFrom<ResidentKind>('interactive', 'interactive', 'service', 'headless')).chain(([stormy, kind]) => fc.record({ kind: fc.constant(kind), happenings: fc.array(happening(stormy), { minLength: 10, maxLength: 90, size: 'max' }) }));
type Happening = typeof life extends fc.Arbitrary<{ happenings: (infer T)[] }> ? T : never;
type Life = typeof life extends fc.Arbitrary<infer T> ? T : never;

interface Process {
  readonly nonce: string;
  alive: boolean;
  exited: boolean;
}

/** One resident of the world. What stands here is true; the record is what the pit knows. */
class Body {
  record: ResidentRecord;
  disk: ResidentRecord;
  processes: Process[] = [];
  claims = new Set<string>();
  tries = 0;
  triedAt = 0;
  ended: string | undefined;
  hands = '';
  stateSince = T0;
  state: AgentStateKind = 'working';
  wanted: Wanted | undefined;
  constructor(m: Residents, wanted: Wanted) {
    this.wanted = wanted;
    this.record = m.beginResident(wanted, T0);
    this.disk = this.record;
  }
}

interface Told {
  readonly name: string;
  readonly now: number;
  readonly at: number;
  readonly action: ResidentAction;
  readonly body: { readonly alive: readonly string[]; readonly state: AgentStateKind; readonly wanted: boolean; readonly before: ResidentRecord; readonly after: ResidentRecord };
  readonly cools: boolean;
  readonly mode: Now['mode'];
  /** The wake was typed, and not refused. */
  readonly said: boolean;
}

function play(m: Residents, one: Life, mode: Now['mode'] = 'run', policy = POLICY): { told: Told[]; bodies: Map<string, Body>; now: number; boot: string } {
  const wantedOf = (name: string, version: number): Wanted => ({ name, kind: one.kind, fingerprint: `${name}${version}`, everyMs: one.kind === 'service' ? undefined : EVERY });
  const bodies = new Map(NAMES.map((name) => [name, new Body(m, wantedOf(name, 0))]));
  const told: Told[] = [];
  let [now, mono, boots, nonce, version] = [T0, 0, 0, 0, 0];
  for (const happens of one.happenings) {
    now += happens.afterMs + happens.jump;
    mono += happens.afterMs;
    if (happens.reboots) {
      boots += 1;
      for (const body of bodies.values()) forget(body, true);
    }
    const boot = `boot${boots}`;
    for (const [index, [name, body]] of [...bodies].entries()) {
      if (happens.config === 'removed') body.wanted = undefined;
      if (happens.config === 'changed') body.wanted = wantedOf(name, (version += 1));
      if (happens.config === 'back' && body.wanted === undefined) body.wanted = wantedOf(name, version);
      if (happens.dies[index] === true) for (const process of body.processes.filter(({ alive }) => alive)) Object.assign(process, { alive: false, exited: true });
      if (body.state !== happens.state) [body.state, body.stateSince] = [happens.state, now];
      if (happens.killed === 'before-write') forget(body, false);
      const before = body.record;
      const run = runOf(before.phase);
      const look = lookAt(body, run, happens, now, mono, boot);
      const pool = [...bodies.values()].flatMap(({ record }) => record.healing.restarts);
      const alive = body.processes.filter((process) => process.alive).map((process) => process.nonce);
      const decided = m.decideResident(policy, body.wanted, before, look, pool, { wallMs: now, boot, mode, generation: 0, nonce: `n${(nonce += 1)}`, random: 0.5 });
      body.record = decided.record;
      body.disk = decided.record;
      const entry = { name, now: mono, at: now, action: decided.action, body: { alive, state: body.state, wanted: body.wanted !== undefined, before, after: decided.record }, cools: happens.cools, mode };
      if (happens.killed === 'before-act') {
        told.push({ ...entry, said: false });
        forget(body, false);
        continue;
      }
      told.push({ ...entry, said: decided.action.kind === 'wake' && (happens.killed === 'in-act' || !happens.refuses) });
      act(body, decided.action, happens, mono);
      if (happens.killed !== 'no') forget(body, false);
    }
  }
  return { told, bodies, now, boot: `boot${boots}` };
}

/** The pit dies, or with the machine all processes. */
function forget(body: Body, withProcesses: boolean): void {
  body.record = JSON.parse(JSON.stringify(body.disk)) as ResidentRecord;
  [body.tries, body.triedAt, body.ended, body.hands] = [0, 0, undefined, ''];
  if (withProcesses) for (const process of body.processes) Object.assign(process, { alive: false, exited: false });
}

function lookAt(body: Body, run: Run | undefined, happens: Happening, now: number, mono: number, boot: string): ResidentLook {
  const process = body.processes.find((one) => one.nonce === run?.nonce);
  const own = run !== undefined && body.hands === run.nonce;
  const up = body.record.phase.kind === 'up';
  return {
    started: process !== undefined,
    leader: process === undefined ? 'none' : happens.unseen ? 'unknown' : process.alive && run?.boot === boot ? 'alive' : 'dead',
    exit: process?.exited === true && !happens.unseen ? { code: 1, endedAt: now } : undefined,
    agent: up && body.record.kind === 'interactive' ? { state: { kind: body.state, source: 'event', rule: 'r', evidence: '' }, since: body.stateSince } : undefined,
    verdict: undefined,
    coolsUntil: happens.cools ? now + 1000 : undefined,
    tries: own ? body.tries : 0,
    sinceTryMs: own ? mono - body.triedAt : 0,
    failed: undefined,
    ended: own && body.ended !== undefined ? { kind: 'gone', killed: 0 } : undefined,
  };
}

function act(body: Body, action: ResidentAction, happens: Happening, mono: number): void {
  if ('run' in action && body.hands !== action.run.nonce) [body.hands, body.tries, body.ended] = [action.run.nonce, 0, undefined];
  if (action.kind === 'launch') {
    body.tries += 1;
    body.triedAt = mono;
    body.claims.add(action.run.nonce);
    const begun = body.processes.some(({ nonce }) => nonce === action.run.nonce);
    if (!begun && !happens.launchIsLost) body.processes.push({ nonce: action.run.nonce, alive: true, exited: false });
  }
  if (action.kind === 'end') {
    body.claims.delete(action.run.nonce);
    // Of one that cannot be ended nothing is shown gone.
    if (happens.lingers) return;
    for (const process of body.processes) if (process.nonce === action.run.nonce) process.alive = false;
    if (happens.killed !== 'in-act') body.ended = 'gone';
  }
  if (action.kind === 'wake' && happens.killed !== 'in-act' && body.record.cadence !== undefined) {
    body.record = { ...body.record, cadence: afterTyping(body.record.cadence, happens.refuses) };
    body.disk = body.record;
  }
}

const isStart = ({ action, body }: Told): boolean => action.kind === 'launch' && runOf(body.before.phase)?.nonce !== action.run.nonce;

const everyActionHasARule = (m: Residents): void => forAll(life, (one) => {
  for (const { action } of play(m, one).told) expect(action.rule).not.toBe('');
});

/** However it came to it, there are never two of one. */
const oneAtATime = (m: Residents): void => forAll(life, (one) => {
  for (const [name, body] of play(m, one).bodies) expect([name, body.processes.filter(({ alive }) => alive).length]).toEqual([name, expect.toSatisfy((n: number) => n <= 1)]);
  for (const told of play(m, one).told) if (isStart(told)) expect(told.body.alive).toEqual([]);
});

const unwantedIsLeftAlone = (m: Residents): void => forAll(life, (one) => {
  for (const { action, body } of play(m, one).told) if (!body.wanted) expect(['none', 'end', 'forget', 'tell-broken', 'cool']).toContain(action.kind);
});

/** What is removed is ended and forgotten in a few looks, and no process of it is left. */
const removedIsEnded = (m: Residents): void => forAll(life, (one) => {
  const calm: Happening = { afterMs: 100, dies: [false, false], state: 'idle', config: 'removed', cools: false, refuses: false, killed: 'no', launchIsLost: false, unseen: false, lingers: false, jump: 0, reboots: false };
  const { told, bodies } = play(m, { ...one, happenings: [...one.happenings, ...Array.from({ length: 8 }, () => calm)] });
  for (const [name, body] of bodies) {
    expect(body.processes.filter(({ alive }) => alive)).toEqual([]);
    expect(told.findLast((entry) => entry.name === name)?.action.kind).toBe('forget');
  }
});

/** A wake is said at rest only, at most once for each time that it was due, however often the pit dies. */
const wokenOnce = (m: Residents): void => forAll(life, (one) => {
  if (one.kind !== 'interactive') return;
  const all = play(m, one).told;
  for (const name of NAMES) {
    const said = all.filter((told) => told.name === name && told.said);
    for (const [index, wake] of said.entries()) {
      expect(REST.includes(wake.body.state) || wake.body.state === 'errored' || wake.body.state === 'usage-limited').toBe(true);
      const last = said[index - 1];
      if (last !== undefined) expect(wake.at - last.at).toBeGreaterThanOrEqual(EVERY);
      const started = all.findLast((told) => told.name === name && told.at <= wake.at && isStart(told));
      if (started !== undefined) expect(wake.at - started.at).toBeGreaterThanOrEqual(EVERY);
    }
  }
});

const coolingIsLeftAlone = (m: Residents): void => forAll(life, (one) => {
  for (const told of play(m, one).told) if (told.cools && one.kind !== 'service') expect(told.action.kind === 'wake' || isStart(told)).toBe(false);
});

/** A wake that is due, and can be said, is said: within a look, or after the pause of a refused one. */
const dueIsSaid = (m: Residents): void => forAll(life, (one) => {
  if (one.kind !== 'interactive') return;
  const calm: Happening = { afterMs: 50, dies: [false, false], state: 'idle', config: 'back', cools: false, refuses: false, killed: 'no', launchIsLost: false, unseen: false, lingers: false, jump: 0, reboots: false };
  const rest = Math.ceil((HEALING.maxOpenMs + HEALING.windowMs + 3 * EVERY + 2000) / 50);
  const { told } = play(m, { ...one, happenings: [...one.happenings, ...Array.from({ length: rest }, () => calm)] });
  const end = told.at(-1)?.now ?? 0;
  for (const name of NAMES) expect(told.some((entry) => entry.name === name && entry.said && entry.now > end - 2 * EVERY - 200)).toBe(true);
});

/** Of each that died, restarts within the budget, and of all together. */
const withinBudget = (m: Residents): void => forAll(fc.tuple(life, fc.constantFrom({ ...HEALING, perPool: 100 }, { ...HEALING, perSession: 100 }, HEALING)), ([one, limits]) => {
  const { told } = play(m, one, 'run', { ...POLICY, healing: limits });
  const isRestart = (entry: Told): boolean => isStart(entry) && (entry.body.before.phase.kind === 'backing-off' || entry.body.before.phase.kind === 'broken') && entry.body.before.fingerprint === entry.body.after.fingerprint;
  const restarts = told.filter(isRestart);
  for (const entry of restarts) {
    const recent = restarts.filter((other) => other.at <= entry.at && entry.at - other.at < HEALING.windowMs);
    // A resident whose configuration was changed begins afresh, and is counted no more.
    const counts = (other: Told): boolean => !told.some((later) => later.name === other.name && later.at >= other.at && later.at <= entry.at && later.body.before.healing.restarts.length > 0 && later.body.after.healing.restarts.length === 0);
    expect(recent.filter(counts).length).toBeLessThanOrEqual(limits.perPool);
    const own = recent.filter((other) => other.name === entry.name && counts(other) && other.body.before.phase.kind === 'backing-off');
    expect(own.length).toBeLessThanOrEqual(limits.perSession);
    expect(entry.body.before.phase.kind !== 'broken' || entry.body.before.healing.breaker.kind === 'open').toBe(true);
    const { breaker } = entry.body.before.healing;
    if (breaker.kind === 'open') expect(breaker.until <= entry.at).toBe(true);
  }
});

/** Deaths in a row wait longer and longer, and never longer than the longest. */
const backsOff = (m: Residents): void => forAll(life, (one) => {
  for (const { body } of play(m, one).told) {
    const { before, after } = body;
    if (after.phase.kind !== 'backing-off' || before.phase.kind !== 'ending') continue;
    const streak = after.healing.streak - 1;
    const waits = after.phase.until - after.healing.quietFrom;
    expect(waits).toBeGreaterThanOrEqual(Math.min(HEALING.maxMs, HEALING.firstMs * 2 ** streak));
    expect(waits).toBeLessThanOrEqual(HEALING.maxMs * (1 + HEALING.jitter));
  }
});

/** A half-open breaker gives one try: its death opens the breaker again, for longer. */
const halfOpenIsOneTry = (m: Residents): void => forAll(life, (one) => {
  for (const { body } of play(m, one).told) {
    const [before, after] = [body.before.healing.breaker, body.after.healing.breaker];
    if (before.kind !== 'half-open' || body.before.phase.kind !== 'ending' || body.after.phase.kind === 'ending' || body.before.phase.after !== 'heal') continue;
    if (body.after.phase.kind === 'backing-off') expect(after.kind).toBe('closed');
    else expect(after).toMatchObject({ kind: 'open', openings: before.openings + 1 });
  }
});

const quietWhileGoingDown = (m: Residents): void => forAll(life, (one) => {
  for (const { action } of play(m, one, 'drain').told) expect(['launch', 'wake']).not.toContain(action.kind);
});

/** After a long sleep of the machine: one wake, not one for each that was missed. */
const oneAfterASleep = (m: Residents): void => forAll(fc.integer({ min: 2, max: 500 }), (missed) => {
  const calm: Happening = { afterMs: 50, dies: [false, false], state: 'idle', config: 'same', cools: false, refuses: false, killed: 'no', launchIsLost: false, unseen: false, lingers: false, jump: 0, reboots: false };
  const ticks = (n: number, more: Partial<Happening> = {}): Happening[] => Array.from({ length: n }, () => ({ ...calm, ...more }));
  const { told } = play(m, { kind: 'interactive', happenings: [...ticks(4), ...ticks(1, { jump: missed * EVERY }), ...ticks(6)] });
  expect(told.filter(({ name, said }) => name === 'a' && said)).toHaveLength(1);
});

/** A clock that was set back for good keeps nobody waiting longer than one cadence, or the longest pause. */
const setBackForgives = (m: Residents): void => forAll(fc.integer({ min: 1000, max: 10_000_000 }), (back) => {
  const wanted: Wanted = { name: 'a', kind: 'interactive', fingerprint: 'f', everyMs: EVERY };
  const run: Run = { nonce: 'n', at: T0, boot: 'boot0' };
  const look: ResidentLook = { started: true, leader: 'alive', exit: undefined, agent: { state: { kind: 'idle', source: 'event', rule: 'r', evidence: '' }, since: T0 }, verdict: undefined, coolsUntil: undefined, tries: 1, sinceTryMs: 0, failed: undefined, ended: undefined };
  const up: ResidentRecord = { ...m.beginResident(wanted, T0), phase: { kind: 'up', run }, cadence: { dueAt: T0 + EVERY, wake: 'waiting', triedAt: T0 } };
  const waiting: ResidentRecord = { ...m.beginResident(wanted, T0), phase: { kind: 'backing-off', until: T0 + 100, why: '' } };
  const broken: ResidentRecord = { ...m.beginResident(wanted, T0), phase: { kind: 'broken', why: '', generation: 0 }, healing: { restarts: [T0], streak: 2, quietFrom: T0, breaker: { kind: 'open', until: T0 + 500, openings: 1 } } };
  const expected: readonly (readonly [ResidentRecord, string, number])[] = [[up, 'wake', EVERY], [waiting, 'launch', HEALING.maxMs * (1 + HEALING.jitter)], [broken, 'launch', HEALING.maxOpenMs]];
  for (const [first, kind, withinMs] of expected) {
    let record = first;
    let acted: number | undefined;
    for (let ms = 0; ms <= withinMs + 50 && acted === undefined; ms += 50) {
      const decided = m.decideResident(POLICY, wanted, record, look, [], { wallMs: T0 - back + ms, boot: 'boot0', mode: 'run', generation: 0, nonce: 'next', random: 0 });
      record = decided.record;
      if (decided.action.kind === kind) acted = ms;
    }
    expect([kind, acted]).not.toEqual([kind, undefined]);
  }
});

const everything: readonly (readonly [string, (m: Residents) => void])[] = [
  ['every action has a rule', everyActionHasARule],
  ['there are never two of one', oneAtATime],
  ['who is not wanted is neither started nor woken', unwantedIsLeftAlone],
  ['what is removed is ended and forgotten', removedIsEnded],
  ['a wake is said once for each time it was due, at rest', wokenOnce],
  ['nobody on a cooling account is started or woken', coolingIsLeftAlone],
  ['what is due, and can be said, is said', dueIsSaid],
  ['restarts stay within the budgets', withinBudget],
  ['deaths in a row back off', backsOff],
  ['half-open is one try', halfOpenIsOneTry],
  ['while the pit goes down nobody is started or woken', quietWhileGoingDown],
  ['after a sleep one wake comes', oneAfterASleep],
  ['a clock that was set back keeps nobody waiting', setBackForgives],
];

describe('residents, over whole lives', () => {
  it.each(everything)('%s', (_name, property) => property(real));
});

describe('planted faults are noticed', () => {
  afterAll(cleanMutants);
  const DECIDE = 'residents/decide.js';
  const CADENCE = 'lib/cadence.js';
  const HEAL = 'lib/healing.js';
  const faults: readonly (readonly [string, string, string, string, (m: Residents) => void])[] = [
    ['a double start: it is not waited until the last one is gone', DECIDE, "look.ended?.kind !== 'gone'", 'false', oneAtATime],
    ['a double start: a pit that comes back names a new run', DECIDE, "action: { kind: 'launch', run, rule: look.tries === 0", "action: { kind: 'launch', run: { ...run, nonce: now.nonce }, rule: look.tries === 0", oneAtATime],
    ['unknown counts as dead', DECIDE, "if (leader === 'dead')", "if (leader !== 'alive')", (m) => unknownIsNotDead(m)],
    ['two wakes for one due: the next time is not moved', CADENCE, 'dueAt: nowMs + policy.everyMs, wake:', 'dueAt: cadence.dueAt, wake:', wokenOnce],
    ['nobody is told of a wake that a dead pit had begun', CADENCE, "cadence.wake === 'typing'", 'false', (m) => lostIsTold(m)],
    ['a lost wake is owed', CADENCE, "{ ...cadence, wake: 'waiting' }, step", "{ ...cadence, wake: 'owed' }, step", wokenOnce],
    ['a burst after a sleep', CADENCE, 'dueAt: nowMs + policy.everyMs, wake:', 'dueAt: cadence.dueAt + policy.everyMs, wake:', oneAfterASleep],
    ['a wake in the middle of its work', DECIDE, 'AT_REST.has(agent.state.kind)', 'true', wokenOnce],
    ['a wake on a cooling account', DECIDE, "if (coolsUntil !== undefined)", 'if (false)', coolingIsLeftAlone],
    ['a start on a cooling account', DECIDE, 'if (look.coolsUntil !== undefined)', 'if (false)', coolingIsLeftAlone],
    ['a refused wake is forgotten', CADENCE, '!owed && nowMs < cadence.dueAt', 'nowMs < cadence.dueAt', (m) => refusedIsTriedSoon(m)],
    ['the removed one is woken, or started', DECIDE, 'if (wanted === undefined)\n        return end(', 'if (false)\n        return end(', removedIsEnded],
    ['the removed one is never forgotten', DECIDE, "kind: 'forget'", "kind: 'none'", removedIsEnded],
    ['restarts without a budget', HEAL, 'healing.restarts.length >= policy.perSession', 'false', withinBudget],
    ['restarts are not counted', HEAL, 'const restarts = [...healing.restarts, nowMs];', 'const restarts = [...healing.restarts];', withinBudget],
    ['the pool has no budget', HEAL, 'spent.length >= policy.perPool', 'false', withinBudget],
    ['an open breaker is not waited for', HEAL, "breaker.kind === 'open' && nowMs < breaker.until", 'false', withinBudget],
    ['half-open is no one try', HEAL, "if (breaker.kind === 'half-open')\n        return open", "if (false)\n        return open", halfOpenIsOneTry],
    ['no back-off', HEAL, '2 ** Math.min(30, healing.streak)', '0', backsOff],
    ['a back-off without end', HEAL, 'Math.min(policy.maxMs, policy.firstMs', 'Math.max(policy.firstMs, policy.firstMs', backsOff],
    ['started while the pit goes down', DECIDE, "if (now.mode !== 'run')\n        return still(before, 'the pit goes down: nothing is started');\n    const { phase }", "if (false)\n        return still(before, 'the pit goes down: nothing is started');\n    const { phase }", quietWhileGoingDown],
    ['a clock that was set back silences it', CADENCE, 'Math.min(before.dueAt, nowMs + everyMs)', 'before.dueAt', setBackForgives],
    ['a clock that was set back keeps it broken', HEAL, 'Math.min(breaker.until, nowMs + policy.maxOpenMs)', 'breaker.until', setBackForgives],
    ['a clock that was set back keeps it waiting', DECIDE, 'Math.min(phase.until, now.wallMs + longest(policy))', 'phase.until', setBackForgives],
  ];
  it.each(faults)('%s', async (_what, file, find, replace, property) => {
    hunting = true;
    const dir = plantMutant(file, find, replace);
    const mutant = (await import(/* @vite-ignore */ pathToFileURL(join(dir, DECIDE)).href)) as Residents;
    expect(await killedBy<Residents>(property, mutant)).toBe(true);
  });
});

const UP: Run = { nonce: 'n', at: T0, boot: 'boot0' };
const WANTED: Wanted = { name: 'a', kind: 'interactive', fingerprint: 'f', everyMs: EVERY };
const IDLE: ResidentLook = { started: true, leader: 'alive', exit: undefined, agent: { state: { kind: 'idle', source: 'event', rule: 'r', evidence: '' }, since: T0 }, verdict: undefined, coolsUntil: undefined, tries: 1, sinceTryMs: 0, failed: undefined, ended: undefined };
const at = (wallMs: number): Now => ({ wallMs, boot: 'boot0', mode: 'run', generation: 0, nonce: 'next', random: 0 });

function unknownIsNotDead(m: Residents): void {
  const up: ResidentRecord = { ...m.beginResident(WANTED, T0), phase: { kind: 'up', run: UP } };
  expect(m.decideResident(POLICY, WANTED, up, { ...IDLE, leader: 'unknown' }, [], at(T0)).action.kind).toBe('none');
}

function refusedIsTriedSoon(m: Residents): void {
  const owed: ResidentRecord = { ...m.beginResident(WANTED, T0), phase: { kind: 'up', run: UP }, cadence: { dueAt: T0 + EVERY, wake: 'owed', triedAt: T0 } };
  expect(m.decideResident(POLICY, WANTED, owed, IDLE, [], at(T0 + RETRY)).action.kind).toBe('wake');
}

function lostIsTold(m: Residents): void {
  const typing: ResidentRecord = { ...m.beginResident(WANTED, T0), phase: { kind: 'up', run: UP }, cadence: { dueAt: T0 + EVERY, wake: 'typing', triedAt: T0 } };
  const decided = m.decideResident(POLICY, WANTED, typing, IDLE, [], at(T0 + 1));
  expect([decided.action.kind, decided.record.cadence?.wake]).toEqual(['tell-lost-wake', 'waiting']);
}
