import type { Dialog } from '../profile.js';
import { compiled, tailRows } from '../regions.js';

export type SafeAnswer = NonNullable<Dialog['answer']>;

/** What the rows of a screen show of the safe choice; see DialogSight. */
export interface Choices {
  readonly labelled: number;
  readonly chosen: boolean;
  readonly mark: string;
  readonly text: string;
}

/** Pure. The label is sought row by row in the bottom rows, without their frames: never by its place. */
export function choicesOn(answer: SafeAnswer, screen: string): Choices {
  const [label, cursor] = [compiled(answer.label), compiled(answer.cursor)];
  const rows = tailRows(screen).map((row) => row.trimEnd());
  const labelled = rows.filter((row) => label.test(row));
  const under = rows.flatMap((row, at) => (cursor.test(row) ? [`${at}:${row}`] : []));
  return {
    labelled: labelled.length,
    chosen: labelled.length === 1 && labelled.every((row) => cursor.test(row)),
    mark: under.join('\n'),
    text: rows.join(' ').replace(/[^\p{L}]+/gu, ' '),
  };
}
