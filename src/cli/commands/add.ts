import { basename, join } from 'node:path';
import { chooseAgent, wantedAgents, type Profiles } from '../../agents/choice.js';
import { shellProgram } from '../../agents/shell.js';
import type { Config } from '../../config/config.js';
import { newNonce } from '../../lib/ids.js';
import { temporaryName } from '../../lib/temporary.js';
import { show } from '../../lib/text.js';
import type { ParsedTask } from '../../protocol/parse-task.js';
import type { TaskSpec } from '../../protocol/task.js';
import { beginRound, checkTask, planPlacement, settleIn } from '../../queue/intake.js';
import { heldInstead } from '../../queue/place.js';
import { ensureLayout } from '../../queue/init.js';
import { faultLine, faultWords, workflowFault } from '../../workflow/fault.js';
import { readTerms, type Terms } from '../config-in-force.js';
import { checkGround, note, openContext, print, printJson, withIntake, type Context } from '../context.js';
import { CliError, EXIT } from '../exit.js';
import { readInput } from '../input.js';

/** A task that no profile could work is told at the prompt, not at night. */
export function checkWorkable(spec: TaskSpec, config: Config, profiles: Profiles): string | undefined {
  const choosing = chooseAgent(profiles, wantedAgents(spec.agents, config.agent, undefined), () => undefined);
  if (!choosing.ok) return choosing.error;
  if (choosing.value.kind !== 'chosen') return undefined;
  const { agent } = choosing.value.chosen;
  const mode = spec.mode ?? agent.mode;
  const way = mode === 'headless' ? agent.headless : agent.interactive;
  if (way === undefined) return `the agent ${agent.name} has no ${mode} mode`;
  const program = way.prompt === 'blocks' ? shellProgram(spec) : undefined;
  return program?.ok === false ? program.error : undefined;
}

/** Checks one task and puts it in line: written beside, synced, renamed. Prints nothing; returns its id. */
export async function addOne(context: Context, { config, profiles }: Terms, bytes: Uint8Array, shownAs: string, fileName: Buffer, hold = false): Promise<{ id: string; state: string }> {
  const checked = await checkTask(bytes, config.maxTaskBytes);
  if (!checked.ok) throw new CliError(`${shownAs}:${checked.error.line}: ${checked.error.problem}; ${checked.error.fix}`, EXIT.badTask);
  for (const warning of checked.value.warnings) note(`snakepit: ${shownAs}:${warning.line}: ${warning.text}`);
  const complaint = checkWorkable(checked.value.spec, config, await profiles());
  if (complaint !== undefined) throw new CliError(`${shownAs}: ${complaint}`, EXIT.badTask);
  const fault = await workflowFault(context.files, context.layout.root, checked.value.spec, config.workflow);
  if (fault !== undefined) {
    const line = faultLine(fault, checked.value.spec, bytes);
    throw new CliError(line === undefined ? `${shownAs}: the workflow ${fault.name} cannot be worked: ${faultWords(fault)}` : `${shownAs}:${line}: ${faultWords(fault)}`, EXIT.badTask);
  }
  return putInLine(context, checked.value, bytes, shownAs, fileName, hold);
}

/** The part of it that changes the queue: a checked task gets its place, unless its id is taken. */
export async function putInLine(context: Context, task: ParsedTask, bytes: Uint8Array, shownAs: string, fileName: Buffer, hold = false): Promise<{ id: string; state: string }> {
  const { files, layout } = context;
  return withIntake(context, async () => {
    const round = await beginRound(files, layout);
    const found = await planPlacement(context, layout, round, task, fileName);
    if (!found.ok) throw new CliError(`${shownAs}:${found.error.line}: ${found.error.problem}; ${found.error.fix}`, EXIT.badTask);
    const planned = hold ? heldInstead(found.value) : found.value;
    const beside = join(layout.tmp, temporaryName('add', context.processes.self(), newNonce()));
    await files.write(beside, Buffer.from(bytes).toString('utf8'));
    try {
      await files.rename(beside, join(layout.dir(planned.state), planned.fileName));
    } catch (cause) {
      // It is not in line; nothing of it stays.
      await files.remove(beside);
      throw cause;
    }
    await settleIn(context, layout, round, planned, shownAs);
    return { id: planned.id, state: planned.state };
  });
}

export async function add(dir: string | undefined, list: readonly string[], options: { json?: boolean; id?: string }): Promise<void> {
  const context = openContext(dir);
  checkGround(context);
  await ensureLayout(context.files, context.layout);
  const terms = await readTerms(context);
  if (options.id !== undefined && list.length > 1) throw new CliError('--id goes with one file', EXIT.usage);
  const added: { id: string; state: string; file: string }[] = [];
  let failure: CliError | undefined;
  for (const file of list) {
    const bytes = await readInput(file);
    const name = options.id ?? (file === '-' ? await nameFromText(bytes, terms.config) : basename(file));
    try {
      added.push({ ...(await addOne(context, terms, bytes, show(file === '-' ? 'standard input' : file), Buffer.from(name))), file });
    } catch (cause) {
      if (!(cause instanceof CliError)) throw cause;
      failure ??= cause;
      if (list.length > 1) note(`snakepit: ${cause.message}`);
    }
    const last = added.at(-1);
    if (last !== undefined && last.file === file && options.json !== true) print(last.id);
  }
  if (options.json === true) printJson({ added });
  if (failure !== undefined) throw list.length > 1 ? new CliError(`${list.length - added.length} of ${list.length} were not added, see above`, failure.exitCode) : failure;
}

/** A task from standard input without an id is called after its title. */
async function nameFromText(bytes: Uint8Array, config: Config): Promise<string> {
  const checked = await checkTask(bytes, config.maxTaskBytes);
  const title = checked.ok ? checked.value.spec.title.replace(/[^\p{L}\p{N} _-]/gu, '').trim().slice(0, 50) : '';
  return `${title === '' ? `task-${newNonce()}` : title}.md`;
}
