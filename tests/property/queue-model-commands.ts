import fc from 'fast-check';
import type { Bench } from './queue-model-bench.js';
import { ANY, NOTHING, plan, type Deed, type Ended } from './queue-model-deeds.js';
import { isBusy, whereOf, type Doc, type Model, type Where, type Words } from './queue-model-state.js';
import { Died, PLANS, type Lies } from './queue-model-world.js';

const IDS = [...'abcdefghijkl'];
/** Mostly undefined: so many times for each other value. */
const seldom = <T>(value: fc.Arbitrary<T>, times: number): fc.Arbitrary<T | undefined> => fc.oneof({ weight: times, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value });
const words: fc.Arbitrary<Words> = fc.record({
  attempts: fc.constantFrom(1, 2, 3), after: seldom(fc.constantFrom(...IDS), 5), inMs: fc.constantFrom(0, 0, 0, 0, 60_000),
  ask: fc.constantFrom('park', 'park', 'fail'), priority: fc.constantFrom(10, 50), broken: fc.integer({ min: 0, max: 9 }).map((die) => die === 0),
});
const target = { pick: fc.nat(99), dies: seldom(fc.integer({ min: 1, max: 9 }), 4) };
const deedOf = (weight: number, fields: Record<string, fc.Arbitrary<unknown>>): fc.WeightedArbitrary<Deed> => ({ weight, arbitrary: fc.record({ ...target, ...fields }) as fc.Arbitrary<Deed> });
const simple = (weight: number, ...kinds: Deed['kind'][]): fc.WeightedArbitrary<Deed> => deedOf(weight * kinds.length, { kind: fc.constantFrom(...kinds) });

export const deed: fc.Arbitrary<Deed> = fc.oneof(
  deedOf(10, { kind: fc.constant('add'), id: fc.constantFrom(...IDS), words }),
  deedOf(4, { kind: fc.constant('drop'), id: fc.constantFrom(...IDS), words }),
  deedOf(3, { kind: fc.constant('edit'), words }),
  simple(2, 'look', 'retry', 'rerun', 'hold', 'release', 'cancel', 'answer', 'stop', 'continue'),
  simple(3, 'promote', 'kill', 'respawn', 'respawn'),
  simple(1, 'pause'),
  deedOf(4, { kind: fc.constant('reap'), successor: fc.constantFrom('refused', 'refused', 'possible', 'expected') }),
  deedOf(12, { kind: fc.constant('claim'), told: fc.boolean() }),
  deedOf(18, { kind: fc.constant('work'), dies: seldom(fc.integer({ min: 1, max: 24 }), 2), plan: fc.constantFrom(...PLANS, 'well', 'runs'), undead: fc.integer({ min: 0, max: 29 }).map((die) => die === 0) }),
  deedOf(4, { kind: fc.constant('move'), to: fc.constantFrom('drop', 'drop', 'ready', 'held', 'waiting') }),
  deedOf(4, { kind: fc.constant('pass'), ms: fc.constantFrom(200, 3000, 70_000) }),
);

/** One command: the deed, what must follow of it, and the look whether it did. */
export class Step implements fc.AsyncCommand<Model, Bench> {
  private readonly deed: Deed;
  constructor(deed_: Deed) {
    this.deed = deed_;
  }

  toString = (): string => JSON.stringify(this.deed);
  /** Deeds choose their target when they are done; one that finds none is a look at the directory. */
  check = (): boolean => true;

  async run(model: Model, bench: Bench): Promise<void> {
    const from = bench.world.clock.wallMs();
    const act = plan(this.deed, model, bench);
    const before = model.docs;
    if (act !== NOTHING) model.steps += 1;
    let ending: Ended = 'done';
    try {
      await act.run();
    } catch (cause) {
      if (cause instanceof Died) ending = 'died';
      else if (act.mayThrow) ending = 'refused';
      else throw cause;
    }
    const lies = bench.world.lies();
    const span = { from, to: bench.world.clock.wallMs() };
    const after = act.after(ending, span);
    model.docs = before.map((doc) => ({ ...doc, at: whereIs(doc, lies) })).concat(act.fresh === undefined ? [] : freshDoc(act.fresh, lies));
    if (ending === 'done' && act.fresh !== undefined && after.has(act.fresh.doc) && model.docs.length === before.length) throw new Error(`${act.fresh.id} was lost as it came`);
    for (const { doc, dir, name } of lies) if (!model.docs.some((one) => one.doc === doc)) throw new Error(`nobody knows ${dir}/${name}`);
    for (const doc of model.docs) {
      const was = before.find((one) => one.doc === doc.doc)?.at;
      const expected = after.get(doc.doc) ?? was;
      const allowed = expected === undefined ? [] : 'oneOf' in expected ? expected.oneOf : [expected];
      const ok = allowed.some((one) => fits(doc.at, one, span)) || (ending === 'died' && ((was !== undefined && fits(doc.at, was, span)) || act.halfway?.(doc.doc, doc.at) === true));
      if (!ok) throw new Error(`after ${String(this)} (${ending}) ${doc.id} lies ${JSON.stringify(doc.at)}, not ${JSON.stringify(allowed)}; before: ${JSON.stringify(was)}`);
    }
    const groups = new Map<string, number>();
    for (const [doc, one] of after) if ('oneOf' in one && ending !== 'died') groups.set(one.group, (groups.get(one.group) ?? 0) + (model.docs.find((other) => other.doc === doc)?.at.in === 'refused' ? 0 : 1));
    for (const [group, count] of groups) if (count !== 1) throw new Error(`of the files of ${group}, ${count} were taken in`);
    invariants(model, bench, lies);
  }
}

function whereIs(doc: Doc, lies: readonly Lies[]): Where {
  const found = lies.filter((one) => one.doc === doc.doc);
  const [only] = found;
  if (only === undefined || found.length > 1) throw new Error(`${doc.id} (doc-${doc.doc}) lies in ${found.length} places: ${found.map(({ dir, name }) => `${dir}/${name}`).join(', ')}; it was in ${doc.at.in}`);
  return whereOf(only);
}

/** A document that was just written may have come to nothing, where its writer was killed or refused. */
function freshDoc(fresh: Omit<Doc, 'at'>, lies: readonly Lies[]): Doc[] {
  return lies.some((one) => one.doc === fresh.doc) ? [{ ...fresh, at: whereIs({ ...fresh, at: { in: 'drop' } }, lies) }] : [];
}

/** Instants that are set by the clock lie within the command; everything else is equal. */
function fits(actual: Where, expected: Where, span: { from: number; to: number }): boolean {
  const flat = (where: Where): Record<string, unknown> => ({ ...where, former: undefined });
  const a = flat(actual);
  const e = flat(expected);
  return [...new Set([...Object.keys(a), ...Object.keys(e)])].every((key) => {
    if (key === 'marker' && e[key] === ANY) return true;
    if (key === 'counters') return JSON.stringify(a[key]) === JSON.stringify(e[key]);
    const [x, y] = [a[key], e[key]];
    if (typeof x === 'number' && typeof y === 'number' && key.endsWith('At')) return x === y || (y >= span.from && x >= y && x - y <= span.to - span.from);
    return x === y;
  });
}

/** What holds whatever was done. */
function invariants(model: Model, { world }: Bench, lies: readonly Lies[]): void {
  const ids = model.docs.filter(({ at }) => !isBusy(at)).map(({ id }) => id);
  if (new Set(ids).size !== ids.length) throw new Error(`two tasks of one id: ${ids.sort().join(' ')}`);
  const twice = world.starts.find((marker, index) => world.starts.indexOf(marker) !== index);
  if (twice !== undefined) throw new Error(`${twice} was started twice`);
  const markers = new Set(model.docs.flatMap(({ at }) => (at.in === 'claimed' || at.in === 'reaping' ? [at.marker] : [])));
  const stuck = lies.filter(({ dir }) => dir === 'stuck').map(({ name }) => name);
  for (const { marker } of world.sessions) {
    const owned = markers.has(marker) || model.disowned.has(marker) || stuck.some((name) => name.endsWith(`~${marker}.md`));
    if (world.live(marker) && !owned) throw new Error(`processes of ${marker} live, and nobody owns them`);
  }
}
