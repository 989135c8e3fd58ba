import { basename, join } from 'node:path';
import { formatDuration } from '../../lib/duration.js';
import { show } from '../../lib/text.js';
import { isTaskFile, QUEUE_STATES, type QueueState } from '../../protocol/layout.js';
import { attemptOf, parseClaim } from '../../protocol/names.js';
import { endedTasks } from '../../queue/ended.js';
import { listState, type Located } from '../../queue/locate.js';
import { summarizeRecurring } from '../../recurring/summary.js';
import { listRefusals, type Refusal } from '../../queue/refusals.js';
import { parkedAttempt } from '../../runs/answers.js';
import { lastTry } from '../../runs/decision.js';
import { pastAttempts } from '../../runs/run-dir.js';
import { whyOf } from '../../runs/story.js';
import { openContext, print, printJson, type Context } from '../context.js';
import { CliError, EXIT } from '../exit.js';
import { stateWord } from '../state-word.js';
import { recurringLine } from '../recurring-line.js';
import { paint, paintState, table } from '../style.js';
import type { BrokenFile } from '../workflow-why.js';

interface Row {
  readonly id: string;
  readonly state: QueueState;
  readonly attempt: number | undefined;
  readonly priority: number | undefined;
  readonly note: string;
  readonly endedAt: number | undefined;
  readonly file: string;
}

const EMPTY: Partial<Record<string, string>> = { needs: 'nothing needs a person', claimed: 'nothing is running' };

const isState = (text: string): text is QueueState => (QUEUE_STATES as readonly string[]).includes(text);

/** Of what has ended, so many are listed: a night's worth is read in the morning, the month before it is not. */
const NEWEST = 20;

/**
 * Open tasks wholly, in dispatch order; of ended ones the newest, since the records of each are read for its row. Facts as JSON are
 * complete, unless a limit is asked for.
 */
export async function ls(dir: string | undefined, asked: string | undefined, options: { json?: boolean; limit?: number; all?: boolean }): Promise<void> {
  const state = asked === 'running' ? 'claimed' : asked === 'parked' ? 'needs' : asked;
  if (state !== undefined && !isState(state)) throw new CliError(`${state} is no state; use ${QUEUE_STATES.map((one) => (one === 'needs' ? one : stateWord(one))).join(', ')}`, EXIT.usage);
  const context = openContext(dir);
  const { files, layout, clock } = context;
  const waits = state === undefined || state === 'waiting' ? await whyTheyWait(context) : new Map<string, { why: string }>();
  const cooling = waits.size === 0 ? undefined : await (await import('../cooling.js')).coolingExplainer(context);
  const limit = options.all === true ? Number.MAX_SAFE_INTEGER : (options.limit ?? (options.json === true ? Number.MAX_SAFE_INTEGER : NEWEST));
  const tasks: Row[] = [];
  const more: Partial<Record<QueueState, number>> = {};
  for (const one of state === undefined ? QUEUE_STATES : [state]) {
    if (one === 'done' || one === 'failed') {
      const ended = await endedTasks(files, layout.dir(one), await files.list(layout.dir(one)));
      for (const task of ended.slice(0, limit)) tasks.push(await endedRow(context, { ...task, state: one, name: undefined }));
      if (ended.length > limit) more[one] = ended.length - limit;
      continue;
    }
    for (const task of await listState(files, layout, one)) tasks.push(one === 'needs' ? await parkedRow(context, task) : openRow(task, (one === 'waiting' ? await cooling?.(task) : undefined) ?? waits.get(task.id)?.why));
  }
  const refused = state === undefined || state === 'failed' ? await listRefusals(files, layout) : [];
  const recurring = state === undefined ? await summarizeRecurring(files, layout) : undefined;
  const broken = state === undefined ? await brokenOnes(context) : [];
  if (options.json === true) return printJson({ tasks, refused, ...(broken.length === 0 ? {} : { brokenWorkflows: broken }), ...(Object.keys(more).length === 0 ? {} : { more }), ...(recurring === undefined ? {} : { recurring }) });
  const templates = recurring === undefined || recurring.templates === 0 ? [] : [recurringLine(recurring, clock.wallMs())];
  if (tasks.length === 0 && refused.length === 0 && Object.keys(more).length === 0) return print([state === undefined ? 'no tasks; drop markdown files into queue/, or: snakepit add FILE' : (EMPTY[state] ?? `nothing is ${state}`), ...templates, ...brokenLines(broken)].join('\n'));
  const rows = [...tasks.map((task) => [stateWord(task.state), task.id, String(task.attempt ?? ''), String(task.priority ?? ''), noteOf(task, clock.wallMs())]), ...refused.map((one) => refusedRow(one, clock.wallMs()))];
  print(table([['STATE', 'TASK', 'ATTEMPT', 'PRIORITY', ''], ...rows], (cell, column, row) => (row === 0 ? paint('dim', cell) : column === 0 ? paintState(cell.trim(), cell) : cell)));
  for (const [one, count] of Object.entries(more)) print(paint('dim', `… and ${count.toLocaleString('en-US')} more ${one}: snakepit ls ${one} --all`));
  for (const line of [...templates, ...brokenLines(broken)]) print(line);
}

/** Whoever names one of these fails of it as soon as its turn comes. Nothing is loaded for that where nobody has written a workflow. */
async function brokenOnes({ files, layout }: Context): Promise<BrokenFile[]> {
  if (!(await files.list(join(layout.root, 'workflows'))).some((name) => name.endsWith('.yaml'))) return [];
  const { brokenWorkflows } = await import('../workflow-why.js');
  return brokenWorkflows({ files, layout });
}

const brokenLines = (broken: readonly BrokenFile[]): string[] => broken.map(({ name, fault }) => paint('red', `the workflow ${name} cannot be worked: ${fault}`));

/** Nothing is loaded for that where nothing waits, which is so in most pits. */
async function whyTheyWait({ files, layout, clock }: Context): Promise<ReadonlyMap<string, { readonly why: string }>> {
  if (!(await files.list(layout.dir('waiting'))).some(isTaskFile)) return new Map();
  return (await import('../../queue/promote.js')).explainWaiting(files, layout, clock.wallMs());
}

function openRow(task: Located, why: string | undefined): Row {
  const claim = parseClaim(basename(task.file));
  const note = claim !== undefined ? `by ${claim.owner.snake}` : task.state === 'waiting' ? (why ?? '') : '';
  return { id: task.id, state: task.state, attempt: task.name === undefined ? undefined : attemptOf(task.name.counters), priority: task.name?.place.priority, note, endedAt: undefined, file: task.file };
}

/** Of what has ended only the id is in the name; the rest is in the records of its attempts, or in its story where it was never tried. */
async function endedRow({ files, layout }: Context, task: Located): Promise<Row> {
  const records = (await pastAttempts(files, layout, task.id)).map(({ record }) => record);
  const last = records.at(-1);
  const told = task.state === 'failed' ? whyOf((await files.read(task.file.replace(/\.md$/, '.result.md'))) ?? '') : undefined;
  const note = task.state === 'done' ? '' : (told ?? (last?.next.kind === 'failed' ? last.next.why : ''));
  const endedAt = last?.next.kind === task.state ? last.endedAt : await files.mtimeMs(task.file);
  return { id: task.id, state: task.state, attempt: lastTry(records)?.attempt, priority: undefined, note, endedAt, file: task.file };
}

/** What it asks. */
async function parkedRow({ files, layout }: Context, task: Located): Promise<Row> {
  const outcome = (await parkedAttempt(files, layout, task.id))?.record.outcome;
  return { ...openRow(task, undefined), note: outcome?.kind === 'parked' ? `asks (${outcome.reason}): ${outcome.detail}` : '' };
}

function noteOf(task: Row, now: number): string {
  const ended = task.endedAt === undefined ? '' : ago(task.endedAt, now);
  return [ended, show(task.note, 100)].filter((part) => part !== '').join(', ');
}

const refusedRow = (one: Refusal, now: number): string[] => ['refused', one.file, '', '', `${ago(one.at, now)}, line ${one.line}: ${show(one.problem, 100)}`];

const ago = (at: number, now: number): string => `${formatDuration(Math.max(0, now - at))} ago`;
