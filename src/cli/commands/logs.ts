import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { parseEvents } from '../../events/event-log.js';
import { showLines, tailLines } from '../../lib/text.js';
import { RUN_FILES } from '../../protocol/records.js';
import { runDirOf } from '../../runs/run-dir.js';
import { findTask, openContext, print, type Context } from '../context.js';
import { CliError, EXIT } from '../exit.js';
import { findRunning, isSnakeName } from './running.js';

async function newestOutput({ files, layout }: Context, id: string): Promise<string | undefined> {
  let newest: { path: string; at: number } | undefined;
  for (const run of await files.list(join(layout.runs, id))) {
    const path = join(layout.runs, id, run, RUN_FILES.output);
    const at = await files.mtimeMs(path).catch(() => undefined);
    if (at !== undefined && (newest === undefined || at > newest.at)) newest = { path, at };
  }
  return newest?.path;
}

export async function logs(dir: string | undefined, name: string, options: { follow?: boolean; raw?: boolean }): Promise<void> {
  const context = openContext(dir);
  const running = await findRunning(context, name);
  if (running === undefined && isSnakeName(name)) return snakeEvents(context, name);
  const output = running === undefined ? await newestOutput(context, (await findTask(context, name)).id) : join(runDirOf(context.layout, running), RUN_FILES.output);
  if (output === undefined || (!existsSync(output) && options.follow !== true)) throw new CliError(`${name} has printed nothing yet`, EXIT.notFound);
  const clean = (text: string): string => (options.raw === true ? text : tailLines(text, Number.MAX_SAFE_INTEGER).map((line) => showLines(line)).join('\n'));
  let offset = 0;
  let open = true;
  while (open) {
    // Ended before the last read: whatever it printed last is still read.
    open = options.follow === true && (await findRunning(context, name)) !== undefined;
    const chunk = readFrom(output, offset);
    // Lines only: a torn escape sequence must not reach the terminal in two halves.
    const whole = open ? chunk.subarray(0, chunk.lastIndexOf(10) + 1) : chunk;
    offset += whole.length;
    if (whole.length > 0) print(clean(whole.toString('utf8')));
    if (open) await context.clock.sleep(200);
  }
}

function readFrom(path: string, offset: number): Buffer {
  if (!existsSync(path)) return Buffer.alloc(0);
  const fd = openSync(path, 'r');
  try {
    const parts: Buffer[] = [];
    for (let at = offset; ; ) {
      const part = Buffer.alloc(65_536);
      const got = readSync(fd, part, 0, part.length, at);
      if (got === 0) return Buffer.concat(parts);
      parts.push(part.subarray(0, got));
      at += got;
    }
  } finally {
    closeSync(fd);
  }
}

async function snakeEvents({ files, layout }: Context, snake: string): Promise<void> {
  const events = parseEvents((await files.read(layout.events)) ?? '').filter((event) => 'snake' in event && event.snake === snake);
  if (events.length === 0) throw new CliError(`${snake} has done nothing yet`, EXIT.notFound);
  for (const event of events) {
    const { v, at, kind, ...rest } = event;
    void v;
    print(`${new Date(at).toISOString()}  ${kind}  ${showLines(JSON.stringify(rest))}`);
  }
}
