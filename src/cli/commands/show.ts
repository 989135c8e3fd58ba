import { basename, relative } from 'node:path';
import { formatDuration } from '../../lib/duration.js';
import { show, showLines } from '../../lib/text.js';
import { attemptOf, parseClaim } from '../../protocol/names.js';
import { parseTask } from '../../protocol/parse-task.js';
import { RUN_FILES } from '../../protocol/records.js';
import { judgeAllWaiting } from '../../queue/promote.js';
import { pastAttempts, readAttempt, runDirOf } from '../../runs/run-dir.js';
import { describeOutcome } from '../../runs/story.js';
import { findTask, openContext, print, printJson } from '../context.js';
import { paintState } from '../style.js';

export async function showTask(dir: string | undefined, id: string, options: { json?: boolean }): Promise<void> {
  const context = openContext(dir);
  const { files, layout, clock } = context;
  const task = await findTask(context, id);
  const attempts = (await pastAttempts(files, layout, id)).map(({ dir: runDir, record }) => ({ ...record, runDir }));
  const story = await files.read(`${layout.dir(task.state)}/${basename(task.file, '.md')}.result.md`);
  const claim = parseClaim(basename(task.file));
  const running = claim === undefined ? undefined : await readAttempt(files, runDirOf(layout, claim));
  const waitUntil = claim === undefined ? undefined : (await files.read(`${runDirOf(layout, claim)}/${RUN_FILES.waitUntil}`))?.trim();
  const why = task.state === 'waiting' ? (await judgeAllWaiting(files, layout, new Map(), clock.wallMs())).verdicts.get(id)?.why : undefined;
  if (options.json === true) return printJson({ id, state: task.state, file: task.file, counters: task.name?.counters, owner: claim?.owner, running, waitUntil, why, attempts, story });
  if (story !== undefined && (task.state === 'done' || task.state === 'failed')) return print(showLines(story).trimEnd());
  const bytes = await files.readBytes(task.file, 16 * 1024 * 1024);
  const parsed = bytes === undefined ? undefined : await parseTask(bytes);
  const lines = [`${id}: ${paintState(task.state)}${why === undefined ? '' : `, ${why}`}`];
  if (parsed?.ok === true) lines.push(`title     ${show(parsed.value.spec.title)}`);
  else if (parsed !== undefined) lines.push(`problem   line ${parsed.error.line}: ${parsed.error.problem}; ${parsed.error.fix}`);
  lines.push(`file      ${show(relative(layout.root, task.file))}`);
  if (task.name !== undefined) lines.push(`attempt   ${attemptOf(task.name.counters)} (failures ${task.name.counters.failures}, lost ${task.name.counters.losses}, deferred ${task.name.counters.deferrals}), priority ${task.name.place.priority}`);
  if (claim !== undefined) lines.push(`worked by ${claim.owner.snake} (pid ${claim.owner.pid})${running === undefined ? '' : `, ${running.agent}, for ${formatDuration(Math.max(0, clock.wallMs() - running.startedAt))} of at most ${formatDuration(running.timeoutMs)}`}; look in with: snakepit attach ${id}`);
  if (waitUntil !== undefined) lines.push(`says      it waits until ${show(waitUntil)}`);
  for (const attempt of attempts) lines.push(`attempt ${attempt.attempt}: ${show(describeOutcome(attempt.outcome), 400)}`);
  print(lines.join('\n'));
}
