import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import * as realDeliver from '../../src/agents/deliver/deliver.js';
import type { Receipt } from '../../src/agents/deliver/state.js';
import { targetOf } from '../../src/agents/deliver/target.js';
import { submitPart } from '../../src/agents/profile.js';
import { cleanMutants, killedBy, plantMutant } from '../rig/mutants.js';
import { CALM, World, type Weather } from './deliver-world.js';
import { forAllAsync } from './for-all.js';

type Deliver = typeof realDeliver;

const FOLDED = '\\[Pasted Content (?<chars>\\d+) chars\\]';
const TARGET = targetOf(submitPart.parse({ submit: { folded: [FOLDED] } }), { patienceMs: 5000 });
const PATIENT = { ...TARGET, quietMs: 1000 };
const HOUR_MS = 3_600_000;

const span = (latest: number, longest: number): fc.Arbitrary<[number, number]> => fc.tuple(fc.integer({ min: 0, max: latest }), fc.integer({ min: 20, max: longest }));
const weather: fc.Arbitrary<Weather> = fc.record({
  dialogs: fc.array(span(4000, 4000), { maxLength: 2 }),
  typing: fc.array(span(4000, 2000), { maxLength: 2 }),
  tidy: fc.boolean(),
  copyModeAt: fc.array(fc.integer({ min: 0, max: 4000 }), { maxLength: 2 }),
  diesAt: fc.option(fc.integer({ min: 0, max: 5000 }), { nil: undefined, freq: 6 }),
  swallowMs: fc.integer({ min: 0, max: 290 }),
  ignoredEnters: fc.integer({ min: 0, max: 7 }),
  worksUntil: fc.constantFrom(0, 0, 700, 3000),
  workMs: fc.integer({ min: 10, max: 3000 }),
  records: fc.boolean(),
  recordLagMs: fc.integer({ min: 0, max: 3000 }),
  losesHead: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  folds: fc.boolean(),
  paintLagMs: fc.integer({ min: 0, max: 150 }),
  draft: fc.oneof({ weight: 6, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  boxStays: fc.boolean(),
  cuts: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  flickersFrom: fc.option(fc.integer({ min: 0, max: 2000 }), { nil: undefined, freq: 2 }),
  // A record that comes later than a better proof is waited for tells of a fault too late.
}).map((sky) => (sky.cuts ? { ...sky, recordLagMs: sky.recordLagMs % 1000 } : sky));
const text = fc.oneof(fc.constant('a short line of words'), fc.integer({ min: 2, max: 60 }).map((count) => Array.from({ length: count }, (_, at) => `line ${at} of some words`).join('\n')));

async function send(m: Deliver, world: World, words: string): Promise<Receipt> {
  return m.deliver(world.ports(), PATIENT, words);
}

/** Whatever happens: once at most, nothing into a dialog, nothing with a person's words, and the receipt tells the truth. */
const truthful = async (m: Deliver): Promise<void> => {
  await forAllAsync(fc.tuple(weather, text), async ([sky, words]) => {
    const world = new World(sky);
    const receipt = await send(m, world, words);
    const dead = world.dead;
    const atOnce = [...world.submitted];
    world.pass(20_000);
    const { submitted } = world;
    expect(world.eaten).toBe(0);
    expect(world.pastes).toBeLessThanOrEqual(1);
    expect(submitted.length).toBeLessThanOrEqual(1);
    expect([world.letters, world.intruded]).toEqual([false, 0]);
    if (sky.draft) expect(world.pastes).toBe(0);
    if (receipt.kind === 'submitted') expect(atOnce).toEqual([words]);
    if (receipt.kind === 'queued' && !world.dead && !sky.cuts) expect(submitted).toEqual([words]);
    if (receipt.kind === 'refused') expect([world.pastes, submitted]).toEqual([0, []]);
    if (receipt.kind === 'unconfirmed') expect(world.pastes === 1 || dead).toBe(true);
    expect(receipt.kind === 'submitted' && receipt.proof === 'event' ? sky.records : true).toBe(true);
  }, 1500);
};

/** Where nothing stands in the way for good, it gets there. */
const arrives = async (m: Deliver): Promise<void> => {
  const kind = fc.tuple(weather, text).map(([sky, words]) => [{ ...sky, dialogs: [], typing: [], copyModeAt: sky.copyModeAt, diesAt: undefined, ignoredEnters: sky.ignoredEnters % 5, losesHead: false, draft: false, cuts: false, flickersFrom: undefined } satisfies Weather, words] as const);
  await forAllAsync(kind, async ([sky, words]) => {
    const world = new World(sky);
    const receipt = await send(m, world, words);
    world.pass(20_000);
    expect([receipt.kind === 'submitted' || receipt.kind === 'queued', world.submitted]).toEqual([true, [words]]);
  }, 400);
};

/** It always comes to an end. */
const ends = async (m: Deliver): Promise<void> => {
  const stuck: Weather[] = [{ ...CALM, ignoredEnters: 1e9 }, { ...CALM, draft: true }, { ...CALM, dialogs: [[0, HOUR_MS]] }, { ...CALM, dialogs: [[900, HOUR_MS]] }, { ...CALM, typing: [[900, HOUR_MS]], tidy: false }, { ...CALM, worksUntil: HOUR_MS }, { ...CALM, copyModeAt: Array.from({ length: 9000 }, (_, at) => at * 10) }];
  for (const sky of stuck) {
    const world = new World(sky);
    let looks = 0;
    const ports = world.ports();
    const observe = ports.pane.observe;
    const counted = { ...ports, pane: { ...ports.pane, observe: () => ((looks += 1) > 2000 ? Promise.reject(new Error('it does not end')) : observe()) } };
    await m.deliver(counted, PATIENT, 'a short line of words');
  }
};

afterAll(cleanMutants);

describe('delivery, over what may happen in a pane', () => {
  it('is truthful, and once at most', () => truthful(realDeliver));
  it('arrives where it can', () => arrives(realDeliver));
  it('ends', () => ends(realDeliver));
});

const MUTANTS: [string, string, string, string, (m: Deliver) => Promise<void>][] = [
  ['types while a person types', 'decide.js', "if (sight.person === 'typing')", 'if (false)', truthful],
  ['types into dialogs', 'decide.js', "if (sight.dialog !== undefined)\n        return", "if (false)\n        return", async (m) => {
    await truthful(m);
    await arrives(m);
  }],
  ['types over drafts', 'decide.js', "if (sight.composer !== 'empty' && sight.composer !== 'ours')", 'if (false)', truthful],
  ['takes an altered prompt for ours', 'deliver.js', 'isIntact(one.prompt, text)', 'true', truthful],
  ['sends the key at once', 'decide.js', 'nowMs < state.stillSinceMs + policy.delayMs', 'false', async (m) => arrivesWithOneKey(m)],
  ['takes a dead paste for a paste', 'deliver.js', "if (did === 'done' || did === 'unknown')\n                state = acted(state, step", "if (did !== 'x')\n                state = acted(state, step", async (m) => {
    await refusesWhatItDidNotType(m);
  }],
  ['believes the first empty look', 'decide.js', 'const LEFT_LOOKS = 2;', 'const LEFT_LOOKS = 0;', flickersAreNotBelieved],
  ['pastes after one look', 'decide.js', 'state.calm < policy.calmLooks', 'state.calm < 1', truthful],
  ['never repeats the key', 'decide.js', 'state.keys >= policy.maxKeys', 'state.keys >= 1', arrives],
  ['pastes anew instead of the key', 'note.js', "return { phase: 'keyed'", "return step.again > 0 ? begin({ fresh: false }, nowMs) : { phase: 'keyed'", async (m) => {
    await truthful(m);
    await arrives(m);
  }],
  ['never gives up', 'decide.js', 'const over = nowMs >= state.sinceMs + policy.patienceMs;', 'const over = false;', ends],
  ['leaves copy mode to itself', 'deliver.js', "if (step.kind === 'leave-mode')", 'if (false)', arrives],
  ['takes a part for the whole', 'text.js', "if (shown === whole)", 'if (whole.includes(shown))', truthful],
];

/** One key is enough where a key that comes too soon would be lost. */
async function arrivesWithOneKey(m: Deliver): Promise<void> {
  const world = new World({ ...CALM, swallowMs: 290 });
  const quick = { ...PATIENT, policy: { ...PATIENT.policy, lookEveryMs: 20 } };
  expect(await m.deliver(world.ports(), quick, 'a short line of words')).toMatchObject({ kind: 'submitted', keys: 1 });
}

/** It works, swallows every key, and its composer looks empty now and then. */
async function flickersAreNotBelieved(m: Deliver): Promise<void> {
  for (let from = 1000; from < 1700; from += 20) {
    const world = new World({ ...CALM, worksUntil: HOUR_MS, records: false, ignoredEnters: 1e9, flickersFrom: from });
    expect(await send(m, world, 'a short line of words')).toMatchObject({ kind: 'unconfirmed' });
  }
}

/** Dies between the look and the paste: the guard in the server says so. */
async function refusesWhatItDidNotType(m: Deliver): Promise<void> {
  const world = new World(CALM);
  const ports = world.ports();
  let pastes = 0;
  const pane = { ...ports.pane, paste: async (words: string) => ((pastes += 1) === 1 ? ({ kind: 'in-mode' } as const) : ports.pane.paste(words)) };
  expect(await m.deliver({ ...ports, pane }, PATIENT, 'a short line of words')).toMatchObject({ kind: 'submitted' });
  expect(world.pastes).toBe(1);
}

describe('planted faults', () => {
  it('the plain module passes the single cases', async () => {
    await arrivesWithOneKey(realDeliver);
    await refusesWhatItDidNotType(realDeliver);
    await flickersAreNotBelieved(realDeliver);
  });
  it.each(MUTANTS)('%s', async (_name, file, find, replace, property) => {
    const dir = plantMutant(`agents/deliver/${file}`, find, replace);
    const mutant = (await import(/* @vite-ignore */ pathToFileURL(join(dir, 'agents/deliver/deliver.js')).href)) as Deliver;
    expect(await killedBy(property, mutant)).toBe(true);
  });
});
