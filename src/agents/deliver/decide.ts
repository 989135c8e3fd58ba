import type { AgentStateKind } from '../../protocol/agent-state.js';
import { unreachable } from '../../lib/unreachable.js';
import type { DeliveryPolicy, DeliveryState, DeliveryStep, Proof, Receipt, Sight, Trouble } from './state.js';

/** Looks without the text, before it is taken as gone from the composer. */
const LEFT_LOOKS = 2;

type Seen = Extract<Sight, { kind: 'seen' }>;
interface Hindrance {
  readonly reason: Trouble;
  readonly rule: string;
  readonly evidence: string;
}

export const isBusy = (agent: AgentStateKind): boolean => agent === 'working' || agent === 'retrying';
const holdsOurs = (sight: Seen): boolean => sight.composer === 'ours' || sight.composer === 'folded';
const hinders = (reason: Trouble, rule: string, evidence = ''): Hindrance => ({ reason, rule, evidence });
const wait = (rule: string): DeliveryStep => ({ kind: 'wait', rule });
const end = (receipt: Receipt): DeliveryStep => ({ kind: 'end', receipt });

/** State, look and records → the next step. Pure and total: every combination has an answer. Order is precedence. */
export function decide(policy: DeliveryPolicy, state: DeliveryState, sight: Sight, proof: Proof, nowMs: number): DeliveryStep {
  switch (state.phase) {
    case 'clear':
      return whileClear(policy, state, sight, nowMs);
    case 'pasted':
      return proof.kind === 'recorded' ? recorded(proof, 0) : whilePasted(policy, state, sight, nowMs);
    case 'keyed':
      return proof.kind === 'recorded' ? recorded(proof, state.keys) : whileKeyed(policy, state, sight, proof, nowMs);
    default:
      return unreachable(state);
  }
}

/** What forbids any key at all, in the order in which it is told. */
function forbids(sight: Sight): Hindrance | undefined {
  if (sight.kind === 'gone') return hinders('gone', 'the session is not there');
  if (sight.kind === 'dead') return hinders('dead', 'its program has ended: the pane is dead');
  if (sight.kind === 'unseen') return hinders('unseen', 'the pane cannot be looked at', sight.why);
  if (sight.agent === 'crashed' || sight.agent === 'exited') return hinders('ended', 'its program has ended', sight.agent);
  if (sight.person === 'typing') return hinders('person', 'somebody is attached and pressed a key a moment ago');
  if (sight.dialog !== undefined) return hinders('dialog', 'a dialog is up: it would take the keys', sight.dialog);
  if (sight.agent === 'blocked-on-dialog' || sight.agent === 'blocked-on-permission') return hinders('dialog', 'a dialog is up: it would take the keys', sight.agent);
  return undefined;
}

/** What forbids to begin: all of that, and a composer that is not ready, not empty, or not to be used while it works. */
function forbidsPaste(policy: DeliveryPolicy, sight: Sight): Hindrance | undefined {
  const hindrance = forbids(sight);
  if (hindrance !== undefined || sight.kind !== 'seen') return hindrance;
  if (sight.agent === 'starting' || sight.agent === 'unknown') return hinders('not-ready', 'it is not known to be ready', sight.agent);
  if (sight.composer === 'none') return hinders('no-composer', 'no composer is on screen', sight.agent);
  if (sight.composer !== 'empty' && sight.composer !== 'ours') return hinders('draft', 'the composer holds a text that is not ours to send', sight.draft);
  if (policy.busy === 'wait' && isBusy(sight.agent)) return hinders('busy', 'it works, and takes no text while it does', sight.agent);
  return undefined;
}

/** Fit for the first character: nothing forbids it, and keys go to the program. */
export const isFit = (policy: DeliveryPolicy, sight: Sight): boolean => forbidsPaste(policy, sight) === undefined && sight.kind === 'seen' && !sight.inMode;

function whileClear(policy: DeliveryPolicy, state: Extract<DeliveryState, { phase: 'clear' }>, sight: Sight, nowMs: number): DeliveryStep {
  const over = nowMs >= state.sinceMs + policy.patienceMs;
  const hindrance = forbidsPaste(policy, sight);
  if (hindrance !== undefined) {
    const hopeless = hindrance.reason === 'gone' || hindrance.reason === 'dead' || hindrance.reason === 'ended';
    return over || hopeless ? end({ kind: 'refused', ...hindrance }) : wait(hindrance.rule);
  }
  if (sight.kind !== 'seen') return wait('the pane cannot be looked at');
  if (sight.inMode) return over ? end({ kind: 'refused', ...hinders('in-mode', 'the pane does not leave copy mode') }) : { kind: 'leave-mode', rule: 'in copy mode tmux takes the keys' };
  if (state.calm < policy.calmLooks) return wait('it looks ready; one look may be of a screen being painted');
  if (state.fresh && nowMs < state.fitSinceMs + policy.settleMs) return wait('its composer is new: a text that comes too soon loses its head');
  return sight.composer === 'ours' ? { kind: 'resume', rule: 'the composer holds this very text already: only the key is missing' } : { kind: 'paste', rule: 'the composer is there, empty, and nobody types' };
}

function whilePasted(policy: DeliveryPolicy, state: Extract<DeliveryState, { phase: 'pasted' }>, sight: Sight, nowMs: number): DeliveryStep {
  const lost = (hindrance: Hindrance): DeliveryStep => end({ kind: 'unconfirmed', keys: 0, ...hindrance });
  const over = nowMs >= state.sinceMs + policy.landMs;
  const hindrance = forbids(sight);
  if (hindrance !== undefined) {
    const hopeless = hindrance.reason === 'gone' || hindrance.reason === 'dead' || hindrance.reason === 'ended';
    const late = over && nowMs >= state.sinceMs + policy.patienceMs;
    return hopeless || late ? lost(hindrance) : wait(hindrance.rule);
  }
  if (sight.kind !== 'seen') return wait('the pane cannot be looked at');
  if (sight.inMode) return over ? lost(hinders('in-mode', 'the pane does not leave copy mode')) : { kind: 'leave-mode', rule: 'in copy mode tmux takes the keys' };
  if (!holdsOurs(sight)) {
    if (!over) return wait('the text has not shown up in the composer yet');
    return lost(sight.composer === 'mixed' || sight.composer === 'foreign' ? hinders('mixed', 'the composer holds another text than ours: no key was sent', sight.draft) : hinders('not-landed', 'the text never showed up in the composer: no key was sent', sight.agent));
  }
  if (nowMs >= state.sinceMs + policy.landMs + policy.patienceMs) return lost(hinders('not-landed', 'the text is in the composer, and the screen never stood still for a key', sight.draft));
  if (state.still < policy.stillLooks || nowMs < state.stillSinceMs + policy.delayMs) return wait('the key comes after its delay, when the text stands still');
  const busy = isBusy(sight.agent);
  if (busy && policy.busy === 'wait') return over && nowMs >= state.sinceMs + policy.patienceMs ? lost(hinders('busy', 'it began to work, and a key would interrupt it', sight.agent)) : wait('it works: a key would interrupt it');
  return { kind: 'key', again: 0, busy, rule: 'the text stands in the composer' };
}

function whileKeyed(policy: DeliveryPolicy, state: Extract<DeliveryState, { phase: 'keyed' }>, sight: Sight, proof: Proof, nowMs: number): DeliveryStep {
  const lost = (hindrance: Hindrance): DeliveryStep => end({ kind: 'unconfirmed', keys: state.keys, ...hindrance });
  const over = nowMs >= state.keyedAtMs + policy.proofMs;
  const hindrance = forbids(sight);
  if (hindrance !== undefined && (hindrance.reason === 'gone' || hindrance.reason === 'dead' || hindrance.reason === 'ended')) return over || nowMs >= state.keyedAtMs + policy.graceMs ? lost(hindrance) : wait('it ended; what it recorded is still read');
  if (sight.kind !== 'seen') return over ? lost(hinders('unseen', 'the pane cannot be looked at')) : wait('the pane cannot be looked at');
  if (holdsOurs(sight) || sight.composer === 'mixed') {
    if (over) return lost(hindrance ?? hinders(sight.composer === 'mixed' ? 'mixed' : 'stuck', 'the text stands in the composer', sight.draft));
    if (hindrance !== undefined) return wait(hindrance.rule);
    if (sight.composer === 'mixed') return wait('the composer holds more than our text: no key is sent');
    if (sight.inMode) return { kind: 'leave-mode', rule: 'in copy mode tmux takes the keys' };
    if (nowMs < state.keyedAtMs + policy.retryMs) return wait('the key was sent a moment ago');
    if (isBusy(sight.agent) && policy.busy === 'wait') return wait('it works: a key would interrupt it');
    if (state.keys >= policy.maxKeys) return lost(hinders('stuck', `the text still stands in the composer after ${state.keys} keys`, sight.draft));
    return { kind: 'key', again: state.keys, busy: isBusy(sight.agent), rule: 'the text still stands in the composer: the key alone, again' };
  }
  const weak = whatTheScreenProves(policy, state, sight, proof, nowMs);
  if (weak !== undefined) return weak;
  if (!over) return wait('no proof yet');
  if (proof.kind === 'altered') return lost(hinders('altered', 'the program recorded another prompt than this', proof.what));
  return lost(hindrance ?? hinders('unrecorded', 'the text left the composer, and nothing shows that it was taken', `${sight.agent} ${sight.draft}`.trim()));
}

/** The text has left the composer. A better proof is given its time first. */
function whatTheScreenProves(policy: DeliveryPolicy, state: Extract<DeliveryState, { phase: 'keyed' }>, sight: Seen, proof: Proof, nowMs: number): DeliveryStep | undefined {
  const { keys } = state;
  if (state.left < LEFT_LOOKS || nowMs < state.leftSinceMs + (policy.records ? policy.graceMs : 0)) return undefined;
  if (state.busy && sight.composer === 'empty') return end({ kind: 'queued', keys, rule: 'it worked when the key came, and the text has left the composer', evidence: sight.agent });
  if (proof.kind === 'altered') return end({ kind: 'unconfirmed', reason: 'altered', keys, rule: 'the program recorded another prompt than this', evidence: proof.what });
  if (proof.kind === 'grown') return end({ kind: 'submitted', proof: proof.source, keys, rule: 'the text left the composer, and the program recorded something', evidence: proof.what });
  if (state.worked) return end({ kind: 'submitted', proof: 'busy', keys, rule: 'the text left the composer, and it began to work', evidence: sight.agent });
  if (!policy.records && sight.composer === 'empty' && nowMs >= state.leftSinceMs + policy.graceMs) return end({ kind: 'submitted', proof: 'emptied', keys, rule: 'the text left the composer; this program records no prompts', evidence: sight.agent });
  return undefined;
}

const recorded = (proof: Extract<Proof, { kind: 'recorded' }>, keys: number): DeliveryStep => end({ kind: 'submitted', proof: proof.source, keys, rule: 'the program recorded this very text as a prompt', evidence: proof.what });
