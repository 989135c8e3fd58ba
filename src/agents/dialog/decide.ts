import { unreachable } from '../../lib/unreachable.js';
import type { ChoosePolicy, ChooseReceipt, ChooseState, ChooseStep, ChooseTrouble, DialogSight } from './state.js';

type Seen = Extract<DialogSight, { kind: 'seen' }>;

const wait = (rule: string): ChooseStep => ({ kind: 'wait', rule });
const end = (receipt: ChooseReceipt): ChooseStep => ({ kind: 'end', receipt });
const refuse = (reason: ChooseTrouble, rule: string, evidence = ''): ChooseStep => end({ kind: 'refused', reason, keys: 0, rule, evidence });

export const beginChoosing = (nowMs: number): ChooseState => ({ phase: 'looking', sinceMs: nowMs, calm: 0, mark: '', text: '', moves: 0, shifts: 0, movedAtMs: nowMs, movedFrom: undefined });

/** What a look adds to what is remembered. Pure; before `decideChoice`. */
export function noteChoice(policy: ChoosePolicy, state: ChooseState, sight: DialogSight): ChooseState {
  if (sight.kind !== 'seen') return state.phase === 'looking' ? { ...state, calm: 0 } : { ...state, gone: 0 };
  switch (state.phase) {
    case 'looking': {
      const same = sight.dialog === policy.dialog && (state.calm === 0 || (sight.mark === state.mark && sight.text === state.text));
      return { ...state, calm: sight.dialog === policy.dialog ? (same ? state.calm + 1 : 1) : 0, mark: sight.mark, text: sight.text, shifts: state.moves > 0 && sight.dialog === policy.dialog && sight.mark !== state.mark ? state.shifts + 1 : state.shifts };
    }
    case 'pressed':
      return { ...state, gone: sight.dialog !== policy.dialog || sight.text !== state.text ? state.gone + 1 : 0 };
    default:
      return unreachable(state);
  }
}

/** State and look → the next step. Pure and total; order is precedence. */
export function decideChoice(policy: ChoosePolicy, state: ChooseState, sight: DialogSight, nowMs: number): ChooseStep {
  switch (state.phase) {
    case 'looking':
      return whileLooking(policy, state, sight, nowMs);
    case 'pressed':
      return whilePressed(policy, state, sight, nowMs);
    default:
      return unreachable(state);
  }
}

function whileLooking(policy: ChoosePolicy, state: Extract<ChooseState, { phase: 'looking' }>, sight: DialogSight, nowMs: number): ChooseStep {
  const over = nowMs >= state.sinceMs + policy.patienceMs;
  if (sight.kind === 'ended') return refuse('ended', 'its session has ended', sight.why);
  if (sight.kind === 'unseen') return over ? refuse('unseen', 'the pane cannot be looked at', sight.why) : wait('the pane cannot be looked at');
  if (sight.person === 'typing') return refuse('person', 'somebody is attached and pressed a key a moment ago');
  if (sight.inMode) return sight.person !== 'absent' || over ? refuse('in-mode', 'somebody reads in copy mode') : { kind: 'leave-mode', rule: 'in copy mode tmux takes the keys, and nobody is attached' };
  if (sight.dialog === undefined) return over ? end({ kind: 'gone', keys: 0, rule: 'it went by itself', evidence: '' }) : wait('it is not on the screen now');
  if (sight.dialog !== policy.dialog) return refuse('other', 'another dialog is up', sight.dialog);
  if (state.calm < policy.calmLooks || nowMs < state.sinceMs + policy.settleMs) return over ? refuse('unmoved', 'its screen never stood still') : wait('one look may be of a screen being painted');
  if (sight.labelled === 0) return over ? refuse('no-label', 'the safe choice is not on the screen') : wait('the safe choice is not on the screen yet');
  if (sight.labelled > 1) return refuse('ambiguous', `${sight.labelled} rows read like the safe choice`);
  if (policy.direct) return { kind: 'press', rule: 'the labelled row is there, and has a key of its own' };
  // A key that was sent twice, because the first showed late, moves the cursor away again right after this look.
  if (sight.chosen && state.shifts < state.moves && nowMs < state.movedAtMs + policy.lateMs) return wait('a move that was sent may still be shown');
  if (sight.chosen) return { kind: 'press', rule: 'the cursor stands on the labelled row' };
  return towards(policy, state, sight, nowMs, over);
}

function towards(policy: ChoosePolicy, state: Extract<ChooseState, { phase: 'looking' }>, sight: Seen, nowMs: number, over: boolean): ChooseStep {
  if (over || state.moves >= policy.maxMoves) return refuse('unmoved', `the cursor did not come to the labelled row in ${state.moves} moves`);
  if (state.movedFrom === sight.mark && nowMs < state.movedAtMs + policy.moveMs) return wait('a key was sent, and the cursor has not moved yet');
  return { kind: 'move', rule: 'the cursor stands on another row' };
}

function whilePressed(policy: ChoosePolicy, state: Extract<ChooseState, { phase: 'pressed' }>, sight: DialogSight, nowMs: number): ChooseStep {
  if (sight.kind === 'ended') return end({ kind: 'gone', keys: 1, rule: 'its session ended on it', evidence: sight.why });
  if (state.gone >= policy.goneLooks) return end({ kind: 'gone', keys: 1, rule: 'the safe choice was taken, and the dialog is gone', evidence: '' });
  if (nowMs < state.pressedAtMs + policy.goneMs) return wait('the key was sent; the dialog is to go');
  return end({ kind: 'standing', keys: 1, rule: sight.kind === 'unseen' ? 'the key was sent, and the pane cannot be looked at' : 'the key was sent, and the dialog still stands', evidence: sight.kind === 'unseen' ? sight.why : '' });
}

/** What a key adds: one that was sent, or of which that is not known. */
export function actedChoice(state: ChooseState, step: Exclude<ChooseStep, { kind: 'end' }>, nowMs: number): ChooseState {
  if (state.phase === 'pressed' || (step.kind !== 'press' && step.kind !== 'move')) return state;
  return step.kind === 'press' ? { phase: 'pressed', pressedAtMs: nowMs, text: state.text, gone: 0 } : { ...state, calm: 0, moves: state.moves + 1, movedAtMs: nowMs, movedFrom: state.mark };
}
