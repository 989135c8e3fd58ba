import { unreachable } from '../lib/unreachable.js';
import { wildcard } from '../lib/wildcard.js';
import type { Commit, Cursor, Found, Look, Rule, SeenEvent, SettledState, Source } from './state.js';

/** What follows from one look. `gaps`: why something may have been missed, to be said aloud. */
export interface Advanced {
  readonly cursor: Cursor | undefined;
  readonly found: readonly Found[];
  readonly gaps: readonly string[];
}

/** Keys that a cursor remembers: a settle that is told twice, a commit that comes back after a reset. */
const RECENT = 300;

/**
 * Pure and total: rule, cursor, look → what was found, and the cursor that stands behind it. The first look at a rule finds
 * nothing: it begins now, not with all of history. What was not seen moves nothing.
 */
export function advance({ on }: Pick<Rule, 'on'>, before: Cursor | undefined, look: Look): Advanced {
  switch (look.kind) {
    case 'unseen':
      return { cursor: before, found: [], gaps: [] };
    case 'commit':
      return ofCommits(on, before?.kind === 'commit' ? before : undefined, look);
    case 'log':
      return ofLog(on, before?.kind === 'log' ? before : undefined, look);
    case 'inbox':
      return ofInbox(on, before?.kind === 'inbox' ? before : undefined, look);
    default:
      return unreachable(look);
  }
}

type Of<T extends { kind: string }, K extends T['kind']> = Extract<T, { kind: K }>;

function ofCommits(on: Source, before: Of<Cursor, 'commit'> | undefined, look: Of<Look, 'commit'>): Advanced {
  if (before === undefined || on.kind !== 'commit') return { cursor: { kind: 'commit', sha: look.tip, recent: [] }, found: [], gaps: [] };
  // A ref that is gone may come back: the cursor stays where it was.
  if (look.tip === null || look.tip === before.sha) return { cursor: before, found: [], gaps: [] };
  const same = (one: Omit<Commit, 'match'>): string => `${one.at} ${one.email} ${one.subject}`;
  const dropped = new Set(look.dropped.map(same));
  const recent = new Set(before.recent);
  const found: Found[] = [];
  const gaps = look.gap === undefined ? [] : [look.gap];
  for (const commit of look.commits) {
    if (commit.match.kind === 'slow') gaps.push(`its pattern took too long on the subject of ${commit.sha}`);
    if (commit.match.kind !== 'yes' || dropped.has(same(commit)) || recent.has(commit.sha)) continue;
    const { sha, author, email, subject } = commit;
    found.push({ key: `${on.repo} ${on.ref} ${sha}`, values: { ...commit.match.groups, sha, short: sha.slice(0, 10), ref: on.ref, subject, author, email, repo: on.repo }, why: `commit ${sha.slice(0, 10)} on ${on.ref}: ${subject.slice(0, 200)}` });
  }
  return { cursor: { kind: 'commit', sha: look.tip, recent: remember(before.recent, found.map(({ values }) => values['sha'] ?? '')) }, found, gaps };
}

function ofLog(on: Source, before: Of<Cursor, 'log'> | undefined, look: Of<Look, 'log'>): Advanced {
  const cursor = (recent: readonly string[]): Cursor => ({ kind: 'log', file: look.file, offset: look.offset, recent });
  if (before === undefined) return { cursor: cursor([]), found: [], gaps: [] };
  const keys: string[] = [];
  const found: Found[] = [];
  for (const seen of look.events) {
    const one = on.kind === 'event' ? ofEvent(on, seen) : on.kind === 'events' ? ofEvents(on, seen) : on.kind === 'settled' ? ofSettled(on, seen) : undefined;
    if (one === undefined || before.recent.includes(one.key) || keys.includes(one.key)) continue;
    keys.push(one.key);
    found.push(one);
  }
  // Nothing new, nothing to write.
  if (look.file === before.file && look.offset === before.offset) return { cursor: before, found: [], gaps: [] };
  return { cursor: cursor(on.kind === 'settled' ? remember(before.recent, keys) : []), found, gaps: look.gap === undefined ? [] : [look.gap] };
}

function ofEvent(on: Of<Source, 'event'>, { at, event }: SeenEvent): Found | undefined {
  if (event.kind !== on.event) return undefined;
  const fields = event as unknown as Readonly<Record<string, unknown>>;
  for (const [field, wanted] of Object.entries(on.match)) {
    const value = fields[field];
    if (typeof wanted === 'string' ? !wildcard(wanted, String(value ?? '')) : value !== wanted) return undefined;
  }
  const { v: _v, at: _at, ...rest } = fields;
  return { key: at, values: Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, String(value)])), why: `event ${event.kind} at ${at}` };
}

function ofEvents(on: Of<Source, 'events'>, { at, event }: SeenEvent): Found | undefined {
  return on.kinds.includes(event.kind) ? { key: at, values: { event: JSON.stringify(event), kind: event.kind, at: String(event.at) }, why: `event ${event.kind} at ${at}` } : undefined;
}

/** Which end of a task an event tells; undefined for all others. */
export function settledState(kind: string): SettledState | undefined {
  return kind === 'task-done' ? 'done' : kind === 'task-failed' ? 'failed' : kind === 'task-parked' ? 'needs' : undefined;
}

function ofSettled(on: Of<Source, 'settled'>, { at, event, task }: SeenEvent): Found | undefined {
  const state = settledState(event.kind);
  const { id, marker, attempt, why } = event as { id?: string; marker?: string; attempt?: number; why?: string };
  if (state === undefined || id === undefined || (on.state !== undefined && on.state !== state)) return undefined;
  if (on.task !== undefined && !wildcard(on.task, id)) return undefined;
  if (on.tag !== undefined && task?.tags.includes(on.tag) !== true) return undefined;
  // Whoever rolls a settle forward tells it again; one that was never tried has no marker.
  const key = marker === undefined || marker === '' ? `${id} ${at}` : `${state} ${marker}`;
  return { key, values: { task: id, state, title: task?.title ?? id, why: why ?? '', attempt: String(attempt ?? 0), tags: task?.tags.join(' ') ?? '', story: task?.story ?? '' }, why: `${id} is ${state}${why === undefined ? '' : `: ${why.slice(0, 200)}`}` };
}

function ofInbox(on: Source, before: Of<Cursor, 'inbox'> | undefined, look: Of<Look, 'inbox'>): Advanced {
  if (on.kind !== 'inbox') return { cursor: before, found: [], gaps: [] };
  const seen: Record<string, string> = {};
  const found: Found[] = [];
  let edges = before?.edges ?? 0;
  for (const { name, path, hash } of look.files) {
    const known = before?.seen[name];
    const now = hash ?? known;
    if (now !== undefined) seen[name] = now;
    if (before === undefined || hash === undefined || hash === known) continue;
    edges += 1;
    found.push({ key: `${name} ${edges} ${hash}`, values: { file: path, name, dir: on.dir }, why: `${known === undefined ? 'new' : 'changed'}: ${path}`, file: path });
  }
  const gaps = look.gap === undefined ? [] : [look.gap];
  const same = before !== undefined && found.length === 0 && Object.keys(seen).length === Object.keys(before.seen).length && Object.keys(seen).every((name) => before.seen[name] === seen[name]);
  return { cursor: same ? before : { kind: 'inbox', seen, edges }, found, gaps: same ? [] : gaps };
}

const remember = (recent: readonly string[], keys: readonly string[]): readonly string[] => (keys.length === 0 ? recent : [...recent, ...keys].slice(-RECENT));
