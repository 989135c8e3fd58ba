import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Files } from '../lib/files.js';
import { shellQuote } from '../lib/quote.js';
import { QUEUE_STATES, type Layout } from '../protocol/layout.js';

/** Makes whatever of the directories is missing. Idempotent, and safe beside a running pit. */
export async function ensureLayout(files: Files, layout: Layout): Promise<void> {
  for (const dir of [layout.queue, layout.tmp, layout.recurring, layout.recurringState, ...QUEUE_STATES.map((state) => layout.dir(state)), layout.state, layout.snakes, layout.hindered, layout.runs, layout.log, layout.bin, join(layout.state, 'locks')]) await files.makeDir(dir);
  if (!(await files.exists(layout.pitId))) await files.write(layout.pitId, `${randomUUID()}\n`);
}

/** The `snakepit` that sessions find on their PATH: this very program, wherever it is installed. */
export async function writeShim(files: Files, layout: Layout, node: string, program: string): Promise<string> {
  const shim = join(layout.bin, 'snakepit');
  const text = `#!/bin/sh\nexec ${shellQuote(node)} ${shellQuote(program)} "$@"\n`;
  if ((await files.read(shim)) !== text) await files.write(shim, text);
  return shim;
}
