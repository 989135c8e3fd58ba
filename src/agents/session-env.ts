import { delimiter, join, resolve } from 'node:path';

/** What the session of a step knows of its workflow. */
export interface StepEnv {
  readonly workflow: string;
  readonly step: string;
  readonly round: number;
  /** The last round that it may come to. */
  readonly rounds: number;
  readonly seat: number;
  /** Which item of a list it works on, from 1. */
  readonly item: number | undefined;
  readonly stepDir: string;
  /** Where the steps leave files for each other. */
  readonly handed: string;
  /** The file with what was found wanting; '' where nothing was. */
  readonly feedback: string;
}

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
  /** The branch of the task's worktree, and the commit it started from; '' elsewhere. */
  readonly branch?: string;
  readonly base?: string;
  /** The directory above the worktree, which git must not look beyond: without its own .git it would find the project's. */
  readonly ceiling?: string;
  readonly root: string;
  readonly queue: string;
  readonly previousFailure: string;
  /** What a person answered last; '' where nothing was asked. */
  readonly answer?: string;
  readonly binDir: string;
  readonly inputs: Readonly<Record<string, string>>;
  /** Of a step; a task without a workflow has none. */
  readonly step?: StepEnv | undefined;
}

const ALLOWED = ['PATH', 'HOME', 'LANG', 'TERM', 'TZ', 'TMPDIR', 'SHELL', 'USER', 'LOGNAME'] as const;

/** What every session may have of the surroundings: an allow-list, and what the configuration adds by name. Inherited SNAKEPIT_* never pass. */
export function sessionBase(outer: Readonly<Record<string, string | undefined>>, extra: readonly string[]): Record<string, string> {
  const env: Record<string, string> = {};
  const pass = new Set<string>([...ALLOWED, ...extra]);
  for (const [key, value] of Object.entries(outer)) {
    if (value === undefined || key.startsWith('SNAKEPIT_')) continue;
    if (pass.has(key) || key.startsWith('LC_')) env[key] = value;
  }
  env['TERM'] = 'screen-256color';
  return env;
}

/** What a resident's session knows: the pit and the queue, and no task. */
export interface ResidentEnvParts extends Pick<ContractParts, 'marker' | 'pitId' | 'runDir' | 'workspace' | 'root' | 'queue' | 'binDir'> {
  readonly resident: string;
}

/** The environment of a resident: no result is asked of it, so no variable says where to write one. */
export function residentEnv(outer: Readonly<Record<string, string | undefined>>, extra: readonly string[], parts: ResidentEnvParts): Record<string, string> {
  const env = sessionBase(outer, extra);
  return {
    ...env,
    PATH: pathWith(parts.binDir, env),
    SNAKEPIT_COMMAND: join(parts.binDir, 'snakepit'),
    SNAKEPIT_DIR: parts.root,
    SNAKEPIT_RESIDENT: parts.resident,
    SNAKEPIT_CLAIM: parts.marker,
    SNAKEPIT_PIT: parts.pitId,
    SNAKEPIT_RUN_DIR: parts.runDir,
    SNAKEPIT_WORKSPACE: parts.workspace,
    SNAKEPIT_QUEUE: parts.queue,
  };
}

const pathWith = (binDir: string, env: Readonly<Record<string, string>>): string => `${binDir}${delimiter}${env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin'}`;

/**
 * The one builder of a session's environment: the base, and the contract. A nested session must not speak for its parent's
 * claim, so nothing of that kind is inherited.
 */
export function sessionEnv(outer: Readonly<Record<string, string | undefined>>, extra: readonly string[], parts: ContractParts): Record<string, string> {
  const env = sessionBase(outer, extra);
  env['PATH'] = pathWith(parts.binDir, env);
  for (const [name, path] of Object.entries(parts.inputs)) env[`SNAKEPIT_INPUT_${name.toUpperCase().replaceAll('-', '_')}`] = resolve(parts.root, path);
  return {
    ...env,
    // Some agents run their tools in login shells, which set the PATH anew: the command must be reachable without it.
    SNAKEPIT_COMMAND: join(parts.binDir, 'snakepit'),
    SNAKEPIT_DIR: parts.root,
    SNAKEPIT_TASK_ID: parts.taskId,
    SNAKEPIT_TASK_FILE: parts.taskFile,
    SNAKEPIT_CLAIM: parts.marker,
    SNAKEPIT_PIT: parts.pitId,
    SNAKEPIT_ATTEMPT: String(parts.attempt),
    SNAKEPIT_SNAKE: parts.snake,
    ...stepVariables(parts.step),
    SNAKEPIT_RUN_DIR: parts.runDir,
    SNAKEPIT_RESULT: parts.resultFile,
    SNAKEPIT_RESULT_FALLBACK: parts.resultFallback,
    SNAKEPIT_WORKSPACE: parts.workspace,
    ...(parts.ceiling === undefined ? {} : { GIT_CEILING_DIRECTORIES: parts.ceiling }),
    SNAKEPIT_BRANCH: parts.branch ?? '',
    SNAKEPIT_BASE: parts.base ?? '',
    SNAKEPIT_QUEUE: parts.queue,
    SNAKEPIT_PREVIOUS_FAILURE: parts.previousFailure,
    SNAKEPIT_ANSWER: parts.answer ?? '',
  };
}

function stepVariables(step: StepEnv | undefined): Record<string, string> {
  if (step === undefined) return { SNAKEPIT_STEP: 'solo' };
  return {
    SNAKEPIT_WORKFLOW: step.workflow,
    SNAKEPIT_STEP: step.step,
    SNAKEPIT_ROUND: String(step.round),
    SNAKEPIT_ROUNDS: String(step.rounds),
    SNAKEPIT_SEAT: String(step.seat + 1),
    SNAKEPIT_ITEM: step.item === undefined ? '' : String(step.item),
    SNAKEPIT_STEP_DIR: step.stepDir,
    SNAKEPIT_HANDED: step.handed,
    SNAKEPIT_FEEDBACK: step.feedback,
  };
}
