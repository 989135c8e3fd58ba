import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import * as realChoice from '../../src/agents/dialog/decide.js';
import * as realRows from '../../src/agents/dialog/rows.js';
import type { ChoosePolicy, ChooseReceipt, ChooseState, ChooseStep, DialogSight } from '../../src/agents/dialog/state.js';
import type { AskRecord } from '../../src/protocol/records.js';
import { ASK_POLICIES } from '../../src/protocol/task.js';
import * as realAsk from '../../src/watchdog/asking.js';
import type { AskLook } from '../../src/watchdog/asking.js';
import { forAll } from './for-all.js';
import { cleanMutants, importMutant, killedBy } from '../rig/mutants.js';

type Choice = typeof realChoice;
type Seen = Extract<DialogSight, { kind: 'seen' }>;

const POLICY: ChoosePolicy = { dialog: 'd', direct: false, lookEveryMs: 100, calmLooks: 2, settleMs: 250, moveMs: 300, maxMoves: 6, lateMs: 1000, patienceMs: 6000, goneLooks: 2, goneMs: 1000 };
const seen = (change: Partial<Seen>): Seen => ({ kind: 'seen', dialog: 'd', person: 'absent', inMode: false, labelled: 1, chosen: false, mark: 'a', text: 'x', ...change });

/** One look at a pane in which anything may happen; most are of the dialog as it is. */
const sight: fc.Arbitrary<DialogSight> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ dialog: fc.constant('d'), person: fc.constantFrom('absent' as const, 'absent' as const, 'absent' as const, 'quiet' as const), labelled: fc.constantFrom(1, 1, 1, 1, 1, 0), chosen: fc.boolean(), mark: fc.constantFrom('a', 'a', 'a', 'b') }).map(seen) },
  { weight: 3, arbitrary: fc.record({ dialog: fc.constantFrom('d', 'd', 'e', undefined), person: fc.constantFrom('absent' as const, 'quiet' as const, 'typing' as const), inMode: fc.boolean(), labelled: fc.nat(2), chosen: fc.boolean(), mark: fc.constantFrom('a', 'b'), text: fc.constantFrom('x', 'y') }).map(seen) },
  { weight: 1, arbitrary: fc.constant({ kind: 'unseen' as const, why: 'w' }) },
  { weight: 1, arbitrary: fc.noShrink(fc.constantFrom<DialogSight>({ kind: 'ended', why: 'w' }, { kind: 'unseen', why: 'w' }, { kind: 'unseen', why: 'w' })) },
);
const life = fc.record({ direct: fc.boolean(), sights: fc.array(sight, { minLength: 1, maxLength: 40 }) });

interface Played {
  readonly step: ChooseStep;
  readonly sight: DialogSight;
  readonly before: DialogSight | undefined;
  readonly now: number;
}

/** The last look stays when all were had: the machine must come to its end by itself. */
function play(m: Choice, direct: boolean, sights: readonly DialogSight[]): { played: Played[]; receipt: ChooseReceipt | undefined } {
  const policy = { ...POLICY, direct };
  const played: Played[] = [];
  let state: ChooseState = m.beginChoosing(0);
  for (let index = 0; index < 120; index += 1) {
    const now = index * policy.lookEveryMs;
    const one = sights[Math.min(index, sights.length - 1)] as DialogSight;
    state = m.noteChoice(policy, state, one);
    const step = m.decideChoice(policy, state, one, now);
    played.push({ step, sight: one, before: sights[Math.min(index, sights.length - 1) - (index < sights.length ? 1 : 0)], now });
    if (step.kind === 'end') return { played, receipt: step.receipt };
    state = m.actedChoice(state, step, now);
  }
  return { played, receipt: undefined };
}

/** A key goes only to the dialog that it is for, seen so twice, with nobody at the keyboard; the choosing one only onto the labelled row. */
const neverBlind = (m: Choice): void => forAll(life, ({ direct, sights }) => {
  for (const { step, sight: at, before, now } of play(m, direct, sights).played) {
    if (step.kind !== 'press' && step.kind !== 'move') continue;
    expect(at).toMatchObject({ kind: 'seen', dialog: 'd', inMode: false, labelled: 1 });
    expect(at.kind === 'seen' && at.person).not.toBe('typing');
    expect(before).toMatchObject({ kind: 'seen', dialog: 'd', mark: at.kind === 'seen' ? at.mark : '', text: at.kind === 'seen' ? at.text : '' });
    expect(now).toBeGreaterThanOrEqual(POLICY.settleMs);
    if (step.kind === 'press' && !direct) expect(at).toMatchObject({ chosen: true });
    if (direct) expect(step.kind).toBe('press');
  }
}, 3000);

/** One press, no key after it, and the receipt says whether there was one. */
const pressedOnce = (m: Choice): void => forAll(life, ({ direct, sights }) => {
  const { played, receipt } = play(m, direct, sights);
  const presses = played.filter(({ step }) => step.kind === 'press').length;
  expect(presses).toBeLessThanOrEqual(1);
  expect(receipt?.keys).toBe(presses);
  if (presses === 1) expect(played.slice(played.findIndex(({ step }) => step.kind === 'press') + 1).every(({ step }) => step.kind === 'wait' || step.kind === 'end')).toBe(true);
}, 3000);

const alwaysEnds = (m: Choice): void => forAll(life, ({ direct, sights }) => {
  const { played, receipt } = play(m, direct, sights);
  expect(receipt).toBeDefined();
  expect(played.filter(({ step }) => step.kind === 'move').length).toBeLessThanOrEqual(POLICY.maxMoves);
  for (const { step } of played) expect(step.kind === 'end' ? step.receipt.rule : step.rule).not.toBe('');
}, 2000);

/** Gone is what was not seen in the last looks; what is seen is standing. */
const goneIsProven = (m: Choice): void => forAll(life, ({ direct, sights }) => {
  const { played, receipt } = play(m, direct, sights);
  if (receipt?.kind !== 'gone' || receipt.keys === 0) return;
  const last = played.slice(-POLICY.goneLooks).map((one) => one.sight);
  const pressed = played.find(({ step }) => step.kind === 'press')?.sight;
  if (last.at(-1)?.kind === 'ended') return;
  for (const one of last) expect(one.kind === 'seen' && pressed?.kind === 'seen' && (one.dialog !== 'd' || one.text !== pressed.text)).toBe(true);
}, 3000);

/** In a menu that follows its keys the labelled row is chosen, wherever it and the cursor stand; in one that shows them later than a key is repeated, that row or none. */
const findsItsWay = (m: Choice): void => forAll(fc.record({ rows: fc.integer({ min: 1, max: 6 }), label: fc.nat(5), at: fc.nat(5), lag: fc.nat(6) }), ({ rows, label, at, lag }) => {
  const wanted = label % rows;
  const cursors = Array.from({ length: lag + 1 }, () => at % rows);
  let state: ChooseState = m.beginChoosing(0);
  let chosen: number | undefined;
  for (let index = 0; index < 120; index += 1) {
    const cursor = cursors[0] as number;
    const one = chosen === undefined ? seen({ chosen: cursor === wanted, mark: String(cursor) }) : seen({ dialog: undefined });
    state = m.noteChoice(POLICY, state, one);
    const step = m.decideChoice(POLICY, state, one, index * 100);
    if (step.kind === 'end') {
      if (lag > 1 && step.receipt.kind === 'refused') return expect(chosen).toBeUndefined();
      expect([step.receipt.kind, step.receipt.keys, chosen]).toEqual(['gone', 1, wanted]);
      return;
    }
    if (step.kind === 'press') chosen = cursors.at(-1);
    cursors.push(step.kind === 'move' ? ((cursors.at(-1) as number) + 1) % rows : (cursors.at(-1) as number));
    cursors.shift();
    state = m.actedChoice(state, step, index * 100);
  }
  throw new Error('it comes to no end');
});

/** From one move to the next something is seen, or time has passed. */
const movesOnce = (m: Choice): void => forAll(life, ({ direct, sights }) => {
  let last: Played | undefined;
  for (const one of play(m, direct, sights).played) {
    if (one.step.kind !== 'move') continue;
    if (last !== undefined && one.sight.kind === 'seen' && last.sight.kind === 'seen' && one.sight.mark === last.sight.mark) expect(one.now - last.now).toBeGreaterThanOrEqual(POLICY.moveMs);
    last = one;
  }
}, 2000);

describe('choosing the safe answer', () => {
  it('moves once at a time', () => movesOnce(realChoice));
  it('is never blind', () => neverBlind(realChoice));
  it('happens once', () => pressedOnce(realChoice));
  it('comes to its end', () => alwaysEnds(realChoice));
  it('is proven by looks without the dialog', () => goneIsProven(realChoice));
  it('finds its way', () => findsItsWay(realChoice));
  it('reads rows: the label is sought by its text, twice is no choice, and a cursor elsewhere is none', () => {
    const answer = { label: '\\d\\. Yes', cursor: '^❯', next: 'Down', submit: 'Enter' };
    const of = (...rows: string[]): object => realRows.choicesOn(answer, rows.join('\n'));
    expect(of('ask', '❯ 1. No', '  2. Yes')).toMatchObject({ labelled: 1, chosen: false });
    expect(of('ask', '  1. No', '│ ❯ 2. Yes │'.replace('│ ', '│'))).toMatchObject({ labelled: 1, chosen: false });
    expect(of('ask', '  1. No', '❯ 2. Yes')).toMatchObject({ labelled: 1, chosen: true });
    expect(of('1. Yes?', '❯ 2. Yes')).toMatchObject({ labelled: 2, chosen: false });
    expect(of('❯ said before', 'ask', '  2. Yes')).toMatchObject({ labelled: 1, chosen: false });
  });
});

type Asking = typeof realAsk;
const T0 = 1_800_000_000_000;
const KINDS = ['blocked-on-permission', 'blocked-on-dialog', 'waiting-for-input', 'working', 'idle'] as const;
const receipts = fc.oneof(
  fc.constantFrom<ChooseReceipt>({ kind: 'gone', keys: 1, rule: 'r', evidence: '' }, { kind: 'gone', keys: 0, rule: 'r', evidence: '' }, { kind: 'standing', keys: 1, rule: 'r', evidence: '' }, { kind: 'standing', keys: 1, rule: 'r', evidence: '' }),
  fc.constantFrom('locked' as const, 'person' as const, 'in-mode' as const, 'other' as const, 'no-label' as const, 'ambiguous' as const, 'unmoved' as const).map((reason): ChooseReceipt => ({ kind: 'refused', reason, keys: 0, rule: 'r', evidence: '' })),
);
const happening = fc.record({ afterMs: fc.constantFrom(100, 1000, 6000), moves: fc.nat(5).map((n) => n === 0), kind: fc.constantFrom(...KINDS), rule: fc.constantFrom('a', 'b'), shown: fc.nat(7).map((n) => n > 0), label: fc.nat(9).map((n) => n > 0), receipt: receipts });
const asking = fc.record({ policy: fc.oneof(fc.constant('allow' as const), fc.constant('allow' as const), fc.constantFrom(...ASK_POLICIES)), answered: fc.constantFrom(0, 0, 18), happenings: fc.array(happening, { minLength: 1, maxLength: 60, size: 'max' }) });
type AskLife = typeof asking extends fc.Arbitrary<infer T> ? T : never;

interface AskTick {
  readonly look: AskLook;
  readonly record: AskRecord | undefined;
  readonly action: realAsk.AskAction;
  readonly receipt: ChooseReceipt | undefined;
}

/** Plays a session's questions; between two looks what is remembered goes through the disk. */
function ask(m: Asking, { policy, answered, happenings }: AskLife): AskTick[] {
  const ticks: AskTick[] = [];
  const first = { kind: 'working' as const, rule: 'a' };
  let at: { kind: (typeof KINDS)[number]; rule: string } = first;
  let now = T0;
  let record: AskRecord | undefined = answered === 0 ? undefined : { v: 1, open: false, state: { kind: 'idle', source: 'pane', rule: '', evidence: '' }, screen: '', at: T0, presses: [], answered, left: undefined };
  for (const one of happenings) {
    now += one.afterMs;
    if (one.moves) at = { kind: one.kind, rule: one.rule };
    const look: AskLook = { state: { ...at, source: 'pane', evidence: 'e' }, screen: 's', policy, dialog: one.shown ? { id: at.rule, label: one.label ? 'Yes' : undefined } : undefined };
    const decided = m.decideAsk(record === undefined ? undefined : (JSON.parse(JSON.stringify(record)) as AskRecord), look, now);
    record = decided.record;
    const receipt = decided.action.kind === 'choose' ? one.receipt : undefined;
    ticks.push({ look, ...decided, receipt });
    if (receipt !== undefined && record !== undefined) record = m.afterChoice(record, receipt, now);
  }
  return ticks;
}

/** Only what was seen to ask the same at the look before, may be allowed, and has a safe answer on the screen. */
const chosenOnlyWhereAllowed = (m: Asking): void => forAll(asking, (one) => {
  const ticks = ask(m, one);
  for (const [index, { look, action }] of ticks.entries()) {
    if (!m.asks(look.state)) expect(action.kind).toBe('none');
    if (look.policy !== 'allow') expect(['none', 'tell']).toContain(action.kind);
    if (action.kind !== 'choose') continue;
    expect([look.policy, look.dialog?.label]).toEqual(['allow', 'Yes']);
    expect(ticks[index - 1]?.look.state).toEqual(look.state);
  }
}, 2000);

/** Own tally: of keys at one dialog, and of dialogs in a session. */
const bounded = (m: Asking): void => forAll(asking, (one) => {
  let keys = 0;
  let dialogs = one.answered;
  for (const { action, receipt } of ask(m, one)) {
    if (action.kind === 'tell') keys = 0;
    if (receipt?.keys !== 1) continue;
    if (keys === 0) dialogs += 1;
    keys += 1;
    expect(keys).toBeLessThanOrEqual(2);
    expect(dialogs).toBeLessThanOrEqual(20);
    if (receipt.kind === 'gone') keys = 0;
  }
}, 3000);

/** What was left to a person stays so until it asks something else, and each question is told once. */
const leftIsLeft = (m: Asking): void => forAll(asking, (one) => {
  let left = false;
  let told: string | undefined;
  for (const { look, action, record, receipt } of ask(m, one)) {
    const key = m.asks(look.state) ? `${look.state.kind} ${look.state.rule}` : undefined;
    if (action.kind === 'tell' || key === undefined) left = false;
    if (action.kind === 'tell') expect(told).not.toBe(key);
    if (left) expect(action.kind).toBe('none');
    if (action.kind === 'leave') {
      expect([action.rule === '', record?.left?.rule]).toEqual([false, action.rule]);
      left = true;
    }
    if (receipt?.kind === 'refused' && ['no-label', 'ambiguous', 'unmoved'].includes(receipt.reason)) left = true;
    if (action.kind === 'tell') told = key;
    if (key === undefined || receipt?.kind === 'gone') told = undefined;
  }
}, 2000);

/** After a press that worked, its records alone raise no new question within the time in which a dialog is painted. */
const lagIsNoQuestion = (m: Asking): void => forAll(asking, (one) => {
  let now = T0;
  let goneAt = -Infinity;
  for (const [index, { look, action, receipt }] of ask(m, one).entries()) {
    now += one.happenings[index]?.afterMs ?? 0;
    if (look.dialog === undefined && now - goneAt < 5000) expect(action.kind).toBe('none');
    // Another question on the screen, or none any more, begins anew.
    if (action.kind === 'tell') goneAt = -Infinity;
    if (receipt?.kind === 'gone' && receipt.keys === 1) goneAt = now;
  }
}, 2000);

describe('a session that asks', () => {
  it('is not taken to ask again by records that lag', () => lagIsNoQuestion(realAsk));
  it('is answered only where that is allowed, on two looks', () => chosenOnlyWhereAllowed(realAsk));
  it('is answered at most twice a dialog, and twenty dialogs', () => bounded(realAsk));
  it('is left to a person for good', () => leftIsLeft(realAsk));
});

describe('planted faults are noticed', () => {
  afterAll(cleanMutants);
  it.each<[string, string, string, (m: Choice) => void]>([
    ['a key without a look at the cursor', 'if (sight.chosen)', 'if (true)', neverBlind],
    ['a key while somebody types', "sight.person === 'typing'", 'false', neverBlind],
    ['one look is enough', 'state.calm < policy.calmLooks || ', '', neverBlind],
    ['the first of two that read alike', 'sight.labelled > 1', 'false', neverBlind],
    ['two looks that differ agree', '(sight.mark === state.mark && sight.text === state.text)', 'true', neverBlind],
    ['a key that is too early', ' || nowMs < state.sinceMs + policy.settleMs', '', neverBlind],
    ['one look without it proves it gone', 'state.gone >= policy.goneLooks', 'state.gone >= 1', goneIsProven],
    ['it is pressed and forgotten', "step.kind === 'press' ? {", 'false ? {', pressedOnce],
    ['moves without end', ' || state.moves >= policy.maxMoves', '', alwaysEnds],
    ['a standing dialog is waited for', 'nowMs < state.pressedAtMs + policy.goneMs', 'true', alwaysEnds],
    ['late moves are forgotten', 'state.shifts < state.moves && ', 'false && ', findsItsWay],
    ['the cursor is overtaken', 'state.movedFrom === sight.mark && ', 'false && ', movesOnce],
  ])('%s', async (_what, find, replace, property) => {
    expect(await killedBy<Choice>(property, await importMutant('agents/dialog/decide.js', find, replace))).toBe(true);
  });
  it.each<[string, string, string, (m: Asking) => void]>([
    ['whoever asks is answered', "look.policy !== 'allow'", 'false', chosenOnlyWhereAllowed],
    ['at the first look', 'before?.open !== true ||', 'false ||', chosenOnlyWhereAllowed],
    ['another question is the same', ' || before.state.rule !== look.state.rule', '', chosenOnlyWhereAllowed],
    ['three presses', 'before.presses.length >= MAX_PRESSES', 'before.presses.length > MAX_PRESSES', bounded],
    ['dialogs without end', 'before.answered >= MAX_ANSWERED', 'false', bounded],
    ['a press that stands is forgotten', "case 'standing':\n            return { ...record, at: nowMs }", "case 'standing':\n            return { ...uncounted, at: nowMs }", bounded],
    ['records that lag ask anew', "look.dialog === undefined && nowMs - before.at < PAINT_MS", 'false', lagIsNoQuestion],
    ['what was left is taken up again', 'before.left !== undefined', 'false', leftIsLeft],
    ['what could not be chosen is tried for ever', 'return { ...uncounted, at: nowMs, left:', 'return { ...uncounted, at: nowMs, lost:', leftIsLeft],
  ])('%s', async (_what, find, replace, property) => {
    expect(await killedBy<Asking>(property, await importMutant('watchdog/asking.js', find, replace))).toBe(true);
  });
});
