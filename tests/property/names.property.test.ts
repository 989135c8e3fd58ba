import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import * as realNames from '../../src/protocol/names.js';
import type { ClaimName, Counters, Owner, Place, ReapingName, StuckName, TaskName, WaitingName } from '../../src/protocol/names.js';
import * as realTaskId from '../../src/protocol/task-id.js';
import type { ProcessIdentity } from '../../src/lib/processes.js';
import { forAll } from './for-all.js';
import { cleanMutants, importMutant, killedBy } from '../rig/mutants.js';

type Names = typeof realNames;
type TaskId = typeof realTaskId;

const LAST_TIME = 36 ** 9 - 1;

const first = fc.constantFrom(...'abcxyz0189');
const rest = fc.constantFrom(...'abcxyz0189.-_');
const id: fc.Arbitrary<string> = fc
  .tuple(first, fc.oneof(fc.array(rest, { maxLength: 12 }), fc.array(rest, { minLength: 61, maxLength: 63 })))
  .map(([head, tail]) => (head + tail.join('')).replaceAll('..', '.-'))
  .filter((text) => !text.includes('..'));
const time = fc.oneof(fc.nat(2000), fc.integer({ min: 1_700_000_000_000, max: 1_900_000_000_000 }), fc.integer({ min: 0, max: LAST_TIME }));
const place: fc.Arbitrary<Place> = fc.record({ priority: fc.oneof(fc.constantFrom(0, 9, 10, 50, 99), fc.nat(99)), arrivedAt: time });
const counter = fc.oneof(fc.nat(12), fc.nat(999_999));
const counters: fc.Arbitrary<Counters> = fc.record({ failures: counter, losses: counter, deferrals: counter });
const nonce = fc.array(fc.constantFrom(...'0123456789abcdefghijklmnopqrstuvwxyz'), { minLength: 10, maxLength: 10 }).map((chars) => chars.join(''));
const identity: fc.Arbitrary<ProcessIdentity> = fc.record({
  pid: fc.integer({ min: 1, max: 4_194_304 }),
  start: fc.oneof(fc.bigInt({ min: 0n, max: 18_446_744_073_709_551_615n }), fc.constant(18_446_744_073_709_551_615n)).map(String),
  boot: fc.array(fc.constantFrom(...'0123456789abcdef'), { minLength: 8, maxLength: 8 }).map((chars) => chars.join('')),
});
const owner: fc.Arbitrary<Owner> = fc.tuple(identity, fc.integer({ min: 1, max: 9999 })).map(([process, snake]) => ({ ...process, snake: `s${snake}` }));
const taskRecord = { id, place, counters };
const task: fc.Arbitrary<TaskName> = fc.record(taskRecord);
const waiting: fc.Arbitrary<WaitingName> = fc.record({ ...taskRecord, dueAt: time });
const claim: fc.Arbitrary<ClaimName> = fc.record({ ...taskRecord, nonce, owner });
const reaping: fc.Arbitrary<ReapingName> = fc.record({ ...taskRecord, nonce, owner, reaper: identity });
const stuck: fc.Arbitrary<StuckName> = fc.record({ ...taskRecord, nonce });

/** One printed name of each kind, for the same task. */
const everyKind = (m: Names, name: ReapingName, dueAt: number): Record<string, string> => ({
  ready: m.printReady(name),
  waiting: m.printWaiting({ ...name, dueAt }),
  claim: m.printClaim(name),
  reaping: m.printReaping(name),
  stuck: m.printStuck(name),
});
const parsers = (m: Names): Record<string, (name: string) => TaskName | undefined> => ({
  ready: m.parseReady,
  waiting: m.parseWaiting,
  claim: m.parseClaim,
  reaping: m.parseReaping,
  stuck: m.parseStuck,
});

const bytes = (a: string, b: string): number => Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b)));

const roundTrip = (m: Names): void => {
  forAll(task, (name) => expect(m.parseReady(m.printReady(name))).toEqual(name));
  forAll(waiting, (name) => expect(m.parseWaiting(m.printWaiting(name))).toEqual(name));
  forAll(claim, (name) => expect(m.parseClaim(m.printClaim(name))).toEqual(name));
  forAll(reaping, (name) => expect(m.parseReaping(m.printReaping(name))).toEqual(name));
  forAll(stuck, (name) => expect(m.parseStuck(m.printStuck(name))).toEqual(name));
};

const dispatchOrder = (m: Names): void => {
  const near = fc.tuple(task, task, fc.boolean()).map(([a, b, samePriority]) => [a, samePriority ? { ...b, place: { ...b.place, priority: a.place.priority } } : b] as const);
  const order = ([a, b]: readonly [TaskName, TaskName]): void => {
    const expected = Math.sign(a.place.priority - b.place.priority || a.place.arrivedAt - b.place.arrivedAt);
    if (expected !== 0) expect(bytes(m.printReady(a), m.printReady(b))).toBe(expected);
  };
  forAll(near, order, 1000);
  forAll(fc.tuple(waiting, waiting), ([a, b]) => {
    if (a.dueAt !== b.dueAt) expect(bytes(m.printWaiting(a), m.printWaiting(b))).toBe(Math.sign(a.dueAt - b.dueAt));
  });
};

const fitsAFileSystem = (m: Names): void =>
  forAll(fc.tuple(reaping, time), ([name, dueAt]) => {
    for (const text of Object.values(everyKind(m, name, dueAt))) {
      expect(Buffer.byteLength(text)).toBeLessThan(200);
      expect(text).toMatch(/^[0-9a-z][0-9a-z~._-]*\.md$/);
    }
  });

const oneFormOneParser = (m: Names): void =>
  forAll(fc.tuple(reaping, time), ([name, dueAt]) => {
    for (const [kind, text] of Object.entries(everyKind(m, name, dueAt))) {
      for (const [reader, parse] of Object.entries(parsers(m))) expect([reader, kind, parse(text) !== undefined]).toEqual([reader, kind, reader === kind]);
      expect(m.parseAny(text)).toMatchObject({ id: name.id, place: name.place, counters: name.counters });
    }
  });

const markerTellsClaimsApart = (m: Names): void => {
  const few = fc.constantFrom(0, 1, 10, 11);
  const close = fc.record({
    id: fc.constantFrom('a', 'a1', 'a.1', 'a-0.0.0', 'b'),
    place: fc.constant({ priority: 50, arrivedAt: 0 }),
    counters: fc.record({ failures: few, losses: few, deferrals: few }),
    nonce: fc.constantFrom('0000000000', '0000000001', 'zzzzzzzzzz'),
  });
  const twins = fc.tuple(close, close, fc.constantFrom('id', 'counters', 'nonce', 'all')).map(([a, b, differ]) => [a, differ === 'all' ? b : { ...a, [differ]: b[differ as 'id'] }] as const);
  const apart = ([a, b]: readonly [StuckName, StuckName]): void => {
    const same = a.id === b.id && a.nonce === b.nonce && JSON.stringify(a.counters) === JSON.stringify(b.counters);
    expect(m.markerOf(a) === m.markerOf(b)).toBe(same);
  };
  forAll(twins, apart, 2000);
  const one = { id: 'a', place: { priority: 50, arrivedAt: 0 }, nonce: '0000000000' };
  apart([{ ...one, counters: { failures: 1, losses: 11, deferrals: 1 } }, { ...one, counters: { failures: 11, losses: 1, deferrals: 1 } }]);
  apart([{ ...one, counters: { failures: 1, losses: 1, deferrals: 11 } }, { ...one, counters: { failures: 1, losses: 11, deferrals: 1 } }]);
};

const markerStaysOnAdoption = (m: Names): void => {
  forAll(fc.tuple(claim, owner), ([name, other]) => {
    const adopted: ClaimName = { ...name, owner: other };
    expect(m.markerOf(adopted)).toBe(m.markerOf(name));
  });
};

/** Legal names with one character replaced, dropped or put in: where parsers go wrong if anywhere. */
const almostName = (m: Names): fc.Arbitrary<string> =>
  fc
    .tuple(reaping, time, fc.constantFrom('ready', 'waiting', 'claim', 'reaping', 'stuck'), fc.nat(220), fc.constantFrom('', '~', '.', '..', '/', '\n', '-', '_', 'A', '0', ' ', '\u0663', '\u0000'), fc.nat(2))
    .map(([name, dueAt, kind, at, put, drop]) => {
      const text = everyKind(m, name, dueAt)[kind] ?? '';
      const where = at % (text.length + 1);
      return text.slice(0, where) + put + text.slice(where + drop);
    });

const neverThrows = (m: Names): void => {
  const units = fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 60 }).map((codes) => String.fromCharCode(...codes));
  const read = (text: string): void => {
    for (const parse of Object.values(parsers(m))) parse(text);
    m.parseAny(text);
  };
  forAll(fc.oneof(fc.string({ unit: 'binary' }), units, almostName(m)), read, 1000);
};

const onlyLegalIdsComeOut = (m: Names): void => {
  const read = (text: string): void => {
    const name = m.parseAny(text);
    if (name === undefined) return;
    expect(name.id).toMatch(/^[a-z0-9][a-z0-9._-]{0,63}$/);
    expect(name.id).not.toContain('..');
    // oxlint-disable-next-line no-control-regex -- a NUL ends a path
    expect(text).not.toMatch(/[/\n\u0000]/);
    expect(Number.isSafeInteger(name.place.arrivedAt) && Number.isSafeInteger(m.attemptOf(name.counters))).toBe(true);
  };
  forAll(almostName(m), read, 2000);
  for (const hostile of ['../../x', '..', 'a/../b', 'a\nb', 'a\u0000b', '-rf', 'A']) read(`50-0mi8f2k3q~${hostile}~0.0.0.md`);
};

const legalIds = (m: Names): void => {
  for (const good of ['a', '0', 'fix-login', 'a.b_c-d', 'a'.repeat(64)]) expect([good, m.isTaskId(good)]).toEqual([good, true]);
  for (const bad of ['', '.', '..', 'a..b', '-a', '_a', '.a', 'A', 'a/b', 'a~b', 'a b', 'a\n', 'é', 'a'.repeat(65)]) expect([bad, m.isTaskId(bad)]).toEqual([bad, false]);
  forAll(id, (text) => expect(m.isTaskId(text)).toBe(true));
};

const attemptsCount = (m: Names): void => {
  expect(m.attemptOf(m.NO_COUNTERS)).toBe(1);
  forAll(counters, (before) => {
    for (const key of ['failures', 'losses', 'deferrals'] as const) expect(m.attemptOf({ ...before, [key]: before[key] + 1 })).toBe(m.attemptOf(before) + 1);
  });
};

describe('names', () => {
  it('print and parse are inverse for every kind', () => roundTrip(realNames));
  it('byte order is dispatch order', () => dispatchOrder(realNames));
  it('every name fits a file system and is no path', () => fitsAFileSystem(realNames));
  it('each form is read by its own parser alone', () => oneFormOneParser(realNames));
  it('the marker is different for different claims', () => markerTellsClaimsApart(realNames));
  it('the marker stays when another snake adopts the claim', () => markerStaysOnAdoption(realNames));
  it('no text makes a parser throw', () => neverThrows(realNames));
  it('no damaged name yields an illegal id', () => onlyLegalIdsComeOut(realNames));
  it('knows a legal id', () => legalIds(realNames));
  it('each counter is one attempt', () => attemptsCount(realNames));
});

const ascii = fc.array(fc.constantFrom(...'abzABZ019 ._-~/()'), { maxLength: 80 }).map((chars) => chars.join(''));
/** A letter that no ASCII letter stands for; folding to ASCII (the Kelvin sign) and mere spaces are left out. */
const foreign = fc.constantFrom('é', 'ß', 'ж', 'Ж', 'я', '漢', '字', 'あ', 'ا', 'ה', '😀', '🐍', 'ñ', '\u0301');
const foreignName = fc
  .tuple(ascii, fc.array(foreign, { minLength: 1, maxLength: 6 }), ascii)
  .map(([before, middle, after]) => Buffer.from(`${before}${middle.join('')}${after}.md`));
const fileName: fc.Arbitrary<Buffer> = fc.oneof(
  fc.uint8Array({ maxLength: 255 }).map((data) => Buffer.from(data)),
  fc.string({ unit: 'binary', maxLength: 100 }).map((text) => Buffer.from(`${text}.md`)),
  ascii.map((text) => Buffer.from(`${text}.md`)),
  foreignName,
);

const idsAreLegal = (m: TaskId): void => {
  const legal = (name: Buffer): unknown => expect(m.idFromFileName(name)).toSatisfy(realNames.isTaskId);
  forAll(fileName, legal, 3000);
  for (let length = 50; length < 80; length += 1) for (const tail of ['', 'é', '.', '-']) legal(Buffer.from(`${'a'.repeat(length)}${tail}.md`));
};
const idsAreStable = (m: TaskId): void => forAll(fileName, (name) => expect(m.idFromFileName(Buffer.from(name))).toBe(m.idFromFileName(name)));
const idsNameThemselves = (m: TaskId): void => {
  const again = (name: Buffer): void => {
    const made = m.idFromFileName(name);
    expect(m.idFromFileName(Buffer.from(`${made}.md`))).toBe(made);
    expect(m.idFromFileName(Buffer.from(`${made}.refused-0123456789.md`))).toBe(made);
  };
  forAll(fileName, again, 2000);
};
const foreignNamesStayApart = (m: TaskId): void => {
  const apart = ([a, b]: readonly [Buffer, Buffer]): void => {
    if (!a.equals(b)) expect(m.idFromFileName(a)).not.toBe(m.idFromFileName(b));
  };
  forAll(fc.tuple(foreignName, foreignName), apart, 1000);
  apart([Buffer.from('漢.md'), Buffer.from('字.md')]);
  apart([Buffer.from('naïve.md'), Buffer.from('nave.md')]);
  apart([Buffer.from('naïve.md'), Buffer.from('naive.md')]);
};
const longNamesStayApart = (m: TaskId): void => {
  const length = fc.integer({ min: 65, max: 200 });
  forAll(fc.tuple(length, length), ([a, b]) => {
    if (a !== b) expect(m.idFromFileName(Buffer.from(`${'a'.repeat(a)}.md`))).not.toBe(m.idFromFileName(Buffer.from(`${'a'.repeat(b)}.md`)));
  });
};
const idExamples = (m: TaskId): void => {
  const of = (text: string): string => m.idFromFileName(Buffer.from(text));
  expect(of('Fix the Login.md')).toBe('fix-the-login');
  expect(of('fix_login.MD')).toBe('fix-login');
  expect(of('v1.2.markdown')).toBe('v1.2');
  expect(of('fix.refused-k3j0000000.md')).toBe('fix');
  expect(of('notes.txt')).toBe('notes.txt');
  expect(of('../../etc/passwd')).toMatch(/^etcpasswd-[0-9a-f]{6}$/);
  expect(of('漢字.md')).toMatch(/^task-[0-9a-f]{6}$/);
  expect(of('.md')).toMatch(/^task-[0-9a-f]{6}$/);
};

describe('task ids', () => {
  it('any bytes give a legal id', () => idsAreLegal(realTaskId));
  it('the same bytes give the same id', () => idsAreStable(realTaskId));
  it('an id as a file name is that id, refused and mended too', () => idsNameThemselves(realTaskId));
  it('two names in other scripts are two ids', () => foreignNamesStayApart(realTaskId));
  it('two names that are too long are two ids', () => longNamesStayApart(realTaskId));
  it('examples', () => idExamples(realTaskId));
});

describe('planted faults are noticed', () => {
  afterAll(cleanMutants);
  const inNames: readonly (readonly [string, string, string, (m: Names) => void])[] = [
    ['times lose their padding', "toString(36).padStart(9, '0')", 'toString(36)', dispatchOrder],
    ['priorities lose their padding', "String(place.priority).padStart(2, '0')", 'String(place.priority)', roundTrip],
    ['times are printed in decimal', 'Math.floor(atMs)).toString(36)', 'Math.floor(atMs)).toString()', roundTrip],
    ['ids may hold a slash', "'[a-z0-9][a-z0-9._-]{0,63}'", "'[a-z0-9][a-z0-9._/-]{0,63}'", onlyLegalIdsComeOut],
    ['ids may hold two dots', " && !text.includes('..')", '', legalIds],
    ['ids may be longer', '{0,63}', '{0,64}', legalIds],
    ['losses and deferrals are swapped in reading', 'losses: Number(losses), deferrals: Number(deferrals)', 'losses: Number(deferrals), deferrals: Number(losses)', roundTrip],
    ['the marker forgets the nonce', '${name.id}~${failures}.${losses}.${deferrals}~${name.nonce}', '${name.id}~${failures}.${losses}.${deferrals}', markerTellsClaimsApart],
    ['the marker runs counters together', '${name.id}~${failures}.${losses}.', '${name.id}~${failures}${losses}.', markerTellsClaimsApart],
    ['the marker follows the owner', '~${name.nonce}`;\n}', '~${name.nonce}${name.owner?.pid}`;\n}', markerStaysOnAdoption],
    ['the reaper is read as the owner', 'slice(12)', 'slice(9)', roundTrip],
    ['ready is not anchored at its start', 'new RegExp(`^${BASE}\\\\.md$`)', 'new RegExp(`${BASE}\\\\.md$`)', oneFormOneParser],
    ['an attempt forgets deferrals', 'counters.losses + counters.deferrals', 'counters.losses', attemptsCount],
  ];
  it.each(inNames)('%s', async (_what, find, replace, property) => {
    expect(await killedBy<Names>(property, await importMutant('protocol/names.js', find, replace))).toBe(true);
  });

  const inTaskId: readonly (readonly [string, string, string, (m: TaskId) => void])[] = [
    ['dots at the start stay', ".replace(/^[.-]+/, '')", '', idsAreLegal],
    ['two dots stay', ".replace(/\\.{2,}/g, '.')", '', idsAreLegal],
    ['the tag is of the slug', '.update(name)', '.update(slug)', foreignNamesStayApart],
    ['no tag where letters were lost', 'slug === kept && ', '', foreignNamesStayApart],
    ['long ids are only cut', 'slug.slice(0, 57)', 'slug.slice(0, 64)', idsAreLegal],
    ['refusals are not taken off', ".replace(REFUSED, '')", '', idsNameThemselves],
  ];
  it.each(inTaskId)('%s', async (_what, find, replace, property) => {
    expect(await killedBy<TaskId>(property, await importMutant('protocol/task-id.js', find, replace))).toBe(true);
  });
});
