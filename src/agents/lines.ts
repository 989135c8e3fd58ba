import type { AgentStateKind } from '../protocol/agent-state.js';
import { parseJson } from '../protocol/records.js';
import type { TokenCount } from '../protocol/tokens.js';
import { show } from '../lib/text.js';
import { compile, holdsFor, type Compiled } from './line-match.js';
import { idsAt, parsePath, textAt, valuesAt } from './json-path.js';
import type { LineRule } from './profile.js';
import { resetAt } from './reset.js';
import { LineSplitter } from './line-splitter.js';
import { UsageMeter } from './usage.js';

/** Of one line; a longer one is skipped and counted. */
export const LINE_BYTES = 4 * 1024 * 1024;
/** Of an answer, characters: its end is cut off. */
export const ANSWER_CHARS = 256 * 1024;
/** Of prompts, the last ones; of open and refused tool calls. */
const KEPT = 64;
const KEPT_TOOLS = 1024;

/** The state that a line has given. `endsAs`: what it means when nothing follows. `resetAt`: wall clock, milliseconds. `since`: of "retrying", when the first try in a row was read. */
export interface LineState {
  readonly kind: AgentStateKind;
  readonly rule: string;
  readonly evidence: string;
  readonly resetAt?: number;
  readonly endsAs?: AgentStateKind;
  readonly since?: number;
}

/** What the lines of one stream say so far. */
export interface LineFacts {
  readonly last: LineState | undefined;
  readonly answer: string | undefined;
  /** The program's session id, the last one named. */
  readonly session: string | undefined;
  /** What was asked, oldest first; the last 64. */
  readonly prompts: readonly string[];
  /** Tool calls that have begun and not ended, in this turn. */
  readonly openTools: number;
  /** Names or ids of the tool calls that were refused in this turn. */
  readonly denied: readonly string[];
  /** Lines that were JSON objects. */
  readonly events: number;
  /** Lines that were not, and were not blank. Nothing of them is believed. */
  readonly malformed: number;
  /** Lines over 4 MiB, unread. */
  readonly oversize: number;
  readonly tokens: TokenCount | undefined;
  /** How full the session's context was at its last request, tokens. */
  readonly window: number | undefined;
}

/** A program's own next try is sooner than this (30 s at most was seen), and says nothing of when a limit ends. */
const NEXT_TRY_MS = 60_000;
/** Between two tries of one row: a program may say once that it works again. */
const TRY_LINES = 2;

/** States that a turn passes through; in any other it has ended, and its tools with it. */
const UNDER_WAY: ReadonlySet<AgentStateKind> = new Set(['starting', 'working', 'retrying', 'blocked-on-permission', 'blocked-on-dialog', 'waiting-for-input', 'unknown']);

/** Applies the rules to a growing text, chunk by chunk, wherever the chunks are cut. Holds one unfinished line and no more. */
export class LineReader {
  readonly #rules: readonly Compiled[];
  readonly #meter = new UsageMeter();
  readonly #openTools = new Set<string>();
  readonly #lines = new LineSplitter(LINE_BYTES);
  readonly #counts = { events: 0, malformed: 0 };
  #last: LineState | undefined;
  #answer: string | undefined;
  #answerOpen = false;
  #session: string | undefined;
  #prompts: string[] = [];
  #denied: string[] = [];
  #resetAt: number | undefined;
  #retry: { readonly since: number; readonly at: number } | undefined;

  constructor(rules: readonly LineRule[]) {
    this.#rules = rules.map(compile);
  }

  /** `now`: when the chunk was written, as nearly as is known: for texts such as "resets 3pm". */
  push(chunk: string | Uint8Array, now: number): this {
    for (const line of this.#lines.push(chunk)) this.event(parseJson(line), now);
    return this;
  }

  /** Nothing follows: what is left is a line too. */
  end(now: number): this {
    for (const line of this.#lines.end()) this.event(parseJson(line), now);
    return this;
  }

  /** One event that is parsed already. */
  event(event: unknown, now: number): this {
    if (typeof event !== 'object' || event === null || Array.isArray(event)) this.#counts.malformed += 1;
    else this.#apply(event, now);
    return this;
  }

  facts(): LineFacts {
    const said = { last: this.#last, answer: this.#answer, session: this.#session, prompts: [...this.#prompts] };
    const tools = { openTools: this.#openTools.size, denied: [...this.#denied] };
    return { ...said, ...tools, ...this.#counts, oversize: this.#lines.oversize, tokens: this.#meter.total(), window: this.#meter.window() };
  }

  #apply(event: object, now: number): void {
    this.#counts.events += 1;
    let spoken = false;
    const before = this.#last?.kind ?? 'unknown';
    for (const compiled of this.#rules) {
      const { rule } = compiled;
      if ((rule.state !== undefined && spoken) || !holdsFor(compiled, event, before)) continue;
      this.#extract(rule, event, now);
      if (rule.state === undefined) continue;
      spoken = true;
      this.#enter(rule.state, compiled, event, now);
    }
  }

  #enter(kind: AgentStateKind, { rule, match }: Compiled, event: object, now: number): void {
    if (!UNDER_WAY.has(kind)) this.#openTools.clear();
    if (kind === 'working' || kind === 'finished') this.#resetAt = undefined;
    // What an event of its own said to the second outranks the words of the failure.
    const told = this.#resetAt ?? (rule.reset === undefined ? undefined : resetAt(rule.reset, event, now));
    const at = kind === 'retrying' && told !== undefined && told - now < NEXT_TRY_MS ? undefined : told;
    if (kind === 'retrying') this.#retry = { since: this.#retry !== undefined && this.#counts.events - this.#retry.at <= TRY_LINES ? this.#retry.since : now, at: this.#counts.events };
    const seen = rule.detail === undefined ? match.map(([path]) => valuesAt(event, path)[0]) : valuesAt(event, parsePath(rule.detail));
    const evidence = show(seen.map((value) => (typeof value === 'string' ? value : JSON.stringify(value))).join(' '));
    this.#last = { kind, rule: rule.id, evidence, ...(at === undefined ? {} : { resetAt: at }), ...(rule['ends-as'] === undefined ? {} : { endsAs: rule['ends-as'] }), ...(kind === 'retrying' && this.#retry !== undefined ? { since: this.#retry.since } : {}) };
  }

  #extract(rule: LineRule, event: object, now: number): void {
    const text = (path: string | undefined): string | undefined => (path === undefined ? undefined : textAt(event, parsePath(path)));
    const ids = (path: string | undefined): string[] => (path === undefined ? [] : idsAt(event, parsePath(path)));
    this.#session = text(rule.session) ?? this.#session;
    const prompt = text(rule.prompt);
    if (prompt !== undefined) {
      this.#prompts = [...this.#prompts, prompt].slice(-KEPT);
      this.#denied = [];
      this.#answer = undefined;
      this.#openTools.clear();
    }
    const opened = ids(rule['opens-tool']);
    for (const id of opened) if (this.#openTools.size < KEPT_TOOLS) this.#openTools.add(id);
    for (const id of ids(rule['closes-tool'])) this.#openTools.delete(id);
    this.#denied = [...this.#denied, ...ids(rule['denies-tool'])].slice(0, KEPT_TOOLS);
    if (prompt !== undefined || opened.length > 0) this.#answerOpen = false;
    const piece = text(rule['answer-delta']);
    const whole = text(rule.answer) ?? (piece === undefined ? undefined : (this.#answerOpen ? (this.#answer ?? '') : '') + piece);
    if (whole !== undefined) {
      this.#answer = whole.slice(0, ANSWER_CHARS);
      this.#answerOpen = piece !== undefined;
    }
    if (rule.state === undefined && rule.reset !== undefined) this.#resetAt = resetAt(rule.reset, event, now) ?? this.#resetAt;
    if (rule.usage !== undefined) this.#meter.add(rule.usage, event);
  }
}
