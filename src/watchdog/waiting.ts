import type { ScreenRules } from '../agents/profile.js';
import { compiled, cut } from '../agents/regions.js';

const TIME = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?`;
/** Bullets and emphasis may stand around it, words may not. */
const WHOLE = new RegExp(String.raw`^[^\p{L}\p{N}]*WAITING-UNTIL: (${TIME})[^\p{L}\p{N}]*$`, 'u');
const LAST = new RegExp(String.raw`(?:^|\s)WAITING-UNTIL: (${TIME})[*_\x60.]*$`, 'u');

const timeOf = (found: RegExpExecArray | null): number | undefined => {
  const at = Date.parse(found?.[1] ?? '');
  return Number.isNaN(at) ? undefined : at;
};

/** `WAITING-UNTIL: <ISO time>` as the whole last line of a message; anywhere else it is only talk. Wall clock, milliseconds. */
export const messageWaits = (message: string): number | undefined => timeOf(WHOLE.exec(message.trimEnd().split('\n').at(-1) ?? ''));

/** The same of a full-screen program: at the end of the last thing that stands above its box, and that nobody typed. */
export function paneWaits(rules: ScreenRules, screen: string): number | undefined {
  const skip = rules.skip === undefined ? undefined : compiled(rules.skip);
  const last = cut(rules, screen).entries.findLast(({ text }) => skip?.test(text) !== true);
  return last === undefined || last.anchor ? undefined : timeOf(LAST.exec(last.text));
}
