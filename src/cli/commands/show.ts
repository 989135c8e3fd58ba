import { basename, relative } from 'node:path';
import { formatDuration } from '../../lib/duration.js';
import { show, showLines } from '../../lib/text.js';
import { attemptOf, parseClaim } from '../../protocol/names.js';
import { parseTask } from '../../protocol/parse-task.js';
import { RUN_FILES } from '../../protocol/records.js';
import { explainWaiting } from '../../queue/promote.js';
import { pastAttempts, readAttempt, runDirOf } from '../../runs/run-dir.js';
import { describeOutcome } from '../../runs/story.js';
import { note, openContext, print, printJson } from '../context.js';
import { coolingWhy } from '../cooling.js';
import { CliError, EXIT } from '../exit.js';
import { find, refusedText } from '../find.js';
import { stateWord } from '../progress.js';
import { paintState } from '../style.js';

export async function showTask(dir: string | undefined, name: string, options: { json?: boolean }): Promise<void> {
  const context = openContext(dir);
  const { files, layout, clock } = context;
  const found = await find(context, name);
  if (found.kind === 'nobody') throw new CliError(`no task is called ${name}; see: snakepit ls`, EXIT.notFound);
  if (found.kind === 'refused') throw new CliError(refusedText(found.refusal), EXIT.badTask);
  const { task, newer } = found;
  const { id } = task;
  const attempts = (await pastAttempts(files, layout, id)).map(({ dir: runDir, record }) => ({ ...record, runDir }));
  const story = await files.read(`${layout.dir(task.state)}/${basename(task.file, '.md')}.result.md`);
  const claim = parseClaim(basename(task.file));
  const running = claim === undefined ? undefined : await readAttempt(files, runDirOf(layout, claim));
  const waitUntil = claim === undefined ? undefined : (await files.read(`${runDirOf(layout, claim)}/${RUN_FILES.waitUntil}`))?.trim();
  const why = task.state === 'waiting' ? ((await coolingWhy(context, task)) ?? (await explainWaiting(files, layout, clock.wallMs())).get(id)?.why) : undefined;
  if (options.json === true) return printJson({ id, state: task.state, file: task.file, counters: task.name?.counters, owner: claim?.owner, running, waitUntil, why, attempts, story, refused: newer });
  if (newer !== undefined) note(`snakepit: a newer ${refusedText(newer)}`);
  if (story !== undefined && (task.state === 'done' || task.state === 'failed')) return print(showLines(story).trimEnd());
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
  if (waitUntil !== undefined) lines.push(`says      it waits until ${show(waitUntil)}`);
  for (const attempt of attempts) lines.push(`attempt ${attempt.attempt}: ${show(describeOutcome(attempt.outcome), 400)}`);
  print(lines.join('\n'));
}
