import { NO_FIGURES, plusFigures, severalModels, type Figures as Counted, type TokenCount } from '../protocol/tokens.js';
import { parsePath, sumAt, textAt, valuesAt, type Path } from './json-path.js';
import type { UsageSpec } from './profile.js';

/** Turns whose figures may still be replaced by a later line with their id; older ones are folded into the sum. */
const OPEN_TURNS = 1024;
const FIELDS = ['input', 'output', 'cache-read', 'cache-write', 'reasoning', 'cost'] as const;
type Figures = Partial<Record<(typeof FIELDS)[number], number>>;

interface Column {
  readonly spec: UsageSpec;
  readonly paths: readonly (readonly [(typeof FIELDS)[number], Path])[];
  /** By model: '' where none was named. Of turns that nothing replaces any more. */
  readonly sums: Map<string, Figures>;
  /** Of a running sum, its last value. */
  running: Figures;
  readonly turns: Map<string, { readonly model: string; readonly figures: Figures }>;
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
    this.#window = windowOf(spec, figures, spec.cumulative ? column.running : {}) ?? this.#window;
    const model = this.#model ?? '';
    if (spec.cumulative) {
      grow(column, model, figures);
      return;
    }
    const id = spec.id === undefined ? undefined : idOf(event, spec.id);
    if (id === undefined) add(column.sums, model, figures);
    else settle(column, id, model, figures);
  }

  /** What the last request held, tokens: how full the session's context is. undefined where no line says. */
  window(): number | undefined {
    return this.#window;
  }

  /** undefined when no line has given a figure. */
  total(): TokenCount | undefined {
    let any = false;
    let all: Counted = NO_FIGURES;
    let costUsd: number | undefined;
    const models: Record<string, Counted> = {};
    for (const { spec, sums, running, turns } of this.#columns.values()) {
      const parts = new Map(sums);
      for (const { model, figures } of turns.values()) add(parts, model, figures);
      for (const [model, figures] of parts) {
        any = true;
        const counted = counts(spec, figures);
        all = plusFigures(all, counted);
        models[model] = plusFigures(models[model] ?? NO_FIGURES, counted);
        if (figures.cost !== undefined && !spec.cumulative) costUsd = (costUsd ?? 0) + figures.cost;
      }
      if (spec.cumulative && running.cost !== undefined) costUsd = (costUsd ?? 0) + running.cost;
    }
    if (!any) return undefined;
    return { ...all, ...(costUsd === undefined ? {} : { costUsd }), ...(this.#model === undefined ? {} : { model: this.#model }), ...severalModels(models) };
  }
}

/** Raw figures in the sense that is the same for all programs. */
function counts(spec: UsageSpec, of: Figures): Counted {
  const cacheRead = of['cache-read'] ?? 0;
  const reasoning = of.reasoning ?? 0;
  return {
    input: Math.max(0, (of.input ?? 0) - (spec['input-has-cache'] ? cacheRead : 0)),
    output: (of.output ?? 0) + (spec['output-has-reasoning'] ? 0 : reasoning),
    cacheRead,
    cacheWrite: of['cache-write'] ?? 0,
    reasoning,
  };
}

/** Of a running sum, the difference to the one before it is the last request's. */
function windowOf(spec: UsageSpec, now: Figures, before: Figures): number | undefined {
  if (now.input === undefined) return undefined;
  const cached = spec['input-has-cache'] ? 0 : (now['cache-read'] ?? 0) + (now['cache-write'] ?? 0) - (before['cache-read'] ?? 0) - (before['cache-write'] ?? 0);
  return now.input - (before.input ?? 0) + cached;
}

function open(spec: UsageSpec): Column {
  return { spec, paths: FIELDS.flatMap((field) => (spec[field] === undefined ? [] : [[field, parsePath(spec[field])] as const])), sums: new Map(), running: {}, turns: new Map() };
}

function idOf(event: unknown, path: string): string | undefined {
  const id = valuesAt(event, parsePath(path))[0];
  return typeof id === 'string' || typeof id === 'number' ? String(id) : undefined;
}

/** A turn replaces what an earlier line said of it. */
function settle(column: Column, id: string, model: string, figures: Figures): void {
  column.turns.delete(id);
  column.turns.set(id, { model, figures });
  const oldest = column.turns.size > OPEN_TURNS ? column.turns.entries().next().value : undefined;
  if (oldest === undefined) return;
  column.turns.delete(oldest[0]);
  add(column.sums, oldest[1].model, oldest[1].figures);
}

/** What a running sum has grown by is the present model's; one that fell back began anew, and all that was before is no more. */
function grow(column: Column, model: string, figures: Figures): void {
  const fell = FIELDS.some((field) => (figures[field] ?? 0) < (column.running[field] ?? 0));
  if (fell) column.sums.clear();
  const before = fell ? {} : column.running;
  add(column.sums, model, Object.fromEntries(FIELDS.flatMap((field) => (figures[field] === undefined ? [] : [[field, figures[field] - (before[field] ?? 0)]]))));
  column.running = figures;
}

function add(sums: Map<string, Figures>, model: string, b: Figures): void {
  const sum: Figures = { ...sums.get(model) };
  for (const field of FIELDS) {
    const value = b[field];
    if (value !== undefined) sum[field] = (sum[field] ?? 0) + value;
  }
  sums.set(model, sum);
}
