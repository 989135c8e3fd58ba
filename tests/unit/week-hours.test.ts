import { describe, expect, it } from 'vitest';
import { inWeekSpans, parseWeekSpan } from '../../src/lib/week-hours.js';

const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const at = (text: string): number => {
  const [day = '', time = ''] = text.split(' ');
  const [hour = 0, minute = 0] = time.split(':').map(Number);
  return DAYS.indexOf(day) * 1440 + hour * 60 + minute;
};

describe('hours of the week', () => {
  it.each<[string, string, boolean]>([
    ['22:00-07:00', 'mon 21:59', false], ['22:00-07:00', 'mon 22:00', true], ['22:00-07:00', 'tue 06:59', true], ['22:00-07:00', 'tue 07:00', false],
    ['22:00-07:00', 'sat 23:00', true], ['22:00-07:00', 'sun 03:00', true],
    ['mon-fri 22:00-07:00', 'fri 23:00', true], ['mon-fri 22:00-07:00', 'sat 06:00', true], ['mon-fri 22:00-07:00', 'sat 23:00', false], ['mon-fri 22:00-07:00', 'mon 06:00', false],
    ['sat,sun 00:00-10:00', 'sat 00:00', true], ['sat,sun 00:00-10:00', 'mon 09:00', false], ['SAT,Sunday 0:00 - 24:00', 'sun 23:59', true], ['sat 00:00-24:00', 'sun 00:00', false],
    ['fri-mon 12:00-13:00', 'sun 12:30', true], ['fri-mon 12:00-13:00', 'tue 12:30', false], ['sat 23:00-01:00', 'sun 00:59', true],
  ])('%s on %s: %s', (span, when, wanted) => {
    const parsed = parseWeekSpan(span);
    expect(parsed === undefined ? 'not parsed' : inWeekSpans([parsed], at(when))).toBe(wanted);
  });

  it.each(['', '22-07', '22:00', '25:00-07:00', '22:60-07:00', '24:00-07:00', '22:00-22:00', 'noday 22:00-07:00', 'mo 22:00-07:00', 'mon-fri-sun 1:00-2:00', 'mon- 1:00-2:00', '22:00-07:00 utc'])('%j is none', (text) => expect(parseWeekSpan(text)).toBeUndefined());
});
