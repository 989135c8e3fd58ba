/** `{name}` is a placeholder, `{{name}}` the text {name}; other braces stay as they are. */
const HOLE = /\{\{([A-Za-z][\w-]*)\}\}|\{([A-Za-z][\w-]*)\}/g;

/** What one value may bring into a message; a commit's subject may be of any length. */
const VALUE_CHARS = 500;

export const namesIn = (template: string): string[] => [...template.matchAll(HOLE)].flatMap(([, , name]) => name ?? []);

export interface Rendered {
  readonly text: string;
  /** See Entry.guarded. */
  readonly guarded: boolean;
}

/** Values are cut and lose their control characters: they are the words of commits, files and agents. */
export function render(template: string, values: Readonly<Record<string, string>>): Rendered {
  const value = (name: string): string => (values[name] ?? '').replace(/[\p{C}\p{Zl}\p{Zp}]/gu, ' ').slice(0, VALUE_CHARS).replace(/[\uD800-\uDBFF]$/, '');
  const text = template.replace(HOLE, (_whole, literal: string | undefined, name: string | undefined) => (name === undefined ? `{${literal ?? ''}}` : value(name))).trim();
  return { text, guarded: text !== '' && isCommand(text) && !text.startsWith(template.trim().slice(0, 1)) };
}

/** Composers read a line that begins so as an order to the program: /exit, !command, #memory, @file, &background. */
const isCommand = (text: string): boolean => /^[/!#@&$]/.test(text);
