import type { BudgetVerdict } from '../ledger/decide.js';
import type { Liveness } from '../lib/processes.js';
import type { Outcome } from '../protocol/judge.js';
import type { MergeRecord } from '../protocol/merging.js';
import type { AgentRecord, AskRecord, AttemptRecord, ExitRecord, ResultRecord, SessionRecord, StopReason, VerdictRecord, VerifyRun } from '../protocol/records.js';
import type { Children, FlowRecord } from '../protocol/workflow.js';
import type { OutcomeRecord } from '../runs/run-dir.js';

/*
 * A snake keeps no state of its own about a task: what has been done lies in the run directory, so an attempt can be taken
 * up at any point by whoever holds its claim now. Each look at the facts gives the next step:
 *
 *   prepare ─► launch ─► wait ─► verify ─► integrate ─► conclude ─► settle
 *                 │        │                                ▲
 *                 └────────┴──► stop ───────────────────────┘       (timeout, cancel, going down, or its program cannot go on)
 *
 *   claim gone, at any point ─► abandon: end the session, publish nothing
 *
 * A task with a workflow goes through prepare … wait once for each of its sessions, all under one claim. `close` records that a step has
 * ended, `look` what ends a loop, `send-back` that its checks failed; what follows is decided from that record (workflow/decide.ts):
 * the next `prepare`, or the end of the attempt.
 *
 * `conclude` writes outcome.json, `settle` renames the claim: the only commit point. Killed between any two, the successor
 * sees the same facts and goes on with the same step.
 */

/** All that is known about one held claim at one look. */
export interface AttemptView {
  /** Did the heartbeat find the claim under our name? */
  readonly held: boolean;
  readonly attempt: AttemptRecord | undefined;
  /** The wrapper was let in: the agent may have run. */
  readonly started: boolean;
  readonly session: SessionRecord | undefined;
  /** The wrapper's process; "none" while no session is recorded. Looked at *before* the exit record. */
  readonly leader: Liveness | 'none';
  readonly exit: ExitRecord | undefined;
  readonly result: ResultRecord | undefined;
  /** How long the result file has been there, milliseconds. */
  readonly resultAgeMs: number | undefined;
  /** What its program was last seen in; undefined: nothing seen yet, or a program that leaves no records. */
  readonly agent: AgentRecord | undefined;
  /** How long it has been in that state, milliseconds. */
  readonly agentAgeMs: number | undefined;
  /** What it asks, as the pit saw it, and how old that news is, milliseconds. */
  readonly ask?: AskRecord | undefined;
  readonly askAgeMs?: number | undefined;
  /** For how long the pit's ladder has no longer stood still for it, milliseconds; negative while it does; undefined: no pit has looked. */
  readonly holdOverMs?: number | undefined;
  readonly stop: StopReason | undefined;
  readonly verify: readonly VerifyRun[] | undefined;
  readonly verifyCommands: readonly string[];
  readonly outcome: OutcomeRecord | undefined;
  /** What the pit's watchdog decided of it. */
  readonly verdict: VerdictRecord | undefined;
  /** What is known of its merge; "owed": nothing is recorded; undefined: it has no branch. */
  readonly merge?: MergeRecord | 'owed' | undefined;
  /** Where its task stands to its budget; undefined: it has none. */
  readonly budget?: BudgetVerdict | undefined;
  /** A person asked for it to be cancelled. */
  readonly cancelled: boolean;
  /** Where its workflow stands; undefined: it is one session. The facts above are those of the step that runs, or ran last. */
  readonly flow?: FlowRecord | undefined;
  /** Where its workflow waits for them: the tasks that it has tossed, and when they were looked at, wall clock, milliseconds. */
  readonly children?: (Children & { readonly at: number }) | undefined;
}

/** What this snake remembers between looks; lost with it, and that is harmless. */
export interface LaunchMemory {
  readonly tries: number;
  readonly lastTryMonoMs: number;
  /** When a started attempt was first seen without a session record. */
  readonly orphanSinceMonoMs: number | undefined;
}

export interface Orders {
  /** End the session and give the claim back (`down --now`). */
  readonly release: boolean;
}

export interface SnakePolicy {
  /** A session that has done nothing for so long after its start has stalled. */
  readonly startupMs: number;
  /** How long an interactive session may stand with its turn ended and nothing said. */
  readonly signalMs: number;
  /** Between two tries to launch, and from the last one to giving the claim back. */
  readonly launchPatienceMs: number;
  readonly launchTries: number;
}

/** The next step, with the rule that chose it. */
export type Step =
  | { readonly kind: 'abandon'; readonly rule: string }
  | { readonly kind: 'prepare'; readonly rule: string }
  | { readonly kind: 'launch'; readonly rule: string }
  | { readonly kind: 'wait'; readonly untilMonoMs: number; readonly rule: string }
  | { readonly kind: 'stop'; readonly reason: StopReason; readonly rule: string }
  | { readonly kind: 'verify'; readonly commands: readonly string[]; readonly rule: string }
  | { readonly kind: 'close'; readonly rule: string }
  | { readonly kind: 'look'; readonly rule: string }
  | { readonly kind: 'send-back'; readonly why: string; readonly rule: string }
  | { readonly kind: 'integrate'; readonly rule: string }
  | { readonly kind: 'conclude'; readonly outcome: Outcome; readonly rule: string }
  | { readonly kind: 'settle'; readonly record: OutcomeRecord; readonly rule: string };
