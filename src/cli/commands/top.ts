import { openContext, print } from '../context.js';
import { fit } from '../terminal.js';
import { gatherStatus, renderStatus } from './status.js';

/** A plain refreshing table; q or Ctrl-C ends it. On a terminal it uses the alternate screen and leaves it however it ends. */
export async function top(dir: string | undefined, options: { once?: boolean }): Promise<void> {
  const context = openContext(dir);
  if (options.once === true || !process.stdout.isTTY) return print(renderStatus(await gatherStatus(context)));
  const { stdin, stdout } = process;
  let over = false;
  const stop = new AbortController();
  const end = (): void => {
    over = true;
    stop.abort();
  };
  const restore = (): void => {
    if (stdin.isTTY) stdin.setRawMode(false);
    stdout.write('\u001b[?25h\u001b[?1049l');
  };
  process.on('SIGTERM', end);
  process.on('exit', restore);
  if (stdin.isTTY) stdin.setRawMode(true);
  stdin.resume().on('data', (keys: Buffer) => {
    if (keys.includes('q') || keys.includes(3) || keys.includes(4)) end();
  });
  stdout.write('\u001b[?1049h\u001b[?25l');
  while (!over) {
    const lines = renderStatus(await gatherStatus(context)).split('\n').slice(0, stdout.rows - 2);
    stdout.write(`\u001b[H${lines.map((line) => `${fit(line)}\u001b[K`).join('\n')}\n\u001b[K\nq ends this; attach TASK looks into a session\u001b[K\u001b[J`);
    await context.clock.sleep(1000, stop.signal);
  }
  stdin.pause();
}
