import type { Failure, Usage } from '../turns.js';

export interface Tool {
  readonly name: string;
  readonly schema: unknown;
  /** Codex's custom tools take a text, not JSON. */
  readonly freeform: boolean;
}

/** One step of a conversation as sent by the agent. A user message of several text blocks is several entries. */
export type Entry = { readonly kind: 'user'; readonly text: string } | { readonly kind: 'said' } | { readonly kind: 'result' };

/** A request, whatever the vendor. */
export interface Ask {
  readonly model: string;
  readonly stream: boolean;
  readonly system: string;
  readonly entries: readonly Entry[];
  readonly tools: readonly Tool[];
  /** The JSON schema the answer must have; undefined for free text. */
  readonly schema: unknown;
}

export type Content =
  | { readonly kind: 'text'; readonly chunks: readonly string[] }
  | { readonly kind: 'call'; readonly tool: string; readonly freeform: boolean; readonly args: Readonly<Record<string, unknown>>; readonly input: string };

export interface Reply {
  readonly id: string;
  readonly model: string;
  readonly content: Content;
  readonly usage: Usage;
}

/** A streamed reply: what goes before, one frame a chunk of text, what goes after. */
export interface Frames {
  readonly open: readonly string[];
  readonly chunks: readonly string[];
  readonly close: readonly string[];
}

export interface Refusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export type Refused = Exclude<Failure, { silence: number } | { drop: true } | { empty: true }>;

/** One vendor's format: how a request is read and how replies and refusals are written. */
export interface Wire {
  readonly name: 'anthropic' | 'openai-responses' | 'openai-chat' | 'gemini' | 'ollama';
  readonly contentType: string;
  read(path: string, body: unknown): Ask;
  stream(reply: Reply): Frames;
  whole(reply: Reply): unknown;
  refuse(failure: Refused, nowS: number): Refusal;
}

export const sse = (data: unknown, event?: string): string => `${event === undefined ? '' : `event: ${event}\n`}data: ${JSON.stringify(data)}\n\n`;
export const wholeText = (content: Content): string => (content.kind === 'text' ? content.chunks.join('') : '');
export const refusal = (status: number, body: unknown, headers: Record<string, string> = {}): Refusal => ({ status, headers, body: JSON.stringify(body) });
export const retryAfter = (failure: Refused, nowS: number): number => ('status' in failure ? (failure.retryAfterS ?? (failure.resetsAt === undefined ? 1 : Math.max(1, failure.resetsAt - nowS))) : 1);
