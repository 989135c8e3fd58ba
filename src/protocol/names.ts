import type { ProcessIdentity } from '../lib/processes.js';

/*
 * File names under queue/. One rename is one transition, so the name carries all that must change with it:
 *
 *   ready/ held/   50-0mi8f2k3q~fix-login~0.0.0.md                                   place ~ id ~ failures.losses.deferrals
 *   needs/         50-0mi8f2k3q~fix-login~0.0.1.md                                   the same; the question beside it is <id>.question.md
 *   waiting/       0mi8f9xyz_50-0mi8f2k3q~fix-login~1.0.0.md                          due time before the place
 *   claimed/       50-0mi8f2k3q~fix-login~0.0.0~k3j…~s1~812-99120-6fd0c2e1.md         + nonce ~ snake ~ owner
 *   reaping/       <claimed>~r930-99888-6fd0c2e1.md                                   + the reaper's identity
 *   stuck/         50-0mi8f2k3q~fix-login~0.0.0~k3j….md                               + nonce, so that its processes can still be sought
 *
 * Times are milliseconds since 1970 in nine base-36 digits (good until the year 5188), so byte order is dispatch order:
 * priority, then arrival. The longest name is below 200 bytes of the 255 that file systems allow.
 */

/** Where a task stands in line: 0 first, 99 last; then by arrival. */
export interface Place {
  readonly priority: number;
  readonly arrivedAt: number;
}

/** Failures are the task's own; losses are workers that vanished under it; deferrals cost nothing (a drain, a limit, a question). */
export interface Counters {
  readonly failures: number;
  readonly losses: number;
  readonly deferrals: number;
}

export interface TaskName {
  readonly id: string;
  readonly place: Place;
  readonly counters: Counters;
}

/** `dueAt` 0: no time to wait for, only other tasks. */
export interface WaitingName extends TaskName {
  readonly dueAt: number;
}

export interface Owner extends ProcessIdentity {
  readonly snake: string;
}

export interface ClaimName extends TaskName {
  readonly nonce: string;
  readonly owner: Owner;
}

export interface ReapingName extends ClaimName {
  readonly reaper: ProcessIdentity;
}

export interface StuckName extends TaskName {
  readonly nonce: string;
}

export const NO_COUNTERS: Counters = { failures: 0, losses: 0, deferrals: 0 };

/** The number of this attempt, from 1: everything that ended an earlier one moved exactly one counter. */
export const attemptOf = (counters: Counters): number => counters.failures + counters.losses + counters.deferrals + 1;

const ID = '[a-z0-9][a-z0-9._-]{0,63}';
const COUNTER = '(0|[1-9]\\d{0,5})';
const COUNTERS = `${COUNTER}\\.${COUNTER}\\.${COUNTER}`;
const NONCE = '[0-9a-z]{10}';
const PROCESS = '([1-9]\\d{0,6})-(0|[1-9]\\d{0,19})-([0-9a-f]{8})';
const BASE = `(\\d\\d)-([0-9a-z]{9})~(${ID})~${COUNTERS}`;
const CLAIM = `${BASE}~(${NONCE})~(s\\d{1,4})~${PROCESS}`;
const READY = new RegExp(`^${BASE}\\.md$`);
const WAITING = new RegExp(`^([0-9a-z]{9})_${BASE}\\.md$`);
const CLAIMED = new RegExp(`^${CLAIM}\\.md$`);
const REAPING = new RegExp(`^${CLAIM}~r${PROCESS}\\.md$`);
const STUCK = new RegExp(`^${BASE}~(${NONCE})\\.md$`);
const WHOLE_ID = new RegExp(`^${ID}$`);

/** A legal id: lower case letters, digits, dot, dash, underscore, at most 64, and never a path. */
export const isTaskId = (text: string): boolean => WHOLE_ID.test(text) && !text.includes('..');

export function printTime(atMs: number): string {
  return Math.max(0, Math.floor(atMs)).toString(36).padStart(9, '0');
}

const parseTime = (text: string): number => Number.parseInt(text, 36);

function base({ place, id, counters }: TaskName): string {
  const { failures, losses, deferrals } = counters;
  return `${String(place.priority).padStart(2, '0')}-${printTime(place.arrivedAt)}~${id}~${failures}.${losses}.${deferrals}`;
}

const printProcess = (p: ProcessIdentity): string => `${p.pid}-${p.start}-${p.boot}`;
const claimStem = (name: ClaimName): string => `${base(name)}~${name.nonce}~${name.owner.snake}~${printProcess(name.owner)}`;

export const printReady = (name: TaskName): string => `${base(name)}.md`;
export const printWaiting = (name: WaitingName): string => `${printTime(name.dueAt)}_${base(name)}.md`;
export const printClaim = (name: ClaimName): string => `${claimStem(name)}.md`;
export const printReaping = (name: ReapingName): string => `${claimStem(name)}~r${printProcess(name.reaper)}.md`;
export const printStuck = (name: StuckName): string => `${base(name)}~${name.nonce}.md`;

/** Id, counters and nonce: what the claim's processes bear in their environment; it stays when a new snake adopts the claim. */
export function markerOf(name: TaskName & { readonly nonce: string }): string {
  const { failures, losses, deferrals } = name.counters;
  return `${name.id}~${failures}.${losses}.${deferrals}~${name.nonce}`;
}

/** The environment entries by which the processes of a claim, and of a whole pit, are known. `lib` spells the first one too, since it imports nothing. */
export const claimEntry = (marker: string): string => `SNAKEPIT_CLAIM=${marker}`;
export const pitEntry = (pitId: string): string => `SNAKEPIT_PIT=${pitId}`;

/**
 * What processes bear, in the place of a claim's marker, that a person's own command started for a task which no worker holds: the task, and
 * the command's process. No claim's marker looks like it: counters are its middle part.
 */
export const handMarker = (id: string, by: ProcessIdentity): string => `${id}~by-hand~${printProcess(by)}`;
/** The entry by which such processes of a pit are known. Not the pit's own one: whoever puts the pit down ends no living person's command. */
export const handEntry = (pitId: string): string => `SNAKEPIT_BY_HAND=${pitId}`;

const HAND = new RegExp(`^(${ID})~by-hand~${PROCESS}$`);

/** The task and the command of a marker of that kind; undefined: it is none. */
export function parseHand(marker: string): { readonly id: string; readonly by: ProcessIdentity } | undefined {
  const match = HAND.exec(marker);
  return match === null || !isTaskId(match[1] ?? '') ? undefined : { id: match[1] ?? '', by: processFrom(match.slice(2)) };
}

function baseFrom(groups: readonly (string | undefined)[]): TaskName | undefined {
  const [priority, arrived, id, failures, losses, deferrals] = groups;
  if (id === undefined || !isTaskId(id)) return undefined;
  return {
    id,
    place: { priority: Number(priority), arrivedAt: parseTime(arrived ?? '') },
    counters: { failures: Number(failures), losses: Number(losses), deferrals: Number(deferrals) },
  };
}

const processFrom = (groups: readonly (string | undefined)[]): ProcessIdentity => ({ pid: Number(groups[0]), start: groups[1] ?? '', boot: groups[2] ?? '' });

function claimFrom(groups: readonly (string | undefined)[]): ClaimName | undefined {
  const task = baseFrom(groups);
  if (task === undefined) return undefined;
  return { ...task, nonce: groups[6] ?? '', owner: { snake: groups[7] ?? '', ...processFrom(groups.slice(8)) } };
}

export function parseReady(name: string): TaskName | undefined {
  const match = READY.exec(name);
  return match === null ? undefined : baseFrom(match.slice(1));
}

export function parseWaiting(name: string): WaitingName | undefined {
  const match = WAITING.exec(name);
  const task = match === null ? undefined : baseFrom(match.slice(2));
  return task === undefined ? undefined : { ...task, dueAt: parseTime(match?.[1] ?? '') };
}

export function parseClaim(name: string): ClaimName | undefined {
  const match = CLAIMED.exec(name);
  return match === null ? undefined : claimFrom(match.slice(1));
}

export function parseReaping(name: string): ReapingName | undefined {
  const match = REAPING.exec(name);
  const claim = match === null ? undefined : claimFrom(match.slice(1));
  return claim === undefined ? undefined : { ...claim, reaper: processFrom(match?.slice(12) ?? []) };
}

export function parseStuck(name: string): StuckName | undefined {
  const match = STUCK.exec(name);
  const task = match === null ? undefined : baseFrom(match.slice(1));
  return task === undefined ? undefined : { ...task, nonce: match?.[7] ?? '' };
}

/** Any name of ours but a live claim's, back to the task it names: for files that a person moved from one directory to another. */
export function parseAny(name: string): TaskName | undefined {
  return parseReady(name) ?? parseWaiting(name) ?? parseStuck(name) ?? parseClaim(name) ?? parseReaping(name);
}
