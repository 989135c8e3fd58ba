/** The date and time that clocks in a zone show, each part as a number. */
interface WallClock {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

/** No zone has set its clocks back by more within these hours of the last change. */
const LONGEST_REPEAT_MS = 3 * 3_600_000;

function wallClock(zone: string, atMs: number): WallClock {
  const parts = new Map<string, number>();
  const format = new Intl.DateTimeFormat('en', { timeZone: zone, calendar: 'gregory', numberingSystem: 'latn', hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' });
  for (const { type, value } of format.formatToParts(atMs)) parts.set(type, Number(value));
  const part = (name: string): number => parts.get(name) ?? 0;
  return { year: part('year'), month: part('month'), day: part('day'), hour: part('hour'), minute: part('minute'), second: part('second') };
}

/** Milliseconds by which a zone's clocks are ahead of UTC at an instant. */
function offsetMs(zone: string, atMs: number): number {
  const { year, month, day, hour, minute, second } = wallClock(zone, atMs);
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(atMs / 1000) * 1000;
}

/** True in the hour that the change back from summer time repeats, the second time round. */
function isRepeated(zone: string, atMs: number): boolean {
  const setBackBy = offsetMs(zone, atMs - LONGEST_REPEAT_MS) - offsetMs(zone, atMs);
  return setBackBy > 0 && offsetMs(zone, atMs - setBackBy) === offsetMs(zone, atMs) + setBackBy;
}

const two = (n: number): string => String(n).padStart(2, '0');
const four = (n: number): string => String(n).padStart(4, '0');

/**
 * An instance's id: its template's name and the due time as clocks in the zone show it, with seconds where there are any, and a b the
 * second time round when clocks are set back. One due time, one id; two due times, two ids.
 */
export function instanceId(name: string, dueAt: number, zone: string): string {
  const { year, month, day, hour, minute, second } = wallClock(zone, dueAt);
  return `${name}-${four(year)}${two(month)}${two(day)}-${two(hour)}${two(minute)}${second === 0 ? '' : two(second)}${isRepeated(zone, dueAt) ? 'b' : ''}`;
}

/** The longest name that leaves room for the rest of an id of 64. */
export const LONGEST_NAME = 64 - '-20261201-030000b'.length;

/** For a person: `2026-12-01 03:00 Europe/Berlin`. */
export function localTime(zone: string, atMs: number): string {
  const { year, month, day, hour, minute, second } = wallClock(zone, atMs);
  return `${four(year)}-${two(month)}-${two(day)} ${two(hour)}:${two(minute)}${second === 0 ? '' : `:${two(second)}`} ${zone}`;
}
