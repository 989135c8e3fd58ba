import { parseJson } from '../protocol/records.js';
import { parsePath, valuesAt } from './json-path.js';
import { ANSWER_CHARS, LineReader, type LineFacts } from './lines.js';
import type { LineRule } from './profile.js';

/** A whole stream of lines. */
export function readLines(rules: readonly LineRule[], text: string | Uint8Array, now: number): LineFacts {
  return new LineReader(rules).push(text, now).end(now).facts();
}

/** One JSON document: each element of the list at `each`, or the document itself. What is no document is read as lines. */
export function readDocument(rules: readonly LineRule[], text: string, now: number, each?: string): LineFacts {
  const document = parseJson(text);
  if (document === undefined) return readLines(rules, text, now);
  const reader = new LineReader(rules);
  for (const event of each === undefined ? [document] : valuesAt(document, parsePath(`${each}[*]`))) reader.event(event, now);
  return reader.facts();
}

/** Plain output: all of it is the answer, and nothing in it is believed. */
export function readText(text: string): LineFacts {
  const none = new LineReader([]).facts();
  return text.trim() === '' ? none : { ...none, answer: text.slice(0, ANSWER_CHARS) };
}
