import { linesSince } from '../../events/follow.js';
import { history } from '../../events/history.js';
import type { EventLine } from '../../events/event.js';
import { openContext, print } from '../context.js';
import { eventLine } from '../events.js';
import { sinceWhen } from '../since.js';

const EVERY_MS = 200;

/** What happened, oldest first, as far back as the log is kept: one line an event, or with --json the log's own lines. */
export async function events(dir: string | undefined, options: { follow?: boolean; json?: boolean; since?: string }): Promise<void> {
  const { layout, files, clock } = openContext(dir);
  const since = options.since === undefined ? 0 : sinceWhen(options.since, clock.wallMs());
  const say = (event: EventLine): void => {
    if (event.at >= since) print(options.json === true ? JSON.stringify(event) : eventLine(event));
  };
  const past = history(files, layout.events, { since });
  let one = await past.next();
  for (; one.done !== true; one = await past.next()) say(one.value);
  let position = one.value;
  while (options.follow === true) {
    await clock.sleep(EVERY_MS);
    const seen = await linesSince(files, layout.events, position, clock.wallMs());
    if (seen.kind === 'unseen') continue;
    if (seen.gap !== undefined) process.stderr.write(`snakepit: ${seen.gap}\n`);
    for (const { event } of seen.lines) say(event);
    position = seen.position;
  }
}
