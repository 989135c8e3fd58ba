import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import * as realDecide from '../../src/cleanup/decide.js';
import type { ReapPolicy } from '../../src/cleanup/decide.js';
import type { Successor, Suspect, Verdict } from '../../src/cleanup/state.js';
import type { Liveness } from '../../src/lib/processes.js';
import { forAll } from './for-all.js';
import { cleanMutants, importMutant, killedBy } from '../rig/mutants.js';

type Decide = typeof realDecide;
type Claim = Extract<Suspect, { kind: 'claim' }>;
type Reaping = Extract<Suspect, { kind: 'reaping' }>;

const DAY_MS = 86_400_000;

const liveness = fc.constantFrom<Liveness>('alive', 'dead', 'unknown');
const identity = fc.record({ pid: fc.integer({ min: 1, max: 4_194_304 }), start: fc.nat().map(String), boot: fc.constant('b0b0b0b0') });
const name = fc.tuple(identity, identity, fc.integer({ min: 1, max: 99 })).map(([owner, reaper, snake]) => ({
  id: 'x', place: { priority: 50, arrivedAt: 1 }, counters: { failures: 0, losses: 0, deferrals: 0 }, nonce: 'aaaaaaaaaa', owner: { ...owner, snake: `s${snake}` }, reaper,
}));
const policy: fc.Arbitrary<ReapPolicy> = fc.record({ adoptMs: fc.oneof(fc.nat(5), fc.nat(600_000)), lateMs: fc.oneof(fc.nat(5), fc.nat(600_000)) });
/** Around both limits, where mistakes are made, and anywhere; a clock that was set back gives an age below nothing. */
const age = (of: ReapPolicy): fc.Arbitrary<number> => fc.oneof(fc.tuple(fc.constantFrom(of.adoptMs, of.lateMs), fc.integer({ min: -2, max: 2 })).map(([at, off]) => at + off), fc.nat(DAY_MS), fc.integer({ min: -DAY_MS, max: 0 }));
const claim = (of: ReapPolicy): fc.Arbitrary<Claim> =>
  fc.record({ kind: fc.constant('claim' as const), file: fc.constant('f'), name, owner: liveness, sameBoot: fc.oneof(fc.constant(true), fc.boolean()), session: fc.constantFrom('alive', 'dead', 'unknown', 'none'), beatAgeMs: age(of), successor: fc.constantFrom<Successor>('expected', 'refused', 'possible') });
const reaping: fc.Arbitrary<Reaping> = fc.record({ kind: fc.constant('reaping' as const), file: fc.constant('f'), name, reaper: liveness });
const suspectClaim = policy.chain((of) => fc.tuple(fc.constant(of), claim(of)));
const suspect = policy.chain((of) => fc.tuple(fc.constant(of), fc.oneof<fc.Arbitrary<Suspect>[]>(claim(of), reaping)));

const onlyTheDeadAreReaped = (m: Decide): void =>
  forAll(suspect, ([of, one]) => {
    if ((one.kind === 'claim' ? one.owner : one.reaper) !== 'dead') expect(m.decideReap(of, one).kind).not.toBe('reap');
  }, 1000);

/** Where something cannot be looked at, what is done is at most what would be done if it lived. */
const unknownIsNotDead = (m: Decide): void =>
  forAll(suspect, ([of, one]) => {
    const reaps = (as: Partial<Claim> | Partial<Reaping>): boolean => m.decideReap(of, { ...one, ...as } as Suspect).kind === 'reap';
    const pairs: [boolean, boolean][] = one.kind === 'reaping' ? [[reaps({ reaper: 'unknown' }), reaps({ reaper: 'alive' })]] : [[reaps({ owner: 'unknown' }), reaps({ owner: 'alive' })], [reaps({ session: 'unknown' }), reaps({ session: 'alive' })]];
    for (const [unknown, alive] of pairs) expect(unknown).toBe(alive);
  }, 1000);

/** Age alone takes nothing from the living: it is said aloud once the heartbeat is late, and that is all. */
const theLivingAreOnlyReported = (m: Decide): void =>
  forAll(suspectClaim, ([of, one]) => {
    const verdict = m.decideReap(of, { ...one, owner: 'alive' });
    expect(verdict.kind).toBe(one.beatAgeMs > of.lateMs ? 'report' : 'keep');
    expect(m.decideReap(of, { ...one, owner: 'alive', beatAgeMs: 3650 * DAY_MS }).kind).toBe('report');
  });

/** A dead owner's claim stays only for somebody who may adopt it: who surely comes, or, for a while and while something works, who may. */
const theDeadKeepOnlyForASuccessor = (m: Decide): void =>
  forAll(suspectClaim, ([of, claimed]) => {
    const one: Claim = { ...claimed, owner: 'dead' };
    const mayWork = one.session === 'alive' || one.session === 'unknown';
    const kept = one.sameBoot && (one.successor === 'expected' || (one.successor === 'possible' && mayWork && one.beatAgeMs < of.adoptMs));
    expect(m.decideReap(of, one).kind).toBe(kept ? 'keep' : 'reap');
  }, 1000);

/** No dead owner's claim lies for ever, unless a living pit is about to take it up; and none that was reaped would have been kept later. */
const theDeadAreReapedInTheEnd = (m: Decide): void =>
  forAll(fc.tuple(suspectClaim, fc.nat(DAY_MS)), ([[of, claimed], laterMs]) => {
    const one: Claim = { ...claimed, owner: 'dead' };
    const old = (beatAgeMs: number): Verdict['kind'] => m.decideReap(of, { ...one, beatAgeMs }).kind;
    if (one.successor !== 'expected') expect(old(of.adoptMs)).toBe('reap');
    if (old(one.beatAgeMs) === 'reap') expect(old(one.beatAgeMs + laterMs)).toBe('reap');
  }, 1000);

/** Of a boot that is over nothing lives, so nobody is waited for. */
const anotherBootIsOver = (m: Decide): void =>
  forAll(suspectClaim, ([of, one]) => expect(m.decideReap(of, { ...one, owner: 'dead', sameBoot: false }).kind).toBe('reap'));

const everyVerdictSaysWhy = (m: Decide): void =>
  forAll(suspect, ([of, one]) => {
    const { rule, evidence } = m.decideReap(of, one);
    expect(rule).not.toBe('');
    expect(evidence).toContain(one.kind === 'claim' ? `${one.name.owner.snake} (pid ${one.name.owner.pid})` : `reaper ${one.name.reaper.pid} `);
  });

describe('the reaper', () => {
  it('reaps nobody who is not proven dead', () => onlyTheDeadAreReaped(realDecide));
  it('takes what it cannot see for alive', () => unknownIsNotDead(realDecide));
  it('only reports the living, however late', () => theLivingAreOnlyReported(realDecide));
  it('keeps the claim of the dead only for a successor', () => theDeadKeepOnlyForASuccessor(realDecide));
  it('reaps the dead in the end', () => theDeadAreReapedInTheEnd(realDecide));
  it('waits for nobody of another boot', () => anotherBootIsOver(realDecide));
  it('says by which rule, and on what evidence', () => everyVerdictSaysWhy(realDecide));
});

describe('planted faults are noticed', () => {
  afterAll(cleanMutants);
  const faults: readonly (readonly [string, string, string, (m: Decide) => void])[] = [
    ['the late are robbed', "{ kind: 'report', rule: 'alive, and late", "{ kind: 'reap', rule: 'alive, and late", onlyTheDeadAreReaped],
    ['an owner that cannot be seen is dead', "'unknown':\n            return { kind: 'report'", "'unknown':\n            return { kind: 'reap'", unknownIsNotDead],
    ['a reaper that cannot be seen is dead', "suspect.reaper === 'dead')", "suspect.reaper !== 'alive')", unknownIsNotDead],
    ['a session that cannot be seen is dead', "suspect.session !== 'dead' &&", "suspect.session === 'alive' &&", unknownIsNotDead],
    ['late is counted from the limit itself', 'suspect.beatAgeMs > policy.lateMs', 'suspect.beatAgeMs >= policy.lateMs', theLivingAreOnlyReported],
    ['who was refused is waited for', "suspect.successor === 'possible'", "suspect.successor !== 'expected'", theDeadKeepOnlyForASuccessor],
    ['a successor comes only to a session', "suspect.successor === 'expected')", "suspect.successor === 'expected' && suspect.session === 'alive')", theDeadKeepOnlyForASuccessor],
    ['an up is waited for without end', ' && suspect.beatAgeMs < policy.adoptMs', '', theDeadAreReapedInTheEnd],
    ['an up is waited for only when it is late', 'suspect.beatAgeMs < policy.adoptMs', 'suspect.beatAgeMs > policy.adoptMs', theDeadAreReapedInTheEnd],
    ['the boot is not looked at', 'if (!suspect.sameBoot)', 'if (false)', anotherBootIsOver],
  ];
  it.each(faults)('%s', async (_what, find, replace, property) => {
    expect(await killedBy<Decide>(property, await importMutant('cleanup/decide.js', find, replace))).toBe(true);
  });
});
