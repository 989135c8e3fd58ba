import type { AgentStateKind } from '../../protocol/agent-state.js';
import type { Person } from './state.js';

/** What delivery reads of one look at a pane; tmux's own look has more in it, for the classifier. */
export interface Capture {
  readonly dead: boolean;
  readonly inMode: boolean;
  readonly cursor: { readonly x: number; readonly y: number };
  readonly people: readonly { readonly activeAtMs: number }[];
}

/** tmux tells the time of the last key in whole seconds. */
const TMUX_SECOND_MS = 1000;

/** Whether somebody types: is attached, and pressed a key within `quietMs`. */
export function personAt({ people }: Pick<Capture, 'people'>, quietMs: number, wallMs: number): Person {
  if (people.length === 0) return 'absent';
  return people.every((one) => wallMs - one.activeAtMs >= quietMs + TMUX_SECOND_MS) ? 'quiet' : 'typing';
}

export type Seen<C extends Capture> = { readonly kind: 'seen'; readonly capture: C } | { readonly kind: 'gone' } | { readonly kind: 'unknown'; readonly why: string };

export type Acted = { readonly kind: 'done' | 'dead' | 'in-mode' | 'moved' | 'gone' } | { readonly kind: 'unknown'; readonly why: string };

/** The pane, as tmux shows and guards it. */
export interface PanePort<C extends Capture = Capture> {
  observe(): Promise<Seen<C>>;
  leaveMode(): Promise<void>;
  paste(text: string): Promise<Acted>;
  /** Sent only while the cursor stands where `cursor` says. */
  key(key: string, cursor: { readonly x: number; readonly y: number }): Promise<Acted>;
}

/** What a screen shows. `draft`: what stands in the composer, '' when it is empty, undefined when no composer is on screen. */
export interface ScreenLook {
  readonly kind: AgentStateKind;
  readonly draft?: string | undefined;
  readonly dialog?: string | undefined;
}

/** One thing that the program itself wrote down. `prompt`: the words it took for a prompt, where the record has them. */
export interface ProofRecord {
  readonly source: 'event' | 'transcript';
  readonly prompt?: string | undefined;
  readonly what: string;
}

/** The program's own records: hook events, transcript. */
export interface ProofPort {
  /** False where it keeps none that tell of prompts: then the screen has to do. */
  readonly records: boolean;
  /** From here on; what was recorded before is no proof. */
  open(): Promise<() => Promise<readonly ProofRecord[]>>;
}

/** One writer per pane, over all processes. */
export interface PaneLock {
  take(): Promise<{ readonly kind: 'taken'; release(): Promise<void> } | { readonly kind: 'held'; readonly by: string }>;
}
