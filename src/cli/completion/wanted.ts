import type { Argument, Command, Option } from 'commander';
import { EVENT_KINDS } from '../../events/fields.js';

/** One word that may stand at the cursor. `about`: one line for a person. */
export interface Candidate {
  readonly value: string;
  readonly about: string;
}

/** What can stand at the cursor. "names": of what lives in the pit, by the argument's own word for it. */
export type Wanted =
  | { readonly kind: 'words'; readonly words: readonly Candidate[] }
  | { readonly kind: 'files' | 'directories' }
  | { readonly kind: 'names'; readonly of: string; readonly command: string; readonly taken: readonly string[] };

/** What a command line says before its last word. `before`: what is put before each candidate, such as `--by=`. */
export interface Place {
  readonly wanted: Wanted;
  readonly typed: string;
  readonly before: string;
  /** What `-C` says. */
  readonly dir: string | undefined;
}

const NOTHING: Wanted = { kind: 'words', words: [] };
const words = (...values: readonly string[]): Wanted => ({ kind: 'words', words: values.map((value) => ({ value, about: '' })) });

/** Arguments whose words are known beforehand, by their names in the parser. What is no name of anything (a number, a text, a time) has none. */
const KNOWN: Readonly<Record<string, Wanted>> = {
  file: { kind: 'files' },
  dir: { kind: 'directories' },
  shell: words('bash', 'zsh', 'fish'),
  state: words('ready', 'waiting', 'held', 'running', 'reaping', 'stuck', 'needs', 'done', 'failed'),
  kind: words(...EVENT_KINDS),
  what: words('task', 'step', 'profile', 'account', 'model', 'day'),
};

/** The names that live in a pit. */
export const LIVE = ['task', 'task|snake|resident', 'word', 'agent', 'template', 'account', 'step', 'specialist'] as const;

/** Which option of a command, or of one above it, a word is: `--name`, `--name=value`, `-n`, `-nvalue`. */
function optionOf(command: Command, word: string): { readonly option: Option; readonly value: string | undefined } | undefined {
  for (let at: Command | null = command; at !== null; at = at.parent) {
    for (const option of at.options) {
      if (word === option.long || word === option.short) return { option, value: undefined };
      if (option.long !== undefined && word.startsWith(`${option.long}=`)) return { option, value: word.slice(option.long.length + 1) };
      if (option.short !== undefined && !word.startsWith('--') && word.startsWith(option.short)) return { option, value: word.slice(2) };
    }
  }
  return undefined;
}

const takesValue = (option: Option): boolean => option.required || option.optional;
/** The name between the brackets: `--dir <dir>` takes a dir. */
const valueName = (option: Option): string => /[<[]([^>\]]*?)(?:\.{3})?[>\]]/.exec(option.flags)?.[1] ?? '';

/** Pure: the parser and the words up to the cursor, the last one being typed → what may stand there. */
export function wantedAt(program: Command, line: readonly string[]): Place {
  const typed = line.at(-1) ?? '';
  let command = program;
  let dir: string | undefined;
  let pending: Option | undefined;
  let ended = false;
  const given: string[] = [];
  for (const word of line.slice(0, -1)) {
    const option = ended || !word.startsWith('-') ? undefined : optionOf(command, word);
    if (pending !== undefined && (option === undefined || !pending.variadic)) {
      if (valueName(pending) === 'dir') dir = word;
      if (!pending.variadic) pending = undefined;
    } else if (!ended && word === '--') {
      ended = true;
      pending = undefined;
    } else if (option !== undefined) {
      if (option.value !== undefined && valueName(option.option) === 'dir') dir = option.value;
      pending = takesValue(option.option) && option.value === undefined ? option.option : undefined;
    } else if (ended || !word.startsWith('-')) {
      const sub = given.length === 0 ? subcommands(command).find((one) => one.name() === word || one.aliases().includes(word)) : undefined;
      if (sub === undefined) given.push(word);
      else command = sub;
    }
  }
  const at = (wanted: Wanted, before = ''): Place => ({ wanted, typed: typed.slice(before.length), before, dir });
  // The steps are those of the task that stands before.
  if (pending !== undefined && !(pending.variadic && typed.startsWith('-'))) return at(ofName(valueName(pending), command, valueName(pending) === 'step' ? given : []));
  if (!ended && typed.startsWith('-')) {
    const inline = typed.startsWith('--') && typed.includes('=') ? optionOf(command, typed) : undefined;
    return inline === undefined ? at({ kind: 'words', words: optionsOf(command) }) : at(ofName(valueName(inline.option), command, valueName(inline.option) === 'step' ? given : []), typed.slice(0, typed.indexOf('=') + 1));
  }
  const arguments_: readonly Argument[] = command.registeredArguments;
  const argument = arguments_[given.length] ?? (arguments_.at(-1)?.variadic === true ? arguments_.at(-1) : undefined);
  const subs = given.length === 0 && !ended ? subcommands(command).map((one) => ({ value: one.name(), about: one.description() })) : [];
  if (subs.length > 0) return at({ kind: 'words', words: subs });
  if (argument === undefined) return at(NOTHING);
  if (argument.name() === 'command') return at({ kind: 'words', words: subcommands(program).map((one) => ({ value: one.name(), about: one.description() })) });
  return at(ofName(argument.name(), command, given));
}

function ofName(name: string, command: Command, taken: readonly string[]): Wanted {
  if ((LIVE as readonly string[]).includes(name)) return { kind: 'names', of: name, command: command.name(), taken };
  return Object.hasOwn(KNOWN, name) ? (KNOWN[name] ?? NOTHING) : NOTHING;
}

/** As help shows them: with `help`, without what is hidden. */
const subcommands = (command: Command): readonly Command[] => (command.commands.length === 0 ? [] : command.createHelp().visibleCommands(command));

function optionsOf(command: Command): Candidate[] {
  const found: Candidate[] = [];
  for (let at: Command | null = command; at !== null; at = at.parent) {
    for (const option of at.createHelp().visibleOptions(at)) {
      const value = option.long ?? option.short;
      if (value !== undefined && !found.some((one) => one.value === value)) found.push({ value, about: option.description });
    }
  }
  return found;
}
