import { placeOf, type ConfigFault } from '../config/load.js';
import type { PingConfig } from '../config/pings.js';
import { EVENT_KINDS, fieldsOf } from '../events/fields.js';
import { err, ok, type Result } from '../lib/result.js';
import { nearest } from '../lib/text.js';
import type { Rule, Source } from './state.js';
import { namesIn } from './template.js';

/** What is wrong with a rule: the key, as a path below the file, and the problem in words. */
export interface RuleFault {
  readonly path: readonly string[];
  readonly problem: string;
}

/** What every message may name. */
const ALWAYS = ['rule'];
const KNOWN: Readonly<Record<'commit' | 'settled' | 'inbox', readonly string[]>> = {
  commit: ['sha', 'short', 'ref', 'subject', 'author', 'email', 'repo'],
  settled: ['task', 'state', 'title', 'why', 'attempt', 'tags', 'story'],
  inbox: ['file', 'name', 'dir'],
};

/** Rules from their shapes; the first fault is returned, nothing is half taken. */
export function compileRules(configs: readonly PingConfig[]): Result<readonly Rule[], RuleFault> {
  const rules: Rule[] = [];
  for (const [index, config] of configs.entries()) {
    const at = (...keys: string[]): string[] => ['pings', String(index), ...keys];
    const fault = faultOf(config);
    if (fault !== undefined) return err({ path: at(...fault.path), problem: fault.problem });
    if (rules.some((rule) => rule.name === config.name)) return err({ path: at('name'), problem: `there are two rules called ${config.name}; a cursor belongs to a name: give one another` });
    const to = typeof config.to === 'string' ? [config.to] : config.to;
    rules.push({ name: config.name, on: sourceOf(config), to: [...new Set(to)], message: config.message });
  }
  return ok(rules);
}

/** The same, with the place in the file. */
export function resolveRules(file: string, text: string | undefined, configs: readonly PingConfig[]): Result<readonly Rule[], ConfigFault> {
  const rules = compileRules(configs);
  return rules.ok ? rules : err({ where: placeOf(file, text, rules.error.path), problem: `${rules.error.path.join('.')}: ${rules.error.problem}` });
}

function sourceOf({ on }: PingConfig): Source {
  if (on.commit !== undefined) return { kind: 'commit', ...on.commit };
  if (on.settled !== undefined) return { kind: 'settled', state: on.settled.state, tag: on.settled.tag, task: on.settled.task };
  if (on.inbox !== undefined) return { kind: 'inbox', ...on.inbox };
  return { kind: 'event', event: on.event?.kind ?? '', match: on.event?.match ?? {} };
}

function faultOf({ on, message }: PingConfig): RuleFault | undefined {
  let known = [...ALWAYS];
  if (on.commit !== undefined) {
    const groups = groupsOf(on.commit.subject);
    if (groups === undefined) return { path: ['on', 'commit', 'subject'], problem: 'is not a regular expression (JavaScript, with the u flag)' };
    known = [...known, ...KNOWN.commit, ...groups];
  }
  if (on.settled !== undefined) known = [...known, ...KNOWN.settled];
  if (on.inbox !== undefined) known = [...known, ...KNOWN.inbox];
  if (on.event !== undefined) {
    const { kind, match } = on.event;
    const fields = fieldsOf(kind);
    const path = ['on', 'event'];
    if (fields === undefined) return { path: [...path, 'kind'], problem: `no event is of the kind ${kind}${near(kind, EVENT_KINDS)}` };
    if (kind.startsWith('ping-')) return { path: [...path, 'kind'], problem: 'a ping about pings would ping itself for ever; read these with: snakepit events' };
    for (const field of Object.keys(match)) if (!fields.includes(field)) return { path: [...path, 'match', field], problem: `${kind} has no such field${near(field, fields)}` };
    known = [...known, 'kind', ...fields];
  }
  const unknown = namesIn(message).find((name) => !known.includes(name));
  return unknown === undefined ? undefined : { path: ['message'], problem: `{${unknown}} is not known here; known: ${known.map((name) => `{${name}}`).join(' ')}; {{${unknown}}} writes it as it stands` };
}

const near = (word: string, known: readonly string[]): string => {
  const found = nearest(word, known);
  return found !== undefined ? `; did you mean ${found}?` : known.length === 0 ? '' : `; known: ${known.join(', ')}`;
};

/** The named groups of a pattern; undefined where it is none. */
function groupsOf(pattern: string): string[] | undefined {
  try {
    return Object.keys(new RegExp(`${pattern}|`, 'u').exec('')?.groups ?? {});
  } catch {
    return undefined;
  }
}
