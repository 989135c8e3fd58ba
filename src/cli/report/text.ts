import { printUsd } from '../../ledger/price.js';
import { formatDuration } from '../../lib/duration.js';
import { unreachable } from '../../lib/unreachable.js';
import { table } from '../style.js';
import { moneyWords, tokenRows, unknowns } from '../token-table.js';
import type { EndedFact, EndedFacts, PersonFact, ReportFacts, UseFacts } from './facts.js';
import { code, prose } from './markdown.js';
import { machineLines, mendedLines } from './night-words.js';

/** A task's lines of what a person has to do: so many. What is done is told to its end. */
const MOST = 50;
const SAYS_CHARS = 160;

/** `2026-11-22 03:12` of this machine's time zone: it is read by whoever was asleep here. */
export function localTime(ms: number): string {
  const at = new Date(ms);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}`;
}

const many = (count: number, one: string, several = `${one}s`): string => `${count} ${count === 1 ? one : several}`;

/** "40 tasks: 37 done, 2 failed, 1 asks you". Every task is counted once: what ended since, and all that has not. */
export function verdictOf({ done, failed, asks, stuck, open }: ReportFacts): string {
  const total = done.count + failed.count + asks.length + stuck.length + open.running + open.inLine + open.held;
  if (total === 0) return 'nothing ended, and nothing is open';
  const parts = [`${done.count} done`];
  if (failed.count > 0) parts.push(`${failed.count} failed`);
  if (asks.length > 0) parts.push(`${asks.length} ${asks.length === 1 ? 'asks' : 'ask'} you`);
  if (stuck.length > 0) parts.push(`${stuck.length} stuck`);
  if (open.running > 0) parts.push(`${open.running} running`);
  if (open.inLine > 0) parts.push(`${open.inLine} in line`);
  if (open.held > 0) parts.push(`${open.held} held`);
  return `${many(total, 'task')}: ${parts.join(', ')}`;
}

/** The report as Markdown. Pure; the same facts give the same text. */
export function reportText(facts: ReportFacts): string {
  const { from, to, done, night } = facts;
  const lines = [`# ${verdictOf(facts)}`, '', `From ${localTime(from)} to ${localTime(to)} (${formatDuration(Math.max(0, to - from))}).`];
  const person = personLines(facts);
  lines.push('', '## For you', '', ...(person.length === 0 ? ['Nothing.'] : person));
  if (done.count > 0) lines.push('', `## Done (${done.count})`, '', ...done.tasks.map(doneLine), ...rest(done, 'done'));
  const mended = mendedLines(night, to);
  if (mended.length > 0) lines.push('', '## What went wrong and was mended, and what was waited for', '', ...mended);
  const use = useLines(facts.use);
  if (use.length > 0) lines.push('', '## Tokens and money', '', ...use);
  const machine = machineLines(night);
  if (machine.length > 0) lines.push('', '## Pit and machine', '', ...machine);
  return lines.join('\n');
}

const rest = ({ count, tasks }: EndedFacts, state: 'done' | 'failed', shown = tasks.length): string[] => (count > shown ? [`- and ${count - shown} more: ${code(`snakepit ls ${state} --all`)}`] : []);

function personLines({ asks, stuck, failed, refused, halted, from }: ReportFacts): string[] {
  const lines = halted === undefined ? [] : [`- **nothing is claimed**: ${prose(halted)}`];
  lines.push(...fewest(asks, askLines, 'snakepit needs'), ...fewest(stuck, stuckLines, 'snakepit ls stuck'), ...failed.tasks.slice(0, MOST).flatMap(failedLines), ...rest(failed, 'failed', Math.min(MOST, failed.tasks.length)));
  const fresh = refused.filter(({ at }) => at >= from);
  lines.push(...fewest(fresh, ({ file, line, problem, fix, kept }) => [`- the file ${code(file)} was not taken in: line ${line}: ${prose(problem)}`, `  - ${prose(fix === '' ? 'mend it' : fix)}; ${kept.endsWith('.md') ? `then ${code(`mv queue/failed/${kept} queue/`)}` : `it lies in ${code(`queue/failed/${kept}`)}`}`], 'snakepit ls failed'));
  const old = failed.before + refused.length - fresh.length;
  if (old > 0) lines.push(`- ${many(old, 'more that failed or was refused', 'more that failed or were refused')} before: ${code('snakepit ls failed --all')}`);
  return lines;
}

function fewest<T>(all: readonly T[], linesOf: (one: T) => string[], command: string): string[] {
  return [...all.slice(0, MOST).flatMap(linesOf), ...(all.length > MOST ? [`- and ${all.length - MOST} more: ${code(command)}`] : [])];
}

const since = (at: number | undefined): string => (at === undefined ? '' : ` since ${localTime(at)}`);

function askLines({ id, at, reason, what }: PersonFact): string[] {
  const answer = reason === 'budget' ? `snakepit answer ${id} 2x` : `snakepit answer ${id} 'TEXT'`;
  return [`- ${code(id)} asks you${reason === '' ? '' : ` (${prose(reason)})`}${since(at)}: ${what === '' ? 'its records are gone' : prose(what)}`, `  - ${code(`snakepit show ${id}`)}, then ${code(answer)}`];
}

const stuckLines = ({ id, at, what }: PersonFact): string[] => [`- ${code(id)} is stuck${since(at)}: ${prose(what)}`, `  - ${code(`snakepit explain ${id}`)}`];

/** `next` is our own Markdown. */
const failedLines = ({ id, at, why, next, attempts, branch, size }: EndedFact): string[] => [
  `- ${code(id)} failed ${localTime(at)}${attempts > 1 ? ` after ${attempts} attempts` : ''}: ${prose(why ?? '')}`,
  `  - ${next ?? ''}; its story: ${code(`snakepit show ${id}`)}${size !== undefined && size.files > 0 && branch !== undefined ? `; its work so far: ${code(branch)}, ${sizeWords(size)}` : ''}`,
];

const sizeWords = ({ files, added, removed }: NonNullable<EndedFact['size']>): string => `${many(files, 'file')}, +${added} -${removed}`;

function doneLine(task: EndedFact): string {
  const { id, title, at, says, attempts } = task;
  const name = title === '' || title === id ? '' : ` ${prose(title, 80)}`;
  const work = workWords(task);
  return `- ${code(id)}${name}, ${localTime(at)}${attempts > 1 ? `, ${attempts} attempts` : ''}${work === '' ? '' : `; ${work}`}${says === undefined ? '' : `: ${prose(says, SAYS_CHARS)}`}`;
}

/** Where its work is now. */
function workWords({ id, branch, size, merge }: EndedFact): string {
  if (branch === undefined || size === undefined) return '';
  if (size.files === 0) return 'no change';
  const on = `${sizeWords(size)} on ${code(branch)}`;
  if (merge === undefined) return on;
  switch (merge.kind) {
    case 'merged':
      return `${sizeWords(size)}, merged into ${code(merge.into)} as ${merge.commit.slice(0, 10)}`;
    case 'proposed':
      return merge.url === undefined ? `${on}, pushed to ${merge.remote}` : `${on}, proposed: ${merge.url}`;
    case 'kept':
      return `${on}: ${code(`snakepit diff ${id}`)}, ${code(`git merge ${branch}`)}`;
    case 'nothing':
      return 'nothing to merge';
    case 'violation':
    case 'conflict':
    case 'checks-failed':
    case 'blocked':
      return `${on}, not merged (${merge.kind})`;
    default:
      return unreachable(merge);
  }
}

/** Tables stand in a fence, which no name in them can end: each is followed by figures. */
function useLines({ total, profiles, accounts, longest, dearest, budgets }: UseFacts): string[] {
  const asked = total.counted + Object.keys(total.uncounted).length > 0;
  if (!asked) return budgets.map((line) => `- ${line}`);
  const tables = [table(tokenRows('profile', profiles, total)), ...(accounts.length > 1 ? ['', table(tokenRows('account', accounts, total))] : [])];
  return [
    '~~~~', ...tables, '~~~~', '',
    ...[...budgets, ...unknowns(total).map((line) => prose(line, 600))].map((line) => `- ${line}`),
    ...(longest.length === 0 ? [] : [`- ran longest: ${longest.map(({ name, sum }) => `${code(name)} ${formatDuration(sum.ms)}`).join(', ')}`]),
    ...(dearest.length === 0 ? [] : [`- cost most: ${dearest.map(({ name, sum }) => `${code(name)} ${moneyWords(sum) || printUsd(sum.usd)}`).join(', ')}`]),
  ];
}
