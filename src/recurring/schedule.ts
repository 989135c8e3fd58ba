import { Cron } from 'croner';
import { err, ok, type Result } from '../lib/result.js';
import { formatDuration } from '../lib/duration.js';
import { unreachable } from '../lib/unreachable.js';
import type { TaskFault } from '../protocol/front-matter.js';
import type { ParsedTemplate } from '../protocol/parse-task.js';

/*
 * When a template is due. Pure: no clock is read here. All instants are wall-clock milliseconds.
 *
 * every: the anchor and every so many milliseconds after it, so that a late look moves none of them.
 * cron: local times of a zone. One that a change to summer time leaves out comes right after the gap, unless its minute or hour is a
 * list, a range or a step, whose other times go on; one that the change back repeats comes once, or twice where its hour is `*`.
 */

/** `zone` is an IANA name: the zone of a cron expression, and of the times in ids and lists. */
export type Schedule = { readonly kind: 'every'; readonly everyMs: number; readonly zone: string } | { readonly kind: 'cron'; readonly expression: string; readonly zone: string };

/** Shorter intervals would fall between two looks of the pit. */
const SHORTEST_MS = 1000;
const MINUTE_MS = 60_000;
/** The end of what a Date can hold: nothing is due before that. */
export const NEVER = 8_640_000_000_000_000;

/** Judges what a template says of its times; the fault names the line. */
export function readSchedule({ recurrence, keys, split }: ParsedTemplate, systemZone: string): Result<Schedule, TaskFault> {
  const { everyMs, cron, tz } = recurrence;
  const line = (key: string): number => keys.get(key)?.from ?? split.headLine;
  const zone = tz ?? systemZone;
  if (!isZone(zone)) return err({ line: line('tz'), problem: `tz: ${zone} is no time zone`, fix: 'write a name such as Europe/Berlin or UTC' });
  if (everyMs !== undefined && cron !== undefined) return err({ line: line('cron'), problem: 'every: and cron: are both given', fix: 'remove one' });
  if (everyMs !== undefined) {
    if (everyMs < SHORTEST_MS || everyMs % 1000 !== 0) return err({ line: line('every'), problem: 'every: is not a number of whole seconds', fix: 'write 1s or more, such as every: 6h' });
    return ok({ kind: 'every', everyMs, zone });
  }
  if (cron === undefined) return err({ line: split.head === undefined ? 1 : split.headLine, problem: 'a template needs every: or cron:', fix: 'write every: 6h or cron: "0 3 * * 1-5" into its front matter; a task that runs once belongs into queue/' });
  const expression = cron.trim().split(/\s+/).join(' ');
  const complaint = faultOfCron(expression, zone);
  if (complaint !== undefined) return err({ line: line('cron'), problem: `cron: ${complaint}`, fix: 'write five fields, minute hour day month weekday, such as cron: "0 3 * * 1-5"' });
  return ok({ kind: 'cron', expression, zone });
}

export function isZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

function faultOfCron(expression: string, zone: string): string | undefined {
  const fields = expression === '' ? 0 : expression.split(' ').length;
  if (fields !== 5) return `has ${fields} ${fields === 1 ? 'field' : 'fields'}, not five`;
  // A question mark stands for the time of looking: another schedule at each look.
  if (expression.includes('?')) return 'a question mark is not taken';
  try {
    // Years without a leap day are at most eight in a row.
    return cronAt(expression, zone).nextRun(new Date(0)) === null ? 'never comes' : undefined;
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    return text.replace(/^CronPattern: /, '').replace(/\.$/, '').replace(/^[A-Z]/, (letter) => letter.toLowerCase());
  }
}

const cronAt = (expression: string, zone: string): Cron => new Cron(expression, { paused: true, timezone: zone, mode: '5-part' });

const patterns = new WeakMap<Schedule, Cron>();

/** Compiling costs more than asking. */
function compiled(schedule: Extract<Schedule, { kind: 'cron' }>): Cron {
  const known = patterns.get(schedule) ?? cronAt(schedule.expression, schedule.zone);
  patterns.set(schedule, known);
  return known;
}

/** From where an interval counts, for a template first seen at `nowMs`: a whole second, or a whole minute for intervals of minutes. */
export function anchorOf(schedule: Schedule, nowMs: number): number {
  const grain = schedule.kind === 'every' && schedule.everyMs % MINUTE_MS === 0 ? MINUTE_MS : 1000;
  return Math.floor(nowMs / grain) * grain;
}

/** The first due time after `afterMs`. An interval's first one is an interval after its anchor. */
export function nextAfter(schedule: Schedule, anchorAt: number, afterMs: number): number {
  switch (schedule.kind) {
    case 'every':
      return anchorAt + Math.max(1, Math.floor((afterMs - anchorAt) / schedule.everyMs) + 1) * schedule.everyMs;
    case 'cron':
      if (afterMs >= NEVER) return NEVER;
      return compiled(schedule).nextRun(new Date(afterMs))?.getTime() ?? NEVER;
    default:
      return unreachable(schedule);
  }
}

/** The last due time up to `nowMs`, where `dueAt` is one that has come. */
export function latestUpTo(schedule: Schedule, anchorAt: number, dueAt: number, nowMs: number): number {
  if (schedule.kind === 'every') return Math.max(dueAt, anchorAt + Math.floor((nowMs - anchorAt) / schedule.everyMs) * schedule.everyMs);
  // By halving: after a sleep of years there may be a million of them.
  let latest = dueAt;
  let low = dueAt;
  let high = nowMs;
  while (high - low > MINUTE_MS / 2) {
    const middle = Math.floor((low + high) / 2);
    const next = nextAfter(schedule, anchorAt, middle);
    if (next <= nowMs) {
      latest = Math.max(latest, next);
      low = next;
    } else high = middle;
  }
  return latest;
}

/** Two schedules with one key are due at the same times. */
export const scheduleKey = (schedule: Schedule): string => (schedule.kind === 'every' ? `every ${schedule.everyMs}` : `cron ${schedule.expression} ${schedule.zone}`);

/** For a person. */
export const scheduleText = (schedule: Schedule): string => (schedule.kind === 'every' ? `every ${formatDuration(schedule.everyMs)}` : schedule.expression);
