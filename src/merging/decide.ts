import type { MergeStep, MergeView } from './state.js';

/** Facts → the next step of a merge. Pure and total. Order is precedence: what has happened is recorded, whoever holds the claim now. */
export function decideMerge(view: MergeView): MergeStep {
  const { into, tip, candidate, head } = view;
  if (candidate?.commit !== undefined && view.candidateLanded) return { kind: 'end', end: { kind: 'merged', into, commit: candidate.commit, onto: candidate.onto }, rule: 'the recorded commit lies in the target' };
  if (!view.held) return { kind: 'give-up', rule: 'the claim is no longer ours' };
  if (!view.changed) return { kind: 'end', end: { kind: 'nothing' }, rule: 'its branch has no change' };
  if (tip === undefined) {
    return view.own ? { kind: 'found', rule: 'the integration branch is not there yet' } : { kind: 'end', end: { kind: 'blocked', into, why: `there is no branch ${into}` }, rule: 'the target does not exist' };
  }
  if (view.headLanded) return { kind: 'end', end: { kind: 'merged', into, commit: head, onto: tip }, rule: 'all of its branch lies in the target already' };
  if (view.occupied !== undefined) return { kind: 'end', end: { kind: 'blocked', into, why: `${into} is ${view.occupied.how} in ${view.occupied.path}` }, rule: 'a branch that is checked out is never moved' };
  if (candidate === undefined || candidate.onto !== tip || candidate.head !== head) return { kind: 'build', onto: tip, rule: candidate === undefined ? 'nothing is built' : 'the target or the branch has moved since it was built' };
  if (candidate.commit === undefined || candidate.conflicts.length > 0) return { kind: 'end', end: { kind: 'conflict', into, tip, paths: candidate.conflicts }, rule: 'the two sides cannot be joined' };
  if (candidate.violations.length > 0) return { kind: 'end', end: { kind: 'violation', violations: candidate.violations }, rule: 'the diff breaks the policy' };
  if (view.checks === undefined) return { kind: 'check', commit: candidate.commit, rule: 'the checks are owed on the merged tree' };
  const bad = view.checks === 'none' ? undefined : view.checks.find((run) => run.code !== 0);
  if (bad !== undefined) return { kind: 'end', end: { kind: 'checks-failed', into, tip, check: bad }, rule: 'the checks fail on the merged tree' };
  return { kind: 'swap', from: tip, to: candidate.commit, rule: 'built, lawful and checked on what the target is now' };
}
