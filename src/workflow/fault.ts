import type { Files } from '../lib/files.js';
import type { TaskSpec } from '../protocol/task.js';
import { loadWorkflow, SOLO, WITH_SOLO } from './load.js';

/** Why a task's workflow cannot be worked. */
export interface WorkflowFault {
  /** The workflow's name. */
  readonly name: string;
  /** Who is at fault: the task, by its key; or the workflow's own file, with its line. */
  readonly by: 'workflow:' | 'with:' | { readonly file: string };
  readonly problem: string;
}

/** What is wrong with the workflow that a task names (`fallback` where it names none), or with what it says to its options. Undefined: nothing. */
export async function workflowFault(files: Files, root: string, spec: Pick<TaskSpec, 'workflow' | 'with'>, fallback: string): Promise<WorkflowFault | undefined> {
  const name = spec.workflow ?? fallback;
  if (name === SOLO) return Object.keys(spec.with).length === 0 ? undefined : { name, by: 'with:', problem: WITH_SOLO };
  const loaded = await loadWorkflow(files, root, name, spec.with);
  if (loaded.ok) return undefined;
  const { where, problem } = loaded.error;
  return { name, by: where === 'workflow:' || where === 'with:' ? where : { file: where }, problem };
}

/** Where it is, and what. */
export const faultWords = ({ by, problem }: WorkflowFault): string => `${typeof by === 'string' ? by : `${by.file}:`} ${problem}`;

/** The line of the task's file that says it, from 1; undefined: its file is right, and the workflow's own file or snakepit.yaml is at fault. */
export function faultLine({ by }: WorkflowFault, spec: Pick<TaskSpec, 'workflow'>, bytes: Uint8Array): number | undefined {
  if (typeof by !== 'string' || (by === 'workflow:' && spec.workflow === undefined)) return undefined;
  const lines = Buffer.from(bytes).toString('utf8').replace(/^\uFEFF/, '').split('\n');
  return Math.max(0, lines.findIndex((line) => line.startsWith(by))) + 1;
}
