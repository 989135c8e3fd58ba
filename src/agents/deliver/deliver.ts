import type { Clock } from '../../lib/clock.js';
import { show } from '../../lib/text.js';
import { decide } from './decide.js';
import { acted, begin, note } from './note.js';
import { personAt, type Capture, type PaneLock, type PanePort, type ProofPort, type ProofRecord, type ScreenLook } from './ports.js';
import type { DeliveryPolicy, DeliveryState, Proof, Receipt, Sight } from './state.js';
import type { DeliveryTarget } from './target.js';
import { clean, composerOf, heldBefore, isIntact } from './text.js';

export interface DeliveryPorts<C extends Capture> {
  readonly clock: Clock;
  readonly pane: PanePort<C>;
  readonly look: (capture: C) => ScreenLook;
  readonly proof: ProofPort;
  readonly lock: PaneLock;
}

/** Brings one text into one composer and says what became of it: observe, decide, act, under the pane's lock. Never throws for what a pane does. */
export async function deliver<C extends Capture>(ports: DeliveryPorts<C>, target: DeliveryTarget, raw: string): Promise<Receipt> {
  const text = clean(raw);
  if (text.trim() === '') return { kind: 'refused', reason: 'empty-text', rule: 'there is nothing to say', evidence: '' };
  const policy: DeliveryPolicy = { ...target.policy, records: ports.proof.records };
  const startedAt = ports.clock.monoMs();
  for (;;) {
    const lock = await ports.lock.take();
    if (lock.kind === 'taken') {
      try {
        return await locked(ports, target, policy, text);
      } finally {
        await lock.release();
      }
    }
    if (ports.clock.monoMs() - startedAt >= policy.patienceMs) return { kind: 'refused', reason: 'locked', rule: 'another process types into this pane', evidence: lock.by };
    await ports.clock.sleep(policy.lookEveryMs);
  }
}

async function locked<C extends Capture>(ports: DeliveryPorts<C>, target: DeliveryTarget, policy: DeliveryPolicy, text: string): Promise<Receipt> {
  const { clock, pane } = ports;
  let state = begin(policy, clock.monoMs());
  let since: () => Promise<readonly ProofRecord[]> = async () => [];
  for (;;) {
    const seen = await pane.observe();
    const sight = sightOf(ports, target, state, seen, text);
    const proof = state.phase === 'clear' ? NONE : proofOf(await since(), text);
    state = note(policy, state, sight, clock.monoMs());
    const step = decide(policy, state, sight, proof, clock.monoMs());
    if (step.kind === 'end') return { ...step.receipt, evidence: show(step.receipt.evidence, 300) };
    if (step.kind === 'leave-mode') await pane.leaveMode();
    if (step.kind === 'paste' || step.kind === 'resume') {
      since = await ports.proof.open();
      const did = step.kind === 'paste' ? (await pane.paste(text)).kind : 'done';
      if (did === 'done' || did === 'unknown') state = acted(state, step, clock.monoMs());
    }
    if (step.kind === 'key' && seen.kind === 'seen') {
      const did = await pane.key(keyFor(target, step), seen.capture.cursor);
      if (did.kind === 'done' || did.kind === 'unknown') state = acted(state, step, clock.monoMs());
    }
    await clock.sleep(policy.lookEveryMs);
  }
}

/** From the third time on every other key is the spare one: a terminal may encode the named key in a way that the program does not know. */
const keyFor = (target: DeliveryTarget, step: { again: number; busy: boolean }): string => (step.busy && target.queueKey !== undefined ? target.queueKey : step.again >= 2 && step.again % 2 === 0 ? target.spareKey : target.key);

function sightOf<C extends Capture>(ports: DeliveryPorts<C>, target: DeliveryTarget, state: DeliveryState, seen: Awaited<ReturnType<PanePort<C>['observe']>>, text: string): Sight {
  if (seen.kind === 'gone') return { kind: 'gone' };
  if (seen.kind === 'unknown') return { kind: 'unseen', why: seen.why };
  const { capture } = seen;
  if (capture.dead) return { kind: 'dead' };
  const look = ports.look(capture);
  return {
    kind: 'seen', inMode: capture.inMode, agent: look.kind, dialog: look.dialog, draft: look.draft ?? '',
    person: personAt(capture, target.quietMs, ports.clock.wallMs()),
    composer: state.phase === 'clear' ? heldBefore(look.draft, text) : composerOf(look.draft, text, target.folded, ports.proof.records),
  };
}

const NONE: Proof = { kind: 'none' };

function proofOf(records: readonly ProofRecord[], text: string): Proof {
  const exact = records.find((one) => one.prompt !== undefined && isIntact(one.prompt, text));
  if (exact !== undefined) return { kind: 'recorded', source: exact.source, what: exact.what };
  const other = records.find((one) => one.prompt !== undefined);
  if (other !== undefined) return { kind: 'altered', what: other.prompt ?? '' };
  const grown = records[0];
  return grown === undefined ? NONE : { kind: 'grown', source: grown.source, what: grown.what };
}
