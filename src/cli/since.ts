import { parseDuration } from '../lib/duration.js';
import { CliError, EXIT } from './exit.js';

/** `--since` of a command: so long ago, or a time; a day alone is its first instant in this machine's time zone. Wall clock, milliseconds. */
export function sinceWhen(text: string, now: number): number {
  const ms = parseDuration(text);
  const at = ms === undefined ? Date.parse(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00` : text) : now - ms;
  if (Number.isNaN(at)) throw new CliError(`--since ${text} is neither a time nor a duration; write 2026-12-01T02:00 or 10m`, EXIT.usage);
  return at;
}
