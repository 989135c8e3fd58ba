import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { showLines } from '../../lib/text.js';
import { RUN_FILES } from '../../protocol/records.js';
import { currentRun, sessionDirs } from '../../runs/steps.js';
import { note, openContext, print, printRaw, type Context } from '../context.js';
import { eventLine, readEvents, readLines } from '../events.js';
import { CliError, EXIT } from '../exit.js';
import { findTask } from '../find.js';
import { findResident, residentOutput } from '../residents.js';
import { sessionLog, terminalLog, type LogText } from '../session-log.js';
import { checkSnake, findRunning, isSnakeName } from './running.js';

const COMPLAINT_LINES = 20;

/** How a log is asked for. `terminal`: what the pane showed, where messages could be had; `raw`: the same with its escape sequences. */
export interface Wanted {
  readonly follow?: boolean;
  readonly raw?: boolean;
  readonly terminal?: boolean;
  readonly attempt?: number;
}

/** The newest recording of a task, or of one of its attempts: after a retry a number may be there twice. */
async function newestOutput({ files, layout }: Context, id: string, attempt: number | undefined): Promise<string | undefined> {
  let newest: { path: string; at: number } | undefined;
  for (const run of await files.list(join(layout.runs, id))) {
    if (attempt !== undefined && !(/^\d{3,}-/.test(run) && Number.parseInt(run, 10) === attempt)) continue;
    for (const dir of await sessionDirs(files, join(layout.runs, id, run)).catch(() => [])) {
      const path = join(dir, RUN_FILES.output);
      const at = await files.mtimeMs(path).catch(() => undefined);
      if (at !== undefined && (newest === undefined || at > newest.at)) newest = { path, at };
    }
  }
  return newest?.path;
}

export async function logs(dir: string | undefined, name: string, options: Wanted): Promise<void> {
  const context = openContext(dir);
  const resident = await findResident(context, name);
  if (resident !== undefined) return residentLogs(context, name, options);
  const running = await findRunning(context, name);
  if (running === undefined && isSnakeName(name)) return snakeEvents(context, name);
  const id = running?.id ?? (await findTask(context, name)).id;
  const output = running === undefined || options.attempt !== undefined ? await newestOutput(context, id, options.attempt) : join((await currentRun(context.files, context.layout, running)).dir, RUN_FILES.output);
  if (output === undefined && options.attempt !== undefined) throw new CliError(`${id} has no attempt ${options.attempt} that printed anything; see: snakepit show ${id}`, EXIT.notFound);
  if (output === undefined || (!existsSync(output) && options.follow !== true)) throw new CliError(`${id} has printed nothing yet`, EXIT.notFound);
  // Each step of a workflow writes a file of its own.
  for (let at: string | undefined = output; at !== undefined; ) {
    const here: string = at;
    await printLines(context, logOf(context, here, options), options, async () => {
      const claim = await findRunning(context, id);
      return claim !== undefined && join((await currentRun(context.files, context.layout, claim)).dir, RUN_FILES.output) === here;
    });
    at = options.follow === true && running !== undefined && options.attempt === undefined ? await nextStep(context, here, (await currentRun(context.files, context.layout, running)).base) : undefined;
    if (at !== undefined) note(`snakepit: ${id} goes on with ${basename(dirname(at))}`);
  }
}

/** The recording of the step after this one, in the same attempt; undefined: it was the last. */
async function nextStep({ files }: Context, output: string, base: string): Promise<string | undefined> {
  const dirs = (await sessionDirs(files, base)).filter((dir) => dir !== base);
  const next = dirs[dirs.indexOf(dirname(output)) + 1];
  return next === undefined ? undefined : join(next, RUN_FILES.output);
}

/** What its present run printed, or its last one; with `follow`, until that run ends. */
async function residentLogs(context: Context, name: string, options: Wanted): Promise<void> {
  if (options.attempt !== undefined) throw new CliError(`${name} is a resident: it has no attempts`, EXIT.usage);
  const output = await residentOutput(context, name);
  if (output === undefined) throw new CliError(`the resident ${name} has printed nothing yet`, EXIT.notFound);
  return printLines(context, logOf(context, output, options), options, async () => {
    const run = (await findResident(context, name))?.run;
    return run !== undefined && output.startsWith(run.dir);
  });
}

/** A log's text; with `follow`, as it grows, as long as somebody runs. */
async function printLines(context: Context, log: LogText, options: Wanted, runs: () => Promise<boolean>): Promise<void> {
  let open = true;
  while (open) {
    // Ended before the last read: whatever it printed last is still read.
    open = options.follow === true && (await runs());
    const text = await log.next(!open);
    if (text !== undefined) (options.raw === true ? printRaw : print)(text);
    if (open) await context.clock.sleep(200);
  }
}

/** What is to be printed of the session whose recording lies there. */
const logOf = (context: Context, output: string, { raw, terminal }: Wanted): LogText => (raw === true || terminal === true ? terminalLog(context.files, output, raw === true) : sessionLog(context, dirname(output)));

async function snakeEvents(context: Context, snake: string): Promise<void> {
  await checkSnake(context, snake);
  const events = (await readEvents(context, { holding: JSON.stringify(snake) })).filter((event) => 'snake' in event && event.snake === snake);
  const complaints = complaintsOf(readLines(join(context.layout.log, 'snakes.log'), 0).text, snake);
  if (events.length === 0 && complaints.length === 0) throw new CliError(`${snake} has done nothing yet`, EXIT.notFound);
  for (const event of events) print(eventLine(event));
  if (complaints.length > 0) print(['', 'what it last complained of, in .snakepit/log/snakes.log:', ...complaints.slice(-COMPLAINT_LINES).map((line) => showLines(line))].join('\n'));
}

/** The lines that this snake wrote when it broke: each begins with a time and its name, what follows indented is its stack. */
function complaintsOf(text: string, snake: string): string[] {
  let own = false;
  return text.split('\n').filter((line) => {
    const head = /^\d{4}-\S+ (s\d{1,4}): /.exec(line);
    if (head !== null) own = head[1] === snake;
    return own && line !== '';
  });
}
