import { unreachable } from '../lib/unreachable.js';
import type { AgentState } from '../protocol/agent-state.js';
import type { AttemptRecord } from '../protocol/records.js';
import { goesOn, judge, owesVerify, type AttemptFacts, type Outcome } from '../protocol/judge.js';
import { betweenSteps } from './between.js';
import type { AttemptView, LaunchMemory, Orders, SnakePolicy, Step } from './state.js';

/** A look at least this often: the heartbeat, and the cover for a watcher that stayed silent. */
export const LOOK_EVERY_MS = 2000;
/** The wrapper writes its session record within milliseconds of `started`; after this it was killed between the two. */
const ORPHAN_PATIENCE_MS = 3000;

/** A state that ends a session must have lasted this long: dialogs flash by, and a limit that is retried by itself passes. */
const AGREED_MS = 5000;

/** Facts → the next step. Pure and total: every combination of facts has an answer. */
export function decide(policy: SnakePolicy, view: AttemptView, memory: LaunchMemory, orders: Orders, now: { monoMs: number; boot: string }): Step {
  const step = ofAttempt(policy, view, memory, orders, now);
  return step.kind === 'conclude' && step.outcome.kind === 'done' ? beforeDone(view, orders) ?? step : step;
}

/** Work that is good is not done before its branch is where it belongs. Undefined: it is, or has none. */
function beforeDone({ merge, cancelled }: AttemptView, orders: Orders): Step | undefined {
  if (merge === undefined || (merge !== 'owed' && merge.end !== undefined)) return undefined;
  // Once a commit is recorded it may lie in the target already: that is found out first.
  if (merge !== 'owed' && merge.candidate !== undefined) return { kind: 'integrate', rule: 'its merge was begun' };
  if (cancelled) return { kind: 'stop', reason: 'cancelled', rule: 'a person cancelled it before it was merged' };
  if (orders.release) return { kind: 'stop', reason: 'released', rule: 'the pit goes down now, before it was merged' };
  return { kind: 'integrate', rule: 'its work is good; what becomes of its branch is owed' };
}

/** Order is precedence. */
function ofAttempt(policy: SnakePolicy, view: AttemptView, memory: LaunchMemory, orders: Orders, now: { monoMs: number; boot: string }): Step {
  if (!view.held) return { kind: 'abandon', rule: 'the claim is no longer ours' };
  if (view.outcome !== undefined && view.cancelled && goesOn(view.outcome.next)) return { kind: 'conclude', outcome: { kind: 'failed', reason: 'cancelled', detail: 'a person cancelled it', final: true }, rule: 'a person cancelled it before it was settled' };
  if (view.outcome !== undefined) return { kind: 'settle', record: view.outcome, rule: 'an outcome is recorded' };
  if (view.flow !== undefined && view.flow.next.kind !== 'step') return betweenSteps(view, view.flow.next, orders);
  if (view.attempt === undefined) return orders.release ? released('going down before it was prepared', view) : { kind: 'prepare', rule: 'nothing is prepared' };
  if (view.stop === 'signalled' || view.stop === 'observed' || (view.stop === 'task-budget' && view.result !== undefined) || (view.stop === undefined && view.exit !== undefined)) return afterEnd(view, orders);
  if (view.stop !== undefined) return concluded(view, `the session was ended: ${view.stop}`);
  if (view.cancelled) return { kind: 'stop', reason: 'cancelled', rule: 'a person cancelled it' };
  if (orders.release) return { kind: 'stop', reason: 'released', rule: 'the pit goes down now' };
  if (view.attempt.boot !== now.boot && view.started) return concluded(view, 'the machine was started anew');
  if (!view.started) return launchOrWait(policy, memory, now.monoMs);
  if (view.session === undefined) return afterOrphan(view, memory, now.monoMs);
  if (view.leader === 'dead') return concluded(view, 'the wrapper is dead and left no exit record');
  const cutShort = ofProgram(policy, view, view.attempt, now.monoMs);
  if (cutShort !== undefined) return cutShort;
  if (view.budget?.kind === 'reached' && view.result === undefined) return { kind: 'stop', reason: 'task-budget', rule: `${view.budget.rule}: ${view.budget.evidence}` };
  const deadline = view.attempt.startedMonoMs + view.attempt.timeoutMs;
  if (now.monoMs >= deadline) return { kind: 'stop', reason: 'timeout', rule: `the timeout of ${view.attempt.timeoutMs} ms is over` };
  return { kind: 'wait', untilMonoMs: Math.min(deadline, now.monoMs + LOOK_EVERY_MS), rule: view.leader === 'alive' ? 'the session works' : 'the session cannot be seen; unknown is not dead' };
}

function factsOf(view: AttemptView): AttemptFacts {
  return {
    stop: view.stop, exit: view.exit, result: view.result, verify: view.verify, timeoutMs: view.attempt?.timeoutMs ?? 0, ask: view.attempt?.ask, asked: view.attempt?.asksBefore,
    spent: view.budget?.kind === 'reached' ? `${view.budget.rule}: ${view.budget.evidence}` : undefined,
    agent: view.agent?.state, answer: view.agent?.answer, mustSignal: view.attempt?.mode === 'interactive',
  };
}

/** The pit asks it once before it is ended; where no pit lives, it is given the time all the same. */
const UNASKED = 3;

/** By then its pane has been looked at anew, and two looks have agreed. */
const NEXT_LOOKS_MS = 3000;

/** A session that said how it ended has this long to end its turn by itself. */
const AFTER_SIGNAL_MS = 20_000;

/** A living session whose program has ended its turn, or cannot go on, is ended. Nothing here rests on one look: the states are agreed ones, and have an age. */
function ofProgram(policy: SnakePolicy, view: AttemptView, attempt: AttemptRecord, monoMs: number): Step | undefined {
  const { agent, verdict } = view;
  const age = view.agentAgeMs ?? 0;
  const saidMs = view.resultAgeMs ?? 0;
  // What it was seen to be before it spoke may be of its start: the next looks tell.
  const overTurn = (agent?.state.kind === 'finished' || agent?.state.kind === 'idle') && (age <= saidMs || saidMs >= NEXT_LOOKS_MS);
  if (view.result !== undefined && attempt.mode === 'interactive' && (overTurn || saidMs >= AFTER_SIGNAL_MS)) return { kind: 'stop', reason: 'signalled', rule: 'it said how it ended, and its turn is over' };
  if (verdict !== undefined && view.result === undefined) return { kind: 'stop', reason: verdict.reason, rule: verdict.rule };
  if (agent === undefined) {
    // Of a full-screen session only the pit can tell; where none has looked, nothing is known, and its timeout is all there is.
    if (attempt.mode === 'interactive') return undefined;
    const begun = monoMs - attempt.startedMonoMs;
    return begun >= policy.startupMs ? { kind: 'stop', reason: 'startup-stall', rule: `nothing was seen of it ${Math.round(begun / 1000)} s after its start` } : undefined;
  }
  switch (agent.state.kind) {
    case 'usage-limited':
    case 'auth-failed':
    case 'context-exhausted':
    case 'session-lost':
    case 'errored':
    case 'rate-limited':
      return age >= AGREED_MS ? { kind: 'stop', reason: 'observed', rule: `${agent.state.kind}: ${agent.state.rule}` } : undefined;
    case 'blocked-on-permission':
    case 'blocked-on-dialog':
    case 'waiting-for-input':
      return onQuestion(view, attempt, agent.state, age);
    case 'finished':
    case 'idle':
      return attempt.mode === 'interactive' && attempt.wakeMs === undefined && view.result === undefined && Math.min(age, view.holdOverMs ?? age) >= policy.signalMs * UNASKED ? { kind: 'stop', reason: 'unsignalled', rule: 'its turn ended, and it never said so' } : undefined;
    case 'starting':
      return attempt.mode === 'headless' && age >= policy.startupMs ? { kind: 'stop', reason: 'startup-stall', rule: `it has been starting for ${Math.round(age / 1000)} s` } : undefined;
    case 'working':
    case 'retrying':
    case 'crashed':
    case 'exited':
    case 'unknown':
      return undefined;
    default:
      return unreachable(agent.state.kind);
  }
}

/** The pit presses: it says when it gives up, and may be dead. */
const ALLOW_MS = 60_000;

/** A session that asks is ended; one whose safe answers are to be chosen, when the pit has left the question to a person, or said nothing of it for long. */
function onQuestion({ ask, askAgeMs }: AttemptView, attempt: AttemptRecord, state: AgentState, age: number): Step | undefined {
  const stop = (rule: string): Step => ({ kind: 'stop', reason: 'observed', rule });
  const pressed = attempt.ask === 'allow' && attempt.mode === 'interactive';
  if (!pressed) return age < AGREED_MS ? undefined : stop(`${state.kind}: ${state.rule}`);
  const own = ask?.open === true && ask.state.kind === state.kind;
  if (own && ask.left !== undefined && age >= AGREED_MS) return stop(`${state.kind}: ${ask.left.rule}`);
  const silent = ask === undefined ? age : Math.min(age, askAgeMs ?? age);
  return silent >= ALLOW_MS ? stop(`${state.kind}: nobody has answered it for ${Math.round(silent / 1000)} s`) : undefined;
}

const concluded = (view: AttemptView, rule: string): Step => ({ kind: 'conclude', outcome: judge(factsOf(view)), rule });

/** A step that ended well is not the end of its attempt. */
const ended = (view: AttemptView, outcome: Outcome, rule: string): Step => (view.flow !== undefined && outcome.kind === 'done' ? { kind: 'close', rule } : { kind: 'conclude', outcome, rule });

function released(rule: string, view: AttemptView): Step {
  return { kind: 'conclude', outcome: judge({ ...factsOf(view), stop: 'released' }), rule };
}

/** An attempt whose checks are still owed is not over: it can be cancelled and called back. One that owes none is concluded as it ended. */
function afterEnd(view: AttemptView, orders: Orders): Step {
  const facts = factsOf(view);
  // The checks are those of the whole task, owed after its last step.
  const owed = view.flow === undefined && owesVerify(facts, view.verifyCommands);
  if (owed && view.cancelled) return { kind: 'stop', reason: 'cancelled', rule: 'a person cancelled it before its checks had passed' };
  if (owed && orders.release) return { kind: 'stop', reason: 'released', rule: 'the pit goes down now, before its checks had passed' };
  if (owed) return { kind: 'verify', commands: view.verifyCommands, rule: 'it ended well; its checks are owed' };
  return ended(view, judge(facts), view.exit === undefined ? 'it said how it ended' : 'the wrapper recorded the exit');
}

function launchOrWait(policy: SnakePolicy, memory: LaunchMemory, monoMs: number): Step {
  const nextTryAt = memory.lastTryMonoMs + policy.launchPatienceMs;
  if (memory.tries > 0 && monoMs < nextTryAt) return { kind: 'wait', untilMonoMs: Math.min(nextTryAt, monoMs + LOOK_EVERY_MS), rule: 'launched; the wrapper has not reported yet' };
  if (memory.tries >= policy.launchTries) return { kind: 'stop', reason: 'released', rule: `${memory.tries} launches came to nothing` };
  return { kind: 'launch', rule: memory.tries === 0 ? 'prepared and not launched by this snake' : 'the last launch came to nothing; it may be repeated, since it starts once' };
}

function afterOrphan(view: AttemptView, memory: LaunchMemory, monoMs: number): Step {
  const since = memory.orphanSinceMonoMs;
  if (since === undefined || monoMs - since < ORPHAN_PATIENCE_MS) return { kind: 'wait', untilMonoMs: Math.min((since ?? monoMs) + ORPHAN_PATIENCE_MS, monoMs + LOOK_EVERY_MS), rule: 'started; the wrapper has not said who it is yet' };
  return concluded(view, 'the wrapper was killed before it said who it is');
}
