import type { PitEvent } from '../events/event.js';
import type { EventSink } from '../events/event-log.js';
import type { Clock } from '../lib/clock.js';
import type { Files } from '../lib/files.js';
import type { Git } from '../git/run.js';
import { sameProcess, type Processes } from '../lib/processes.js';
import { unreachable } from '../lib/unreachable.js';
import { inWeekSpans, minuteOfWeek } from '../lib/week-hours.js';
import type { Layout } from '../protocol/layout.js';
import { decideOutbox, type OutboxAction, type OutboxFacts } from './decide.js';
import { advance } from './match.js';
import { observeCommits } from './observe-commits.js';
import { observeInbox, type InboxMemory } from './observe-inbox.js';
import { observeLog, withTask } from './observe-log.js';
import { gather } from './gather.js';
import { ofBundle } from './hook-words.js';
import { entriesOf, entryId, readEntry, readOutbox, readProgress, removeEntry, removeOtherCursors, writeEntry, writeProgress, type Progress } from './outbox.js';
import type { Outlet, Target } from './outlet.js';
import type { Cursor, Entry, Found, Look, PingReceipt, Rule } from './state.js';

export interface RoundPorts {
  readonly files: Files;
  readonly clock: Clock;
  readonly processes: Processes;
  readonly events: EventSink;
  readonly git: Git;
  readonly outlet: Outlet;
  /** For what a rule cannot see; said once until it changes. */
  readonly warn: (message: string, fields: object) => void;
}

export interface RoundSetting {
  readonly layout: Layout;
  readonly rules: readonly Rule[];
  readonly keepMs: number;
  readonly settleMs: number;
  /** Git is asked no more often than this. */
  readonly gitMs: number;
}

/** Found again from the files after a restart. */
export interface RoundMemory {
  readonly cursors: Map<string, Progress & { readonly on: Rule['on'] }>;
  /** Rules that were looked at with success in this process, so that their cursors stand behind all that they have queued. */
  readonly caughtUp: Set<string>;
  /** Entries that this process is typing. */
  readonly typing: Map<string, Promise<void>>;
  readonly inbox: InboxMemory;
  readonly problems: Map<string, string>;
  /** The rules of the last round, for a change of which other cursors are swept. */
  swept: readonly Rule[] | undefined;
  gitMonoMs: number;
  /** Nothing waited at the end of the last round, and there were no rules. */
  empty: boolean;
}

export const newRoundMemory = (): RoundMemory => ({ cursors: new Map(), caughtUp: new Set(), typing: new Map(), inbox: new Map(), problems: new Map(), swept: undefined, gitMonoMs: Number.NEGATIVE_INFINITY, empty: false });

/** How long a composer that is not fit is waited for, under the pane's lock; then others may have it, and it is tried again. */
const PATIENCE_MS = 5000;
/** Pings that wait for one target; more are a loop, or a target that never comes. */
const MOST = 200;

/** One round: every rule's source is looked at, what is found is put into the outbox, and what can be delivered is begun. */
export async function ring(ports: RoundPorts, setting: RoundSetting, memory: RoundMemory): Promise<void> {
  const { files, clock, processes, outlet } = ports;
  const { layout, rules, keepMs } = setting;
  if (memory.swept !== rules) {
    await removeOtherCursors(files, layout, rules);
    for (const name of memory.cursors.keys()) if (!rules.some((rule) => rule.name === name)) memory.cursors.delete(name);
    memory.swept = rules;
  }
  // Before the outbox is read: what ends meanwhile is not taken for somebody's who is dead.
  const typing = new Set(memory.typing.keys());
  let outbox = await readOutbox(files, layout);
  const logs = new Map<string, Promise<Look>>();
  const askGit = clock.monoMs() - memory.gitMonoMs >= setting.gitMs;
  if (askGit) memory.gitMonoMs = clock.monoMs();
  for (const rule of rules) {
    if (rule.on.kind === 'commit' && !askGit) continue;
    try {
      outbox = await look(ports, setting, memory, rule, outbox, logs);
    } catch (cause) {
      problem(ports, memory, rule.name, cause instanceof Error ? cause.message : String(cause));
    }
  }
  memory.empty = outbox.length === 0 && rules.length === 0;
  if (outbox.length === 0) return;
  const targets = new Map<string, Target>();
  for (const { to, state } of outbox) if (state.kind === 'queued' && !targets.has(to)) targets.set(to, await outlet.find(to));
  const consumed = new Set<string>();
  for (const { id, state, file } of outbox) {
    if (state.kind !== 'queued' && !sameProcess(state.by, processes.self()) && (await processes.liveness(state.by)) !== 'dead') typing.add(id);
    if (file !== undefined && state.kind === 'queued' && !(await files.exists(file))) consumed.add(id);
  }
  const held = new Set(rules.filter((rule) => !memory.caughtUp.has(rule.name)).map((rule) => rule.name));
  const facts: OutboxFacts = { places: targets, typing, consumed, held };
  for (const action of decideOutbox(outbox, facts, keepMs, clock.wallMs())) await apply(ports, layout, memory, action, targets.get(action.entry.to));
}

/** One rule: outbox first, cursor second. Returns the outbox with what was added. */
async function look(ports: RoundPorts, setting: RoundSetting, memory: RoundMemory, rule: Rule, outbox: readonly Entry[], logs: Map<string, Promise<Look>>): Promise<Entry[]> {
  const { files, clock, events } = ports;
  const { layout } = setting;
  let known = memory.cursors.get(rule.name);
  if (known === undefined || known.on !== rule.on) {
    known = { on: rule.on, ...(await readProgress(files, layout, rule)) };
    memory.cursors.set(rule.name, known);
    memory.caughtUp.delete(rule.name);
  }
  const seen = await observe(ports, setting, memory, rule, known.cursor, logs);
  if (seen.kind === 'unseen') {
    problem(ports, memory, rule.name, seen.why);
    return [...outbox];
  }
  const { cursor, found, gaps } = advance(rule, known.cursor, seen);
  memory.caughtUp.delete(rule.name);
  let after = [...outbox];
  const nowMs = clock.wallMs();
  const { held, tell } = gather(rule.gathering, known.held, unqueued(rule, found, outbox), (at) => inWeekSpans(rule.gathering?.quiet ?? [], minuteOfWeek(at)), nowMs);
  after = await queue(ports, setting, rule, tell, after);
  for (const why of gaps) await events.emit({ kind: 'ping-gap', from: rule.name, why });
  if (cursor !== undefined && (cursor !== known.cursor || held !== known.held)) await writeProgress(files, layout, rule, cursor, held);
  memory.cursors.set(rule.name, { on: rule.on, cursor, held });
  if (held.closed.length > 0 && cursor !== undefined) {
    for (const bundle of held.closed) {
      const one = ofBundle(bundle, rule.name);
      if (bundle.count > 1) await events.emit(JSON.parse(one.values['event'] ?? '') as PitEvent);
      after = await queue(ports, setting, rule, [one], after);
    }
    const { closed: _closed, ...rest } = held;
    const empty = { ...rest, closed: [] };
    await writeProgress(files, layout, rule, cursor, empty);
    memory.cursors.set(rule.name, { on: rule.on, cursor, held: empty });
  }
  memory.caughtUp.add(rule.name);
  memory.problems.delete(rule.name);
  return after;
}

/** Without what the outbox has: a crash came before the cursor, and what is on its way is not held back as well. */
function unqueued(rule: Rule, found: readonly Found[], outbox: readonly Entry[]): readonly Found[] {
  if (rule.gathering === undefined || found.length === 0 || outbox.length === 0) return found;
  const queued = new Set(outbox.map(({ id }) => id));
  return found.filter((one) => !rule.to.every((to) => queued.has(entryId(rule.name, one.key, to))));
}

/** Into the outbox, each once. Returns it with what was added. */
async function queue({ files, clock, events }: RoundPorts, { layout }: RoundSetting, rule: Rule, found: readonly Found[], outbox: readonly Entry[]): Promise<Entry[]> {
  const after = [...outbox];
  for (const one of found) {
    for (const entry of entriesOf(rule, one, Math.max(clock.wallMs(), ...after.map(({ order }) => order + 1)), clock.wallMs())) {
      if (after.some(({ id }) => id === entry.id)) continue;
      const { id, to, text, why } = entry;
      if (after.filter((other) => other.to === to).length >= MOST) {
        await events.emit({ kind: 'ping-dropped', ping: id, from: rule.name, to, text, why: `${MOST} wait for ${to} already` });
        continue;
      }
      await writeEntry(files, layout, entry);
      after.push(entry);
      await events.emit({ kind: 'ping-queued', ping: id, from: rule.name, to, text, why });
    }
  }
  return after;
}

async function observe(ports: RoundPorts, { layout, settleMs }: RoundSetting, memory: RoundMemory, { on }: Rule, cursor: Cursor | undefined, logs: Map<string, Promise<Look>>): Promise<Look> {
  const { files, clock, git } = ports;
  switch (on.kind) {
    case 'commit':
      return observeCommits(git, layout.root, on, cursor?.kind === 'commit' ? cursor : undefined);
    case 'inbox':
      return observeInbox(files, clock, layout.root, on, memory.inbox, cursor === undefined, settleMs);
    case 'event':
    case 'events':
    case 'settled': {
      const from = cursor?.kind === 'log' ? cursor : undefined;
      const key = from === undefined ? '' : `${from.file} ${from.offset}`;
      const log = await (logs.get(key) ?? observeLog(files, layout, from, clock.wallMs()));
      logs.set(key, Promise.resolve(log));
      return on.kind === 'settled' && log.kind === 'log' ? { ...log, events: await Promise.all(log.events.map((seen) => withTask(files, layout, seen))) } : log;
    }
    default:
      return unreachable(on);
  }
}

function problem({ warn }: RoundPorts, memory: RoundMemory, rule: string, why: string): void {
  if (memory.problems.get(rule) === why) return;
  memory.problems.set(rule, why);
  warn('a rule of pings: cannot be looked at', { rule, why });
}

async function apply(ports: RoundPorts, layout: Layout, memory: RoundMemory, action: OutboxAction, target: Target | undefined): Promise<void> {
  const { files, clock, events, processes } = ports;
  const { entry } = action;
  switch (action.kind) {
    case 'close':
      return entry.state.kind === 'settled' ? close(ports, layout, entry, entry.state.receipt) : undefined;
    case 'report':
      // It may have ended between the look at its file and the one at its process.
      if ((await readEntry(files, layout, entry.id))?.state.kind !== 'begun') return;
      return settle(ports, layout, entry, { kind: 'unconfirmed', rule: action.rule, evidence: action.evidence });
    case 'again':
      if ((await readEntry(files, layout, entry.id))?.state.kind !== 'begun') return;
      return writeEntry(files, layout, { ...entry, state: { kind: 'queued', tries: 1, triedAt: clock.wallMs(), refusal: action.rule } });
    case 'drop':
      await events.emit({ kind: 'ping-dropped', ping: entry.id, from: entry.rule, to: entry.to, text: entry.text, why: `${action.rule}${action.evidence === '' ? '' : `: ${action.evidence}`}` });
      return removeEntry(files, layout, entry.id);
    case 'deliver': {
      if (target?.kind !== 'ready') return;
      // On disk before the first character: whoever comes after a kill types it no second time.
      const begun: Entry = { ...entry, state: { kind: 'begun', at: clock.wallMs(), by: processes.self() } };
      await writeEntry(files, layout, begun);
      const typing = type(ports, layout, entry, target).finally(() => memory.typing.delete(entry.id));
      memory.typing.set(entry.id, typing);
      return;
    }
    default:
      return unreachable(action.kind);
  }
}

/** Takes seconds, and the round does not wait for it. Never throws. */
async function type(ports: RoundPorts, layout: Layout, entry: Entry, target: Extract<Target, { kind: 'ready' }>): Promise<void> {
  const { files, clock, events } = ports;
  try {
    const receipt = await target.say(entry.state.kind === 'queued' ? { ...entry, tries: entry.state.tries } : entry, PATIENCE_MS).catch((cause: unknown): PingReceipt => ({ kind: 'unconfirmed', rule: 'typing broke off', evidence: cause instanceof Error ? cause.message : String(cause) }));
    if (receipt.kind !== 'refused' || receipt.final === true) return await settle(ports, layout, entry, receipt);
    const before = entry.state.kind === 'queued' ? entry.state : { tries: 0, refusal: undefined };
    await writeEntry(files, layout, { ...entry, state: { kind: 'queued', tries: before.tries + 1, triedAt: clock.wallMs(), refusal: receipt.rule } });
    // One that is refused for an hour for one reason is one line.
    if (before.refusal !== receipt.rule) await events.emit(delivered(entry, receipt));
  } catch {
    // Our own directory cannot be written: the entry stands as begun, and is reported unconfirmed by whoever comes next.
  }
}

const delivered = ({ id, rule, to }: Entry, receipt: PingReceipt) => ({ kind: 'ping-delivered' as const, ping: id, from: rule, to, receipt: receipt.kind, rule: receipt.rule, evidence: receipt.evidence });

async function settle(ports: RoundPorts, layout: Layout, entry: Entry, receipt: PingReceipt): Promise<void> {
  await writeEntry(ports.files, layout, { ...entry, state: { kind: 'settled', by: ports.processes.self(), receipt } });
  return close(ports, layout, entry, receipt);
}

async function close({ files, events }: RoundPorts, layout: Layout, entry: Entry, receipt: PingReceipt): Promise<void> {
  await events.emit(delivered(entry, receipt));
  await removeEntry(files, layout, entry.id);
}
