import { join } from 'node:path';
import type { EventSink } from '../events/event-log.js';
import type { Clock } from '../lib/clock.js';
import { PathError, type Files } from '../lib/files.js';
import { err, ok, type Result } from '../lib/result.js';
import { show } from '../lib/text.js';
import type { TaskFault } from '../protocol/front-matter.js';
import { isTaskFile, type Layout, type QueueState } from '../protocol/layout.js';
import { parseTask, type ParsedTask } from '../protocol/parse-task.js';
import { parseAny } from '../protocol/names.js';
import { idFromFileName } from '../protocol/task-id.js';
import { archivedMonths, doneFile } from './archive.js';
import { tasksOnTheWay, type Located } from './locate.js';
import { heldInstead, placeTask, type Placement } from './place.js';
import { refuse } from './refusals.js';

export interface IntakePorts {
  readonly files: Files;
  readonly clock: Clock;
  readonly events: EventSink;
}

/** What else a task file is held against, by rooms above this one. Undefined: nothing is wrong. */
export type TaskJudge = (task: ParsedTask, bytes: Uint8Array) => Promise<TaskFault | undefined>;

/** One round of taking in: the tasks known at its start, by id, and those it added. The caller holds the intake lock. */
export interface IntakeRound {
  readonly tasks: Map<string, readonly Pick<Located, 'state' | 'file'>[]>;
}

export async function beginRound(files: Files, layout: Layout): Promise<IntakeRound> {
  return { tasks: await tasksOnTheWay(files, layout) };
}

/** Reads and checks; changes nothing. `fileName` gives the id where the task itself gives none. */
export async function checkTask(bytes: Uint8Array, maxBytes: number): Promise<Result<ParsedTask, TaskFault>> {
  if (bytes.length > maxBytes) return err({ line: 1, problem: `larger than ${maxBytes} bytes`, fix: 'put data into files and name them under inputs:, or raise max-task-bytes' });
  return parseTask(bytes);
}

/** Where a checked task would go, unless its id is taken. `from`: the file itself, where it lies in one of our directories already: it is no duplicate of itself. `held`: a person put it into held/. */
export async function planPlacement(ports: IntakePorts, layout: Layout, round: IntakeRound, task: ParsedTask, fileName: Buffer, from?: string, held = false): Promise<Result<Placement, TaskFault>> {
  const placed = placeTask(task.spec, fileName, ports.clock.wallMs());
  const placement = held ? heldInstead(placed) : placed;
  const line = task.spec.id === undefined ? 1 : 2;
  // `x.result` would settle as done/x.result.md, which is where the story of `x` goes; questions have such names too.
  if (!isTaskFile(`${placement.id}.md`)) return err({ line, problem: `the id ${placement.id} is kept for stories, questions and refused files`, fix: 'give it another id, one that does not end in .result or .question' });
  const taken = await whereTaken(ports.files, layout, round, placement.id, from);
  if (taken === undefined) return ok(placement);
  const again = taken === 'failed' ? `to try that one again: snakepit retry ${placement.id}; else ` : taken === 'done' ? `to run that one again: snakepit rerun ${placement.id}; else ` : '';
  return err({ line, problem: `the id ${placement.id} is taken: a task of that id is in ${taken}/`, fix: `${again}${task.spec.id === undefined ? 'add `id: other` to its front matter' : 'change its id:'}` });
}

/** The id that a refused file means, as far as it can be seen: what it names, else what its name gives. */
export function meantId(bytes: Uint8Array | undefined, fileName: Buffer): string {
  const head = /^\uFEFF?---\r?\n([^]*?)\n---/.exec(Buffer.from(bytes?.subarray(0, 16_384) ?? []).toString('utf8'))?.[1];
  const named = /^id:[ \t]*([a-z0-9][a-z0-9._-]{0,63})[ \t]*\r?$/m.exec(head ?? '')?.[1];
  return named ?? parseAny(fileName.toString('latin1'))?.id ?? idFromFileName(fileName);
}

async function whereTaken(files: Files, layout: Layout, round: IntakeRound, id: string, from: string | undefined): Promise<QueueState | undefined> {
  const done = await doneFile(files, layout, id);
  if (done !== undefined && done !== from) return 'done';
  const failed = join(layout.dir('failed'), `${id}.md`);
  if (failed !== from && (await files.exists(failed))) return 'failed';
  return round.tasks.get(id)?.find(({ file }) => file !== from)?.state;
}

/** Takes in one settled file by one rename; refuses it into failed/, bytes unchanged, with the reason beside it. `held`: a person put it into held/, and it stays there. */
export async function takeIn(ports: IntakePorts, layout: Layout, round: IntakeRound, dir: string, fileName: Buffer, maxBytes: number, { judge, held = false }: { readonly judge?: TaskJudge | undefined; readonly held?: boolean } = {}): Promise<Result<Placement, TaskFault> | undefined> {
  const { files, events } = ports;
  const path = Buffer.concat([Buffer.from(`${dir}/`), fileName]);
  let bytes: Uint8Array | undefined;
  try {
    bytes = await files.readBytes(path, maxBytes + 1);
  } catch (cause) {
    // One file that we may not read must not end the pit; anything else (no descriptors left, a bad disk) is no fault of the file's.
    if (!(cause instanceof PathError) || (cause.code !== 'EACCES' && cause.code !== 'EPERM')) throw cause;
    const fault: TaskFault = { line: 1, problem: `it cannot be read (${cause.code})`, fix: 'give its reader the right to: chmod u+r, or change its owner' };
    await refuse(ports, layout, dir, fileName, meantId(undefined, fileName), fault);
    return err(fault);
  }
  if (bytes === undefined) return undefined;
  const read = await checkTask(bytes, maxBytes);
  const fault = read.ok ? await judge?.(read.value, bytes) : undefined;
  const checked = fault === undefined ? read : err(fault);
  const planned = checked.ok ? await planPlacement(ports, layout, round, checked.value, fileName, `${dir}/${fileName.toString('utf8')}`, held) : checked;
  if (!planned.ok) {
    await refuse(ports, layout, dir, fileName, meantId(bytes, fileName), planned.error);
    return planned;
  }
  const target = join(layout.dir(planned.value.state), planned.value.fileName);
  // Before its task moves: killed in between, a story that is missing is written again, but one that is left behind would be taken for the next one's.
  await putAwayStories(ports, layout, planned.value.id);
  if ((await files.rename(path, target)) === 'missing') return undefined;
  await settleIn(ports, layout, round, planned.value, fileName.toString('utf8'));
  if (checked.ok) for (const warning of checked.value.warnings) await events.emit({ kind: 'task-warned', id: planned.value.id, ...warning });
  return planned;
}

/** Stories of an earlier life go where old stories go. `alone`: only one beside which no task lies; its task may have ended again meanwhile. */
async function putAwayStories({ files, clock }: IntakePorts, layout: Layout, id: string, alone = false): Promise<void> {
  for (const dir of [layout.dir('failed'), layout.dir('done'), ...(await archivedMonths(files, layout)).map((month) => join(layout.archive, month))]) {
    const oldStory = join(dir, `${id}.result.md`);
    if (!(await files.exists(oldStory)) || (alone && (await files.exists(join(dir, `${id}.md`))))) continue;
    await files.makeDir(join(layout.runs, id));
    await files.rename(oldStory, join(layout.runs, id, `story-before-${clock.wallMs()}.md`));
  }
}

/** What follows a placement: it survives power loss, a story that was written meanwhile moves out of the way, and it is told. */
export async function settleIn(ports: IntakePorts, layout: Layout, round: IntakeRound, placement: Placement, from: string): Promise<void> {
  const { files, events } = ports;
  round.tasks.set(placement.id, [{ state: placement.state, file: join(layout.dir(placement.state), placement.fileName) }]);
  await files.syncDir(layout.dir(placement.state));
  await putAwayStories(ports, layout, placement.id, true);
  await events.emit({ kind: 'task-added', id: placement.id, from: show(from), state: placement.state });
}
