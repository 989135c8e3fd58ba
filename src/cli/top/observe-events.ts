import type { EventLine } from '../../events/event.js';
import { linesSince } from '../../events/follow.js';
import { identityOf, type Position } from '../../events/parts.js';
import type { Layout } from '../../protocol/layout.js';
import type { Files } from '../../lib/files.js';
import { show } from '../../lib/text.js';

/** Of a log that was never read, the end of it: some thousand events. */
const FIRST_BYTES = 512 * 1024;
const FIRST_LINE = 16 * 1024;
const KEPT_LINES = 500;
const HOUR_MS = 3_600_000;
const LEAST_WINDOW_MS = 300_000;

/** The event log, read on from where the last look ended, over rotations. */
export class EventTail {
  private readonly files: Files;
  private readonly layout: Layout;
  private position: Position | undefined;
  private firstAt: number | undefined;
  private lines: string[] = [];
  private ends: { readonly at: number; readonly failed: boolean }[] = [];
  constructor(files: Files, layout: Layout) {
    this.files = files;
    this.layout = layout;
  }

  async look(nowMs: number): Promise<void> {
    this.position ??= await this.nearEnd();
    const since = await linesSince(this.files, this.layout.events, this.position, nowMs);
    if (since.kind === 'read') {
      this.position = since.position;
      for (const { event } of since.lines) this.take(event);
      this.lines = this.lines.slice(-KEPT_LINES);
    }
    this.ends = this.ends.filter(({ at }) => at > nowMs - HOUR_MS);
  }

  /** Where the reading begins: in the middle of a line is well, since a torn one is skipped. */
  private async nearEnd(): Promise<Position> {
    const log = this.layout.events;
    const size = (await this.files.inspect(log))?.size ?? 0;
    const offset = Math.max(0, size - FIRST_BYTES);
    return { file: identityOf(await this.files.readFrom(log, 0, FIRST_LINE)), offset };
  }

  private take(event: EventLine): void {
    this.firstAt ??= event.at;
    this.lines.push(brief(event));
    if (event.kind === 'task-done' || event.kind === 'task-failed') this.ends.push({ at: event.at, failed: event.kind === 'task-failed' });
  }

  /** Newest last. */
  get tail(): readonly string[] {
    return this.lines;
  }

  /** Over the last hour, or over as much of it as the log that was read tells. */
  rates(nowMs: number): { done: number; failed: number; windowMs: number } {
    const windowMs = Math.min(HOUR_MS, this.firstAt === undefined ? 0 : Math.max(0, nowMs - this.firstAt));
    // An hour's rate from its first minutes alone would be a guess.
    const over = Math.max(windowMs, LEAST_WINDOW_MS);
    const failed = this.ends.filter((one) => one.failed).length;
    return { done: ((this.ends.length - failed) * HOUR_MS) / over, failed: (failed * HOUR_MS) / over, windowMs };
  }
}

/** One event in one line: the time of day, what, about whom, and why. */
function brief(event: EventLine): string {
  const { v, at, kind, ...rest } = event;
  void v;
  const facts = rest as Record<string, unknown>;
  const who = facts['id'] ?? facts['resident'] ?? facts['account'] ?? facts['snake'] ?? facts['name'] ?? facts['to'] ?? facts['file'] ?? '';
  const more = ['snake', 'attempt', 'state', 'receipt', 'why', 'rule', 'evidence', 'problem', 'from', 'to'].flatMap((key) => (facts[key] === undefined || facts[key] === '' || facts[key] === who ? [] : [String(facts[key])]));
  return `${new Date(at).toTimeString().slice(0, 8)}  ${kind}  ${show(String(who), 60)}${more.length === 0 ? '' : `  ${show(more.join(', '), 240)}`}`;
}
