import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import type { FlowEvent, FlowNext, LoopSpec, Node, StepEnd, StepSpec, Until, Verdict, Workflow } from '../../src/protocol/workflow.js';
import * as realDecide from '../../src/workflow/decide.js';
import { forAll } from '../property/for-all.js';
import { cleanMutants, importMutant, killedBy } from '../rig/mutants.js';

type Decide = typeof realDecide;

/** A workflow of any shape, its names made unique afterwards. Each session reads all before it: one of tens of thousands takes minutes. */
const seats = fc.array(fc.boolean().map((veto) => ({ agents: [], veto })), { minLength: 1, maxLength: 3 });
const shape = fc.letrec<{ node: Node; step: StepSpec; loop: LoopSpec }>((tie) => ({
  step: fc.record({ seats, verdict: fc.boolean(), pass: fc.constantFrom('all' as const, 'majority' as const, 'any' as const), rounds: fc.constantFrom('every' as const, 'first' as const, 'later' as const) }).map((of): StepSpec => ({
    kind: 'step', id: '', prompt: 'p', rights: 'write', otherThanAuthor: false, mode: undefined, timeoutMs: undefined, hands: [], ...of,
  })),
  loop: fc.record({ max: fc.integer({ min: 1, max: 4 }), nodes: fc.array(tie('node'), { minLength: 1, maxLength: 3 }), way: fc.constantFrom('verdict', 'command', 'file', 'each', 'count') }).map(({ max, nodes, way }): LoopSpec => ({
    kind: 'loop', id: '', max, nodes, each: way === 'each' ? { file: 'f', line: 'x' } : undefined,
    until: way === 'verdict' ? { kind: 'verdict', steps: [] } : way === 'command' ? { kind: 'command', command: 'c' } : way === 'file' ? { kind: 'file', file: 'f', line: 'x' } : undefined,
  })),
  node: fc.oneof({ maxDepth: 3, depthSize: 'small', withCrossShrink: true }, tie('step') as fc.Arbitrary<Node>, tie('loop') as fc.Arbitrary<Node>),
}));

function named(nodes: readonly Node[], next = { id: 0 }): Node[] {
  return nodes.map((node): Node => {
    const id = `n${(next.id += 1)}`;
    if (node.kind !== 'loop') return { ...node, id };
    const inner = named(node.nodes, next);
    // A verdict that ends a loop is given in each of its rounds.
    const judges = inner.flatMap((one) => (one.kind === 'step' && one.verdict ? [one.id] : []));
    const until: Until | undefined = node.until?.kind !== 'verdict' ? node.until : judges.length > 0 ? { kind: 'verdict', steps: judges } : { kind: 'command', command: 'c' };
    return { ...node, id, until, nodes: inner.map((one) => (judges.includes(one.id) && one.kind === 'step' ? { ...one, rounds: 'every' } : one)) };
  });
}
const workflow: fc.Arbitrary<Workflow> = fc.tuple(fc.array(shape.node, { minLength: 1, maxLength: 3 }), fc.nat(9)).map(([nodes, at]) => ({ name: 'w', title: 't', nodes: named(at > 3 ? nodes : nodes.toSpliced(at, 0, { kind: 'await', id: '' })) }));

const ended = (step: string, seat: number, round: number, verdict: Verdict | undefined, broke?: string): StepEnd => ({ kind: 'step-ended', step, seat, round, run: 'r', agent: 'a', account: 'n', startedAt: 1, endedAt: 2, verdict, message: '', broke });

/** What a world answers each time it is asked, from a list of chances. */
interface World {
  readonly chances: readonly number[];
  readonly rulings: number;
  readonly returns: number;
}
const world: fc.Arbitrary<World> = fc.record({ chances: fc.array(fc.nat(9), { minLength: 1, maxLength: 30 }), rulings: fc.nat(2), returns: fc.nat(3) });

/** Plays a workflow to its end; every decision but the last is answered. Throws where it goes on beyond its bound. */
function play(m: Decide, of: Workflow, { chances, rulings, returns }: World): { events: FlowEvent[]; end: FlowNext; steps: number } {
  const events: FlowEvent[] = [];
  let [asked, ruled, back, steps] = [0, 0, 0, 0];
  const chance = (): number => chances[(asked += 1) % chances.length] ?? 0;
  // Each ruling adds one round, each return goes through at most everything once more.
  const bound = m.mostSessions(of.nodes) * (1 + rulings + returns) * 3 + 50;
  while (events.length < 4 * bound) {
    const next = m.decideFlow(of, events);
    if (next.kind === 'step') {
      steps += 1;
      if (steps > bound) throw new Error(`more than ${bound} sessions`);
      const spec = m.stepOf(of.nodes, next.step);
      const verdict: Verdict | undefined = spec?.verdict !== true ? undefined : chance() < 4 ? { kind: 'pass' } : chance() < 5 ? { kind: 'none', why: 'w' } : { kind: 'reject' };
      events.push(ended(next.step, next.seat, next.round, verdict));
    } else if (next.kind === 'check') events.push({ kind: 'checked', loop: next.loop, round: next.round, held: chance() < 3, evidence: '' });
    else if (next.kind === 'count') events.push({ kind: 'counted', loop: next.loop, items: 1 + (chance() % next.max) });
    else if (next.kind === 'await') events.push({ kind: 'awaited', done: 1, failed: chance() < 3 ? ['child'] : [] });
    else if (next.kind === 'exhausted' && ruled < rulings) {
      ruled += 1;
      events.push({ kind: 'ruled', ruling: chance() < 5 ? { kind: 'more', rounds: 1, words: '' } : { kind: 'accept' } });
    } else if (next.kind === 'finished' && back < returns) {
      back += 1;
      events.push({ kind: 'sent-back', why: 'it failed', times: 20 });
    } else return { events, end: next, steps };
  }
  throw new Error(`more than ${4 * bound} events`);
}

/** Every workflow ends, whatever its sessions say, within its bound. */
const alwaysEnds = (m: Decide): void =>
  forAll(fc.tuple(workflow, world), ([of, as]) => {
    const { end } = play(m, of, as);
    expect(['finished', 'exhausted', 'spent', 'rejected']).toContain(end.kind);
  }, 1500);

/** Without rulings and returns it has no more sessions than it says beforehand. */
const withinBound = (m: Decide): void =>
  forAll(fc.tuple(workflow, world), ([of, as]) => {
    expect(play(m, of, { ...as, rulings: 0, returns: 0 }).steps).toBeLessThanOrEqual(m.mostSessions(of.nodes));
  }, 1000);

/** What was decided once is decided by everybody who reads the same events, and no step that ended runs again. */
const noStepTwice = (m: Decide): void =>
  forAll(fc.tuple(workflow, world), ([of, as]) => {
    const { events } = play(m, of, as);
    for (const [at, event] of events.entries()) {
      const next = m.decideFlow(of, events.slice(0, at));
      if (event.kind === 'step-ended') expect(next).toMatchObject({ kind: 'step', step: event.step, seat: event.seat, round: event.round });
    }
  }, 300);

const one = (id: string, more: Partial<StepSpec> = {}): StepSpec => ({ kind: 'step', id, prompt: 'p', rights: 'write', seats: [{ agents: [], veto: false }], verdict: false, pass: 'all', otherThanAuthor: false, mode: undefined, timeoutMs: undefined, rounds: 'every', hands: [], ...more });
const BUILD_REVIEW: Workflow = { name: 'b', title: 't', nodes: [{ kind: 'loop', id: 'loop', max: 2, until: { kind: 'verdict', steps: ['review'] }, each: undefined, nodes: [one('build'), one('review', { verdict: true, rights: 'read' })] }] };
const pass: Verdict = { kind: 'pass' };
const reject: Verdict = { kind: 'reject' };

/** A pass in the last round is a pass; only then are the rounds used up; what was said otherwise is none. */
const lastRoundCounts = (m: Decide): void => {
  const round = (n: number, verdict: Verdict): FlowEvent[] => [ended('build', 0, n, undefined), ended('review', 0, n, verdict)];
  expect(m.decideFlow(BUILD_REVIEW, [...round(1, reject), ...round(2, pass)]).kind).toBe('finished');
  expect(m.decideFlow(BUILD_REVIEW, [...round(1, reject), ...round(2, reject)])).toMatchObject({ kind: 'exhausted', rounds: 2 });
  expect(m.decideFlow(BUILD_REVIEW, [...round(1, { kind: 'none', why: '' })])).toMatchObject({ kind: 'step', step: 'build', round: 2 });
  const spent: FlowEvent[] = [...round(1, reject), ...round(2, pass), { kind: 'sent-back', why: 'checks', times: 9 }];
  expect(m.decideFlow(BUILD_REVIEW, spent).kind).toBe('spent');
  expect(m.decideFlow(BUILD_REVIEW, [...round(1, pass), { kind: 'sent-back', why: 'checks', times: 9 }])).toMatchObject({ kind: 'step', step: 'build', round: 2 });
  expect(m.decideFlow(BUILD_REVIEW, [...round(1, reject), ...round(2, reject), { kind: 'ruled', ruling: { kind: 'more', rounds: 1, words: '' } }])).toMatchObject({ kind: 'step', step: 'build', round: 3, of: 3 });
  expect(m.decideFlow(BUILD_REVIEW, [...round(1, reject), ...round(2, reject), { kind: 'ruled', ruling: { kind: 'accept' } }]).kind).toBe('finished');
};

/** One veto rejects; without one, most or any decide as the step says. */
const panelsDecide = (m: Decide): void => {
  const panel = (how: StepSpec['pass'], veto: boolean, verdicts: readonly Verdict[]): string => {
    const review = one('review', { verdict: true, pass: how, seats: verdicts.map((_verdict, seat) => ({ agents: [], veto: veto && seat === 0 })) });
    const of: Workflow = { ...BUILD_REVIEW, nodes: [{ kind: 'loop', id: 'loop', max: 1, until: { kind: 'verdict', steps: ['review'] }, each: undefined, nodes: [review] }] };
    return m.decideFlow(of, verdicts.map((verdict, seat) => ended('review', seat, 1, verdict))).kind;
  };
  expect(panel('all', false, [pass, pass])).toBe('finished');
  expect(panel('all', false, [pass, reject])).toBe('exhausted');
  expect(panel('majority', false, [reject, pass, pass])).toBe('finished');
  expect(panel('majority', false, [reject, pass])).toBe('exhausted');
  expect(panel('majority', true, [reject, pass, pass])).toBe('exhausted');
  expect(panel('any', false, [reject, pass])).toBe('finished');
  expect(panel('any', true, [reject, pass])).toBe('exhausted');
};

/** Records that cannot be are told, never worked on; so is what a step broke. */
const strayIsBroken = (m: Decide): void => {
  expect(m.decideFlow(BUILD_REVIEW, [ended('review', 0, 1, pass)]).kind).toBe('broken');
  expect(m.decideFlow(BUILD_REVIEW, [{ kind: 'ruled', ruling: { kind: 'accept' } }]).kind).toBe('broken');
  expect(m.decideFlow(BUILD_REVIEW, [ended('build', 0, 1, undefined, 'it wrote')])).toMatchObject({ kind: 'broken', rule: 'build: it wrote' });
  expect(m.decideFlow(BUILD_REVIEW, [ended('build', 0, 1, undefined), ended('review', 0, 1, pass), ended('build', 0, 2, undefined)]).kind).toBe('broken');
};

/** It waits until it was looked at, goes on when all are done, and asks where one has failed; what was never tossed is never waited for. */
const childrenDecide = (m: Decide): void => {
  const of: Workflow = { name: 's', title: 't', nodes: [one('plan'), { kind: 'await', id: 'children' }, one('close')] };
  const planned = ended('plan', 0, 1, undefined);
  const seen = (done: number, ...failed: readonly string[]): FlowEvent => ({ kind: 'awaited', done, failed });
  const ruled = (ruling: 'accept' | 'reject' | 'more'): FlowEvent => ({ kind: 'ruled', ruling: ruling === 'accept' ? { kind: 'accept' } : ruling === 'reject' ? { kind: 'reject', words: '' } : { kind: 'more', rounds: 1, words: '' } });
  const next = (...events: readonly FlowEvent[]): FlowNext => m.decideFlow(of, [planned, ...events]);
  expect(next().kind).toBe('await');
  expect(next(seen(2))).toMatchObject({ kind: 'step', step: 'close' });
  expect(next(seen(1, 'b'))).toMatchObject({ kind: 'exhausted', failed: ['b'] });
  expect(next(seen(0)).kind).toBe('broken');
  expect(next(seen(1, 'b'), ruled('accept'))).toMatchObject({ kind: 'step', step: 'close' });
  const twice: Workflow = { ...of, nodes: [one('plan'), { kind: 'await', id: 'children' }, { kind: 'await', id: 'others' }] };
  expect(m.decideFlow(twice, [planned])).toMatchObject({ kind: 'await', without: [] });
  expect(m.decideFlow(twice, [planned, seen(0, 'b'), ruled('accept')])).toMatchObject({ kind: 'await', without: ['b'] });
  expect(m.decideFlow(twice, [planned, seen(0, 'b'), ruled('accept'), seen(0)]).kind).toBe('finished');
  expect(next(seen(1, 'b'), ruled('reject')).kind).toBe('rejected');
  expect(next(seen(1, 'b'), ruled('more')).kind).toBe('await');
  expect(next(seen(1, 'b'), ruled('more'), seen(2))).toMatchObject({ kind: 'step', step: 'close' });
};

const PROPERTIES = { childrenDecide, alwaysEnds, withinBound, noStepTwice, lastRoundCounts, panelsDecide, strayIsBroken };
/** Faults, and who notices them. */
const MUTANTS: readonly (readonly [string, string, string, keyof typeof PROPERTIES])[] = [
  // Without any limit it would not come back from a loop whose steps are all of the first round.
  ['a loop goes far beyond its limit', 'if (state.round > state.limit) {', 'if (state.round > state.limit + 60) {', 'alwaysEnds'],
  ['a round more than max', 'if (state.round > state.limit) {', 'if (state.round > state.limit + 1) {', 'withinBound'],
  ['the last round never counts', 'if (state.round > state.limit) {', 'if (state.round >= state.limit) {', 'lastRoundCounts'],
  ['a veto is a vote', "verdict?.kind === 'reject' && seats[seat]?.veto === true", 'false', 'panelsDecide'],
  ['no verdict is a pass', "verdict?.kind === 'pass'", "verdict?.kind !== 'reject'", 'lastRoundCounts'],
  ['half is most', 'count * 2 > ends.length', 'count * 2 >= ends.length', 'panelsDecide'],
  ['children are not waited for', "{ kind: 'await', without: [...this.without], rule: 'it goes on when its children are done' }", 'undefined', 'childrenDecide'],
  ['a child that failed is overlooked', 'if (seen.failed.length === 0)', 'if (seen.done > 0)', 'childrenDecide'],
  ['nothing was tossed, and it goes on', 'seen.done + seen.failed.length + this.without.length === 0', 'false', 'childrenDecide'],
  ['what a person gave up is asked for again', 'this.without.push(...seen.failed);', '', 'childrenDecide'],
  ['a broken bound is overlooked', 'end.broke !== undefined', 'false', 'strayIsBroken'],
  ['what came back begins anew', 'state.round >= state.limit', 'false', 'lastRoundCounts'],
];

afterAll(cleanMutants);

describe('what comes next in a workflow', () => {
  for (const [name, property] of Object.entries(PROPERTIES)) it(name, () => property(realDecide));
  it.each(MUTANTS)('%s: noticed', async (_name, find, replace, by) => {
    expect(await killedBy(PROPERTIES[by], (await importMutant('workflow/decide.js', find, replace)) as Decide)).toBe(true);
  });
});
