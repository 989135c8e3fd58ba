import type { Config } from '../config/config.js';
import type { HookConfig } from '../config/hooks.js';
import { placeOf, type ConfigFault } from '../config/load.js';
import { EVENT_KINDS } from '../events/fields.js';
import { parseDuration } from '../lib/duration.js';
import { err, ok, type Result } from '../lib/result.js';
import { nearest } from '../lib/text.js';
import { parseWeekSpan } from '../lib/week-hours.js';
import { wildcard } from '../lib/wildcard.js';
import type { Gathering, Hook, Rule } from './state.js';

/** Names of rules and targets that no rule of `pings:`, no task and no session can bear. */
export const hookName = (name: string): string => `hook:${name}`;

/** Kinds that quiet hours let through where a hook does not say: without a person the pit does not get on, or not as it should. */
export const URGENT: readonly string[] = ['task-stuck', 'snake-broken', 'budget-reached'];

/** What people are told is told together where it comes within this. */
const GROUP_MS = 60_000;

/** Hooks are rules whose target is a command, a web address or a person's screen: same cursors, same outbox. `quiet`: of all hooks for people. The first fault is returned. */
export function resolveHooks(file: string, text: string | undefined, { hooks: configs, quiet }: Pick<Config, 'hooks' | 'quiet'>): Result<readonly Rule[], ConfigFault> {
  const rules: Rule[] = [];
  for (const [index, config] of configs.entries()) {
    const { name, on } = config;
    const fault = (key: string, problem: string): Result<never, ConfigFault> => err({ where: placeOf(file, text, ['hooks', String(index), key]), problem: `hooks.${index}.${key}: ${problem}` });
    if (rules.some((rule) => rule.name === hookName(name))) return fault('name', `there are two hooks called ${name}; give one another`);
    const kinds = kindsOf(on);
    if (!kinds.ok) return fault('on', kinds.error);
    // A hook about what is said of hooks would call itself for ever.
    const told = kinds.value.find(({ found }) => found.every((kind) => kind.startsWith('ping-')));
    if (told !== undefined) return fault('on', `${told.pattern} tells of hooks and pings themselves, and would go round for ever; read these with: snakepit events`);
    const urgent = kindsOf(config.urgent ?? URGENT);
    if (!urgent.ok) return fault('urgent', urgent.error);
    const hook = hookOf(config);
    const forPeople = hook.kind === 'desktop' || hook.kind === 'bell' || (hook.kind === 'post' && hook.as === 'text');
    const gathering: Gathering = {
      quiet: [config.quiet ?? (forPeople ? quiet : [])].flat().flatMap((one) => parseWeekSpan(one) ?? []),
      urgent: urgent.value.flatMap(({ found }) => found),
      groupMs: config.group === undefined ? (forPeople ? GROUP_MS : 0) : (parseDuration(config.group) ?? 0),
    };
    rules.push({ name: hookName(name), on: { kind: 'events', kinds: [...new Set(kinds.value.flatMap(({ found }) => found))].filter((kind) => !kind.startsWith('ping-')) }, to: [hookName(name)], message: '', hook, gathering });
  }
  return ok(rules);
}

/** What each pattern means; one that means nothing is a slip of the pen. */
function kindsOf(patterns: readonly string[]): Result<readonly { readonly pattern: string; readonly found: readonly string[] }[], string> {
  const kinds = patterns.map((pattern) => ({ pattern, found: EVENT_KINDS.filter((kind) => wildcard(pattern, kind)) }));
  const nothing = kinds.find(({ found }) => found.length === 0)?.pattern;
  if (nothing === undefined) return ok(kinds);
  const near = nearest(nothing, EVENT_KINDS);
  return err(`no event is of the kind ${nothing}${near === undefined ? '; all are in docs/events.md' : `; did you mean ${near}?`}`);
}

function hookOf({ run, post, desktop, as, timeout, env }: HookConfig): Hook {
  const timeoutMs = parseDuration(timeout) ?? 0;
  const [program, ...args] = run ?? [];
  if (program !== undefined) return { kind: 'run', argv: [program, ...args], env, timeoutMs };
  if (post !== undefined) return { kind: 'post', url: post, as, timeoutMs };
  return { kind: desktop === undefined ? 'bell' : 'desktop', timeoutMs };
}
