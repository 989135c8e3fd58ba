import { join } from 'node:path';
import { unreachable } from '../../lib/unreachable.js';
import { describeOutcome, whyOf } from '../../runs/story.js';
import { attemptOf, parseWaiting } from '../../protocol/names.js';
import { RUN_FILES, type AgentRecord } from '../../protocol/records.js';
import { sumTokens } from '../../protocol/tokens.js';
import { endedTasks, type KnownTimes } from '../../queue/ended.js';
import { idOf } from '../../queue/locate.js';
import { lastTry } from '../../runs/decision.js';
import type { OutcomeRecord } from '../../runs/run-dir.js';
import type { Context } from '../context.js';
import type { Recent } from './recent.js';
import type { TaskDetail, TaskPane, TaskRow } from './state.js';

const STORY_BYTES = 16 * 1024;
const REFUSED = /^.+\.refused-[0-9a-z]{10}\.(md|special)$/;

export interface TaskFacts {
  readonly context: Context;
  readonly recent: Recent;
  readonly now: number;
  readonly ends: KnownTimes;
  /** The rows of the last look, handed out again while the directory has not changed. */
  readonly made: Map<TaskPane, { readonly from: readonly (readonly string[])[]; readonly rows: readonly TaskRow[] }>;
}

/** The rows of one list; no record is read for them. */
export async function observeTasks(facts: TaskFacts, pane: TaskPane): Promise<readonly TaskRow[]> {
  const { context, recent, now, made } = facts;
  const { layout } = context;
  const states = pane === 'queue' ? (['ready', 'waiting', 'reaping'] as const) : ([pane] as const);
  const from: (readonly string[])[] = [];
  for (const state of states) from.push(await recent.names(layout.dir(state), now));
  const known = made.get(pane);
  if (known !== undefined && known.from.every((names, index) => names === from[index])) return known.rows;
  const rows: TaskRow[] = [];
  for (const [index, state] of states.entries()) {
    const names = from[index] ?? [];
    rows.push(...(state === 'done' || state === 'failed' ? await endedRows(facts, state, names) : openRows(layout.dir(state), state, names)));
  }
  made.set(pane, { from, rows });
  return rows;
}

function openRows(dir: string, state: TaskRow['state'] & ('ready' | 'waiting' | 'reaping' | 'held' | 'needs' | 'stuck'), names: readonly string[]): TaskRow[] {
  return names.flatMap((file): TaskRow[] => {
    const found = idOf(state, file);
    if (found?.name === undefined) return [];
    const { counters, place } = found.name;
    const dueAt = state === 'waiting' ? parseWaiting(file)?.dueAt : undefined;
    return [{ id: found.id, state, file: join(dir, file), at: place.arrivedAt, attempt: attemptOf(counters), priority: place.priority, dueAt: dueAt === 0 ? undefined : dueAt }];
  });
}

/** Newest first; what was refused lies in failed/ too. */
async function endedRows({ context, now, ends }: TaskFacts, state: 'done' | 'failed', names: readonly string[]): Promise<TaskRow[]> {
  const { files, layout } = context;
  const dir = layout.dir(state);
  const row = (id: string, as: TaskRow['state'], file: string, at: number): TaskRow => ({ id, state: as, file, at, attempt: undefined, priority: undefined, dueAt: undefined });
  const rows = (await endedTasks(files, dir, names, ends)).map(({ id, file, at }) => row(id, state, file, at));
  const kept = new Set(rows.map(({ file }) => file));
  for (const path of ends.keys()) if (path.startsWith(`${dir}/`) && !kept.has(path.replace(/\.result\.md$/, '.md'))) ends.delete(path);
  if (state === 'done') return rows;
  const refused = names.filter((name) => REFUSED.test(name));
  for (const name of refused) rows.push(row(name.replace(/\.(md|special)$/, ''), 'refused', join(dir, name), (await files.mtimeMs(join(dir, name.replace(/\.(md|special)$/, '.result.md')))) ?? now));
  return refused.length === 0 ? rows : rows.sort((a, b) => b.at - a.at);
}

/** What a row tells beyond its file's name: its attempts' records, or its story. Only asked for what is on the screen. */
export async function observeDetail({ context, recent, now }: Pick<TaskFacts, 'context' | 'recent' | 'now'>, row: TaskRow, why: (id: string) => string | undefined): Promise<TaskDetail> {
  const { layout } = context;
  const nothing: TaskDetail = { note: '', attempt: row.attempt, agent: undefined, tookMs: undefined, tokens: undefined };
  switch (row.state) {
    case 'ready':
    case 'held':
    case 'claimed':
    case 'reaping':
      return nothing;
    case 'waiting':
      return { ...nothing, note: why(row.id) ?? '' };
    case 'refused': {
      const story = (await recent.text(row.file.replace(/\.(md|special)$/, '.result.md'), now, STORY_BYTES)) ?? '';
      return { ...nothing, note: /^- \*\*problem\*\*: (.*)$/m.exec(story)?.[1] ?? '' };
    }
    case 'done':
    case 'failed':
    case 'needs':
    case 'stuck':
      break;
    default:
      return unreachable(row.state);
  }
  const dir = join(layout.runs, row.id);
  const attempts: { outcome: OutcomeRecord; agent: AgentRecord | undefined }[] = [];
  for (const name of await recent.names(dir, now)) {
    if (!/^\d{3,}-[0-9a-z]{10}$/.test(name)) continue;
    const outcome = await recent.json<OutcomeRecord>(join(dir, name, RUN_FILES.outcome), now);
    if (outcome !== undefined) attempts.push({ outcome, agent: await recent.json<AgentRecord>(join(dir, name, RUN_FILES.agentEnd), now) });
  }
  attempts.sort((a, b) => a.outcome.endedAt - b.outcome.endedAt || a.outcome.attempt - b.outcome.attempt);
  const last = attempts.at(-1)?.outcome;
  const tried = lastTry(attempts.map(({ outcome }) => outcome));
  const told = row.state === 'failed' ? whyOf((await recent.text(row.file.replace(/\.md$/, '.result.md'), now, STORY_BYTES)) ?? '') : undefined;
  const tokens = attempts.flatMap(({ agent }) => agent?.tokens ?? []);
  return {
    note: told ?? (last === undefined ? '' : row.state === 'done' ? (last.outcome.kind === 'done' ? last.outcome.message : '') : describeOutcome(last.outcome)),
    attempt: row.attempt ?? tried?.attempt,
    agent: tried?.agent,
    tookMs: tried?.startedAt === undefined ? undefined : Math.max(0, tried.endedAt - tried.startedAt),
    tokens: tokens.length === 0 ? undefined : sumTokens(tokens),
    ...(last === undefined ? {} : { branch: branchOf(attempts.map(({ outcome }) => outcome)) }),
  };
}

/** By the records alone: what git says is asked when it is to be merged. */
function branchOf(records: readonly OutcomeRecord[]): NonNullable<TaskDetail['branch']> {
  const last = records.at(-1);
  if (last?.merge?.kind === 'merged' || last?.merge?.kind === 'proposed') return last.merge.kind;
  return (records.findLast(({ changes }) => changes !== undefined)?.changes?.fileCount ?? 0) > 0 && !isRejected(last) ? 'left' : 'none';
}

const isRejected = (record: OutcomeRecord | undefined): boolean => record?.outcome.kind === 'failed' && record.outcome.reason === 'rejected';
