import type { AwaitSpec, FlowEvent, FlowNext, LoopSpec, Node, StepEnd, StepSpec, Turn, Workflow } from '../protocol/workflow.js';

/*
 * What has happened is played through the workflow from its beginning, event by event; where the tape ends stands the next step:
 *
 *   step ─► step ─► loop ─► … ─► finished ◄── a person accepts
 *                   │  ▲                │
 *                   │  └── sent back ◄──┘      (its checks failed, it could not be merged; within the loop's rounds)
 *                   └─► exhausted ─► a person: accept · N rounds more · reject
 *   step ─► await children ─► all have ended, and are done ─► step ─► …
 *                   └─► all have ended, and some failed: exhausted, as above; accept: on without these; more: it waits once more
 *
 * So nothing is remembered but the events, and whoever takes the claim over decides the same. A loop goes round at most `max`
 * times, and as often more as a person said: with bounded loops and bounded returns every workflow ends.
 */

/** The most rounds that one ruling adds. */
export const MORE_ROUNDS = 50;

/** Undefined: what was walked through has come to its end. */
type Walked = FlowNext | undefined;

interface Loop {
  round: number;
  limit: number;
}

class Walk {
  private at = 0;
  /** By step: who said what in its last round. */
  private readonly verdicts = new Map<string, boolean>();
  private readonly tape: readonly FlowEvent[];
  /** Children that failed, and without which a person let it go on. */
  private readonly without: string[] = [];

  constructor(tape: readonly FlowEvent[]) {
    this.tape = tape;
  }

  private take<K extends FlowEvent['kind']>(kind: K): Extract<FlowEvent, { kind: K }> | undefined {
    const event = this.tape[this.at];
    if (event?.kind !== kind) return undefined;
    this.at += 1;
    return event as Extract<FlowEvent, { kind: K }>;
  }

  /** An event where another was due: nothing sensible follows. */
  private stray(wanted: string): Walked {
    const event = this.tape[this.at];
    return event === undefined ? undefined : { kind: 'broken', rule: `its record says ${event.kind} where ${wanted} was due` };
  }

  through(nodes: readonly Node[], around: Pick<Turn, 'round' | 'of' | 'item'>, loops?: Map<string, Loop>): Walked {
    for (const node of nodes) {
      const next = node.kind === 'step' ? this.step(node, around) : node.kind === 'loop' ? this.loop(node, around, loops) : this.children(node);
      if (next !== undefined) return next;
    }
    return undefined;
  }

  private step(step: StepSpec, around: Pick<Turn, 'round' | 'of' | 'item'>): Walked {
    if ((step.rounds === 'first' && around.round > 1) || (step.rounds === 'later' && around.round === 1)) return undefined;
    const ends: StepEnd[] = [];
    for (const seat of step.seats.keys()) {
      const end = this.take('step-ended');
      if (end === undefined) return this.stray(`the step ${step.id}`) ?? { kind: 'step', step: step.id, seat, ...around, rule: around.of > 1 ? `round ${around.round} of at most ${around.of}` : 'it is the next in order' };
      if (end.step !== step.id || end.seat !== seat) return { kind: 'broken', rule: `its record says that ${end.step} ended where ${step.id} was due` };
      if (end.broke !== undefined) return { kind: 'broken', rule: `${step.id}: ${end.broke}` };
      ends.push(end);
    }
    if (step.verdict) this.verdicts.set(step.id, passed(step, ends));
    return undefined;
  }

  private loop(loop: LoopSpec, around: Pick<Turn, 'item'>, kept?: Map<string, Loop>): Walked {
    const state = kept?.get(loop.id) ?? { round: 0, limit: loop.max };
    kept?.set(loop.id, state);
    if (loop.each !== undefined && state.round === 0) {
      const counted = this.take('counted');
      if (counted === undefined) return this.stray(`the count of ${loop.id}`) ?? { kind: 'count', loop: loop.id, each: loop.each, max: loop.max, rule: 'its items are counted before the first round' };
      if (counted.items < 1 || counted.items > loop.max) return { kind: 'broken', rule: `${loop.id}: ${counted.items} items are handed on; it takes 1 to ${loop.max}` };
      state.limit = counted.items;
    }
    for (;;) {
      state.round += 1;
      if (state.round > state.limit) {
        if (loop.until === undefined) return undefined;
        const ruled = this.take('ruled')?.ruling;
        if (ruled === undefined) return this.stray('a ruling') ?? { kind: 'exhausted', loop: loop.id, rounds: state.limit, rule: `${state.limit} rounds of ${loop.id}, and none passed` };
        if (ruled.kind === 'reject') return { kind: 'rejected', rule: 'a person rejected it' };
        if (ruled.kind === 'accept') return undefined;
        state.limit += Math.min(MORE_ROUNDS, Math.max(1, Math.floor(ruled.rounds)));
      }
      const { round, limit } = state;
      const inside = this.through(loop.nodes, { round, of: limit, item: loop.each === undefined ? around.item : round });
      if (inside !== undefined) return inside;
      const over = this.isOver(loop, round);
      if (typeof over === 'object') return over;
      if (over) return undefined;
    }
  }

  private isOver({ id, until }: LoopSpec, round: number): boolean | FlowNext {
    if (until === undefined) return false;
    if (until.kind === 'verdict') return until.steps.every((step) => this.verdicts.get(step) === true);
    const checked = this.take('checked');
    if (checked === undefined) return this.stray(`the check of ${id}`) ?? { kind: 'check', loop: id, round, until, rule: 'a round has ended' };
    return checked.held;
  }

  /** Children that failed are a person's to judge: accepted without them, or waited for once more. */
  private children({ id }: AwaitSpec): Walked {
    for (;;) {
      const seen = this.take('awaited');
      if (seen === undefined) return this.stray('a look at its children') ?? { kind: 'await', without: [...this.without], rule: 'it goes on when its children are done' };
      if (seen.done + seen.failed.length + this.without.length === 0) return { kind: 'broken', rule: 'it tossed no task that it could wait for' };
      if (seen.failed.length === 0) return undefined;
      const ruled = this.take('ruled')?.ruling;
      if (ruled === undefined) return this.stray('a ruling') ?? { kind: 'exhausted', loop: id, rounds: 0, failed: seen.failed, rule: `of its children, ${seen.failed.join(', ')} failed` };
      if (ruled.kind === 'reject') return { kind: 'rejected', rule: 'a person rejected it' };
      if (ruled.kind === 'accept') {
        this.without.push(...seen.failed);
        return undefined;
      }
    }
  }

  sentBack(): Extract<FlowEvent, { kind: 'sent-back' }> | undefined {
    return this.take('sent-back');
  }

  /** Everything on the tape was due. */
  rest(): Walked {
    return this.stray('its end');
  }
}

function passed({ seats, pass }: StepSpec, ends: readonly StepEnd[]): boolean {
  const passes = ends.map(({ verdict }) => verdict?.kind === 'pass');
  if (ends.some(({ verdict }, seat) => verdict?.kind === 'reject' && seats[seat]?.veto === true)) return false;
  const count = passes.filter(Boolean).length;
  return pass === 'all' ? count === ends.length : pass === 'any' ? count > 0 : count * 2 > ends.length;
}

/** Which loop takes what comes back: the last of the outermost ones that ends by a verdict, a command or a file. */
const takesBack = (nodes: readonly Node[]): number => nodes.findLastIndex((node) => node.kind === 'loop' && node.until !== undefined);

/** Pure and total: a workflow and what happened in it → what comes next. */
export function decideFlow(workflow: Workflow, events: readonly FlowEvent[]): FlowNext {
  const walk = new Walk(events);
  const loops = new Map<string, Loop>();
  const back = takesBack(workflow.nodes);
  let from = 0;
  for (let returns = 1; ; returns += 1) {
    const next = walk.through(workflow.nodes.slice(from), { round: 1, of: 1, item: undefined }, loops);
    if (next !== undefined) return next;
    const sent = walk.sentBack();
    if (sent === undefined) return walk.rest() ?? { kind: 'finished', rule: 'its last step has ended' };
    const loop = workflow.nodes[back];
    const state = loop === undefined ? undefined : loops.get(loop.id);
    if (state !== undefined) state.limit += Math.min(MORE_ROUNDS, Math.max(0, Math.floor(sent.more ?? 0)));
    if (state === undefined || returns > sent.times || state.round >= state.limit) return { kind: 'spent', rule: state === undefined ? 'no loop takes back what failed' : `it came back ${returns} times, and no round is left: ${sent.why}` };
    from = back;
  }
}

/** The loop and the steps of a workflow by id; ids are unique. */
export function stepOf(nodes: readonly Node[], id: string): StepSpec | undefined {
  for (const node of nodes) {
    const found = node.kind === 'step' ? (node.id === id ? node : undefined) : node.kind === 'loop' ? stepOf(node.nodes, id) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The most sessions that a workflow can have before a person is asked. */
export function mostSessions(nodes: readonly Node[], rounds = 1): number {
  return nodes.reduce((sum, node) => {
    if (node.kind === 'await') return sum;
    if (node.kind === 'loop') return sum + rounds * mostSessions(node.nodes, node.max);
    return sum + node.seats.length * (node.rounds === 'first' ? 1 : node.rounds === 'later' ? rounds - 1 : rounds);
  }, 0);
}
