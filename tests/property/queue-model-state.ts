import * as fs from 'node:fs';
import { join } from 'node:path';
import { parseClaim, parseReady, parseReaping, parseStuck, parseWaiting, type Counters, type TaskName } from '../../src/protocol/names.js';
import type { Lies, World } from './queue-model-world.js';

/* The model: where each document lies, and what its words say. What follows from what is written here a second time, in few words. */

/** What a task's front matter says. `broken`: it cannot be read as a task. */
export interface Words {
  readonly attempts: 1 | 2 | 3;
  readonly after: string | undefined;
  readonly inMs: 0 | 60_000;
  readonly ask: 'park' | 'fail';
  readonly priority: 10 | 50;
  readonly broken: boolean;
}

export interface Doc {
  readonly doc: number;
  readonly id: string;
  readonly words: Words;
  readonly at: Where;
}

interface InLine {
  readonly counters: Counters;
  readonly priority: number;
  readonly arrivedAt: number;
}

/** "foreign": under a name that is not of its directory's kind; it waits for the pit's next look. `named`: its name still says whose it is. */
export type Where =
  | { readonly in: 'drop' | 'done' | 'failed' | 'refused' }
  | { readonly in: 'foreign'; readonly dir: string; readonly former: TaskName | undefined }
  | ({ readonly in: 'ready' | 'held' | 'needs' | 'stuck' } & InLine)
  | ({ readonly in: 'waiting'; readonly dueAt: number } & InLine)
  | ({ readonly in: 'claimed' | 'reaping'; readonly snake: string; readonly pid: number; readonly marker: string } & InLine);

/** The documents as they should lie, beside the bench on which they do. */
export class Model {
  docs: Doc[] = [];
  paused = false;
  next = 0;
  steps = 0;
  readonly texts = new Map<string, Words>();
  /** Claims that a person took from under their snake: their sessions end when it looks. */
  readonly disowned = new Set<string>();
}

/** Not a task yet, or not one that anybody will work. */
export const isBusy = (where: Where): boolean => where.in === 'drop' || where.in === 'refused' || where.in === 'foreign';

export const LOSSES = 3;
export const BACKOFF_MS = 200;
const NONE: Counters = { failures: 0, losses: 0, deferrals: 0 };

export const textOf = (id: string, doc: number, words: Words): string =>
  ['---', `id: ${id}`, `attempts: ${words.broken ? 'many' : words.attempts}`, `priority: ${words.priority}`, ...(words.after === undefined ? [] : [`after: [${words.after}]`]), ...(words.inMs === 0 ? [] : [`in: ${words.inMs / 1000}s`]), `ask: ${words.ask}`, '---', `# doc-${doc} `, '', '~~~sh', 'true', '~~~', ''].join('\n');

const inLine = ({ counters, place }: TaskName): InLine => ({ counters, priority: place.priority, arrivedAt: place.arrivedAt });

/** The task that a name speaks of, whatever directory it is a name of. */
export const formerOf = (name: string): TaskName | undefined => parseReady(name) ?? parseWaiting(name) ?? parseStuck(name) ?? parseClaim(name) ?? parseReaping(name);

/** What a file's directory and name say. */
export function whereOf({ dir, name }: Pick<Lies, 'dir' | 'name'>): Where {
  const foreign = (): Where => ({ in: 'foreign', dir, former: formerOf(name) });
  switch (dir) {
    case '':
      return { in: 'drop' };
    case 'done':
      return { in: 'done' };
    case 'failed':
      return { in: name.includes('.refused-') ? 'refused' : 'failed' };
    case 'waiting': {
      const waiting = parseWaiting(name);
      return waiting === undefined ? foreign() : { in: 'waiting', dueAt: waiting.dueAt, ...inLine(waiting) };
    }
    case 'claimed':
    case 'reaping': {
      const claim = dir === 'claimed' ? parseClaim(name) : parseReaping(name);
      const { failures, losses, deferrals } = claim?.counters ?? NONE;
      return claim === undefined ? foreign() : { in: dir, snake: claim.owner.snake, pid: claim.owner.pid, marker: `${claim.id}~${failures}.${losses}.${deferrals}~${claim.nonce}`, ...inLine(claim) };
    }
    case 'stuck': {
      const stuck = parseStuck(name);
      return stuck === undefined ? foreign() : { in: 'stuck', ...inLine(stuck) };
    }
    case 'ready':
    case 'held':
    case 'needs': {
      const task = parseReady(name);
      return task === undefined ? foreign() : { in: dir, ...inLine(task) };
    }
    default:
      throw new Error(`no state: ${dir}`);
  }
}

export const since = (words: Words, from: number): number => (words.inMs === 0 ? 0 : from + words.inMs);

/** Where a file that is taken in goes. `former`: the place and counters that its name still has; `held`: a person put it into held/. */
export function takenIn({ words }: Pick<Doc, 'words'>, former: TaskName | undefined, nowMs: number, held = false): Where {
  const line: InLine = { counters: former?.counters ?? NONE, priority: words.priority, arrivedAt: former?.place.arrivedAt ?? nowMs };
  if (held) return { in: 'held', ...line };
  const dueAt = since(words, line.arrivedAt);
  return dueAt > nowMs || words.after !== undefined ? { in: 'waiting', dueAt, ...line } : { in: 'ready', ...line };
}

export type Ending = 'done' | 'failed' | 'final' | 'lost' | 'parked';

/** Where an attempt's end takes its task. */
export function afterEnding(line: InLine, ending: Ending, attempts: number, nowMs: number): Where {
  const { counters, priority, arrivedAt } = line;
  const to = (moved: Partial<Counters>): InLine => ({ counters: { ...counters, ...moved }, priority, arrivedAt });
  switch (ending) {
    case 'done':
      return { in: 'done' };
    case 'final':
      return { in: 'failed' };
    case 'failed':
      return counters.failures + 1 >= attempts ? { in: 'failed' } : { in: 'waiting', dueAt: nowMs + BACKOFF_MS, ...to({ failures: counters.failures + 1 }) };
    case 'lost':
      return counters.losses + 1 >= LOSSES ? { in: 'failed' } : { in: 'ready', ...to({ losses: counters.losses + 1 }) };
    case 'parked':
      return { in: 'needs', ...to({ deferrals: counters.deferrals + 1 }) };
  }
}

/** The facts of one attempt, read by eye from its directory. */
export interface Facts {
  readonly runDir: string;
  /** The words it was prepared with; undefined: it was not. */
  readonly prepared: Words | undefined;
  readonly started: boolean;
  readonly exited: boolean;
  readonly cancelled: boolean;
  /** It said so, and that it failed for good. */
  readonly gaveUp: boolean;
  readonly asks: boolean;
  readonly stopped: boolean;
  readonly code: number;
  readonly recorded: Ending | undefined;
}

export function factsOf(world: World, marker: string, wordsOf: (text: string) => Words | undefined): Facts {
  const [id = '', , nonce = ''] = marker.split('~');
  const runs = join(world.layout.runs, id);
  const runDir = join(runs, (fs.existsSync(runs) ? fs.readdirSync(runs) : []).find((name) => name.endsWith(`-${nonce}`)) ?? `none-${nonce}`);
  const has = (name: string): boolean => fs.existsSync(join(runDir, name));
  const recorded = has('outcome.json') ? (JSON.parse(fs.readFileSync(join(runDir, 'outcome.json'), 'utf8')) as { outcome: { kind: string; final?: boolean } }).outcome : undefined;
  return {
    runDir,
    prepared: has('attempt.json') ? wordsOf(fs.readFileSync(join(runDir, 'task.md'), 'utf8')) : undefined,
    started: has('started'),
    exited: has('exit'),
    cancelled: has('cancel'),
    gaveUp: has('result.json'),
    asks: has('agent.json'),
    stopped: has('stop'),
    code: has('exit') ? Number(fs.readFileSync(join(runDir, 'exit'), 'utf8').split(' ')[0]) : 0,
    recorded: recorded === undefined ? undefined : recorded.kind === 'failed' && recorded.final === true ? 'final' : (recorded.kind as Ending),
  };
}

/** Of the waiting, those that may go and those that never can: each that needs a failed one, or itself through others. */
export function ripe(docs: readonly Doc[], nowMs: number): Map<number, 'ready' | 'failed'> {
  const place = (id: string): string | undefined => docs.find((one) => one.id === id && (one.at.in === 'done' || one.at.in === 'failed'))?.at.in;
  const waiting = docs.filter((one) => one.at.in === 'waiting');
  const need = (one: Doc | undefined): string | undefined => (one === undefined || one.words.broken || one.words.after === undefined || place(one.words.after) === 'done' ? undefined : one.words.after);
  const circular = (start: Doc): boolean => {
    let at = need(start);
    for (let step = 0; step <= waiting.length && at !== undefined; step += 1) {
      if (at === start.id) return true;
      const next = at;
      at = need(waiting.find((one) => one.id === next));
    }
    return false;
  };
  const verdicts = new Map<number, 'ready' | 'failed'>();
  for (const one of waiting) {
    const needed = need(one);
    if (needed !== undefined && (place(needed) === 'failed' || circular(one))) verdicts.set(one.doc, 'failed');
    else if (needed === undefined && one.at.in === 'waiting' && one.at.dueAt <= nowMs) verdicts.set(one.doc, 'ready');
  }
  return verdicts;
}
