import { join } from 'node:path';
import type { PitEvent } from '../events/event.js';
import { readHistory } from '../events/history.js';
import { partsOf } from '../events/parts.js';
import type { Layout } from '../protocol/layout.js';
import { markerOf, parseClaim, parseReaping } from '../protocol/names.js';
import { readNever } from '../protocol/never.js';
import { neverEvent } from '../runs/never.js';
import { settledEvent } from '../runs/publish.js';
import { pastAttempts, type PastAttempt } from '../runs/run-dir.js';
import type { CleanupPorts, CleanupSetting } from './ports.js';

/** Whoever settles tells it within milliseconds, unless he dies. */
const TELL_MS = 60_000;

export interface Untold {
  readonly id: string;
  /** What the log lacks. */
  readonly event: PitEvent;
  readonly evidence: string;
}

const attemptUntold = (id: string, { record }: PastAttempt): Untold => ({ id, event: settledEvent(id, record), evidence: `attempt ${record.attempt} ended at ${isoOf(record.endedAt)}` });
const isoOf = (atMs: number): string => new Date(atMs).toISOString();

/**
 * Attempts that were settled, and tasks that were ended untried, by somebody who died before the event log was told; only those that the log could know of. The
 * log is rotated only when there are none, so older parts than the last need never be read again.
 */
export async function untold({ files, clock }: CleanupPorts, { layout }: Pick<CleanupSetting, 'layout'>): Promise<Untold[]> {
  const rotatedAt = (await partsOf(files, layout.events)).at(-1)?.rotatedAt;
  const events = await readHistory(files, layout.events, rotatedAt === undefined ? {} : { since: rotatedAt - TELL_MS });
  const since = rotatedAt === undefined ? (events[0]?.at ?? clock.wallMs()) : rotatedAt - TELL_MS;
  const told = new Set(events.flatMap((event) => (event.kind === 'task-parked' || event.kind === 'task-done' || event.kind === 'task-failed' || event.kind === 'task-requeued' ? [event.marker] : [])));
  const found: Untold[] = [];
  for (const id of await files.list(layout.runs)) {
    const attempts = await pastAttempts(files, layout, id);
    for (const attempt of attempts) {
      const { record } = attempt;
      if (record.endedAt < since || clock.wallMs() - record.endedAt < TELL_MS || told.has(record.marker) || (await claimStands(files, layout, nonceOf(record.marker)))) continue;
      found.push(attemptUntold(id, attempt));
    }
    const never = await readNever(files, layout, id);
    if (never === undefined || never.at < Math.max(since, attempts.at(-1)?.record.endedAt ?? 0) || clock.wallMs() - never.at < TELL_MS) continue;
    const known = events.some((event) => event.kind === 'task-failed' && event.id === id && event.at >= never.at);
    if (!known && (await files.exists(join(layout.dir('failed'), `${id}.md`)))) found.push({ id, event: neverEvent(id, never.why), evidence: `it was ended at ${isoOf(never.at)}: ${never.why}` });
  }
  return found;
}

export const nonceOf = (marker: string): string => marker.slice(marker.lastIndexOf('~') + 1);

/** Whether some claim bears this nonce now: then its attempt is not over. */
export async function claimStands(files: CleanupPorts['files'], layout: Layout, nonce: string): Promise<boolean> {
  for (const state of ['claimed', 'reaping'] as const) {
    for (const file of await files.list(layout.dir(state))) {
      const claim = parseClaim(file) ?? parseReaping(file);
      if (claim !== undefined && markerOf(claim).endsWith(`~${nonce}`)) return true;
    }
  }
  return false;
}
