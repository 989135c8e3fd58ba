import type { AgentState } from '../protocol/agent-state.js';
import type { VerdictRecord } from '../protocol/records.js';

/*
 * One attempt under watch. What is remembered lies in the run directory (watch.json), written before anything is done, so a
 * restarted pit goes on where the last one stood and nudges nobody twice.
 *
 *   begun? ─no─► startup ─► end
 *     │ yes
 *     ▼
 *   progress ──silence──► nudge ─► nudge ─► end          (it is at work, or nobody knows)
 *     ▲   │
 *     │   └─turn over, nothing said──► DONE-nudge ─► end (once a step)
 *     └──────────── any progress: back here
 *
 *   WAITING-UNTIL, a cooling account, a resident at rest: the ladder stands still; after it, and after a clock jump, a fresh window
 */

/** What moves when a session works. Each only grows; a change of any is progress. */
export interface Progress {
  /** Events of the program's own: hooks, its print-mode stream. */
  readonly events: number;
  readonly transcriptBytes: number;
  /** Of programs that keep no records, what they print. A full-screen program with records paints spinners when it is dead: there it counts nothing. */
  readonly outputBytes: number;
  /** Processor time of the tools that it runs, milliseconds; its own is no work. */
  readonly toolCpuMs: number;
}

export const NO_PROGRESS: Progress = { events: 0, transcriptBytes: 0, outputBytes: 0, toolCpuMs: 0 };

/** All instants are wall clock, milliseconds: they are persisted, and compared with what files say. */
export interface Watch {
  readonly v: 1;
  /** Last true progress; our own typing and resizes are none. */
  readonly progressAt: number;
  readonly progress: Progress;
  /** Silence counts from here at the earliest: the machine slept, the clock jumped, an account cooled, a wait or a rest ended. */
  readonly graceFrom: number;
  /** The ladder stands still; what ends that gives a fresh window. */
  readonly still: boolean;
  /** Nudges of this silence, oldest first. The DONE-nudge is told once a step, whatever happens between. */
  readonly nudgedAt: readonly number[];
  readonly doneNudgedAt: number | undefined;
  readonly verdict: VerdictRecord | undefined;
  /** What was decided last, for `explain`. */
  readonly said: Said | undefined;
}

/** What follows, and when (wall clock, milliseconds), if nothing happens until then. */
export interface Follows {
  readonly what: string;
  readonly at: number;
}

/** A decision as it is told. Of one that lasts, `at` is its beginning. */
export interface Said {
  readonly action: WatchAction['kind'];
  readonly rule: string;
  readonly at: number;
  readonly next: Follows | undefined;
}

/** One look at one attempt. `unseen`: the facts could not be had, which says nothing about it. */
export type WatchLook =
  | { readonly kind: 'unseen'; readonly why: string }
  | {
      readonly kind: 'seen';
      readonly agent: AgentState;
      readonly progress: Progress;
      /** When what has grown since grew, wall clock, milliseconds; undefined: not known, so now. */
      readonly movedAt?: number | undefined;
      /** It has done something since its start. */
      readonly begun: boolean;
      readonly mode: 'headless' | 'interactive';
      /** A tool that it called has not ended. */
      readonly openTool: boolean;
      /** It said how it ended. */
      readonly result: boolean;
      /** A turn that is over is its rest: nobody waits for it to say that it is done. */
      readonly rests: boolean;
      /** It said that it waits until then. */
      readonly waitsUntil: number | undefined;
      /** Its account waits for a limit to end until then. */
      readonly coolsUntil: number | undefined;
      readonly startedAt: number;
    };

export interface WatchPolicy {
  readonly startupMs: number;
  /** Silence, after which it is spoken to. */
  readonly stallMs: number;
  /** The same while a tool of its own runs: builds and test runs are silent. */
  readonly toolStallMs: number;
  /** Between nudges, and from the last one to the end. */
  readonly nudgeEveryMs: number;
  readonly nudges: number;
  /** From the end of a turn that said nothing to the DONE-nudge, and from that to the end. */
  readonly signalMs: number;
  /** No wait is believed for longer. */
  readonly waitCapMs: number;
  readonly waitGraceMs: number;
}

export type WatchAction =
  | { readonly kind: 'none'; readonly rule: string; readonly next: Follows | undefined }
  | { readonly kind: 'nudge'; readonly what: 'done' | 'go-on'; readonly rule: string; readonly evidence: string }
  | { readonly kind: 'end'; readonly verdict: VerdictRecord; readonly rule: string; readonly evidence: string };
