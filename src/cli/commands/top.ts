import { openContext, printRaw } from '../context.js';
import { CliError, EXIT } from '../exit.js';

/** The live view; with `once`, or where the output is no terminal, one frame of it, COLUMNS wide. */
export async function top(dir: string | undefined, options: { once?: boolean }): Promise<void> {
  const context = openContext(dir);
  const { stdin, stdout } = process;
  const { depthOf } = await import('../top/palette.js');
  const depth = depthOf(stdout.isTTY, stdout.isTTY ? stdout.getColorDepth() : 1);
  if (options.once === true || !stdout.isTTY) {
    const { once } = await import('../top/once.js');
    return printRaw(await once(context, stdout.isTTY ? stdout.columns : undefined, depth));
  }
  if (!stdin.isTTY) throw new CliError('top needs a terminal to read keys from; without one: snakepit top --once', EXIT.usage);
  if (process.env['TERM'] === 'dumb') throw new CliError('this terminal (TERM=dumb) cannot be drawn on; one frame: snakepit top --once', EXIT.usage);
  const { live } = await import('../top/loop.js');
  await live(context, stdin, stdout, depth);
}
