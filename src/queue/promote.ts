import { join } from 'node:path';
import type { EventSink } from '../events/event-log.js';
import type { Clock } from '../lib/clock.js';
import type { Files } from '../lib/files.js';
import type { Layout } from '../protocol/layout.js';
import { parseWaiting, printReady, type WaitingName } from '../protocol/names.js';
import { parseTask } from '../protocol/parse-task.js';
import { doneFile } from './archive.js';
import { awaitedBy } from './children.js';
import { judgeWaiting, type WaitVerdict } from './dependencies.js';
import { idsOnTheWay } from './locate.js';
import { forgetNever, recordNever } from '../protocol/never.js';

/** What each waiting file needs, read once per version of the file. */
export type NeedsMemory = Map<string, { readonly mtimeMs: number; readonly after: readonly string[]; readonly children: readonly string[] }>;

interface WaitingFile {
  readonly file: string;
  readonly name: WaitingName;
  /** When it may go, as far as the clock is concerned. */
  readonly dueAt: number;
  readonly after: readonly string[];
  /** Tasks that it has tossed and waits for. */
  readonly children: readonly string[];
}

export interface Waited {
  readonly id: string;
  readonly verdict: WaitVerdict;
}

/** A wait of up to an hour is a back-off, or as short as one. */
const SHORT_WAIT_MS = 3_600_000;
const SET_BACK_MS = 60_000;

/**
 * A file that its snake touched in what is the future now shows that the clock was set back since: a back-off that had begun then is over,
 * and does not wait for as long as the clock was set back. What was never tried waits for the clock itself (`at:`), and so does what waits for
 * longer: a day that a task or a provider named.
 */
export function dueBy(name: WaitingName, touchedAt: number, nowMs: number): number {
  const { failures, losses, deferrals } = name.counters;
  const tried = failures + losses + deferrals > 0;
  return tried && touchedAt - nowMs > SET_BACK_MS && name.dueAt - touchedAt <= SHORT_WAIT_MS ? nowMs : name.dueAt;
}

async function readWaiting(files: Files, layout: Layout, memory: NeedsMemory, nowMs: number): Promise<WaitingFile[]> {
  const found: WaitingFile[] = [];
  const names = await files.list(layout.dir('waiting'));
  for (const file of names) {
    const name = parseWaiting(file);
    if (name === undefined) continue;
    const path = join(layout.dir('waiting'), file);
    const mtimeMs = await files.mtimeMs(path);
    if (mtimeMs === undefined) continue;
    let known = memory.get(file);
    if (known?.mtimeMs !== mtimeMs) {
      const bytes = await files.readBytes(path, 16 * 1024 * 1024);
      const parsed = bytes === undefined ? undefined : await parseTask(bytes);
      // An edit broke it: let a snake claim it and say so with line and remedy.
      known = { mtimeMs, after: parsed?.ok === true ? parsed.value.spec.after : [], children: await awaitedBy(files, layout, name.id, file) };
      memory.set(file, known);
    }
    found.push({ file, name, dueAt: dueBy(name, mtimeMs, nowMs), after: known.after, children: known.children });
  }
  const present = new Set(names);
  for (const file of memory.keys()) if (!present.has(file)) memory.delete(file);
  return found;
}

/** Every waiting task with the reason why it waits; with `known`, also which needed ids exist nowhere. */
export async function judgeAllWaiting(files: Files, layout: Layout, memory: NeedsMemory, nowMs: number, known?: Parameters<typeof judgeWaiting>[3]): Promise<{ waiting: WaitingFile[]; verdicts: Map<string, WaitVerdict> }> {
  const waiting = await readWaiting(files, layout, memory, nowMs);
  const needed = new Set(waiting.flatMap((task) => [...task.after, ...task.children]));
  const done = new Set<string>();
  const failed = new Set<string>();
  for (const id of needed) {
    if ((await doneFile(files, layout, id)) !== undefined) done.add(id);
    else if (await files.exists(join(layout.dir('failed'), `${id}.md`))) failed.add(id);
  }
  const tasks = waiting.map(({ name, dueAt, after, children }) => ({ id: name.id, dueAt, after, children }));
  return { waiting, verdicts: judgeWaiting(tasks, { done: (id) => done.has(id), failed: (id) => failed.has(id) }, nowMs, known) };
}

/** For a person: each waiting task's reason; ids that exist nowhere, and tasks that only a person can move, are named as such. */
export async function explainWaiting(files: Files, layout: Layout, nowMs: number): Promise<Map<string, WaitVerdict>> {
  const ids = await idsOnTheWay(files, layout);
  const halted = new Set([...ids].flatMap(([id, state]) => (state === 'needs' || state === 'held' || state === 'stuck' ? [id] : [])));
  return (await judgeAllWaiting(files, layout, new Map(), nowMs, { ids: new Set(ids.keys()), halted })).verdicts;
}

/**
 * Lets go what may go: waiting/ → ready/ by one rename. What can never go ends in failed/; the caller tells its story.
 * Returns those.
 */
export async function promoteWaiting(ports: { files: Files; clock: Clock; events: EventSink }, layout: Layout, memory: NeedsMemory): Promise<{ id: string; why: string }[]> {
  const { files, clock, events } = ports;
  const { waiting, verdicts } = await judgeAllWaiting(files, layout, memory, clock.wallMs());
  const never: { id: string; why: string }[] = [];
  for (const { file, name } of waiting) {
    const verdict = verdicts.get(name.id);
    if (verdict === undefined || verdict.kind === 'not-yet') continue;
    const from = join(layout.dir('waiting'), file);
    if (verdict.kind === 'ready') {
      if ((await files.rename(from, join(layout.dir('ready'), printReady(name)))) === 'ok') await events.emit({ kind: 'task-promoted', id: name.id, why: verdict.why });
    } else if (!(await files.exists(join(layout.dir('failed'), `${name.id}.md`)))) {
      await recordNever(ports, layout, name.id, verdict.why);
      if ((await files.rename(from, join(layout.dir('failed'), `${name.id}.md`))) === 'ok') never.push({ id: name.id, why: verdict.why });
      else await forgetNever(files, layout, name.id);
    }
  }
  return never;
}
