import type { Ran } from '../lib/run.js';
import { run } from '../lib/run.js';
import type { Words } from './hook-words.js';

/** What shows a notification, and how it is called: words only, no shell, nothing of ours is read as an option. */
export const DESKTOP_PROGRAMS: readonly { readonly program: string; argv(words: Words): [string, ...string[]] }[] = [
  { program: 'notify-send', argv: ({ title, text }) => ['notify-send', '--app-name=snakepit', '--', title, plainMarkup(text)] },
  // The text comes to the script as an argument, and is none of it.
  { program: 'osascript', argv: ({ title, text }) => ['osascript', '-e', 'on run argv', '-e', 'display notification (item 2 of argv) with title (item 1 of argv)', '-e', 'end run', title, ` ${text}`] },
];

/** Notification servers read a little HTML: a task's name is no link, and no image. */
const plainMarkup = (text: string): string => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');

/** The first of them that is there; undefined where none is. */
export async function notifyDesktop(words: Words, env: Readonly<Record<string, string>>, timeoutMs: number, programOf: (program: string) => boolean): Promise<Ran | undefined> {
  const found = DESKTOP_PROGRAMS.find(({ program }) => programOf(program));
  return found === undefined ? undefined : run(found.argv(words), { timeoutMs, env, maxBytes: 64 * 1024 });
}
