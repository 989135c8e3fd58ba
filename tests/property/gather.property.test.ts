import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { inWeekSpans, minuteOfWeek, parseWeekSpan, type WeekSpan } from '../../src/lib/week-hours.js';
import * as realRound from '../../src/pings/round.js';
import type { Rule } from '../../src/pings/state.js';
import { cleanMutants, killedBy, plantMutant } from '../rig/mutants.js';
import { forAllAsync } from './for-all.js';
import { World } from './pings-world.js';

/*
 * Whole lives of hooks with quiet hours and group:, by the clock on the wall, whatever the zone: events come by day and by night, the
 * process is killed at any change of the disk and within a call, the log is rotated. In the end each event was told by itself or in
 * exactly one bundle, no night was broken but for what is urgent, and each night's events came as one.
 */

type Round = typeof realRound;
const KEEP_MS = 1e12;
const MINUTE = 60_000;
const NIGHT = parseWeekSpan('22:00-07:00') as WeekSpan;
const ruleOf = (groupMs: number): Rule => ({ name: 'hook:phone', on: { kind: 'events', kinds: ['task-held', 'task-stuck'] }, to: ['hook:phone'], message: '', hook: { kind: 'bell', timeoutMs: 1000 }, gathering: { quiet: [NIGHT], urgent: ['task-stuck'], groupMs } });
const isNight = (at: number): boolean => inWeekSpans([NIGHT], minuteOfWeek(at));
/** Which night an instant lies in: the day on which it ends. */
const nightOf = (at: number): string => new Date(at + 2 * 3_600_000).toDateString();

const moment = fc.record({
  afterMs: fc.oneof(fc.integer({ min: 0, max: 30_000 }), fc.integer({ min: 0, max: 40 * MINUTE }), fc.integer({ min: 0, max: 9 * 60 * MINUTE })),
  events: fc.array(fc.constantFrom('task-held', 'task-held', 'task-held', 'task-stuck'), { maxLength: 6 }),
  what: fc.oneof({ weight: 6, arbitrary: fc.constant('nothing' as const) }, { weight: 1, arbitrary: fc.constant('restart' as const) }, { weight: 1, arbitrary: fc.constant('rotate' as const) }, { weight: 4, arbitrary: fc.integer({ min: 0, max: 10 }) }),
  rings: fc.integer({ min: 0, max: 3 }),
});
const lifeOf = fc.record({ grouped: fc.boolean(), moments: fc.array(moment, { minLength: 3, maxLength: 25, size: 'max' }) });
type Life = typeof lifeOf extends fc.Arbitrary<infer T> ? T : never;

interface Logged {
  readonly id: string;
  readonly kind: string;
  readonly at: number;
}
/** One call as the hook saw it. */
interface Told {
  readonly kind: string;
  readonly id?: string;
  readonly at: number;
  readonly count?: number;
  readonly since?: number;
  readonly kinds?: string;
}

async function live(round: Round, { grouped, moments }: Life): Promise<{ world: World; logged: Logged[]; kills: number }> {
  const world = new World(round);
  const rules = [ruleOf(grouped ? MINUTE : 0)];
  world.now = new Date(2026, 5, 1, 20, 0).getTime();
  const logged: Logged[] = [];
  let kills = 0;
  world.log(`${JSON.stringify({ v: 1, at: 5, kind: 'queue-paused' })}\n`);
  await world.ring(rules, KEEP_MS);
  for (const { afterMs, events, what, rings } of moments) {
    world.now += afterMs;
    for (const kind of events) {
      const event = { v: 1, at: world.now, kind, id: `e${logged.length}` };
      logged.push(event);
      world.log(`${JSON.stringify(event)}\n`);
    }
    if (what === 'restart') world.restart();
    else if (what === 'rotate') world.rotate();
    else if (what !== 'nothing') {
      world.killAt(what);
      kills += 1;
    }
    for (let at = 0; at < rings; at += 1) await world.ring(rules, KEEP_MS);
    if (what === 'rotate') await world.ring(rules, KEEP_MS);
  }
  world.killAt(1e9);
  const noon = new Date(world.now);
  noon.setDate(noon.getDate() + 2);
  noon.setHours(12, 0);
  for (let at = 0; at < logged.length + 8; at += 1) {
    world.now = noon.getTime() + at * 70_000;
    await world.ring(rules, KEEP_MS);
  }
  return { world, logged, kills };
}

const toldOf = (world: World): { told: Told; typedAt: number; times: number }[] => {
  const texts = world.typed.map(({ text }) => text);
  return [...new Set(texts)].map((text) => ({ told: JSON.parse(text) as Told, typedAt: world.typedAt[texts.indexOf(text)] ?? 0, times: texts.filter((one) => one === text).length }));
};

const eachOnce = (round: Round): Promise<void> => forAllAsync(lifeOf, async (life) => {
  const { world, logged, kills } = await live(round, life);
  const told = toldOf(world);
  expect(told.reduce((sum, one) => sum + (one.told.count ?? 1), 0)).toBe(logged.length);
  for (const { times } of told) expect(times).toBeLessThanOrEqual(1 + kills);
}, 25);

const nightsAreQuiet = (round: Round): Promise<void> => forAllAsync(lifeOf, async (life) => {
  const { world } = await live(round, life);
  const perNight = new Map<string, number>();
  for (const { told, typedAt } of toldOf(world)) {
    const begun = told.since ?? told.at;
    // What is urgent passes, with what happened in the same minute.
    if ((told.kinds ?? told.kind).includes('task-stuck') || !isNight(begun)) continue;
    expect([begun, isNight(typedAt) && nightOf(typedAt) === nightOf(begun)]).toEqual([begun, false]);
    perNight.set(nightOf(begun), (perNight.get(nightOf(begun)) ?? 0) + 1);
  }
  for (const count of perNight.values()) expect(count).toBe(1);
}, 25);

/** The urgent comes in the night in which it happened, where somebody looks. */
const urgentPasses = async (round: Round): Promise<void> => {
  for (const groupMs of [0, MINUTE]) {
    const world = new World(round);
    world.now = new Date(2026, 5, 1, 23, 0).getTime();
    world.log(`${JSON.stringify({ v: 1, at: 5, kind: 'queue-paused' })}\n`);
    await world.ring([ruleOf(groupMs)], KEEP_MS);
    for (const kind of ['task-held', 'task-stuck', 'task-held']) world.log(`${JSON.stringify({ v: 1, at: world.now, kind, id: kind })}\n`);
    for (let at = 0; at < 3; at += 1) await world.ring([ruleOf(groupMs)], KEEP_MS);
    expect(world.typed.map(({ text }) => (JSON.parse(text) as Told).kind)).toEqual(['task-stuck']);
    world.now = new Date(2026, 5, 2, 7, 0).getTime();
    for (let at = 0; at < 3; at += 1) await world.ring([ruleOf(groupMs)], KEEP_MS);
    expect(world.typed.slice(1).map(({ text }) => JSON.parse(text) as Told)).toMatchObject([{ kind: 'ping-gathered', count: 2, kinds: 'task-held 2' }]);
  }
};

/** Forty in a minute are two. */
const fortyAreTwo = async (round: Round): Promise<void> => {
  const world = new World(round);
  const rules = [ruleOf(MINUTE)];
  world.now = new Date(2026, 5, 1, 12, 0).getTime();
  world.log(`${JSON.stringify({ v: 1, at: 5, kind: 'queue-paused' })}\n`);
  await world.ring(rules, KEEP_MS);
  for (let at = 0; at < 40; at += 1) {
    world.log(`${JSON.stringify({ v: 1, at: world.now, kind: 'task-held', id: `t${at}` })}\n`);
    await world.ring(rules, KEEP_MS);
    world.now += 1400;
  }
  for (let at = 0; at < 70; at += 1) {
    world.now += 1000;
    await world.ring(rules, KEEP_MS);
  }
  expect(world.typed.map(({ text }) => JSON.parse(text) as Told)).toMatchObject([{ kind: 'task-held', id: 't0' }, { kind: 'ping-gathered', count: 39, kinds: 'task-held 39' }]);
};

/** A death at each change of the disk, by day and as the night falls; something more happens before the next process looks. */
const deathsAtEachStep = async (round: Round): Promise<void> => {
  for (const groupMs of [0, MINUTE]) {
    for (const [hour, minute, second] of [[12, 0, 0], [21, 59, 58], [6, 59, 58]] as const) {
      for (let steps = 0; steps < 12; steps += 1) {
        const world = new World(round);
        const ring = async (times: number): Promise<void> => {
          for (let at = 0; at < times; at += 1) await world.ring([ruleOf(groupMs)], KEEP_MS);
        };
        const log = (id: string): void => world.log(`${JSON.stringify({ v: 1, at: world.now, kind: 'task-held', id })}\n`);
        world.now = new Date(2026, 5, 1, hour, minute, second).getTime();
        world.log(`${JSON.stringify({ v: 1, at: 5, kind: 'queue-paused' })}\n`);
        await ring(1);
        log('a');
        log('b');
        if (hour === 6) {
          await ring(1);
          world.now += 5000;
        }
        world.killAt(steps);
        await ring(1);
        world.now += 5000;
        log('c');
        await ring(2);
        world.killAt(1e9);
        world.now = new Date(2026, 5, 2, 12, 0).getTime();
        for (let at = 0; at < 6; at += 1) {
          world.now += 70_000;
          await ring(1);
        }
        const told = toldOf(world);
        expect([groupMs, hour, steps, told.reduce((sum, one) => sum + (one.told.count ?? 1), 0), told.filter(({ times }) => times > 2)]).toEqual([groupMs, hour, steps, 3, []]);
      }
    }
  }
};

/** What waits for its minute when the night begins waits for the morning. */
const duskIsNight = async (round: Round): Promise<void> => {
  const world = new World(round);
  world.now = new Date(2026, 5, 1, 21, 59, 30).getTime();
  world.log(`${JSON.stringify({ v: 1, at: 5, kind: 'queue-paused' })}\n`);
  await world.ring([ruleOf(MINUTE)], KEEP_MS);
  for (const [id, now] of [['a', [21, 59, 40]], ['b', [21, 59, 50]], ['', [22, 1]], ['', [23, 0]]] as const) {
    world.now = new Date(2026, 5, 1, ...(now as [number, number])).getTime();
    if (id !== '') world.log(`${JSON.stringify({ v: 1, at: world.now, kind: 'task-held', id })}\n`);
    for (let at = 0; at < 2; at += 1) await world.ring([ruleOf(MINUTE)], KEEP_MS);
  }
  expect(world.typed.map(({ text }) => (JSON.parse(text) as Told).id)).toEqual(['a']);
  world.now = new Date(2026, 5, 2, 7, 0).getTime();
  for (let at = 0; at < 2; at += 1) await world.ring([ruleOf(MINUTE)], KEEP_MS);
  expect(world.typed.map(({ text }) => (JSON.parse(text) as Told).id)).toEqual(['a', 'b']);
};

/** A process that is followed by another while nothing is under way: nothing comes again. */
const nothingComesAgain = async (round: Round): Promise<void> => {
  const world = new World(round);
  world.now = new Date(2026, 5, 1, 12, 0).getTime();
  world.log(`${JSON.stringify({ v: 1, at: 5, kind: 'queue-paused' })}\n`);
  await world.ring([ruleOf(MINUTE)], KEEP_MS);
  for (const id of ['a', 'b']) world.log(`${JSON.stringify({ v: 1, at: world.now, kind: 'task-held', id })}\n`);
  for (let at = 0; at < 6; at += 1) {
    await world.ring([ruleOf(MINUTE)], KEEP_MS);
    if (at % 2 === 1) world.restart();
  }
  expect(world.typed.map(({ text }) => (JSON.parse(text) as Told).count)).toEqual([2]);
};

/** An edit that takes the quiet hours away lets go what they held back; one of the kinds keeps it. */
const editsLoseNothing = async (round: Round): Promise<void> => {
  for (const { name, change, wanted } of [
    { name: 'no quiet hours', change: { gathering: { quiet: [], urgent: [], groupMs: 0 } }, wanted: 1 },
    { name: 'no policy', change: { gathering: undefined }, wanted: 1 },
    { name: 'other kinds', change: { on: { kind: 'events', kinds: ['task-stuck'] } }, wanted: 0 },
  ] as const) {
    const world = new World(round);
    const { gathering, ...rest } = ruleOf(0);
    const rule = { ...rest, gathering } as Rule;
    world.now = new Date(2026, 5, 1, 23, 0).getTime();
    world.log(`${JSON.stringify({ v: 1, at: 5, kind: 'queue-paused' })}\n`);
    await world.ring([rule], KEEP_MS);
    for (const id of ['a', 'b']) world.log(`${JSON.stringify({ v: 1, at: world.now, kind: 'task-held', id })}\n`);
    await world.ring([rule], KEEP_MS);
    const edited = { ...rest, ...(change as object), ...('gathering' in change ? {} : { gathering }) } as Rule;
    for (let at = 0; at < 3; at += 1) await world.ring([edited], KEEP_MS);
    expect([name, world.typed.length]).toEqual([name, wanted]);
    world.now = new Date(2026, 5, 2, 8, 0).getTime();
    for (let at = 0; at < 3; at += 1) await world.ring([edited], KEEP_MS);
    expect([name, world.typed.map(({ text }) => (JSON.parse(text) as Told).count)]).toEqual([name, [2]]);
  }
};

const everything: readonly (readonly [string, (round: Round) => Promise<void>])[] = [
  ['each event is told once, by itself or in a bundle', eachOnce],
  ['deaths at each step lose and repeat nothing', deathsAtEachStep],
  ['nights are quiet, and each comes as one', nightsAreQuiet],
  ['what is urgent passes', urgentPasses],
  ['forty in a minute are two', fortyAreTwo],
  ['what waits at dusk waits for the morning', duskIsNight],
  ['a restart repeats nothing', nothingComesAgain],
  ['edits lose nothing that was held back', editsLoseNothing],
];

describe('what hooks hold back, over whole lives', () => {
  it.each(everything)('%s', { timeout: 120_000 }, (_name, property) => property(realRound));
});

describe('planted faults are noticed', () => {
  afterAll(cleanMutants);
  const faults: readonly (readonly [string, string, string, string, (round: Round) => Promise<void>])[] = [
    ['what is held back is kept in memory alone', 'outbox.js', '...(held === NOTHING_HELD ? {} : { held })', '', deathsAtEachStep],
    ['a bundle is queued before it is closed on disk', 'round.js', 'held !== known.held)', 'held !== known.held) && held.closed.length === 0', deathsAtEachStep],
    ['a bundle is never let go of', 'round.js', 'await writeProgress(files, layout, rule, cursor, empty);', '', nothingComesAgain],
    ['a bundle is forgotten before the outbox has it', 'round.js', 'await writeProgress(files, layout, rule, cursor, held);', 'await writeProgress(files, layout, rule, cursor, { ...held, closed: [] });', deathsAtEachStep],
    ['nobody knows of quiet hours', 'gather.js', 'if ((quiet || quietAt(Number(', 'if (false && (quiet || quietAt(Number(', nightsAreQuiet],
    ['all is urgent', 'gather.js', '&& !urgent.includes(', '&& urgent.includes(', urgentPasses],
    ['the night never ends', 'gather.js', 'if (night !== undefined && !quiet)', 'if (false)', urgentPasses],
    ['each look ends the night', 'gather.js', 'if (night !== undefined && !quiet)', 'if (night !== undefined)', nightsAreQuiet],
    ['what waits for its minute breaks the night', 'gather.js', 'if (sinks)', 'if (false)', duskIsNight],
    ['no minute is waited for', 'gather.js', 'nowMs - toldAt >= groupMs', 'true', fortyAreTwo],
    ['what is on its way is held back as well', 'round.js', 'known.held, unqueued(rule, found, outbox)', 'known.held, found', deathsAtEachStep],
    ['an edit forgets what is held back', 'outbox.js', 'held: record.held ?? NOTHING_HELD', "held: JSON.stringify(record.on) === JSON.stringify(rule.on) ? record.held ?? NOTHING_HELD : NOTHING_HELD", editsLoseNothing],
  ];
  it.each(faults)('%s', { timeout: 120_000 }, async (_what, file, find, replace, property) => {
    const dir = plantMutant(`pings/${file}`, find, replace);
    const round = (await import(/* @vite-ignore */ pathToFileURL(join(dir, 'pings', 'round.js')).href)) as Round;
    expect(await killedBy<Round>(property, round)).toBe(true);
  });
});
