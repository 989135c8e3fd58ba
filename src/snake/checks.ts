import type { VerifyRun } from '../protocol/records.js';
import { LOOK_EVERY_MS } from './decide.js';
import type { SnakePorts, SnakeSetting } from './ports.js';

/** Commands one after another in one directory, up to the first that fails. Undefined: it was interrupted meanwhile, and they count for nothing. */
export async function runChecks(ports: Pick<SnakePorts, 'verify' | 'waitForChange'>, { config }: Pick<SnakeSetting, 'config'>, checks: readonly string[], place: { readonly cwd: string; readonly watched: string; readonly env: Readonly<Record<string, string>>; readonly timeoutMs?: number; readonly log?: string }, interrupted: () => Promise<boolean>): Promise<VerifyRun[] | undefined> {
  const runs: VerifyRun[] = [];
  for (const check of checks) {
    if (await interrupted()) return undefined;
    const abort = new AbortController();
    const ended = new AbortController();
    const running = ports.verify(check, place.cwd, place.env, place.timeoutMs ?? config.verifyTimeoutMs, abort.signal, place.log).finally(() => ended.abort());
    while (!ended.signal.aborted) {
      await ports.waitForChange(place.watched, LOOK_EVERY_MS, ended.signal);
      if (!ended.signal.aborted && (await interrupted())) {
        abort.abort();
        await running;
        return undefined;
      }
    }
    const run = await running;
    runs.push(run);
    if (run.code !== 0) break;
  }
  return runs;
}
