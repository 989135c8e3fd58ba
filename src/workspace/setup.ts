import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Config } from '../config/config.js';
import type { Files } from '../lib/files.js';
import type { TaskSpec } from '../protocol/task.js';

/** What a fresh checkout needs before anybody works in it. */
export interface SetupWish {
  readonly commands: readonly string[];
  readonly timeoutMs: number;
  /** What is kept of it for the next checkout, and the files that say whether it fits; no paths: nothing is kept. */
  readonly paths: readonly string[];
  readonly key: readonly string[];
}

/** The task's own commands, else the configured ones; undefined: there are none. What an older snakepit published has no set-up. */
export function setupWish(config: Pick<Config, 'setup' | 'setupTimeoutMs' | 'setupCache'> | { readonly setup: undefined }, spec: Pick<TaskSpec, 'setup'>): SetupWish | undefined {
  if (config.setup === undefined) return undefined;
  const commands = spec.setup ?? config.setup;
  return commands.length === 0 ? undefined : { commands, timeoutMs: config.setupTimeoutMs, paths: config.setupCache.paths, key: config.setupCache.key };
}

/** What names a set of commands: the trouble that they are in is told of by it. */
export const commandsKey = (commands: readonly string[]): string => createHash('sha256').update(JSON.stringify(commands)).digest('hex').slice(0, 16);

/** More of a key file is not read: lock files of the largest projects are a tenth of it. */
const KEY_FILE_BYTES = 256 * 1024 * 1024;

/**
 * What a kept set-up fits: the commands, the paths, the machine, and every byte of the key files in this checkout. Undefined: nothing is
 * kept, or none of the key files is there, so that nothing says what would fit.
 */
export async function cacheKey(files: Pick<Files, 'readBytes'>, { commands, paths, key }: SetupWish, dir: string): Promise<string | undefined> {
  if (paths.length === 0) return undefined;
  const hash = createHash('sha256').update(JSON.stringify([1, process.platform, process.arch, commands, paths, key]));
  let found = false;
  for (const name of key) {
    const bytes = await files.readBytes(join(dir, name), KEY_FILE_BYTES);
    found ||= bytes !== undefined;
    hash.update(bytes === undefined ? '\0none' : `\0${bytes.length}\0`).update(bytes ?? '');
  }
  return found ? hash.digest('hex').slice(0, 32) : undefined;
}
