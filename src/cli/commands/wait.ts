import { join } from 'node:path';
import { parseDuration } from '../../lib/duration.js';
import type { Files } from '../../lib/files.js';
import type { Layout } from '../../protocol/layout.js';
import { isDropName } from '../../queue/settled.js';
import { countStates } from '../../queue/directory-store.js';
import { listState, locate } from '../../queue/locate.js';
import { livePit, note, openContext, type Context } from '../context.js';
import { CliError, EXIT } from '../exit.js';

const LOOK_MS = 200;
/** So many looks in a row without a pit before giving up: one that is being replaced is back sooner. */
const PITLESS_LOOKS = 25;

interface Progress {
  readonly open: number;
  readonly failed: readonly string[];
  readonly line: string;
  /** Open, but only a person can move them. */
  readonly parked: number;
}

export async function wait(dir: string | undefined, ids: readonly string[], options: { timeout?: string; quiet?: boolean }): Promise<void> {
  const context = openContext(dir);
  const timeoutMs = options.timeout === undefined ? undefined : parseDuration(options.timeout);
  if (options.timeout !== undefined && timeoutMs === undefined) throw new CliError(`--timeout ${options.timeout} is not a duration; write 90s or 10m`, EXIT.usage);
  const until = timeoutMs === undefined ? Number.POSITIVE_INFINITY : context.clock.monoMs() + timeoutMs;
  const failedBefore = new Set(ids.length > 0 ? [] : (await listState(context.files, context.layout, 'failed')).map((task) => task.id));
  let said = '';
  let pitless = 0;
  let overLooks = 0;
  for (;;) {
    const progress = ids.length > 0 ? await progressOf(context, ids) : await progressOfAll(context);
    if (options.quiet !== true && progress.line !== said) {
      const live = process.stderr.isTTY;
      if (live) process.stderr.write(`\r\u001b[K${progress.line.slice(0, process.stderr.columns - 1)}`);
      else note(progress.line);
      said = progress.line;
    }
    // A task that moves between two listings of one look can be missed; two looks in a row miss none that stays.
    overLooks = progress.open === 0 || progress.open === progress.parked ? overLooks + 1 : 0;
    const over = overLooks >= 2;
    pitless = (await livePit(context)) === undefined ? pitless + 1 : 0;
    if (over || pitless >= PITLESS_LOOKS || context.clock.monoMs() > until) {
      if (options.quiet !== true && process.stderr.isTTY) process.stderr.write('\n');
      const failed = progress.failed.filter((id) => !failedBefore.has(id));
      if (over && progress.parked > 0) throw new CliError(`${progress.parked} need a person (held, stuck or needs/): snakepit ls`, EXIT.failed);
      if (over && failed.length > 0) throw new CliError(`${failed.length} failed: ${failed.slice(0, 10).join(', ')}; why: snakepit show ${failed[0] ?? ''}`, EXIT.failed);
      if (over) return;
      if (pitless >= PITLESS_LOOKS) throw new CliError(`${progress.open} are still open and no pit is running; start it with: snakepit up`, EXIT.busy);
      throw new CliError(`${progress.open} are still open after ${options.timeout ?? ''}`, EXIT.timedOut);
    }
    await context.clock.sleep(LOOK_MS);
  }
}

async function progressOf({ files, layout }: Context, ids: readonly string[]): Promise<Progress> {
  const states = new Map<string, string>();
  for (const id of ids) {
    const found = (await locate(files, layout, id)) ?? ((await countDrops(files, layout)) > 0 ? { state: 'arriving' } : await locate(files, layout, id));
    if (found === undefined) throw new CliError(`no task is called ${id}; see: snakepit ls`, EXIT.notFound);
    states.set(id, found.state);
  }
  const inState = (...wanted: string[]): string[] => ids.filter((id) => wanted.includes(states.get(id) ?? ''));
  return {
    open: ids.length - inState('done', 'failed').length,
    failed: inState('failed'),
    parked: inState('held', 'stuck', 'needs').length,
    line: ids.map((id) => `${id} ${states.get(id) ?? ''}`).join('  '),
  };
}

/** Files in the drop zone that the pit will take in or refuse; their ids are not known yet. A directory called x.md stays there for good. */
async function countDrops(files: Files, layout: Layout): Promise<number> {
  let count = 0;
  for (const name of await files.list(layout.queue)) {
    if (isDropName(Buffer.from(name)) && (await files.inspect(join(layout.queue, name)))?.kind !== 'directory') count += 1;
  }
  return count;
}

async function progressOfAll({ files, layout }: Context): Promise<Progress> {
  const counts = await countStates(files, layout);
  const dropped = await countDrops(files, layout);
  const running = await listState(files, layout, 'claimed');
  const parked = counts.held + counts.stuck + counts.needs;
  const names = running.map((task) => task.id).sort();
  const shown = names.length === 0 ? '' : `  running: ${names.slice(0, 4).join(', ')}${names.length > 4 ? ` and ${names.length - 4} more` : ''}`;
  return {
    open: dropped + counts.ready + counts.waiting + counts.claimed + counts.reaping + parked,
    failed: (await listState(files, layout, 'failed')).map((task) => task.id),
    parked,
    line: `ready ${counts.ready + dropped}  waiting ${counts.waiting}  running ${counts.claimed}  done ${counts.done}  failed ${counts.failed}${shown}`,
  };
}
