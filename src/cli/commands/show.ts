import { basename, dirname, relative } from 'node:path';
import { formatDuration } from '../../lib/duration.js';
import { show, showLines } from '../../lib/text.js';
import { unreachable } from '../../lib/unreachable.js';
import { attemptOf, parseClaim } from '../../protocol/names.js';
import { parseTask } from '../../protocol/parse-task.js';
import { RUN_FILES } from '../../protocol/records.js';
import { childrenOf } from '../../queue/children.js';
import type { Located } from '../../queue/locate.js';
import { explainWaiting } from '../../queue/promote.js';
import { pastAttempts, readAttempt } from '../../runs/run-dir.js';
import { currentRun } from '../../runs/steps.js';
import { childrenLine, describeEvent, standing } from '../../runs/step-words.js';
import { useOf } from '../../runs/running-use.js';
import { describeTokens } from '../../runs/token-words.js';
import { readQuestionFile } from '../../runs/question.js';
import { changeLines } from '../../runs/change-words.js';
import { gatherStory } from '../../runs/publish.js';
import { attemptLines, checkLines, type StoryParts } from '../../runs/story.js';
import { note, openContext, print, printJson } from '../context.js';
import { coolingWhy } from '../cooling.js';
import { configInForce } from '../config-in-force.js';
import { CliError, EXIT } from '../exit.js';
import { find, refusedText } from '../find.js';
import { setupWhy } from '../setup-why.js';
import { stateWord } from '../state-word.js';
import { paintState } from '../style.js';

export async function showTask(dir: string | undefined, name: string, options: { json?: boolean }): Promise<void> {
  const context = openContext(dir);
  const { files, layout, clock } = context;
  const found = await find(context, name);
  if (found.kind === 'nobody') throw new CliError(`no task is called ${name}; see: snakepit ls`, EXIT.notFound);
  if (found.kind === 'refused') throw new CliError(refusedText(found.refusal), EXIT.badTask);
  const { task, newer } = found;
  const { id } = task;
  const told = async (): Promise<StoryParts> => gatherStory(files, layout, id, task.file);
  const attempts = (await pastAttempts(files, layout, id)).map(({ dir: runDir, record }) => ({ ...record, runDir }));
  const story = await files.read(`${dirname(task.file)}/${basename(task.file, '.md')}.result.md`);
  const claim = parseClaim(basename(task.file));
  const at = claim === undefined ? undefined : await currentRun(files, layout, claim);
  const flow = at?.flow;
  const running = claim === undefined ? undefined : await readAttempt(files, at?.dir ?? '');
  const used = claim === undefined ? undefined : await useOf(files, layout, await configInForce(context), claim, clock.wallMs());
  const waitUntil = claim === undefined ? undefined : (await files.read(`${at?.dir ?? ''}/${RUN_FILES.waitUntil}`))?.trim();
  const why = task.state === 'waiting' ? ((await coolingWhy(context, task)) ?? (await setupWhy(context, task)) ?? (await explainWaiting(files, layout, clock.wallMs())).get(id)?.why) : undefined;
  const children = await childrenOf(files, layout, id);
  const question = task.state === 'needs' ? await readQuestionFile(files, layout, id) : undefined;
  if (options.json === true) {
    const { asked, steps, evidence, answers, tokens, money, cost, verify: checks, notes } = await told();
    return printJson({ id, state: task.state, file: task.file, counters: task.name?.counters, owner: claim?.owner, running, soFar: used?.tokens, workflow: flow === undefined ? undefined : { name: flow.workflow.name, next: flow.next, events: flow.events }, waitUntil, why, children, attempts, asked, steps, evidence, answers, tokens, money, cost, checks, notes, next: nextOf(task, layout.root), story, question, refused: newer });
  }
  if (newer !== undefined) note(`snakepit: a newer ${refusedText(newer)}`);
  if (story !== undefined && (task.state === 'done' || task.state === 'failed')) return print(showLines(story).trimEnd());
  if (question !== undefined) return print(showLines(question).trimEnd());
  const bytes = await files.readBytes(task.file, 16 * 1024 * 1024);
  const parsed = bytes === undefined ? undefined : await parseTask(bytes);
  const lines = [`${id}: ${paintState(stateWord(task.state))}${why === undefined ? '' : `, ${why}`}`];
  if (parsed?.ok === true) {
    const { title } = parsed.value.spec;
    if (title !== '' && title !== id) lines.unshift(`# ${show(title)}`);
    for (const warning of parsed.value.warnings) lines.push(`mind      line ${warning.line}: ${show(warning.text)}`);
  } else if (parsed !== undefined) lines.push(`problem   line ${parsed.error.line}: ${parsed.error.problem}; ${parsed.error.fix}`);
  lines.push(`file      ${show(relative(layout.root, task.file))}`);
  if (task.name !== undefined) lines.push(`attempt   ${attemptOf(task.name.counters)} (failures ${task.name.counters.failures}, lost ${task.name.counters.losses}, deferred ${task.name.counters.deferrals}), priority ${task.name.place.priority}`);
  if (claim !== undefined) lines.push(`worked by ${claim.owner.snake} (pid ${claim.owner.pid})${running === undefined ? '' : `, ${running.agent}, for ${formatDuration(Math.max(0, clock.wallMs() - running.startedAt))} of at most ${formatDuration(running.timeoutMs)}`}; look in with: snakepit attach ${id}`);
  if (flow !== undefined) lines.push(`workflow  ${flow.workflow.name}, ${standing(flow.next)}`, ...flow.events.map((event) => `  ended   ${describeEvent(event)}`));
  if (Object.values(children).some((ids: readonly string[]) => ids.length > 0)) lines.push(`tossed    ${childrenLine(children)}`);
  if (used?.tokens !== undefined) lines.push(`tokens    ${describeTokens(used.tokens)}, so far in this session`);
  if (waitUntil !== undefined) lines.push(`says      it waits until ${show(waitUntil)}`);
  const parts = await told();
  const next = nextOf(task, layout.root);
  if (next !== undefined) lines.push(`next      ${next}`);
  if (parts.attempts.length > 0) lines.push('', 'attempts so far', ...attemptLines(parts));
  if (parts.verify.length > 0) lines.push('', 'checks of the last one', ...checkLines(parts.verify));
  const changes = parts.attempts.at(-1)?.changes;
  if (changes !== undefined) lines.push('', ...changeLines(changes));
  print(lines.join('\n'));
}

/** What a person can do with an open task. */
function nextOf({ state, id, file }: Located, root: string): string | undefined {
  switch (state) {
    case 'ready':
    case 'waiting':
      return `snakepit explain ${id} says what it waits for; snakepit hold ${id}, snakepit cancel ${id}`;
    case 'held':
      return `snakepit release ${id}`;
    case 'claimed':
    case 'reaping':
      return `snakepit logs -f ${id}, snakepit attach ${id}, snakepit cancel ${id}`;
    case 'stuck':
      return `snakepit explain ${id} names the processes; end them, then: mv ${show(relative(root, file))} queue/`;
    case 'needs':
      return `snakepit answer ${id} TEXT`;
    case 'done':
    case 'failed':
      return undefined;
    default:
      return unreachable(state);
  }
}
