import { formatDuration } from '../lib/duration.js';
import { unreachable } from '../lib/unreachable.js';
import type { Entry } from './state.js';

/** Where a target stands. "absent": not now, perhaps later; "deaf": it can never be typed at. */
export type Place = { readonly kind: 'ready' } | { readonly kind: 'absent'; readonly why: string } | { readonly kind: 'deaf'; readonly why: string };

export interface OutboxFacts {
  /** By the target's name. */
  readonly places: ReadonlyMap<string, Place>;
  /** Entries that a living process is typing, or whose receipt it is about to tell, by id. */
  readonly typing: ReadonlySet<string>;
  /** Entries whose inbox file is gone. */
  readonly consumed: ReadonlySet<string>;
  /** Rules whose cursor may stand before what they have queued: their pings would come again. */
  readonly held: ReadonlySet<string>;
}

/** One step, with its rule and its evidence. "close": the receipt is on disk, only the event and the removal are missing. */
export interface OutboxAction {
  readonly kind: 'close' | 'report' | 'again' | 'drop' | 'deliver';
  readonly entry: Entry;
  readonly rule: string;
  readonly evidence: string;
}

/** From one refusal to the next try: doubled, at most a minute; a person stops typing sooner or later. */
const FIRST_MS = 2000;
const LONGEST_MS = 60_000;

/** Wall-clock milliseconds of the next try; a clock that was set back makes it due at once. */
export function dueAt(state: Extract<Entry['state'], { kind: 'queued' }>): number {
  return state.triedAt === undefined ? 0 : state.triedAt + Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.max(0, state.tries - 1));
}

/**
 * Pure and total: the outbox and the facts → what is done now. Each target gets its pings in order, one at a time; one that
 * cannot be told holds up nobody but itself. Order is precedence.
 */
export function decideOutbox(entries: readonly Entry[], facts: OutboxFacts, keepMs: number, nowMs: number): OutboxAction[] {
  const actions: OutboxAction[] = [];
  const taken = new Set<string>();
  for (const entry of [...entries].sort((a, b) => a.order - b.order || (a.id < b.id ? -1 : 1))) {
    const action = ofEntry(entry, facts, keepMs, nowMs, taken);
    if (action !== undefined) actions.push(action);
  }
  return actions;
}

/** `taken`: targets that have one before this, or are being typed at. */
function ofEntry(entry: Entry, facts: OutboxFacts, keepMs: number, nowMs: number, taken: Set<string>): OutboxAction | undefined {
  const { state } = entry;
  if (facts.typing.has(entry.id)) {
    taken.add(entry.to);
    return undefined;
  }
  switch (state.kind) {
    case 'settled':
      return { kind: 'close', entry, rule: state.receipt.rule, evidence: state.receipt.evidence };
    case 'begun':
      if (entry.again === true) return { kind: 'again', entry, rule: 'whoever delivered it is gone: it may have arrived, and is delivered again', evidence: `pid ${state.by.pid}` };
      return { kind: 'report', entry, rule: 'whoever typed it is gone: it may have arrived, and is not typed again', evidence: `pid ${state.by.pid}` };
    case 'queued':
      return ofQueued(entry, state, facts, keepMs, nowMs, taken);
    default:
      return unreachable(state);
  }
}

function ofQueued(entry: Entry, state: Extract<Entry['state'], { kind: 'queued' }>, facts: OutboxFacts, keepMs: number, nowMs: number, taken: Set<string>): OutboxAction | undefined {
  const place = facts.places.get(entry.to) ?? { kind: 'absent', why: 'nobody looked' };
  const evidence = state.refusal ?? (place.kind === 'ready' ? '' : place.why);
  if (nowMs - entry.queuedAt >= keepMs) return { kind: 'drop', entry, rule: `it could not be delivered for ${formatDuration(nowMs - entry.queuedAt)}`, evidence };
  if (facts.consumed.has(entry.id)) return { kind: 'drop', entry, rule: 'its file has been taken away: it is dealt with', evidence: entry.file ?? '' };
  if (place.kind === 'deaf') return { kind: 'drop', entry, rule: 'refused: nothing can be typed there', evidence: place.why };
  if (taken.has(entry.to)) return undefined;
  taken.add(entry.to);
  if (facts.held.has(entry.rule) || place.kind === 'absent' || (nowMs < dueAt(state) && nowMs >= (state.triedAt ?? 0))) return undefined;
  return { kind: 'deliver', entry, rule: 'it is the first in line, and its target is there', evidence: entry.why };
}
