import type { Clock } from '../../src/lib/clock.js';
import type { DeliveryPorts } from '../../src/agents/deliver/deliver.js';
import type { Acted, Capture, ProofRecord } from '../../src/agents/deliver/ports.js';

/** What happens in one pane, in milliseconds from its start. Spans are [from, length]. */
export interface Weather {
  readonly dialogs: readonly (readonly [number, number])[];
  /** Somebody types one letter per span, and takes it away at its end if `tidy`. */
  readonly typing: readonly (readonly [number, number])[];
  readonly tidy: boolean;
  readonly copyModeAt: readonly number[];
  readonly diesAt: number | undefined;
  /** Enter so soon after text is swallowed. */
  readonly swallowMs: number;
  readonly ignoredEnters: number;
  readonly worksUntil: number;
  readonly workMs: number;
  readonly records: boolean;
  readonly recordLagMs: number;
  readonly losesHead: boolean;
  readonly folds: boolean;
  readonly paintLagMs: number;
  readonly draft: boolean;
  /** Dialogs leave the composer on screen. */
  readonly boxStays: boolean;
  /** It loses the last letter of what it submits, and records it so. Only where it records. */
  readonly cuts: boolean;
  /** From then on, every 700 ms, the composer looks empty for 90 ms. */
  readonly flickersFrom: number | undefined;
}

export const CALM: Weather = {
  dialogs: [], typing: [], tidy: true, copyModeAt: [], diesAt: undefined, swallowMs: 0, ignoredEnters: 0, worksUntil: 0, workMs: 500, records: true, recordLagMs: 50,
  losesHead: false, folds: false, paintLagMs: 0, draft: false, boxStays: false, cuts: false, flickersFrom: undefined,
};

const TICK_MS = 10;
/** A letter that stands in no text of the tests. */
const LETTER = 'ß';

interface Shot extends Capture {
  readonly draft: string | undefined;
  readonly dialog: boolean;
  readonly working: boolean;
}

/** A program with a composer in a pane, on a clock that only moves in sleep. */
export class World {
  readonly submitted: string[] = [];
  eaten = 0;
  pastes = 0;
  /** Acts while somebody typed. */
  intruded = 0;
  private readonly weather: Weather;
  private t = 0;
  private composer = '';
  private painted: [number, string][] = [];
  private queue: string[] = [];
  private workEnd: number;
  private activeAt: number | undefined;
  private inMode = false;
  private enters = 0;
  private textAt = -1e9;
  private told: [number, string][] = [];

  constructor(weather: Weather) {
    this.weather = weather;
    this.composer = weather.draft ? 'a draft of somebody' : '';
    this.workEnd = weather.worksUntil;
    this.painted = [[-1e9, this.composer]];
  }

  get dead(): boolean {
    return this.weather.diesAt !== undefined && this.t >= this.weather.diesAt;
  }

  pass(ms: number): void {
    for (const end = this.t + ms; this.t < end; ) this.tick();
  }

  private tick(): void {
    this.t += TICK_MS;
    if (this.dead) return;
    for (const [from, length] of this.weather.typing) {
      if (this.t < from || this.t > from + length + TICK_MS) continue;
      this.activeAt = this.t;
      if (this.isDialog()) continue;
      if (this.t - from < TICK_MS) this.write(this.composer + LETTER);
      if (this.t > from + length && this.weather.tidy) this.write(this.composer.replaceAll(LETTER, ''));
    }
    if (this.weather.copyModeAt.some((at) => this.t - at >= 0 && this.t - at < TICK_MS)) this.inMode = true;
    if (this.workEnd > 0 && this.t >= this.workEnd) {
      this.workEnd = 0;
      const next = this.queue.shift();
      if (next !== undefined) this.begin(next);
    }
  }

  private write(text: string): void {
    this.composer = text;
    this.textAt = this.t;
    this.painted.push([this.t, text]);
  }

  private begin(whole: string): void {
    const text = this.weather.cuts && this.weather.records ? whole.slice(0, -1) : whole;
    this.submitted.push(text);
    this.told.push([this.t + this.weather.recordLagMs, text]);
    this.workEnd = this.t + this.weather.workMs;
  }

  private isDialog(): boolean {
    return this.weather.dialogs.some(([from, length]) => this.t >= from && this.t < from + length);
  }

  private shot(): Shot {
    const { flickersFrom } = this.weather;
    const flickers = flickersFrom !== undefined && this.t >= flickersFrom && (this.t - flickersFrom) % 700 < 90;
    const text = flickers ? '' : this.painted.findLast(([at]) => at <= this.t - this.weather.paintLagMs)?.[1] ?? '';
    const dialog = this.isDialog();
    const shown = this.weather.folds && text.length > 100 ? `[Pasted Content ${text.replaceAll(LETTER, '').length} chars]${text.includes(LETTER) ? LETTER : ''}` : text;
    return {
      dead: this.dead, inMode: this.inMode, cursor: { x: text.length, y: dialog ? 1 : 0 }, people: this.activeAt === undefined ? [] : [{ activeAtMs: this.activeAt }],
      draft: dialog && !this.weather.boxStays ? undefined : shown, dialog, working: this.workEnd > 0,
    };
  }

  private enter(): void {
    this.enters += 1;
    if (this.enters <= this.weather.ignoredEnters || this.t - this.textAt < this.weather.swallowMs || this.composer === '') return;
    const text = this.composer;
    this.write('');
    if (this.workEnd > 0) this.queue.push(text);
    else this.begin(text);
  }

  ports(): DeliveryPorts<Shot> {
    const guard = (): Acted | undefined => {
      if (this.weather.typing.some(([from, length]) => this.t >= from && this.t <= from + length && this.activeAt !== undefined)) this.intruded += 1;
      return this.dead ? { kind: 'dead' } : this.inMode ? { kind: 'in-mode' } : undefined;
    };
    const clock: Clock = {
      monoMs: () => this.t, wallMs: () => this.t,
      sleep: async (ms) => {
        this.pass(Math.max(ms, TICK_MS));
      },
    };
    return {
      clock,
      pane: {
        observe: async () => ({ kind: 'seen', capture: this.shot() }),
        leaveMode: async () => {
          this.inMode = false;
        },
        paste: async (text) => {
          const refused = guard();
          if (refused !== undefined) return refused;
          if (this.isDialog()) this.eaten += 1;
          else {
            this.pastes += 1;
            this.write(this.composer + (this.weather.losesHead ? text.slice(5) : text));
          }
          return { kind: 'done' };
        },
        key: async (_key, cursor) => {
          const refused = guard();
          if (refused !== undefined) return refused;
          const now = this.shot().cursor;
          if (now.x !== cursor.x || now.y !== cursor.y) return { kind: 'moved' };
          if (this.isDialog()) this.eaten += 1;
          else this.enter();
          return { kind: 'done' };
        },
      },
      look: (shot) => (shot.dialog ? { kind: 'waiting-for-input', dialog: 'x', draft: shot.draft } : { kind: shot.working ? 'working' : 'idle', draft: shot.draft }),
      proof: {
        records: this.weather.records,
        open: async () => {
          const from = this.told.length;
          return async () => (this.weather.records ? this.told.slice(from).filter(([at]) => at <= this.t).map(([, prompt]): ProofRecord => ({ source: 'event', prompt, what: 'told' })) : []);
        },
      },
      lock: { take: async () => ({ kind: 'taken', release: async () => {} }) },
    };
  }

  /** Everything that was queued is worked. Letters that a person typed into a text of ours are told by it. */
  get letters(): boolean {
    return this.submitted.some((text) => text.includes(LETTER));
  }
}
