import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import * as real from '../../src/merging/decide.js';
import type { MergeView } from '../../src/merging/state.js';
import type { Candidate } from '../../src/protocol/merging.js';
import { cleanMutants, importMutant, killedBy } from '../rig/mutants.js';
import { forAll } from './for-all.js';

type Decide = typeof real;

const sha = fc.constantFrom('a', 'b', 'c');
const candidate: fc.Arbitrary<Candidate> = fc.record({
  onto: sha, head: sha, commit: fc.option(fc.constant('m'), { nil: undefined }),
  conflicts: fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.constant(['x.txt']) }),
  violations: fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.constant([{ rule: 'deny', path: 'x', detail: 'd' }]) }),
});
const run = fc.record({ command: fc.constant('c'), code: fc.constantFrom(0, 1), tail: fc.constant([]) });
const view: fc.Arbitrary<MergeView> = fc.record({
  mode: fc.constantFrom('ff' as const, 'no-ff' as const, 'squash' as const, 'rebase' as const), into: fc.constant('t'), own: fc.boolean(), held: fc.nat(5).map((n) => n > 0),
  tip: fc.option(sha, { nil: undefined, freq: 6 }), occupied: fc.option(fc.constant({ path: '/x', how: 'checked out' }), { nil: undefined, freq: 2 }), head: sha, changed: fc.nat(5).map((n) => n > 0),
  headLanded: fc.nat(4).map((n) => n === 0), candidate: fc.option(candidate, { nil: undefined, freq: 5 }), candidateLanded: fc.nat(5).map((n) => n === 0),
  checks: fc.oneof(fc.constant(undefined), fc.constant('none' as const), fc.array(run, { maxLength: 2 })),
});

/** The target is moved only by its holder, from where the commit was made for, to what is lawful, joined and checked, and stands under nobody. */
const swapsOnlyWhatIsSound = (m: Decide): void =>
  forAll(view, (of) => {
    const step = m.decideMerge(of);
    if (step.kind !== 'swap') return;
    expect([of.held, of.changed, of.headLanded, of.occupied, of.candidateLanded]).toEqual([true, true, false, undefined, false]);
    expect([step.from, of.candidate?.onto, of.candidate?.head, step.to]).toEqual([of.tip, of.tip, of.head, of.candidate?.commit]);
    expect([of.candidate?.conflicts, of.candidate?.violations]).toEqual([[], []]);
    expect(of.checks === 'none' || of.checks?.every(({ code }) => code === 0)).toBe(true);
  }, 5000);

/** What lies in the target was merged, whoever holds the claim; and nothing else is called so. */
const mergedMeansLanded = (m: Decide): void =>
  forAll(view, (of) => {
    const step = m.decideMerge(of);
    const landed = of.candidate?.commit !== undefined && of.candidateLanded;
    const merged = step.kind === 'end' && step.end.kind === 'merged';
    if (landed) expect(merged).toBe(true);
    if (merged) expect(landed || (of.held && of.headLanded)).toBe(true);
    if (!landed && !of.held) expect(step.kind).toBe('give-up');
  }, 5000);

/** Whoever keeps its claim comes to an end, whatever lies there. */
const comesToAnEnd = (m: Decide): void =>
  forAll(fc.tuple(view, fc.array(fc.nat(9), { maxLength: 30 })), ([from, moves]) => {
    let of: MergeView = { ...from, held: true };
    for (let step = 0; step < 60; step += 1) {
      const next = m.decideMerge(of);
      if (next.kind === 'end') return;
      if (next.kind === 'give-up') throw new Error('it gave up what it holds');
      if (next.kind === 'found') of = { ...of, tip: 'base', candidateLanded: false, headLanded: false };
      if (next.kind === 'build') of = { ...of, candidate: { onto: next.onto, head: of.head, commit: 'new', conflicts: [], violations: [] }, candidateLanded: false, checks: undefined };
      if (next.kind === 'check') of = { ...of, checks: 'none' };
      // Sometimes somebody else was faster.
      if (next.kind === 'swap') of = (moves[step] ?? 9) < 3 ? { ...of, tip: `moved-${step}` } : { ...of, tip: next.to, candidateLanded: true };
    }
    throw new Error('it never ends');
  }, 2000);

const FILE = 'merging/decide.js';
const MUTANTS: readonly (readonly [string, string, string])[] = [
  ['a lost claim is merged', 'if (!view.held)', 'if (false)'],
  ['a branch that is checked out is moved', 'if (view.occupied !== undefined)', 'if (false)'],
  ['a stale commit is swapped in', 'candidate.onto !== tip || ', ''],
  ['a stale branch is swapped in', ' || candidate.head !== head', ''],
  ['conflicts are merged', 'candidate.conflicts.length > 0', 'false'],
  ['the policy is forgotten', 'candidate.violations.length > 0', 'false'],
  ['the checks are forgotten', 'if (view.checks === undefined)', 'if (false)'],
  ['failed checks are merged', 'if (bad !== undefined)', 'if (false)'],
  ['what was merged is merged again', '&& view.candidateLanded', '&& false'],
];

describe('the decision of a merge', () => {
  afterAll(cleanMutants);
  it('moves the target only to what is sound', () => swapsOnlyWhatIsSound(real));
  it('calls merged what lies in the target', () => mergedMeansLanded(real));
  it('comes to an end', () => comesToAnEnd(real));
  it.each(MUTANTS)('notices: %s', async (_name, find, replace) => {
    const mutant = (await importMutant(FILE, find, replace)) as Decide;
    expect((await killedBy(swapsOnlyWhatIsSound, mutant)) || (await killedBy(mergedMeansLanded, mutant)) || (await killedBy(comesToAnEnd, mutant))).toBe(true);
  });
});
