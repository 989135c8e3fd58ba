import * as fs from 'node:fs';
import { basename, join } from 'node:path';
import { CONFIG, type Bench } from './queue-model-bench.js';
import { afterEnding, factsOf, formerOf, isBusy, ripe, since, takenIn, textOf, whereOf, type Doc, type Ending, type Facts, type Model, type Where, type Words } from './queue-model-state.js';
import type { Lies, Plan } from './queue-model-world.js';

/* The deeds: how each is done on the bench, and what the model says must follow. */

/** What somebody does. `pick` chooses among those it can be done to; `dies`: at which change of a file its doer is killed. */
type Target = { readonly pick: number; readonly dies: number | undefined };
export type Deed =
  | ({ readonly kind: 'add' | 'drop'; readonly id: string; readonly words: Words } & Target)
  | ({ readonly kind: 'edit'; readonly words: Words } & Target)
  | ({ readonly kind: 'look' | 'promote' | 'retry' | 'rerun' | 'hold' | 'release' | 'cancel' | 'answer' | 'kill' | 'respawn' | 'stop' | 'continue' | 'pause' } & Target)
  | ({ readonly kind: 'reap'; readonly successor: 'refused' | 'possible' | 'expected' } & Target)
  | ({ readonly kind: 'claim'; readonly told: boolean } & Target)
  | ({ readonly kind: 'work'; readonly plan: Plan; readonly undead: boolean } & Target)
  | ({ readonly kind: 'move'; readonly to: 'drop' | 'ready' | 'held' | 'waiting' } & Target)
  | ({ readonly kind: 'pass'; readonly ms: number } & Target);

/** Which of several documents of one id is taken in is nobody's promise; that it is one of them is. */
export type Expected = Where | { readonly oneOf: readonly Where[]; readonly group: string };

type Span = { readonly from: number; readonly to: number };
export type Ended = 'done' | 'refused' | 'died';
type After = (ended: Ended, span: Span) => Map<number, Expected>;

export interface Act {
  readonly run: () => Promise<unknown>;
  /** By document: where it must lie; left out: where it lay. */
  readonly after: After;
  /** It may be refused, with nothing changed but what `after` says. */
  readonly mayThrow: boolean;
  readonly fresh?: Omit<Doc, 'at'>;
  /** A doer who was killed may leave a document here too. */
  readonly halfway?: (doc: number, at: Where) => boolean;
}

const nothing: After = () => new Map();
/** The deed found nobody that it could be done to. */
export const NOTHING: Act = { run: async () => undefined, after: nothing, mayThrow: false };

const inState = (model: Model, ...states: Where['in'][]): Doc[] => model.docs.filter(({ at }) => states.includes(at.in));
const pickOf = <T>(among: readonly T[], pick: number): T | undefined => among[pick % Math.max(1, among.length)];
const pathOf = (bench: Bench, doc: Doc): string => {
  const found = bench.world.lies().find((one) => one.doc === doc.doc) as Lies;
  return join(bench.world.layout.queue, found.dir, found.name);
};

/** Whether a new file of that id would be refused as the second. */
const isTaken = (model: Model, id: string, but?: number): boolean => model.docs.some((one) => one.id === id && one.doc !== but && (!isBusy(one.at) || (one.at.in === 'foreign' && one.at.former !== undefined)));

export function plan(deed: Deed, model: Model, bench: Bench): Act {
  const { world } = bench;
  const { dies, pick } = deed;
  switch (deed.kind) {
    case 'add':
    case 'drop': {
      const fresh = { doc: (model.next += 1), id: deed.id, words: deed.words };
      const text = textOf(fresh.id, fresh.doc, fresh.words);
      model.texts.set(text, fresh.words);
      if (deed.kind === 'drop') return { run: async () => world.edit(join(world.layout.queue, `dropped-${fresh.doc}.md`), text), after: () => new Map([[fresh.doc, { in: 'drop' }]]), mayThrow: false, fresh };
      const refuses = fresh.words.broken || isTaken(model, fresh.id);
      return { run: () => bench.add(dies, text), mayThrow: refuses, fresh, after: (_ended, { from }) => (refuses ? new Map() : new Map([[fresh.doc, takenIn(fresh, undefined, from)]])) };
    }
    case 'edit': {
      const doc = pickOf(model.docs.filter(({ at }) => at.in !== 'done'), pick);
      if (doc === undefined) return NOTHING;
      const text = textOf(doc.id, doc.doc, deed.words);
      model.texts.set(text, deed.words);
      const path = pathOf(bench, doc);
      model.docs = model.docs.map((one) => (one.doc === doc.doc ? { ...one, words: deed.words } : one));
      return { ...NOTHING, run: async () => world.edit(path, text) };
    }
    case 'look':
      return looking(model, bench, dies);
    case 'promote':
      return { run: () => bench.promote(dies), mayThrow: false, after: (_ended, { from }) => {
        const verdicts = ripe(model.docs, from);
        return new Map(inState(model, 'waiting').flatMap(({ doc, at }) => {
          const verdict = verdicts.get(doc);
          return verdict === undefined || at.in !== 'waiting' ? [] : [[doc, verdict === 'failed' ? { in: 'failed' } : { in: 'ready', counters: at.counters, priority: at.priority, arrivedAt: at.arrivedAt }] as const];
        }));
      } };
    case 'retry':
      return again(deed.kind, pickOf(inState(model, 'failed', 'refused'), pick), model, bench, dies);
    case 'rerun':
      return again(deed.kind, pickOf(inState(model, 'done'), pick), model, bench, dies);
    case 'release':
      return again(deed.kind, pickOf(inState(model, 'held'), pick), model, bench, dies);
    case 'answer':
      return again(deed.kind, pickOf(inState(model, 'needs'), pick), model, bench, dies);
    case 'hold': {
      const doc = pickOf(inState(model, 'ready', 'waiting'), pick);
      if (doc === undefined || !('counters' in doc.at)) return NOTHING;
      const { counters, priority, arrivedAt } = doc.at;
      return { run: () => bench.person('hold', doc.id, dies), mayThrow: false, after: () => new Map([[doc.doc, { in: 'held', counters, priority, arrivedAt }]]) };
    }
    case 'cancel': {
      const doc = pickOf(inState(model, 'ready', 'waiting', 'held', 'needs', 'stuck', 'claimed'), pick);
      if (doc === undefined) return NOTHING;
      if (doc.at.in === 'stuck') model.disowned.add(markerIn(pathOf(bench, doc)));
      return { run: () => bench.person('cancel', doc.id, dies), mayThrow: false, after: () => (doc.at.in === 'claimed' ? new Map() : new Map([[doc.doc, { in: 'failed' }]])) };
    }
    case 'pause':
      return { run: async () => {
        model.paused = !model.paused && pick % 4 === 0;
        if (model.paused) fs.writeFileSync(world.layout.paused, '');
        else fs.rmSync(world.layout.paused, { force: true });
      }, after: nothing, mayThrow: false };
    case 'pass':
      return { ...NOTHING, run: async () => world.pass(deed.ms) };
    case 'kill':
    case 'stop':
    case 'continue': {
      const snake = pickOf(bench.snakes.filter(bench.lives), pick);
      if (snake === undefined) return NOTHING;
      return { ...NOTHING, run: async () => (deed.kind === 'kill' ? bench.kill(snake) : void (snake.stopped = deed.kind === 'stop')) };
    }
    case 'respawn': {
      const snake = pickOf(bench.snakes.filter((one) => !bench.lives(one)), pick);
      if (snake === undefined) return NOTHING;
      const left = model.docs.filter(({ at }) => at.in === 'claimed' && at.snake === snake.name);
      return { run: () => bench.respawn(snake, dies), mayThrow: false, after: () => new Map(left.map(({ doc, at }) => [doc, { ...at, pid: snake.process.pid } as Where])) };
    }
    case 'claim':
      return claiming(deed.told, model, bench, pick, dies);
    case 'work':
      return working(deed, model, bench);
    case 'reap':
      return reaping(deed, model, bench);
    case 'move':
      return moving(deed, model, bench);
  }
}

/** The marker of a file in claimed/ or stuck/. */
const markerIn = (path: string): string => basename(path, '.md').split('~').slice(1, 4).join('~');

const lineOf = ({ counters, priority, arrivedAt }: Extract<Where, { counters: unknown }>): { counters: typeof counters; priority: number; arrivedAt: number } => ({ counters, priority, arrivedAt });

/** A file that a person has taken in again, by whatever command. One that cannot be read any more is refused; an answered one stays. */
function again(what: 'retry' | 'rerun' | 'release' | 'answer', doc: Doc | undefined, model: Model, bench: Bench, dies: number | undefined): Act {
  if (doc === undefined) return NOTHING;
  const name = basename(pathOf(bench, doc));
  // A name that is also another task's means that one.
  if (doc.at.in === 'refused' && model.docs.some((one) => one !== doc && !isBusy(one.at) && name.startsWith(`${one.id}.`))) return NOTHING;
  const refuses = doc.words.broken || isTaken(model, doc.id, doc.doc);
  const stays = what === 'answer' && doc.words.broken;
  return {
    run: () => bench.person(what, doc.at.in === 'refused' ? name : doc.id, dies), mayThrow: refuses,
    after: (_ended, { from }) => new Map([[doc.doc, stays ? doc.at : refuses ? { in: 'refused' } : takenIn(doc, formerOf(name), from)]]),
  };
}

function looking(model: Model, bench: Bench, dies: number | undefined): Act {
  const names = new Map(bench.world.lies().map(({ doc, name }) => [doc, name]));
  const comers = inState(model, 'drop', 'foreign');
  return { run: () => bench.look(dies), mayThrow: false, after: (_ended, { to }) => {
    const good = comers.filter((one) => !one.words.broken && !isTaken(model, one.id, one.doc));
    return new Map(comers.map((one): [number, Expected] => {
      const placed = takenIn(one, formerOf(names.get(one.doc) ?? ''), to, one.at.in === 'foreign' && one.at.dir === 'held');
      if (!good.includes(one)) return [one.doc, { in: 'refused' }];
      return [one.doc, good.some((other) => other !== one && other.id === one.id) ? { oneOf: [placed, { in: 'refused' }], group: one.id } : placed];
    }));
  } };
}

function claiming(told: boolean, model: Model, bench: Bench, pick: number, dies: number | undefined): Act {
  const snake = pickOf(bench.snakes.filter((one) => bench.lives(one) && !one.stopped && one.claims.length === 0), pick);
  if (snake === undefined) return NOTHING;
  const ready = inState(model, 'ready');
  const names = new Map(bench.world.lies().map(({ doc, name }) => [doc, name]));
  const first = ready.toSorted((a, b) => ((names.get(a.doc) ?? '') < (names.get(b.doc) ?? '') ? -1 : 1))[0];
  const { pid } = snake.process;
  return { run: () => bench.claim(snake, dies, told), mayThrow: false, after: (ended) => {
    const mine = bench.world.lies().find(({ dir, name, doc }) => dir === 'claimed' && ready.some((one) => one.doc === doc) && name.includes(`~${snake.name}~${pid}-`));
    const taken = ready.find(({ doc }) => doc === mine?.doc);
    if (taken === undefined && ended !== 'died' && ready.length > 0 && !model.paused) throw new Error(`${snake.name} found nothing, and ${ready.map(({ id }) => id).join(', ')} are ready`);
    if (model.paused && taken !== undefined) throw new Error(`${taken.id} was claimed during a pause`);
    if (told && dies === undefined && taken !== undefined && taken !== first) throw new Error(`${taken.id} was claimed before ${first?.id ?? ''}`);
    if (taken?.at.in !== 'ready') return new Map();
    return new Map([[taken.doc, { in: 'claimed', snake: snake.name, pid, marker: ANY, ...lineOf(taken.at) }]]);
  } };
}

/** In the place of a nonce that nobody can foretell. */
export const ANY = '*';

/** How an attempt ends; undefined: it goes on. A cancel that came before it was settled counts against every end but a good one. */
function endingOf(facts: Facts, words: Words, leads: boolean, plan: Plan): Ending | undefined {
  const ending = facts.recorded ?? byItself(facts, words, leads, plan);
  return facts.cancelled && ending !== undefined && ending !== 'done' ? 'final' : ending;
}

/** From its facts as they stood and what its session does now. */
function byItself(facts: Facts, words: Words, leads: boolean, plan: Plan): Ending | undefined {
  const asked = (): Ending => (words.ask === 'park' ? 'parked' : 'failed');
  const acts = facts.started ? leads && !facts.exited && !facts.stopped : !facts.cancelled;
  const asks = facts.asks || (acts && plan === 'asks');
  if (facts.stopped) return asked();
  const exits = facts.exited || (acts && (plan === 'well' || plan === 'badly' || plan === 'finally'));
  if (exits) return facts.gaveUp || (acts && plan === 'finally') ? 'final' : asks ? asked() : (facts.exited ? facts.code === 0 : plan === 'well') ? 'done' : 'failed';
  if (facts.cancelled) return 'final';
  if (facts.started && !leads) return 'lost';
  if (acts && plan === 'vanishes') return 'lost';
  return asks ? asked() : undefined;
}

function working(deed: Extract<Deed, { kind: 'work' }>, model: Model, bench: Bench): Act {
  const { world } = bench;
  const snake = pickOf(bench.snakes.filter((one) => bench.lives(one) && !one.stopped && one.claims.length > 0), deed.pick);
  const claim = snake?.claims[0];
  if (snake === undefined || claim === undefined) return NOTHING;
  const doc = model.docs.find(({ at }) => at.in === 'claimed' && at.marker === claim.marker && at.pid === snake.process.pid);
  const facts = factsOf(world, claim.marker, (text) => model.texts.get(text));
  const session = world.sessions.find(({ marker }) => marker === claim.marker);
  const leads = session?.processes.some(({ pid }) => pid === session.leader) === true;
  const run = async (): Promise<void> => {
    Object.assign(world, { plan: deed.plan, undead: deed.undead });
    if (session !== undefined && leads && !facts.exited && !facts.stopped && facts.recorded === undefined) world.finish(session, deed.plan);
    await bench.work(snake, claim, deed.dies);
  };
  if (doc === undefined || doc.at.in !== 'claimed') return { ...NOTHING, run };
  const line = lineOf(doc.at);
  const done = (id: string): boolean => model.docs.some((one) => one.id === id && one.at.in === 'done');
  return { ...NOTHING, run, after: (_ended, { from, to }) => {
    const words = facts.prepared ?? doc.words;
    if (facts.recorded === undefined && facts.prepared === undefined) {
      const dueAt = since(words, line.arrivedAt);
      if (words.broken) return new Map([[doc.doc, { in: 'failed' }]]);
      if (dueAt > from || (words.after !== undefined && !done(words.after))) return new Map([[doc.doc, { in: 'waiting', dueAt, ...line }]]);
    }
    const ending = endingOf(facts, words, leads, deed.plan);
    if (ending === undefined) return new Map();
    return new Map([[doc.doc, world.live(claim.marker) ? { in: 'stuck', ...line } : afterEnding(line, ending, words.attempts, from < to ? from : to)]]);
  } };
}

function reaping(deed: Extract<Deed, { kind: 'reap' }>, model: Model, bench: Bench): Act {
  const { world } = bench;
  const victims = inState(model, 'claimed', 'reaping').flatMap((doc) => {
    if (doc.at.in !== 'claimed' && doc.at.in !== 'reaping') return [];
    const { marker, pid } = doc.at;
    const session = world.sessions.find((one) => one.marker === marker);
    const leads = session?.processes.some((one) => one.pid === session.leader) === true;
    const ageMs = world.clock.wallMs() - fs.statSync(pathOf(bench, doc)).mtimeMs;
    const kept = doc.at.in === 'claimed' && (world.living.has(pid) || deed.successor === 'expected' || (deed.successor === 'possible' && leads && ageMs < CONFIG.adoptMs));
    return kept ? [] : [{ doc, at: doc.at, facts: factsOf(world, marker, (text) => model.texts.get(text)) }];
  });
  return {
    run: () => bench.reap(deed.dies, deed.successor), mayThrow: false,
    after: (_ended, { from }) => new Map(victims.map(({ doc, at, facts }): [number, Where] => {
      const ending = facts.cancelled && facts.recorded !== 'done' ? 'final' : (facts.recorded ?? 'lost');
      return [doc.doc, world.live(at.marker) ? { in: 'stuck', ...lineOf(at) } : afterEnding(at, ending, facts.prepared?.attempts ?? CONFIG.attempts, from)];
    })),
    halfway: (doc, at) => at.in === 'reaping' && victims.some((one) => one.doc.doc === doc && one.at.marker === at.marker),
  };
}

/** mv, by hand: the name stays. Whoever takes a stuck task out has seen to its processes. */
function moving(deed: Extract<Deed, { kind: 'move' }>, model: Model, bench: Bench): Act {
  const { world } = bench;
  const doc = pickOf(model.docs.filter(({ at }) => at.in !== 'drop' && at.in !== 'reaping'), deed.pick);
  if (doc === undefined) return NOTHING;
  const from = pathOf(bench, doc);
  const dir = deed.to === 'drop' ? '' : deed.to;
  const to = join(world.layout.queue, dir, basename(from));
  if (fs.existsSync(to)) return NOTHING;
  const after = whereOf({ dir, name: basename(from) });
  if (!isBusy(after) && isTaken(model, doc.id, doc.doc)) return NOTHING;
  return { ...NOTHING, after: () => new Map([[doc.doc, after]]), run: async () => {
    if (doc.at.in === 'claimed') model.disowned.add(doc.at.marker);
    if (doc.at.in === 'stuck') world.sessions.find(({ marker }) => marker === markerIn(from))?.processes.splice(0);
    fs.renameSync(from, to);
  } };
}
