import { describe, expect, it } from 'vitest';
import { openedBy, type Breaker } from '../../src/agents/breaker.js';

const NOW = 1_800_000_000_000;
const MINUTE = 60_000;
const limit = (resetAt?: number) => ({ reason: 'usage-limited' as const, evidence: 'seen', resetAt });
const before = (until: number, strikes = 1): Breaker => ({ account: 'a', reason: 'usage-limited', evidence: '', openedAt: until - MINUTE, until, strikes });
const waits = (was: Breaker | undefined, resetAt?: number): number => openedBy(was, 'a', limit(resetAt), NOW).until - NOW;

describe('openedBy', () => {
  it.each<[string, Breaker | undefined, number | undefined, number]>([
    ['a given reset is taken', undefined, NOW + 3_600_000, 3_600_000],
    ['one in the past, or now, waits half a minute', undefined, NOW - 1, MINUTE / 2],
    ['an absurd one is capped at eight days', undefined, NOW + 400 * 24 * 3_600_000, 8 * 24 * 3_600_000],
    ['without a reset: one minute', undefined, undefined, MINUTE],
    ['again: two', before(NOW - 1), undefined, 2 * MINUTE],
    ['a fifth time: sixteen', before(NOW - 1, 4), undefined, 16 * MINUTE],
    ['for ever: half an hour', before(NOW - 1, 40), undefined, 30 * MINUTE],
    ['an hour after the last one ended it is a new story', before(NOW - 60 * MINUTE, 9), undefined, MINUTE],
    ['an open window is never shortened', before(NOW + 500 * MINUTE), NOW + MINUTE, 500 * MINUTE],
  ])('%s', (_name, was, resetAt, wanted) => expect(waits(was, resetAt)).toBe(wanted));
});
