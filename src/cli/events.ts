import { closeSync, constants, existsSync, fstatSync, openSync, readSync } from 'node:fs';
import { parseEvents } from '../events/event-log.js';
import type { EventLine } from '../events/event.js';
import { showLines } from '../lib/text.js';
import type { Layout } from '../protocol/layout.js';

/** The log is never cut while a pit lives; more than its last 16 MiB is not looked through. */
const TAIL_BYTES = 16 * 1024 * 1024;

/** Whole lines from `offset` on, and where they end. */
export function readLines(path: string, offset: number): { text: string; end: number } {
  if (!existsSync(path)) return { text: '', end: offset };
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const { size } = fstatSync(fd);
    const from = Math.max(size < offset ? 0 : offset, size - TAIL_BYTES);
    const buffer = Buffer.alloc(Math.max(0, size - from));
    const got = readSync(fd, buffer, 0, buffer.length, from);
    const whole = buffer.subarray(0, got).lastIndexOf(10) + 1;
    return { text: buffer.subarray(0, whole).toString('utf8'), end: from + whole };
  } finally {
    closeSync(fd);
  }
}

export const readEvents = (layout: Layout): EventLine[] => parseEvents(readLines(layout.events, 0).text);

/** One event for a person: when, what, about what. */
export function eventLine(event: EventLine): string {
  const { v, at, kind, ...rest } = event;
  void v;
  const facts = Object.entries(rest).map(([key, value]) => `${key}=${typeof value === 'string' && /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value)}`);
  return showLines([new Date(at).toISOString(), kind, ...facts].join('  '));
}
