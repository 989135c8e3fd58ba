import type { HookConfig } from '../config/hooks.js';
import { placeOf, type ConfigFault } from '../config/load.js';
import { EVENT_KINDS } from '../events/fields.js';
import { parseDuration } from '../lib/duration.js';
import { err, ok, type Result } from '../lib/result.js';
import { nearest } from '../lib/text.js';
import { wildcard } from '../lib/wildcard.js';
import type { Rule } from './state.js';

/** Names of rules and targets that no rule of `pings:`, no task and no session can bear. */
export const hookName = (name: string): string => `hook:${name}`;

/** Hooks are rules whose target is a command or a web address: same cursors, same outbox. The first fault is returned. */
export function resolveHooks(file: string, text: string | undefined, configs: readonly HookConfig[]): Result<readonly Rule[], ConfigFault> {
  const rules: Rule[] = [];
  for (const [index, { name, on, run, post, as, timeout }] of configs.entries()) {
    const fault = (key: string, problem: string): Result<never, ConfigFault> => err({ where: placeOf(file, text, ['hooks', String(index), key]), problem: `hooks.${index}.${key}: ${problem}` });
    if (rules.some((rule) => rule.name === hookName(name))) return fault('name', `there are two hooks called ${name}; give one another`);
    const kinds = new Set<string>();
    for (const pattern of on) {
      const found = EVENT_KINDS.filter((kind) => wildcard(pattern, kind));
      const near = nearest(pattern, EVENT_KINDS);
      if (found.length === 0) return fault('on', `no event is of the kind ${pattern}${near === undefined ? '; all are in docs/events.md' : `; did you mean ${near}?`}`);
      // A hook about what is said of hooks would call itself for ever.
      const told = found.filter((kind) => !kind.startsWith('ping-'));
      if (told.length === 0) return fault('on', `${pattern} tells of hooks and pings themselves, and would go round for ever; read these with: snakepit events`);
      for (const kind of told) kinds.add(kind);
    }
    const timeoutMs = parseDuration(timeout) ?? 0;
    const [program, ...args] = run ?? [];
    const hook = program === undefined ? { kind: 'post' as const, url: post ?? '', as, timeoutMs } : { kind: 'run' as const, argv: [program, ...args] as const, timeoutMs };
    rules.push({ name: hookName(name), on: { kind: 'events', kinds: [...kinds] }, to: [hookName(name)], message: '', hook });
  }
  return ok(rules);
}
