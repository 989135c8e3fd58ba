import { unreachable } from '../lib/unreachable.js';
import type { VerdictRecord } from '../protocol/records.js';
import { NO_PROGRESS, type Progress, type Watch, type WatchAction, type WatchLook, type WatchPolicy } from './state.js';

export const beginWatch = (startedAt: number): Watch => ({ v: 1, progressAt: startedAt, progress: NO_PROGRESS, graceFrom: startedAt, still: false, nudgedAt: [], doneNudgedAt: undefined, verdict: undefined, said: undefined });

type Seen = Extract<WatchLook, { kind: 'seen' }>;
interface Decided {
  readonly watch: Watch;
  readonly action: WatchAction;
}

/**
 * Pure and total: what is remembered, one look, now → what is remembered then, and at most one action. Order is precedence. A
 * verdict stands; what was not seen decides nothing; progress takes every nudge back but the DONE-nudge.
 */
export function decideWatch(policy: WatchPolicy, before: Watch, look: WatchLook, nowMs: number): Decided {
  const { watch, action } = climbed(policy, before, look, nowMs);
  if (look.kind === 'unseen' || before.verdict !== undefined) return { watch, action };
  const at = before.said?.rule === action.rule && before.said.action === action.kind ? before.said.at : nowMs;
  return { watch: { ...watch, said: { action: action.kind, rule: action.rule, at, next: action.kind === 'none' ? action.next : undefined } }, action };
}

function climbed(policy: WatchPolicy, before: Watch, look: WatchLook, nowMs: number): Decided {
  if (before.verdict !== undefined) return { watch: before, action: { kind: 'none', rule: `it is being ended: ${before.verdict.rule}`, next: undefined } };
  if (look.kind === 'unseen') return { watch: before, action: { kind: 'none', rule: 'it could not be looked at, which says nothing', next: undefined } };
  const moved = advance(notAhead(before, nowMs), look, nowMs);
  const nothing = (rule: string): Decided => ({ watch: moved, action: { kind: 'none', rule, next: undefined } });
  if (look.agent.kind === 'exited' || look.agent.kind === 'crashed') return nothing('its program has ended; its snake judges');
  if (look.result) return nothing('it has said how it ended');
  const hold = holdOf(policy, look, nowMs);
  if (hold !== undefined) return { watch: { ...moved, still: true }, action: { kind: 'none', rule: hold.rule, next: hold.until === undefined ? undefined : { what: 'its silence counts again', at: hold.until } } };
  const watch = moved.still ? { ...moved, still: false, graceFrom: nowMs } : moved;
  const silentSince = Math.max(watch.progressAt, watch.graceFrom);
  if (!look.begun) return onStartup(policy, watch, silentSince, nowMs);
  switch (look.agent.kind) {
    case 'finished':
    case 'idle':
      return look.mode === 'headless' ? onSilence(policy, watch, look, silentSince, nowMs) : onTurnOver(policy, watch, silentSince, nowMs);
    case 'starting':
    case 'working':
    case 'retrying':
    case 'unknown':
      return onSilence(policy, watch, look, silentSince, nowMs);
    case 'blocked-on-permission':
    case 'blocked-on-dialog':
    case 'waiting-for-input':
    case 'rate-limited':
    case 'usage-limited':
    case 'auth-failed':
    case 'context-exhausted':
    case 'errored':
    case 'session-lost':
      return { watch, action: { kind: 'none', rule: `${look.agent.kind}: no nudge helps; its snake ends it`, next: undefined } };
    default:
      return unreachable(look.agent.kind);
  }
}

/** The ladder stands still until then. An absurd time is capped, one in the past is over. */
function holdOf(policy: WatchPolicy, look: Seen, nowMs: number): { rule: string; until: number | undefined } | undefined {
  if (look.rests && look.begun && (look.agent.kind === 'finished' || look.agent.kind === 'idle')) return { rule: 'it rests between its turns', until: undefined };
  if (look.coolsUntil !== undefined && nowMs < look.coolsUntil) return { rule: 'its account is at a limit', until: look.coolsUntil };
  if (look.waitsUntil === undefined) return undefined;
  const until = Math.min(look.waitsUntil, look.startedAt + policy.waitCapMs) + policy.waitGraceMs;
  return nowMs < until ? { rule: 'it waits, as it said', until } : undefined;
}

/** Instants that lie ahead are of before the clock was set back: from now on they are now. */
function notAhead(watch: Watch, nowMs: number): Watch {
  const { progressAt, graceFrom, nudgedAt, doneNudgedAt } = watch;
  if (Math.max(progressAt, graceFrom, doneNudgedAt ?? 0, ...nudgedAt) <= nowMs) return watch;
  const past = (at: number): number => Math.min(at, nowMs);
  return { ...watch, progressAt: past(progressAt), graceFrom: past(graceFrom), nudgedAt: nudgedAt.map(past), doneNudgedAt: doneNudgedAt === undefined ? undefined : past(doneNudgedAt) };
}

function advance(watch: Watch, look: Seen, nowMs: number): Watch {
  return grown(watch.progress, look.progress) ? { ...watch, progress: look.progress, progressAt: Math.min(nowMs, Math.max(watch.progressAt, look.movedAt ?? nowMs)), nudgedAt: [] } : watch;
}

/** Whether any of it has grown. */
export const grown = (a: Progress, b: Progress): boolean => b.events > a.events || b.transcriptBytes > a.transcriptBytes || b.outputBytes > a.outputBytes || b.toolCpuMs > a.toolCpuMs;

const seconds = (ms: number): string => `${Math.round(ms / 1000)} s`;

function onStartup(policy: WatchPolicy, watch: Watch, since: number, nowMs: number): Decided {
  const due = since + policy.startupMs;
  if (nowMs < due) return { watch, action: { kind: 'none', rule: 'it is starting', next: { what: 'end it: startup-stall', at: due } } };
  return end(watch, { reason: 'startup-stall', rule: 'it was started, and did nothing', evidence: `silent for ${seconds(nowMs - since)}`, at: nowMs });
}

/** One DONE-nudge a step, with a fresh window after it. */
function onTurnOver(policy: WatchPolicy, watch: Watch, since: number, nowMs: number): Decided {
  if (watch.doneNudgedAt === undefined) {
    const due = since + policy.signalMs;
    if (nowMs < due) return { watch, action: { kind: 'none', rule: 'its turn is over, and it has not said whether it is done', next: { what: 'ask it whether it is done', at: due } } };
    return { watch: { ...watch, doneNudgedAt: nowMs }, action: { kind: 'nudge', what: 'done', rule: 'its turn is over, and it never said so', evidence: `quiet for ${seconds(nowMs - since)}` } };
  }
  const due = Math.max(since, watch.doneNudgedAt) + policy.signalMs;
  if (nowMs < due) return { watch, action: { kind: 'none', rule: 'it was asked whether it is done', next: { what: 'end it: no-signal', at: due } } };
  return end(watch, { reason: 'unsignalled', rule: 'asked whether it is done, it still did not say', evidence: `quiet for ${seconds(nowMs - since)}`, at: nowMs });
}

function onSilence(policy: WatchPolicy, watch: Watch, look: Seen, since: number, nowMs: number): Decided {
  const patience = look.openTool ? policy.toolStallMs : policy.stallMs;
  const last = watch.nudgedAt.at(-1);
  const due = last === undefined ? since + patience : Math.max(last, watch.graceFrom) + policy.nudgeEveryMs;
  const evidence = `${look.agent.kind} (${look.agent.rule}), silent for ${seconds(nowMs - since)}`;
  // Nobody can speak to a program in print mode.
  const spoken = look.mode === 'headless' || watch.nudgedAt.length >= policy.nudges;
  const next = { what: spoken ? 'end it: stalled' : `nudge it, ${watch.nudgedAt.length + 1} of ${policy.nudges}`, at: due };
  if (nowMs < due) return { watch, action: { kind: 'none', rule: last === undefined ? 'it works' : 'it was nudged', next } };
  if (spoken) return end(watch, { reason: 'stalled', rule: look.mode === 'headless' ? 'silent for too long' : `silent after ${watch.nudgedAt.length} nudges`, evidence, at: nowMs });
  return { watch: { ...watch, nudgedAt: [...watch.nudgedAt, nowMs] }, action: { kind: 'nudge', what: 'go-on', rule: `silent for longer than ${seconds(patience)}`, evidence } };
}

const end = (watch: Watch, verdict: VerdictRecord): Decided => ({ watch: { ...watch, verdict }, action: { kind: 'end', verdict, rule: verdict.rule, evidence: verdict.evidence } });
