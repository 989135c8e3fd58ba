import { unreachable } from '../lib/unreachable.js';
import type { FlowEvent, StepEnd, Verdict } from '../protocol/workflow.js';

/** What came of one round of judging: reviews that follow one another, what was sent back, what a person said. */
export interface Round {
  /** Of those that asked for more work, from 1; undefined: everybody passed it. */
  readonly number: number | undefined;
  readonly reviews: readonly StepEnd[];
  /** What else was said: why it came back, or a person's words. */
  readonly words: readonly string[];
  /** Somebody worked on since. */
  readonly closed: boolean;
}

/** All rounds of judging, oldest first. Pure. */
export function roundsOf(events: readonly FlowEvent[]): Round[] {
  const rounds: { reviews: StepEnd[]; words: string[]; closed: boolean }[] = [];
  const open = (): { reviews: StepEnd[]; words: string[]; closed: boolean } => {
    let last = rounds.at(-1);
    if (last === undefined || last.closed) rounds.push((last = { reviews: [], words: [], closed: false }));
    return last;
  };
  for (const event of events) {
    if (event.kind === 'step-ended') {
      const last = rounds.at(-1);
      if (event.verdict !== undefined) open().reviews.push(event);
      else if (last !== undefined) last.closed = true;
    } else if (event.kind === 'sent-back') open().words.push(event.why);
    else if (event.kind === 'ruled' && event.ruling.kind === 'more' && event.ruling.words !== '') open().words.push(`A person says: ${event.ruling.words}`);
  }
  let number = 0;
  return rounds.map((round) => ({ ...round, number: round.words.length > 0 || round.reviews.some(({ verdict }) => verdict?.kind !== 'pass') ? (number += 1) : undefined }));
}

/** The round whose feedback a session is given: a worker the last one, a reviewer the one that the work before it answers. Undefined: there is none. */
export function feedbackFor(events: readonly FlowEvent[], judges: boolean): Round | undefined {
  const last = roundsOf(events).findLast(({ closed }) => closed || !judges);
  return last?.number === undefined ? undefined : last;
}

export const iterFile = (number: number): string => `iter-${String(number).padStart(3, '0')}.md`;

/** The file of one round. `texts`: what each reviewer said, in the order of `reviews`. */
export function feedbackText(round: Round, texts: readonly string[]): string {
  const parts = round.reviews.map((end, index) => `## ${end.step}${end.seat > 0 ? ` ${end.seat + 1}` : ''} (${end.agent}), round ${end.round}: ${verdictWord(end.verdict)}\n\n${(texts[index] ?? '').trim() || 'It said nothing.'}\n`);
  return `# Feedback ${round.number ?? 0}\n\n${[...parts, ...round.words.map((words) => `## Sent back\n\n${words.trim()}\n`)].join('\n')}`;
}

export function verdictWord(verdict: Verdict | undefined): string {
  switch (verdict?.kind) {
    case undefined:
      return 'no verdict asked';
    case 'pass':
      return 'PASS';
    case 'reject':
      return 'REJECT';
    case 'none':
      return `no verdict (${verdict.why})`;
    default:
      return unreachable(verdict);
  }
}
