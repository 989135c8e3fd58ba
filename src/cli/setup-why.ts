import { parseTask } from '../protocol/parse-task.js';
import type { Located } from '../queue/locate.js';
import { readTroubles, troubleWords } from '../workspace/setup-trouble.js';
import { commandsKey, setupWish } from '../workspace/setup.js';
import { configInForce } from './config-in-force.js';
import type { Context } from './context.js';

/** Why a task waits that could begin: the set-up of its worktree fails, for it or for all. */
export async function setupWhy(context: Context, task: Located): Promise<string | undefined> {
  const { files, layout, clock } = context;
  const troubles = await readTroubles(files, layout);
  if (Object.keys(troubles).length === 0) return undefined;
  const bytes = await files.readBytes(task.file, 16 * 1024 * 1024);
  const parsed = bytes === undefined ? undefined : await parseTask(bytes);
  const wish = parsed?.ok === true ? setupWish(await configInForce(context), parsed.value.spec) : undefined;
  const trouble = wish === undefined ? undefined : troubles[commandsKey(wish.commands)];
  return trouble === undefined ? undefined : troubleWords(trouble, clock.wallMs());
}

/** The same of all set-up commands that fail now. */
export const setupTroubles = async ({ files, layout, clock }: Context): Promise<string[]> => Object.values(await readTroubles(files, layout)).map((trouble) => troubleWords(trouble, clock.wallMs()));
