import { join } from 'node:path';
import type { Files } from '../lib/files.js';
import type { DeferralReason } from '../protocol/judge.js';
import { parseJson } from '../protocol/records.js';

/** A provider account that nothing is sent to until a time. One file per account under .snakepit/breakers/. */
export interface Breaker {
  readonly account: string;
  readonly reason: DeferralReason;
  readonly evidence: string;
  /** Wall clock, milliseconds. */
  readonly openedAt: number;
  readonly until: number;
  /** Openings in a row: each without a given reset doubles the wait. */
  readonly strikes: number;
}

/** Reset times come from a program's text: never sooner than half a minute, never later than eight days (the longest window that providers sell is a week). */
const FLOOR_MS = 30_000;
const CAP_MS = 8 * 24 * 3_600_000;
/** Without a reset time: one minute, doubled each time, at most half an hour, so that a provider that is back is noticed. */
const FIRST_MS = 60_000;
const MAX_MS = 30 * 60_000;
/** An opening this long after the last one ended is a new story. */
const FORGET_MS = 60 * 60_000;

/** Pure: the breaker that a limit opens. A window that is open already is never shortened; sessions that were running when it opened meet the same limit, and count no strike of their own. */
export function openedBy(before: Breaker | undefined, account: string, limit: { reason: DeferralReason; evidence: string; resetAt: number | undefined }, nowMs: number): Breaker {
  const open = before !== undefined && before.until > nowMs;
  const strikes = open ? before.strikes : before !== undefined && nowMs - before.until < FORGET_MS ? before.strikes + 1 : 1;
  if (open && limit.resetAt === undefined) return before;
  const waitMs = limit.resetAt === undefined ? Math.min(MAX_MS, FIRST_MS * 2 ** (strikes - 1)) : Math.min(CAP_MS, Math.max(FLOOR_MS, limit.resetAt - nowMs));
  return { account, reason: limit.reason, evidence: limit.evidence.slice(0, 600), openedAt: nowMs, until: Math.max(nowMs + waitMs, before?.until ?? 0), strikes };
}

const fileOf = (dir: string, account: string): string => join(dir, `${account}.json`);

export async function readBreaker(files: Files, dir: string, account: string): Promise<Breaker | undefined> {
  return parseJson<Breaker>(await files.read(fileOf(dir, account)));
}

/** Every breaker that is open at this time. */
export async function openBreakers(files: Files, dir: string, nowMs: number): Promise<Breaker[]> {
  const found: Breaker[] = [];
  for (const name of await files.list(dir)) {
    const breaker = name.endsWith('.json') ? await readBreaker(files, dir, name.slice(0, -5)) : undefined;
    if (breaker !== undefined && breaker.until > nowMs) found.push(breaker);
  }
  return found;
}

export async function openBreaker(files: Files, dir: string, breaker: Breaker): Promise<void> {
  await files.makeDir(dir);
  await files.write(fileOf(dir, breaker.account), `${JSON.stringify(breaker)}\n`);
}
