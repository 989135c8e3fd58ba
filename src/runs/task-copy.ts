import { join } from 'node:path';
import type { Config } from '../config/config.js';
import type { Files } from '../lib/files.js';
import type { RetryPolicy } from '../protocol/judge.js';
import { parseTask } from '../protocol/parse-task.js';
import { RUN_FILES } from '../protocol/records.js';
import type { TaskSpec } from '../protocol/task.js';

/** The task as this attempt was given it: a copy made after the claim, which later edits of the file do not reach. */
export async function readSpec(files: Files, runDir: string): Promise<TaskSpec | undefined> {
  const bytes = await files.readBytes(join(runDir, RUN_FILES.task), 32 * 1024 * 1024);
  if (bytes === undefined) return undefined;
  const parsed = await parseTask(bytes);
  return parsed.ok ? parsed.value.spec : undefined;
}

/** The limits that hold for a task: its own, else the configuration's. */
export function retryPolicy(config: Config, spec: TaskSpec | undefined): RetryPolicy {
  return { attempts: spec?.attempts ?? config.attempts, losses: config.losses, deferrals: config.deferrals, asks: config.asks, backoff: config.backoff };
}
