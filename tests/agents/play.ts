import { sample } from './wire/json.js';
import { shellOf } from './wire/tools.js';
import type { Ask } from './wire/wire.js';
import type { Script, Turn } from './turns.js';

/** What a request is in the play: a turn of a script, or a side call (a title, a router's question, a summary). */
export type Cue =
  | { readonly kind: 'turn'; readonly prompt: string; readonly script: Script | null; readonly index: number; readonly turn: Turn }
  | { readonly kind: 'side'; readonly prompt: string; readonly text: string };

/** A script's name in the prompt; or the task's, where the prompt is a line that names the file with the task. */
const MARK = /\[\[([\w.:-]+)\]\]|\/runs\/([\w-]+)\/[^/\s]+\/prompt\.md\b/g;
/** What agents put beside the user's words, in messages of the user's role. */
const INJECTED = /^\s*<(system-reminder|environment_context|user_instructions|session_context|skills_instructions|permissions|INSTRUCTIONS|editor_context|state_snapshot)\b|^# AGENTS\.md instructions/i;
/** Side calls that offer tools or that quote the user's prompt. */
const SIDE_PROMPT = /^\s*(\[SUGGESTION MODE|Generate a concise, single-line task title|Generate a title for this conversation)/;
const SIDE_SYSTEM = /title|summar|classif|router|topic|commit message|suggest/i;

/**
 * The last prompt that names a registered script selects it. The turn is as many answers on as the conversation shows
 * after that prompt: tool results, and texts without a call (so a nudge gets the next turn). Unmarked conversations get
 * the script called `default`, or one harmless line.
 */
export function cueOf(ask: Ask, scripts: ReadonlyMap<string, Script>): Cue {
  const users = ask.entries.flatMap((entry, place) => (entry.kind === 'user' && !INJECTED.test(entry.text) ? [{ text: entry.text, place }] : []));
  const prompt = users.at(-1)?.text ?? '';
  if (isSide(ask, prompt)) return { kind: 'side', prompt, text: ask.schema === undefined ? 'Stub side answer' : JSON.stringify(sample(ask.schema)) };

  for (const user of users.toReversed()) {
    const script = scriptIn(user.text, scripts);
    if (script === undefined) continue;
    const answered = ask.entries.slice(user.place + 1).filter((entry) => entry.kind !== 'user').length;
    return { kind: 'turn', prompt, script, ...script.next(user.text, answered) };
  }
  const fallback = scripts.get('default');
  if (fallback !== undefined) return { kind: 'turn', prompt, script: fallback, ...fallback.next(prompt, ask.entries.filter((entry) => entry.kind !== 'user').length) };
  return { kind: 'turn', prompt, script: null, index: 0, turn: { text: 'No script is named in this prompt.' } };
}

function scriptIn(prompt: string, scripts: ReadonlyMap<string, Script>): Script | undefined {
  return [...prompt.matchAll(MARK)].map((match) => scripts.get(match[1] ?? match[2] ?? '')).findLast((script) => script !== undefined);
}

function isSide(ask: Ask, prompt: string): boolean {
  if (ask.schema !== undefined || SIDE_PROMPT.test(prompt)) return true;
  return shellOf(ask.tools) === undefined && SIDE_SYSTEM.test(`${ask.system}\n${prompt}`);
}
