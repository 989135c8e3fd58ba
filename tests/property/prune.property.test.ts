import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import * as realDecide from '../../src/cleanup/worktree-decide.js';
import type { Checkout, PrunePolicy, WorktreeFacts } from '../../src/cleanup/worktree-state.js';
import type { Work } from '../../src/workspace/work.js';
import { forAll } from './for-all.js';
import { cleanMutants, importMutant, killedBy } from '../rig/mutants.js';

type Decide = typeof realDecide;

const work = fc.constantFrom<Work[]>({ kind: 'none' }, { kind: 'saved', ref: 'refs/snakepit/salvage/x' }, { kind: 'unsaved', what: '1 uncommitted: a', seen: 'h' }, { kind: 'nested', paths: ['own'] }, { kind: 'unknown', why: 'git did not say' });
const checkout = fc.constantFrom<Checkout[]>({ kind: 'sound' }, { kind: 'missing' }, { kind: 'broken' }, { kind: 'unknown', why: 'git did not say' });
const policy: fc.Arbitrary<PrunePolicy> = fc.record({ keepMs: fc.nat(1000), over: fc.boolean() });
/** Half of them as they must be to be pruned, with one thing otherwise. */
const whole: fc.Arbitrary<WorktreeFacts> = fc.record({
  id: fc.constant('x'), path: fc.constant('/w/x'), branch: fc.constant('snakepit/x'), state: fc.constantFrom('making', 'ready', 'releasing', 'released'), task: fc.constantFrom('ended', 'on-its-way'),
  endedAt: fc.constant(0), endedAgoMs: fc.nat(2000), checkout, locked: fc.constantFrom(undefined, '', 'mine', 'initializing'), work, users: fc.constantFrom<WorktreeFacts['users'][]>([], [7], 'unknown'),
  branchState: fc.constantFrom('merged', 'unmerged', 'checked-out', 'gone', 'unknown'),
});
const due: WorktreeFacts = { id: 'x', path: '/w/x', branch: 'snakepit/x', state: 'ready', task: 'ended', endedAt: 0, endedAgoMs: 5000, checkout: { kind: 'sound' }, locked: undefined, work: { kind: 'none' }, users: [], branchState: 'unknown' };
const facts = fc.oneof(whole, fc.tuple(whole, fc.constantFrom<(keyof WorktreeFacts)[]>('state', 'task', 'endedAgoMs', 'checkout', 'locked', 'work', 'users', 'branchState')).map(([one, key]) => ({ ...due, [key]: one[key] })));
const both = fc.tuple(policy, facts);

const removes = (m: Decide, of: PrunePolicy, one: WorktreeFacts): boolean => m.decidePrune(of, one).verb === 'prune' && m.decidePrune(of, one).kind === 'act';

const noWorkIsRemoved = (m: Decide): void =>
  forAll(both, ([of, one]) => {
    if (one.state === 'ready' && one.work.kind !== 'none' && one.work.kind !== 'saved') expect(removes(m, of, one)).toBe(false);
  }, 2000);
const nobodyIsRemovedFrom = (m: Decide): void =>
  forAll(both, ([of, one]) => {
    if (one.users === 'unknown' || one.users.length > 0) expect(removes(m, of, one)).toBe(false);
  }, 2000);
const locksHold = (m: Decide): void =>
  forAll(both, ([of, one]) => {
    if (one.locked !== undefined && !(one.locked === 'initializing' && one.state !== 'ready')) expect(['prune', 'forget']).not.toContain(m.decidePrune(of, one).verb);
  }, 2000);
const noneOnItsWay = (m: Decide): void =>
  forAll(both, ([of, one]) => {
    if (one.task !== 'on-its-way') return;
    expect(m.decidePrune(of, one).kind).toBe('keep');
    expect(m.decideSalvage(one).kind).toBe('keep');
  }, 2000);
const timeIsKept = (m: Decide): void =>
  forAll(both, ([of, one]) => {
    if (one.state === 'ready' && !of.over && one.endedAgoMs < of.keepMs) expect(removes(m, of, one)).toBe(false);
    if (removes(m, of, one)) expect(removes(m, of, { ...one, endedAgoMs: one.endedAgoMs + 5000 })).toBe(true);
  }, 2000);
const whatIsDueGoes = (m: Decide): void => forAll(policy, (of) => expect(removes(m, of, due)).toBe(true));
const onlyMergedBranchesGo = (m: Decide): void =>
  forAll(both, ([of, one]) => {
    if (m.decidePrune(of, one).verb === 'drop') expect([one.state, one.branchState === 'merged' || one.branchState === 'gone']).toEqual(['released', true]);
  }, 2000);
const workIsSalvaged = (m: Decide): void =>
  forAll(facts, (one) => {
    const sound = one.task === 'ended' && one.state === 'ready' && one.checkout.kind === 'sound';
    expect(m.decideSalvage(one).kind).toBe(!sound || one.work.kind === 'none' || one.work.kind === 'saved' ? 'keep' : one.work.kind === 'unsaved' ? 'act' : 'refuse');
  }, 2000);
const refusalsSayWhy = (m: Decide): void =>
  forAll(both, ([of, one]) => {
    for (const verdict of [m.decidePrune(of, one), m.decideSalvage(one)]) {
      expect(verdict.rule).not.toBe('');
      if (verdict.kind !== 'keep') expect(verdict.evidence).not.toBe('');
    }
  }, 2000);

describe('salvager and pruner', () => {
  it.each<[string, (m: Decide) => void]>([
    ['remove no work that is not kept', noWorkIsRemoved], ['remove nothing from under somebody, and unknown is not nobody', nobodyIsRemovedFrom], ['respect locks', locksHold],
    ['touch nothing of a task on its way', noneOnItsWay], ['keep to the time, and more time never saves', timeIsKept], ['remove what is due', whatIsDueGoes],
    ['delete only branches that are merged', onlyMergedBranchesGo], ['salvage all work of ended tasks', workIsSalvaged], ['say why', refusalsSayWhy],
  ])('%s', (_what, property) => property(realDecide));
});

describe('planted faults are noticed', () => {
  afterAll(cleanMutants);
  it.each<[string, string, string, (m: Decide) => void]>([
    ['the dirty are pruned', "return keep('its work is kept by the salvager first'", "return act('prune', 'its work is kept by the salvager first'", noWorkIsRemoved],
    ['what could not be seen is pruned', "case 'unknown':\n            return refuse('what it holds could not be seen', facts.work.why)", "case 'unknown':\n            return act('prune', 'x', 'y')", noWorkIsRemoved],
    ['a working directory is pruned', "if (facts.users.length > 0)\n        return refuse('a process works in it', pids(facts.users));\n    switch", 'switch', nobodyIsRemovedFrom],
    ['unknown is nobody', "if (facts.users === 'unknown')\n        return refuse('unknown is not nobody', 'the working directories of processes could not be read');\n    if (facts.users.length > 0)\n        return refuse('a process works in it', pids(facts.users));\n    switch", 'switch', nobodyIsRemovedFrom],
    ['the locked are pruned', "if (facts.locked !== undefined)\n        return lockedBy(facts.locked);\n    if (facts.users", 'if (facts.users', locksHold],
    ['a lock without a reason is none', 'if (facts.locked !== undefined)\n        return lockedBy', 'if (facts.locked)\n        return lockedBy', locksHold],
    ['branches that are not merged are deleted', "case 'unmerged':\n            return keep(", "case 'unmerged':\n            return act('drop', ", onlyMergedBranchesGo],
    ['branches of which nothing is known are deleted', "case 'unknown':\n            return keep('whether", "case 'unknown':\n            return act('drop', 'whether", onlyMergedBranchesGo],
    ['the time is not looked at', 'facts.endedAgoMs < policy.keepMs && !policy.over', 'false', timeIsKept],
    ['the budget is not looked at', '&& !policy.over', '', whatIsDueGoesWhenOver],
    ['tasks on their way are pruned', "if (facts.task === 'on-its-way')\n        return keep('its task is on its way');\n    const ended", 'const ended', noneOnItsWay],
    ['work is not salvaged', "return act('salvage', 'its task has ended, and nobody committed this'", "return keep('its task has ended, and nobody committed this'", workIsSalvaged],
  ])('%s', async (_what, find, replace, property) => {
    expect(await killedBy<Decide>(property, await importMutant('cleanup/worktree-decide.js', find, replace))).toBe(true);
  });
});

function whatIsDueGoesWhenOver(m: Decide): void {
  forAll(policy, (of) => expect(removes(m, { ...of, over: true }, { ...due, endedAgoMs: 0 })).toBe(true));
}
