import { join, relative } from 'node:path';
import type { Files } from '../lib/files.js';
import { besideFullScreen, show, showLines, tailLines } from '../lib/text.js';
import { isTaskFile, type Layout } from '../protocol/layout.js';
import type { Outcome } from '../protocol/judge.js';
import { parseAny } from '../protocol/names.js';
import { parseTask } from '../protocol/parse-task.js';
import { parseJson, RUN_FILES } from '../protocol/records.js';
import { parkedAttempt, readQuestion, type Question } from './answers.js';
import { countTries, describeDecision, isDecision } from './decision.js';
import { readFlow } from './flow-record.js';
import { pastAttempts, readAttempt, type OutcomeRecord } from './run-dir.js';
import { describeEvent } from './step-words.js';
import { describeOutcome } from './story.js';

const TASK_BYTES = 32 * 1024 * 1024;
const TAIL_LINES = 30;
const TAIL_BYTES = 64 * 1024;

type Parked = Extract<Outcome, { kind: 'parked' }>;

/** What a person is told of a parked task. Paths are relative to the project. */
export interface QuestionParts {
  readonly id: string;
  readonly title: string;
  readonly file: string;
  readonly parked: Parked;
  readonly at: number;
  readonly agent: string;
  readonly workspace: string;
  readonly runDir: string;
  readonly question: Question;
  /** Ended attempts, this one included, oldest first. */
  readonly attempts: readonly OutcomeRecord[];
  readonly notes: readonly string[];
  readonly outputTail: readonly string[];
  /** Of work that no review passed: what its steps did, and the file with the last feedback, with its text. */
  readonly review?: { readonly steps: readonly string[]; readonly feedback: string; readonly text: string; readonly failed?: readonly string[] } | undefined;
}

const ASKS: Readonly<Record<Parked['reason'], string>> = { permission: 'for permission', dialog: 'what a dialog of its program wants to know', question: 'a question', asked: 'a question', review: 'what is to become of work that no review passed', merge: 'what is to become of its branch', rejected: 'what is to be mended: a person rejected it', budget: 'for more tokens, money or time', setup: 'that its worktree can be set up' };

/** `<id>.question.md`: what is asked, by whom, after what work, and how to answer. Pure. */
export function questionText(parts: QuestionParts): string {
  const { id, parked, question } = parts;
  const lines = [
    `# Asks: ${show(parts.title === '' ? id : parts.title)}`,
    '',
    `- **task**: ${id}`,
    `- **asks**: ${parts.review?.failed === undefined ? ASKS[parked.reason] : 'what is to become of children that failed'} (${show(parts.agent)}): ${show(parked.detail, 300)}`,
    `- **since**: ${new Date(parts.at).toISOString()}${parked.nth > 1 ? `; the task asks for time number ${parked.nth}` : ''}`,
    `- **workspace**: \`${show(parts.workspace)}\``,
    '',
    '## How to answer',
    '',
    ...howTo(parts),
    '',
    '## What it asks',
    '',
    ...fenced(parts.review !== undefined ? parts.review.text : question.screen === '' ? (question.message === '' ? question.evidence : question.message) : question.screen),
  ];
  if (parts.review?.failed !== undefined) lines.push('', '## Its steps', '', ...parts.review.steps.map((step) => `- ${step}`));
  else if (parts.review !== undefined) lines.push('', `That is \`${show(parts.review.feedback)}\`; the work lies in \`${show(parts.workspace)}\`.`, '', '## Its steps', '', ...parts.review.steps.map((step) => `- ${step}`));
  if (question.screen !== '' && question.message !== '') lines.push('', '## What it said last', '', ...fenced(question.message));
  lines.push('', '## What it did so far', '', ...soFar(parts.attempts));
  if (parts.notes.length > 0) lines.push('', ...parts.notes.map((note) => `- ${show(note, 1000)}`));
  if (parts.outputTail.length > 0 && question.screen === '' && parts.review === undefined) lines.push('', '## The last lines it printed', '', ...fenced(parts.outputTail.join('\n')));
  lines.push('', `Everything else lies in \`${show(parts.runDir)}/\`.`);
  return `${lines.join('\n')}\n`;
}

/** Attempts with their numbers; what a person decided in between without one. */
function soFar(records: readonly OutcomeRecord[]): string[] {
  return records.map((record, index) => (isDecision(record) ? `- ${show(describeDecision(record), 300)}` : `${countTries(records.slice(0, index + 1))}. ${show(record.agent)}: ${show(describeOutcome(record.outcome), 300)}`));
}

/** What a person can say, and what follows. */
function howTo({ id, file, review, parked }: QuestionParts): string[] {
  if (parked.reason === 'budget') {
    return [
      `    snakepit answer ${id} '+1M'                   # a million tokens more; +500k`,
      `    snakepit answer ${id} '+5$'                   # five dollars more`,
      `    snakepit answer ${id} '+30m'                  # thirty minutes more; +2h`,
      `    snakepit answer ${id} 2x                      # twice as much of all`,
      `    snakepit answer ${id} off                     # no limit any more`,
      `    snakepit cancel ${id}                         # it goes to failed/`,
      '',
      `Several at once: '+1M +30m'. Or change \`budget:\` in ${show(file)} and say \`snakepit answer ${id}\` without more; unchanged, it is parked`,
      `again at once. What was worked so far is kept, and the same session goes on where its program can.`,
    ];
  }
  if (review?.failed !== undefined) {
    return [
      ...review.failed.map((child) => `    snakepit retry ${child}                      # first; then the next line`),
      `    snakepit answer ${id}                         # it waits for its children once more`,
      `    snakepit answer ${id} accept                  # it goes on without those that failed`,
      `    snakepit answer ${id} 'reject why'            # it goes to failed/`,
    ];
  }
  if (parked.reason === 'setup') {
    return [
      `    snakepit answer ${id}                         # its set-up is tried again`,
      `    snakepit cancel ${id}                         # it goes to failed/`,
      '',
      `No session was started and no attempt is spent. Mend what the commands say: \`setup:\` in snakepit.yaml or in ${show(file)}, or the branch that`,
      `it starts from; their whole output is \`setup.log\`, in the directory named at the end.`,
    ];
  }
  if (review !== undefined) {
    return [
      `    snakepit answer ${id} accept                  # it is good as it is: its checks run, and it is done`,
      `    snakepit answer ${id} 'more 3 what to mend'   # three rounds more; the words go to the next as feedback`,
      `    snakepit answer ${id} 'what to mend'          # one round more`,
      `    snakepit answer ${id} 'reject why'            # it goes to failed/`,
      '',
      `Moving the file back by hand (\`mv ${show(file)} queue/\`) is one round more. What was worked so far is kept, and no step runs again that has ended.`,
    ];
  }
  if (parked.reason === 'merge') {
    return [
      `    snakepit answer ${id} merge                   # the merge is tried again: no session is started`,
      `    snakepit merge ${id} --into BRANCH            # it is merged now, here or elsewhere; --dry-run, --how`,
      `    snakepit answer ${id} 'what to mend'          # it goes back to its author, with these words`,
      `    snakepit diff ${id}                           # what its branch changes`,
      `    snakepit cancel ${id}                         # it goes to failed/; its branch is kept`,
      '',
      `Moving the file back by hand (\`mv ${show(file)} queue/\`) tries the merge again too. Its work is done and lies on its branch; what you`,
      `commit in its workspace before you answer is merged with it. A task whose text you change is worked again.`,
    ];
  }
  return [
    `    snakepit answer ${id} 'what it is to do'      # or - for standard input`,
    `    snakepit answer ${id}                         # after an edit of ${show(file)}, or to let it try again`,
    `    snakepit cancel ${id}                         # it goes to failed/`,
    '',
    `Moving the file back by hand is an answer without words: \`mv ${show(file)} queue/\`. The next attempt goes on with the same session where its`,
    `program can, in the same workspace, and is told question and answer. An answer gives no rights: what its program may do is said by its settings,`,
    `by \`autonomous:\`, or by \`ask: allow\` in the task, which chooses the answers that its profile calls safe.`,
  ];
}

/** The last feedback and the steps of an attempt whose rounds are used up. */
async function reviewOf(files: Files, layout: Layout, base: string): Promise<QuestionParts['review']> {
  const flow = await readFlow(files, base);
  if (flow?.next.kind !== 'exhausted') return undefined;
  const latest = join(flow.handed, 'latest.md');
  return { steps: flow.events.map(describeEvent), feedback: relative(layout.root, latest), text: flow.next.failed === undefined ? ((await files.read(latest, 64 * 1024)) ?? `No feedback was left: ${flow.next.rule}.`) : `${flow.next.rule}.`, ...(flow.next.failed === undefined ? {} : { failed: flow.next.failed }) };
}

const fenced = (text: string): string[] => ['~~~~', ...showLines(text).replaceAll('~~~~', '~~~').split('\n').map((line) => line.trimEnd()), '~~~~'];

const questionFile = (layout: Layout, id: string): string => join(layout.dir('needs'), `${id}.question.md`);

/** The question of a parked task, as it lies beside it. */
export const readQuestionFile = (files: Files, layout: Layout, id: string): Promise<string | undefined> => files.read(questionFile(layout, id));

/** Writes the question beside its task. After the commit, as stories are; the same records give the same text. */
export async function publishQuestion(files: Files, layout: Layout, id: string): Promise<void> {
  const name = (await files.list(layout.dir('needs'))).find((file) => isTaskFile(file) && parseAny(file)?.id === id);
  const parked = await parkedAttempt(files, layout, id);
  // Answered already, or put there by hand.
  if (name === undefined || parked?.record.outcome.kind !== 'parked') return;
  const { run: dir, record } = parked;
  const attempt = await readAttempt(files, dir);
  const bytes = await files.readBytes(join(dir, RUN_FILES.task), TASK_BYTES);
  const parsed = bytes === undefined ? undefined : await parseTask(bytes);
  const notes = (await files.read(join(dir, RUN_FILES.notes))) ?? '';
  const text = questionText({
    id,
    title: parsed?.ok === true ? parsed.value.spec.title : '',
    file: relative(layout.root, join(layout.dir('needs'), name)),
    parked: parked.record.outcome,
    at: record.endedAt,
    agent: record.agent,
    workspace: attempt === undefined ? '' : relative(layout.root, attempt.workspace) || '.',
    runDir: relative(layout.root, dir),
    question: await readQuestion(files, parked),
    review: parked.record.outcome.reason === 'review' ? await reviewOf(files, layout, parked.dir) : undefined,
    attempts: (await pastAttempts(files, layout, id)).map((one) => one.record),
    notes: notes.split('\n').flatMap((line) => {
      const said = parseJson<{ text?: unknown }>(line)?.text;
      return typeof said === 'string' ? [said] : [];
    }),
    outputTail: tailLines(besideFullScreen((await files.read(parked.record.outcome.reason === 'setup' ? join(parked.dir, RUN_FILES.setup) : join(dir, RUN_FILES.output))) ?? '').slice(-TAIL_BYTES), TAIL_LINES),
  });
  await files.write(questionFile(layout, id), text);
}

/** Parked tasks whose question a crash right after the commit left out. */
export async function missingQuestions(files: Files, layout: Layout): Promise<string[]> {
  const missing: string[] = [];
  const names = await files.list(layout.dir('needs'));
  for (const name of names) {
    const id = isTaskFile(name) ? parseAny(name)?.id : undefined;
    if (id !== undefined && !names.includes(`${id}.question.md`) && (await parkedAttempt(files, layout, id)) !== undefined) missing.push(id);
  }
  return missing;
}
