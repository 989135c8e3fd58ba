import { unreachable } from '../lib/unreachable.js';
import type { FailureReason, Outcome } from '../protocol/judge.js';
import type { FlowNext } from '../protocol/workflow.js';
import type { AttemptView, Orders, Step } from './state.js';

/** How often failed checks send the work back; its loop's rounds bound it too. */
export const SENT_BACK_TIMES = 20;

/** What is done where no step of the workflow runs. Pure and total. */
export function betweenSteps(view: AttemptView, next: Exclude<FlowNext, { kind: 'step' }>, orders: Orders): Step {
  const conclude = (outcome: Outcome): Step => ({ kind: 'conclude', outcome, rule: next.rule });
  const failed = (reason: FailureReason, detail: string, final = false): Step => conclude({ kind: 'failed', reason, detail, final });
  if (view.stop === 'cancelled') return failed('cancelled', 'a person cancelled it', true);
  if (view.stop === 'released') return conclude({ kind: 'released', detail: 'the pit went down between two steps' });
  switch (next.kind) {
    case 'broken':
      return failed('step-broken', next.rule);
    case 'rejected':
      return failed('review-rejected', next.rule, true);
    case 'exhausted':
      return view.attempt?.ask === 'fail' ? failed(next.failed === undefined ? 'review-exhausted' : 'children-failed', next.rule) : conclude({ kind: 'parked', reason: 'review', detail: next.rule, nth: asked(view) + 1 });
    case 'spent': {
      const bad = view.verify?.find((run) => run.code !== 0);
      return bad === undefined ? failed('review-exhausted', next.rule) : failed('verify-failed', `verify: ${bad.command} ended with status ${bad.code}; ${next.rule}`);
    }
    case 'await':
    case 'check':
    case 'count':
    case 'finished':
      break;
    default:
      return unreachable(next);
  }
  const bad = view.verify?.find((run) => run.code !== 0);
  const owed = next.kind === 'finished' && view.verify === undefined && view.verifyCommands.length > 0;
  // What is finished and owes nothing is concluded as it ended.
  if (next.kind !== 'finished' || owed || bad !== undefined) {
    if (view.cancelled) return { kind: 'stop', reason: 'cancelled', rule: 'a person cancelled it between two steps' };
    if (orders.release) return { kind: 'stop', reason: 'released', rule: 'the pit goes down now, between two steps' };
  }
  const { children } = view;
  if (next.kind === 'await' && children !== undefined && children.open.length > 0) {
    return conclude({ kind: 'released', detail: `it waits for its children: ${children.open.join(', ')}`, children: { ids: [...children.done, ...children.failed, ...children.open], at: children.at } });
  }
  if (next.kind !== 'finished') return { kind: 'look', rule: next.rule };
  if (owed) return { kind: 'verify', commands: view.verifyCommands, rule: 'its last step ended well; the checks are owed' };
  if (bad !== undefined) return { kind: 'send-back', why: `verify: ${bad.command} ended with status ${bad.code}\n\n${bad.tail.slice(-40).join('\n')}`.slice(0, 8000), rule: 'its checks failed' };
  return conclude({ kind: 'done', message: lastWords(view) });
}

/** What its last session that wrote said; a verdict says nothing of the work. */
function lastWords({ flow }: AttemptView): string {
  const ends = (flow?.events ?? []).flatMap((event) => (event.kind === 'step-ended' ? [event] : []));
  return (ends.findLast(({ verdict, message }) => verdict === undefined && message !== '') ?? ends.at(-1))?.message ?? '';
}

/** Questions of its sessions, and rulings of a person, so far. */
const asked = ({ attempt, flow }: AttemptView): number => (attempt?.asksBefore ?? 0) + (flow?.events ?? []).filter(({ kind }) => kind === 'ruled').length;
