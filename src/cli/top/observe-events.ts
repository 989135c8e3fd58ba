import { join } from 'node:path';
import type { EventLine } from '../../events/event.js';
import { linesSince } from '../../events/follow.js';
import { identityOf, partsOf, type Position } from '../../events/parts.js';
import type { Layout } from '../../protocol/layout.js';
import { RUN_FILES, type AgentRecord } from '../../protocol/records.js';
import { sumTokens, type TokenCount } from '../../protocol/tokens.js';
import type { Files } from '../../lib/files.js';
import { parseJson } from '../../protocol/records.js';
import { show } from '../../lib/text.js';

/** Of a log that was never read, the end of it: some thousand events. */
const FIRST_BYTES = 512 * 1024;
const FIRST_LINE = 16 * 1024;
const KEPT_LINES = 500;
const HOUR_MS = 3_600_000;
const LEAST_WINDOW_MS = 300_000;
/** So many attempts' tokens are read in one look: a morning after ten thousand tasks is caught up with bit by bit. */
const COUNTED_A_LOOK = 100;

/** The event log, read on from where the last look ended, over rotations. */
export class EventTail {
  private readonly files: Files;
  private readonly layout: Layout;
  private position: Position | undefined;
  private firstAt: number | undefined;
  private lines: string[] = [];
  private ends: { readonly at: number; readonly failed: boolean }[] = [];
  private uncounted: string[] = [];
  private day = '';
  private sum: TokenCount = sumTokens([]);
  /** All that there ever was has been read; what has been read goes back to before midnight. */
  private whole = false;
  private wholeDay = false;

  constructor(files: Files, layout: Layout) {
    this.files = files;
    this.layout = layout;
  }

  async look(nowMs: number): Promise<void> {
    const began = this.position === undefined;
    this.position ??= await this.nearEnd();
    const day = new Date(nowMs).toDateString();
    if (day !== this.day) {
      this.wholeDay = this.day !== '';
      this.day = day;
      this.sum = sumTokens([]);
      this.uncounted = [];
    }
    const since = await linesSince(this.files, this.layout.events, this.position, nowMs);
    if (since.kind === 'read') {
      this.position = since.position;
      const events = since.lines.map(({ event }) => event);
      if (began) this.wholeDay = this.whole || (events[0] !== undefined && new Date(events[0].at).toDateString() !== day);
      for (const event of events) this.take(event, day);
      this.lines = this.lines.slice(-KEPT_LINES);
    }
    this.ends = this.ends.filter(({ at }) => at > nowMs - HOUR_MS);
    await this.count();
  }

  /** Where the reading begins: in the middle of a line is well, since a torn one is skipped. */
  private async nearEnd(): Promise<Position> {
    const log = this.layout.events;
    const size = (await this.files.inspect(log))?.size ?? 0;
    const offset = Math.max(0, size - FIRST_BYTES);
    this.whole = offset === 0 && (await partsOf(this.files, log)).length === 0;
    return { file: identityOf(await this.files.readFrom(log, 0, FIRST_LINE)), offset };
  }

  private take(event: EventLine, day: string): void {
    this.firstAt ??= event.at;
    this.lines.push(brief(event));
    if (event.kind !== 'task-done' && event.kind !== 'task-failed' && event.kind !== 'task-requeued' && event.kind !== 'task-parked' && event.kind !== 'claim-reaped') return;
    if (event.kind === 'task-done' || event.kind === 'task-failed') this.ends.push({ at: event.at, failed: event.kind === 'task-failed' });
    const dir = runDirOfMarker(this.layout, event.marker);
    if (dir !== undefined && new Date(event.at).toDateString() === day) this.uncounted.push(dir);
  }

  private async count(): Promise<void> {
    for (const dir of this.uncounted.splice(0, COUNTED_A_LOOK)) {
      const tokens = parseJson<AgentRecord>(await this.files.read(join(dir, RUN_FILES.agentEnd)))?.tokens;
      if (tokens !== undefined) this.sum = sumTokens([this.sum, tokens]);
    }
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

  get today(): { tokens: TokenCount; complete: boolean } {
    return { tokens: this.sum, complete: this.wholeDay && this.uncounted.length === 0 };
  }
}

/** `<id>~f.l.d~<nonce>` → its run directory. */
function runDirOfMarker(layout: Layout, marker: string): string | undefined {
  const [, id, failures, losses, deferrals, nonce] = /^([a-z0-9][a-z0-9._-]{0,63})~(\d+)\.(\d+)\.(\d+)~([0-9a-z]{10})$/.exec(marker) ?? [];
  if (id === undefined || id.includes('..')) return undefined;
  return join(layout.runs, id, `${String(Number(failures) + Number(losses) + Number(deferrals) + 1).padStart(3, '0')}-${nonce ?? ''}`);
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
