import type { Clock } from '../../lib/clock.js';
import { show } from '../../lib/text.js';
import { personAt, type Acted, type Capture, type PaneLock, type Seen } from '../deliver/ports.js';
import { actedChoice, beginChoosing, decideChoice, noteChoice } from './decide.js';
import { choicesOn, type SafeAnswer } from './rows.js';
import type { ChoosePolicy, ChooseReceipt, DialogSight } from './state.js';

/** What choosing needs of a look: its rows besides what delivery reads. */
export interface DialogCapture extends Capture {
  readonly text: string;
}

export interface ChoosePorts<C extends DialogCapture> {
  readonly clock: Clock;
  readonly pane: { observe(): Promise<Seen<C>>; leaveMode(): Promise<void>; key(key: string, cursor: { readonly x: number; readonly y: number }): Promise<Acted> };
  /** The dialog that a look shows, by its id. */
  readonly dialogOn: (capture: C) => string | undefined;
  readonly lock: PaneLock;
}

export const CHOOSE_POLICY: Omit<ChoosePolicy, 'dialog' | 'direct'> = { lookEveryMs: 150, calmLooks: 2, settleMs: 250, moveMs: 1000, maxMoves: 12, lateMs: 3000, patienceMs: 10_000, goneLooks: 2, goneMs: 5000 };

/** A terminal whose last key is older than this is one that nobody types at. */
const QUIET_MS = 10_000;

/** Takes the safe choice of one dialog and proves that the dialog went: observe, decide, act, under the pane's lock. Never throws for what a pane does. */
export async function choose<C extends DialogCapture>(ports: ChoosePorts<C>, dialog: string, answer: SafeAnswer, policy = CHOOSE_POLICY): Promise<ChooseReceipt> {
  const lock = await ports.lock.take();
  if (lock.kind === 'held') return { kind: 'refused', reason: 'locked', keys: 0, rule: 'another process types into this pane', evidence: lock.by };
  try {
    return await locked(ports, { ...policy, dialog, direct: answer.key !== undefined }, answer);
  } finally {
    await lock.release();
  }
}

async function locked<C extends DialogCapture>({ clock, pane, dialogOn }: ChoosePorts<C>, policy: ChoosePolicy, answer: SafeAnswer): Promise<ChooseReceipt> {
  let state = beginChoosing(clock.monoMs());
  for (;;) {
    const seen = await pane.observe();
    const sight = sightOf(seen, dialogOn, answer, clock.wallMs());
    state = noteChoice(policy, state, sight);
    const step = decideChoice(policy, state, sight, clock.monoMs());
    if (step.kind === 'end') return { ...step.receipt, evidence: show(step.receipt.evidence, 300) };
    if (step.kind === 'leave-mode') await pane.leaveMode();
    else if (step.kind !== 'wait' && seen.kind === 'seen') {
      // The server sends it only while the terminal's cursor stands where this look saw it.
      const did = await pane.key(step.kind === 'move' ? answer.next : (answer.key ?? answer.submit), seen.capture.cursor);
      if (did.kind === 'done' || did.kind === 'unknown') state = actedChoice(state, step, clock.monoMs());
    }
    await clock.sleep(policy.lookEveryMs);
  }
}

function sightOf<C extends DialogCapture>(seen: Seen<C>, dialogOn: (capture: C) => string | undefined, answer: SafeAnswer, wallMs: number): DialogSight {
  if (seen.kind === 'gone') return { kind: 'ended', why: 'the session is not there' };
  if (seen.kind === 'unknown') return { kind: 'unseen', why: seen.why };
  const { capture } = seen;
  if (capture.dead) return { kind: 'ended', why: 'its program has ended: the pane is dead' };
  return { kind: 'seen', dialog: dialogOn(capture), inMode: capture.inMode, person: personAt(capture, QUIET_MS, wallMs), ...choicesOn(answer, capture.text) };
}
