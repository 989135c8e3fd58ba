import { newUi, type Model, type SessionRow, type TaskRow, type Ui } from '../../src/cli/top/state.js';
import type { QueueState } from '../../src/protocol/layout.js';

/** A model of a pit in the middle of its night; every test changes what it looks at. */
export const NOW = Date.UTC(2026, 11, 1, 3, 0, 0);

export function sessions(count: number, hostile = ''): SessionRow[] {
  return Array.from({ length: count }, (_, index): SessionRow => ({
    name: `s${index + 1}`,
    kind: 'snake',
    state: ['working', 'idle', 'blocked-on-permission', 'usage-limited', 'broken'][index % 5] ?? 'working',
    why: index % 5 === 3 ? `limit${hostile}` : '',
    task: index % 5 === 1 ? undefined : `task-${index + 1}${hostile}`,
    step: index % 7 === 0 ? 'review' : undefined,
    round: index % 7 === 0 ? 2 : undefined,
    profile: index % 2 === 0 ? 'claude' : 'codex',
    since: NOW - (index + 1) * 61_000,
    movedAt: NOW - index * 17_000,
    nudges: index % 3,
    attempt: 1 + (index % 3),
    tokens: index % 2 === 0 ? { input: 1000 * (index + 1), output: 50, cacheRead: 0, cacheWrite: 0, reasoning: 0, costUsd: 0.01 * (index + 1) } : undefined,
    memory: 1024 * 1024 * (index + 5),
    session: index % 5 === 1 ? undefined : `sp-${index}`,
  }));
}

export function tasks(count: number, state: TaskRow['state'], hostile = ''): TaskRow[] {
  return Array.from({ length: count }, (_, index): TaskRow => ({ id: `${state}-${index + 1}${hostile}`, state, file: `/pit/queue/${state}/${index}.md`, at: NOW - (index + 1) * 1000, attempt: 1, priority: 50, dueAt: undefined }));
}

const COUNTS: Record<QueueState, number> = { ready: 0, waiting: 0, held: 0, claimed: 0, reaping: 0, stuck: 0, needs: 0, done: 0, failed: 0 };

export function modelOf(change: Partial<Model> = {}): Model {
  const lists = change.tasks ?? { queue: [], done: [], failed: [], needs: [], held: [], stuck: [] };
  return {
    at: NOW,
    name: 'night',
    pit: { kind: 'running', pid: 4711, startedAt: NOW - 7_380_000, mode: 'run', wanted: change.sessions?.length ?? 0, tmux: 'up' },
    paused: false,
    hindrance: undefined,
    configProblem: undefined,
    counts: { ...COUNTS, ready: lists.queue.length, done: lists.done.length, failed: lists.failed.length, needs: lists.needs.length, held: lists.held.length, stuck: lists.stuck.length },
    refused: 0,
    rates: { done: 42, failed: 1.5, windowMs: 3_600_000 },
    oldestAt: lists.queue.length === 0 ? undefined : NOW - 720_000,
    accounts: [],
    load: 1.5,
    cpus: 2,
    disk: { freeBytes: 12 * 1024 ** 3, floorBytes: 268_435_456 },
    today: { tokens: 1_234_000, costUsd: 3.4, unpriced: false },
    budget: undefined,
    sessions: [],
    tasks: lists,
    details: new Map(),
    events: [],
    preview: undefined,
    ...change,
  };
}

export const uiOf = (change: Partial<Ui> = {}): Ui => ({ ...newUi(), ...change });

/** Every escape that the view itself makes in a frame: attributes and colours. */
// oxlint-disable-next-line no-control-regex -- what is looked for
export const SGR = /\u001b\[[0-9;]*m/g;
