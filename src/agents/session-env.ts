import { delimiter, resolve } from 'node:path';

export interface ContractParts {
  readonly taskId: string;
  readonly taskFile: string;
  readonly marker: string;
  readonly pitId: string;
  readonly attempt: number;
  readonly snake: string;
  readonly runDir: string;
  readonly resultFile: string;
  readonly resultFallback: string;
  readonly workspace: string;
  readonly root: string;
  readonly queue: string;
  readonly previousFailure: string;
  readonly binDir: string;
  readonly inputs: Readonly<Record<string, string>>;
}

const ALLOWED = ['PATH', 'HOME', 'LANG', 'TERM', 'TZ', 'TMPDIR', 'SHELL', 'USER', 'LOGNAME'] as const;

/**
 * The one builder of a session's environment: an allow-list of the founder's, what the configuration adds, and the
 * contract. Inherited SNAKEPIT_* never pass: a nested session must not speak for its parent's claim.
 */
export function sessionEnv(outer: Readonly<Record<string, string | undefined>>, extra: readonly string[], parts: ContractParts): Record<string, string> {
  const env: Record<string, string> = {};
  const pass = new Set<string>([...ALLOWED, ...extra]);
  for (const [key, value] of Object.entries(outer)) {
    if (value === undefined || key.startsWith('SNAKEPIT_')) continue;
    if (pass.has(key) || key.startsWith('LC_')) env[key] = value;
  }
  env['PATH'] = `${parts.binDir}${delimiter}${env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin'}`;
  env['TERM'] = 'screen-256color';
  for (const [name, path] of Object.entries(parts.inputs)) env[`SNAKEPIT_INPUT_${name.toUpperCase().replaceAll('-', '_')}`] = resolve(parts.root, path);
  return {
    ...env,
    SNAKEPIT_DIR: parts.root,
    SNAKEPIT_TASK_ID: parts.taskId,
    SNAKEPIT_TASK_FILE: parts.taskFile,
    SNAKEPIT_CLAIM: parts.marker,
    SNAKEPIT_PIT: parts.pitId,
    SNAKEPIT_ATTEMPT: String(parts.attempt),
    SNAKEPIT_SNAKE: parts.snake,
    SNAKEPIT_STEP: 'solo',
    SNAKEPIT_RUN_DIR: parts.runDir,
    SNAKEPIT_RESULT: parts.resultFile,
    SNAKEPIT_RESULT_FALLBACK: parts.resultFallback,
    SNAKEPIT_WORKSPACE: parts.workspace,
    SNAKEPIT_QUEUE: parts.queue,
    SNAKEPIT_PREVIOUS_FAILURE: parts.previousFailure,
  };
}
