/** Hours of the week that come again: from a minute of a day to one of the same day or the next. */
export interface WeekSpan {
  /** Of the week, 0 is Sunday: those on which it begins. */
  readonly days: readonly number[];
  /** Minutes after midnight; `to` not after `from`: it ends on the day after. */
  readonly from: number;
  readonly to: number;
}

const DAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'] as const;
const EVERY_DAY = [0, 1, 2, 3, 4, 5, 6];
const WEEK_MINUTES = 7 * 1440;

/** "22:00-07:00", "mon-fri 22:00-07:00", "sat,sun 00:00-10:00"; undefined for anything else. The day is that on which it begins; 24:00 is an end. */
export function parseWeekSpan(text: string): WeekSpan | undefined {
  const [, named, from = '', to = ''] = /^(?:(\S+)\s+)?(\d{1,2}:\d\d)\s*-\s*(\d{1,2}:\d\d)$/.exec(text.trim().toLowerCase()) ?? [];
  const [begin, end] = [minuteOf(from), minuteOf(to)];
  const days = named === undefined ? EVERY_DAY : daysOf(named);
  if (begin === undefined || end === undefined || days === undefined || begin === 1440 || begin === end) return undefined;
  return { days, from: begin, to: end };
}

function minuteOf(text: string): number | undefined {
  const [hour = Number.NaN, minute = Number.NaN] = text === '' ? [] : text.split(':').map(Number);
  return (hour <= 23 && minute <= 59) || (hour === 24 && minute === 0) ? hour * 60 + minute : undefined;
}

/** "mon-fri", "sat,sun", "fri-mon"; undefined where a word is no day. */
function daysOf(text: string): number[] | undefined {
  const days = new Set<number>();
  for (const part of text.split(',')) {
    const [first, last, more] = part.split('-').map((word) => (word.length < 3 ? -1 : DAYS.findIndex((day) => day.startsWith(word))));
    if (first === undefined || first < 0 || last === -1 || more !== undefined) return undefined;
    for (let day = first; ; day = (day + 1) % 7) {
      days.add(day);
      if (day === (last ?? first)) break;
    }
  }
  return [...days].sort((a, b) => a - b);
}

/** Whether a minute of the week (0: Sunday, 00:00) lies in one of them; the end belongs to none. */
export function inWeekSpans(spans: readonly WeekSpan[], minute: number): boolean {
  return spans.some(({ days, from, to }) => days.some((day) => (((minute - (day * 1440 + from)) % WEEK_MINUTES) + WEEK_MINUTES) % WEEK_MINUTES < (to > from ? to - from : to + 1440 - from)));
}

/** What the clock on this machine's wall shows, summer time and all, as a minute of the week. `atMs`: wall clock, milliseconds. */
export function minuteOfWeek(atMs: number): number {
  const at = new Date(atMs);
  return at.getDay() * 1440 + at.getHours() * 60 + at.getMinutes();
}
