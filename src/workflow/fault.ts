import type { Files } from '../lib/files.js';
import type { TaskSpec } from '../protocol/task.js';
import { loadWorkflow, SOLO, WITH_SOLO } from './load.js';

/** Why a task's workflow cannot be worked. `line`: of the task's file that says it; undefined: the task is right, and the workflow's own file is at fault. */
export interface WorkflowFault {
  readonly name: string;
  readonly line: number | undefined;
  readonly problem: string;
}

/** What is wrong with the workflow that a task names (`fallback` where it names none), or with what it says to its options. Undefined: nothing. */
export async function workflowFault(files: Files, root: string, spec: TaskSpec, fallback: string, bytes: Uint8Array): Promise<WorkflowFault | undefined> {
  const lines = Buffer.from(bytes).toString('utf8').replace(/^\uFEFF/, '').split('\n');
  const lineOf = (key: string): number => Math.max(0, lines.findIndex((line) => line.startsWith(key))) + 1;
  const name = spec.workflow ?? fallback;
  if (name === SOLO) return Object.keys(spec.with).length === 0 ? undefined : { name, line: lineOf('with:'), problem: WITH_SOLO };
  const loaded = await loadWorkflow(files, root, name, spec.with);
  if (loaded.ok) return undefined;
  const { where, problem } = loaded.error;
  const said = where === 'with:' || (where === 'workflow:' && spec.workflow !== undefined);
  return { name, line: said ? lineOf(where) : undefined, problem: `${where}${said ? '' : ':'} ${problem}` };
}
