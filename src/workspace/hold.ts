import { join } from 'node:path';
import { take } from '../lib/baton.js';
import { err, ok, type Result } from '../lib/result.js';
import type { Layout } from '../protocol/layout.js';
import type { WorkspacePorts } from './ground.js';
import { workspaceDir } from './record.js';

/** As long as the removal of a very large worktree may take. */
export const HOLD_PATIENCE_MS = 900_000;
const ASK_EVERY_MS = 50;

/**
 * One at a time opens, salvages or removes the worktree of a task. Whoever opens it holds the task's claim before he asks for this, and
 * whoever salvages or removes looks for claims after he has it: so one of the two always sees the other. Passed on when its holder dies.
 */
export async function holdWorkspace({ files, processes, clock }: Pick<WorkspacePorts, 'files' | 'processes' | 'clock'>, layout: Layout, id: string, patienceMs: number): Promise<Result<() => Promise<void>, string>> {
  const until = clock.monoMs() + patienceMs;
  for (;;) {
    const lock = await take(files, processes, join(workspaceDir(layout, id), 'lock'));
    if (lock.kind === 'taken') return ok(lock.release);
    if (clock.monoMs() >= until) return err(`pid ${lock.by.pid} is at work on its worktree`);
    await clock.sleep(ASK_EVERY_MS);
  }
}
