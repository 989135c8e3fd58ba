import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import * as realRound from '../../src/pings/round.js';
import type { Rule } from '../../src/pings/state.js';
import { cleanMutants, killedBy, plantMutant } from '../rig/mutants.js';
import { forAllAsync } from './for-all.js';
import { LAYOUT, World, type Mood } from './pings-world.js';

/*
 * Whole lives of rules: events, commits and inbox files come, targets are there or not, the process is killed at any step that
 * changes the disk and in the middle of typing, git fails, the log is rotated. In the end all targets are there and nobody is
 * killed any more; then each ping must have arrived at most once, and, where it did not, an event says so.
 */

type Round = typeof realRound;
const KEEP_MS = 100_000_000;
const TARGETS = ['s1', 's2'] as const;
const RULES: readonly Rule[] = [
  { name: 'events', on: { kind: 'event', event: 'task-held', match: {} }, to: TARGETS, message: 'event {id}' },
  { name: 'ends', on: { kind: 'settled', state: 'done', tag: undefined, task: undefined }, to: ['s2'], message: 'end {task}' },
  { name: 'commits', on: { kind: 'commit', repo: '.', ref: 'main', subject: '^ask' }, to: ['s1'], message: 'commit {subject}' },
  { name: 'inbox', on: { kind: 'inbox', dir: 'inbox', files: '*' }, to: ['s2'], message: 'inbox {name}' },
];

const moment = fc.oneof(
  { weight: 3, arbitrary: fc.record({ what: fc.constant('events' as const), count: fc.integer({ min: 1, max: 3 }), torn: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('end' as const), twice: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('commit' as const), asks: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('rebase' as const), count: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('file' as const) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('rotate' as const) }) },
  { weight: 4, arbitrary: fc.record({ what: fc.constant('mood' as const), of: fc.constantFrom(...TARGETS), mood: fc.constantFrom<Mood>('submitted', 'submitted', 'unconfirmed', 'refused', 'absent') }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('git' as const), broken: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ what: fc.constant('kill' as const), steps: fc.integer({ min: 0, max: 14 }) }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('restart' as const) }) },
);
const lifeOf = fc.array(fc.tuple(moment, fc.boolean()), { minLength: 4, maxLength: 30, size: 'max' });
type Life = typeof lifeOf extends fc.Arbitrary<infer T> ? T : never;

interface Lived {
  readonly world: World;
  /** What each target should be told, in the order in which it happened, by the source. */
  readonly due: { readonly to: string; readonly text: string }[];
}

const line = (kind: string, id: string, rest: object = {}): string => `${JSON.stringify({ v: 1, at: 5, kind, id, ...rest })}\n`;

async function live(round: Round, life: Life): Promise<Lived> {
  const world = new World(round);
  const due: Lived['due'] = [];
  let number = 0;
  world.log(line('queue-paused', 'first'));
  world.log(line('task-held', 'history'));
  world.commit('old', 'ask history', 1);
  world.disk.set(`${LAYOUT.root}/inbox/old`, { text: 'x', mtimeMs: 1 });
  await world.ring(RULES, KEEP_MS);
  for (const [one, rings] of life) {
    world.now += 5000;
    number += 1;
    if (one.what === 'events') {
      for (let at = 0; at < one.count; at += 1) {
        const text = line('task-held', `e${number}-${at}`);
        for (const to of TARGETS) due.push({ to, text: `event e${number}-${at}` });
        if (one.torn) {
          world.log(text.slice(0, 10));
          await world.ring(RULES, KEEP_MS);
        }
        world.log(one.torn ? text.slice(10) : text);
      }
    } else if (one.what === 'end') {
      const text = line('task-done', `t${number}`, { marker: `t${number}~0.0.0~nonce`, attempt: 1 });
      due.push({ to: 's2', text: `end t${number}` });
      world.log(text);
      if (one.twice) {
        await world.ring(RULES, KEEP_MS);
        world.log(text);
      }
    } else if (one.what === 'commit') {
      world.commit(`c${number}`, `${one.asks ? 'ask' : 'say'} ${number}`, number);
      if (one.asks) due.push({ to: 's1', text: `commit ask ${number}` });
    } else if (one.what === 'rebase') {
      // What was committed and not seen before its history was rewritten is compared with nothing: so it is seen first.
      world.gitBroken = false;
      await world.ring(RULES, KEEP_MS);
      await world.ring(RULES, KEEP_MS);
      world.rebase(one.count, `b${number}`, `ask ${number}`, number);
      due.push({ to: 's1', text: `commit ask ${number}` });
    } else if (one.what === 'file') {
      world.disk.set(`${LAYOUT.root}/inbox/f${number}`, { text: 'x', mtimeMs: world.now });
      due.push({ to: 's2', text: `inbox f${number}` });
    } else if (one.what === 'rotate') world.rotate();
    else if (one.what === 'mood') world.moods.set(one.of, one.mood);
    else if (one.what === 'git') world.gitBroken = one.broken;
    else if (one.what === 'kill') world.killAt(one.steps);
    else world.restart();
    if (rings || one.what === 'rotate') await world.ring(RULES, KEEP_MS);
  }
  world.killAt(1e9);
  world.gitBroken = false;
  for (const to of TARGETS) world.moods.set(to, 'submitted');
  for (let at = 0; at < due.length + 6; at += 1) {
    world.now += 70_000;
    await world.ring(RULES, KEEP_MS);
  }
  return { world, due };
}

const told = ({ world }: Lived, to: string, text: string): number => world.typed.filter((one) => one.to === to && one.text === text).length;

const atMostOnce = (round: Round): Promise<void> => forAllAsync(lifeOf, async (life) => {
  const lived = await live(round, life);
  for (const { to, text } of lived.due) expect([to, text, told(lived, to, text) <= 1]).toEqual([to, text, true]);
}, 100);

const neverLostSilently = (round: Round): Promise<void> => forAllAsync(lifeOf, async (life) => {
  const lived = await live(round, life);
  const events = lived.world.events;
  for (const { to, text } of lived.due) {
    const pings = events.flatMap((event) => (event.kind === 'ping-queued' && event.to === to && event.text === text ? [event.ping] : []));
    const said = events.some((event) => (event.kind === 'ping-delivered' && event.receipt === 'unconfirmed' && event.to === to) || (event.kind === 'ping-dropped' && pings.includes(event.ping)));
    expect([to, text, told(lived, to, text) === 1 || said]).toEqual([to, text, true]);
  }
}, 100);

const historyIsNotTold = (round: Round): Promise<void> => forAllAsync(lifeOf, async (life) => {
  const { world } = await live(round, life);
  expect(world.typed.filter(({ text }) => /history|inbox old/.test(text))).toEqual([]);
}, 60);

/** Of one source and one target, in the order in which they happened. */
const inOrder = (round: Round): Promise<void> => forAllAsync(lifeOf, async (life) => {
  const { world, due } = await live(round, life);
  for (const to of TARGETS) {
    const happened = due.filter((one) => one.to === to && one.text.startsWith('event ')).map(({ text }) => text);
    const typed = world.typed.filter((one) => one.to === to && one.text.startsWith('event ')).map(({ text }) => text);
    expect(typed).toEqual(happened.filter((text) => typed.includes(text)));
  }
}, 100);

/** Killed between the outbox and the cursor, and then blind: what it wrote waits until it has seen that commit again. */
const blindWaits = async (round: Round): Promise<void> => {
  for (let steps = 0; steps < 8; steps += 1) {
    const world = new World(round);
    await world.ring(RULES, KEEP_MS);
    world.commit('c1', 'ask 1', 1);
    world.killAt(steps);
    for (const broken of [false, true, true, false, false, false]) {
      world.gitBroken = broken;
      await world.ring(RULES, KEEP_MS);
    }
    expect([steps, world.typed.length <= 1, world.typed.length === 1 || world.events.some((event) => event.kind === 'ping-delivered')]).toEqual([steps, true, true]);
  }
};

/** One that waits for its next try is not overtaken. */
const refusedIsFirst = async (round: Round): Promise<void> => {
  const world = new World(round);
  world.log(line('queue-paused', 'first'));
  await world.ring(RULES, KEEP_MS);
  for (const [id, mood] of [['a', 'refused'], ['b', 'submitted']] as const) {
    world.moods.set('s1', mood);
    world.log(line('task-held', id));
    await world.ring(RULES, KEEP_MS);
  }
  for (let at = 0; at < 3; at += 1) {
    world.now += 70_000;
    await world.ring(RULES, KEEP_MS);
  }
  expect(world.typed.filter(({ to }) => to === 's1').map(({ text }) => text)).toEqual(['event a', 'event b']);
};

/** What is refused, or not there, holds up nobody else. */
const othersGoOn = async (round: Round): Promise<void> => {
  for (const mood of ['refused', 'absent'] as const) {
    const world = new World(round);
    world.log(line('queue-paused', 'first'));
    await world.ring(RULES, KEEP_MS);
    world.moods.set('s1', mood);
    for (const id of ['a', 'b', 'c']) world.log(line('task-held', id));
    for (let at = 0; at < 4; at += 1) await world.ring(RULES, KEEP_MS);
    expect(world.typed).toEqual(['a', 'b', 'c'].map((id) => ({ to: 's2', text: `event ${id}` })));
  }
};

/** What nobody takes for so long is given up, and that is said, once. */
const givenUp = async (round: Round): Promise<void> => {
  const world = new World(round);
  world.log(line('queue-paused', 'first'));
  await world.ring(RULES, 60_000);
  world.moods.set('s1', 'refused');
  world.log(line('task-held', 'a'));
  for (let at = 0; at < 10; at += 1) {
    world.now += 10_000;
    await world.ring(RULES, 60_000);
  }
  expect(world.typed).toEqual([{ to: 's2', text: 'event a' }]);
  expect(world.events.flatMap((event) => (event.kind === 'ping-dropped' ? [[event.to, event.text, /refused/.test(event.why)]] : []))).toEqual([['s1', 'event a', true]]);
  expect([...world.disk.keys()].filter((path) => path.includes('/outbox/'))).toEqual([]);
};

const everything: readonly (readonly [string, (round: Round) => Promise<void>])[] = [
  ['each ping arrives at most once', atMostOnce],
  ['none is lost without an event', neverLostSilently],
  ['what was there before the rule is not told', historyIsNotTold],
  ['a target gets its pings in order', inOrder],
  ['killed and then blind, it waits until it has caught up', blindWaits],
  ['one that waits for its next try is not overtaken', refusedIsFirst],
  ['a target that cannot be told holds up nobody', othersGoOn],
  ['what nobody takes is given up, and said', givenUp],
];

describe('pings, over whole lives', () => {
  it.each(everything)('%s', (_name, property) => property(realRound));
});

describe('planted faults are noticed', () => {
  afterAll(cleanMutants);
  const faults: readonly (readonly [string, string, string, string, (round: Round) => Promise<void>])[] = [
    ['the cursor moves before the outbox', 'round.js', 'after = await queue(ports, setting, rule, tell, after);', 'if (cursor !== undefined) await writeProgress(files, layout, rule, cursor, held);\n    after = await queue(ports, setting, rule, tell, after);', neverLostSilently],
    ['the cursor is kept in memory alone', 'round.js', 'await writeProgress(files, layout, rule, cursor, held);', 'void 0;', neverLostSilently],
    ['the cursor never moves', 'round.js', 'memory.cursors.set(rule.name, { on: rule.on, cursor, held });', '', atMostOnce],
    ['typed before that is on disk', 'round.js', 'await writeEntry(files, layout, begun);', '', atMostOnce],
    ['what was begun is typed again', 'outbox.js', 'if (entry?.v === 1', "if (entry?.state.kind === 'begun') entry.state = { kind: 'queued', tries: 0 };\n        if (entry?.v === 1", atMostOnce],
    ['delivered before its rule has caught up', 'decide.js', 'facts.held.has(entry.rule) || ', '', blindWaits],
    ['one refusal blocks all', 'decide.js', 'if (taken.has(entry.to))', 'if (taken.size > 0)', othersGoOn],
    ['the last comes first', 'decide.js', 'a.order - b.order', 'b.order - a.order', inOrder],
    ['a refused one is overtaken', 'decide.js', 'taken.add(entry.to);\n    if (facts.held', 'if (facts.held', refusedIsFirst],
    ['a refused one is forgotten', 'round.js', "if (receipt.kind !== 'refused' || receipt.final === true)", 'if (true)', neverLostSilently],
    ['nothing is ever given up', 'decide.js', 'if (nowMs - entry.queuedAt >= keepMs)', 'if (false)', givenUp],
    ['all of history is told', 'match.js', 'if (before === undefined || hash === undefined', 'if (hash === undefined', historyIsNotTold],
    ['an end that is told twice is two', 'match.js', 'before.recent.includes(one.key) || ', '', atMostOnce],
    ['commits that were only moved are told again', 'match.js', 'dropped.has(same(commit)) || ', '', atMostOnce],
    ['a rotated log is read at the old place', '../events/follow.js', "if (file === position.file || position.file === '')", 'if (true)', neverLostSilently],
    ['the rest of a rotated log is not read', '../events/follow.js', 'if (former !== undefined) {', 'if (false) {', neverLostSilently],
    ['half a line counts as read', '../events/follow.js', 'start === 0 && bytes.length === CHUNK ? CHUNK : start', 'bytes.length', neverLostSilently],
    ['one id for all targets', 'outbox.js', '\\0${to}`', '`', neverLostSilently],
  ];
  it.each(faults)('%s', { timeout: 120_000 }, async (_what, file, find, replace, property) => {
    const dir = plantMutant(`pings/${file}`, find, replace);
    const round = (await import(/* @vite-ignore */ pathToFileURL(join(dir, 'pings', 'round.js')).href)) as Round;
    expect(await killedBy<Round>(property, round)).toBe(true);
  });
});
