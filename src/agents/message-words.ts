import { show, showLines, withoutEscapes } from '../lib/text.js';
import type { Message } from './messages.js';

/** Of a result and of thinking, so many lines; of what user and agent say, all. */
const LINES = { result: 10, thinking: 4 } as const;
const LINE_CHARS = 300;
const VALUE_CHARS = 160;
const INPUT_CHARS = 400;

/** `command="npm test" timeout=60`: as `snakepit events` prints facts. */
function inputWords(input: unknown): string {
  if (input === undefined || input === null) return '';
  const value = typeof input === 'string' ? (objectIn(input) ?? input) : input;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return valueWords(value);
  return show(Object.entries(value).map(([key, one]) => `${show(key, 40)}=${valueWords(one)}`).join(' '), INPUT_CHARS);
}

/** Some programs hand arguments over as JSON in a text. */
function objectIn(text: string): object | undefined {
  if (!text.trimStart().startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

const valueWords = (value: unknown): string => show(typeof value === 'string' && /^[^\s"=]+$/.test(value) ? value : (JSON.stringify(value) ?? ''), VALUE_CHARS);

/**
 * A message as lines of text: `2026-11-21T09:30:35Z call Bash command="npm test"`, and below it, indented by two blanks, what was
 * said. No control characters; the first line of each message alone begins at the margin, so that `grep -v '^ '` is the table of contents.
 */
export function messageLines({ who, at, name, text, input, failed }: Message): string[] {
  const time = at === undefined ? '-' : `${new Date(at).toISOString().slice(0, 19)}Z`;
  const head = [time, who, ...(name === undefined ? [] : [show(name, 60)]), ...(failed ? ['failed'] : []), ...(who === 'call' ? [inputWords(input)] : [])].filter((part) => part !== '').join(' ');
  const body = showLines(withoutEscapes(text)).split('\n').map((line) => line.trimEnd()).join('\n').replace(/^\n+|\n+$/g, '');
  const lines = body === '' ? [] : body.split('\n');
  const most = who === 'result' || who === 'thinking' ? LINES[who] : Number.MAX_SAFE_INTEGER;
  const shown = lines.slice(0, most).map((line) => `  ${most === Number.MAX_SAFE_INTEGER ? line : show(line.replaceAll('\t', '  '), LINE_CHARS)}`);
  return [head, ...shown.map((line) => line.trimEnd()), ...(lines.length > most ? [`  … ${lines.length - most} more lines`] : [])];
}
