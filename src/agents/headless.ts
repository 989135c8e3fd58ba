import type { AgentState, AgentStateKind } from '../protocol/agent-state.js';
import { describeExit } from '../protocol/judge.js';
import { tailLines } from '../lib/text.js';
import type { LineFacts } from './lines.js';
import type { AgentProfile } from './profile.js';
import { resetAt } from './reset.js';

/** Of the error output, what is looked at. */
const ERROR_LINES = 40;

/** A print-mode run at its end. */
export interface HeadlessFacts {
  readonly output: 'jsonl' | 'json' | 'text';
  /** undefined: it vanished without an exit record. */
  readonly exit: { readonly code: number } | undefined;
  readonly lines: LineFacts;
  /** The end of its error output. */
  readonly stderr: string;
  /** When it ended: wall clock, milliseconds. */
  readonly now: number;
}

/** Kinds that say why a run ended; the others only say what it was doing. */
const ENDS: ReadonlySet<AgentStateKind> = new Set(['blocked-on-permission', 'blocked-on-dialog', 'waiting-for-input', 'rate-limited', 'usage-limited', 'auth-failed', 'context-exhausted', 'session-lost', 'errored', 'crashed', 'exited']);

/**
 * How a print-mode run ended. Total, pure. Precedence: what its events say; then its exit status, where the profile knows that
 * one; then known texts of its error output; the bare status last, because it lies. Neither its answer nor plain output is
 * ever searched for failures: an agent may quote whatever it likes.
 */
export function classifyHeadless(profile: Pick<AgentProfile, 'exits' | 'errors'>, facts: HeadlessFacts): AgentState {
  return ofEvents(facts) ?? ofStatus(profile, facts) ?? ofErrorOutput(profile, facts) ?? ofBareStatus(facts);
}

const answered = ({ lines }: HeadlessFacts): boolean => lines.answer !== undefined && lines.answer.trim() !== '';

function ofEvents(facts: HeadlessFacts): AgentState | undefined {
  const { last, denied } = facts.lines;
  if (last !== undefined && ENDS.has(last.kind)) return ofLine(last, last.kind);
  if (denied.length > 0) return { kind: 'blocked-on-permission', source: 'event', rule: 'denied tools', evidence: [...new Set(denied)].join(', ').slice(0, 200) };
  if (last?.kind === 'finished') return answered(facts) ? ofLine(last, 'finished') : { kind: 'errored', source: 'event', rule: 'empty answer', evidence: last.evidence };
  return last?.endsAs === undefined ? undefined : ofLine(last, last.endsAs);
}

function ofLine(last: NonNullable<LineFacts['last']>, kind: AgentStateKind): AgentState {
  return { kind, source: 'event', rule: last.rule, evidence: last.evidence, ...(last.resetAt === undefined ? {} : { resetAt: last.resetAt }) };
}

function ofStatus({ exits }: Pick<AgentProfile, 'exits'>, { exit }: HeadlessFacts): AgentState | undefined {
  const kind = exit === undefined ? undefined : exits[exit.code];
  return exit === undefined || kind === undefined ? undefined : { kind, source: 'exit', rule: `exit ${exit.code}`, evidence: describeExit(exit.code) };
}

/** The last line that is one of the known texts as a whole. A run that ended well with an answer is believed. */
function ofErrorOutput({ errors }: Pick<AgentProfile, 'errors'>, facts: HeadlessFacts): AgentState | undefined {
  if (facts.output === 'text' && facts.exit?.code === 0 && answered(facts)) return undefined;
  const known = errors.map((rule) => ({ ...rule, whole: new RegExp(`^(?:${rule.pattern})$`, 'u') }));
  for (const line of tailLines(facts.stderr, ERROR_LINES).reverse()) {
    for (const { id, state, reset, whole } of known) {
      const match = whole.exec(line);
      if (match === null) continue;
      const at = reset === undefined ? undefined : resetAt(reset, match, facts.now);
      return { kind: state, source: 'exit', rule: id, evidence: line.slice(0, 200), ...(at === undefined ? {} : { resetAt: at }) };
    }
  }
  return undefined;
}

function ofBareStatus(facts: HeadlessFacts): AgentState {
  const { exit, lines, output } = facts;
  const doing = lines.last === undefined ? 'it said nothing of its state' : `last: ${lines.last.evidence}`;
  if (exit === undefined) return { kind: 'crashed', source: 'exit', rule: 'no exit record', evidence: doing };
  if (exit.code !== 0) return { kind: 'crashed', source: 'exit', rule: 'exit status', evidence: `${describeExit(exit.code)}; ${doing}` };
  if (!answered(facts)) return { kind: 'errored', source: 'exit', rule: 'empty answer', evidence: `it exited with status 0; ${doing}` };
  if (output !== 'text') return { kind: 'errored', source: 'exit', rule: 'no end event', evidence: `it exited with status 0; ${doing}` };
  return { kind: 'finished', source: 'exit', rule: 'exit status', evidence: 'it exited with status 0' };
}
