import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import * as realDuration from '../../src/lib/duration.js';
import * as realProcStat from '../../src/lib/proc-stat.js';
import * as realText from '../../src/lib/text.js';
import { forAll } from './for-all.js';
import { cleanMutants, importMutant, killedBy } from '../rig/mutants.js';

type Text = typeof realText;
type Duration = typeof realDuration;
type Stat = typeof realProcStat;

const ESC = '\u001b';
const CONTROLS = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/u;
const CONTROLS_BUT_LINES = /[^\P{C}\n\t]/u;

const nasty = fc.constantFrom(ESC, ESC, '[', ']', '0', ';', '31m', 'm', '2J', '\u0007', '\\', '\u009b', '\r', '\n', '\t', '\u0000', '\u007f', '\u202e', '\u2066', '\u200b', '\ufeff', '\u2028', '\u2029', '\ue000', '\ud800', '\udc00', 'a', 'é', '😀', ' ');
const hostile = fc.oneof(
  { weight: 3, arbitrary: fc.array(nasty, { maxLength: 60 }).map((parts) => parts.join('')) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
  { weight: 1, arbitrary: fc.array(fc.integer({ min: 0, max: 0xffff })).map((codes) => String.fromCharCode(...codes)) },
);

/** Sequences inside sequences: whatever is taken out of the middle, the rest closes up to one. */
const RECOMBINING = [`${ESC}${ESC}[0m[31mred`, `${ESC}${ESC}[2J]0;title\u0007x`, `${ESC}[${ESC}[0m31m`, `${ESC}${ESC}${ESC}cc[2J`, `\u009b${ESC}[m31m`, `${ESC}]0;${ESC}]0;x\u0007y\u0007`];

const shownIsHarmless = (m: Text): void => {
  const harmless = (text: string): void => {
    const shown = m.show(text, 1_000_000);
    expect(shown).not.toMatch(CONTROLS);
    expect(m.show(text).length).toBeLessThanOrEqual(200);
  };
  forAll(hostile, harmless, 1500);
  for (const text of RECOMBINING) harmless(text);
};

/** One mark for one code point: nothing vanishes, so nothing closes up. */
const nothingVanishes = (m: Text): void => {
  const count = (text: string): number => Array.from(text).length;
  forAll(hostile, (text) => {
    expect(count(m.show(text, 1_000_000))).toBe(count(text));
    expect(count(m.showLines(text))).toBe(count(text.replaceAll('\r\n', '\n')));
  });
  expect(m.show(`a${ESC}[0mb`)).toBe('a·[0mb');
  expect(m.show('plain text, é 漢 😀')).toBe('plain text, é 漢 😀');
};

const cutToLength = (m: Text): void => {
  forAll(fc.tuple(fc.string({ maxLength: 60 }), fc.integer({ min: 1, max: 50 })), ([text, most]) => {
    const shown = m.show(text, most);
    expect(shown.length).toBe(Math.min(text.length, most));
    expect(shown.endsWith('…')).toBe(text.length > most);
  });
};

const linesAreHarmless = (m: Text): void => {
  const harmless = (text: string): void => expect(m.showLines(text)).not.toMatch(CONTROLS_BUT_LINES);
  forAll(hostile, harmless, 1500);
  for (const text of RECOMBINING) harmless(text);
  expect(m.showLines('a\r\nb\tc\n\rd')).toBe('a\nb\tc\n·d');
};

const tailIsHarmless = (m: Text): void => {
  const harmless = (text: string): void => {
    for (const line of m.tailLines(text, 5)) expect(line).not.toMatch(/[^\P{C}\t]/u);
  };
  forAll(hostile, harmless, 1500);
  for (const text of RECOMBINING) harmless(text);
};

const tailIsTheEnd = (m: Text): void => {
  const word = fc.array(fc.constantFrom(...'abc xyz'), { maxLength: 10 }).map((chars) => chars.join(''));
  forAll(fc.tuple(fc.array(word, { maxLength: 12 }), fc.integer({ min: 1, max: 6 }), fc.constantFrom('\n', '\r\n')), ([lines, count, end]) => {
    expect(m.tailLines(lines.join(end), count)).toEqual(lines.map((line) => line.trimEnd()).filter((line) => line !== '').slice(-count));
  });
  expect(m.tailLines(`${ESC}[1;31mred${ESC}[0m\n${ESC}]0;title\u0007next${ESC}]8;;x${ESC}\\link\n\n${ESC}[K\n`, 5)).toEqual(['red', 'nextlink']);
};

/** Long recordings made to be slow: the time grows with the length, not with its square. */
const tailIsQuick = (m: Text): void => {
  for (const unit of [`${ESC}]`, `${ESC}[`, `${ESC}[0`, '0', `${ESC}`, '[[[']) {
    const startedAt = performance.now();
    m.tailLines(unit.repeat(200_000), 3);
    m.tailLines(`${ESC}]${unit.replaceAll(ESC, '').repeat(200_000)}`, 3);
    m.tailLines(`${ESC}[${'0 '.repeat(200_000)}`, 3);
    expect(performance.now() - startedAt).toBeLessThan(3000);
  }
};

describe('text from others', () => {
  it('shows no control or format character', () => shownIsHarmless(realText));
  it('shows a mark for each character that it replaces', () => nothingVanishes(realText));
  it('is cut to length', () => cutToLength(realText));
  it('of several lines shows only newlines and tabs', () => linesAreHarmless(realText));
  it('of a recording shows none of its sequences', () => tailIsHarmless(realText));
  it('of a recording shows its last lines', () => tailIsTheEnd(realText));
  it('of a recording is read in linear time', () => tailIsQuick(realText));

  it('is never cut in the middle of a character', () => {
    forAll(fc.tuple(fc.array(fc.constantFrom('😀', 'a'), { maxLength: 20 }), fc.integer({ min: 2, max: 20 })), ([chars, most]) => expect(realText.show(chars.join(''), most)).not.toMatch(CONTROLS));
  });
  it('shows no unassigned code point', () => {
    expect(realText.show('a\u0378b\u{e0080}c')).toBe('a·b·c');
  });
});

const nearestWord = (m: Text): void => {
  const known = ['title', 'timeout', 'verify', 'workspace', 'priority'];
  for (const word of known) expect(m.nearest(word, known)).toBe(word);
  expect([m.nearest('titel', known), m.nearest('time-out', known), m.nearest('varify', known), m.nearest('worksapce', known)]).toEqual(['title', 'timeout', 'verify', 'workspace']);
  expect([m.nearest('zzzzzz', known), m.nearest('body', known), m.nearest('x', [])]).toEqual([undefined, undefined, undefined]);
  const word = fc.array(fc.constantFrom(...'abcd'), { maxLength: 8 }).map((chars) => chars.join(''));
  forAll(fc.tuple(word, fc.array(word, { maxLength: 5 })), ([typed, words]) => {
    const near = m.nearest(typed, words);
    if (near !== undefined) expect(words).toContain(near);
    if (words.includes(typed)) expect(near).toBe(typed);
  });
  forAll(fc.tuple(word.filter((text) => text.length >= 3), fc.nat(7)), ([text, at]) => expect(m.nearest(text.slice(0, at % text.length) + text.slice((at % text.length) + 1), [text])).toBe(text));
};

describe('the nearest word', () => {
  it('is the one that was meant, or none', () => nearestWord(realText));
});

const MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const MOST_MS = 3650 * MS.d;

const durationsAreSums = (m: Duration): void => {
  const part = fc.tuple(fc.nat(999), fc.constantFrom('ms', 's', 'm', 'h', 'd'));
  forAll(fc.array(part, { minLength: 1, maxLength: 4 }), (parts) => {
    const sum = parts.reduce((total, [amount, unit]) => total + amount * MS[unit as keyof typeof MS], 0);
    expect(m.parseDuration(` ${parts.map((pair) => pair.join('')).join('')} `)).toBe(sum <= MOST_MS ? sum : undefined);
  });
  expect([m.parseDuration('1h30m'), m.parseDuration('1.5h'), m.parseDuration('250ms'), m.parseDuration('0s'), m.parseDuration('3650d')]).toEqual([5_400_000, 5_400_000, 250, 0, MOST_MS]);
};

const otherTextsAreNone = (m: Duration): void => {
  for (const text of ['', ' ', '5', '-5m', '+5m', '5 m', '5M', 'm', '.5h', '5.h', '1h 30m', '1e3s', '0x5s', '٣s', '5w', '3651d', '1m\n2', 'Infinitys', 'NaNs', '9'.repeat(400) + 'd']) expect([text, m.parseDuration(text)]).toEqual([text, undefined]);
  forAll(fc.string({ unit: 'binary' }), (text) => {
    const ms = m.parseDuration(text);
    if (ms !== undefined) expect(Number.isSafeInteger(ms) && ms >= 0 && ms <= MOST_MS).toBe(true);
  });
  const startedAt = performance.now();
  m.parseDuration('1'.repeat(100_000));
  m.parseDuration(`${'1m'.repeat(50_000)}x`);
  expect(performance.now() - startedAt).toBeLessThan(3000);
};

/** What is printed can be read again, and is short by less than the smaller of its two units. */
const printedIsRead = (m: Duration): void => {
  const span = fc.oneof(fc.nat(5000), fc.nat(2 * MS.h), fc.integer({ min: 0, max: MOST_MS }));
  forAll(span, (ms) => {
    const step = ms < MS.s ? 1 : ms < MS.h ? MS.s : ms < MS.d ? MS.m : MS.h;
    const text = m.formatDuration(ms);
    const read = m.parseDuration(text) ?? Number.NaN;
    expect([text, read <= ms, ms - read < step]).toEqual([text, true, true]);
    if (ms > 0) expect(m.formatDuration(-ms)).toBe(`-${text}`);
  }, 2000);
  expect([0, 850, 1000, 45_999, 192_000, 7_500_000, 93_600_000].map(m.formatDuration)).toEqual(['0ms', '850ms', '1s', '45s', '3m12s', '2h05m', '1d02h']);
};

describe('durations', () => {
  it('are the sum of their parts', () => durationsAreSums(realDuration));
  it('are not read from anything else', () => otherTextsAreNone(realDuration));
  it('are printed so that they can be read', () => printedIsRead(realDuration));
});

const statIsRead = (m: Stat): void => {
  const number = fc.nat(4_194_304);
  const command = fc.oneof(fc.string({ unit: 'binary', maxLength: 15 }), fc.constantFrom(') S 1 2', 'tmux: server', '((', '))', ') (', '', ' ', 'a) Z 9 9 9 9 9', ')\n('));
  const stat = fc.record({ pid: number, command, state: fc.constantFrom('R', 'S', 'D', 'Z', 'T', 'X', 'I'), ppid: number, session: number, tty: fc.nat(40_000), user: number, system: number, start: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String) });
  forAll(stat, ({ pid, command: name, state, ppid, session, tty, user, system, start }) => {
    const text = `${pid} (${name}) ${state} ${ppid} 77 ${session} ${tty} -1 4194560 1 2 3 4 ${user} ${system} 5 6 20 0 1 0 ${start} 8 9 18446744073709551615 0 0\n`;
    expect(m.parseProcStat(text)).toEqual({ pid, state, ppid, session, tty, start, cpuTicks: user + system });
  });
};

const noStatIsNone = (m: Stat): void => {
  forAll(fc.string({ unit: 'binary' }), (text) => void m.parseProcStat(text));
  for (const text of ['', '1', '1 (a', '1 a) S', ')(', '1 (a) S 1 2 3', 'x (a) S 1 1 1 0 -1 0 0 0 0 0 1 1 0 0 20 0 1 0 55 8', '1 (a) S 1 1 1 0 -1 0 0 0 0 0 1 1 0 0 20 0 1 0 -5 8']) expect([text, m.parseProcStat(text)]).toEqual([text, undefined]);
};

describe('the entry of a process', () => {
  it('is read after the last parenthesis', () => statIsRead(realProcStat));
  it('is not read from anything else', () => noStatIsNone(realProcStat));
});

describe('planted faults are noticed', () => {
  afterAll(cleanMutants);
  const inText: readonly (readonly [string, string, string, (m: Text) => void])[] = [
    ['controls are removed, not replaced', "\\p{Zp}]/gu, '\\u00b7')", "\\p{Zp}]/gu, '')", nothingVanishes],
    ['only the first control is replaced', '\\p{Zp}]/gu', '\\p{Zp}]/u', shownIsHarmless],
    ['format characters stay', '[\\p{C}\\p{Zl}', '[\\p{Cc}\\p{Zl}', shownIsHarmless],
    ['line separators stay', '\\p{Zl}', '', shownIsHarmless],
    ['carriage returns stay', '[^\\P{C}\\n\\t]', '[^\\P{C}\\n\\t\\r]', linesAreHarmless],
    ['a recording is only stripped', 'return showLines(withoutEscapes(recording))', 'return withoutEscapes(recording)', tailIsHarmless],
    ['the first lines are taken for the last', 'slice(-count)', 'slice(0, count)', tailIsTheEnd],
    ['text is cut one too late', 'maxChars - 1', 'maxChars', cutToLength],
    ['the farthest word is the nearest', 'distance < best.distance', 'distance > best.distance', nearestWord],
    ['any word is near', 'best.distance <= Math.max', 'best.distance >= 0 || Math.max', nearestWord],
  ];
  it.each(inText)('%s', async (_what, find, replace, property) => {
    expect(await killedBy<Text>(property, await importMutant('lib/text.js', find, replace))).toBe(true);
  });

  const inDuration: readonly (readonly [string, string, string, (m: Duration) => void])[] = [
    ['a minute has 100 seconds', 'm: 60_000', 'm: 100_000', durationsAreSums],
    ['a bare number is taken', '(ms|s|m|h|d))+$/', '(ms|s|m|h|d)?)+$/', otherTextsAreNone],
    ['the longest is not bounded', '&& total <= 3650 * 86_400_000', '', otherTextsAreNone],
    ['minutes go beyond the hour', 'Math.floor(seconds / 60) % 60', 'Math.floor(seconds / 60)', printedIsRead],
    ['the second unit is not padded', "String(n).padStart(2, '0')", 'String(n)', printedIsRead],
  ];
  it.each(inDuration)('%s', async (_what, find, replace, property) => {
    expect(await killedBy<Duration>(property, await importMutant('lib/duration.js', find, replace))).toBe(true);
  });

  const inStat: readonly (readonly [string, string, string, (m: Stat) => void])[] = [
    ['the first parenthesis ends the name', "text.lastIndexOf(')')", "text.indexOf(')')", statIsRead],
    ['the start is the next field', 'fields[19]', 'fields[20]', statIsRead],
    ['the group is taken for the session', 'Number(fields[3])', 'Number(fields[2])', statIsRead],
    ['the start is a number', "    start,", '    start: String(Number(start)),', statIsRead],
    ['any start will do', ' || !/^\\d+$/.test(start)', '', noStatIsNone],
  ];
  it.each(inStat)('%s', async (_what, find, replace, property) => {
    expect(await killedBy<Stat>(property, await importMutant('lib/proc-stat.js', find, replace))).toBe(true);
  });
});
