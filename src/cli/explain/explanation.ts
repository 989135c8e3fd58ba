import { formatDuration } from '../../lib/duration.js';
import { show } from '../../lib/text.js';
import { paint } from '../style.js';

/** Something that was seen, by which witness, and how old that is. */
export interface Fact {
  readonly witness: string;
  readonly says: string;
  /** Wall clock, milliseconds; undefined where no time belongs to it. */
  readonly at?: number | undefined;
}

/** Why a task or a snake stands where it stands, and what comes next. */
export interface Explanation {
  readonly name: string;
  readonly state: string;
  /** The rule that holds now. */
  readonly rule: string;
  /** Since when it holds, wall clock, milliseconds. */
  readonly since?: number | undefined;
  /** From the strongest witness to the weakest. */
  readonly evidence: readonly Fact[];
  /** The decisions of the log that concern it, newest last. */
  readonly decided: readonly Fact[];
  readonly next: readonly { readonly what: string; readonly at?: number | undefined }[];
}

const ago = (at: number | undefined, nowMs: number): string => (at === undefined ? '' : at > nowMs ? `in ${formatDuration(at - nowMs)}` : `${formatDuration(nowMs - at)} ago`);

export function renderExplanation(one: Explanation, nowMs: number): string {
  const lines = [`${paint('bold', show(one.name))}: ${one.state}`, `  ${show(one.rule, 600)}${one.since === undefined ? '' : paint('dim', `, since ${ago(one.since, nowMs)}`)}`];
  const part = (title: string, rows: readonly (readonly [string, string, string])[]): void => {
    if (rows.length === 0) return;
    const width = Math.max(...rows.map(([head]) => head.length));
    lines.push('', paint('dim', title), ...rows.map(([head, text, when]) => `  ${head.padEnd(width)}  ${show(text, 400)}${when === '' ? '' : paint('dim', `  ${when}`)}`));
  };
  part('EVIDENCE', one.evidence.map(({ witness, says, at }) => [witness, says, ago(at, nowMs)]));
  part('DECIDED', one.decided.map(({ witness, says, at }) => [witness, says, ago(at, nowMs)]));
  part('NEXT', one.next.map(({ what, at }) => [ago(at, nowMs) || 'then', what, at === undefined ? '' : new Date(at).toISOString()]));
  return lines.join('\n');
}
