import { basename, dirname, join } from 'node:path';
import { show } from '../../lib/text.js';
import { fencedShell } from '../../protocol/task.js';
import { parseTask } from '../../protocol/parse-task.js';
import { idFromFileName } from '../../protocol/task-id.js';
import { RUN_FILES } from '../../protocol/records.js';
import { tossBegun, tossedIds } from '../../queue/children.js';
import { locate } from '../../queue/locate.js';
import { readFlow } from '../../runs/flow-record.js';
import { readSpec } from '../../runs/task-copy.js';
import { stepOf } from '../../workflow/decide.js';
import { readTerms } from '../config-in-force.js';
import { openContext, print, type Context } from '../context.js';
import { CliError, EXIT } from '../exit.js';
import { readInput } from '../input.js';
import { addOne } from './add.js';
import { inSession } from './session.js';

/** More than a task may have. */
const CHILD_BYTES = 64 * 1024 * 1024;

/** Children inherit nothing but their parent's name and depth; both counts are kept where every session of the task sees them. */
export async function toss(list: readonly string[]): Promise<void> {
  const parent = inSession('SNAKEPIT_TASK_ID');
  const context = openContext(inSession('SNAKEPIT_DIR'));
  const { files, layout } = context;
  const terms = await readTerms(context);
  const { config } = terms;
  const spec = await readSpec(files, inSession('SNAKEPIT_RUN_DIR'));
  const depth = (spec?.depth ?? 0) + 1;
  if (depth > config.toss.depth) throw new CliError(`${parent} is itself tossed ${depth - 1} deep; toss.depth allows ${config.toss.depth}`, EXIT.usage);
  const children = join(layout.runs, parent, RUN_FILES.tossed);
  await files.makeDir(children);
  const hold = await tossesHeld(context);
  for (const file of list) {
    const bytes = await readInput(file);
    const shownAs = show(file === '-' ? 'standard input' : file);
    const parsed = await parseTask(bytes);
    if (!parsed.ok) throw new CliError(`${shownAs}:${parsed.error.line}: ${parsed.error.problem}; ${parsed.error.fix}`, EXIT.badTask);
    const child = parsed.value.spec;
    const commands = child.run !== undefined || child.verify.length > 0 || (child.setup ?? []).length > 0 || fencedShell(child.body).length > 0;
    if (commands && !config.toss.commands) throw new CliError(`${shownAs}: a tossed task may name no commands (run:, setup:, verify:, sh blocks); its owner can allow it with toss: {commands: true}`, EXIT.badTask);
    if (child.parent !== undefined || child.depth !== 0) throw new CliError(`${shownAs}: parent: and depth: are written by toss; leave them out`, EXIT.badTask);
    const tossed = tossedIds(await files.list(children));
    const name = file === '-' ? `${parent}-${tossed.length + 1}.md` : basename(file);
    const id = child.id ?? idFromFileName(Buffer.from(name));
    const again = await isChild(context, id, parent);
    const counted = again || tossed.includes(id);
    if (!counted && tossed.length >= config.toss.perTask) throw new CliError(`${parent} has tossed ${config.toss.perTask} tasks, as many as toss.per-task allows`, EXIT.usage);
    // Counted before it is in line: killed in between, it is one too many in the count, never one too few.
    const begun = join(children, tossBegun(id));
    if (!counted) await files.write(begun, '');
    const adding = again ? Promise.resolve({ id }) : addOne(context, terms, withParent(bytes, parent, depth), shownAs, Buffer.from(name), hold);
    const added = await adding.catch(async (cause: unknown) => {
      await files.remove(begun);
      throw cause;
    });
    await files.write(join(children, added.id), '');
    await files.remove(begun);
    print(added.id);
  }
}

/** Tossed before, in an attempt that was cut short: it is not made twice. */
async function isChild({ files, layout }: Context, id: string, parent: string): Promise<boolean> {
  const found = await locate(files, layout, id);
  const bytes = found === undefined ? undefined : await files.readBytes(found.file, CHILD_BYTES);
  const parsed = bytes === undefined ? undefined : await parseTask(bytes);
  return parsed?.ok === true && parsed.value.spec.parent === parent;
}

/** Whether the step that this session works holds what it tosses. */
async function tossesHeld({ files }: Context): Promise<boolean> {
  const flow = await readFlow(files, dirname(dirname(inSession('SNAKEPIT_RUN_DIR'))));
  return flow?.next.kind === 'step' && stepOf(flow.workflow.nodes, flow.next.step)?.hold === true;
}

/** The two keys go right after the opening ---, or make a front matter of their own. */
function withParent(bytes: Uint8Array, parent: string, depth: number): Uint8Array {
  const text = Buffer.from(bytes).toString('utf8').replace(/^\uFEFF/, '');
  const keys = `parent: ${parent}\ndepth: ${depth}\n`;
  return Buffer.from(/^---\r?\n/.test(text) ? text.replace(/^---\r?\n/, `---\n${keys}`) : `---\n${keys}---\n${text}`);
}
