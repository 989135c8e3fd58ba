import { EVENT_VERSION, type EventLine } from '../events/event.js';
import { show } from '../lib/text.js';
import type { Bundle, Found } from './state.js';

/** Lines of a bundle that a person gets to read, and how long each may be. */
const LINES = 10;
const LINE_CHARS = 200;

/** A closed bundle as one event: of a single one, that event itself. */
export function ofBundle({ key, since, until, count, kinds, events }: Bundle, rule: string): Found {
  const [only = ''] = events;
  if (count === 1) return { key, values: { event: only }, why: `event ${Object.keys(kinds).join('')} at ${key}` };
  const event: EventLine = { v: EVENT_VERSION, at: until, kind: 'ping-gathered', from: rule, count, since, until, kinds: kindWords(kinds), text: events.slice(-LINES).map((one) => lineOf(one, LINE_CHARS)).join('\n') };
  return { key: `${key} gathered`, values: { event: JSON.stringify(event) }, why: `${count} events gathered: ${event.kinds}` };
}

/** "task-done 38, task-failed 2": the commonest first. */
const kindWords = (kinds: Readonly<Record<string, number>>): string => Object.entries(kinds).sort((a, b) => b[1] - a[1]).map(([kind, times]) => `${kind} ${times}`).join(', ');

/** What a person reads: a title, and a text of one line or, of several events, of several. */
export interface Words {
  readonly title: string;
  readonly text: string;
}

export function wordsOf(json: string): Words {
  const event = JSON.parse(json) as EventLine;
  if (event.kind !== 'ping-gathered') return { title: 'snakepit', text: lineOf(json) };
  const { count, kinds, text } = event;
  const lines = text.split('\n').map((line) => show(line, LINE_CHARS));
  return { title: `snakepit: ${count} events`, text: [show(kinds, 300), ...(count > lines.length ? [`the last ${lines.length}:`] : []), ...lines].join('\n') };
}

/** An event in one line: its kind, what it is about, why. */
export function lineOf(json: string, maxChars = 500): string {
  const { kind, id, resident, snake, account, why, rule, problem, evidence } = JSON.parse(json) as Readonly<Record<string, unknown>>;
  const about = [id, resident, snake, account].find((one) => typeof one === 'string' && one !== '');
  const reason = [why, problem, rule, evidence].find((one) => typeof one === 'string' && one !== '');
  return show([String(kind), ...(about === undefined ? [] : [String(about)])].join(' ') + (reason === undefined ? '' : `: ${String(reason)}`), maxChars);
}
