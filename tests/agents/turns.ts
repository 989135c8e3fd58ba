/**
 * What a script can say, and which turn of it is due. A turn is an answer (it moves the conversation on) or a failure (it
 * does not, so it is counted here).
 */

export interface Usage {
  /** Tokens sent anew: neither read from nor written to the cache. */
  readonly input: number;
  readonly cached: number;
  /** Nonzero only where the wire can say it (Anthropic). */
  readonly cacheWrite: number;
  readonly output: number;
}

export type Answer =
  | { readonly text: string }
  | { readonly slow: number; readonly text: string; readonly chunks: number }
  /** `escalated`: outside the program's sandbox, where it has one to leave. */
  | { readonly tool: 'bash'; readonly command: string; readonly escalated?: true }
  | { readonly tool: 'write'; readonly path: string; readonly content: string };

export type Failure =
  /** 429: a usage limit that ends at `resetsAt` (epoch seconds) if given, else a rate limit with retry-after. 401, 403, 404, 500, 503, 529: the vendor's body for it. */
  | { readonly status: 401 | 403 | 404 | 429 | 500 | 503 | 529; readonly retryAfterS?: number; readonly resetsAt?: number }
  /** The account has no money left. */
  | { readonly credit: true }
  /** The conversation is longer than the model takes. */
  | { readonly contextError: true }
  /** Headers, then nothing for so many milliseconds, then the connection is cut. */
  | { readonly silence: number }
  /** Half an answer, then the connection is cut. */
  | { readonly drop: true }
  /** A well-formed answer that says nothing. */
  | { readonly empty: true };

/** A failure happens `times` times: by default once if turns follow it, for ever if it is the last one. */
export type Turn = Answer | (Failure & { readonly times?: number });

export const isAnswer = (turn: Turn): turn is Answer => 'text' in turn || 'tool' in turn;

/** A script's turns and what was played of it. Conversations with the same prompt share the counts of failures. */
export class Script {
  readonly name: string;
  readonly turns: readonly Turn[];
  private readonly failed = new Map<string, number>();

  constructor(name: string, turns: readonly Turn[]) {
    if (turns.length === 0) throw new Error(`script ${name} has no turn`);
    this.name = name;
    this.turns = turns;
  }

  /** The turn due after `answered` answers to this prompt; counts it as played if it is a failure. Past the end: the last turn. */
  next(prompt: string, answered: number): { readonly turn: Turn; readonly index: number } {
    let left = answered;
    for (const [index, turn] of this.turns.entries()) {
      const last = index === this.turns.length - 1;
      if (isAnswer(turn)) {
        if (left === 0 || last) return { turn, index };
        left -= 1;
        continue;
      }
      const key = `${index} ${prompt}`;
      const played = this.failed.get(key) ?? 0;
      if (played >= (turn.times ?? (last ? Infinity : 1)) && !last) continue;
      this.failed.set(key, played + 1);
      return { turn, index };
    }
    throw new Error('Internal error: a script without a last turn');
  }
}

/** Numbers that differ per request and whose sums are telling: the n-th request (from 1) that sends tokens. */
export const usageOf = (n: number): Usage => ({ input: 1000 + 37 * n, cached: 200 + 11 * n, cacheWrite: 0, output: 20 + 3 * n });

/** What side calls are billed: small, so that a sum which includes them by mistake is told from one that does not. */
export const SIDE_USAGE: Usage = { input: 7, cached: 0, cacheWrite: 0, output: 3 };

export const sumUsage = (all: readonly (Usage | null)[]): Usage => {
  const sum = { input: 0, cached: 0, cacheWrite: 0, output: 0 };
  for (const one of all) {
    if (one === null) continue;
    sum.input += one.input;
    sum.cached += one.cached;
    sum.cacheWrite += one.cacheWrite;
    sum.output += one.output;
  }
  return sum;
};
