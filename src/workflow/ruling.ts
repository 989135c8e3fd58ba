import type { Ruling } from '../protocol/workflow.js';

/** What a person's answer to used-up rounds means: `accept`, `reject [why]`, `more [N] [what to do]`; other words are told to the next round, and so is silence. */
export function rulingOf(answer: string): Ruling {
  const match = /^\s*(accept|reject|more)\b[\s:,]*([^]*)$/i.exec(answer);
  const rest = (match?.[2] ?? '').trim();
  switch (match?.[1]?.toLowerCase()) {
    case 'accept':
      return { kind: 'accept' };
    case 'reject':
      return { kind: 'reject', words: rest.slice(0, 2000) };
    case 'more': {
      const count = /^(\d{1,3})\b[\s:,]*([^]*)$/.exec(rest);
      return { kind: 'more', rounds: Math.max(1, Number(count?.[1] ?? 1)), words: (count === null ? rest : (count[2] ?? '')).trim() };
    }
    default:
      return { kind: 'more', rounds: 1, words: answer.trim() };
  }
}
