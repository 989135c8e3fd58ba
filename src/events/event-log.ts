import type { Clock } from '../lib/clock.js';
import type { Files } from '../lib/files.js';
import { EVENT_VERSION, type EventLine, type PitEvent } from './event.js';

/** Where every actor says what happened. */
export interface EventSink {
  emit(event: PitEvent): Promise<void>;
}

const MAX_LINE = 3500;

/**
 * Appends one line with one write, so that many processes share the file. A log that cannot be written (a full disk) must
 * never stop a transition: the loss is swallowed here, knowingly, and nowhere else.
 */
export function fileEventSink(files: Files, clock: Clock, path: string): EventSink {
  return {
    async emit(event) {
      const line = JSON.stringify({ v: EVENT_VERSION, at: clock.wallMs(), ...event });
      try {
        await files.append(path, `${line.length > MAX_LINE ? JSON.stringify({ v: EVENT_VERSION, at: clock.wallMs(), ...clipped(event) }) : line}\n`);
      } catch {
        /* see above */
      }
    },
  };
}

function clipped(event: PitEvent): PitEvent {
  const entries = Object.entries(event).map(([key, value]) => [key, typeof value === 'string' ? value.slice(0, 400) : value]);
  return Object.fromEntries(entries) as PitEvent;
}

/** The events of a log's text, oldest first; a torn or foreign line is skipped. */
export function parseEvents(text: string): EventLine[] {
  const events: EventLine[] = [];
  for (const line of text.split('\n')) {
    if (line === '') continue;
    try {
      const value = JSON.parse(line) as EventLine;
      if (value.v === EVENT_VERSION && typeof value.kind === 'string') events.push(value);
    } catch {
      /* a torn line */
    }
  }
  return events;
}
