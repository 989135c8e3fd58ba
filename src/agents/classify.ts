import type { AgentState, AgentStateKind } from '../protocol/agent-state.js';
import type { LineState } from './lines.js';
import type { ScreenState } from './screen.js';

/** One of the program's own records: hook events, a state file, its transcript. */
export interface RecordSeen {
  readonly source: 'event' | 'transcript';
  readonly last: LineState;
  /** Wall clock, milliseconds, of its last growth. */
  readonly changedAt: number;
}

export interface SessionFacts {
  readonly records: readonly RecordSeen[];
  /** Undefined where no look at the pane came through: that says nothing. */
  readonly screen: ScreenState | undefined;
  readonly nowMs: number;
}

/** `retriedMs`: how long it has been trying again, where its records tell. */
export interface SessionState extends AgentState {
  readonly retriedMs?: number;
}

/** States that a program passes through on its way. */
const UNDER_WAY: ReadonlySet<AgentStateKind> = new Set(['starting', 'working', 'retrying']);
const BLOCKED: ReadonlySet<AgentStateKind> = new Set(['blocked-on-permission', 'blocked-on-dialog', 'waiting-for-input']);

/** A turn's end that says how it ended; "idle" only says that it did. */
const TELLING: ReadonlySet<AgentStateKind> = new Set(['finished', 'rate-limited', 'usage-limited', 'auth-failed', 'context-exhausted', 'session-lost', 'errored', 'crashed', 'exited']);

/** What a screen may add to a record that knows of an error, and not of which. */
const NAMED: ReadonlySet<AgentStateKind> = new Set(['rate-limited', 'usage-limited', 'auth-failed', 'context-exhausted']);

/** No program says when it was interrupted, and some say nothing of errors: after so long without a word, a quiet screen is believed. */
const SILENT_MS = 10_000;
/** Some programs do not say that they were answered, only when what they asked for is over: so long after the question a screen that works is believed. */
const ANSWERED_MS = 5000;
/** Records of one moment are written in some order: within this time the stronger witness speaks. */
const SAME_MOMENT_MS = 1500;

/**
 * What a full-screen session is doing. Pure, total. A dialog on the screen outranks every record: records do not know of most
 * dialogs. Then the program's own records, the newest one, events before transcripts; a working screen vetoes a record that
 * says the turn has ended, since the screen is of now, and one that says that it asks, when that was a while ago. The pane speaks alone only where there are no records, or where they
 * say "working" and have long said nothing while the screen is quiet. Nothing seen is "unknown", and never idle.
 */
export function classifySession(facts: SessionFacts): SessionState {
  const state = stateOf(facts);
  const since = facts.records.find(({ last }) => last.kind === 'retrying')?.last.since;
  return state.kind === 'retrying' && since !== undefined ? { ...state, retriedMs: facts.nowMs - since } : state;
}

function stateOf({ records, screen, nowMs }: SessionFacts): AgentState {
  if (screen !== undefined && (screen.kind === 'exited' || BLOCKED.has(screen.kind) || screen.dialog !== undefined)) return ofScreen(screen);
  const record = newest(records);
  if (record === undefined) return screen === undefined ? { kind: 'unknown', source: 'none', rule: 'nothing seen', evidence: 'no record, no look at the pane' } : ofScreen(screen);
  if (screen === undefined) return ofRecord(record);
  if (UNDER_WAY.has(record.last.kind) || BLOCKED.has(record.last.kind)) {
    if (BLOCKED.has(record.last.kind) && screen.kind === 'working' && nowMs - record.changedAt >= ANSWERED_MS) return ofScreen(screen);
    const quiet = screen.kind !== 'unknown' && !UNDER_WAY.has(screen.kind);
    return quiet && nowMs - record.changedAt >= SILENT_MS ? ofScreen(screen) : screen.kind === 'retrying' && record.last.kind !== 'retrying' ? ofScreen(screen) : ofRecord(record);
  }
  if (record.last.kind === 'errored' && NAMED.has(screen.kind)) return ofScreen(screen);
  return UNDER_WAY.has(screen.kind) ? ofScreen(screen) : ofRecord(record);
}

function newest(records: readonly RecordSeen[]): RecordSeen | undefined {
  const last = Math.max(...records.map((record) => record.changedAt));
  const recent = records.filter((record) => last - record.changedAt <= SAME_MOMENT_MS);
  const found = recent.find((record) => record.source === 'event') ?? recent[0];
  if (found === undefined) return undefined;
  // A state file says "idle" after a failed turn too: what ended the turn stands until that record speaks of a new one.
  if (found.last.kind === 'idle') return records.find((record) => TELLING.has(record.last.kind)) ?? found;
  // Hooks of some programs do not speak of errors: where the transcript ended the turn after them, it did.
  return recent.find((record) => record.changedAt > found.changedAt && TELLING.has(record.last.kind)) ?? found;
}

function ofScreen({ kind, source, rule, evidence, resetAt }: ScreenState): AgentState {
  return { kind, source, rule, evidence, ...(resetAt === undefined ? {} : { resetAt }) };
}

/** A program that retries a limit for ever never says more: after `patienceMs` of it, it is at that limit. No number stands in the rule: two looks must agree on it. */
export function afterRetrying({ retriedMs: told = 0, ...state }: SessionState, endsAs: AgentStateKind | undefined, retriedMs: number, patienceMs: number): AgentState {
  const over = state.kind === 'retrying' && endsAs !== undefined && Math.max(told, retriedMs) >= patienceMs;
  return over ? { ...state, kind: endsAs, rule: `${state.rule}, for too long` } : state;
}

function ofRecord({ source, last }: RecordSeen): AgentState {
  return { kind: last.kind, source, rule: last.rule, evidence: last.evidence, ...(last.resetAt === undefined ? {} : { resetAt: last.resetAt }) };
}
