import type { Files } from '../lib/files.js';
import { parseEvents } from './event-log.js';
import type { EventLine } from './event.js';
import { identityOf, NEWLINE, partsOf, readPart, type Position } from './parts.js';

/** Of the whole log. */
export interface Wanted {
  /** Wall clock, milliseconds: parts that were rotated away well before are not read. It may still give older events. */
  readonly since?: number;
  /** Only lines with this text, as it stands in JSON: the others are not even parsed. */
  readonly holding?: string;
}

/** An event may be younger than the name of its part by so much as a clock was set back in between. */
const CLOCK_SLACK_MS = 3_600_000;
/** What lives at once: with more of it a report of ten thousand tasks takes a third more memory, and no less time. */
const SLICE = 256 * 1024;
const MAX_BYTES = 1024 * 1024 * 1024;

/**
 * Every event of a log, its former parts and all, oldest first; each once, whatever is rotated, compressed or removed meanwhile.
 * Returns where it ended: there `linesSince` goes on.
 */
export async function* history(files: Pick<Files, 'list' | 'readBytes'>, log: string, wanted: Wanted = {}): AsyncGenerator<EventLine, Position> {
  const slices = historySlices(files, log, wanted);
  let slice = await slices.next();
  for (; slice.done !== true; slice = await slices.next()) yield* slice.value;
  return slice.value;
}

/** The same, some thousand events at a time: whoever counts a month of them pays for no wait at each. */
export async function* historySlices(files: Pick<Files, 'list' | 'readBytes'>, log: string, { since = 0, holding = '' }: Wanted = {}): AsyncGenerator<EventLine[], Position> {
  let last = '';
  for (;;) {
    for (const part of await partsOf(files, log)) {
      if (part.stem <= last) continue;
      last = part.stem;
      if (part.rotatedAt + CLOCK_SLACK_MS >= since) yield* eventsIn((await readPart(files, part)) ?? new Uint8Array(), holding);
    }
    const bytes = (await files.readBytes(log, MAX_BYTES)) ?? new Uint8Array();
    // Was it still the one that grows? If not, what was read may be a later one, and a part lies between.
    if (((await partsOf(files, log)).at(-1)?.stem ?? '') > last) continue;
    const whole = bytes.subarray(0, bytes.lastIndexOf(NEWLINE) + 1);
    yield* eventsIn(whole, holding);
    return { file: identityOf(whole), offset: whole.length };
  }
}

/** All of them at once. */
export async function readHistory(files: Pick<Files, 'list' | 'readBytes'>, log: string, wanted: Wanted = {}): Promise<EventLine[]> {
  const events: EventLine[] = [];
  for await (const event of history(files, log, wanted)) events.push(event);
  return events;
}

/** In slices: a text of everything could be longer than a text may be. */
function* eventsIn(bytes: Uint8Array, holding: string): Generator<EventLine[]> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (holding !== '' && !buffer.includes(holding)) return;
  for (let start = 0; start < buffer.length; ) {
    const cut = start + SLICE >= buffer.length ? buffer.length : buffer.indexOf(NEWLINE, start + SLICE) + 1;
    const end = cut === 0 ? buffer.length : cut;
    const text = buffer.subarray(start, end).toString('utf8');
    yield parseEvents(holding === '' ? text : text.split('\n').filter((line) => line.includes(holding)).join('\n'));
    start = end;
  }
}
