import { err, ok, type Result } from '../lib/result.js';

/** What is wrong with a task file, where (1-based line of the file), and what to do about it. */
export interface TaskFault {
  readonly line: number;
  readonly problem: string;
  readonly fix: string;
}

/** A task file in its two parts; `head` is undefined where there is no front matter, `headLine` is the line its first line has in the file. */
export interface SplitTask {
  readonly head: string | undefined;
  readonly headLine: number;
  readonly body: string;
}

export const HEAD_LIMITS = { bytes: 64 * 1024, lines: 400, brackets: 100, separators: 800, indent: 64 } as const;

/** Bytes → text: UTF-8 only, no NUL; a byte order mark is dropped. */
export function decodeTask(bytes: Uint8Array): Result<string, TaskFault> {
  const nul = bytes.indexOf(0);
  if (nul >= 0) return err({ line: lineAt(bytes, nul), problem: 'binary content (a NUL byte)', fix: 'a task is markdown text; name data files under inputs: instead' });
  try {
    return ok(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return err({ line: lineAt(bytes, firstInvalid(bytes)), problem: 'not valid UTF-8', fix: 'save the file as UTF-8' });
  }
}

/** Where decoding breaks: the longest valid prefix, found by halving. */
function firstInvalid(bytes: Uint8Array): number {
  let good = 0;
  let bad = bytes.length;
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    try {
      new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, middle), { stream: true });
      good = middle;
    } catch {
      bad = middle;
    }
  }
  return good;
}

function lineAt(bytes: Uint8Array, offset: number): number {
  let line = 1;
  for (let at = 0; at < offset; at += 1) if (bytes[at] === 10) line += 1;
  return line;
}

/** Splits at the first two `---` lines. No front matter is fine; front matter that is never closed is an error, not body. */
export function splitTask(text: string): Result<SplitTask, TaskFault> {
  const lines = text.split('\n');
  const bare = (line: string | undefined): string => (line ?? '').replace(/\r$/, '').trimEnd();
  if (bare(lines[0]) !== '---') return ok({ head: undefined, headLine: 1, body: text });
  const close = lines.findIndex((line, index) => index > 0 && bare(line) === '---');
  if (close < 0) return err({ line: 1, problem: 'front matter opens with --- and is never closed', fix: 'add a line --- after the last key, or remove the first line' });
  return ok({ head: lines.slice(1, close).map((line) => line.replace(/\r$/, '')).join('\n'), headLine: 2, body: lines.slice(close + 1).join('\n') });
}

/**
 * A linear look before the YAML parser: two files of a thousand opening brackets abort its whole process, where no
 * `catch` helps, and a map of 40,000 keys takes it 13 seconds. Raw counts, blind to quotes: too strict is safe here.
 */
export function prescanHead({ head, headLine }: SplitTask): TaskFault | undefined {
  if (head === undefined) return undefined;
  if (Buffer.byteLength(head) > HEAD_LIMITS.bytes) return { line: headLine, problem: `front matter is larger than ${HEAD_LIMITS.bytes} bytes`, fix: 'move text below the closing ---' };
  const lines = head.split('\n');
  if (lines.length > HEAD_LIMITS.lines) return { line: headLine + HEAD_LIMITS.lines, problem: `front matter has more than ${HEAD_LIMITS.lines} lines`, fix: 'move text below the closing ---' };
  let brackets = 0;
  let separators = 0;
  for (const [index, line] of lines.entries()) {
    const at = { line: headLine + index };
    for (const char of line) {
      // Never taken back by a closing one: a closer may stand in quotes or a comment.
      if (char === '[' || char === '{') brackets += 1;
      if (char === ':' || char === ',') separators += 1;
    }
    if (brackets > HEAD_LIMITS.brackets) return { ...at, problem: `more than ${HEAD_LIMITS.brackets} opening brackets`, fix: 'a task needs at most a list of words' };
    if (separators > HEAD_LIMITS.separators) return { ...at, problem: `more than ${HEAD_LIMITS.separators} keys or values`, fix: 'move data to a file and name it under inputs:' };
    if ((/^(?:\s|[-?:](?=\s|$))*/.exec(line)?.[0].length ?? 0) > HEAD_LIMITS.indent) return { ...at, problem: `indented deeper than ${HEAD_LIMITS.indent} columns`, fix: 'a task needs at most a list of words' };
  }
  return undefined;
}
