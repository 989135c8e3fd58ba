import { closeSync, constants, existsSync, fstatSync, openSync, readSync } from 'node:fs';
import type { EventLine } from '../events/event.js';
import { readHistory, type Wanted } from '../events/history.js';
import { showLines } from '../lib/text.js';
import type { Context } from './context.js';

/** Of a log of another kind, more than its last 16 MiB is not looked through. */
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

/** The event log, its former parts and all. */
export const readEvents = ({ files, layout }: Pick<Context, 'files' | 'layout'>, wanted?: Wanted): Promise<EventLine[]> => readHistory(files, layout.events, wanted);

/** One event for a person: when, what, about what. */
export function eventLine(event: EventLine): string {
  const { v, at, kind, ...rest } = event;
  void v;
  const facts = Object.entries(rest).map(([key, value]) => `${key}=${typeof value === 'string' && /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value)}`);
  return showLines([new Date(at).toISOString(), kind, ...facts].join('  '));
}
