import { join } from 'node:path';
import { take } from '../../lib/baton.js';
import type { Clock } from '../../lib/clock.js';
import type { Files } from '../../lib/files.js';
import type { Processes } from '../../lib/processes.js';
import { parseJson } from '../../protocol/records.js';
import { decideBreaker } from './decide.js';
import { newBreaker, type Breaker, type BreakerEvent, type BreakerPolicy, type BreakerStep } from './state.js';

/** What the file of an account is changed with. */
export interface BreakerPorts {
  readonly files: Files;
  readonly clock: Clock;
  readonly processes: Processes;
}

/** A step, and what was known before it. */
export interface BreakerUpdate extends BreakerStep {
  readonly before: Breaker;
}

/** The lock is held for a few file operations. */
const LOOK_EVERY_MS = 10;
/** Who cannot have the lock for so long, because its holder was stopped, goes on without: what is not told now, the next session tells. */
export const LOCK_PATIENCE_MS = 10_000;

/** Accounts are free texts. */
const fileOf = (dir: string, account: string): string => join(dir, `${encodeURIComponent(account)}.json`);

/** As breakers were written before they had states. */
interface FirstFormat {
  readonly account: string;
  readonly reason: 'usage-limited' | 'rate-limited' | 'auth-failed';
  readonly evidence: string;
  readonly openedAt: number;
  readonly until: number;
  readonly strikes: number;
}

/** Undefined: this is no breaker's file. */
export function parseBreaker(text: string): Breaker | undefined {
  const value = parseJson<Partial<Breaker> & Partial<FirstFormat>>(text);
  if (typeof value !== 'object' || value === null || typeof value.account !== 'string') return undefined;
  if (value.v === 2) return typeof value.state?.kind === 'string' && typeof value.strikes === 'number' && typeof value.failing === 'object' ? (value as Breaker) : undefined;
  if (typeof value.until !== 'number' || value.reason === undefined) return undefined;
  const { account, reason, evidence = '', until, strikes = 1, openedAt = 0 } = value;
  return { ...newBreaker(account), state: { kind: 'open', reason, evidence, until }, strikes, openedAt, quietFrom: until };
}

/** One that was never written, or cannot be read, is closed. */
export async function readBreaker(files: Files, dir: string, account: string): Promise<Breaker> {
  return parseBreaker((await files.read(fileOf(dir, account))) ?? '') ?? newBreaker(account);
}

/** Everything that is known of accounts, closed ones among them, by name. */
export async function listBreakers(files: Files, dir: string): Promise<Breaker[]> {
  const found: Breaker[] = [];
  for (const name of await files.list(dir)) {
    const breaker = name.endsWith('.json') ? parseBreaker((await files.read(join(dir, name))) ?? '') : undefined;
    if (breaker !== undefined) found.push(breaker);
  }
  return found.sort((a, b) => (a.account < b.account ? -1 : 1));
}

/**
 * One step of an account's breaker, alone: read, decide, write, under the account's lock, which a killed holder leaves to the
 * next one. It lies on disk before it is answered. Undefined: the lock could not be had within `patienceMs`, and nothing was done.
 * A file that cannot be read is put aside, not overwritten.
 */
export async function updateBreaker(ports: BreakerPorts, dir: string, account: string, policy: BreakerPolicy, see: (before: Breaker) => BreakerEvent | Promise<BreakerEvent>, patienceMs = LOCK_PATIENCE_MS): Promise<BreakerUpdate | undefined> {
  const { files, clock, processes } = ports;
  await files.makeDir(dir);
  const file = fileOf(dir, account);
  const until = clock.monoMs() + patienceMs;
  for (;;) {
    const lock = await take(files, processes, `${file.slice(0, -'.json'.length)}.lock`);
    if (lock.kind === 'held') {
      if (clock.monoMs() >= until) return undefined;
      await clock.sleep(LOOK_EVERY_MS);
      continue;
    }
    try {
      const text = await files.read(file);
      const known = text === undefined ? undefined : parseBreaker(text);
      if (text !== undefined && known === undefined) await files.rename(file, `${file}.unreadable`);
      const before = known ?? newBreaker(account);
      const step = decideBreaker(policy, before, await see(before), clock.wallMs());
      if (step.after !== before) await files.write(file, `${JSON.stringify(step.after)}\n`);
      return { ...step, before };
    } finally {
      await lock.release();
    }
  }
}
