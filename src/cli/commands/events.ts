import { readFileSync } from 'node:fs';
import type { EventLine } from '../../events/event.js';
import { EVENT_KINDS } from '../../events/fields.js';
import { linesSince } from '../../events/follow.js';
import { history } from '../../events/history.js';
import { nearest, show } from '../../lib/text.js';
import { wildcard } from '../../lib/wildcard.js';
import { openContext, print, printRaw } from '../context.js';
import { eventLine } from '../events.js';
import { CliError, EXIT } from '../exit.js';
import { sinceWhen } from '../since.js';

const EVERY_MS = 200;

export interface EventOptions {
  readonly follow?: boolean;
  readonly json?: boolean;
  readonly since?: string;
  /** Kinds, with `*` for any characters. */
  readonly kind?: readonly string[];
  readonly task?: string;
  readonly schema?: boolean;
}

/** What happened, oldest first, as far back as the log is kept: one line an event, or with --json the log's own lines. */
export async function events(dir: string | undefined, options: EventOptions): Promise<void> {
  if (options.schema === true) return printRaw(readFileSync(new URL('../../../docs/events.schema.json', import.meta.url), 'utf8').trimEnd());
  const { layout, files, clock } = openContext(dir);
  const kinds = options.kind === undefined ? undefined : kindsOf(options.kind);
  const since = options.since === undefined ? 0 : sinceWhen(options.since, clock.wallMs());
  const say = (event: EventLine): void => {
    if (event.at < since || (kinds !== undefined && !kinds.has(event.kind)) || (options.task !== undefined && !isAbout(event, options.task))) return;
    print(options.json === true ? JSON.stringify(event) : eventLine(event));
  };
  const past = history(files, layout.events, { since, ...(options.task === undefined ? {} : { holding: JSON.stringify(options.task).slice(0, -1) }) });
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

/** Every kind that one of the patterns means; one that means none is a slip of the pen. */
function kindsOf(patterns: readonly string[]): ReadonlySet<string> {
  const kinds = new Set<string>();
  for (const pattern of patterns.flatMap((one) => one.split(','))) {
    const found = EVENT_KINDS.filter((kind) => wildcard(pattern, kind));
    const near = nearest(pattern, EVENT_KINDS);
    if (found.length === 0) throw new CliError(`no event is of the kind ${show(pattern)}${near === undefined ? '; all are in docs/events.md' : `; did you mean ${near}?`}`, EXIT.usage);
    for (const kind of found) kinds.add(kind);
  }
  return kinds;
}

/** By the task's id, or by a marker of one of its attempts. */
function isAbout(event: EventLine, task: string): boolean {
  const { id, marker } = event as { readonly id?: string; readonly marker?: string };
  return id === task || marker?.startsWith(`${task}~`) === true;
}
