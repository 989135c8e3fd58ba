import { spawnSync } from 'node:child_process';
import { TmuxServer } from '../../tmux/server.js';
import type { ClaimName } from '../../protocol/names.js';
import { currentRun } from '../../runs/steps.js';
import { openContext, type Context } from '../context.js';
import { CliError, EXIT } from '../exit.js';
import { findTask } from '../find.js';
import { findResident } from '../residents.js';
import { stateWord } from '../state-word.js';
import { checkSnake, findRunning, isSnakeName } from './running.js';

export async function attach(dir: string | undefined, name: string, options: { readOnly?: boolean }): Promise<void> {
  const context = openContext(dir);
  const resident = await findResident(context, name);
  if (resident !== undefined && resident.run === undefined) throw new CliError(`the resident ${name} has no session now; see: snakepit status`, EXIT.notFound);
  const claim = resident === undefined ? ((await findRunning(context, name)) ?? (await idleOrEnded(context, name))) : undefined;
  const [session, of] = claim === undefined ? [resident?.run?.session ?? '', name] : [(await currentRun(context.files, context.layout, claim)).session, claim.id];
  if (!process.stdin.isTTY) throw new CliError(`attach needs a terminal; without one: snakepit logs -f ${name}`, EXIT.usage);
  const [program, ...args] = new TmuxServer(context.layout.tmuxSocket, context.layout.tmuxConfig).attachArgv(session, options.readOnly === true);
  const env = { ...process.env };
  delete env['TMUX'];
  const ended = spawnSync(program, args, { stdio: 'inherit', env });
  if (ended.status !== 0) throw new CliError(`the session of ${of} cannot be attached; it may just have ended: snakepit ${claim === undefined ? 'status' : `show ${of}`}`, EXIT.unavailable);
}

/** Why there is no session to look into; a task may have been named by its file. */
export async function idleOrEnded(context: Context, name: string): Promise<ClaimName> {
  if (isSnakeName(name)) {
    await checkSnake(context, name);
    throw new CliError(`${name} is idle; what it did: snakepit logs ${name}`, EXIT.notFound);
  }
  const { id, state } = await findTask(context, name);
  const claim = await findRunning(context, id);
  if (claim === undefined) throw new CliError(`${id} is not running, it is ${stateWord(state)}; what it printed: snakepit logs ${id}`, EXIT.notFound);
  return claim;
}
