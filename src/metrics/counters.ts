import { join } from 'node:path';
import { linesSince } from '../events/follow.js';
import { historySlices } from '../events/history.js';
import type { Position } from '../events/parts.js';
import type { Files } from '../lib/files.js';
import type { Layout } from '../protocol/layout.js';
import { parseJson } from '../protocol/records.js';
import { addEvent, newTally, type Tally } from './tally.js';

/** `.snakepit/metrics.json`: one write holds the counts and up to where the log was counted, so no line is counted twice or left out over a crash. */
interface Saved {
  readonly v: 1;
  readonly position: Position;
  readonly tally: Tally;
}

const fileOf = (layout: Layout): string => join(layout.state, 'metrics.json');

/**
 * Counts the event log, from where it was counted last. The log's old parts are removed one day; what was counted stays. Where nothing was
 * ever saved, all of the log that is still there is counted.
 */
export class EventCounters {
  tally: Tally = newTally();
  private position: Position | undefined;
  private saved: Position | undefined;
  private readonly files: Files;
  private readonly layout: Layout;

  constructor(files: Files, layout: Layout) {
    this.files = files;
    this.layout = layout;
  }

  /** `nowMs`: wall clock. */
  async catchUp(nowMs: number): Promise<void> {
    if (this.position === undefined) await this.begin();
    for (;;) {
      const seen = await linesSince(this.files, this.layout.events, this.position, nowMs);
      if (seen.kind === 'unseen') return;
      for (const { event } of seen.lines) addEvent(this.tally, event);
      const { file, offset } = seen.position;
      const stands = file === this.position?.file && offset === this.position.offset;
      this.position = seen.position;
      if (stands) return;
    }
  }

  private async begin(): Promise<void> {
    const saved = parseJson<Saved>(await this.files.read(fileOf(this.layout)));
    if (saved?.v === 1) {
      this.tally = { ...newTally(), ...saved.tally };
      this.position = this.saved = saved.position;
      return;
    }
    const past = historySlices(this.files, this.layout.events);
    let slice = await past.next();
    for (; slice.done !== true; slice = await past.next()) for (const event of slice.value) addEvent(this.tally, event);
    this.position = slice.value;
  }

  /** Only where something was counted since. */
  async save(): Promise<void> {
    const { position } = this;
    if (position === undefined || (position.file === this.saved?.file && position.offset === this.saved.offset)) return;
    await this.files.write(fileOf(this.layout), `${JSON.stringify({ v: 1, position, tally: this.tally } satisfies Saved)}\n`);
    this.saved = position;
  }
}
