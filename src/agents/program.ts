import { join } from 'node:path';
import { err, ok, type Result } from '../lib/result.js';
import type { Asked } from '../protocol/records.js';
import type { TaskSpec } from '../protocol/task.js';
import type { Chosen } from './choice.js';
import type { AgentProfile } from './profile.js';
import { taskPrompt } from './prompts.js';
import { shellProgram } from './shell.js';
import { renderArgv, render, type Condition, type Placeholders } from './template.js';

/** Files of one attempt that its program reads or writes. */
export const PROGRAM_FILES = { prompt: 'prompt.md', script: 'task.sh', stream: 'stream.jsonl', events: 'events.jsonl', hook: 'hook.sh', export: 'export.json' } as const;

/** One attempt's program: what the wrapper runs, and the files that must be there before. */
export interface Program {
  readonly argv: readonly string[];
  /** Where its standard input comes from: nothing, a file, or the terminal. */
  readonly stdin: { readonly kind: 'nothing' } | { readonly kind: 'file'; readonly path: string } | { readonly kind: 'terminal' };
  /** Where its standard output goes besides the pane's record; undefined: to the terminal. */
  readonly stream: string | undefined;
  readonly files: readonly { readonly name: string; readonly text: string }[];
  /** The profile's own variables and secrets, for this session alone. */
  readonly env: Readonly<Record<string, string>>;
}

export interface ProgramParts {
  readonly chosen: Chosen;
  readonly mode: 'headless' | 'interactive';
  readonly spec: TaskSpec;
  readonly runDir: string;
  readonly workspace: string;
  readonly home: string;
  /** The program's session id: new, or the one to resume. */
  readonly session: string;
  readonly resumed: boolean;
  /** What the task asked a person before; `answered`: the session that is resumed is the one that asked last. */
  readonly asked?: readonly Asked[];
  readonly answered?: boolean;
  /** Its workspace is a git worktree: there are more rules. */
  readonly inWorktree?: boolean;
  readonly asRoot: boolean;
  readonly outerEnv: Readonly<Record<string, string | undefined>>;
  readonly hookScript: string;
  /** The whole text that it reads, where that is no task's. */
  readonly prompt?: string;
}

export function placeholdersOf(parts: Omit<ProgramParts, 'spec' | 'hookScript' | 'prompt'>, interpreter: string): Placeholders {
  const { chosen, runDir } = parts;
  const promptFile = join(runDir, PROGRAM_FILES.prompt);
  return {
    prompt: `Read the file ${promptFile} and do what it says.`,
    'prompt-file': promptFile,
    script: join(runDir, PROGRAM_FILES.script),
    interpreter,
    workspace: parts.workspace,
    home: parts.home,
    run: runDir,
    hook: join(runDir, PROGRAM_FILES.hook),
    model: chosen.model ?? '',
    reasoning: chosen.reasoning ?? '',
    session: parts.session,
  };
}

/** Profile, task and attempt → what to run. An error says what the task or the profile lacks. */
export function buildProgram(parts: ProgramParts): Result<Program, string> {
  const { chosen, mode, spec, runDir } = parts;
  const { agent } = chosen;
  const way = mode === 'headless' ? agent.headless : agent.interactive;
  if (way === undefined) return err(`the agent ${agent.name} has no ${mode} mode; it has ${agent.headless === undefined ? 'interactive' : 'headless'}`);
  const blocks = way.prompt === 'blocks' ? shellProgram(spec) : undefined;
  if (blocks !== undefined && !blocks.ok) return blocks;
  const values = placeholdersOf(parts, blocks?.value.interpreter ?? 'sh');
  const files = blocks === undefined
    ? [{ name: PROGRAM_FILES.prompt, text: parts.prompt ?? taskPrompt(mode, parts.resumed ? (parts.answered === true ? 'answered' : 'interrupted') : 'fresh', spec.body, parts.asked, parts.inWorktree) }, ...(agent.hooks === undefined ? [] : [{ name: PROGRAM_FILES.hook, text: parts.hookScript }])]
    : [{ name: PROGRAM_FILES.script, text: blocks.value.script }];
  const holds = new Set<Condition>([parts.resumed ? 'resume' : 'fresh']);
  if (chosen.model !== undefined) holds.add('model');
  if (chosen.reasoning !== undefined) holds.add('reasoning');
  if (agent.autonomous) holds.add('autonomous');
  if (parts.asRoot) holds.add('root');
  if (agent.hooks !== undefined) holds.add('hooks');
  const argv = renderArgv(way.argv, holds, values);
  return ok({
    argv,
    stdin: mode === 'interactive' ? { kind: 'terminal' } : way.prompt === 'stdin' ? { kind: 'file', path: values['prompt-file'] } : { kind: 'nothing' },
    stream: agent.headless !== undefined && mode === 'headless' && agent.headless.output !== 'text' ? join(runDir, PROGRAM_FILES.stream) : undefined,
    files,
    env: profileEnv(parts, values),
  });
}

/** What a profile's session gets beyond the contract: only by names that the profile, or its account, spells out. */
function profileEnv(parts: ProgramParts, values: Placeholders): Record<string, string> {
  const { agent, account } = parts.chosen;
  const { outerEnv, runDir } = parts;
  const env: Record<string, string> = {};
  const own = agent.accounts.find((one) => one.name === account.name);
  for (const name of hasOwnLogin(own) ? [] : agent.secrets) {
    const value = outerEnv[name];
    if (value !== undefined) env[name] = value;
  }
  for (const [name, outer] of Object.entries(own?.from ?? {})) {
    const value = outerEnv[outer];
    if (value !== undefined) env[name] = value;
  }
  Object.assign(env, keylessEnv(parts, values));
  if (agent.hooks !== undefined) env['SNAKEPIT_EVENTS'] = join(runDir, PROGRAM_FILES.events);
  return env;
}

/** What the program needs to find its own home, without the keys: enough for a command that asks nobody's model. */
export function keylessEnv({ chosen, asRoot, outerEnv }: Pick<ProgramParts, 'chosen' | 'asRoot' | 'outerEnv'>, values: Placeholders): Record<string, string> {
  const { agent, account } = chosen;
  const env: Record<string, string> = {};
  for (const name of agent.pass) {
    const value = outerEnv[name];
    if (value !== undefined) env[name] = value;
  }
  const own = agent.accounts.find((one) => one.name === account.name);
  for (const [name, text] of Object.entries({ ...agent.env, ...(asRoot ? agent['root-env'] : {}), ...own?.env })) env[name] = render(text, values, (variable) => outerEnv[variable] ?? '');
  return env;
}

/** Another key or token in the surroundings would take the place of the account's own, and its limits would be counted on this one. */
const hasOwnLogin = (own: AgentProfile['accounts'][number] | undefined): boolean => own !== undefined && Object.keys(own.from).length + Object.keys(own.env).length + own.carry.length > 0;

/** The logins that a session's home starts with: where both name the same file, the account's. */
export const carryOf = ({ agent, account }: Chosen): AgentProfile['carry'] => [...(agent.accounts.find((one) => one.name === account.name)?.carry ?? []), ...agent.carry];
