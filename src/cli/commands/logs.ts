import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { showLines } from '../../lib/text.js';
import { RUN_FILES } from '../../protocol/records.js';
import { readAttempt } from '../../runs/run-dir.js';
import { currentRun, sessionDirs } from '../../runs/steps.js';
import { note, openContext, print, printRaw, type Context } from '../context.js';
import { eventLine, readEvents, readLines } from '../events.js';
import { CliError, EXIT } from '../exit.js';
import { findTask } from '../find.js';
import { findResident, residentOutput } from '../residents.js';
import { chooseSessions, endsBefore, loggedSessions, sessionHead, type LoggedSession, type Which } from '../log-sessions.js';
import { sessionLog, terminalLog, type LogText } from '../session-log.js';
import { checkSnake, findRunning, isSnakeName } from './running.js';

const COMPLAINT_LINES = 20;

/** How a log is asked for. `terminal`: what the pane showed, where messages could be had; `raw`: the same with its escape sequences. */
export interface Wanted extends Which {
  readonly follow?: boolean;
  readonly raw?: boolean;
  readonly terminal?: boolean;
}

export async function logs(dir: string | undefined, name: string, options: Wanted): Promise<void> {
  const context = openContext(dir);
  const resident = await findResident(context, name);
  if (resident !== undefined) return residentLogs(context, name, options);
  const running = await findRunning(context, name);
  if (running === undefined && isSnakeName(name)) return snakeEvents(context, name);
  const { files, layout } = context;
  const id = running?.id ?? (await findTask(context, name)).id;
  const sessions = await loggedSessions(files, join(layout.runs, id));
  const chosen = chooseSessions(id, sessions, options);
  const current = running === undefined ? undefined : (await currentRun(files, layout, running)).dir;
  const open = options.attempt === undefined && options.step === undefined;
  const dirs = chosen.ok ? chosen.value.map((one) => one.dir) : [];
  // What runs now may not have printed anything yet: with -f it is waited for.
  if (open && current !== undefined && dirs.at(-1) !== current) {
    const printed = existsSync(join(current, RUN_FILES.output));
    if (!printed && options.follow !== true && dirs.length === 0) throw new CliError(`${id} has printed nothing yet`, EXIT.notFound);
    if (options.all !== true) dirs.length = 0;
    if (printed || options.follow === true || dirs.length === 0) dirs.push(current);
  }
  if (dirs.length === 0 && !chosen.ok) throw new CliError(chosen.error, EXIT.notFound);
  for (const [index, one] of dirs.entries()) {
    if (options.all === true) await heading(context, one, index);
    await printSession(context, id, one, sessions, options);
  }
  // Each step of a workflow writes a file of its own.
  for (let at = dirs.at(-1); at !== undefined; ) {
    at = options.follow === true && running !== undefined && open ? await nextStep(context, at, (await currentRun(files, layout, running)).base) : undefined;
    if (at === undefined) break;
    if (options.all === true) await heading(context, at, 1);
    else note(`snakepit: ${id} goes on with ${basename(at)}`);
    await printSession(context, id, at, [], options);
  }
}

/** One session of a task; with `follow`, until it ends. */
function printSession(context: Context, id: string, dir: string, sessions: readonly LoggedSession[], options: Wanted): Promise<void> {
  return printLines(context, logOf(context, dir, options, endsBefore(sessions, dir)), options, async () => {
    const claim = await findRunning(context, id);
    return claim !== undefined && (await currentRun(context.files, context.layout, claim)).dir === dir;
  });
}

/** The line that begins a session where several are shown. */
async function heading({ files }: Context, dir: string, index: number): Promise<void> {
  const agent = (await readAttempt(files, dir))?.agent;
  const step = basename(dirname(dir)) === 'steps' ? basename(dir) : undefined;
  const attempt = Number.parseInt(basename(step === undefined ? dir : dirname(dirname(dir))), 10);
  print(`${index === 0 ? '' : '\n'}${sessionHead({ attempt, step, agent })}`);
}

/** The session of the step after this one, in the same attempt; undefined: it was the last. */
async function nextStep({ files }: Context, dir: string, base: string): Promise<string | undefined> {
  const dirs = (await sessionDirs(files, base)).filter((one) => one !== base);
  return dirs[dirs.indexOf(dir) + 1];
}

/** What its present run printed, or its last one; with `follow`, until that run ends. */
async function residentLogs(context: Context, name: string, options: Wanted): Promise<void> {
  if (options.attempt !== undefined || options.step !== undefined || options.all === true) throw new CliError(`${name} is a resident: it has no attempts and no steps`, EXIT.usage);
  const output = await residentOutput(context, name);
  if (output === undefined) throw new CliError(`the resident ${name} has printed nothing yet`, EXIT.notFound);
  return printLines(context, logOf(context, dirname(output), options, undefined), options, async () => {
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

/** What is to be printed of the session of that directory. `until`: what came later in it is another attempt's. */
const logOf = (context: Context, dir: string, { raw, terminal }: Wanted, until: number | undefined): LogText => (raw === true || terminal === true ? terminalLog(context.files, join(dir, RUN_FILES.output), raw === true) : sessionLog(context, dir, until));

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
