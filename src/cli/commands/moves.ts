import { basename, dirname, join } from 'node:path';
import { parseAny, parseClaim, printReady } from '../../protocol/names.js';
import { RUN_FILES } from '../../protocol/records.js';
import { childrenOf } from '../../queue/children.js';
import { beginRound, takeIn } from '../../queue/intake.js';
import { idsOnTheWay, locate, type Located } from '../../queue/locate.js';
import { forgetNever, recordNever } from '../../protocol/never.js';
import { putAwayMended, putAwayQuestions } from '../../queue/stray-stories.js';
import { endDependent } from '../../runs/never.js';
import { currentRun } from '../../runs/steps.js';
import { readTerms } from '../config-in-force.js';
import { checkGround, note, openContext, print, withIntake, type Context } from '../context.js';
import { CliError, EXIT } from '../exit.js';
import { find, findTask } from '../find.js';
import { stateWord } from '../state-word.js';

/** Does it for each, says what went wrong with which, and ends with the worst code. */
async function each(dir: string | undefined, ids: readonly string[], act: (context: Context, id: string) => Promise<string>): Promise<void> {
  const context = openContext(dir);
  let failure: CliError | undefined;
  for (const id of ids) {
    try {
      print(await act(context, id));
    } catch (cause) {
      if (!(cause instanceof CliError)) throw cause;
      if (ids.length > 1) note(`snakepit: ${cause.message}`);
      failure = cause;
    }
  }
  if (failure !== undefined) throw ids.length > 1 ? new CliError('not all could be done, see above', failure.exitCode) : failure;
}

const moved = (id: string): CliError => new CliError(`${id} moved in this very moment; look again: snakepit show ${id}`, EXIT.busy);

/** Takes a task in again from where it lies; says under which id, and where it is now. */
export async function takeAgain(context: Context, task: Pick<Located, 'id' | 'file'>): Promise<{ id: string; state: string }> {
  const { config } = await readTerms(context);
  checkGround(context);
  return withIntake(context, async () => {
    const round = await beginRound(context.files, context.layout);
    const result = await takeIn(context, context.layout, round, dirname(task.file), Buffer.from(basename(task.file)), config.maxTaskBytes);
    if (result === undefined) throw moved(task.id);
    if (!result.ok) throw new CliError(`${task.id}:${result.error.line}: ${result.error.problem}; ${result.error.fix}`, EXIT.badTask);
    await putAwayMended(context.files, context.layout);
    return result.value;
  });
}

/** A failed task, or a refused file that was mended where it lies, once more. */
export async function retryOne(context: Context, name: string): Promise<string> {
  const found = await find(context, name);
  // A refused file that was mended where it lies.
  const task = found.kind === 'refused' ? { id: found.refusal.id, file: join(context.layout.dir('failed'), found.refusal.kept), state: 'failed' } : await findTask(context, name);
  if (task.state === 'done') throw new CliError(`${task.id} is done, not failed; to run it again: snakepit rerun ${task.id}`, EXIT.usage);
  if (task.state !== 'failed') throw new CliError(`${task.id} is ${stateWord(task.state)}, not failed${task.state === 'needs' ? `; answer it with: snakepit answer ${task.id}` : ''}`, EXIT.usage);
  const { id, state } = await takeAgain(context, task);
  await context.events.emit({ kind: 'task-retried', id });
  return `${id} is ${state} again`;
}

export const retry = (dir: string | undefined, names: readonly string[]): Promise<void> => each(dir, names, retryOne);

/** A done task once more, with fresh counters; its story goes where old stories go. */
export async function rerunOne(context: Context, name: string): Promise<string> {
  const task = await findTask(context, name);
  if (task.state !== 'done') throw new CliError(`${task.id} is ${stateWord(task.state)}, not done${task.state === 'failed' ? `; try it again with: snakepit retry ${task.id}` : ''}`, EXIT.usage);
  const { id, state } = await takeAgain(context, task);
  await context.events.emit({ kind: 'task-retried', id });
  return `${id} is ${state} again`;
}

export const rerun = (dir: string | undefined, names: readonly string[]): Promise<void> => each(dir, names, rerunOne);

/** Takes what is ready or waiting out of line until a person lets it go. */
export async function holdOne(context: Context, asked: string): Promise<string> {
  const task = await findTask(context, asked);
  const { id } = task;
  if (task.state === 'held') return `${id} is held already; let it go with: snakepit release ${id}`;
  const name = parseAny(basename(task.file));
  if ((task.state !== 'ready' && task.state !== 'waiting') || name === undefined) throw new CliError(`${id} is ${stateWord(task.state)}; only what is ready or waiting can be held${task.state === 'claimed' ? ` (end it with: snakepit cancel ${id})` : task.state === 'needs' ? ': it is not claimed before it is answered' : ''}`, EXIT.usage);
  if ((await context.files.rename(task.file, join(context.layout.dir('held'), printReady(name)))) === 'missing') throw moved(id);
  await context.events.emit({ kind: 'task-held', id });
  return `${id} is held; let it go with: snakepit release ${id}`;
}

export const hold = (dir: string | undefined, ids: readonly string[]): Promise<void> => each(dir, ids, holdOne);

/** Puts what is held back in line, at its place. */
export async function releaseOne(context: Context, asked: string): Promise<string> {
  const task = await findTask(context, asked);
  if (task.state !== 'held') throw new CliError(`${task.id} is ${stateWord(task.state)}, not held`, EXIT.usage);
  const { id, state } = await takeAgain(context, task);
  await context.events.emit({ kind: 'task-released', id });
  return `${id} is ${state}`;
}

export const release = (dir: string | undefined, ids: readonly string[]): Promise<void> => each(dir, ids, releaseOne);

/** Ends what runs; what does not run goes to failed/ at once. */
export async function cancelOne(context: Context, asked: string): Promise<string> {
  const { files, layout, events } = context;
  const task = await findTask(context, asked);
  const { id } = task;
  if (task.state === 'done' || task.state === 'failed') throw new CliError(`${id} has ended already: it is in ${task.state}/`, EXIT.usage);
  const claim = task.state === 'claimed' ? parseClaim(basename(task.file)) : undefined;
  if (claim !== undefined) {
    // Its snake sees the file at once and ends the session; if the snake is dead, whoever comes next does.
    const { base, dir } = await currentRun(files, layout, claim);
    await files.makeDir(base);
    await files.write(join(base, RUN_FILES.cancel), '');
    // Its snake looks at the session's directory.
    if (dir !== base && (await files.exists(dir))) await files.write(join(dir, RUN_FILES.cancel), '');
    await events.emit({ kind: 'task-cancelled', id });
    // Its attempt may have ended before it was seen; then the task has gone on, and nobody will look there again.
    const now = await locate(files, layout, id);
    if (now !== undefined && (now.state === 'ready' || now.state === 'waiting' || now.state === 'needs')) throw moved(id);
    return `${id} is being ended; wait for it with: snakepit wait ${id}${await goingOn(context, id)}`;
  }
  if (task.state === 'reaping') throw new CliError(`${id} is being cleaned up after a dead worker; try again in a moment`, EXIT.busy);
  const why = `cancelled: a person cancelled it ${task.state === 'needs' ? 'instead of answering it' : 'before it ran'}`;
  await recordNever(context, layout, id, why);
  if ((await files.rename(task.file, join(layout.dir('failed'), `${id}.md`))) === 'missing') {
    await forgetNever(files, layout, id);
    throw moved(id);
  }
  await events.emit({ kind: 'task-cancelled', id });
  if (task.state === 'needs') await putAwayQuestions(files, layout, context.clock.wallMs());
  await endDependent(context, layout, id, why);
  return `${id} is cancelled; it lies in failed/${await goingOn(context, id)}`;
}

/** Its children are tasks of their own, and end with nobody but themselves. */
async function goingOn({ files, layout }: Context, id: string): Promise<string> {
  const here = await idsOnTheWay(files, layout);
  const open = (await childrenOf(files, layout, id)).open.filter((child) => here.has(child));
  return open.length === 0 ? '' : `. What it tossed goes on; to end that too: snakepit cancel ${open.join(' ')}`;
}

export const cancel = (dir: string | undefined, ids: readonly string[]): Promise<void> => each(dir, ids, cancelOne);
