import { parseEvents } from '../../events/event-log.js';
import type { EventLine } from '../../events/event.js';
import { parseDuration } from '../../lib/duration.js';
import { openContext, print } from '../context.js';
import { eventLine, readLines } from '../events.js';
import { CliError, EXIT } from '../exit.js';

/** What happened, oldest first: one line an event, or with --json the log's own lines. */
export async function events(dir: string | undefined, options: { follow?: boolean; json?: boolean; since?: string }): Promise<void> {
  const { layout, clock } = openContext(dir);
  const since = options.since === undefined ? 0 : sinceWhen(options.since, clock.wallMs());
  const say = (list: readonly EventLine[]): void => {
    for (const event of list) if (event.at >= since) print(options.json === true ? JSON.stringify(event) : eventLine(event));
  };
  let { text, end } = readLines(layout.events, 0);
  say(parseEvents(text));
  while (options.follow === true) {
    await clock.sleep(200);
    ({ text, end } = readLines(layout.events, end));
    say(parseEvents(text));
  }
}

function sinceWhen(text: string, now: number): number {
  const ms = parseDuration(text);
  const at = ms === undefined ? Date.parse(text) : now - ms;
  if (Number.isNaN(at)) throw new CliError(`--since ${text} is neither a time nor a duration; write 2026-12-01T02:00 or 10m`, EXIT.usage);
  return at;
}
