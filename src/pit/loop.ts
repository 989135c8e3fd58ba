import { watch, watchedSessions, type WatchMemory } from '../watchdog/watch.js';
import type { Successor } from '../cleanup/state.js';
import { parseDesired, type DesiredRecord, type SnakeRow, type Snapshot } from '../protocol/snapshot.js';
import { parseJson } from '../protocol/records.js';
import { unreachable } from '../lib/unreachable.js';
import { countStates, type CountMemory } from '../queue/directory-store.js';
import { takeInDrops, type DropMemory } from '../queue/drops.js';
import { promoteWaiting, type NeedsMemory } from '../queue/promote.js';
import { putAwayQuestions } from '../queue/stray-stories.js';
import { lookAtRecurring, newRecurringMemory, type RecurringMemory } from '../recurring/look.js';
import { specialistSightings } from '../specialists/sightings.js';
import { missingTexts, publishMissing } from '../runs/publish.js';
import { endDependent } from '../runs/never.js';
import { faultLine, faultWords, workflowFault } from '../workflow/fault.js';
import { newBellMemory, ringBell, type BellMemory } from '../pings/bell.js';
import { applySupervise } from './apply.js';
import { budgetRound, newBudgetMemory, spentNow, spentRule, type BudgetMemory } from './budget.js';
import { diskRound, newDiskMemory, type DiskMemory } from './disk.js';
import { cleanRound, type CleanMemory } from './clean.js';
import type { LiveConfig } from './live-config.js';
import { metricsRound, newMetricsMemory, type MetricsMemory } from './metrics.js';
import { observeOrphans, observeSnakes, observeSpawned } from './observe.js';
import type { PitPorts, PitSetting } from './ports.js';
import { emptyRoster, residentRows, tickResidents, watchedResidents, type ResidentMemory } from '../residents/roster.js';
import type { Slot, Slots } from './state.js';
import { supervise, SUPERVISE_POLICY } from './supervise.js';

/** What the pit remembers from tick to tick; all of it is found again after a crash. */
export interface PitMemory extends CleanMemory {
  slots: Map<string, Slot>;
  desired: DesiredRecord;
  readonly drops: DropMemory;
  readonly needs: NeedsMemory;
  readonly counts: CountMemory;
  /** Directory times at the last look for promotions, and when that was. */
  promoteKey: string;
  promotedMonoMs: number;
  tmuxMonoMs: number;
  /** It did not answer the last time, and that was said. */
  tmuxSilent: boolean;
  readonly watched: WatchMemory;
  readonly recurring: RecurringMemory;
  readonly bell: BellMemory;
  readonly residents: ResidentMemory;
  readonly budget: BudgetMemory;
  readonly disk: DiskMemory;
  readonly metrics: MetricsMemory;
  lastSnapshot: string;
}

/** Of a pit that has seen nothing yet. */
export const newPitMemory = (desired: DesiredRecord): PitMemory => ({
  slots: new Map(),
  cleanedMonoMs: undefined,
  thoroughMonoMs: undefined,
  worktrees: undefined,
  owing: new Set(),
  counting: undefined,
  desired,
  drops: new Map(),
  needs: new Map(),
  residents: emptyRoster(),
  counts: new Map(),
  promoteKey: '',
  promotedMonoMs: 0,
  tmuxMonoMs: Number.NEGATIVE_INFINITY,
  tmuxSilent: false,
  watched: { sessions: new Map(), at: undefined },
  recurring: newRecurringMemory(),
  bell: newBellMemory(),
  budget: newBudgetMemory(),
  disk: newDiskMemory(),
  metrics: newMetricsMemory(),
  lastSnapshot: '',
});

/** What a tick left to say: when the next one should come, and whether going down is finished. */
export interface Ticked {
  readonly nextMs: number;
  readonly over: boolean;
}

/** One tick: take in, let go, supervise, reap, look at tmux once, publish. */
export async function tick(ports: PitPorts, setting: PitSetting, memory: PitMemory, live: LiveConfig): Promise<Ticked> {
  const { files, clock, processes } = ports;
  const { layout } = setting;
  await live.refresh();
  await readDesired(ports, setting, memory);
  const config = live.current();
  const drops = await takeInDrops(ports, layout, memory.drops, config, async ({ spec }, bytes) => {
    const fault = await workflowFault(files, layout.root, spec, config.workflow);
    const line = fault === undefined ? undefined : faultLine(fault, spec, bytes);
    // A workflow's own file may be mended before the task's turn comes.
    return fault === undefined || line === undefined ? undefined : { line, problem: faultWords(fault), fix: 'what there is, and what it takes: snakepit workflows' };
  });
  // A pit that goes down begins nothing: what comes due meanwhile is made up for by the next one.
  if (memory.desired.mode === 'run') await lookAtRecurring(ports, layout, memory.recurring, config, () => specialistSightings(ports, layout, config));
  const moved = await promote(ports, setting, memory, config.rescanMs);

  const { seen, leftovers } = await observeSnakes(files, processes, layout);
  const spawned = await observeSpawned(processes, memory.slots);
  const decided = supervise(SUPERVISE_POLICY, memory.slots, seen, spawned, memory.desired, clock.monoMs(), await observeOrphans(files, processes, layout));
  memory.slots = decided.slots;
  for (const action of decided.actions) {
    const slot = await applySupervise(ports, setting, action);
    if (slot !== undefined) memory.slots.set(action.snake, slot);
  }
  for (const file of leftovers) await files.remove(file);

  await cleanRound(ports, setting, config, (snake) => successorOf(memory.slots, memory.desired, snake), memory, memory.disk.over);
  await budgetRound(ports, setting, config, memory.budget);
  await tickResidents(ports, setting.residents, { config, profiles: live.profiles(), desired: memory.desired, spent: () => spentNow(ports, setting, config, memory.budget) }, memory.residents);
  const tmux = await lookAtTmux(ports, setting, memory, config.rescanMs, live);
  ringBells(ports, setting, memory, live);
  diskRound(ports, setting, config, memory.disk);
  metricsRound(ports, setting, config, memory.metrics);
  await publish(ports, setting, memory, live, tmux);

  const busy = [...memory.slots.values()].some((slot) => slot.kind === 'up' || slot.kind === 'starting' || slot.kind === 'backing-off');
  const over = memory.desired.mode !== 'run' && !busy;
  const soon = drops.waiting > 0 || moved;
  return { nextMs: soon ? Math.min(100, config.tickMs) : config.tickMs, over };
}

function ringBells(ports: PitPorts, setting: PitSetting, memory: PitMemory, live: LiveConfig): void {
  const config = live.current();
  ringBell(ports, live.profiles(), { layout: setting.layout, rules: live.pings(), keepMs: config.pingKeepMs, settleMs: config.settleMs, gitMs: Math.max(config.tickMs, config.rescanMs / 10), spent: () => spentNow(ports, setting, config, memory.budget) }, memory.bell);
}

/** Before the first tick: a rule that is new finds what happens from its first look on, and nothing may happen before it. */
export async function firstRing(ports: PitPorts, setting: PitSetting, memory: PitMemory, live: LiveConfig): Promise<void> {
  ringBells(ports, setting, memory, live);
  await memory.bell.ringing;
}

async function readDesired({ files, events }: PitPorts, { layout }: PitSetting, memory: PitMemory): Promise<void> {
  const wanted = parseDesired(parseJson(await files.read(layout.desired)));
  if (wanted === undefined) return;
  const before = memory.desired;
  if (wanted.snakes !== before.snakes) await events.emit({ kind: 'snakes-scaled', from: before.snakes, to: wanted.snakes });
  if (wanted.generation !== before.generation) {
    for (const [snake, slot] of memory.slots) if (slot.kind === 'broken') memory.slots.delete(snake);
  }
  memory.desired = wanted;
}

/** Promotions are looked for when something ended or arrived, when a time may have come, and at each rescan. */
async function promote(ports: PitPorts, { layout }: PitSetting, memory: PitMemory, rescanMs: number): Promise<boolean> {
  const { files, clock } = ports;
  const times = await Promise.all([layout.dir('waiting'), layout.dir('done'), layout.dir('failed'), layout.dir('needs')].map((dir) => files.mtimeMs(dir)));
  const dueBy = printDue(clock.wallMs());
  const due = (await files.list(layout.dir('waiting'))).some((name) => name < dueBy && !name.startsWith('000000000_'));
  const key = times.join(' ');
  if (!due && key === memory.promoteKey && clock.monoMs() - memory.promotedMonoMs < rescanMs) return false;
  memory.promoteKey = key;
  memory.promotedMonoMs = clock.monoMs();
  const never = await promoteWaiting(ports, layout, memory.needs);
  for (const one of never) await endDependent(ports, layout, one.id, one.why);
  await publishMissing(files, layout, await missingTexts(files, layout));
  await putAwayQuestions(files, layout, clock.wallMs());
  return never.length > 0;
}

const printDue = (nowMs: number): string => `${Math.floor(nowMs).toString(36).padStart(9, '0')}_~`;

function successorOf(slots: Slots, desired: DesiredRecord, snake: string): Successor {
  const slot = slots.get(snake);
  if (desired.mode === 'now' || slot === undefined) return 'refused';
  switch (slot.kind) {
    case 'starting':
    case 'backing-off':
    case 'up':
      return 'expected';
    case 'empty':
    case 'broken':
      return 'refused';
    default:
      return unreachable(slot);
  }
}

/** The one query per tick; none while nothing is claimed, but for a slow look whether the server still stands. */
async function lookAtTmux(ports: PitPorts, { layout, residents }: PitSetting, memory: PitMemory, rescanMs: number, live: LiveConfig): Promise<Pick<Snapshot, 'tmux' | 'sessions'>> {
  const { files, clock, tmux, log } = ports;
  const idle = (await files.list(layout.dir('claimed'))).length === 0 && memory.residents.residents.size === 0;
  if (idle && clock.monoMs() - memory.tmuxMonoMs < rescanMs) return { tmux: 'up', sessions: 0 };
  memory.tmuxMonoMs = clock.monoMs();
  const profiles = live.profiles();
  const captured = await watchedSessions(ports, layout, profiles, memory.watched, watchedResidents(residents, memory.residents));
  const sessions = await tmux.sessions(captured);
  const silentBefore = memory.tmuxSilent;
  memory.tmuxSilent = sessions.kind === 'unknown';
  await watch(ports, layout, live.current(), profiles, memory.watched, sessions);
  switch (sessions.kind) {
    case 'listed':
      return { tmux: 'up', sessions: sessions.rows.length };
    case 'gone':
      // Its directory is being removed: a server founded now would be nobody's.
      if (!(await files.exists(layout.pitId))) return { tmux: 'gone', sessions: 0 };
      log.warn('the tmux server is gone; founding it anew');
      return { tmux: await tmux.found(files), sessions: 0 };
    case 'unknown':
      if (!silentBefore) log.warn('tmux does not answer', { why: sessions.why });
      return { tmux: 'unknown', sessions: 0 };
    default:
      return unreachable(sessions);
  }
}

async function publish(ports: PitPorts, { layout, startedAt, residents }: PitSetting, memory: PitMemory, live: LiveConfig, tmux: Pick<Snapshot, 'tmux' | 'sessions'>): Promise<void> {
  const { files, clock, processes } = ports;
  const body = {
    pit: processes.self(),
    startedAt,
    mode: memory.desired.mode,
    wanted: memory.desired.snakes,
    snakes: [...memory.slots].map(([snake, slot]) => rowOf(snake, slot)).sort((a, b) => Number(a.snake.slice(1)) - Number(b.snake.slice(1))),
    residents: await residentRows(ports, residents, memory.residents, spentRule(memory.budget)),
    counts: await countStates(files, layout, { memory: memory.counts, nowMs: clock.wallMs() }),
    configProblem: live.problem(),
    ...tmux,
  };
  const text = JSON.stringify(body);
  if (text === memory.lastSnapshot) return;
  memory.lastSnapshot = text;
  const snapshot: Snapshot = { v: 1, at: clock.wallMs(), ...body };
  await files.write(layout.snapshot, `${JSON.stringify(snapshot)}\n`);
}

function rowOf(snake: string, slot: Slot): SnakeRow {
  switch (slot.kind) {
    case 'empty':
      return { snake, state: 'empty', pid: undefined, why: undefined };
    case 'starting':
      return { snake, state: 'starting', pid: slot.process.pid, why: undefined };
    case 'up':
      return { snake, state: slot.told === 'nothing' ? 'up' : 'draining', pid: slot.process.pid, why: undefined };
    case 'backing-off':
      return { snake, state: 'backing-off', pid: undefined, why: `${slot.deaths.length} deaths` };
    case 'broken':
      return { snake, state: 'broken', pid: undefined, why: `${slot.why}; why: snakepit logs ${snake}; then say snakepit up again` };
    default:
      return unreachable(slot);
  }
}

