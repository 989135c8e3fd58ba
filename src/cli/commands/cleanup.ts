import { execute, plan } from '../../cleanup/reaper.js';
import type { Successor } from '../../cleanup/state.js';
import { halfWritten, sweep } from '../../cleanup/sweeper.js';
import { take } from '../../lib/baton.js';
import { foreignHost } from '../../queue/host.js';
import { publishMissingStories } from '../../runs/publish.js';
import { livePit, openContext, print, printJson, readConfig, readSnapshot, type Context } from '../context.js';
import { CliError, EXIT } from '../exit.js';

export async function cleanup(dir: string | undefined, options: { dryRun?: boolean; json?: boolean }): Promise<void> {
  const context = openContext(dir);
  const { files, processes, layout } = context;
  const host = await foreignHost(files, layout);
  if (host !== undefined) throw new CliError(`tasks here are claimed by the host ${host}: nothing is touched. If that host is gone for good: rm ${layout.host}`, EXIT.busy);
  const setting = { layout, config: await readConfig(context), successor: await successors(context) };
  if (options.dryRun === true) {
    const planned = await plan(context, setting);
    const left = await halfWritten(context, layout);
    if (options.json === true) return printJson({ planned, halfWritten: left });
    printPlan(planned);
    for (const file of left) print(`sweep   ${file}: its writer is dead`);
    return;
  }
  const lock = await take(files, processes, layout.locks.cleanup);
  if (lock.kind === 'held') throw new CliError(`another cleanup is at work (pid ${lock.by.pid})`, EXIT.busy);
  try {
    const planned = await plan(context, setting);
    const reaped = await execute(context, setting, planned);
    const stories = await publishMissingStories(files, layout);
    const swept = await sweep(context, layout);
    if (options.json === true) return printJson({ planned, reaped, stories, swept });
    printPlan(planned);
    for (const one of reaped) print(`${one.id}: ${one.kind === 'gone' ? 'somebody else took care of it' : `now ${one.kind}`}`);
    for (const id of stories) print(`${id}: its story was missing and is written`);
    for (const file of swept) print(`swept ${file}: its writer is dead`);
  } finally {
    await lock.release();
  }
}

function printPlan(planned: Awaited<ReturnType<typeof plan>>): void {
  if (planned.length === 0) print('nothing is claimed');
  for (const one of planned) print(`${one.verdict.kind.padEnd(6)}  ${one.id}: ${one.verdict.rule} (${one.verdict.evidence})`);
}

/** A live pit starts the snakes it manages again; without one an `up` may come. */
async function successors(context: Context): Promise<(snake: string) => Successor> {
  if ((await livePit(context)) === undefined) return () => 'possible';
  const snapshot = await readSnapshot(context);
  // Without a snapshot the pit has not made its first round: whatever it will manage is left to it.
  if (snapshot === undefined) return () => 'expected';
  const managed = new Set(snapshot.snakes.filter((row) => row.state === 'up' || row.state === 'starting' || row.state === 'backing-off').map((row) => row.snake));
  return (snake) => (snapshot.mode !== 'now' && managed.has(snake) ? 'expected' : 'refused');
}
