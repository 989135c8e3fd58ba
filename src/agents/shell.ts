import { err, ok, type Result } from '../lib/result.js';
import { fencedShell, type TaskSpec } from '../protocol/task.js';

/** The program of one attempt: an interpreter and a script file's text. */
export interface ShellProgram {
  readonly interpreter: 'sh' | 'bash';
  readonly script: string;
}

/**
 * The shell profile: a task's `run:` command, else its fenced sh and bash blocks in order, as one script that stops at the
 * first failing command. The text becomes a file; it is never part of a command line.
 */
export function shellProgram(spec: TaskSpec): Result<ShellProgram, string> {
  if (spec.run !== undefined) return ok({ interpreter: 'sh', script: `set -e\n${spec.run}\n` });
  const blocks = fencedShell(spec.body);
  if (blocks.length === 0) return err('the shell profile runs ```sh blocks or a run: command, and this task has neither; add one, or name another agent:');
  const interpreter = blocks.some((block) => block.shell === 'bash') ? 'bash' : 'sh';
  const parts = blocks.map((block, index) => (blocks.length === 1 ? block.text : `printf '%s\\n' '--- block ${index + 1} of ${blocks.length}'\n${block.text}`));
  return ok({ interpreter, script: `set -e\n${parts.join('\n')}\n` });
}
