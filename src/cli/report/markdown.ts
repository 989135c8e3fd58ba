import { show } from '../../lib/text.js';

/*
 * Words of tasks, programs and files inside Markdown of ours. They stand behind a beginning of ours, never at the start of a line, so
 * that only what means something in the middle of one is made plain: a backslash before it, as little as possible, for the same text is
 * read in a terminal.
 */

/** One line of prose. An underscore within a word is no emphasis, and stays. */
export const prose = (text: string, maxChars = 300): string =>
  show(text, maxChars)
    .replace(/[\\`*[\]<|]/g, '\\$&')
    .replace(/(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, '\\_')
    .replace(/&(?=#?[\p{L}\p{N}]+;)/gu, '\\&')
    .replace(/~(?=~)/g, '\\~')
    .replace(/:\/\//g, ':\\//');

/** A name or a command, between backticks; one that holds a backtick itself has an apostrophe there. */
export const code = (text: string, maxChars = 200): string => `\`${show(text, maxChars).replaceAll('`', '\'')}\``;
