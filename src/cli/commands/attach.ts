import { spawnSync } from 'node:child_process';
import { TmuxServer } from '../../tmux/server.js';
import { openContext } from '../context.js';
import { CliError, EXIT } from '../exit.js';
import { findRunning } from './running.js';

export async function attach(dir: string | undefined, name: string, options: { readOnly?: boolean }): Promise<void> {
  const context = openContext(dir);
  const claim = await findRunning(context, name);
  if (claim === undefined) throw new CliError(`${name} is not running; see: snakepit ls claimed, or what it printed: snakepit logs ${name}`, EXIT.notFound);
  if (!process.stdin.isTTY) throw new CliError(`attach needs a terminal; without one: snakepit logs -f ${name}`, EXIT.usage);
  const [program, ...args] = new TmuxServer(context.layout.tmuxSocket, context.layout.tmuxConfig).attachArgv(`sp-${claim.nonce}`, options.readOnly === true);
  const env = { ...process.env };
  delete env['TMUX'];
  const ended = spawnSync(program, args, { stdio: 'inherit', env });
  if (ended.status !== 0) throw new CliError(`the session of ${claim.id} cannot be attached; it may just have ended: snakepit show ${claim.id}`, EXIT.unavailable);
}
