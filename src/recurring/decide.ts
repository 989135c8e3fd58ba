import { formatDuration } from '../lib/duration.js';
import { unreachable } from '../lib/unreachable.js';
import { instanceId } from './local-time.js';
import { anchorOf, latestUpTo, nextAfter, scheduleKey, type Schedule } from './schedule.js';
import { NOTHING_TO_DO, type LastLook, type RecurringAction, type RecurringRecord, type Span, type Work } from './state.js';

/** What a decision needs of a template. */
export interface Due {
  readonly name: string;
  readonly file: string;
  readonly schedule: Schedule;
  readonly catchUp: boolean;
}

/** Later than this, no pit was there to see the time come: the pit looks each second, and a loaded machine is forgiven a minute. */
const LATE_MS = 60_000;
/** Each sleep of the machine leaves a span; of more, the two oldest become one, which makes nothing twice. */
const MOST_SPANS = 16;

/** Whether a look at the last instance is needed: it is dear, and most ticks need none. */
export function isDue(record: RecurringRecord | undefined, due: Due, nowMs: number): boolean {
  return record !== undefined && record.making === undefined && record.key === scheduleKey(due.schedule) && nowMs >= record.at && nowMs >= record.nextDueAt;
}

/** An instance that was decided and perhaps not made: the process that decided it died. */
export function decideUnfinished(record: RecurringRecord | undefined): Extract<RecurringAction, { kind: 'finish' }> | undefined {
  return record?.making === undefined ? undefined : { kind: 'finish', rule: record.making.rule, record: without(record, 'making'), instance: record.making };
}

/**
 * From when on something is the matter of the next instance: from when the last one was made, also where that has failed, which a person
 * retries: a broken one must not come again at each due time. Undefined: all of it is, also where the clock stands before that time, since
 * it was set back.
 */
export function newSince(record: RecurringRecord | undefined, nowMs: number): number | undefined {
  const madeAt = record?.madeAt;
  return madeAt === undefined || madeAt > nowMs ? undefined : madeAt;
}

/** What to do about one good template at `nowMs`, wall-clock milliseconds. */
export function decideRecurring(due: Due, record: RecurringRecord | undefined, last: LastLook, nowMs: number, work: Work = { kind: 'some' }): RecurringAction {
  const { name, file, schedule } = due;
  const key = scheduleKey(schedule);
  const unfinished = decideUnfinished(record);
  if (unfinished !== undefined) return unfinished;
  if (record === undefined || record.key !== key) {
    const anchorAt = anchorOf(schedule, nowMs);
    const spent = record?.spent ?? [];
    const next: RecurringRecord = { v: 1, spent, ...record, name, file, key, anchorAt, nextDueAt: nextUnspent(schedule, anchorAt, spent, nowMs), at: nowMs };
    return { kind: 'record', rule: record === undefined ? 'first-seen' : record.key === '' ? 'back-again' : 'schedule-changed', record: next };
  }
  if (nowMs < record.at) return { kind: 'record', rule: 'clock-set-back', record: { ...record, nextDueAt: nextUnspent(schedule, record.anchorAt, record.spent, nowMs), at: nowMs } };
  if (nowMs < record.nextDueAt) return { kind: 'none', rule: 'not-due' };
  const dueAt = latestUpTo(schedule, record.anchorAt, record.nextDueAt, nowMs);
  const spent = spend(schedule, record.anchorAt, record.spent, dueAt);
  const passed: RecurringRecord = { ...record, file, at: nowMs, spent, nextDueAt: nextUnspent(schedule, record.anchorAt, spent, nowMs) };
  if (isSpent(record.spent, dueAt)) return { kind: 'record', rule: 'spent-before', record: passed };
  switch (last.kind) {
    case 'unseen':
      return { kind: 'none', rule: 'last-unseen' };
    case 'open':
      return { kind: 'skip', rule: 'last-still-open', record: { ...passed, told: last.id }, dueAt, evidence: `${last.id} is in ${last.state}/`, tell: record.told !== last.id };
    case 'none':
    case 'ended':
    case 'gone':
      break;
    default:
      return unreachable(last);
  }
  const lateMs = nowMs - dueAt;
  if (!due.catchUp && lateMs > LATE_MS) return { kind: 'skip', rule: 'missed', record: passed, dueAt, evidence: `no pit saw it come, ${formatDuration(lateMs)} ago, and catch-up is false`, tell: true };
  if (work.kind === 'unseen') return { kind: 'none', rule: 'work-unseen' };
  if (work.kind === 'nothing') return { kind: 'skip', rule: 'nothing-to-do', record: { ...passed, told: NOTHING_TO_DO }, dueAt, evidence: work.evidence, tell: record.told !== NOTHING_TO_DO };
  return making(passed, { id: instanceId(name, dueAt, schedule.zone), dueAt }, lateMs > LATE_MS ? 'caught-up' : 'due', nowMs, work.since);
}

/** A person asked for an instance now: the schedule is left as it is. Undefined while the last one is in the way, or was not found. */
export function decideByHand(due: Due, record: RecurringRecord | undefined, last: LastLook, nowMs: number): Extract<RecurringAction, { kind: 'make' }> | undefined {
  if (last.kind === 'open' || last.kind === 'unseen' || record?.making !== undefined) return undefined;
  const seen = decideRecurring(due, record, { kind: 'unseen' }, nowMs);
  const from = seen.kind === 'record' ? seen.record : record;
  if (from === undefined) return undefined;
  const dueAt = Math.floor(nowMs / 1000) * 1000;
  return making(from, { id: instanceId(due.name, dueAt, due.schedule.zone), dueAt }, 'by-hand', nowMs);
}

/** The template is gone: nothing more is made of it. Kept, so that one that comes back makes nothing twice. */
export function decideRetired(record: RecurringRecord, nowMs: number): RecurringAction {
  return record.key === '' ? { kind: 'none', rule: 'gone' } : { kind: 'record', rule: 'gone', record: { ...record, key: '', nextDueAt: 0, at: nowMs } };
}

function making(record: RecurringRecord, instance: { readonly id: string; readonly dueAt: number }, rule: string, nowMs: number, since?: number): Extract<RecurringAction, { kind: 'make' }> {
  return { kind: 'make', rule, record: { ...without(record, 'told'), last: instance, making: { ...instance, rule }, madeAt: nowMs }, instance, ...(since === undefined ? {} : { since }) };
}

function without(record: RecurringRecord, key: 'making' | 'told'): RecurringRecord {
  const copy = { ...record };
  delete copy[key];
  return copy;
}

const isSpent = (spans: readonly Span[], atMs: number): boolean => spans.some(({ from, to }) => from <= atMs && atMs <= to);

/** The first due time after `afterMs` that nothing was made of yet: a clock that was set back shows some times twice. */
function nextUnspent(schedule: Schedule, anchorAt: number, spans: readonly Span[], afterMs: number): number {
  let next = nextAfter(schedule, anchorAt, afterMs);
  for (const { from, to } of [...spans].sort((a, b) => a.from - b.from)) if (from <= next && next <= to) next = nextAfter(schedule, anchorAt, to);
  return next;
}

/**
 * Marks a due time as spent. It lengthens the span that it follows on; after a gap it begins a new one, since a clock that stood
 * wrong, far ahead, must not silence the times between once it is right again.
 */
function spend(schedule: Schedule, anchorAt: number, spans: readonly Span[], dueAt: number): Span[] {
  const nearest = spans.reduce<Span | undefined>((best, span) => (span.to < dueAt && span.to >= (best?.to ?? span.to) ? span : best), undefined);
  const follows = nearest !== undefined && nextAfter(schedule, anchorAt, nearest.to) >= dueAt ? nearest : undefined;
  const grown = follows === undefined ? [...spans, { from: dueAt, to: dueAt }] : spans.map((span) => (span === follows ? { from: span.from, to: dueAt } : span));
  const sorted = grown.sort((a, b) => a.from - b.from);
  const [first, second, ...rest] = sorted;
  return sorted.length > MOST_SPANS && first !== undefined && second !== undefined ? [{ from: first.from, to: Math.max(first.to, second.to) }, ...rest] : sorted;
}
