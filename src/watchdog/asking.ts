import type { ChooseReceipt } from '../agents/dialog/state.js';
import { unreachable } from '../lib/unreachable.js';
import type { AgentState } from '../protocol/agent-state.js';
import type { AskRecord } from '../protocol/records.js';
import type { AskPolicy } from '../protocol/task.js';

/** Presses at one dialog: a second one for a key that was lost, or whose pit was. */
export const MAX_PRESSES = 2;
/** Dialogs of one session that are answered: one that asks more is in a circle. */
export const MAX_ANSWERED = 20;
/** Programs tell of a question before they paint it: so long a dialog that is not on the screen is waited for. */
export const PAINT_MS = 5000;

/** Whether a state is a question to a person. */
export function asks({ kind }: AgentState): boolean {
  return kind === 'blocked-on-permission' || kind === 'blocked-on-dialog' || kind === 'waiting-for-input';
}

/** One agreed look at a session, as far as questions go. */
export interface AskLook {
  readonly state: AgentState;
  readonly screen: string;
  readonly policy: AskPolicy;
  /** The dialog on the screen, and the label that its profile calls safe. */
  readonly dialog: { readonly id: string; readonly label: string | undefined } | undefined;
}

export type AskAction =
  | { readonly kind: 'none'; readonly rule: string }
  /** A question that was not there before. */
  | { readonly kind: 'tell'; readonly rule: string }
  | { readonly kind: 'choose'; readonly dialog: string; readonly label: string; readonly rule: string }
  /** Nothing more is pressed: its snake ends the session, and the task is parked. */
  | { readonly kind: 'leave'; readonly rule: string; readonly evidence: string };

/** What is remembered then, to be written before the action is done; undefined: nothing was ever asked. */
export interface AskDecided {
  readonly record: AskRecord | undefined;
  readonly action: AskAction;
}

/** Pure and total: what is remembered of a session's questions, one agreed look, now → what is remembered then, and one action. */
export function decideAsk(before: AskRecord | undefined, look: AskLook, nowMs: number): AskDecided {
  if (!asks(look.state)) return { record: before?.open === true ? closed(before, nowMs) : before, action: { kind: 'none', rule: 'it asks nothing' } };
  const lags = look.policy === 'allow' && before?.open === false && before.answered > 0 && look.dialog === undefined && nowMs - before.at < PAINT_MS;
  if (lags) return { record: before, action: { kind: 'none', rule: 'its records may still tell of what was answered a moment ago' } };
  if (before?.open !== true || before.state.kind !== look.state.kind || before.state.rule !== look.state.rule) {
    const record: AskRecord = { v: 1, open: true, state: look.state, screen: look.screen, at: nowMs, presses: [], answered: before?.answered ?? 0, left: undefined };
    return { record, action: { kind: 'tell', rule: 'it asks something new' } };
  }
  if (look.policy !== 'allow') return { record: before, action: { kind: 'none', rule: 'the question is a person\'s' } };
  if (before.left !== undefined) return { record: before, action: { kind: 'none', rule: before.left.rule } };
  const leave = (rule: string, evidence = ''): AskDecided => ({ record: { ...before, at: nowMs, left: { rule, evidence } }, action: { kind: 'leave', rule, evidence } });
  const { dialog } = look;
  if (dialog === undefined) return nowMs - before.at < PAINT_MS ? { record: before, action: { kind: 'none', rule: 'its dialog is not on the screen yet' } } : leave('it asks, and no dialog of its is on the screen', look.state.evidence);
  if (dialog.label === undefined) return leave('its profile knows no safe answer to this dialog', dialog.id);
  if (before.presses.length >= MAX_PRESSES) return leave(`the dialog stands after ${before.presses.length} presses`, dialog.id);
  if (before.presses.length === 0 && before.answered >= MAX_ANSWERED) return leave(`${before.answered} dialogs of this session were answered already`, dialog.id);
  const record: AskRecord = { ...before, presses: [...before.presses, { at: nowMs, label: dialog.label }], answered: before.answered + (before.presses.length === 0 ? 1 : 0) };
  return { record, action: { kind: 'choose', dialog: dialog.id, label: dialog.label, rule: before.presses.length === 0 ? 'its profile calls this answer safe' : 'the dialog still stands: once more' } };
}

const closed = (record: AskRecord, nowMs: number): AskRecord => ({ ...record, open: false, at: nowMs, presses: [], left: undefined });

/** What came of a press. One that chose nothing is not counted; what a person does now, or another writer, leaves it open. */
export function afterChoice(record: AskRecord, receipt: ChooseReceipt, nowMs: number): AskRecord {
  const uncounted: AskRecord = { ...record, presses: record.presses.slice(0, -1), answered: record.answered - (record.presses.length === 1 ? 1 : 0) };
  switch (receipt.kind) {
    case 'gone':
      return closed(receipt.keys === 0 ? uncounted : record, nowMs);
    case 'standing':
      return { ...record, at: nowMs };
    case 'refused':
      switch (receipt.reason) {
        // Somebody is answering it: that is news of it.
        case 'person':
          return { ...uncounted, at: nowMs };
        case 'locked':
        case 'in-mode':
        case 'unseen':
        case 'ended':
        case 'other':
          return uncounted;
        case 'no-label':
        case 'ambiguous':
        case 'unmoved':
          return { ...uncounted, at: nowMs, left: { rule: receipt.rule, evidence: receipt.evidence } };
        default:
          return unreachable(receipt.reason);
      }
    default:
      return unreachable(receipt);
  }
}
