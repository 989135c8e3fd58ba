import { unreachable } from '../lib/unreachable.js';
import type { Outcome } from '../protocol/judge.js';
import type { MergeEnd } from '../protocol/merging.js';
import { describeViolations } from './judge-diff.js';

/** Pure: how the merge ended → how the attempt ended. `sentBack`: how often the task was sent back since its counters began; `asked`: how often it asked a person. */
export function outcomeOf(end: MergeEnd, done: Extract<Outcome, { kind: 'done' }>, facts: { readonly fixRounds: number; readonly sentBack: number; readonly asked: number; readonly branch: string }): Outcome {
  const back = (reason: 'merge-conflict' | 'merge-checks', detail: string): Outcome =>
    facts.sentBack < facts.fixRounds ? { kind: 'sent-back', reason, detail } : { kind: 'parked', reason: 'merge', detail: `${detail}; it was sent back ${facts.sentBack} times`, nth: facts.asked + 1 };
  switch (end.kind) {
    case 'kept':
    case 'nothing':
    case 'merged':
    case 'proposed':
      return done;
    case 'violation':
      return { kind: 'failed', reason: 'policy-violation', detail: describeViolations(end.violations), final: false };
    case 'conflict': {
      const what = end.paths.length === 0 ? `${end.into} has moved on` : `it conflicts with ${end.into} in ${end.paths.slice(0, 20).join(', ')}${end.paths.length > 20 ? ` and ${end.paths.length - 20} more` : ''}`;
      return back('merge-conflict', `${what}; merge ${end.tip} into ${facts.branch}, keep what both sides mean, and commit`);
    }
    case 'checks-failed':
      return back('merge-checks', `merged with ${end.into} (${end.tip}), ${end.check.command} ends with status ${end.check.code}: ${end.check.tail.slice(-5).join(' | ').slice(0, 600)}; merge ${end.tip} into ${facts.branch}, mend it, and commit`);
    case 'blocked':
      return { kind: 'parked', reason: 'merge', detail: `${end.why}; it was not merged, and its branch ${facts.branch} is kept`, nth: facts.asked + 1 };
    default:
      return unreachable(end);
  }
}
