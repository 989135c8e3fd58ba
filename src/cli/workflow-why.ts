import { parseTask } from '../protocol/parse-task.js';
import type { Located } from '../queue/locate.js';
import { readFlow } from '../runs/flow-record.js';
import { pastAttempts } from '../runs/run-dir.js';
import { faultWords, workflowFault } from '../workflow/fault.js';
import { workflowNames } from '../workflow/load.js';
import { configInForce } from './config-in-force.js';
import type { Context } from './context.js';

const TASK_BYTES = 16 * 1024 * 1024;

/** What is wrong, with file and line, and where it is mended. */
export interface BrokenWorkflow {
  readonly fault: string;
  readonly mend: string;
}

/**
 * What is wrong now with the workflow that a task's next attempt would begin with: its file may have been edited since the task came in. Undefined:
 * nothing, or the task goes on with the one that it began with, which was kept beside its last attempt.
 */
export async function brokenWorkflow(context: Context, task: Located): Promise<BrokenWorkflow | undefined> {
  const { files, layout } = context;
  const bytes = await files.readBytes(task.file, TASK_BYTES);
  const parsed = bytes === undefined ? undefined : await parseTask(bytes);
  if (parsed?.ok !== true) return undefined;
  const { spec } = parsed.value;
  const fault = await workflowFault(files, layout.root, spec, (await configInForce(context)).workflow);
  if (fault === undefined) return undefined;
  const { name, by } = fault;
  const last = (await pastAttempts(files, layout, task.id)).at(-1);
  const kept = last === undefined ? undefined : await readFlow(files, last.dir);
  if (kept?.workflow.name === name && kept.options === JSON.stringify(spec.with)) return undefined;
  const mend = typeof by !== 'string' ? `${by.file}; to see whether it is good: snakepit workflows ${name}` : by === 'workflow:' && spec.workflow === undefined ? 'workflow: in snakepit.yaml' : `${by} of the task (${task.file})`;
  return { fault: faultWords(fault), mend: `mend ${mend}` };
}

/** A workflow whose file is at fault. */
export interface BrokenFile {
  readonly name: string;
  /** File, line, and what is wrong. */
  readonly fault: string;
}

/** A person's own workflows whose files cannot be read as such now: each with file, line and what is wrong. What only a task can say in `with:` is left out. */
export async function brokenWorkflows({ files, layout }: Pick<Context, 'files' | 'layout'>): Promise<BrokenFile[]> {
  const found: BrokenFile[] = [];
  for (const { name } of (await workflowNames(files, layout.root)).filter(({ own }) => own)) {
    const fault = await workflowFault(files, layout.root, { workflow: name, with: {} }, name);
    if (fault !== undefined && typeof fault.by !== 'string') found.push({ name, fault: faultWords(fault) });
  }
  return found;
}
