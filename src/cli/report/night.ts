import type { EventLine } from '../../events/event.js';

/** How often an account was shut, and for how long: of spans that began and ended in the time told of, milliseconds. */
export interface Shut {
  times: number;
  ms: number;
  reason: string;
  /** Since when it is shut now. */
  since: number | undefined;
}

type Counts = Record<string, number>;

/** What died, was mended or was waited for, and what happened to the machine, from the event log. It grows in place. */
export interface Night {
  /** Attempts that were begun, and those of them after which there is another, by the reason. */
  claimed: number;
  readonly again: Counts;
  /** Claims of dead snakes that were taken from them, and sessions that a new snake went on with. */
  reaped: number;
  adopted: number;
  lostClaims: number;
  /** Snakes that died, by name. */
  readonly snakesDied: Counts;
  readonly snakesBroken: Record<string, string>;
  pitStarts: number;
  pitStops: number;
  reboots: number;
  /** Processes that belonged to nobody any more, and were ended. */
  orphans: number;
  /** Sessions that the watchdog gave up, by the reason. */
  readonly judged: Counts;
  nudged: number;
  allowed: number;
  readonly shut: Record<string, Shut>;
  /** What was told of budgets, the last of each. */
  readonly budgets: Record<string, string>;
  merged: number;
  readonly mergeRefused: Counts;
  paused: number;
  resumed: number;
  configChanged: number;
  /** What was wrong with the last edit of snakepit.yaml that was refused. */
  configRefused: string | undefined;
  readonly residentsEnded: Counts;
  readonly residentsBroken: Counts;
  pingsDropped: number;
  pingGaps: number;
  /** The evidence of each task that came to lie in stuck/. */
  readonly stuck: Record<string, string>;
  salvaged: number;
  worktreesRemoved: number;
  scheduled: number;
  skipped: number;
  answered: number;
}

/** Names come from tasks and configurations: one may be called as what every object has. */
const none = <T>(): Record<string, T> => Object.create(null) as Record<string, T>;

export const newNight = (): Night => ({
  claimed: 0, again: none(), reaped: 0, adopted: 0, lostClaims: 0, snakesDied: none(), snakesBroken: none(), pitStarts: 0, pitStops: 0, reboots: 0, orphans: 0, judged: none(), nudged: 0, allowed: 0,
  shut: none(), budgets: none(), merged: 0, mergeRefused: none(), paused: 0, resumed: 0, configChanged: 0, configRefused: undefined, residentsEnded: none(), residentsBroken: none(),
  pingsDropped: 0, pingGaps: 0, stuck: none(), salvaged: 0, worktreesRemoved: 0, scheduled: 0, skipped: 0, answered: 0,
});

function more(counts: Counts, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}

/** `verify-failed: npm test …` → `verify-failed`; a text without a word of ours in front is a loss. */
const reasonOf = (why: string): string => /^([a-z]+(?:-[a-z]+)*): /.exec(why)?.[1] ?? 'lost, deferred or given back';

function opened(night: Night, account: string, reason: string, at: number): void {
  const shut = night.shut[account];
  if (shut?.since !== undefined) return;
  night.shut[account] = { times: (shut?.times ?? 0) + 1, ms: shut?.ms ?? 0, reason, since: at };
}

function closed(night: Night, account: string, at: number): void {
  const shut = night.shut[account];
  if (shut?.since === undefined) return;
  shut.ms += Math.max(0, at - shut.since);
  shut.since = undefined;
}

/** One event more. What is told elsewhere, or to nobody, changes nothing. */
export function addEvent(night: Night, event: EventLine): void {
  switch (event.kind) {
    case 'task-claimed':
      night.claimed += 1;
      break;
    case 'task-requeued':
      more(night.again, reasonOf(event.why));
      break;
    case 'claim-reaped':
      night.reaped += 1;
      break;
    case 'task-adopted':
      night.adopted += 1;
      break;
    case 'claim-lost':
      night.lostClaims += 1;
      break;
    case 'snake-ended':
      more(night.snakesDied, event.snake);
      break;
    case 'snake-broken':
      night.snakesBroken[event.snake] = event.why;
      break;
    case 'pit-started':
      night.pitStarts += 1;
      break;
    case 'pit-stopped':
      night.pitStops += 1;
      break;
    case 'pit-rebooted':
      night.reboots += 1;
      break;
    case 'orphans-ended':
      night.orphans += event.killed;
      break;
    case 'session-judged':
      more(night.judged, event.reason);
      break;
    case 'nudged':
      if (event.receipt === 'submitted' || event.receipt === 'queued') night.nudged += 1;
      break;
    case 'allowed':
      if (event.result === 'gone') night.allowed += 1;
      break;
    case 'breaker-opened':
      opened(night, event.account, event.reason, event.at);
      break;
    case 'breaker-closed':
      closed(night, event.account, event.at);
      break;
    case 'budget-warned':
    case 'budget-reached':
      night.budgets[event.id === '' ? event.rule : `${event.id}: ${event.rule}`] = event.evidence;
      break;
    default:
      addQuiet(night, event);
  }
}

/** The same of what is told in half a line. */
function addQuiet(night: Night, event: EventLine): void {
  switch (event.kind) {
    case 'task-proposed':
      return;
    case 'task-merged':
      night.merged += 1;
      break;
    case 'merge-refused':
      more(night.mergeRefused, event.end);
      break;
    case 'queue-paused':
      night.paused += 1;
      break;
    case 'queue-resumed':
      night.resumed += 1;
      break;
    case 'config-changed':
      night.configChanged += 1;
      break;
    case 'config-refused':
      night.configRefused = event.problem;
      break;
    case 'resident-ended':
      more(night.residentsEnded, event.resident);
      break;
    case 'resident-broken':
      more(night.residentsBroken, event.resident);
      break;
    case 'ping-dropped':
      night.pingsDropped += 1;
      break;
    case 'ping-gap':
      night.pingGaps += 1;
      break;
    case 'task-stuck':
      night.stuck[event.id] = event.evidence;
      break;
    case 'work-salvaged':
      night.salvaged += 1;
      break;
    case 'worktree-removed':
      night.worktreesRemoved += 1;
      break;
    case 'task-scheduled':
      night.scheduled += 1;
      break;
    case 'task-skipped':
      night.skipped += 1;
      break;
    case 'task-answered':
      night.answered += 1;
      break;
    default:
      break;
  }
}
