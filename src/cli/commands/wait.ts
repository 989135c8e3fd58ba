import { parseDuration } from '../../lib/duration.js';
import { listState } from '../../queue/locate.js';
import { listRefusals, type Refusal } from '../../queue/refusals.js';
import { livePit, note, openContext, type Context } from '../context.js';
import { CliError, EXIT } from '../exit.js';
import { refusedText } from '../find.js';
import { hindrance } from '../hindrance.js';
import { progressOf, progressOfAll, type Progress } from '../progress.js';
import { fit } from '../terminal.js';

const LOOK_MS = 200;
/** So many looks in a row without a pit before giving up: one that is being replaced is back sooner. */
const PITLESS_LOOKS = 25;
/** A hindrance is told when it stands for so many looks: a pit that starts has no snakes for an instant. */
const HINDERED_LOOKS = 5;

const openText = (open: number): string => (open === 1 ? '1 task is still open' : `${open} tasks are still open`);

export async function wait(dir: string | undefined, ids: readonly string[], options: { timeout?: string; quiet?: boolean }): Promise<void> {
  const context = openContext(dir);
  const { clock } = context;
  const timeoutMs = options.timeout === undefined ? undefined : parseDuration(options.timeout);
  if (options.timeout !== undefined && timeoutMs === undefined) throw new CliError(`--timeout ${options.timeout} is not a duration; write 90s or 10m`, EXIT.usage);
  const until = timeoutMs === undefined ? Number.POSITIVE_INFINITY : clock.monoMs() + timeoutMs;
  const failedBefore = ids.length > 0 ? new Set<string>() : await endedBefore(context);
  const memory = new Map<string, Refusal>();
  const say = speaker(options.quiet === true);
  let pitless = 0;
  let overLooks = 0;
  let hindered = { why: '', looks: 0 };
  for (;;) {
    const progress = ids.length > 0 ? await progressOf(context, ids, memory) : await progressOfAll(context);
    say.progress(progress.line);
    for (const id of progress.asking) say.once(`${id} asks a person: snakepit show ${id}, then snakepit answer ${id} TEXT`);
    const why = (await hindrance(context, ids)) ?? '';
    hindered = { why, looks: why === hindered.why ? hindered.looks + 1 : 1 };
    if (why !== '' && hindered.looks >= HINDERED_LOOKS) say.once(why);
    // A task that moves between two listings of one look can be missed; two looks in a row miss none that stays.
    overLooks = progress.open === 0 || progress.open === progress.parked ? overLooks + 1 : 0;
    const over = overLooks >= 2;
    pitless = (await livePit(context)) === undefined ? pitless + 1 : 0;
    if (over || pitless >= PITLESS_LOOKS || clock.monoMs() > until) {
      say.end();
      if (over) return end(progress, ids.length > 0 ? progress.refused : await ownRefusals(context, memory, say), failedBefore);
      if (pitless >= PITLESS_LOOKS) throw new CliError(`${openText(progress.open)} and no pit is running; start it with: snakepit up`, EXIT.busy);
      throw new CliError(`${openText(progress.open)} after ${options.timeout ?? ''}`, EXIT.timedOut);
    }
    await clock.sleep(LOOK_MS);
  }

  /** What was refused since this command was started; what lay there before is mentioned. */
  async function ownRefusals(of: Context, known: Map<string, Refusal>, to: ReturnType<typeof speaker>): Promise<Refusal[]> {
    const all = await listRefusals(of.files, of.layout, known);
    const own = all.filter((one) => one.at >= performance.timeOrigin);
    const before = all.length - own.length;
    if (before > 0) to.once(`${before === 1 ? '1 file was' : `${before} files were`} refused before this wait began: snakepit ls failed`);
    return own;
  }
}

/** What had failed when this command was started. Its story tells when: a first look comes too late for what fails at once. */
async function endedBefore({ files, layout }: Context): Promise<Set<string>> {
  const before = new Set<string>();
  for (const task of await listState(files, layout, 'failed')) {
    const at = (await files.mtimeMs(task.file.replace(/\.md$/, '.result.md'))) ?? (await files.mtimeMs(task.file)) ?? 0;
    if (at < performance.timeOrigin) before.add(task.id);
  }
  return before;
}

/** What it all came to; returns where everything went well. */
function end(progress: Progress, refused: readonly Refusal[], failedBefore: ReadonlySet<string>): void {
  const failed = progress.failed.filter((id) => !failedBefore.has(id));
  const bad = [
    ...(failed.length === 0 ? [] : [`${failed.length} failed: ${failed.slice(0, 10).join(', ')}; why: snakepit show ${failed[0] ?? ''}`]),
    ...(progress.parked === 0 ? [] : [`${progress.parked} ${progress.parked === 1 ? 'needs' : 'need'} a person (in held/, stuck/ or needs/, or waiting for one that is): snakepit ls${progress.asking.length === 0 ? '' : `; ${progress.asking.slice(0, 10).join(', ')} ${progress.asking.length === 1 ? 'asks' : 'ask'} something: snakepit needs`}`]),
    ...refused.slice(0, 10).map(refusedText),
    ...(refused.length > 10 ? [`and ${refused.length - 10} more were refused: snakepit ls failed`] : []),
  ];
  if (bad.length === 0) return;
  for (const line of bad.slice(0, -1)) note(`snakepit: ${line}`);
  throw new CliError(bad.at(-1) ?? '', failed.length === 0 && progress.parked === 0 && progress.named ? EXIT.badTask : EXIT.failed);
}

/** The progress line, rewritten in place on a terminal, and what is told once. */
function speaker(quiet: boolean): { progress(line: string): void; once(line: string): void; end(): void } {
  const live = process.stderr.isTTY;
  const told = new Set<string>();
  let last = '';
  return {
    progress(line) {
      if (quiet || line === last) return;
      if (live) process.stderr.write(`\r\u001b[K${fit(line).slice(0, process.stderr.columns - 1)}`);
      else note(line);
      last = line;
    },
    once(line) {
      if (quiet || told.has(line)) return;
      told.add(line);
      if (live) process.stderr.write('\r\u001b[K');
      note(`snakepit: ${line}`);
      last = '';
    },
    end() {
      if (!quiet && live) process.stderr.write('\n');
    },
  };
}
