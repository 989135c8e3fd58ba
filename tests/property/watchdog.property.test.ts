import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { AGENT_STATES, type AgentStateKind } from '../../src/protocol/agent-state.js';
import * as real from '../../src/watchdog/decide.js';
import { NO_PROGRESS, type Watch, type WatchAction, type WatchLook, type WatchPolicy } from '../../src/watchdog/state.js';
import { forAll as forSome } from './for-all.js';
import { cleanMutants, importMutant, killedBy } from '../rig/mutants.js';

type Watchdog = typeof real;
const forAll = <T>(values: fc.Arbitrary<T>, check: (value: T) => unknown): void => forSome(values, check, 500);

const T0 = 1_800_000_000_000;
const POLICY: WatchPolicy = { startupMs: 120, stallMs: 600, toolStallMs: 2400, nudgeEveryMs: 300, nudges: 2, signalMs: 150, waitCapMs: 20_000, waitGraceMs: 60 };
type Seen = Extract<WatchLook, { kind: 'seen' }>;
const WORKING: Seen = { kind: 'seen', agent: { kind: 'working', source: 'event', rule: 'r', evidence: '' }, progress: NO_PROGRESS, begun: true, mode: 'interactive', openTool: false, result: false, rests: false, waitsUntil: undefined, coolsUntil: undefined, startedAt: T0 };

/** Once in so many times. Small and large numbers come up more often than others, so one from the middle is asked for. */
const rarely = (times: number): fc.Arbitrary<boolean> => fc.noBias(fc.integer({ min: 1, max: times })).map((n) => n === Math.ceil(times / 2));

/** What one session does between two ticks. In a calm life nearly nothing, so that silences are long and the ladder is climbed to its end. */
const happening = (calm: boolean, kind: AgentStateKind) =>
  fc.record({
    afterMs: calm ? fc.constantFrom(60, 100, 140) : fc.constantFrom(10, 50, 100, 299, 300, 700),
    unseen: rarely(calm ? 60 : 10),
    kind: fc.oneof({ weight: calm ? 60 : 6, arbitrary: fc.constant(kind) }, { weight: 2, arbitrary: fc.constantFrom('working' as const, 'finished' as const, 'idle' as const) }, { weight: 1, arbitrary: fc.constantFrom(...AGENT_STATES) }),
    progress: rarely(calm ? 25 : 12),
    openTool: rarely(calm ? 100 : 6),
    waitsForMs: fc.tuple(rarely(calm ? 300 : 12), fc.integer({ min: -500, max: 60_000 })).map(([does, ms]) => (does ? ms : undefined)),
    coolsForMs: fc.tuple(rarely(calm ? 300 : 12), fc.integer({ min: -500, max: 3000 })).map(([does, ms]) => (does ? ms : undefined)),
  });
const life = fc
  .tuple(fc.boolean(), fc.constantFrom<AgentStateKind>('working', 'working', 'idle', 'finished', 'unknown'))
  .chain(([calm, kind]) => fc.record({ mode: fc.constantFrom('headless' as const, 'interactive' as const, 'interactive' as const), begunAt: fc.integer({ min: 0, max: calm ? 1 : 8 }), happenings: fc.array(happening(calm, kind), { minLength: calm ? 25 : 1, maxLength: 60, size: 'max' }) }));
type Life = typeof life extends fc.Arbitrary<infer T> ? T : never;

interface Told {
  readonly before: Watch;
  readonly watch: Watch;
  readonly action: WatchAction;
  readonly look: WatchLook;
  readonly now: number;
}

/** Plays a life, tick by tick. `disk`: between two ticks the state goes through the disk, as after a restart. */
function play(m: Watchdog, { mode, begunAt, happenings }: Pick<Life, 'mode' | 'begunAt'> & { readonly happenings: readonly (Omit<Life['happenings'][number], 'afterMs'> & { readonly afterMs: number })[] }, disk: boolean): Told[] {
  let watch = m.beginWatch(T0);
  let now = T0;
  let events = 0;
  const told: Told[] = [];
  for (const [index, one] of happenings.entries()) {
    now += one.afterMs;
    if (one.progress && index >= begunAt) events += 1;
    const look: WatchLook = one.unseen
      ? { kind: 'unseen', why: 'tmux did not answer' }
      : { ...WORKING, agent: { ...WORKING.agent, kind: one.kind }, mode, begun: index >= begunAt, openTool: one.openTool, progress: { ...NO_PROGRESS, events }, waitsUntil: one.waitsForMs === undefined ? undefined : now + one.waitsForMs, coolsUntil: one.coolsForMs === undefined ? undefined : now + one.coolsForMs };
    const before = disk ? (JSON.parse(JSON.stringify(watch)) as Watch) : watch;
    const decided = m.decideWatch(POLICY, before, look, now);
    told.push({ before, ...decided, look, now });
    watch = decided.watch;
  }
  return told;
}

const speaksUp = ({ action }: Told): boolean => action.kind !== 'none';

const everyActionHasARule = (m: Watchdog): void => forAll(life, (one) => {
  for (const { action } of play(m, one, false)) expect(action.rule).not.toBe('');
});

const unseenDecidesNothing = (m: Watchdog): void => forAll(life, (one) => {
  for (const told of play(m, one, false)) if (told.look.kind === 'unseen') expect([told.action.kind, told.watch]).toEqual(['none', told.before]);
});

/** Nobody is ended before all nudges were said, and time was given after the last. */
const nudgedBeforeEnded = (m: Watchdog): void => forAll(life, (one) => {
  const all = play(m, one, false);
  for (const [index, { action, now }] of all.entries()) {
    if (action.kind !== 'end' || one.mode === 'headless') continue;
    const moved = all.slice(0, index).findLastIndex((told) => told.watch.progressAt > told.before.progressAt);
    const since = all.slice(moved + 1, index);
    const gone = since.filter((told) => told.action.kind === 'nudge' && told.action.what === 'go-on');
    if (action.verdict.reason === 'stalled') expect([gone.length >= POLICY.nudges, now - (gone.at(-1)?.now ?? now) >= POLICY.nudgeEveryMs]).toEqual([true, true]);
    // A fresh window after it was asked, and after whatever it did since.
    const asked = all.slice(0, index).find((told) => told.action.kind === 'nudge' && told.action.what === 'done');
    if (action.verdict.reason === 'unsignalled') expect(now - Math.max(asked?.now ?? now, moved < 0 ? 0 : (all[moved]?.now ?? now))).toBeGreaterThanOrEqual(POLICY.signalMs);
  }
});

const progressResets = (m: Watchdog): void => forAll(life, (one) => {
  for (const { before, watch, action, look, now } of play(m, one, false)) {
    if (look.kind !== 'seen' || before.verdict !== undefined || look.progress.events <= before.progress.events) continue;
    expect([action.kind, watch.progressAt, watch.nudgedAt]).toEqual(['none', now, []]);
  }
});

const doneIsAskedOnce = (m: Watchdog): void => forAll(life, (one) => {
  expect(play(m, one, false).filter(({ action }) => action.kind === 'nudge' && action.what === 'done').length).toBeLessThanOrEqual(1);
});

const printModeIsNotTypedAt = (m: Watchdog): void => forAll(life, (one) => {
  if (one.mode === 'headless') expect(play(m, one, false).filter(({ action }) => action.kind === 'nudge')).toEqual([]);
});

const heldIsLeftAlone = (m: Watchdog): void => forAll(life, (one) => {
  for (const told of play(m, one, false)) {
    if (told.look.kind !== 'seen') continue;
    const { waitsUntil, coolsUntil } = told.look;
    const waits = waitsUntil !== undefined && told.now < Math.min(waitsUntil, T0 + POLICY.waitCapMs);
    if (waits || (coolsUntil !== undefined && told.now < coolsUntil)) expect(speaksUp(told)).toBe(false);
  }
});

/** A hold ends in a fresh window, not in the silence of before. */
const holdsForgive = (m: Watchdog): void => forAll(life, (one) => {
  const all = play(m, one, false);
  for (const [index, told] of all.entries()) {
    const last = all.slice(0, index).findLast(({ look, now }) => look.kind === 'seen' && look.agent.kind !== 'exited' && look.agent.kind !== 'crashed' && look.coolsUntil !== undefined && now < look.coolsUntil);
    if (last !== undefined && last.before.verdict === undefined && speaksUp(told)) expect(told.now - last.now).toBeGreaterThanOrEqual(Math.min(POLICY.startupMs, POLICY.signalMs, POLICY.nudgeEveryMs));
  }
});

const endsOnce = (m: Watchdog): void => forAll(life, (one) => {
  expect(play(m, one, false).filter(({ action }) => action.kind === 'end').length).toBeLessThanOrEqual(1);
});

/** Whatever happened before, a session that stands still from now on is ended within the sum of its windows. */
const frozenIsEnded = (m: Watchdog): void => forAll(fc.tuple(life, fc.constantFrom('working' as const, 'unknown' as const, 'finished' as const, 'retrying' as const, 'starting' as const), fc.boolean()), ([one, kind, openTool]) => {
  const last = play(m, one, false).at(-1);
  let watch = last?.watch ?? m.beginWatch(T0);
  const from = last?.now ?? T0;
  const bound = POLICY.toolStallMs + POLICY.nudgeEveryMs * (POLICY.nudges + 1) + POLICY.signalMs * 3 + POLICY.startupMs;
  const look: WatchLook = { ...WORKING, agent: { ...WORKING.agent, kind }, mode: one.mode, openTool, progress: watch.progress };
  for (let now = from; watch.verdict === undefined; now += 50) {
    expect(now - from).toBeLessThanOrEqual(bound + 100);
    watch = m.decideWatch(POLICY, watch, look, now).watch;
  }
});

const restartChangesNothing = (m: Watchdog): void => forAll(life, (one) => {
  expect(play(m, one, true).map(({ action }) => action)).toEqual(play(m, one, false).map(({ action }) => action));
});

/** A session that works is never spoken to, however long it takes. */
const busyIsLeftAlone = (m: Watchdog): void => forAll(life, (one) => {
  const busy = { ...one, begunAt: 0, happenings: one.happenings.map((happening) => ({ ...happening, progress: true, afterMs: Math.min(happening.afterMs, 100) })) };
  expect(play(m, busy, false).filter(speaksUp)).toEqual([]);
});

const everything: readonly (readonly [string, (m: Watchdog) => void])[] = [
  ['every action has a rule', everyActionHasARule],
  ['what was not seen decides nothing', unseenDecidesNothing],
  ['nobody is ended before it was spoken to', nudgedBeforeEnded],
  ['progress resets the ladder', progressResets],
  ['whether it is done is asked once', doneIsAskedOnce],
  ['nobody types at print mode', printModeIsNotTypedAt],
  ['what waits, or cools, is left alone', heldIsLeftAlone],
  ['a hold ends in a fresh window', holdsForgive],
  ['a session is ended once', endsOnce],
  ['a frozen session is always ended in time', frozenIsEnded],
  ['a restart at any tick changes no decision', restartChangesNothing],
  ['who works is left alone', busyIsLeftAlone],
];

describe('the watchdog, over whole lives of sessions', () => {
  it.each(everything)('%s', (_name, property) => property(real));
});

describe('planted faults are noticed', () => {
  afterAll(cleanMutants);
  const faults: readonly (readonly [string, string, string, (m: Watchdog) => void])[] = [
    ['unseen counts as silence', "if (look.kind === 'unseen')", "if (look.kind === 'unseen' && nowMs < 0)", unseenDecidesNothing],
    ['a verdict is forgotten', 'if (before.verdict !== undefined)', 'if (false)', endsOnce],
    ['no nudge before the end', 'watch.nudgedAt.length >= policy.nudges', 'true', nudgedBeforeEnded],
    ['one nudge too few', 'watch.nudgedAt.length >= policy.nudges', 'watch.nudgedAt.length >= policy.nudges - 1', nudgedBeforeEnded],
    ['no time after the last nudge', 'Math.max(last, watch.graceFrom) + policy.nudgeEveryMs', 'since + patience', nudgedBeforeEnded],
    ['nudged for ever', 'watch.nudgedAt.length >= policy.nudges', 'false', frozenIsEnded],
    ['print mode is typed at', "look.mode === 'headless' || watch", 'watch', printModeIsNotTypedAt],
    ['progress takes no nudge back', 'look.movedAt ?? nowMs)), nudgedAt: []', 'look.movedAt ?? nowMs))', progressResets],
    ['progress is not noticed', 'b.events > a.events || ', '', busyIsLeftAlone],
    ['DONE is asked again and again', 'doneNudgedAt: nowMs }', 'doneNudgedAt: undefined }', doneIsAskedOnce],
    ['no fresh window after DONE was asked', 'Math.max(since, watch.doneNudgedAt) + policy.signalMs', 'since + policy.signalMs', nudgedBeforeEnded],
    ['a cooling account is no reason', 'look.coolsUntil !== undefined && nowMs < look.coolsUntil', 'false', heldIsLeftAlone],
    ['a wait is no reason', 'nowMs < until ?', 'false ?', heldIsLeftAlone],
    ['a wait is believed for ever', 'Math.min(look.waitsUntil, look.startedAt + policy.waitCapMs)', 'look.waitsUntil', (m) => cappedWaitsEnd(m)],
    ['a hold leaves the silence of before', 'still: false, graceFrom: nowMs }', 'still: false }', holdsForgive],
    ['a turn that is over is silence', 'onTurnOver(policy, watch, silentSince, nowMs)', 'onSilence(policy, watch, look, silentSince, nowMs)', (m) => turnOverIsAsked(m)],
  ];
  it.each(faults)('%s', async (_what, find, replace, property) => {
    expect(await killedBy<Watchdog>(property, await importMutant('watchdog/decide.js', find, replace))).toBe(true);
  });
});

function cappedWaitsEnd(m: Watchdog): void {
  const action = m.decideWatch(POLICY, { ...m.beginWatch(T0) }, { ...WORKING, waitsUntil: T0 + 1e12 }, T0 + POLICY.waitCapMs + POLICY.waitGraceMs).action;
  expect(action.kind).toBe('nudge');
}

function turnOverIsAsked(m: Watchdog): void {
  const { action } = m.decideWatch(POLICY, m.beginWatch(T0), { ...WORKING, agent: { ...WORKING.agent, kind: 'finished' } }, T0 + POLICY.signalMs);
  expect(action).toMatchObject({ kind: 'nudge', what: 'done' });
}
