import type { TokenCount } from '../protocol/tokens.js';
import { parsePath, sumAt, textAt, valuesAt, type Path } from './json-path.js';
import type { UsageSpec } from './profile.js';

/** Turns whose figures may still be replaced by a later line with their id; older ones are folded into the sum. */
const OPEN_TURNS = 1024;
const FIELDS = ['input', 'output', 'cache-read', 'cache-write', 'reasoning', 'cost'] as const;
type Figures = Partial<Record<(typeof FIELDS)[number], number>>;

interface Column {
  readonly spec: UsageSpec;
  readonly paths: readonly (readonly [(typeof FIELDS)[number], Path])[];
  sum: Figures;
  readonly turns: Map<string, Figures>;
}

/** Adds up what the lines of one session say. Each rule with a `usage` is one column; the columns are added at the end. */
export class UsageMeter {
  readonly #columns = new Map<UsageSpec, Column>();
  #model: string | undefined;
  #window: number | undefined;

  add(spec: UsageSpec, event: unknown): void {
    const column = this.#columns.get(spec) ?? open(spec);
    this.#columns.set(spec, column);
    this.#model = (spec.model === undefined ? undefined : textAt(event, parsePath(spec.model))) ?? this.#model;
    const figures: Figures = {};
    for (const [field, path] of column.paths) {
      const value = sumAt(event, path);
      if (value !== undefined) figures[field] = value;
    }
    if (Object.keys(figures).length === 0) return;
    this.#window = windowOf(spec, figures, spec.cumulative ? column.sum : {}) ?? this.#window;
    if (spec.cumulative) column.sum = figures;
    else if (spec.id === undefined) column.sum = plus(column.sum, figures);
    else settle(column, idOf(event, spec.id), figures);
  }

  /** What the last request held, tokens: how full the session's context is. undefined where no line says. */
  window(): number | undefined {
    return this.#window;
  }

  /** undefined when no line has given a figure. */
  total(): TokenCount | undefined {
    let any = false;
    const all = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, reasoning: 0 };
    let costUsd: number | undefined;
    for (const { spec, sum, turns } of this.#columns.values()) {
      const of = [...turns.values()].reduce(plus, sum);
      if (Object.keys(of).length > 0) any = true;
      const cacheRead = of['cache-read'] ?? 0;
      const reasoning = of.reasoning ?? 0;
      all.input += Math.max(0, (of.input ?? 0) - (spec['input-has-cache'] ? cacheRead : 0));
      all.output += (of.output ?? 0) + (spec['output-has-reasoning'] ? 0 : reasoning);
      all.cacheRead += cacheRead;
      all.cacheWrite += of['cache-write'] ?? 0;
      all.reasoning += reasoning;
      if (of.cost !== undefined) costUsd = (costUsd ?? 0) + of.cost;
    }
    if (!any) return undefined;
    return { ...all, ...(costUsd === undefined ? {} : { costUsd }), ...(this.#model === undefined ? {} : { model: this.#model }) };
  }
}

/** Of a running sum, the difference to the one before it is the last request's. */
function windowOf(spec: UsageSpec, now: Figures, before: Figures): number | undefined {
  if (now.input === undefined) return undefined;
  const cached = spec['input-has-cache'] ? 0 : (now['cache-read'] ?? 0) + (now['cache-write'] ?? 0) - (before['cache-read'] ?? 0) - (before['cache-write'] ?? 0);
  return now.input - (before.input ?? 0) + cached;
}

function open(spec: UsageSpec): Column {
  return { spec, paths: FIELDS.flatMap((field) => (spec[field] === undefined ? [] : [[field, parsePath(spec[field])] as const])), sum: {}, turns: new Map() };
}

function idOf(event: unknown, path: string): string | undefined {
  const id = valuesAt(event, parsePath(path))[0];
  return typeof id === 'string' || typeof id === 'number' ? String(id) : undefined;
}

/** A turn replaces what an earlier line said of it; one without an id stands for itself. */
function settle(column: Column, id: string | undefined, figures: Figures): void {
  if (id === undefined) {
    column.sum = plus(column.sum, figures);
    return;
  }
  column.turns.delete(id);
  column.turns.set(id, figures);
  const oldest = column.turns.size > OPEN_TURNS ? column.turns.entries().next().value : undefined;
  if (oldest === undefined) return;
  column.turns.delete(oldest[0]);
  column.sum = plus(column.sum, oldest[1]);
}

function plus(a: Figures, b: Figures): Figures {
  const sum: Figures = { ...a };
  for (const field of FIELDS) {
    const value = b[field];
    if (value !== undefined) sum[field] = (sum[field] ?? 0) + value;
  }
  return sum;
}
