/** Tokens in the same sense for every program: `input` without what came from the cache, `output` with the reasoning. */
export interface Figures {
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
  /** A part of `output`. */
  readonly reasoning: number;
}

/** Tokens of a session. */
export interface TokenCount extends Figures {
  /** US dollars, where the program says so. */
  readonly costUsd?: number;
  /** The last one that was named. */
  readonly model?: string;
  /** The figures of each model by its name, where there is more than one; '' is one that was not named. */
  readonly models?: Readonly<Record<string, Figures>>;
}

/**
 * Who gave the figures: the program's transcript, its own export of it, what it printed, or what its hooks wrote. Only the first
 * two are of the whole session; the others are of this attempt alone.
 */
export type TokenSource = 'transcript' | 'export' | 'stream' | 'events';

/** What one attempt added to its session. */
export interface TokenRecord extends TokenCount {
  readonly source: TokenSource;
  /** The program's session; a resumed one has a record in each of its attempts. */
  readonly session: string;
}

export const FIGURES = ['input', 'output', 'cacheRead', 'cacheWrite', 'reasoning'] as const;
export const NO_FIGURES: Figures = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, reasoning: 0 };

/** The fields of `a` and `b`, added; with `sign` -1, those of `b` taken off. */
export function plusFigures(a: Figures, b: Figures, sign: 1 | -1 = 1): Figures {
  const sum = { ...NO_FIGURES };
  for (const field of FIGURES) sum[field] = a[field] + sign * b[field];
  return sum;
}

/** All tokens that went in or came out, wherever from. The reasoning is in the output already. */
export const allTokens = ({ input, output, cacheRead, cacheWrite }: Figures): number => input + output + cacheRead + cacheWrite;

/** The figures by model; of a count that knows one model, or none, all of them are that one's. */
export const byModel = (count: TokenCount): Readonly<Record<string, Figures>> => count.models ?? { [count.model ?? '']: plusFigures(NO_FIGURES, count) };

export function sumTokens(all: readonly TokenCount[]): TokenCount {
  let sum = NO_FIGURES;
  const models: Record<string, Figures> = {};
  for (const one of all) {
    sum = plusFigures(sum, one);
    for (const [model, figures] of Object.entries(byModel(one))) models[model] = plusFigures(models[model] ?? NO_FIGURES, figures);
  }
  const costs = all.flatMap(({ costUsd }) => costUsd ?? []);
  const model = all.findLast((one) => one.model !== undefined)?.model;
  return { ...sum, ...(costs.length === 0 ? {} : { costUsd: costs.reduce((a, b) => a + b, 0) }), ...(model === undefined ? {} : { model }), ...severalModels(models) };
}

/** What has come to a session since; undefined where its figures went back, which makes the difference mean nothing. */
export function tokensSince(before: TokenCount, now: TokenCount): TokenCount | undefined {
  if (FIGURES.some((field) => now[field] < before[field])) return undefined;
  const added = plusFigures(now, before, -1);
  const costUsd = now.costUsd === undefined ? undefined : Math.max(0, now.costUsd - (before.costUsd ?? 0));
  const then = byModel(before);
  const models = Object.fromEntries(Object.entries(byModel(now)).map(([model, figures]) => [model, plusFigures(figures, then[model] ?? NO_FIGURES, -1)]));
  // Where a model's own figures went back, the whole is known and its parts are not.
  const several = Object.values(models).some((figures) => FIGURES.some((field) => figures[field] < 0)) ? {} : severalModels(models);
  return { ...added, ...(costUsd === undefined ? {} : { costUsd }), ...(now.model === undefined ? {} : { model: now.model }), ...several };
}

/** `models` of a count: only where at least two of them have figures. */
export function severalModels(models: Readonly<Record<string, Figures>>): Pick<TokenCount, 'models'> {
  const used = Object.entries(models).filter(([, figures]) => allTokens(figures) > 0);
  return used.length < 2 ? {} : { models: Object.fromEntries(used) };
}
