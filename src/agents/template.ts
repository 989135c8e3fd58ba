import type { Argument } from './profile.js';

/** What a profile's texts may name, in braces. Whatever else stands in braces is left as it is: programs have such syntaxes of their own. */
export interface Placeholders {
  /** One short line that tells the agent which file to read. */
  readonly prompt: string;
  readonly 'prompt-file': string;
  /** Of the shell way: the script made from the task's blocks, and what runs it. */
  readonly script: string;
  readonly interpreter: string;
  readonly workspace: string;
  /** The session's own configuration directory. */
  readonly home: string;
  readonly run: string;
  /** The script that a program's hooks call. */
  readonly hook: string;
  readonly model: string;
  readonly reasoning: string;
  /** The program's session: assigned by us before the start, or the recorded one when it is resumed. */
  readonly session: string;
}

const NAMES: ReadonlySet<string> = new Set<keyof Placeholders>(['prompt', 'prompt-file', 'script', 'interpreter', 'workspace', 'home', 'run', 'hook', 'model', 'reasoning', 'session']);

/**
 * `{tail:NAME}`: the last 20 characters of a variable, by which Claude Code knows an API key that a person has approved. They then
 * stand in a file of the session's home (0600, as Claude Code itself keeps them): a fifth of such a key, and the whole of one that is
 * as short as that.
 */
export function render(text: string, values: Placeholders, variable: (name: string) => string = () => ''): string {
  return text
    .replace(/\{tail:([A-Z_]+)\}/g, (_whole, name: string) => variable(name).slice(-20))
    .replace(/\{var:([A-Z_]+)\}/g, (_whole, name: string) => variable(name))
    .replace(/\{([a-z-]+)\}/g, (whole, name: string) => (NAMES.has(name) ? values[name as keyof Placeholders] : whole));
}

/** The same in every text of a value, keys included. */
export function renderDeep(value: unknown, values: Placeholders, variable: (name: string) => string): unknown {
  if (typeof value === 'string') return render(value, values, variable);
  if (Array.isArray(value)) return value.map((item) => renderDeep(item, values, variable));
  if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).map(([key, item]) => [render(key, values, variable), renderDeep(item, values, variable)]));
  return value;
}

/** What decides over the conditional parts of an argv. "fresh" is the opposite of "resume". */
export type Condition = Extract<Argument, object>['if'];

export function renderArgv(argv: readonly Argument[], holds: ReadonlySet<Condition>, values: Placeholders): string[] {
  return argv.flatMap((part) => (typeof part === 'string' ? [render(part, values)] : holds.has(part.if) ? part.args.map((text) => render(text, values)) : []));
}
