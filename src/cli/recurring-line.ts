import { formatDuration } from '../lib/duration.js';
import type { RecurringSummary } from '../recurring/summary.js';
import { paintState } from './style.js';

/** The templates in one line, for `status` and `ls`. */
export function recurringLine({ templates, next, refused }: RecurringSummary, now: number): string {
  const due = next === undefined ? '' : `, next ${next.name} ${next.dueAt <= now ? 'is due' : `in ${formatDuration(next.dueAt - now)}`}`;
  return `recurring ${templates}${due}${refused === 0 ? '' : `, ${paintState('refused')} ${refused} (snakepit recurring)`}`;
}
