import { basename, relative } from 'node:path';
import { clean } from '../../agents/deliver/text.js';
import { parseRaise } from '../../ledger/budget.js';
import { formatDuration } from '../../lib/duration.js';
import { show } from '../../lib/text.js';
import { checkTask } from '../../queue/intake.js';
import { listState, type Located } from '../../queue/locate.js';
import { putAwayQuestions } from '../../queue/stray-stories.js';
import { ANSWER_BYTES, isBudgetPark, parkedAttempt, readAnswer, writeAnswer } from '../../runs/answers.js';
import { readQuestionFile } from '../../runs/question.js';
import { readTerms } from '../config-in-force.js';
import { openContext, print, printJson, type Context } from '../context.js';
import { CliError, EXIT } from '../exit.js';
import { findTask } from '../find.js';
import { stateWord } from '../state-word.js';
import { paint, table } from '../style.js';
import { wordsOrInput } from '../input.js';
import { takeAgain } from './moves.js';

export async function answer(dir: string | undefined, name: string, words: readonly string[], options: { json?: boolean }): Promise<void> {
  const text = clean(await wordsOrInput(words)).trim();
  if (words.length > 0 && text === '') throw new CliError('the answer is empty; say something, or leave it out to let the task go on as it stands now', EXIT.usage);
  if (Buffer.byteLength(text) > ANSWER_BYTES) throw new CliError(`the answer is longer than ${ANSWER_BYTES} bytes; put it into a file of the project and name that, or edit the task`, EXIT.usage);
  const { id, state, said } = await answerOne(openContext(dir), name, text);
  if (options.json === true) return printJson({ id, state, answer: said });
  print(`${id} is ${state} again${said === undefined || said === '' ? ', as it stands now' : text === '' ? `, with the answer that was given before: ${show(said, 100)}` : ''}`);
}

/**
 * Answers a parked task and puts it back in line, at its place; '': without words. The answer lies on disk before the task moves; said again
 * after a crash in between, without words, it goes on with the answer that lies there: `said`.
 */
export async function answerOne(context: Context, name: string, text: string): Promise<{ id: string; state: string; said: string | undefined }> {
  const { files, layout, clock, events } = context;
  const task = await findTask(context, name);
  if (task.state !== 'needs') throw new CliError(`${task.id} is ${stateWord(task.state)} and asks nothing${task.state === 'claimed' ? `; to say something to its session: snakepit nudge ${task.id} TEXT` : ''}; who asks: snakepit needs`, EXIT.usage);
  await checkEdited(context, task);
  const asked = await parkedAttempt(files, layout, task.id);
  if (asked === undefined && text !== '') throw new CliError(`${task.id} was moved to needs/ by hand: nothing was asked, so nothing can be answered; write it into the task, then: snakepit answer ${task.id}`, EXIT.usage);
  if (asked !== undefined && isBudgetPark(asked) && text !== '' && parseRaise(text) === undefined) throw new CliError(`${task.id} waits with a spent budget, and ${show(text, 60)} does not raise it: say +1M (tokens), '+5$', +30m, 2x or off, several with blanks between; or: snakepit cancel ${task.id}`, EXIT.usage);
  if (asked !== undefined && text !== '') await writeAnswer(files, asked, text);
  const said = asked === undefined ? undefined : await readAnswer(files, asked);
  const { id, state } = await takeAgain(context, task);
  await events.emit({ kind: 'task-answered', id, answer: said ?? '' });
  await putAwayQuestions(files, layout, clock.wallMs());
  return { id, state, said };
}

/** A slip in an edited task is told here, and the task stays where it is. */
async function checkEdited(context: Context, { id, file }: Located): Promise<void> {
  const { maxTaskBytes } = (await readTerms(context)).config;
  const shown = show(relative(context.layout.root, file));
  const bytes = await context.files.readBytes(file, maxTaskBytes + 1);
  if (bytes === undefined) throw new CliError(`${shown} cannot be read; it may just have moved: snakepit show ${id}`, EXIT.busy);
  const checked = await checkTask(bytes, maxTaskBytes);
  if (!checked.ok) throw new CliError(`${shown}:${checked.error.line}: ${checked.error.problem}; ${checked.error.fix}; it stays in needs/`, EXIT.badTask);
  const named = checked.value.spec.id;
  if (named !== undefined && named !== id) throw new CliError(`${shown}: its id: was changed to ${named}; question, answer and attempts are those of ${id}: change it back, or cancel it and add the other`, EXIT.badTask);
}

interface Asking {
  readonly id: string;
  readonly reason: string | undefined;
  readonly since: number | undefined;
  readonly question: string;
  readonly file: string;
  readonly questionFile: string | undefined;
}

/** All parked tasks with what they ask, the longest waiting first. */
export async function needs(dir: string | undefined, options: { json?: boolean }): Promise<void> {
  const context = openContext(dir);
  const { files, layout, clock } = context;
  const all: Asking[] = [];
  for (const task of await listState(files, layout, 'needs')) {
    const asked = await parkedAttempt(files, layout, task.id);
    const outcome = asked?.record.outcome.kind === 'parked' ? asked.record.outcome : undefined;
    const text = await readQuestionFile(files, layout, task.id);
    all.push({ id: task.id, reason: outcome?.reason, since: asked?.record.endedAt, question: outcome?.detail ?? 'nothing is recorded: it was put there by hand', file: task.file, questionFile: text === undefined ? undefined : `${layout.dir('needs')}/${task.id}.question.md` });
  }
  all.sort((a, b) => (a.since ?? 0) - (b.since ?? 0));
  if (options.json === true) return printJson({ needs: all });
  if (all.length === 0) return print('nothing needs a person');
  const rows = all.map((one) => [one.id, one.reason ?? '', one.since === undefined ? '' : formatDuration(Math.max(0, clock.wallMs() - one.since)), show(one.question, 100)]);
  print(table([['TASK', 'ASKS FOR', 'SINCE', ''], ...rows], (cell, _column, row) => (row === 0 ? paint('dim', cell) : cell)));
  const [first] = all;
  print(`\nall of a question: snakepit show ${first?.id ?? ''} (or queue/needs/${basename(first?.questionFile ?? '*.question.md')}); answer it: snakepit answer ${first?.id ?? ''} TEXT`);
}
