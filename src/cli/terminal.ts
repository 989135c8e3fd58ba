/*
 * Everything that reaches a person's terminal goes through here. Texts of tasks, agents and file names are made fit where they
 * are put into lines (lib/text.ts); this is the net below: whatever was forgotten there neither moves the cursor nor sets a title.
 */

/** The colours of style.ts, and nothing else that begins with an escape. */
// oxlint-disable-next-line no-control-regex -- our own colours are what is being matched
const HARMFUL = /(\u001b\[(?:1|2|22|3[0-7]|39)m)|[^\P{C}\n\t]|[\p{Zl}\p{Zp}]/gu;

/** Replaces, never removes: what is left cannot join to a new escape sequence. */
export const fit = (text: string): string => text.replace(HARMFUL, (_match, colour: string | undefined) => colour ?? '\u00b7');

/** The same JSON value, with every character that is not printed spelled out: a terminal that takes C1 controls takes none from here. */
export const fitJson = (json: string): string => json.replace(/[^\P{C}\n]|[\p{Zl}\p{Zp}]/gu, (one) => [...one].flatMap((char) => Array.from({ length: char.length }, (_unit, at) => `\\u${char.charCodeAt(at).toString(16).padStart(4, '0')}`)).join(''));
