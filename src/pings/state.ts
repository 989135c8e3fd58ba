import type { EventLine } from '../events/event.js';
import type { ProcessIdentity } from '../lib/processes.js';
import type { WeekSpan } from '../lib/week-hours.js';

/*
 * From an event to a line in somebody's composer:
 *
 *   source ──look──► match (rule, cursor) ──► outbox/<id>.json ──► cursor moves ──► deliver ──► receipt, event ──► file removed
 *
 * An outbox file lies on disk before its rule's cursor moves, under a name that rule, event and target give, so a crash between
 * the two writes it once. It is delivered only after the cursor has moved, or a repeated look would make it anew:
 *
 *   queued ──► begun ──► settled ──► (removed)
 *     ▲          │ refused, nothing was typed
 *     └──────────┘
 *
 * "begun" by a process that is dead is reported unconfirmed, and never typed again; a hook's, which may be called twice, is queued again.
 */

/** What a rule listens to. Texts in `match`, `task` and `files` may hold `*`. */
export type Source =
  | { readonly kind: 'commit'; readonly repo: string; readonly ref: string; readonly subject: string }
  | { readonly kind: 'settled'; readonly state: SettledState | undefined; readonly tag: string | undefined; readonly task: string | undefined }
  | { readonly kind: 'inbox'; readonly dir: string; readonly files: string }
  | { readonly kind: 'event'; readonly event: string; readonly match: Readonly<Record<string, string | number | boolean>> }
  /** Of a hook: every event of these kinds, whole. */
  | { readonly kind: 'events'; readonly kinds: readonly string[] };

/** What a hook does with an event: a program gets it on its standard input, a server as the body of a POST, a person on the desktop or the terminal. `env`: further variables that the program may see. */
export type Hook =
  | { readonly kind: 'run'; readonly argv: readonly [string, ...string[]]; readonly env: readonly string[]; readonly timeoutMs: number }
  | { readonly kind: 'post'; readonly url: string; readonly as: 'json' | 'text'; readonly timeoutMs: number }
  | { readonly kind: 'desktop'; readonly timeoutMs: number }
  | { readonly kind: 'bell'; readonly timeoutMs: number };

/** When a hook's events are not told one by one: see gather.ts. */
export interface Gathering {
  readonly quiet: readonly WeekSpan[];
  /** Kinds that quiet hours do not hold back. */
  readonly urgent: readonly string[];
  /** After a call, what comes within this is told together; 0: each by itself. */
  readonly groupMs: number;
}

/** Events that will be told together. Times wall clock, milliseconds. */
export interface Bundle {
  /** Of the first one. */
  readonly key: string;
  readonly since: number;
  readonly until: number;
  readonly count: number;
  readonly kinds: Readonly<Record<string, number>>;
  /** The newest, as JSON, oldest first. */
  readonly events: readonly string[];
}

/** What a rule holds back. It lies in one file with the cursor, so that an event is in it exactly when the cursor stands behind it. */
export interface Held {
  /** When it last told something; of a hook that groups. */
  readonly toldAt?: number;
  readonly quiet?: Bundle;
  readonly burst?: Bundle;
  /** Closed: nothing is added any more, and the outbox has it, or will have it at the next look. */
  readonly closed: readonly Bundle[];
}

export type SettledState = 'done' | 'failed' | 'needs';

export interface Rule {
  readonly name: string;
  readonly on: Source;
  readonly to: readonly string[];
  /** With {placeholders} that its source knows. */
  readonly message: string;
  /** Its target is no session but this. */
  readonly hook?: Hook;
  readonly gathering?: Gathering;
}

/** Up to where a rule has looked. `recent`: keys that were found a short while ago, newest last; what comes twice is told once. */
export type Cursor =
  /** null: there was no such ref. */
  | { readonly kind: 'commit'; readonly sha: string | null; readonly recent: readonly string[] }
  /** `file`: which event log, by its first line; '' before there was one. `offset`: bytes. */
  | { readonly kind: 'log'; readonly file: string; readonly offset: number; readonly recent: readonly string[] }
  /** Content by file name; `edges`: how many changes were told so far. */
  | { readonly kind: 'inbox'; readonly seen: Readonly<Record<string, string>>; readonly edges: number };

export interface Commit {
  readonly sha: string;
  readonly author: string;
  readonly email: string;
  /** Author's time, seconds since 1970: it survives a rebase. */
  readonly at: number;
  readonly subject: string;
  /** What the rule's pattern made of the subject; "slow": it was stopped. */
  readonly match: { readonly kind: 'yes'; readonly groups: Readonly<Record<string, string>> } | { readonly kind: 'no' } | { readonly kind: 'slow' };
}

/** One line of the event log. `at`: which line of which log. */
export interface SeenEvent {
  readonly at: string;
  readonly event: EventLine;
  /** Of a task that settled, what its own file and story say; read only where a rule asks. */
  readonly task?: { readonly title: string; readonly tags: readonly string[]; readonly story: string };
}

/** One look at a rule's source from its cursor on. `unseen` says nothing. */
export type Look =
  | { readonly kind: 'unseen'; readonly why: string }
  /** `commits`: oldest first. `dropped`: what a rewrite of history took away. `gap`: why some may be missing. */
  | { readonly kind: 'commit'; readonly tip: string | null; readonly commits: readonly Commit[]; readonly dropped: readonly Omit<Commit, 'match'>[]; readonly gap: string | undefined }
  | { readonly kind: 'log'; readonly file: string; readonly offset: number; readonly events: readonly SeenEvent[]; readonly gap: string | undefined }
  /** `hash` undefined: it is there, and not at rest. */
  | { readonly kind: 'inbox'; readonly files: readonly { readonly name: string; readonly path: string; readonly hash: string | undefined }[]; readonly gap: string | undefined };

/** One event that a rule is about. `why`: what happened, for the log. */
export interface Found {
  readonly key: string;
  readonly values: Readonly<Record<string, string>>;
  readonly why: string;
  /** The inbox file; when it is gone, the ping is moot. */
  readonly file?: string;
}

/** What became of a ping. "told": a person's, in the event log and on attached terminals. */
export interface PingReceipt {
  readonly kind: 'submitted' | 'queued' | 'told' | 'refused' | 'unconfirmed';
  readonly rule: string;
  readonly evidence: string;
  /** Of one that was refused: it would be refused again. */
  readonly final?: true;
}

/** All times wall clock, milliseconds. */
export type EntryState =
  | { readonly kind: 'queued'; readonly tries: number; readonly triedAt: number | undefined; readonly refusal: string | undefined }
  | { readonly kind: 'begun'; readonly at: number; readonly by: ProcessIdentity }
  | { readonly kind: 'settled'; readonly by: ProcessIdentity; readonly receipt: PingReceipt };

/** One ping to one target: a file of the outbox. */
export interface Entry {
  readonly v: 1;
  /** Made from rule, event and target. */
  readonly id: string;
  readonly rule: string;
  readonly to: string;
  readonly text: string;
  /** It begins with words of somebody else that a composer would take for a command: it goes through a file. */
  readonly guarded: boolean;
  /** A hook's: where nobody knows whether it arrived it is delivered again. */
  readonly again?: true;
  readonly why: string;
  readonly file?: string;
  readonly queuedAt: number;
  /** Grows with every entry: the order in which a target gets them. */
  readonly order: number;
  readonly state: EntryState;
}
