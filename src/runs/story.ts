import { formatDuration } from '../lib/duration.js';
import { show, showLines } from '../lib/text.js';
import { unreachable } from '../lib/unreachable.js';
import type { Outcome } from '../protocol/judge.js';
import type { AgentRecord, VerifyRun } from '../protocol/records.js';
import { sumTokens } from '../protocol/tokens.js';
import type { TaskWarning } from '../protocol/task.js';
import type { OutcomeRecord } from './run-dir.js';
import { changeLines, mergeLines } from './change-words.js';
import { countTries, describeDecision, isDecision, lastTry } from './decision.js';
import { nextStep } from './next-step.js';
import { describeTokens, describeUse } from './token-words.js';

/** Of the task's words, so many lines and characters; of a check that passed, lines. */
const ASKED_LINES = 20;
const ASKED_CHARS = 300;
const PASSED_LINES = 5;
/** Of a session's last message, lines. */
const SAID_LINES = 30;

export interface StoryParts {
  readonly id: string;
  readonly title: string;
  readonly attempts: readonly OutcomeRecord[];
  /** What each attempt used, or why that is not known; in the order of `attempts`. */
  readonly tokens?: readonly (Pick<AgentRecord, 'tokens' | 'uncounted'> | undefined)[];
  /** The steps that ended in each attempt, in the order of `attempts`. */
  readonly steps?: readonly (readonly string[])[];
  /** What each counted attempt costs by the list of prices, in words; in the same order. */
  readonly money?: readonly (string | undefined)[];
  /** What all of them cost. */
  readonly cost?: string | undefined;
  /** What its program was seen to be in at its end, on which evidence; in the same order. */
  readonly evidence?: readonly (string | undefined)[];
  /** What a person answered to each that asked; "" is: no words. */
  readonly answers?: readonly (string | undefined)[];
  /** The task's own words. */
  readonly asked?: string;
  /** Why it went where it went, where that is more than the last attempt's end. */
  readonly why: string | undefined;
  /** Of a full-screen session, its last message, where that is known: what its terminal showed is no text. */
  readonly said?: string | undefined;
  readonly outputTail: readonly string[];
  readonly verify: readonly VerifyRun[];
  readonly notes: readonly string[];
  /** Oddities of the task file that did not stop it. */
  readonly warnings: readonly TaskWarning[];
  /** Relative to the project, for a person to open. */
  readonly runDir: string | undefined;
}

/** `<id>.result.md`: what happened, on what evidence, and what a person can do next. */
export function storyText(story: StoryParts): string {
  const last = story.attempts.at(-1);
  const done = story.why === undefined && last?.next.kind === 'done';
  const lines = [`# ${done ? 'Done' : 'Failed'}: ${show(story.title === '' ? story.id : story.title)}`, '', `- **task**: ${story.id}`];
  if (last !== undefined) {
    const tries = countTries(story.attempts);
    lines.push(`- **ended**: ${new Date(last.endedAt).toISOString()}, after ${tries} attempt${tries === 1 ? '' : 's'}${isDecision(last) ? '; a person decided' : ''}`);
  }
  const why = story.why ?? (last?.next.kind === 'failed' ? last.next.why : undefined);
  if (why !== undefined) lines.push(`- **why**: ${show(why, 1000)}`);
  const said = lastTry(story.attempts)?.outcome;
  if (said?.kind === 'done' && said.message !== '') lines.push(`- **it says**: ${show(said.message, 1000)}`);
  if (!done) lines.push(`- **what to do**: ${nextStep(story.id, last?.outcome, story.why)}`);
  if (last?.changes !== undefined) lines.push(...changeLines(last.changes));
  if (done && last?.merge === undefined && (last?.changes?.fileCount ?? 0) === 0) lines.push('- **next**: nothing');
  if (last?.merge !== undefined) lines.push(...mergeLines(last.merge, story.id, last.changes));
  const tokens = story.tokens ?? [];
  const counted = tokens.flatMap((use) => use?.tokens ?? []);
  const uncounted = tokens.filter((use) => use?.uncounted !== undefined).length;
  if (counted.length > 0) lines.push(`- **tokens**: ${describeTokens(sumTokens(counted))}${story.cost === undefined ? '' : `; ${story.cost}`}${uncounted === 0 ? '' : `; ${uncounted} attempt${uncounted === 1 ? '' : 's'} not counted`}`);
  for (const warning of story.warnings) lines.push(`- **mind**: line ${warning.line}: ${show(warning.text)}`);
  if (story.asked !== undefined && story.asked.trim() !== '') lines.push('', '## What was asked', '', ...askedLines(story.asked, story.id));
  lines.push('', '## Attempts', '', ...(story.attempts.length === 0 ? ['None was started.'] : attemptLines(story)));
  if (story.verify.length > 0) lines.push('', '## Checks', '', ...checkLines(story.verify));
  if (story.notes.length > 0) lines.push('', '## Notes', '', ...story.notes.map((note) => `- ${show(note, 1000)}`));
  if (story.said !== undefined && story.said.trim() !== '') lines.push('', '## What it said last', '', ...saidLines(story.said, story.id));
  if (story.outputTail.length > 0) lines.push('', '## The last lines it printed', '', ...fenced(story.outputTail));
  if (story.runDir !== undefined) lines.push('', `Everything else of the last attempt lies in \`${show(story.runDir)}/\`.`);
  return `${lines.join('\n')}\n`;
}

/**
 * Each attempt with its end and its reason, and below it its steps, the evidence, a person's answer, what it used. What a person decided
 * of ended work stands between them in its time, without a number.
 */
export function attemptLines(story: Pick<StoryParts, 'attempts' | 'steps' | 'evidence' | 'answers' | 'tokens' | 'money'>): string[] {
  let nth = 0;
  return story.attempts.flatMap((record, index) => {
    const decision = isDecision(record);
    if (!decision) nth += 1;
    const use = describeUse(story.tokens?.[index]);
    const [evidence, answer, money] = [story.evidence?.[index], story.answers?.[index], story.money?.[index]];
    const below = [
      ...(decision ? [] : (story.steps?.[index] ?? [])),
      ...(evidence === undefined || decision ? [] : [`**evidence**: ${show(evidence, 300)}`]),
      ...(answer === undefined ? [] : [`**answered**: ${answer === '' ? 'without words' : show(answer, 300)}`]),
      ...(use === undefined ? [] : [`**tokens**: ${use}${money === undefined ? '' : `; ${money}`}`]),
    ];
    return [decision ? `- ${show(describeDecision(record), 600)}` : `${nth}. ${describeAttempt(record)}`, ...below.map((line) => `   - ${line}`)];
  });
}

/** Each command that was run over the work, and the end of what it printed: of one that passed, a few lines. */
export function checkLines(checks: readonly VerifyRun[]): string[] {
  return checks.flatMap(({ code, command, tail }) => {
    const printed = code === 0 ? tail.slice(-PASSED_LINES) : tail;
    return [`- ${code === 0 ? 'passed' : `**failed** (status ${code})`}: ${show(command)}`, ...(printed.length === 0 ? [] : fenced(printed))];
  });
}

/** The beginning of the task's own words. */
function askedLines(text: string, id: string): string[] {
  const lines = text.trim().split('\n');
  return [...fenced(lines.slice(0, ASKED_LINES).map((line) => show(line.replaceAll('\t', '  '), ASKED_CHARS))), ...(lines.length > ASKED_LINES ? ['', `And ${lines.length - ASKED_LINES} lines more, in \`${id}.md\` beside this.`] : [])];
}

/** The end of its last message. */
function saidLines(text: string, id: string): string[] {
  const lines = text.trim().split('\n');
  return [...(lines.length > SAID_LINES ? [`The last ${SAID_LINES} of ${lines.length} lines; all that was said and done: \`snakepit logs ${id}\`.`, ''] : []), ...fenced(lines.slice(-SAID_LINES).map((line) => show(line.replaceAll('\t', '  '), 1000)))];
}

/** The title in a story's first line; undefined for another text. */
export const titleOf = (text: string): string | undefined => /^# (?:Done|Failed): (.*)\n/.exec(text)?.[1];

/** The why of a story's text, for listings: from its head, since what stands below may quote anything. */
export const whyOf = (text: string): string | undefined => /^- \*\*why\*\*: (.*)$/m.exec(text.split('\n## ', 1)[0] ?? '')?.[1];

function fenced(lines: readonly string[]): string[] {
  return ['~~~~', ...lines.map((line) => showLines(line).replaceAll('~~~~', '~~~')), '~~~~'];
}

function describeAttempt(record: OutcomeRecord): string {
  const took = record.startedAt === undefined ? '' : ` (${formatDuration(Math.max(0, record.endedAt - record.startedAt))})`;
  return `${record.agent}: ${record.step === undefined ? '' : `${record.step.id}, round ${record.step.round}: `}${show(describeOutcome(record.outcome), 600)}${took}`;
}

export function describeOutcome(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'done':
      return 'done';
    case 'failed':
      return `${outcome.reason}: ${outcome.detail}`;
    case 'lost':
      return `lost: ${outcome.detail}`;
    case 'released':
      return `released: ${outcome.detail}`;
    case 'deferred':
      return `deferred (${outcome.reason}): ${outcome.detail}`;
    case 'not-set-up':
      return `not set up: ${outcome.detail}`;
    case 'sent-back':
      return `sent back (${outcome.reason}): ${outcome.detail}`;
    case 'parked':
      return outcome.reason === 'budget' || outcome.reason === 'setup' ? `parked: ${outcome.detail}` : `asked a person (${outcome.reason}): ${outcome.detail}`;
    default:
      return unreachable(outcome);
  }
}
