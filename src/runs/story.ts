import { formatDuration } from '../lib/duration.js';
import { show, showLines } from '../lib/text.js';
import { unreachable } from '../lib/unreachable.js';
import type { Outcome } from '../protocol/judge.js';
import type { AgentRecord, VerifyRun } from '../protocol/records.js';
import { sumTokens } from '../protocol/tokens.js';
import type { TaskWarning } from '../protocol/task.js';
import type { OutcomeRecord } from './run-dir.js';
import { changeLines, mergeLines } from './change-words.js';
import { describeTokens, describeUse } from './token-words.js';

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
  /** Why it went where it went, where that is more than the last attempt's end. */
  readonly why: string | undefined;
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
    const tries = story.attempts.length;
    lines.push(`- **ended**: ${new Date(last.endedAt).toISOString()}, after ${tries} attempt${tries === 1 ? '' : 's'}`);
  }
  const why = story.why ?? (last?.next.kind === 'failed' ? last.next.why : undefined);
  if (why !== undefined) lines.push(`- **why**: ${show(why, 1000)}`);
  if (last?.outcome.kind === 'done' && last.outcome.message !== '') lines.push(`- **it says**: ${show(last.outcome.message, 1000)}`);
  if (!done) lines.push(`- **what to do**: ${nextStep(story.id, last?.outcome, story.why)}`);
  if (last?.changes !== undefined) lines.push(...changeLines(last.changes));
  if (last?.merge !== undefined) lines.push(...mergeLines(last.merge, story.id, last.changes));
  const tokens = story.tokens ?? [];
  const counted = tokens.flatMap((use) => use?.tokens ?? []);
  const uncounted = tokens.filter((use) => use?.uncounted !== undefined).length;
  if (counted.length > 0) lines.push(`- **tokens**: ${describeTokens(sumTokens(counted))}${story.cost === undefined ? '' : `; ${story.cost}`}${uncounted === 0 ? '' : `; ${uncounted} attempt${uncounted === 1 ? '' : 's'} not counted`}`);
  for (const warning of story.warnings) lines.push(`- **mind**: line ${warning.line}: ${show(warning.text)}`);
  lines.push('', '## Attempts', '');
  if (story.attempts.length === 0) lines.push('None was started.');
  for (const [index, record] of story.attempts.entries()) {
    const use = describeUse(tokens[index]);
    lines.push(`${index + 1}. ${describeAttempt(record)}`, ...(story.steps?.[index] ?? []).map((step) => `   - ${step}`), ...(use === undefined ? [] : [`   - **tokens**: ${use}${story.money?.[index] === undefined ? '' : `; ${story.money[index]}`}`]));
  }
  if (story.verify.length > 0) {
    lines.push('', '## Checks', '');
    for (const check of story.verify) {
      lines.push(`- ${check.code === 0 ? 'passed' : `**failed** (status ${check.code})`}: ${show(check.command)}`);
      if (check.code !== 0 && check.tail.length > 0) lines.push(...fenced(check.tail));
    }
  }
  if (story.notes.length > 0) lines.push('', '## Notes', '', ...story.notes.map((note) => `- ${show(note, 1000)}`));
  if (story.outputTail.length > 0) lines.push('', '## The last lines it printed', '', ...fenced(story.outputTail));
  if (story.runDir !== undefined) lines.push('', `Everything else of the last attempt lies in \`${show(story.runDir)}/\`.`);
  return `${lines.join('\n')}\n`;
}

/** The title in a story's first line; undefined for another text. */
export const titleOf = (text: string): string | undefined => /^# (?:Done|Failed): (.*)\n/.exec(text)?.[1];

/** The why of a story's text, for listings. */
export const whyOf = (text: string): string | undefined => /^- \*\*why\*\*: (.*)$/m.exec(text)?.[1];

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

/** What a person does with a task that failed. `why`: where that is more than its last attempt's end. */
export const nextStep = (id: string, outcome: Outcome | undefined, why: string | undefined): string => (why === undefined ? advice(outcome, id) : adviceUntried(why, id));

/** It ended without having been tried: cancelled by a person, or what it needs can never be. */
function adviceUntried(why: string, id: string): string {
  if (why.startsWith('cancelled')) return `nothing; to run it after all: \`snakepit retry ${id}\``;
  if (why.startsWith('it needs')) return `mend and retry the task it needs first, then \`snakepit retry ${id}\``;
  return `mend its \`after:\`, then \`snakepit retry ${id}\``;
}

function advice(outcome: Outcome | undefined, id: string): string {
  const retry = `\`snakepit retry ${id}\``;
  if (outcome?.kind === 'deferred' && outcome.reason === 'failing') return `the program, not the task: \`snakepit agents\` and \`snakepit logs ${id}\` say why it fails, then ${retry}`;
  if (outcome?.kind === 'deferred') return `the provider's limits: look at \`snakepit agents\`, give the task another agent as well (agent: [one, two]), then ${retry}`;
  if (outcome?.kind === 'not-set-up') return `mend what its set-up says (setup: in snakepit.yaml or in the task; setup.log in its run), then ${retry}`;
  if (outcome?.kind === 'lost') return `the machine or the session broke, not the task: look at \`snakepit doctor\`, then ${retry}`;
  if (outcome?.kind === 'parked') return `it asked a person ${outcome.nth} times: say in the task what it is to do, or allow more with asks: in snakepit.yaml, then ${retry}`;
  if (outcome?.kind !== 'failed') return `mend what it needs, then ${retry}`;
  switch (outcome.reason) {
    case 'timeout':
      return `give it more time (timeout: in the task) or less to do, then ${retry}`;
    case 'verify-failed':
      return `read the failing check below; mend the task or the check, then ${retry}`;
    case 'cancelled':
      return `nothing, or ${retry}`;
    case 'needs-failed-task':
      return `mend and retry the task it needs first, then ${retry}`;
    case 'unworkable':
      return `edit the task as said above (\`queue/failed/${id}.md\`), then ${retry}`;
    case 'policy-violation':
      return `read what its branch changes (\`snakepit diff ${id}\`); say in the task what to leave alone, or change policy: in snakepit.yaml, then ${retry}`;
    case 'left-workspace':
      return `look at what changed in the project's checkout and undo it if it was the task; if it was you, \`guard: report\` in snakepit.yaml lets you work there meanwhile; then ${retry}`;
    case 'no-change':
      return `see what it says and did (\`snakepit logs ${id}\`); if nothing had to change, remove changes: required, then ${retry}`;
    case 'workspace-failed':
      return `mend what git or the command says (\`git worktree list\` shows the worktrees), then ${retry}`;
    case 'lost-too-often':
      return `something ends its sessions: look at \`snakepit doctor\` and at the memory, then ${retry}`;
    case 'stalled':
      return `see where it stood still (\`snakepit logs ${id}\`): a longer stall: in snakepit.yaml, or a smaller task, then ${retry}`;
    case 'startup-stall':
      return `see whether the program starts at all: \`snakepit agents check\`, then ${retry}`;
    case 'no-signal':
      return `look at what it did (\`snakepit logs ${id}\`); if the work is good it only forgot \`snakepit done\`: ${retry}, or say in the task when it is done`;
    case 'blocked':
      return `it asked a person for something: have it wait for your answer (ask: park), allow it beforehand (autonomous: true for this agent, or in the program's own settings), or say in the task what to answer, then ${retry}`;
    case 'context-exhausted':
      return `the task is too large for one session: split it, then ${retry}`;
    case 'agent-error':
    case 'agent-crashed':
      return `the agent program failed, not the task: \`snakepit logs ${id}\`, \`snakepit agents check\`, then ${retry}`;
    case 'step-broken':
      return `see what its step did (\`snakepit logs ${id}\`): give the step the rights that it needs, or say in its prompt what it is to leave alone, then ${retry}`;
    case 'children-failed':
      return `see what became of its children, try those again that failed (snakepit retry ID), then ${retry}; it plans anew, and makes no child twice`;
    case 'review-exhausted':
      return `read the last feedback (handed/latest.md of its run); mend the task or give it more rounds (with: {rounds: …}), then ${retry}`;
    case 'review-rejected':
      return `nothing: you rejected it; to begin anew: ${retry}`;
    case 'said-fail':
      return `do what its message asks for, then ${retry}`;
    case 'exit-status':
    case 'bad-result':
      return `read its last lines below (all of it: \`snakepit logs ${id}\`), edit \`queue/failed/${id}.md\`, then ${retry}`;
    default:
      return unreachable(outcome);
  }
}
