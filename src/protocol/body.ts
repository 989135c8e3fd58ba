import type { SplitTask } from './front-matter.js';
import { fencedShell, type TaskWarning } from './task.js';

const FENCE = /^ {0,3}(`{3,}|~{3,})/;

/** The first heading outside of fences, else the first line of text unless a fence opens there; "" leaves the title to the id. */
export function titleOf(body: string): string {
  let fence: string | undefined;
  let first: string | undefined;
  for (const raw of body.split('\n')) {
    const line = raw.trim();
    const mark = FENCE.exec(raw)?.[1];
    first ??= line === '' ? undefined : mark === undefined ? line : '';
    if (fence === undefined && mark !== undefined) fence = mark;
    else if (fence !== undefined && mark?.startsWith(fence) === true && line === mark) fence = undefined;
    else if (fence === undefined && /^#+\s+\S/.test(line)) return line.replace(/^#+\s+/, '').slice(0, 80);
  }
  return (first ?? '').slice(0, 80);
}

/** What reads like a slip of the pen: front matter that is none, a fence that Markdown does not see. The task is taken as it stands. */
export function warnOfText(text: string, split: SplitTask, keys: readonly string[], hasRun: boolean): TaskWarning[] {
  const warnings: TaskWarning[] = [];
  const lines = split.body.split('\n');
  const start = text.split('\n').length - lines.length + 1;
  const first = lines.findIndex((line) => line.trim() !== '');
  const word = /^([A-Za-z-]+):(\s|$)/.exec(lines[first] ?? '')?.[1]?.toLowerCase() ?? '';
  if (split.head === undefined && keys.includes(word)) warnings.push({ line: first + 1, text: `${word}: looks like front matter without a line --- above and below it; it is read as text` });
  else if (split.head === undefined && first > 0 && (lines[first] ?? '').trimEnd() === '---') warnings.push({ line: first + 1, text: 'looks like front matter, which begins in the first line or not at all; it is read as text' });
  if (!hasRun && fencedShell(split.body).length === 0) {
    const indented = lines.findIndex((line) => /^(?: {4,}|\t[ \t]*)(?:`{3,}|~{3,})\s*(?:sh|bash|shell)\s*$/i.test(line));
    const blanks = /^[ \t]*/.exec(lines[indented] ?? '')?.[0] ?? '';
    if (indented >= 0) warnings.push({ line: start + indented, text: `the fence is indented by ${blanks.includes('\t') ? 'a tab' : `${blanks.length} blanks`}; Markdown does not take that as a fence` });
  }
  return warnings;
}
