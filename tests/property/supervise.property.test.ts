import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import type { Liveness, ProcessIdentity } from '../../src/lib/processes.js';
import type { Slot, SnakeSeen, SuperviseAction } from '../../src/pit/state.js';
import * as realSupervise from '../../src/pit/supervise.js';
import type { SupervisePolicy } from '../../src/pit/supervise.js';
import type { DesiredRecord } from '../../src/protocol/snapshot.js';
import { forAll } from './for-all.js';
import { cleanMutants, importMutant, killedBy } from '../rig/mutants.js';

type Supervise = typeof realSupervise;
type Mode = DesiredRecord['mode'];

const NAMES = ['s1', 's2', 's3'];
const ABSENT: SnakeSeen = { kind: 'absent' };

const policy: fc.Arbitrary<SupervisePolicy> = fc.record({
  firstBackoffMs: fc.integer({ min: 1, max: 500 }),
  maxBackoffMs: fc.integer({ min: 500, max: 4000 }),
  deathLimit: fc.integer({ min: 2, max: 7 }),
  deathWindowMs: fc.integer({ min: 2000, max: 60_000 }),
  startPatienceMs: fc.integer({ min: 100, max: 15_000 }),
});

const identityOf = (pid: number): ProcessIdentity => ({ pid, start: String(pid), boot: 'b0b0b0b0' });
const process_ = fc.integer({ min: 1, max: 3 }).map(identityOf);
const time = fc.nat(100_000);
const deaths = fc.array(time, { maxLength: 6 }).map((times) => times.toSorted((a, b) => a - b));
const up: fc.Arbitrary<Slot> = fc.record({ kind: fc.constant('up' as const), process: process_, sinceMonoMs: time, deaths, told: fc.constantFrom('nothing', 'drain', 'now') });
const slot: fc.Arbitrary<Slot> = fc.oneof(
  up,
  fc.record({ kind: fc.constant('empty' as const), deaths }),
  fc.record({ kind: fc.constant('starting' as const), process: process_, sinceMonoMs: time, deaths }),
  fc.record({ kind: fc.constant('backing-off' as const), untilMonoMs: time, deaths }),
  fc.record({ kind: fc.constant('broken' as const), why: fc.constant('w') }),
);
const seen: fc.Arbitrary<SnakeSeen> = fc.oneof(fc.record({ kind: fc.constantFrom('alive', 'died'), process: process_ }), fc.record({ kind: fc.constantFrom('unknown', 'absent') })) as fc.Arbitrary<SnakeSeen>;
const byName = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<ReadonlyMap<string, T>> => fc.array(fc.tuple(fc.constantFrom(...NAMES), value), { maxLength: 4 }).map((pairs) => new Map(pairs));
const desired: fc.Arbitrary<DesiredRecord> = fc.record({ snakes: fc.nat(3), mode: fc.constantFrom<Mode>('run', 'run', 'drain', 'now'), generation: fc.constant(1) });
const anything = fc.record({ policy, slots: byName(slot), seen: byName(seen), spawned: byName(seen), desired, now: time });
type Anything = typeof anything extends fc.Arbitrary<infer T> ? T : never;

const decided = (m: Supervise, on: Anything): ReturnType<Supervise['supervise']> => m.supervise(on.policy, on.slots, on.seen, on.spawned, on.desired, on.now);
const isOrder = (action: SuperviseAction): boolean => !action.kind.startsWith('tell-');
const wants = (of: DesiredRecord, snake: string): boolean => of.mode === 'run' && NAMES.indexOf(snake) < of.snakes;

/** Whatever is put in, true or not: one order a slot, none to start whom nobody wants, who may live, or who is broken. */
const ordersAreFew = (m: Supervise): void =>
  forAll(anything, (on) => {
    const { slots, actions } = decided(m, on);
    for (const action of actions) expect(action.kind === 'tell-broken' || action.rule !== '').toBe(true);
    for (const snake of NAMES) {
      const orders = actions.filter((action) => isOrder(action) && action.snake === snake).map(({ kind }) => kind);
      const wanted = wants(on.desired, snake);
      const looked = on.seen.get(snake)?.kind;
      const before = on.slots.get(snake);
      expect(orders.length).toBeLessThanOrEqual(1);
      if (!wanted || looked === 'alive' || looked === 'unknown' || slots.get(snake)?.kind === 'broken') expect(orders).not.toContain('spawn');
      if (wanted) expect([[], ['spawn']]).toContainEqual(orders);
      if (looked === 'alive') expect(slots.get(snake)?.kind).toBe('up');
      else if (before?.kind === 'broken') expect(slots.get(snake)).toEqual(before);
      // Unknown is not dead, nor gone.
      if (looked === 'unknown' && (before?.kind === 'starting' || before?.kind === 'up')) expect(slots.get(snake)).toMatchObject({ kind: before.kind, process: before.process });
      if (wanted || slots.get(snake)?.kind === 'up') expect(slots.has(snake)).toBe(true);
    }
  }, 2000);

/** Who lives and is not wanted is told to drain, once; when the pit goes down now, to end now, once, whatever it was told before. */
const theUnwantedAreTold = (m: Supervise): void =>
  forAll(fc.record({ policy, slot: fc.oneof(up, slot), process: process_, mode: fc.constantFrom<Mode>('run', 'drain', 'now'), now: time }), ({ slot: before, process, mode, ...on }) => {
    const { slots, actions } = decided(m, { ...on, slots: new Map([['s1', before]]), seen: new Map([['s1', { kind: 'alive', process }]]), spawned: new Map(), desired: { snakes: 0, mode, generation: 1 } });
    const told = before.kind === 'up' && before.process.pid === process.pid ? before.told : 'nothing';
    const order = mode === 'now' ? (told === 'now' ? [] : ['stop-now']) : told === 'nothing' ? ['drain'] : [];
    expect(actions.filter(isOrder)).toMatchObject(order.map((kind) => ({ kind, snake: 's1', process })));
    expect(slots.get('s1')).toMatchObject({ kind: 'up', process, told: mode === 'now' ? 'now' : told === 'nothing' ? 'drain' : told });
  }, 1000);

/** What becomes of one snake does not hang on the others. */
const slotsAreAlone = (m: Supervise): void =>
  forAll(anything, (on) => {
    const all = decided(m, on);
    for (const snake of NAMES) {
      const only = <T>(map: ReadonlyMap<string, T>): Map<string, T> => new Map([...map].filter(([key]) => key === snake));
      const alone = decided(m, { ...on, slots: only(on.slots), seen: only(on.seen), spawned: only(on.spawned) });
      expect(all.slots.get(snake)).toEqual(alone.slots.get(snake));
      expect(all.actions.filter((action) => action.snake === snake)).toEqual(alone.actions.filter((action) => action.snake === snake));
    }
  }, 500);

interface Body {
  readonly snake: string;
  readonly process: ProcessIdentity;
  alive: boolean;
  /** Its file lies in the registry: until it ends cleanly, or the pit has seen it dead. */
  registered: boolean;
  readonly told: string[];
}

/** A pit over processes that live and die: what it can see of them is true, but some cannot be looked at for a while. */
class World {
  readonly bodies: Body[] = [];
  readonly blind = new Set<string>();
  slots = new Map<string, Slot>();
  desired: DesiredRecord = { snakes: 1, mode: 'run', generation: 1 };
  now = 0;
  private readonly m: Supervise;
  private readonly policy: SupervisePolicy;

  constructor(m: Supervise, of: SupervisePolicy) {
    this.m = m;
    this.policy = of;
  }

  living(snake: string): Body[] {
    return this.bodies.filter((body) => body.snake === snake && body.alive);
  }

  born(snake: string, registered: boolean): Body {
    const body = { snake, process: identityOf(this.bodies.length + 1), alive: true, registered, told: [] };
    this.bodies.push(body);
    return body;
  }

  private livenessOf(body: Body | undefined): Liveness {
    return body === undefined ? 'dead' : this.blind.has(body.snake) ? 'unknown' : body.alive ? 'alive' : 'dead';
  }

  /** As the pit observes them: of several under one name, one that lives counts most, then one that may. */
  lookAtRegistry(): Map<string, SnakeSeen> {
    const found = new Map<string, SnakeSeen>();
    for (const body of this.bodies.filter(({ registered }) => registered)) {
      const liveness = this.livenessOf(body);
      const before = found.get(body.snake)?.kind;
      if (before === 'alive' || (before !== undefined && liveness === 'dead')) continue;
      found.set(body.snake, liveness === 'alive' ? { kind: 'alive', process: body.process } : liveness === 'unknown' ? { kind: 'unknown' } : { kind: 'died', process: body.process });
    }
    return found;
  }

  /** `between`: what happens between the look at the registry and the look at those not in it yet. */
  tick(between: () => void = () => undefined): SuperviseAction[] {
    const looked = this.lookAtRegistry();
    const leftovers = this.bodies.filter((body) => body.registered && this.livenessOf(body) === 'dead');
    between();
    const spawned = new Map<string, SnakeSeen>();
    for (const [snake, { process, liveness }] of this.starting()) spawned.set(snake, liveness === 'unknown' ? { kind: 'unknown' } : { kind: liveness === 'dead' ? 'died' : 'alive', process });
    const { slots, actions } = this.m.supervise(this.policy, this.slots, looked, spawned, this.desired, this.now);
    this.slots = slots;
    for (const action of actions) this.apply(action);
    for (const body of leftovers) body.registered = false;
    for (const [snake, { kind }] of looked) if (kind === 'alive' && !wants(this.desired, snake)) expect(this.living(snake)[0]?.told.at(-1)).toMatch(this.desired.mode === 'now' ? /^stop-now$/ : /./);
    return actions;
  }

  private starting(): Map<string, { process: ProcessIdentity; liveness: Liveness }> {
    const found = new Map<string, { process: ProcessIdentity; liveness: Liveness }>();
    for (const [snake, of] of this.slots) if (of.kind === 'starting') found.set(snake, { process: of.process, liveness: this.livenessOf(this.bodies[of.process.pid - 1]) });
    return found;
  }

  private apply(action: SuperviseAction): void {
    const { snake } = action;
    if (action.kind === 'spawn') {
      expect([snake, this.living(snake)]).toEqual([snake, []]);
      const before = this.slots.get(snake);
      this.slots.set(snake, { kind: 'starting', process: this.born(snake, false).process, sinceMonoMs: this.now, deaths: before === undefined || before.kind === 'broken' ? [] : before.deaths });
    } else if (action.kind === 'drain' || action.kind === 'stop-now') {
      expect(wants(this.desired, snake)).toBe(false);
      const told = this.bodies[action.process.pid - 1]?.told ?? [];
      expect(told.includes(action.kind) || told.includes('stop-now')).toBe(false);
      told.push(action.kind);
    } else if (action.kind === 'tell-ended') expect(this.bodies[action.process.pid - 1]?.alive).toBe(false);
  }
}

type Happening = readonly ['tick' | 'registers' | 'dies' | 'leaves' | 'stranger' | 'unseen' | 'seen' | 'wanted' | 'mode' | 'up again' | 'pit restarts', string, number];
const happening: fc.Arbitrary<Happening> = fc.tuple(
  fc.constantFrom('tick', 'tick', 'tick', 'tick', 'registers', 'registers', 'dies', 'dies', 'leaves', 'stranger', 'unseen', 'seen', 'seen', 'wanted', 'mode', 'mode', 'up again', 'pit restarts'),
  fc.constantFrom('s1', 's1', ...NAMES),
  fc.oneof(fc.nat(5), fc.nat(3000), fc.nat(20_000)),
);

function happens(world: World, [what, snake, ms]: Happening): void {
  const one = world.living(snake)[0];
  switch (what) {
    case 'tick':
      world.now += ms;
      return void world.tick();
    case 'registers':
      if (one !== undefined) one.registered = true;
      return;
    case 'dies':
      if (one !== undefined) one.alive = false;
      return;
    case 'leaves':
      if (one !== undefined) Object.assign(one, { alive: false, registered: false });
      return;
    // Started by nobody of this pit; it would have given way to one who lives.
    case 'stranger':
      if (one === undefined) world.born(snake, true);
      return;
    case 'unseen':
      return void world.blind.add(snake);
    case 'seen':
      return void world.blind.delete(snake);
    case 'wanted':
      world.desired = { ...world.desired, snakes: ms % 4 };
      return;
    case 'mode':
      world.desired = { ...world.desired, mode: (['run', 'drain', 'now'] as const)[ms % 3] ?? 'run' };
      return;
    case 'up again':
      for (const [name, { kind }] of world.slots) if (kind === 'broken') world.slots.delete(name);
      return;
    // What it had started has registered by then; two would have to settle it between them otherwise.
    case 'pit restarts':
      for (const body of world.bodies) Object.assign(body, { registered: body.registered || body.alive, told: [] });
      world.slots = new Map();
      return;
  }
}

const histories = fc.tuple(policy, fc.array(happening, { maxLength: 80 }));

/** World.apply and World.tick look at each order: nobody is started beside one who lives, and who is not wanted is told so, once. */
const neverASecond = (m: Supervise): void =>
  forAll(histories, ([of, history]) => {
    const world = new World(m, of);
    for (const one of history) happens(world, one);
    for (const snake of NAMES) expect(world.living(snake).length).toBeLessThanOrEqual(1);
  }, 2000);

/** Whatever has happened: left alone, all that is wanted and not broken lives, and nothing else. */
const whatIsWantedComes = (m: Supervise): void =>
  forAll(histories, ([of, history]) => {
    const world = new World(m, of);
    for (const one of history) happens(world, one);
    world.blind.clear();
    for (let round = 0; round < 6; round += 1) {
      world.now += Math.max(of.maxBackoffMs, of.startPatienceMs);
      world.tick();
      for (const body of world.bodies.filter(({ alive }) => alive)) Object.assign(body, { registered: body.told.length === 0, alive: body.told.length === 0 });
    }
    for (const snake of NAMES) expect([snake, world.living(snake).length]).toEqual([snake, wants(world.desired, snake) && world.slots.get(snake)?.kind !== 'broken' ? 1 : 0]);
    expect([...world.slots.values()].filter(({ kind }) => kind === 'up').length).toBe(world.bodies.filter(({ alive }) => alive).length);
  }, 1000);

/** One snake that is always wanted and always dies, early or late, registered or not; deaths are tallied by hand. */
const deathsHaveTheirPrice = (m: Supervise): void => {
  const life = fc.record({ livesMs: fc.oneof(fc.nat(200), fc.nat(2000), fc.nat(70_000)), registers: fc.boolean(), everyMs: fc.integer({ min: 50, max: 1500 }) });
  forAll(fc.tuple(policy, fc.array(life, { maxLength: 20 })), ([of, lives]) => {
    const world = new World(m, of);
    const died: number[] = [];
    world.tick();
    for (const { livesMs, registers, everyMs } of lives) {
      const [body] = world.living('s1');
      if (body === undefined) throw new Error('nobody lives');
      if (registers) happens(world, ['registers', 's1', 0]);
      world.now += livesMs;
      if (livesMs % 2 === 0) expect(world.tick()).toEqual([]);
      body.alive = false;
      let told = world.tick().map(({ kind }) => kind);
      died.push(world.now);
      const counted = died.filter((at) => world.now - at < of.deathWindowMs).length;
      if (counted >= of.deathLimit) {
        expect(told).toEqual(['tell-ended', 'tell-broken']);
        for (let tick = 0; tick < 30; tick += 1) expect([(world.now += of.deathWindowMs), world.tick()][1]).toEqual([]);
        expect(world.slots.get('s1')?.kind).toBe('broken');
        return;
      }
      const bound = counted === 1 ? 0 : Math.min(of.maxBackoffMs, of.firstBackoffMs * 2 ** (counted - 2));
      expect(told[0]).toBe('tell-ended');
      told = told.slice(1);
      for (; world.now - (died.at(-1) ?? 0) < bound; told = world.tick().map(({ kind }) => kind)) expect([(world.now += everyMs), told][1]).toEqual([]);
      expect(told).toEqual(['spawn']);
    }
  }, 500);
};

describe('the supervisor', () => {
  it('gives one order a slot at most, and starts nobody it should not', () => ordersAreFew(realSupervise));
  it('tells who is not wanted, once', () => theUnwantedAreTold(realSupervise));
  it('treats each slot by itself', () => slotsAreAlone(realSupervise));
  it('never starts a second beside one who lives', () => neverASecond(realSupervise));
  it('brings about what is wanted', () => whatIsWantedComes(realSupervise));
  it('makes each death within the window cost more, up to broken for good', () => deathsHaveTheirPrice(realSupervise));

  // A registration left by the one before says "died" in a slot whose own process lives and has not registered yet.
  it('starts nobody beside one it has started, whatever the registry says of an earlier one', () => {
    const starting = fc.record({ process: process_, mayLive: fc.constantFrom('alive', 'unknown'), other: process_, now: time });
    forAll(starting, ({ process, mayLive, other, now }) => {
      const slots = new Map<string, Slot>([['s1', { kind: 'starting', process, sinceMonoMs: now, deaths: [] }]]);
      const spawned = new Map<string, SnakeSeen>([['s1', mayLive === 'alive' ? { kind: 'alive', process } : { kind: 'unknown' }]]);
      const looked: SnakeSeen = other.pid === process.pid ? ABSENT : { kind: 'died', process: other };
      const { actions } = realSupervise.supervise(realSupervise.SUPERVISE_POLICY, slots, new Map([['s1', looked]]), spawned, { snakes: 1, mode: 'run', generation: 1 }, now);
      expect(actions.filter(isOrder)).toEqual([]);
    });
  });
  // The same, as it comes about: registered and dead between the two looks of one tick, so seen dead at two ticks.
  it('counts a death once, and starts nobody beside its successor', () => {
    const world = new World(realSupervise, realSupervise.SUPERVISE_POLICY);
    world.tick();
    world.now += 1000;
    world.tick(() => Object.assign(world.bodies[0] ?? {}, { registered: true, alive: false }));
    for (let tick = 0; tick < 2; tick += 1) {
      world.now += 1000;
      world.tick();
    }
    expect(world.bodies.length).toBe(2);
  });
});

describe('planted faults are noticed', () => {
  afterAll(cleanMutants);
  const faults: readonly (readonly [string, string, string, (m: Supervise) => void])[] = [
    ['one that cannot be looked at is absent', "case 'unknown':\n            return { slot };", "case 'unknown':\n            return absent(policy, slot, spawned, nowMonoMs);", ordersAreFew],
    ['an empty slot is filled whoever may live', 'wanted && !mayLive', 'wanted', ordersAreFew],
    ['a back-off ends whoever may live', 'slot.untilMonoMs && !mayLive', 'slot.untilMonoMs', ordersAreFew],
    ['one that was started and cannot be looked at is overdue', "spawned.kind === 'alive' || spawned.kind === 'unknown'", "spawned.kind === 'alive'", neverASecond],
    ['one that is slow to register is dead', "if (spawned.kind === 'alive' ||", "if (!overdue && spawned.kind === 'alive' ||", neverASecond],
    ['a slot is forgotten when its snake is not wanted', "slot.kind !== 'empty' || wanted.has(snake)", 'wanted.has(snake)', neverASecond],
    ['back-offs go on for the unwanted', "if (!wanted)\n                return { slot: { kind: 'empty', deaths: slot.deaths } };", '', ordersAreFew],
    ['it is told at every tick', "!wanted && slot.told === 'nothing'", '!wanted', theUnwantedAreTold],
    ['who drains is not told to end now', "slot.told !== 'now'", "slot.told === 'nothing'", theUnwantedAreTold],
    ['a death mends what is broken', "if (slot.kind === 'broken')\n        return slot;", '', ordersAreFew],
    ['one death too many', 'deaths.length >= policy.deathLimit', 'deaths.length > policy.deathLimit', deathsHaveTheirPrice],
    ['deaths are never forgotten', 'before.filter((at) => nowMonoMs - at < policy.deathWindowMs)', 'before', deathsHaveTheirPrice],
    ['a back-off is not bounded', 'Math.min(policy.maxBackoffMs, ', '(', deathsHaveTheirPrice],
    ['the first death waits', 'deaths.length === 1 ? 0', 'deaths.length === 0 ? 0', deathsHaveTheirPrice],
    ['a start ends with its patience only', "spawned.kind === 'died' || overdue", 'overdue', deathsHaveTheirPrice],
    ['a clean end is never filled again', "return { slot: { kind: 'empty', deaths: slot.deaths } };\n        case 'starting'", "return { slot };\n        case 'starting'", whatIsWantedComes],
  ];
  it.each(faults)('%s', async (_what, find, replace, property) => {
    expect(await killedBy<Supervise>(property, await importMutant('pit/supervise.js', find, replace))).toBe(true);
  });
});
