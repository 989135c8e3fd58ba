import type { Bundle, Found, Gathering, Held } from './state.js';

/*
 * Between what a hook found and what it is told of:
 *
 *   found ──► told by itself                    no group:, no quiet hours
 *         ├─► burst ──► closed ──► outbox       within group: of the last call
 *         └─► quiet ──► closed ──► outbox       in quiet hours, unless urgent; closed when they end
 *
 * "closed" is written with the cursor, before the outbox has it: whoever comes after a crash finds the same bundle under the same
 * key, whatever has happened since, and what comes after belongs to another.
 */

/** Newest events that a bundle keeps whole; all are counted. */
const KEPT = 15;
/** Of all of them together, as JSON. */
const KEPT_CHARS = 24_000;

export const NOTHING_HELD: Held = { closed: [] };
const ONE_BY_ONE: Gathering = { quiet: [], urgent: [], groupMs: 0 };

/**
 * Pure and total. `tell`: what goes out each by itself. `quietAt`: whether an instant lies in the quiet hours. What happened in them while
 * nobody looked comes as one as well. Without a policy everything held is let go.
 */
export function gather(policy: Gathering | undefined, before: Held, found: readonly Found[], quietAt: (atMs: number) => boolean, nowMs: number): { readonly held: Held; readonly tell: readonly Found[] } {
  const { urgent, groupMs } = policy ?? ONE_BY_ONE;
  const tell: Found[] = [];
  const quiet = quietAt(nowMs);
  let { toldAt, quiet: night, burst } = before;
  const closed = [...before.closed];
  // What waited for its minute when the quiet hours began waits for their end, unless somebody must know.
  const sinks = quiet && night === undefined && burst !== undefined && !Object.keys(burst.kinds).some((kind) => urgent.includes(kind));
  if (sinks) [night, burst] = [burst, undefined];
  for (const one of found) {
    if ((quiet || quietAt(Number(one.values['at'] ?? nowMs))) && !urgent.includes(one.values['kind'] ?? '')) night = withOne(night, one);
    else if (groupMs > 0) burst = withOne(burst, one);
    else tell.push(one);
  }
  // Before the burst: what a night held back is older.
  if (night !== undefined && !quiet) {
    closed.push(night);
    toldAt = nowMs;
    night = undefined;
  }
  // A clock that was set back holds back nothing.
  if (burst !== undefined && (toldAt === undefined || nowMs - toldAt >= groupMs || nowMs < toldAt)) {
    closed.push(burst);
    toldAt = nowMs;
    burst = undefined;
  }
  const same = found.length === 0 && !sinks && closed.length === before.closed.length;
  if (same) return { held: before, tell };
  const held: Held = { closed, ...(toldAt === undefined || groupMs === 0 ? {} : { toldAt }), ...(night === undefined ? {} : { quiet: night }), ...(burst === undefined ? {} : { burst }) };
  return { held: Object.keys(held).length === 1 && closed.length === 0 ? NOTHING_HELD : held, tell };
}

function withOne(bundle: Bundle | undefined, { key, values }: Found): Bundle {
  const { event = '', kind = '' } = values;
  const at = Number(values['at'] ?? 0);
  const events = [...(bundle?.events ?? []), event].slice(-KEPT);
  while (events.length > 1 && events.reduce((sum, one) => sum + one.length, 0) > KEPT_CHARS) events.shift();
  return {
    key: bundle?.key ?? key,
    since: Math.min(bundle?.since ?? at, at),
    until: Math.max(bundle?.until ?? at, at),
    count: (bundle?.count ?? 0) + 1,
    kinds: { ...bundle?.kinds, [kind]: (bundle?.kinds[kind] ?? 0) + 1 },
    events,
  };
}
