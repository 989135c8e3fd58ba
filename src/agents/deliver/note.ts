import { unreachable } from '../../lib/unreachable.js';
import { isBusy, isFit } from './decide.js';
import type { DeliveryPolicy, DeliveryState, DeliveryStep, Sight } from './state.js';

export const begin = (policy: DeliveryPolicy, nowMs: number): DeliveryState => ({ phase: 'clear', sinceMs: nowMs, calm: 0, fitSinceMs: nowMs, fresh: policy.fresh });

/** What a look adds to what is remembered. Pure; before `decide`. */
export function note(policy: DeliveryPolicy, state: DeliveryState, sight: Sight, nowMs: number): DeliveryState {
  switch (state.phase) {
    case 'clear': {
      const fit = isFit(policy, sight);
      const fresh = state.fresh || (sight.kind === 'seen' && (sight.agent === 'starting' || sight.composer === 'none'));
      return { ...state, fresh, calm: fit ? state.calm + 1 : 0, fitSinceMs: fit && state.calm > 0 ? state.fitSinceMs : nowMs };
    }
    case 'pasted': {
      const there = sight.kind === 'seen' && (sight.composer === 'ours' || sight.composer === 'folded');
      const draft = sight.kind === 'seen' ? sight.draft : '';
      const same = there && state.still > 0 && draft === state.draft;
      return { ...state, draft, still: there ? (same ? state.still + 1 : 1) : 0, stillSinceMs: same ? state.stillSinceMs : nowMs };
    }
    case 'keyed': {
      // Behind a dialog nothing of the composer is known, whatever is painted there.
      const left = sight.kind === 'seen' && sight.dialog === undefined && (sight.composer === 'empty' || sight.composer === 'none' || sight.composer === 'foreign');
      const worked = state.worked || (!state.busy && sight.kind === 'seen' && isBusy(sight.agent));
      return { ...state, worked, left: left ? state.left + 1 : 0, leftSinceMs: left && state.left > 0 ? state.leftSinceMs : nowMs };
    }
    default:
      return unreachable(state);
  }
}

/** What an act adds: a paste or a key that was sent, or of which it is not known. */
export function acted(state: DeliveryState, step: Extract<DeliveryStep, { kind: 'paste' | 'resume' } | { kind: 'key' }>, nowMs: number): DeliveryState {
  if (step.kind !== 'key') return { phase: 'pasted', sinceMs: nowMs, still: 0, stillSinceMs: nowMs, draft: '' };
  return { phase: 'keyed', sinceMs: state.sinceMs, keys: step.again + 1, keyedAtMs: nowMs, busy: step.busy, left: 0, leftSinceMs: nowMs, worked: false };
}
