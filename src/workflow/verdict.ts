import type { Verdict } from '../protocol/workflow.js';

/** What a reviewer left: the field of its result file, and its last words. */
export interface Said {
  readonly field: unknown;
  readonly text: string;
}

/** Lines outside of fences, without what a terminal leaves at their end. Quoted and indented lines are not whole lines of the verdict's words. */
function lines(text: string): string[] {
  const found: string[] = [];
  let fence: string | undefined;
  for (const raw of text.split('\n')) {
    const line = raw.trimEnd();
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1];
    if (fence === undefined && mark !== undefined) fence = mark;
    else if (fence !== undefined && mark?.startsWith(fence) === true) fence = undefined;
    else if (fence === undefined) found.push(line);
  }
  return found;
}

/**
 * A verdict is the field `verdict` of the result file, or one whole line of the last words, exactly PASS or REJECT. No such thing, both,
 * or another field is none: a review that cannot be read has passed nothing. Pure, total.
 */
export function verdictOf({ field, text }: Said): Verdict {
  const said = new Set(lines(text).filter((line) => line === 'PASS' || line === 'REJECT'));
  if (field !== undefined && field !== null && field !== '') {
    if (field !== 'PASS' && field !== 'REJECT') return { kind: 'none', why: `its verdict is ${JSON.stringify(field).slice(0, 60)}, which is neither PASS nor REJECT` };
    said.add(field);
  }
  if (said.size === 2) return { kind: 'none', why: 'it said both PASS and REJECT' };
  if (said.size === 0) return { kind: 'none', why: 'it gave no verdict: no field, and no line that is exactly PASS or REJECT' };
  return { kind: said.has('PASS') ? 'pass' : 'reject' };
}
