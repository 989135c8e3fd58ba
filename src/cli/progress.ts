import { join } from 'node:path';
import type { Files } from '../lib/files.js';
import type { Layout } from '../protocol/layout.js';
import { idFromFileName } from '../protocol/task-id.js';
import { countStates } from '../queue/directory-store.js';
import { listState } from '../queue/locate.js';
import { explainWaiting } from '../queue/promote.js';
import { countRefusals, type Refusal } from '../queue/refusals.js';
import { isDropName } from '../queue/settled.js';
import type { Context } from './context.js';
import { CliError, EXIT } from './exit.js';
import { find } from './find.js';
import { stateWord } from './state-word.js';

/** How far that which is waited for has come. */
export interface Progress {
  readonly open: number;
  readonly failed: readonly string[];
  readonly line: string;
  /** Open, but only a person can move them; those that wait for such a task are among them. */
  readonly parked: number;
  /** Those of them that ask something. */
  readonly asking: readonly string[];
  /** Tasks were named, and these are what was refused of them. */
  readonly named: boolean;
  readonly refused: readonly Refusal[];
}

export async function progressOf(context: Context, names: readonly string[], memory: Map<string, Refusal>): Promise<Progress> {
  const states: { id: string; state: string }[] = [];
  const refused = new Set<Refusal>();
  for (const name of names) {
    const drops = await listDrops(context.files, context.layout);
    let found = await find(context, name, memory);
    // A file of that name is on its way in, or any may be the one that is meant.
    const onItsWay = found.kind === 'task' ? drops.some((drop) => drop === name || idFromFileName(Buffer.from(drop)) === name) : drops.length > 0;
    if (onItsWay) {
      states.push({ id: name, state: 'arriving' });
      continue;
    }
    // Between the two looks it may have been taken in.
    if (found.kind === 'nobody') found = await find(context, name, memory);
    if (found.kind === 'nobody') throw new CliError(`no task is called ${name}; see: snakepit ls`, EXIT.notFound);
    const refusal = found.kind === 'task' ? found.newer : found.refusal;
    if (refusal !== undefined) refused.add(refusal);
    states.push(found.kind === 'task' ? { id: found.task.id, state: found.task.state } : { id: name, state: 'refused' });
  }
  const behind = states.some((one) => one.state === 'waiting') ? await waitingForPerson(context) : new Set<string>();
  const inState = (...wanted: string[]): string[] => states.filter((one) => wanted.includes(one.state)).map((one) => one.id);
  return {
    open: states.length - inState('done', 'failed', 'refused').length,
    failed: inState('failed'),
    parked: inState('held', 'stuck', 'needs').length + inState('waiting').filter((id) => behind.has(id)).length,
    asking: inState('needs'),
    line: states.map((one) => `${one.id} ${stateWord(one.state)}`).join('  '),
    named: true,
    refused: [...refused],
  };
}

/** Files in the drop zone that the pit will take in or refuse; their ids are not known yet. A directory called x.md stays there for good. */
export async function listDrops(files: Files, layout: Layout): Promise<string[]> {
  const drops: string[] = [];
  for (const name of await files.list(layout.queue)) {
    if (isDropName(Buffer.from(name)) && (await files.inspect(join(layout.queue, name)))?.kind !== 'directory') drops.push(name);
  }
  return drops;
}

export async function progressOfAll(context: Context): Promise<Progress> {
  const { files, layout } = context;
  const counts = await countStates(files, layout);
  const dropped = (await listDrops(files, layout)).length;
  const refused = await countRefusals(files, layout);
  const names = (await listState(files, layout, 'claimed')).map((task) => task.id).sort();
  const halted = counts.held + counts.stuck + counts.needs;
  const parked = halted + (halted > 0 && counts.waiting > 0 ? (await waitingForPerson(context)).size : 0);
  const shown = names.length === 0 ? '' : `: ${names.slice(0, 4).join(', ')}${names.length > 4 ? ` and ${names.length - 4} more` : ''}`;
  return {
    open: dropped + counts.ready + counts.waiting + counts.claimed + counts.reaping + halted,
    failed: (await listState(files, layout, 'failed')).map((task) => task.id),
    parked,
    asking: (await listState(files, layout, 'needs')).map((task) => task.id),
    line: `ready ${counts.ready + dropped}  waiting ${counts.waiting}  done ${counts.done}  failed ${counts.failed}${refused === 0 ? '' : `  refused ${refused}`}${counts.needs === 0 ? '' : `  parked ${counts.needs}`}  running ${counts.claimed}${shown}`,
    named: false,
    refused: [],
  };
}

/** Waiting tasks that cannot go before a person has moved another one, however long they wait. */
async function waitingForPerson({ files, layout, clock }: Context): Promise<Set<string>> {
  const verdicts = await explainWaiting(files, layout, clock.wallMs());
  return new Set([...verdicts].flatMap(([id, verdict]) => (verdict.kind === 'not-yet' && (verdict.halted?.length ?? 0) > 0 ? [id] : [])));
}
