import type { EventLine } from '../events/event.js';

type Counts = Record<string, number>;

/** What the event log comes to, all of it that was ever counted. It grows in place, and is written as it stands. */
export interface Tally {
  /** Lines, by kind. */
  readonly events: Counts;
  /** Ends of tasks by state: done, failed, needs. Each attempt once, though its line may stand there twice. */
  readonly ended: Counts;
  /** Attempts by what they were counted as: failures, losses, deferrals. */
  readonly counted: Counts;
  /** Openings by account. */
  readonly breakers: Counts;
  orphans: number;
  /** The counters of tasks that have not ended, as their last claim bore them: a step up is one counted. */
  readonly open: Record<string, readonly [failures: number, losses: number, deferrals: number]>;
  /** Markers of attempts that ended a short while ago, newest last. */
  readonly recent: string[];
}

export const newTally = (): Tally => ({ events: {}, ended: {}, counted: {}, breakers: {}, orphans: 0, open: {}, recent: [] });

/** Far more than can end between the first telling of an end and the second. */
const RECENT = 500;
const COUNTERS = ['failures', 'losses', 'deferrals'] as const;

/** An account or a task may be called as something that every object has. */
function put<T>(record: Record<string, T>, name: string, value: T): void {
  if (name === '__proto__') Object.defineProperty(record, name, { value, enumerable: true, writable: true, configurable: true });
  else record[name] = value;
}

const more = (counts: Counts, name: string, by = 1): void => put(counts, name, (Object.hasOwn(counts, name) ? (counts[name] ?? 0) : 0) + by);

/** What stands in `recent`, by that list: it is asked at each end. */
const listed = new WeakMap<readonly string[], Set<string>>();

/** Whether this end was told before; from now on it was. */
function wasTold({ recent }: Tally, key: string): boolean {
  let keys = listed.get(recent);
  if (keys === undefined) listed.set(recent, (keys = new Set(recent)));
  if (keys.has(key)) return true;
  keys.add(key);
  if (recent.push(key) > RECENT) keys.delete(recent.shift() ?? '');
  return false;
}

/** One line more. */
export function addEvent(tally: Tally, event: EventLine): void {
  more(tally.events, event.kind);
  switch (event.kind) {
    case 'task-claimed':
      return claimed(tally, event.id, event.marker);
    case 'task-done':
      return ended(tally, 'done', event.id, event.marker, undefined);
    case 'task-failed':
      return ended(tally, 'failed', event.id, event.marker, event.attempt === 0 ? undefined : event.why);
    case 'task-parked':
      return ended(tally, 'needs', event.id, event.marker, undefined);
    case 'breaker-opened':
      return more(tally.breakers, event.account);
    case 'orphans-ended':
      tally.orphans += event.killed;
      return;
    default:
  }
}

/** `task~failures.losses.deferrals~nonce` */
function countersOf(marker: string): readonly [number, number, number] | undefined {
  const [, failures, losses, deferrals] = /~(\d+)\.(\d+)\.(\d+)~[^~]*$/.exec(marker) ?? [];
  return failures === undefined ? undefined : [Number(failures), Number(losses), Number(deferrals)];
}

function claimed(tally: Tally, id: string, marker: string): void {
  const now = countersOf(marker);
  if (now === undefined) return;
  const before = Object.hasOwn(tally.open, id) ? tally.open[id] : undefined;
  // One that is first seen with counters was counted before the log began; one whose counters fell was retried.
  if (before !== undefined) for (const [index, name] of COUNTERS.entries()) if ((now[index] ?? 0) > (before[index] ?? 0)) more(tally.counted, name, (now[index] ?? 0) - (before[index] ?? 0));
  put<Tally['open'][string]>(tally.open, id, now);
}

/** `why`: of an attempt that ended its task; what it was counted as stands in no claim any more. */
function ended(tally: Tally, state: string, id: string, marker: string, why: string | undefined): void {
  if (marker !== '' && wasTold(tally, `${state} ${marker}`)) return;
  more(tally.ended, state);
  if (why !== undefined) more(tally.counted, why.startsWith('lost-too-often') ? 'losses' : /^(deferred|asked)-too-often/.test(why) ? 'deferrals' : 'failures');
  if (state !== 'needs') delete tally.open[id];
}
