import type { AgentStateKind } from '../protocol/agent-state.js';
import { parsePath, valuesAt, type Path } from './json-path.js';
import type { LineRule } from './profile.js';

/** One path of a condition, and what must stand there. */
export type Condition = readonly [Path, (value: unknown) => boolean];

/** A rule with its paths and patterns read once. */
export interface Compiled {
  readonly rule: LineRule;
  readonly match: readonly Condition[];
  readonly unless: readonly Condition[];
}

export function compile(rule: LineRule): Compiled {
  return { rule, match: conditions(rule.match), unless: conditions(rule.unless ?? {}) };
}

/** A condition with its paths and patterns read once. */
export function conditions(wanted: LineRule['match']): Condition[] {
  return Object.entries(wanted).map(([path, want]) => [parsePath(path), test(want)] as const);
}

function test(want: LineRule['match'][string]): (value: unknown) => boolean {
  if (want === '*') return (value) => value !== null;
  if (typeof want !== 'string') return (value) => value === want;
  const pattern = new RegExp(`^(?:${want})$`, 'su');
  return (value) => (typeof value === 'string' || typeof value === 'number') && pattern.test(String(value));
}

/** All of `match`, nothing of `unless`, and `while` the state is one that the rule is for. A path with several values holds when one does. */
export function holdsFor({ rule, match, unless }: Compiled, event: object, before: AgentStateKind): boolean {
  if (rule.while !== undefined && !rule.while.includes(before)) return false;
  const holds = (one: Condition): boolean => passesAt(event, one);
  return match.every(holds) && !unless.some(holds);
}

/** Whether what stands there passes; of several values, one must. */
export const passesAt = (event: unknown, [path, passes]: Condition): boolean => valuesAt(event, path).some(passes);
