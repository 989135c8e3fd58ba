import type { AgentStateKind } from '../../protocol/agent-state.js';

/*
 * One text on its way into one composer, under the pane's lock:
 *
 *            ┌─ wait, leave-mode ─┐        ┌─ wait, leave-mode ─┐        ┌─ wait, leave-mode, key ─┐
 *            └──────► clear ◄─────┘        └─────► pasted ◄─────┘        └───────► keyed ◄─────────┘
 *                       │  └────── paste, resume ──► │ └──────────── key ──────────► │
 *                       ▼                            ▼                               ▼
 *                    refused                    unconfirmed              submitted · queued · unconfirmed
 *
 * "refused" is a promise that not one character was typed, so it may be asked for again. The text is pasted once, ever; only
 * the key is repeated. `resume`: the composer already holds this very text, left by an earlier try whose key came to nothing.
 */

export interface DeliveryPolicy {
  /** How long a pane that is not fit is waited for before the first character; a caller's choice. */
  readonly patienceMs: number;
  readonly lookEveryMs: number;
  /** Fit looks in a row before the paste: a screen that is being painted may show an empty composer for an instant. */
  readonly calmLooks: number;
  /** How long a composer must have been there before the first text of a session (14 of 15 pastes without it, 15 of 15 with 1 s). */
  readonly settleMs: number;
  /** Was the program started a moment ago? Also assumed after a look that showed no composer. */
  readonly fresh: boolean;
  /** How long the text may take to show up and stand still in the composer. */
  readonly landMs: number;
  /** Equal looks at the composer before the key. */
  readonly stillLooks: number;
  /** From the text standing still to the key; a key right after the text is swallowed by design (Codex, Gemini: 0 of 30). */
  readonly delayMs: number;
  /** From one key to the next, while the text stays in the composer. */
  readonly retryMs: number;
  readonly maxKeys: number;
  /** From the last key to giving up: a first prompt may take more than 4 s to be recorded (OpenCode). */
  readonly proofMs: number;
  /** How long a better proof is waited for once the screen shows a weaker one. */
  readonly graceMs: number;
  /** Whether text may go in while it works. "wait": only between turns. */
  readonly busy: 'type' | 'wait';
  /** The program records prompts itself, so an emptied composer alone proves nothing. */
  readonly records: boolean;
}

/** What the composer holds: our text, a marker that folds it, our text and more, or something else. */
export type Composer = 'none' | 'empty' | 'ours' | 'folded' | 'mixed' | 'foreign';
/** "typing": somebody is attached and pressed a key a moment ago. */
export type Person = 'absent' | 'quiet' | 'typing';

export type Sight =
  | { readonly kind: 'gone' }
  | { readonly kind: 'dead' }
  | { readonly kind: 'unseen'; readonly why: string }
  | { readonly kind: 'seen'; readonly inMode: boolean; readonly person: Person; readonly agent: AgentStateKind; readonly dialog: string | undefined; readonly composer: Composer; readonly draft: string };

export type Proof =
  | { readonly kind: 'none' }
  /** The program recorded this very text as a prompt. */
  | { readonly kind: 'recorded'; readonly source: 'event' | 'transcript'; readonly what: string }
  /** It recorded something that tells no words. */
  | { readonly kind: 'grown'; readonly source: 'event' | 'transcript'; readonly what: string }
  /** It recorded another prompt than this. */
  | { readonly kind: 'altered'; readonly what: string };

export type DeliveryState =
  /** `calm`: fit looks in a row; `fitSinceMs`: since when; `fresh`: not fit yet, or started a moment ago. */
  | { readonly phase: 'clear'; readonly sinceMs: number; readonly calm: number; readonly fitSinceMs: number; readonly fresh: boolean }
  /** `still`: equal looks in a row at what the composer holds. */
  | { readonly phase: 'pasted'; readonly sinceMs: number; readonly still: number; readonly stillSinceMs: number; readonly draft: string }
  /** `busy`: it worked when the last key was sent; `left`: looks in a row without the text, since `leftSinceMs`; `worked`: a sign of work has been seen since the key. */
  | { readonly phase: 'keyed'; readonly sinceMs: number; readonly keys: number; readonly keyedAtMs: number; readonly busy: boolean; readonly left: number; readonly leftSinceMs: number; readonly worked: boolean };

/** Why nothing was typed, or why it is not known what became of it. */
export type Trouble =
  | 'locked' | 'empty-text' | 'gone' | 'dead' | 'unseen' | 'person' | 'in-mode' | 'dialog' | 'ended' | 'not-ready' | 'no-composer' | 'draft' | 'busy'
  | 'not-landed' | 'mixed' | 'stuck' | 'altered' | 'unrecorded';

/** What became of one text. `evidence` is what was seen; `keys`: how often the submit key was sent. */
export type Receipt =
  | { readonly kind: 'submitted'; readonly proof: 'event' | 'transcript' | 'busy' | 'emptied'; readonly keys: number; readonly rule: string; readonly evidence: string }
  | { readonly kind: 'queued'; readonly keys: number; readonly rule: string; readonly evidence: string }
  | { readonly kind: 'refused'; readonly reason: Trouble; readonly rule: string; readonly evidence: string }
  | { readonly kind: 'unconfirmed'; readonly reason: Trouble; readonly keys: number; readonly rule: string; readonly evidence: string };

/** The next step, with the rule that chose it. `key.again`: how many went before; `busy`: it works now. */
export type DeliveryStep =
  | { readonly kind: 'wait' | 'leave-mode'; readonly rule: string }
  | { readonly kind: 'paste' | 'resume'; readonly rule: string }
  | { readonly kind: 'key'; readonly again: number; readonly busy: boolean; readonly rule: string }
  | { readonly kind: 'end'; readonly receipt: Receipt };
