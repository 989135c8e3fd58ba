import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as real from '../../src/agents/breaker/decide.js';
import { newBreaker, type Breaker, type BreakerEvent, type BreakerPolicy, type BreakerStep } from '../../src/agents/breaker/state.js';
import * as realStore from '../../src/agents/breaker/store.js';
import { systemClock } from '../../src/lib/clock.js';
import type { Files } from '../../src/lib/files.js';
import { nodeFiles } from '../../src/lib/node-files.js';
import type { Liveness, ProcessIdentity, Processes } from '../../src/lib/processes.js';
import type { DeferralReason } from '../../src/protocol/judge.js';
import { cleanMutants, importMutant, killedBy } from '../rig/mutants.js';
import { forAll as forSome } from './for-all.js';

type Machine = typeof real;
const forAll = <T>(values: fc.Arbitrary<T>, check: (value: T) => unknown): void => forSome(values, check, 500);

const T0 = 1_800_000_000_000;
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const POLICY: BreakerPolicy = { floorMs: 30 * SECOND, marginMs: 45 * SECOND, firstMs: MINUTE, maxMs: 30 * MINUTE, staggerMs: 2 * SECOND, releaseMs: MINUTE, failures: 3 };
/** Longer than any strike is remembered. */
const QUIET_MS = 100 * MINUTE;

const marker = fc.constantFrom('m1', 'm2', 'm3', 'm4', 'm5');
const REASONS: readonly DeferralReason[] = ['usage-limited', 'rate-limited', 'auth-failed'];
/** `aside`: how long ago the attempt was launched; small and large against the steps between happenings. */
const aside = fc.constantFrom(1, 10 * SECOND, 5 * MINUTE, 60 * MINUTE);
type Happening = (now: number) => BreakerEvent;
const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(marker, fc.constantFrom(false, false, false, true)).map(([who, probeGone]) => () => ({ kind: 'asked' as const, marker: who, id: `task-${who}`, probeGone })) },
  {
    weight: 4,
    arbitrary: fc.tuple(marker, aside, fc.constantFrom(...REASONS), fc.option(fc.integer({ min: -MINUTE, max: 20 * MINUTE }), { nil: undefined }))
      .map(([who, ago, reason, resetIn]) => (now: number) => ({ kind: 'limited' as const, marker: who, startedAt: now - ago, reason, evidence: 'seen', resetAt: resetIn === undefined ? undefined : now + resetIn })),
  },
  { weight: 3, arbitrary: fc.tuple(marker, aside).map(([who, ago]) => (now: number) => ({ kind: 'worked' as const, marker: who, startedAt: now - ago, profile: 'p', evidence: 'it answered' })) },
  { weight: 2, arbitrary: fc.tuple(marker, aside).map(([who, ago]) => (now: number) => ({ kind: 'broken' as const, marker: who, startedAt: now - ago, profile: 'p', evidence: 'it crashed' })) },
  { weight: 2, arbitrary: marker.map((who) => () => ({ kind: 'ended' as const, marker: who })) },
  { weight: 1, arbitrary: fc.constant(() => ({ kind: 'closed-by-hand' as const })) },
);
const life = fc.array(fc.record({ afterMs: fc.constantFrom(0, 100, 500, SECOND, 3 * SECOND, 20 * SECOND, 2 * MINUTE, 40 * MINUTE), happening }), { minLength: 1, maxLength: 60, size: 'max' });
type Life = typeof life extends fc.Arbitrary<infer T> ? T : never;

interface Told extends BreakerStep {
  readonly before: Breaker;
  readonly event: BreakerEvent;
  readonly now: number;
}

const probedAt = (at: number): Breaker => ({ ...newBreaker('a'), state: { kind: 'half-open', reason: 'rate-limited', evidence: '', until: at, probe: { marker: 'p', id: 'p', since: at } } });

/** Plays a life. `disk`: between two steps the breaker goes through its file, as it always does. */
function play(m: Machine, all: Life, disk = false): Told[] {
  let breaker = newBreaker('a');
  let now = T0;
  const told: Told[] = [];
  for (const one of all) {
    now += one.afterMs;
    const event = one.happening(now);
    const before = disk ? (JSON.parse(JSON.stringify(breaker)) as Breaker) : breaker;
    const step = m.decideBreaker(POLICY, before, event, now);
    told.push({ ...step, before, event, now });
    breaker = step.after;
  }
  return told;
}

/** From an admission as the probe until something is heard of it, nobody else is let in. Kept beside the machine, in the test's own words. */
const oneProbe = (m: Machine): void => forAll(life, (all) => {
  let probe: string | undefined;
  for (const { event, admission, after, now } of play(m, all)) {
    if (event.kind === 'asked') {
      if (probe !== undefined && event.marker !== probe && !event.probeGone) expect(admission?.kind).toBe('wait');
      if (admission?.kind === 'probe') probe = event.marker;
    } else if (event.kind === 'closed-by-hand' || event.marker === probe) probe = undefined;
    else if (event.kind === 'limited' && event.resetAt !== undefined && event.resetAt > now) probe = undefined;
    if (probe !== undefined) expect(after.state.kind).toBe('half-open');
  }
});

/** What is open stays so at least as long as was told, and a given reset is waited for. */
const neverShortened = (m: Machine): void => forAll(life, (all) => {
  for (const { before, event, after, now, change } of play(m, all)) {
    if (event.kind === 'closed-by-hand') continue;
    const { state } = before;
    if (state.kind === 'open' && state.until > now) expect(after.state.kind === 'open' && after.state.until >= state.until).toBe(true);
    if (event.kind === 'limited' && change?.kind === 'breaker-opened' && event.resetAt !== undefined) expect(change.until).toBeGreaterThanOrEqual(Math.max(event.resetAt, now + POLICY.floorMs));
    if (change?.kind === 'breaker-opened') expect(change.until - now).toBeLessThanOrEqual(Math.max(POLICY.maxMs, 20 * MINUTE + POLICY.marginMs));
  }
});

const closesOnProof = (m: Machine): void => forAll(life, (all) => {
  for (const { before, event, after } of play(m, all)) {
    if (before.state.kind !== 'open' && before.state.kind !== 'half-open') continue;
    if (after.state.kind === 'open' || after.state.kind === 'half-open') continue;
    const proven = event.kind === 'worked' && before.state.kind === 'half-open' && before.state.probe.marker === event.marker;
    expect(proven || event.kind === 'closed-by-hand').toBe(true);
  }
});

const quietForgets = (m: Machine): void => forAll(life, (all) => {
  const last = play(m, all).at(-1);
  if (last === undefined) return;
  const { after } = last;
  const now = Math.max(last.now, after.quietFrom) + QUIET_MS;
  const asked = m.decideBreaker(POLICY, after, { kind: 'asked', marker: 'late', id: 'late', probeGone: true }, now).after;
  const { change } = m.decideBreaker(POLICY, asked, { kind: 'limited', marker: 'late', startedAt: now, reason: 'rate-limited', evidence: '', resetAt: undefined }, now + 1);
  expect(change).toMatchObject({ kind: 'breaker-opened', strikes: 1, until: now + 1 + POLICY.firstMs });
});

/** A probe that meets the limit again and again waits longer each time, up to the longest. */
const backoffGrows = (m: Machine): void => forAll(fc.array(fc.constantFrom(...REASONS), { minLength: 2, maxLength: 12 }), (reasons) => {
  let breaker = newBreaker('a');
  let now = T0;
  let waited = 0;
  for (const [at, reason] of reasons.entries()) {
    const step = m.decideBreaker(POLICY, breaker, { kind: 'limited', marker: `m${at}`, startedAt: now, reason, evidence: '', resetAt: undefined }, now + SECOND);
    if (step.change?.kind !== 'breaker-opened') throw new Error('it did not open');
    const wait = step.change.until - now - SECOND;
    expect(wait).toBeGreaterThanOrEqual(waited);
    if (wait < POLICY.maxMs && new Set(reasons.slice(0, at + 1)).size === 1) expect(wait).toBeGreaterThanOrEqual(waited * 2);
    waited = wait;
    now = step.change.until;
    const asked = m.decideBreaker(POLICY, step.after, { kind: 'asked', marker: `m${at + 1}`, id: 'x', probeGone: false }, now);
    expect(asked.admission?.kind).toBe('probe');
    breaker = asked.after;
  }
});

const staggered = (m: Machine): void => forAll(life, (all) => {
  let lastAt: number | undefined;
  for (const { before, admission, change, now } of play(m, all)) {
    if (change?.kind === 'breaker-closed') lastAt = change.rule.includes('probe') ? now : undefined;
    if (change?.kind === 'breaker-opened') lastAt = undefined;
    if (admission?.kind !== 'admitted' || before.state.kind !== 'releasing' || now >= before.state.freeAt) continue;
    expect(now - (lastAt ?? 0)).toBeGreaterThanOrEqual(POLICY.staggerMs);
    lastAt = now;
  }
});

/** Forty come for their turns, each later than it was told. */
const lateStaggered = (m: Machine): void => forSome(fc.array(fc.constantFrom(0, 500, SECOND, 2400, 2600, 5 * SECOND), { minLength: 40, maxLength: 40 }), (late) => {
  const { after } = m.decideBreaker(POLICY, probedAt(T0), { kind: 'worked', marker: 'p', startedAt: T0, profile: 'p', evidence: '' }, T0);
  let breaker = after;
  let lastAt = T0;
  let asks = 0;
  const due = late.map((ms, at) => ({ id: `t${at}`, at: T0 + 100 + ms }));
  while (due.length > 0) {
    const one = due.sort((a, b) => a.at - b.at).shift();
    if (one === undefined || one.at >= T0 + POLICY.releaseMs) return;
    const step = m.decideBreaker(POLICY, breaker, { kind: 'asked', marker: one.id, id: one.id, probeGone: false }, one.at);
    breaker = step.after;
    if (step.admission?.kind === 'wait') due.push({ id: one.id, at: step.admission.until + (late[(asks += 1) % late.length] ?? 0) });
    else {
      expect(one.at - lastAt).toBeGreaterThanOrEqual(POLICY.staggerMs);
      lastAt = one.at;
    }
  }
}, 200);

/**
 * Whatever happened before: once the account works, every task that comes back when it was told to is let in, soon, without having
 * asked often. Tasks come late by up to a tick, and the probe takes its time.
 */
const everybodyGetsIn = (m: Machine): void => forSome(fc.tuple(life, fc.integer({ min: 1, max: 40 }), fc.constantFrom(SECOND, 20 * SECOND, 3 * MINUTE)), ([all, count, probeMs]) => {
  const last = play(m, all).at(-1);
  if (last === undefined) return;
  let breaker = last.after;
  const due = new Map(Array.from({ length: count }, (_, at) => [`t${at}`, last.now + 1]));
  const asks = new Map<string, number>();
  let now = last.now;
  let probe: { id: string; at: number } | undefined;
  let free: number | undefined;
  const step = (event: BreakerEvent): BreakerStep => {
    const decided = m.decideBreaker(POLICY, breaker, event, now);
    breaker = decided.after;
    return decided;
  };
  while (due.size > 0) {
    const [id, at] = [...due].reduce((a, b) => (b[1] < a[1] ? b : a));
    if (probe !== undefined && probe.at <= at) {
      now = Math.max(now, probe.at);
      step({ kind: 'worked', marker: probe.id, startedAt: now - probeMs, profile: 'p', evidence: '' });
      probe = undefined;
      free = now;
      continue;
    }
    now = Math.max(now, at + (asks.get(id) ?? 0) * 137 % SECOND);
    // The markers of the life before are gone.
    const gone = breaker.state.kind === 'half-open' && breaker.state.probe.marker !== probe?.id;
    const { admission } = step({ kind: 'asked', marker: id, id, probeGone: gone });
    asks.set(id, (asks.get(id) ?? 0) + 1);
    expect(asks.get(id)).toBeLessThanOrEqual(30);
    if (free !== undefined) expect(now - free).toBeLessThanOrEqual(3 * MINUTE);
    if (admission?.kind === 'wait') {
      expect(admission.until).toBeGreaterThan(now);
      due.set(id, admission.until);
    } else due.delete(id);
    if (admission?.kind === 'probe') probe = { id, at: now + probeMs };
  }
}, 200);

/** A crash between the decision and what follows from it has the same thing told again. */
const toldTwice = (m: Machine): void => forAll(life, (all) => {
  for (const { after, event, now, admission } of play(m, all)) {
    const again = m.decideBreaker(POLICY, after, event, now + 1);
    if (event.kind === 'limited' || event.kind === 'broken' || event.kind === 'ended') {
      expect([again.after.strikes, again.after.state.kind, again.after.failing]).toEqual([after.strikes, after.state.kind, after.failing]);
      // A floor is counted from now on.
      if (again.after.state.kind === 'open' && after.state.kind === 'open') expect(again.after.state.until - after.state.until).toBeLessThanOrEqual(POLICY.staggerMs + 1);
    }
    if (admission?.kind === 'probe' && event.kind === 'asked' && !event.probeGone) expect(again.admission?.kind).toBe('probe');
  }
});

const fileChangesNothing = (m: Machine): void => forAll(life, (all) => {
  const decided = (disk: boolean): unknown[] => play(m, all, disk).map(({ admission, change }) => [admission, change]);
  expect(decided(true)).toEqual(decided(false));
});

/** Of failures in a row, exactly as many as were allowed are spent. */
const failuresAreCounted = (m: Machine): void => forAll(fc.array(fc.constantFrom('broken' as const, 'broken' as const, 'worked' as const), { maxLength: 12 }), (ends) => {
  let breaker = newBreaker('a');
  let inARow = 0;
  for (const [at, kind] of ends.entries()) {
    const now = T0 + at * SECOND;
    breaker = m.decideBreaker(POLICY, breaker, { kind, marker: `m${at}`, startedAt: now, profile: 'p', evidence: '' }, now).after;
    inARow = kind === 'worked' ? 0 : inARow + 1;
    if (breaker.state.kind === 'open') return void expect(inARow).toBe(POLICY.failures);
    expect(inARow).toBeLessThan(POLICY.failures);
  }
});

const everything: readonly (readonly [string, (m: Machine) => void])[] = [
  ['there is one probe', oneProbe],
  ['no time is shortened', neverShortened],
  ['it closes only on proof', closesOnProof],
  ['quiet time forgets the strikes', quietForgets],
  ['the back-off grows', backoffGrows],
  ['the release is staggered', staggered],
  ['the release is staggered, though all come late', lateStaggered],
  ['everybody gets in, without churn', everybodyGetsIn],
  ['what is told twice counts once', toldTwice],
  ['its file changes nothing', fileChangesNothing],
  ['failures in a row are counted', failuresAreCounted],
];

describe('an account\'s breaker, over whole lives of a pool', () => {
  it.each(everything)('%s', (_name, property) => property(real));
});

type Store = typeof realStore;
let dir = '';
beforeEach(() => {
  dir = fs.mkdtempSync(join(tmpdir(), 'breaker-'));
});
afterEach(() => {
  fs.rmSync(dir, { recursive: true, force: true });
});
afterAll(cleanMutants);

const person = (pid: number): ProcessIdentity => ({ pid, start: String(pid * 100), boot: '6fd0c2e1' });
const seenBy = (me: ProcessIdentity, liveness: (of: ProcessIdentity) => Liveness): Processes => ({ self: () => me, boot: () => me.boot, liveness: async (of) => liveness(of), find: async () => ({ complete: false, processes: [] }), table: async () => undefined, markers: async () => undefined, signal: async () => {} });
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
/** Another may act between any two calls. */
const slow: Files = {
  ...nodeFiles,
  read: async (path, max) => {
    const text = await nodeFiles.read(path, max);
    await turn();
    return text;
  },
};
const broken = (marker: string): BreakerEvent => ({ kind: 'broken', marker, startedAt: T0, profile: 'p', evidence: '' });
const MANY = { ...POLICY, failures: 100 };

/** Ten at once, each with news of its own: all of it is kept. */
const noNewsIsLost = async (m: Store): Promise<void> => {
  const mine = fs.mkdtempSync(join(dir, 'news-'));
  const markers = Array.from({ length: 10 }, (_, at) => `m${at}`);
  await Promise.all(markers.map((one, at) => m.updateBreaker({ files: slow, clock: systemClock, processes: seenBy(person(at + 1), () => 'alive') }, mine, 'a', MANY, () => broken(one))));
  expect([...((await m.readBreaker(nodeFiles, mine, 'a')).failing['p']?.markers ?? [])].sort()).toEqual(markers);
};

/** Ten ask at once for an account whose time is over. */
const oneOfManyProbes = async (m: Store): Promise<void> => {
  const mine = fs.mkdtempSync(join(dir, 'ask-'));
  fs.writeFileSync(join(mine, 'a.json'), JSON.stringify({ ...newBreaker('a'), state: { kind: 'open', reason: 'rate-limited', evidence: '', until: T0 }, openedAt: T0, strikes: 1 }));
  const answers = await Promise.all(Array.from({ length: 10 }, (_, at) => m.updateBreaker({ files: slow, clock: systemClock, processes: seenBy(person(at + 1), () => 'alive') }, mine, 'a', POLICY, () => ({ kind: 'asked', marker: `m${at}`, id: `t${at}`, probeGone: false }))));
  expect(answers.filter((one) => one?.admission?.kind === 'probe')).toHaveLength(1);
};

describe('the file of an account', () => {
  it('no news is lost', () => noNewsIsLost(realStore));
  it('one of many that ask is the probe', () => oneOfManyProbes(realStore));

  it('a dead holder of its lock is succeeded, a living one is waited for and never robbed', async () => {
    const [dead, me] = [person(1), person(2)];
    const hold = async (): Promise<never> => await new Promise<never>(() => undefined);
    void realStore.updateBreaker({ files: nodeFiles, clock: systemClock, processes: seenBy(dead, () => 'alive') }, dir, 'a', MANY, hold);
    while (!(fs.existsSync(join(dir, 'a.lock')) && fs.readdirSync(join(dir, 'a.lock')).some((name) => name.startsWith('held~1~')))) await turn();
    const ports = (liveness: Liveness) => ({ files: nodeFiles, clock: systemClock, processes: seenBy(me, () => liveness) });
    for (const liveness of ['alive', 'unknown'] as const) expect(await realStore.updateBreaker(ports(liveness), dir, 'a', MANY, () => broken('m'), 20)).toBeUndefined();
    expect((await realStore.updateBreaker(ports('dead'), dir, 'a', MANY, () => broken('m'), 20))?.after.failing['p']?.markers).toEqual(['m']);
  });

  it('killed at any step, it is the old one or the new one, and the next goes on', async () => {
    for (let life = 0; life < 8; life += 1) {
      const mine = fs.mkdtempSync(join(dir, 'kill-'));
      const me = seenBy(person(1), () => 'alive');
      await realStore.updateBreaker({ files: nodeFiles, clock: systemClock, processes: me }, mine, 'a', MANY, () => broken('first'));
      let steps = 0;
      const dying = new Proxy(nodeFiles, {
        get: (files, name) => (...args: unknown[]): unknown => {
          steps += 1;
          return steps > life ? new Promise(() => undefined) : (files[name as keyof Files] as (...all: unknown[]) => unknown)(...args);
        },
      });
      let over = false;
      void realStore.updateBreaker({ files: dying, clock: systemClock, processes: me }, mine, 'a', MANY, () => broken('second')).then(() => (over = true));
      while (steps <= life && !over) await turn();
      const next = await realStore.updateBreaker({ files: nodeFiles, clock: systemClock, processes: seenBy(person(2), () => 'dead') }, mine, 'a', MANY, () => broken('third'));
      expect([['first', 'third'], ['first', 'second', 'third']]).toContainEqual(next?.after.failing['p']?.markers);
    }
  });

  it('one that cannot be read is put aside', async () => {
    fs.writeFileSync(join(dir, 'a.json'), '{"v":2,');
    const update = await realStore.updateBreaker({ files: nodeFiles, clock: systemClock, processes: seenBy(person(1), () => 'alive') }, dir, 'a', POLICY, () => broken('m'));
    expect(update?.before).toEqual(newBreaker('a'));
    expect(fs.readFileSync(join(dir, 'a.json.unreadable'), 'utf8')).toBe('{"v":2,');
    expect((await realStore.listBreakers(nodeFiles, dir)).map(({ account }) => account)).toEqual(['a']);
  });

  it('any name of an account is a file of its own', async () => {
    const ports = { files: nodeFiles, clock: systemClock, processes: seenBy(person(1), () => 'alive') };
    for (const account of ['../a', 'a/b', 'a.b', 'ü']) await realStore.updateBreaker(ports, join(dir, 'in'), account, POLICY, () => broken('m'));
    expect((await realStore.listBreakers(nodeFiles, join(dir, 'in'))).map(({ account }) => account)).toEqual(['../a', 'a.b', 'a/b', 'ü']);
    expect(fs.readdirSync(dir)).toEqual(['in']);
  });
});

describe('planted faults are noticed', () => {
  const faults: readonly (readonly [string, string, string, (m: Machine) => void])[] = [
    ['two probes at once', 'if (asked.probeGone)\n', 'if (true)\n', oneProbe],
    ['the probe has no slot of its own', "state: { kind: 'half-open', reason, evidence, until, probe: { marker, id, since: nowMs } }", "state: { kind: 'open', reason, evidence, until }", oneProbe],
    ['a shortened reset', 'if (until <= state.until + policy.staggerMs)\n', 'if (false)\n', neverShortened],
    ['a given reset without its time', 'resetAt + policy.marginMs - nowMs', '0', neverShortened],
    ['a given reset without a floor', 'Math.max(floor, resetAt', 'Math.max(0, resetAt', neverShortened],
    ['closed without a proof', "if (state.probe.marker !== worked.marker)\n", 'if (false)\n', closesOnProof],
    ['a probe that ends is a proof', "state: { kind: 'open', reason: state.reason, evidence: state.evidence, until: state.until }", "state: { kind: 'closed' }", closesOnProof],
    ['no decay', 'Math.floor(Math.max(0, atMs - breaker.quietFrom) / FORGET_MS)', '0', quietForgets],
    ['no strike for the probe', 'strike ? left + 1 : left', 'left', backoffGrows],
    ['each look takes a strike back', 'atMs - breaker.quietFrom', 'atMs', backoffGrows],
    ['no gap in the release', 'if (nowMs >= due && isOver(gapAt, nowMs))', 'if (nowMs >= due)', lateStaggered],
    ['all at once after the probe', "state: { kind: 'releasing', freeAt: nowMs + policy.releaseMs", "state: { kind: 'releasing', freeAt: nowMs", (m) => releaseTakesItsTime(m)],
    ['a probe that has gone keeps the slot', 'if (asked.probeGone)\n', 'if (false)\n', everybodyGetsIn],
    ['a release without an end', "isOver(state.freeAt, nowMs) ? { ...breaker, state: { kind: 'closed' } } : breaker", 'false ? breaker : breaker', everybodyGetsIn],
    ['the probe is not known again', 'if (state.probe.marker === asked.marker)', 'if (false)', toldTwice],
    ['a claim is counted twice', 'run.markers.includes(marker)', 'false', toldTwice],
    ['one failure too many', 'run.markers.length >= policy.failures ? opened(policy, breaker, failing, true, `', 'run.markers.length > policy.failures ? opened(policy, breaker, failing, true, `', failuresAreCounted],
    ['a success forgets nothing', 'return { ...breaker, failing };', 'return breaker;', failuresAreCounted],
  ];
  it.each(faults)('%s', async (_what, find, replace, property) => {
    expect(await killedBy<Machine>(property, await importMutant('agents/breaker/decide.js', find, replace))).toBe(true);
  });

  const LOCK = "await take(files, processes, `${file.slice(0, -'.json'.length)}.lock`)";
  const NO_LOCK = "{ kind: 'taken', release: async () => undefined }";
  const storeFaults: readonly (readonly [string, string, string, (m: Store) => Promise<void>])[] = [
    ['written without the lock: news is lost', LOCK, NO_LOCK, noNewsIsLost],
    ['asked without the lock: two probes', LOCK, NO_LOCK, oneOfManyProbes],
    ['answered, and not on disk', 'if (step.after !== before)', 'if (false)', noNewsIsLost],
  ];
  it.each(storeFaults)('%s', async (_what, find, replace, property) => {
    expect(await killedBy<Store>(property, (await importMutant('agents/breaker/store.js', find, replace)) as Store)).toBe(true);
  });
});

function releaseTakesItsTime(m: Machine): void {
  const { after } = m.decideBreaker(POLICY, probedAt(T0), { kind: 'worked', marker: 'p', startedAt: T0, profile: 'p', evidence: '' }, T0);
  expect(m.decideBreaker(POLICY, after, { kind: 'asked', marker: 'x', id: 'x', probeGone: false }, T0).admission?.kind).toBe('wait');
}
