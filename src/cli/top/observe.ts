import { statfsSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { basename } from 'node:path';
import { memoryByMarker, type SeenProcesses } from '../../lib/tree-memory.js';
import type { Snapshot } from '../../protocol/snapshot.js';
import { countStates, type CountMemory } from '../../queue/directory-store.js';
import type { KnownTimes } from '../../queue/ended.js';
import { explainWaiting } from '../../queue/promote.js';
import { livePit, type Context } from '../context.js';
import { coolingAccounts, coolingWords } from '../cooling.js';
import { whyNothingIsClaimed } from '../hindrance.js';
import { tasksOnScreen } from './frame.js';
import { EventTail } from './observe-events.js';
import { observePreview } from './observe-preview.js';
import { observeSessions } from './observe-sessions.js';
import { Today } from './observe-today.js';
import { observeDetail, observeTasks, type TaskFacts } from './observe-tasks.js';
import { Recent } from './recent.js';
import { detailKey, type Model, type PitFacts, type Preview, type Size, type TaskDetail, type TaskPane, type TaskRow, type Ui } from './state.js';

/** The process table and the disk are looked at less often than files. */
const MACHINE_EVERY_MS = 5000;
const TASK_PANES = ['queue', 'done', 'failed', 'needs', 'held', 'stuck'] as const;

/** Looks at the published snapshot and at files, never at the pit. What has not changed is not read again, and of ten thousand ended tasks nothing is read but what is on the screen. */
export class Observer {
  private readonly context: Context;
  private readonly recent: Recent;
  private readonly tail: EventTail;
  private readonly today: Today;
  private readonly counts: CountMemory = new Map();
  private readonly ends: KnownTimes = new Map();
  private readonly made: TaskFacts['made'] = new Map();
  private readonly seen: SeenProcesses = new Map();
  private machine: { readonly at: number; readonly memory: ReadonlyMap<string, number>; readonly disk: Model['disk'] } | undefined;
  private whys: { readonly stamp: readonly TaskRow[]; readonly at: number; readonly of: ReadonlyMap<string, string> } | undefined;

  constructor(context: Context) {
    this.context = context;
    this.recent = new Recent(context.files);
    this.tail = new EventTail(context.files, context.layout);
    this.today = new Today(context);
  }

  /** All facts but for what depends on the screen: see `fill`. */
  async look(ui: Ui): Promise<Model> {
    const { context, recent } = this;
    const { files, layout, clock } = context;
    const now = clock.wallMs();
    recent.begin();
    const pit = await livePit(context);
    const published = await recent.json<Snapshot>(layout.snapshot, now);
    const snapshot = published?.v === 1 ? published : undefined;
    await this.tail.look(now);
    const used = await this.today.look(now);
    const machine = await this.machineAt(now, used.config.minFreeBytes);
    const shown: TaskPane | undefined = ui.focus === 'sessions' ? (ui.list === 'events' ? undefined : ui.list) : ui.focus === 'events' ? undefined : ui.focus;
    const tasks = Object.fromEntries(TASK_PANES.map((pane) => [pane, [] as readonly TaskRow[]])) as Record<TaskPane, readonly TaskRow[]>;
    tasks.queue = await this.tasks('queue', now);
    if (shown !== undefined && shown !== 'queue') tasks[shown] = await this.tasks(shown, now);
    return {
      at: now,
      name: basename(layout.root),
      pit: pitFacts(pit?.pid, snapshot),
      paused: await files.exists(layout.paused),
      hindrance: pit === undefined ? undefined : await whyNothingIsClaimed(context, used.verdict),
      configProblem: pit === undefined ? undefined : snapshot?.configProblem,
      counts: await countStates(files, layout, { memory: this.counts, nowMs: now }),
      refused: (await recent.names(layout.dir('failed'), now)).filter((name) => /\.refused-[0-9a-z]{10}\.(md|special)$/.test(name)).length,
      rates: this.tail.rates(now),
      oldestAt: tasks.queue.reduce<number | undefined>((oldest, { at }) => (oldest === undefined || at < oldest ? at : oldest), undefined),
      accounts: (await coolingAccounts(context)).map((one) => `account ${one.account}: ${coolingWords(one, now)}`),
      load: loadavg()[0] ?? 0,
      cpus: availableParallelism(),
      disk: machine.disk,
      today: used.today,
      budget: used.budget,
      sessions: await observeSessions({ layout, recent, snapshot, alive: pit !== undefined, now, memory: machine.memory }),
      tasks,
      details: new Map(),
      events: this.tail.tail,
      preview: undefined,
    };
  }

  /** What only the rows on the screen need. */
  async fill(model: Model, ui: Ui, size: Size): Promise<Model> {
    const details = new Map<string, TaskDetail>();
    const rows = tasksOnScreen(model, ui, size);
    const whys = rows.some(({ state }) => state === 'waiting') ? await this.waiting(model) : undefined;
    for (const row of rows) details.set(detailKey(row), await observeDetail({ context: this.context, recent: this.recent, now: model.at }, row, (id) => whys?.get(id)));
    return { ...model, details };
  }

  /** What is seen of the selected one: its screen, its story, its question. One call of tmux at most. */
  preview(model: Model, ui: Ui): Promise<Preview | undefined> {
    return observePreview(this.context, this.recent, model, ui);
  }

  private tasks(pane: TaskPane, now: number): Promise<readonly TaskRow[]> {
    return observeTasks({ context: this.context, recent: this.recent, now, ends: this.ends, made: this.made }, pane);
  }

  /** Why the waiting wait; reckoned anew when the queue has changed, and now and then. */
  private async waiting({ tasks, at }: Model): Promise<ReadonlyMap<string, string>> {
    if (this.whys === undefined || this.whys.stamp !== tasks.queue || at - this.whys.at > MACHINE_EVERY_MS || at < this.whys.at) {
      const { files, layout } = this.context;
      this.whys = { stamp: tasks.queue, at, of: new Map([...(await explainWaiting(files, layout, at))].map(([id, { why }]) => [id, why])) };
    }
    return this.whys.of;
  }

  private async machineAt(now: number, floor: number): Promise<NonNullable<Observer['machine']>> {
    const known = this.machine;
    if (known !== undefined && now >= known.at && now - known.at < MACHINE_EVERY_MS) return known;
    const { layout } = this.context;
    const running = (await this.recent.names(layout.dir('claimed'), now)).length > 0 || (await this.recent.names(layout.residents, now)).length > 0;
    this.machine = { at: now, memory: running ? memoryByMarker('SNAKEPIT_CLAIM', this.seen) : new Map(), disk: diskOf(layout.state, floor) };
    return this.machine;
  }
}

function diskOf(dir: string, floorBytes: number): Model['disk'] {
  try {
    const disk = statfsSync(dir);
    return { freeBytes: disk.bavail * disk.bsize, floorBytes };
  } catch {
    return undefined;
  }
}

/** A pit that ends takes its snapshot away: one that lies there without a pit is a dead one's. */
function pitFacts(pid: number | undefined, snapshot: Snapshot | undefined): PitFacts {
  if (pid === undefined) return snapshot === undefined ? { kind: 'none' } : { kind: 'dead', pid: snapshot.pit.pid };
  if (snapshot === undefined || snapshot.pit.pid !== pid) return { kind: 'starting', pid };
  return { kind: 'running', pid, startedAt: snapshot.startedAt, mode: snapshot.mode, wanted: snapshot.wanted, tmux: snapshot.tmux };
}
