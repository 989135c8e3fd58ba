import { parsePath, valuesAt } from './json-path.js';
import type { ResetSpec } from './profile.js';

/** A limit that ends later than this is a figure read wrongly: the longest that providers have is a month. */
const FARTHEST_MS = 62 * 24 * 3_600_000;
/** A clock time without a date that has passed by less than this is the limit's end, just over, and not tomorrow's. */
const JUST_PASSED_MS = 3_600_000;

/**
 * When the limit ends: wall clock, milliseconds; undefined when the text gives no sane time. `source`: the event for a spec with
 * a `path`, else what the rule's pattern matched. `now`: when the program said it.
 */
export function resetAt(spec: ResetSpec, source: unknown, now: number): number | undefined {
  if (spec.path === undefined && Array.isArray(source)) return resetTime(spec.unit, groupOf(spec, source as unknown as RegExpExecArray), now);
  const value = spec.path === undefined ? source : valuesAt(source, parsePath(spec.path))[0];
  if (spec.pattern === undefined) return resetTime(spec.unit, value, now);
  if (typeof value !== 'string') return undefined;
  const match = new RegExp(spec.pattern, 'u').exec(value);
  return match === null ? undefined : resetTime(spec.unit, groupOf(spec, match), now);
}

function groupOf(spec: ResetSpec, match: RegExpExecArray): string | undefined {
  if (spec.group === undefined) return match[1] ?? match[0];
  return /^\d+$/.test(spec.group) ? match[Number(spec.group)] : match.groups?.[spec.group];
}

export function resetTime(unit: ResetSpec['unit'], value: unknown, now: number): number | undefined {
  const at = read(unit, typeof value === 'number' ? String(value) : value, now);
  return at !== undefined && Number.isFinite(at) && at > 0 && at - now <= FARTHEST_MS ? Math.round(at) : undefined;
}

function read(unit: ResetSpec['unit'], text: unknown, now: number): number | undefined {
  if (typeof text !== 'string' || text === '') return undefined;
  switch (unit) {
    case 'epoch-s':
      return Number(text) * 1000;
    case 'epoch-ms':
      return Number(text);
    case 'iso':
      return Date.parse(text);
    case 'milliseconds':
      return now + Number(text);
    case 'seconds':
      return duration(text, now);
    case 'clock':
      return clock(text, now);
  }
}

const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const SPAN = /(\d+(?:\.\d+)?)\s*(?:(ms)|(s)(?:ec(?:ond)?s?)?|(m)(?:in(?:ute)?s?)?|(h)(?:ou)?r?s?|(d)(?:ays?)?)(?![a-z])/giu;

/** "10800", "1.2s", "2h 13m", "3 days 4 hours": from now. */
function duration(text: string, now: number): number | undefined {
  if (/^\d+(?:\.\d+)?$/.test(text)) return now + Number(text) * 1000;
  let sum: number | undefined;
  for (const [, count, ...units] of text.matchAll(SPAN)) sum = (sum ?? 0) + Number(count) * UNIT_MS[units.find((unit) => unit !== undefined)?.toLowerCase() as keyof typeof UNIT_MS];
  return sum === undefined ? undefined : now + sum;
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DATE = /\b(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?\s+(\d{1,2})(?:st|nd|rd|th)?\b(?:,?\s+(\d{4})\b)?/iu;
const TIME = /\b(\d{1,2})(?::(\d{2}))?\s*([ap])\.?m\b|\b(\d{1,2}):(\d{2})\b/iu;
const ZONE = /\(?\b(UTC|GMT|[A-Z][A-Za-z_]+\/[A-Za-z_/+-]+\d*)\b\)?/u;

/** "12:18pm (UTC)", "12:32 PM", "Nov 28th, 2026 12:32 PM", "Oct 9, 3pm (America/New_York)": the next such moment. */
function clock(text: string, now: number): number | undefined {
  const time = TIME.exec(text);
  if (time === null) return undefined;
  const half = time[3]?.toLowerCase();
  const hour = half === undefined ? Number(time[4]) : (Number(time[1]) % 12) + (half === 'p' ? 12 : 0);
  const minute = Number(time[2] ?? time[5] ?? 0);
  if (hour > 23 || minute > 59 || (half !== undefined && (Number(time[1]) < 1 || Number(time[1]) > 12))) return undefined;
  const zone = ZONE.exec(text)?.[1];
  const today = wall(now, zone);
  if (today === undefined) return undefined;
  const date = DATE.exec(text);
  if (date === null) {
    const at = instant(today.year, today.month, today.day, hour, minute, zone);
    return at < now - JUST_PASSED_MS ? instant(today.year, today.month, today.day + 1, hour, minute, zone) : at;
  }
  const month = MONTHS.indexOf((date[1] ?? '').toLowerCase());
  const at = instant(Number(date[3] ?? today.year), month, Number(date[2]), hour, minute, zone);
  return date[3] === undefined && at < now - FARTHEST_MS ? instant(today.year + 1, month, Number(date[2]), hour, minute, zone) : at;
}

interface Wall {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  /** The wall time, read as if it were UTC. */
  readonly asUtc: number;
}

/** What calendar and clock show in the zone (ours without one); undefined for a zone that nobody knows. */
function wall(at: number, zone: string | undefined): Wall | undefined {
  try {
    const format = new Intl.DateTimeFormat('en-US', { ...(zone === undefined ? {} : { timeZone: zone }), hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' });
    const part = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)])) as Record<'year' | 'month' | 'day' | 'hour' | 'minute' | 'second', number>;
    return { year: part.year, month: part.month - 1, day: part.day, asUtc: Date.UTC(part.year, part.month - 1, part.day, part.hour, part.minute, part.second) };
  } catch {
    return undefined;
  }
}

/** The moment at which the zone's clock shows this; the offset is looked up twice, because it may change in between. */
function instant(year: number, month: number, day: number, hour: number, minute: number, zone: string | undefined): number {
  const target = Date.UTC(year, month, day, hour, minute);
  let at = target;
  for (let round = 0; round < 2; round += 1) at = target - ((wall(at, zone)?.asUtc ?? at) - Math.floor(at / 1000) * 1000);
  return at;
}
