import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isTaskId } from '../../src/protocol/names.js';
import * as realDecide from '../../src/recurring/decide.js';
import { instanceId } from '../../src/recurring/local-time.js';
import * as realSchedule from '../../src/recurring/schedule.js';
import { parseRecord, type LastLook, type RecurringAction, type RecurringRecord } from '../../src/recurring/state.js';
import { cleanMutants, importMutant, killedBy } from '../rig/mutants.js';

type Decide = typeof realDecide;
type Calendar = typeof realSchedule;
type Schedule = realSchedule.Schedule;
/** A planted fault has only to be noticed; a real one is shrunk, which takes its time. */
const search = { numRuns: 120, endOnFailure: false };
const forAll = <T>(values: fc.Arbitrary<T>, check: (value: T) => unknown): void => fc.assert(fc.property(values, (value) => void check(value)), search);

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** The pit's own bound on a time that it saw come. */
const LATE = MINUTE;
/** Some hours before Berlin's clocks go back in 2026, off the minute. */
const T0 = Date.parse('2026-10-24T20:00:07.300Z');

const every = (everyMs: number): Schedule => ({ kind: 'every', everyMs, zone: 'Europe/Berlin' });
const cron = (expression: string): Schedule => ({ kind: 'cron', expression, zone: 'Europe/Berlin' });
const schedule = fc.constantFrom<Schedule>(every(SECOND), every(7 * SECOND), every(5 * MINUTE), every(HOUR), cron('*/15 * * * *'), cron('0 * * * *'), cron('30 2 * * *'), cron('0 3 * * 1-5'));

/** What happens between two looks at one template. */
type Happening =
  | { readonly kind: 'passes'; readonly ms: number }
  | { readonly kind: 'set'; readonly ms: number }
  | { readonly kind: 'ends'; readonly how: 'done' | 'failed' }
  | { readonly kind: 'unseen' | 'removed' | 'crash' | 'by-hand'; readonly ms: number }
  | { readonly kind: 'edited'; readonly schedule: Schedule };

const time = fc.oneof(fc.integer({ min: 0, max: 3 * SECOND }), fc.constantFrom(MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 3 * HOUR), fc.integer({ min: HOUR, max: 9 * DAY }));
const passes = time.map((ms): Happening => ({ kind: 'passes', ms }));
const ends = fc.constantFrom('done' as const, 'failed' as const).map((how): Happening => ({ kind: 'ends', how }));
const steady = fc.oneof({ weight: 5, arbitrary: passes }, { weight: 3, arbitrary: ends });
/** The wall clock is set: back, or ahead and so back again later. */
const set = fc.oneof(fc.integer({ min: -3 * DAY, max: -1 }), fc.constantFrom(-1, -SECOND, -HOUR, -400 * DAY, 400 * DAY)).map((ms): Happening => ({ kind: 'set', ms }));
const odd = fc.oneof({ weight: 2, arbitrary: set }, { weight: 4, arbitrary: fc.tuple(fc.constantFrom('unseen' as const, 'removed' as const, 'crash' as const, 'by-hand' as const), time).map(([kind, ms]): Happening => ({ kind, ms })) }, { weight: 1, arbitrary: schedule.map((one): Happening => ({ kind: 'edited', schedule: one })) });

const lifeOf = (happening: fc.Arbitrary<Happening>) => fc.record({ schedule, catchUp: fc.boolean(), happenings: fc.array(happening, { minLength: 4, maxLength: 40, size: 'max' }) });
const calm = lifeOf(steady);
const wild = lifeOf(fc.oneof({ weight: 4, arbitrary: steady }, { weight: 1, arbitrary: odd }));
type Life = { readonly schedule: Schedule; readonly catchUp: boolean; readonly happenings: readonly Happening[] };

interface Told {
  readonly now: number;
  readonly schedule: Schedule;
  readonly catchUp: boolean;
  readonly before: RecurringRecord | undefined;
  readonly last: LastLook;
  readonly action: RecurringAction;
  /** The record as it lies on disk afterwards. */
  readonly after: RecurringRecord | undefined;
  readonly byHand: boolean;
}

const endedAs = (last: LastLook, state: 'done' | 'failed'): LastLook => (last.kind === 'open' ? { kind: 'ended', id: last.id, state } : last);

/** Plays a life: one look after each happening. Each record goes through the disk, as after a restart. */
function play(m: Decide, life: Life): Told[] {
  const told: Told[] = [];
  let now = T0;
  let current = life.schedule;
  let record: RecurringRecord | undefined;
  let last: LastLook = { kind: 'none' };
  let [unseen, removed, crash, byHand] = [false, false, false, false];
  const look = (): void => {
    const due = { name: 'n', file: 'n.md', schedule: current, catchUp: life.catchUp };
    const seen: LastLook = unseen ? { kind: 'unseen' } : last;
    const action: RecurringAction = removed && record !== undefined ? m.decideRetired(record, now) : byHand ? (m.decideByHand(due, record, seen, now) ?? { kind: 'none', rule: 'not-by-hand' }) : m.decideRecurring(due, record, seen, now);
    let after: RecurringRecord | undefined = action.kind === 'none' ? record : action.record;
    if (action.kind === 'make' && !crash && after !== undefined) after = m.decideUnfinished(after)?.record;
    if (action.kind === 'make') last = { kind: 'open', id: action.instance.id, state: 'ready' };
    after = parseRecord(JSON.stringify(after));
    told.push({ now, schedule: current, catchUp: life.catchUp, before: record, last: seen, action, after, byHand });
    record = after;
  };
  look();
  for (const one of life.happenings) {
    [unseen, removed, crash, byHand] = [one.kind === 'unseen', one.kind === 'removed', one.kind === 'crash', one.kind === 'by-hand'];
    if (one.kind === 'edited') current = one.schedule;
    else if (one.kind === 'ends') last = endedAs(last, one.how);
    else now += one.ms;
    look();
  }
  return told;
}

const makes = (all: readonly Told[]): { told: Told; dueAt: number; id: string }[] => all.flatMap((told) => (told.action.kind === 'make' ? [{ told, dueAt: told.action.instance.dueAt, id: told.action.instance.id }] : []));

/** By hand a person may ask for an instance at a due time, too; the queue refuses its id the second time. */
const neverTwice = (m: Decide): void => forAll(wild, (life) => {
  const dues = makes(play(m, life)).filter(({ told }) => !told.byHand).map(({ dueAt }) => dueAt);
  expect(new Set(dues).size).toBe(dues.length);
});

const oneAtATime = (m: Decide): void => forAll(wild, (life) => {
  for (const { told } of makes(play(m, life))) expect(['none', 'ended', 'gone']).toContain(told.last.kind);
});

const unseenMakesNothing = (m: Decide): void => forAll(wild, (life) => {
  for (const { last, action } of play(m, life)) if (last.kind === 'unseen') expect(action.kind).not.toBe('make');
});

/** After each instance the next one is of a time that came later: one for a sleep of a week, not one for each hour of it. */
const onceAfterSleep = (m: Decide): void => forAll(calm, (life) => {
  const all = makes(play(m, life));
  for (const [index, { dueAt }] of all.entries()) expect(dueAt).toBeGreaterThan(all[index - 1]?.told.now ?? T0);
});

/** Whatever was decided, what is due next has not come yet. */
const nextIsAhead = (m: Decide): void => forAll(wild, (life) => {
  for (const { action, now, byHand } of play(m, life)) if (!byHand && (action.kind === 'make' || action.kind === 'skip' || (action.kind === 'record' && action.rule !== 'gone'))) expect(action.record.nextDueAt).toBeGreaterThan(now);
});

const ofTheLastTime = (m: Decide): void => forAll(calm, (life) => {
  for (const { told, dueAt } of makes(play(m, life))) {
    expect(dueAt).toBeLessThanOrEqual(told.now);
    expect(realSchedule.nextAfter(told.schedule, told.before?.anchorAt ?? 0, dueAt)).toBeGreaterThan(told.now);
  }
});

const noDrift = (m: Decide): void => forAll(calm, (life) => {
  const { schedule: one } = life;
  if (one.kind !== 'every') return;
  const grain = one.everyMs % MINUTE === 0 ? MINUTE : SECOND;
  for (const { dueAt } of makes(play(m, life))) expect((dueAt - Math.floor(T0 / grain) * grain) % one.everyMs).toBe(0);
});

/** With the last one ended, however it ended, a time that came since the last look is not passed over. */
const nothingIsPassedOver = (m: Decide): void => forAll(calm, (life) => {
  const all = play(m, life);
  for (const [index, told] of all.entries()) {
    const before = all[index - 1];
    if (before === undefined || told.before === undefined || told.last.kind === 'open') continue;
    const dueAt = realSchedule.nextAfter(told.schedule, told.before.anchorAt, before.now);
    const late = told.now - realSchedule.latestUpTo(told.schedule, told.before.anchorAt, dueAt, told.now) > LATE;
    if (dueAt <= told.now && (told.catchUp || !late)) expect(told.action.kind).toBe('make');
  }
});

const notMadeLate = (m: Decide): void => forAll(wild, (life) => {
  for (const { told, dueAt } of makes(play(m, { ...life, catchUp: false }))) expect(told.now - dueAt).toBeLessThanOrEqual(LATE);
});

const toldOnce = (m: Decide): void => forAll(calm, (life) => {
  const told = play(m, life).flatMap(({ action, last }) => (action.kind === 'skip' && action.rule === 'last-still-open' && action.tell && last.kind === 'open' ? [last.id] : []));
  expect(new Set(told).size).toBe(told.length);
});

const isTold = (m: Decide): void => forAll(calm, (life) => {
  const skipped = new Set<string>();
  const told = new Set<string>();
  for (const { action, last } of play(m, life)) {
    if (action.kind !== 'skip' || last.kind !== 'open') continue;
    skipped.add(last.id);
    if (action.tell) told.add(last.id);
  }
  expect(told).toEqual(skipped);
});

/** While nothing is due, nothing is written. */
const idleIsQuiet = (m: Decide): void => forAll(calm, (life) => {
  for (const { before, now, action } of play(m, life)) if (before !== undefined && before.making === undefined && now < before.nextDueAt) expect(action.kind).toBe('none');
});

const crashIsFinished = (m: Decide): void => forAll(wild, (life) => {
  for (const { before, action, after, byHand } of play(m, { ...life, happenings: life.happenings.filter(({ kind }) => kind !== 'removed') })) {
    if (before?.making === undefined || byHand) continue;
    expect(action).toMatchObject({ kind: 'finish', instance: { id: before.making.id, dueAt: before.making.dueAt } });
    expect([after?.making, after?.last?.id]).toEqual([undefined, before.making.id]);
  }
});

/** A clock that stood far ahead for one look does not silence a template once it is right again: at most one time is left out. */
const wrongClockHeals = (m: Decide): void => forAll(fc.record({ schedule, aheadMs: fc.constantFrom(40 * DAY, 400 * DAY, 4000 * DAY), backMs: fc.constantFrom(0, SECOND) }), ({ schedule: one, aheadMs, backMs }) => {
  const period = one.kind === 'every' ? one.everyMs : 4 * DAY;
  const happenings: Happening[] = [{ kind: 'passes', ms: period }, { kind: 'ends', how: 'done' }, { kind: 'set', ms: aheadMs }, { kind: 'ends', how: 'done' }, { kind: 'set', ms: -aheadMs - backMs }, { kind: 'passes', ms: period }, { kind: 'passes', ms: period + backMs }];
  const all = play(m, { schedule: one, catchUp: true, happenings });
  expect(makes(all.slice(-3)).length).toBeGreaterThan(0);
});

const editsReckonAnew = (m: Decide): void => forAll(wild, (life) => {
  const all = play(m, life);
  for (const told of all) {
    if (told.before === undefined || told.before.making !== undefined || told.byHand || told.action.kind === 'none') continue;
    if (told.before.key === realSchedule.scheduleKey(told.schedule)) continue;
    expect(told.action.kind).toBe('record');
    expect(told.after?.nextDueAt ?? 0).toBeGreaterThan(told.action.rule === 'gone' ? -1 : told.now);
  }
});

const byHandLeavesTheSchedule = (m: Decide): void => forAll(wild, (life) => {
  for (const told of play(m, life)) {
    if (!told.byHand || told.action.kind !== 'make' || told.before?.key !== realSchedule.scheduleKey(told.schedule) || told.now < told.before.at) continue;
    expect([told.after?.nextDueAt, told.after?.spent]).toEqual([told.before.nextDueAt, told.before.spent]);
  }
});

/** Twenty sleeps, each with an instance after it. */
const sleeper: Life = { schedule: every(SECOND), catchUp: true, happenings: Array.from({ length: 20 }, (): Happening[] => [{ kind: 'passes', ms: HOUR }, { kind: 'ends', how: 'done' }]).flat() };

const whatIsRememberedIsBounded = (m: Decide): void => {
  for (const { after } of play(m, sleeper)) expect(after?.spent.length ?? 0).toBeLessThanOrEqual(16);
};

const decisions: readonly (readonly [string, (m: Decide) => void])[] = [
  ['a due time makes one instance, whatever the clock does', neverTwice],
  ['one instance at a time', oneAtATime],
  ['a last instance that was not seen makes nothing', unseenMakesNothing],
  ['once after a sleep', onceAfterSleep],
  ['it is of the last time that came', ofTheLastTime],
  ['what is due next lies ahead', nextIsAhead],
  ['intervals do not drift', noDrift],
  ['no time is passed over while nothing is in the way', nothingIsPassedOver],
  ['without catch-up nothing is made late', notMadeLate],
  ['what is in the way is told once', toldOnce],
  ['what is in the way is told', isTold],
  ['nothing is written while nothing is due', idleIsQuiet],
  ['what a crash left is finished, as it was decided', crashIsFinished],
  ['a clock that was wrong silences nothing', wrongClockHeals],
  ['an edited schedule is reckoned anew', editsReckonAnew],
  ['an instance by hand leaves the schedule as it is', byHandLeavesTheSchedule],
  ['what is remembered is bounded', whatIsRememberedIsBounded],
];

describe('recurring tasks, over whole lives of templates', () => {
  it.each(decisions)('%s', (_name, property) => property(realDecide));
});

const minute = fc.constantFrom('*', '*/7', '*/15', '0', '30', '59', '5-20', '0,30');
const hour = fc.constantFrom('*', '*/2', '0', '1', '2', '3', '1-3', '23');
const day = fc.constantFrom('*', '*', '1', '25', '29', '31', 'L', '*/10');
const month = fc.constantFrom('*', '*', '*', '2', '3,10');
const weekday = fc.constantFrom('*', '*', '0', '1-5', '7');
const zones = ['UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kolkata', 'America/Santiago'];
const anyCron = fc.tuple(minute, hour, day, month, weekday, fc.constantFrom(...zones)).map(([a, b, c, d, e, zone]): Schedule => ({ kind: 'cron', expression: [a, b, c, d, e].join(' '), zone })).filter((one) => realSchedule.nextAfter(one, 0, 0) < realSchedule.NEVER);
/** Near the changes of clocks, and anywhere. */
const instant = fc.oneof(
  fc.tuple(fc.constantFrom('2026-03-29T01:00Z', '2026-10-25T01:00Z', '2026-03-08T07:00Z', '2026-11-01T06:00Z', '2026-04-04T15:00Z', '2026-09-06T04:00Z'), fc.integer({ min: -6 * HOUR, max: 6 * HOUR })).map(([at, ms]) => Date.parse(at) + ms),
  fc.integer({ min: Date.parse('2025-01-01T00:00Z'), max: Date.parse('2029-01-01T00:00Z') }),
);
const anySchedule = fc.oneof({ weight: 3, arbitrary: anyCron }, { weight: 1, arbitrary: fc.tuple(fc.integer({ min: 1, max: 200_000 }), fc.constantFrom(...zones)).map(([s, zone]): Schedule => ({ kind: 'every', everyMs: s * SECOND, zone })) });
const moment = fc.record({ schedule: anySchedule, at: instant, afterMs: fc.oneof(fc.integer({ min: 0, max: 3 * HOUR }), fc.integer({ min: 0, max: 400 * DAY })) });

const nextIsLater = (m: Calendar): void => forAll(moment, ({ schedule: one, at, afterMs }) => {
  const anchor = m.anchorOf(one, at);
  const next = m.nextAfter(one, anchor, at);
  expect(next).toBeGreaterThan(at);
  expect(m.nextAfter(one, anchor, next)).toBeGreaterThan(next);
  expect(m.nextAfter(one, anchor, at + afterMs)).toBeGreaterThanOrEqual(next);
  // Nothing lies between.
  if (next > at + 1) expect(m.nextAfter(one, anchor, Math.floor((at + next) / 2))).toBe(next);
});

const latestIsTheLast = (m: Calendar): void => forAll(moment, ({ schedule: one, at, afterMs }) => {
  const anchor = m.anchorOf(one, at);
  const first = m.nextAfter(one, anchor, at);
  const now = first + afterMs;
  const latest = m.latestUpTo(one, anchor, first, now);
  expect(latest).toBeGreaterThanOrEqual(first);
  expect(latest).toBeLessThanOrEqual(now);
  expect(m.nextAfter(one, anchor, latest)).toBeGreaterThan(now);
});

const anchorsAreWhole = (m: Calendar): void => forAll(moment, ({ schedule: one, at }) => {
  const anchor = m.anchorOf(one, at);
  expect([anchor <= at, anchor % SECOND]).toEqual([true, 0]);
  if (one.kind === 'every') expect(m.nextAfter(one, anchor, at) - at).toBeGreaterThan(one.everyMs - MINUTE - 1);
});

describe('schedules, near changes of clocks and anywhere', () => {
  it('the next due time is later, and the first', () => nextIsLater(realSchedule));
  it('the latest due time is the last', () => latestIsTheLast(realSchedule));
  it('intervals count from a whole second, not long ago', () => anchorsAreWhole(realSchedule));
  it('two due times have two ids, and each is legal', () => forAll(moment, ({ schedule: one, at }) => {
    const ids = new Set<string>();
    let due = at;
    for (let count = 0; count < 12; count += 1) {
      due = realSchedule.nextAfter(one, realSchedule.anchorOf(one, at), due);
      const id = instanceId('n', due, one.zone);
      expect(isTaskId(id)).toBe(true);
      ids.add(id);
    }
    expect(ids.size).toBe(12);
  }));
});

describe('planted faults are noticed', () => {
  beforeAll(() => {
    Object.assign(search, { numRuns: 1000, endOnFailure: true });
  });
  afterAll(cleanMutants);
  const faults: readonly (readonly [string, string, string, (m: Decide) => void])[] = [
    ['N times after a sleep', 'latestUpTo(schedule, record.anchorAt, record.nextDueAt, nowMs)', 'record.nextDueAt', ofTheLastTime],
    ['N times after a sleep: the rest stays due', 'nextDueAt: nextUnspent(schedule, record.anchorAt, spent, nowMs) };\n    if', 'nextDueAt: nextUnspent(schedule, record.anchorAt, spent, record.nextDueAt) };\n    if', nextIsAhead],
    ['while the last one runs', "case 'open':\n            return", "case 'open':\n            if (nowMs > 0) break;\n            return", oneAtATime],
    ['an unseen one counts as ended', "case 'unseen':\n            return", "case 'unseen':\n            if (nowMs > 0) break;\n            return", unseenMakesNothing],
    ['for ever silent after a failure', "case 'ended':\n", "case 'ended':\n            if (last.kind === 'ended' && last.state === 'failed') return { kind: 'none', rule: 'failed' };\n", nothingIsPassedOver],
    ['drift: from the look, not from the anchor', 'nextDueAt: nextUnspent(schedule, record.anchorAt, spent, nowMs) };\n    if', "nextDueAt: schedule.kind === 'every' ? nowMs + schedule.everyMs : nextUnspent(schedule, record.anchorAt, spent, nowMs) };\n    if", noDrift],
    ['again after the clock was set back', 'if (isSpent(record.spent, dueAt))', 'if (false)', (m) => spentIsSpent(m)],
    ['again after the clock was set back: spent times are due', 'if (from <= next && next <= to)', 'if (false)', (m) => spentIsSpent(m)],
    ['a clock that was set back is not noticed', 'if (nowMs < record.at)', 'if (false)', wrongClockHeals],
    ['a gap counts as spent', 'nextAfter(schedule, anchorAt, nearest.to) >= dueAt', 'true', wrongClockHeals],
    ['spans without end', 'sorted.length > MOST_SPANS', 'false', whatIsRememberedIsBounded],
    ['merged spans lose their middle', 'Math.max(first.to, second.to)', 'first.to', (m) => spansHold(m)],
    ['catch-up is not asked', '!due.catchUp && lateMs > LATE_MS', 'false', notMadeLate],
    ['without catch-up never', '!due.catchUp && lateMs > LATE_MS', '!due.catchUp', nothingIsPassedOver],
    ['told at each due time', 'tell: record.told !== last.id', 'tell: true', toldOnce],
    ['never told', 'tell: record.told !== last.id', 'tell: false', isTold],
    ['written at each look', "{ kind: 'none', rule: 'not-due' }", "{ kind: 'record', rule: 'not-due', record }", idleIsQuiet],
    ['a crash is forgotten', 'if (unfinished !== undefined)', 'if (false)', crashIsFinished],
    ['an edit is not noticed', 'record === undefined || record.key !== key', 'record === undefined', editsReckonAnew],
    ['what is gone keeps its time', "key: '', nextDueAt: 0, at: nowMs", 'at: nowMs', (m) => goneStops(m)],
    ['by hand while one runs', "last.kind === 'open' || last.kind === 'unseen' || ", '', oneAtATime],
    ['by hand over an unfinished one', " || record?.making !== undefined", '', (m) => byHandWaits(m)],
  ];
  it.each(faults)('%s', async (_what, find, replace, property) => {
    expect(await killedBy<Decide>(property, await importMutant('recurring/decide.js', find, replace))).toBe(true);
  });

  const calendarFaults: readonly (readonly [string, string, string, (m: Calendar) => void])[] = [
    ['a due time comes after itself', '/ schedule.everyMs) + 1)', '/ schedule.everyMs))', nextIsLater],
    ['the first comes at once', 'Math.max(1, Math.floor(', 'Math.max(0, Math.floor(', (m) => firstIsAnIntervalLater(m)],
    ['halving stops early', 'high - low > MINUTE_MS / 2', 'high - low > MINUTE_MS * 90', latestIsTheLast],
    ['halving takes the wrong half', 'low = next;', 'high = middle;', latestIsTheLast],
    ['the anchor is where it was seen', 'Math.floor(nowMs / grain) * grain', 'nowMs', anchorsAreWhole],
  ];
  it.each(calendarFaults)('%s', async (_what, find, replace, property) => {
    expect(await killedBy<Calendar>(property, await importMutant('recurring/schedule.js', find, replace))).toBe(true);
  });
});

const START: RecurringRecord = { v: 1, name: 'n', file: 'n.md', key: 'every 1000', anchorAt: T0, nextDueAt: T0 + SECOND, at: T0, spent: [] };
const SECONDLY = { name: 'n', file: 'n.md', schedule: every(SECOND), catchUp: true };

function spentIsSpent(m: Decide): void {
  const record: RecurringRecord = { ...START, at: T0 - HOUR, spent: [{ from: T0, to: T0 + 5 * SECOND }] };
  expect(m.decideRecurring(SECONDLY, record, { kind: 'none' }, T0 + SECOND).kind).toBe('record');
  const back = m.decideRecurring(SECONDLY, { ...record, at: T0 + 6 * SECOND, nextDueAt: T0 + 7 * SECOND }, { kind: 'none' }, T0 + SECOND);
  expect(back).toMatchObject({ kind: 'record', record: { nextDueAt: T0 + 6 * SECOND } });
}

/** After more sleeps than are remembered one by one, what was made remains made. */
function spansHold(m: Decide): void {
  const all = play(m, sleeper);
  const spent = all.at(-1)?.after?.spent ?? [];
  for (const { dueAt } of makes(all)) expect(spent.some(({ from, to }) => from <= dueAt && dueAt <= to)).toBe(true);
}

function goneStops(m: Decide): void {
  const gone = m.decideRetired(START, T0);
  expect(gone).toMatchObject({ kind: 'record', record: { key: '' } });
  if (gone.kind !== 'record') return;
  expect(m.decideRetired(gone.record, T0 + 1).kind).toBe('none');
  expect(m.decideRecurring(SECONDLY, gone.record, { kind: 'none' }, T0 + DAY)).toMatchObject({ kind: 'record', rule: 'back-again' });
}

function byHandWaits(m: Decide): void {
  expect(m.decideByHand(SECONDLY, { ...START, making: { id: 'n-1', dueAt: T0, rule: 'due' } }, { kind: 'none' }, T0)).toBeUndefined();
}

function firstIsAnIntervalLater(m: Calendar): void {
  expect(m.nextAfter(every(HOUR), T0, T0 - 3 * HOUR)).toBe(T0 + HOUR);
}

describe('what the examples say', () => {
  it.each<[string, () => void]>([
    ['spent times are spent', () => spentIsSpent(realDecide)],
    ['merged spans hold', () => spansHold(realDecide)],
    ['what is gone stops', () => goneStops(realDecide)],
    ['by hand waits for what is unfinished', () => byHandWaits(realDecide)],
    ['the first is an interval later', () => firstIsAnIntervalLater(realSchedule)],
  ])('%s', (_name, check) => check());
});
