import { parseJson } from '../protocol/records.js';
import { idsAt, parsePath, textAt, valuesAt, type Path } from './json-path.js';
import { conditions, passesAt, type Condition } from './line-match.js';
import { LINE_BYTES } from './lines.js';
import { LineSplitter } from './line-splitter.js';
import type { Telling } from './profile.js';

/** One thing that was said or done in a session, as a person reads it. */
export interface Message {
  readonly who: Telling['who'];
  /** Wall clock, milliseconds; undefined where the line tells no time. */
  readonly at: number | undefined;
  /** The tool's, of a call and of its result. */
  readonly name: string | undefined;
  readonly text: string;
  /** A call's arguments: whatever the program gave it. */
  readonly input: unknown;
  readonly failed: boolean;
}

/** Ids and names that are remembered: of a longer session, the last ones. */
const KEPT = 4096;

/** A rule with its paths and patterns read once. */
interface Reading {
  readonly rule: Telling;
  readonly match: readonly Condition[];
  readonly unless: readonly Condition[];
  readonly of: readonly Condition[];
  readonly failed: readonly Condition[] | undefined;
  readonly paths: Readonly<Record<'text' | 'name' | 'input', readonly Path[]>>;
}

const pathsOf = (wanted: string | readonly string[] | undefined): Path[] => (wanted === undefined ? [] : typeof wanted === 'string' ? [wanted] : [...wanted]).map(parsePath);

function read(rule: Telling): Reading {
  return {
    rule,
    match: conditions(rule.match),
    unless: conditions(rule.unless ?? {}),
    of: conditions(rule.of ?? {}),
    failed: rule.failed === undefined ? undefined : conditions(rule.failed),
    paths: { text: pathsOf(rule.text), name: pathsOf(rule.name), input: pathsOf(rule.input) },
  };
}

const firstText = (part: unknown, paths: readonly Path[]): string | undefined => paths.map((path) => textAt(part, path)).find((text) => text !== undefined);

/** An instant as text or number; of a number, milliseconds. */
function instant(line: object, path: string | undefined): number | undefined {
  const value = path === undefined ? undefined : valuesAt(line, parsePath(path))[0];
  const at = typeof value === 'string' ? Date.parse(value) : typeof value === 'number' ? value : Number.NaN;
  return Number.isFinite(at) && Math.abs(at) < 8e15 ? at : undefined;
}

/** Reads the messages out of a growing text of JSON lines, wherever its chunks are cut. What is no rule's shows nothing. */
export class MessageReader {
  readonly #rules: readonly Reading[];
  readonly #lines = new LineSplitter(LINE_BYTES);
  readonly #shown = new Set<string>();
  readonly #calls = new Map<string, string>();
  /** A message that further pieces may belong to. */
  #open: Message | undefined;

  constructor(rules: readonly Telling[]) {
    this.#rules = rules.map(read);
  }

  /** What the chunk completes. */
  push(chunk: string | Uint8Array): Message[] {
    return this.#lines.push(chunk).flatMap((line) => this.#line(line));
  }

  /** Nothing follows: what is left is a line too. */
  end(): Message[] {
    return [...this.#lines.end().flatMap((line) => this.#line(line)), ...this.#close()];
  }

  #line(text: string): Message[] {
    const line = parseJson<unknown>(text);
    if (typeof line !== 'object' || line === null || Array.isArray(line)) return [];
    return this.#rules.flatMap((reading, index) => (reading.match.every((one) => passesAt(line, one)) && !reading.unless.some((one) => passesAt(line, one)) ? this.#told(reading, index, line) : []));
  }

  #told({ rule, of, failed, paths }: Reading, index: number, line: object): Message[] {
    const parts = rule.each === undefined ? [line] : valuesAt(line, parsePath(rule.each));
    const id = rule.once === undefined ? undefined : idsAt(line, parsePath(rule.once))[0];
    return parts.flatMap((part, nth) => {
      if (!of.every((one) => passesAt(part, one))) return [];
      const key = id === undefined ? undefined : `${index} ${nth} ${id}`;
      if (key !== undefined && this.#shown.has(key)) return [];
      if (key !== undefined) remember(this.#shown, key);
      const call = rule.call === undefined ? undefined : idsAt(part, parsePath(rule.call))[0];
      const name = firstText(part, paths.name) ?? (call === undefined ? undefined : this.#calls.get(call));
      if (rule.who === 'call' && call !== undefined && name !== undefined) {
        this.#calls.set(call, name);
        forget(this.#calls);
      }
      const input = paths.input.map((path) => valuesAt(part, path)[0]).find((value) => value !== undefined && value !== null);
      const message: Message = { who: rule.who, at: instant(line, rule.at), name, text: firstText(part, paths.text) ?? '', input, failed: failed?.every((one) => passesAt(part, one)) ?? false };
      return this.#take(message, rule.piece);
    });
  }

  #take(message: Message, piece: boolean): Message[] {
    if (piece && this.#open?.who === message.who) {
      this.#open = { ...this.#open, text: (this.#open.text + message.text).slice(0, LINE_BYTES) };
      return [];
    }
    const before = this.#close();
    if (piece) this.#open = message;
    return piece || isEmpty(message) ? before : [...before, message];
  }

  #close(): Message[] {
    const open = this.#open;
    this.#open = undefined;
    return open === undefined || isEmpty(open) ? [] : [open];
  }
}

/** A result that says nothing is news all the same: the tool has ended. */
const isEmpty = ({ who, text }: Message): boolean => who !== 'call' && who !== 'result' && text.trim() === '';

function remember(set: Set<string>, key: string): void {
  set.add(key);
  forget(set);
}

function forget(kept: Set<string> | Map<string, string>): void {
  if (kept.size <= KEPT) return;
  const oldest = kept.keys().next().value;
  if (oldest !== undefined) kept.delete(oldest);
}
