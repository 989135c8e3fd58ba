import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Files } from '../../lib/files.js';
import { showLines, tailLines } from '../../lib/text.js';
import { RUN_FILES } from '../../protocol/records.js';
import { currentRun, sessionDirs } from '../../runs/steps.js';
import { openContext, print, printRaw, type Context } from '../context.js';
import { eventLine, readEvents, readLines } from '../events.js';
import { CliError, EXIT } from '../exit.js';
import { findTask } from '../find.js';
import { findResident, residentOutput } from '../residents.js';
import { checkSnake, findRunning, isSnakeName } from './running.js';

const COMPLAINT_LINES = 20;
const CHUNK = 1024 * 1024;

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

export async function logs(dir: string | undefined, name: string, options: { follow?: boolean; raw?: boolean; attempt?: number }): Promise<void> {
  const context = openContext(dir);
  const resident = await findResident(context, name);
  if (resident !== undefined) return residentLogs(context, name, options);
  const running = await findRunning(context, name);
  if (running === undefined && isSnakeName(name)) return snakeEvents(context, name);
  const id = running?.id ?? (await findTask(context, name)).id;
  const output = running === undefined || options.attempt !== undefined ? await newestOutput(context, id, options.attempt) : join((await currentRun(context.files, context.layout, running)).dir, RUN_FILES.output);
  if (output === undefined && options.attempt !== undefined) throw new CliError(`${id} has no attempt ${options.attempt} that printed anything; see: snakepit show ${id}`, EXIT.notFound);
  if (output === undefined || (!existsSync(output) && options.follow !== true)) throw new CliError(`${id} has printed nothing yet`, EXIT.notFound);
  // The next step writes another file: it is followed by asking again.
  return printLines(context, output, options, async () => {
    const claim = await findRunning(context, id);
    return claim !== undefined && join((await currentRun(context.files, context.layout, claim)).dir, RUN_FILES.output) === output;
  });
}

/** What its present run printed, or its last one; with `follow`, until that run ends. */
async function residentLogs(context: Context, name: string, options: { follow?: boolean; raw?: boolean; attempt?: number }): Promise<void> {
  if (options.attempt !== undefined) throw new CliError(`${name} is a resident: it has no attempts`, EXIT.usage);
  const output = await residentOutput(context, name);
  if (output === undefined) throw new CliError(`the resident ${name} has printed nothing yet`, EXIT.notFound);
  return printLines(context, output, options, async () => {
    const run = (await findResident(context, name))?.run;
    return run !== undefined && output.startsWith(run.dir);
  });
}

/** The file's text; with `follow`, as it grows, as long as somebody runs. */
async function printLines(context: Context, output: string, options: { follow?: boolean; raw?: boolean }, runs: () => Promise<boolean>): Promise<void> {
  const clean = (text: string): string => (options.raw === true ? text : tailLines(text, Number.MAX_SAFE_INTEGER).map((line) => showLines(line)).join('\n'));
  let offset = 0;
  let open = true;
  while (open) {
    // Ended before the last read: whatever it printed last is still read.
    open = options.follow === true && (await runs());
    const chunk = await readOn(context.files, output, offset);
    // Lines only: a torn escape sequence must not reach the terminal in two halves.
    const whole = open ? chunk.subarray(0, chunk.lastIndexOf(10) + 1) : chunk;
    offset += whole.length;
    if (whole.length > 0) (options.raw === true ? printRaw : print)(clean(whole.toString('utf8')));
    if (open) await context.clock.sleep(200);
  }
}

/** All there is from an offset on. A link or a FIFO in its place reads as nothing. */
async function readOn(files: Files, path: string, offset: number): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for (let at = offset; ; ) {
    const part = await files.readFrom(path, at, CHUNK);
    if (part.length === 0) return Buffer.concat(parts);
    parts.push(part);
    at += part.length;
  }
}

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
