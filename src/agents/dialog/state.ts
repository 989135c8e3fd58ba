import type { Person } from '../deliver/state.js';

/*
 * One dialog and the choice that its profile calls safe, under the pane's lock:
 *
 *      ┌─ wait, move, leave-mode ─┐      ┌─ wait ─┐
 *      └────────► looking ◄───────┘      └► pressed ◄┘
 *                  │   └──── press ────────► │
 *                  ▼                         ▼
 *        refused · gone (by itself)    gone · standing
 *
 * The key is sent once in one life of this machine, and only right after a look that showed the labelled row under the cursor (or, for a
 * key that chooses the row at once, the labelled row). "refused" is a promise that nothing was chosen.
 */

/** One look at the pane, as far as the dialog goes. */
export type DialogSight =
  | { readonly kind: 'ended'; readonly why: string }
  | { readonly kind: 'unseen'; readonly why: string }
  | {
      readonly kind: 'seen';
      /** The dialog that is up, by its id in the profile. */
      readonly dialog: string | undefined;
      readonly person: Person;
      /** Copy mode or a menu of tmux: somebody reads. */
      readonly inMode: boolean;
      /** Rows that bear the label of the safe choice. */
      readonly labelled: number;
      /** The labelled row is the one under the cursor. */
      readonly chosen: boolean;
      /** Which rows are under the cursor: it changes when the cursor moves. */
      readonly mark: string;
      /** What the dialog says, without cursor, figures and signs: it changes when another one takes its place. */
      readonly text: string;
    };

export interface ChoosePolicy {
  /** The dialog's id. */
  readonly dialog: string;
  /** It is chosen by a key of its own, without moving to it. */
  readonly direct: boolean;
  readonly lookEveryMs: number;
  /** Equal looks in a row before a key. */
  readonly calmLooks: number;
  /** From the first look to the first key: one that comes within 0.1 s of the painting is dropped (Claude Code, 0.2 s are enough). */
  readonly settleMs: number;
  /** How long a key may take to move the cursor before it is sent again. */
  readonly moveMs: number;
  readonly maxMoves: number;
  /** How late a move may still show: until then nothing is chosen while fewer moves were seen than were sent. */
  readonly lateMs: number;
  /** How long the labelled row is sought in all. */
  readonly patienceMs: number;
  /** Looks without the dialog that prove it gone, and how long it has for that. */
  readonly goneLooks: number;
  readonly goneMs: number;
}

export type ChooseState =
  | { readonly phase: 'looking'; readonly sinceMs: number; readonly calm: number; readonly mark: string; readonly text: string; readonly moves: number; readonly shifts: number; readonly movedAtMs: number; readonly movedFrom: string | undefined }
  | { readonly phase: 'pressed'; readonly pressedAtMs: number; readonly text: string; readonly gone: number };

/** Why nothing was chosen. */
export type ChooseTrouble = 'locked' | 'person' | 'in-mode' | 'unseen' | 'ended' | 'other' | 'no-label' | 'ambiguous' | 'unmoved';

/** What became of it. "gone": the dialog is no longer up (`keys` 0: by itself); "standing": the key was sent, and it is. */
export type ChooseReceipt =
  | { readonly kind: 'gone' | 'standing'; readonly keys: 0 | 1; readonly rule: string; readonly evidence: string }
  | { readonly kind: 'refused'; readonly reason: ChooseTrouble; readonly keys: 0; readonly rule: string; readonly evidence: string };

export type ChooseStep = { readonly kind: 'wait' | 'leave-mode' | 'move' | 'press'; readonly rule: string } | { readonly kind: 'end'; readonly receipt: ChooseReceipt };
