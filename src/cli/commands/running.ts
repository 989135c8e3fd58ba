import { basename } from 'node:path';
import { parseClaim, type ClaimName } from '../../protocol/names.js';
import { listState } from '../../queue/locate.js';
import { listSnakes } from '../../runs/registry.js';
import { readSnapshot, type Context } from '../context.js';
import { readEvents } from '../events.js';
import { CliError, EXIT } from '../exit.js';

/** The claim of a task or of a snake that is being worked now. */
export async function findRunning({ files, layout }: Context, name: string): Promise<ClaimName | undefined> {
  const claims = (await listState(files, layout, 'claimed')).flatMap((task) => parseClaim(basename(task.file)) ?? []);
  return claims.find((claim) => claim.id === name) ?? claims.find((claim) => claim.owner.snake === name);
}

export const isSnakeName = (name: string): boolean => /^s\d{1,4}$/.test(name);

/** Ends the command unless a snake of that name lives, is managed, or ever did something here. */
export async function checkSnake(context: Context, name: string): Promise<void> {
  const { files, processes, layout } = context;
  if ((await listSnakes(files, processes, layout)).some((one) => one.snake === name)) return;
  if ((await readSnapshot(context))?.snakes.some((row) => row.snake === name) === true) return;
  if ((await readEvents(context, { holding: JSON.stringify(name) })).some((event) => 'snake' in event && event.snake === name)) return;
  throw new CliError(`no snake is called ${name}; see: snakepit status`, EXIT.notFound);
}
