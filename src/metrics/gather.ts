import { readFileSync, statfsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { stateAt } from '../agents/breaker/decide.js';
import { listBreakers } from '../agents/breaker/store.js';
import type { Config } from '../config/config.js';
import { LedgerReader } from '../ledger/book.js';
import { addEntry, newSum, type Sum } from '../ledger/sum.js';
import type { Files } from '../lib/files.js';
import { isTaskFile, type Layout } from '../protocol/layout.js';
import { parseReady, parseWaiting } from '../protocol/names.js';
import { parseJson } from '../protocol/records.js';
import type { Snapshot } from '../protocol/snapshot.js';
import { countStates, type CountMemory } from '../queue/directory-store.js';
import { countRefusals } from '../queue/refusals.js';
import { readDisk } from '../workspace/disk.js';
import { EventCounters } from './counters.js';
import { printFamilies } from './exposition.js';
import type { MetricFacts } from './facts.js';
import { familiesOf } from './families.js';

/** States that tell when their tasks were put in line. */
const LINED_UP = ['ready', 'waiting', 'held', 'needs'] as const;
const YOUNG_MS = 1000;
/** So that a series does not begin only when something is wrong. */
const SNAKE_STATES = { up: 0, starting: 0, draining: 0, 'backing-off': 0, broken: 0, empty: 0 };

/** Gathers metrics again and again: the log and the ledger are read on from where they were read last, ended tasks are only counted. */
export class Gatherer {
  readonly counters: EventCounters;
  private readonly files: Files;
  private readonly layout: Layout;
  private readonly counts: CountMemory = new Map();
  private last: Promise<unknown> = Promise.resolve();
  private made: { readonly at: number; readonly up: boolean; readonly text: string } | undefined;
  private ledger: { readonly prices: Config['priceLists']; readonly reader: LedgerReader; readonly used: Map<string, Sum> } | undefined;

  constructor(files: Files, layout: Layout) {
    this.files = files;
    this.layout = layout;
    this.counters = new EventCounters(files, layout);
  }

  /** `up`: whether the pit runs. `nowMs`: wall clock. One at a time, since all read on from the same places; what is younger than a second is good enough. */
  text(config: Pick<Config, 'priceLists' | 'diskBytes'>, up: boolean, nowMs: number): Promise<string> {
    const next = this.last.then(async () => {
      if (this.made?.up === up && nowMs >= this.made.at && nowMs - this.made.at < YOUNG_MS) return this.made.text;
      const text = printFamilies(familiesOf(await this.facts(config, up, nowMs)));
      this.made = { at: nowMs, up, text };
      return text;
    });
    this.last = next.catch(() => undefined);
    return next;
  }

  private async facts({ priceLists, diskBytes }: Pick<Config, 'priceLists' | 'diskBytes'>, up: boolean, nowMs: number): Promise<MetricFacts> {
    const { files, layout } = this;
    const published = parseJson<Snapshot>(await files.read(layout.snapshot));
    const snapshot = up && published?.v === 1 ? published : undefined;
    await this.counters.catchUp(nowMs);
    return {
      at: nowMs,
      version: version(),
      pit: { up, startedAt: snapshot?.startedAt },
      paused: await files.exists(layout.paused),
      configRefused: snapshot?.configProblem !== undefined,
      tmuxUp: snapshot === undefined ? undefined : snapshot.tmux === 'up',
      sessions: snapshot?.sessions ?? 0,
      tasks: await countStates(files, layout, { memory: this.counts, nowMs }),
      refused: await countRefusals(files, layout),
      oldestAt: await this.oldest(),
      snakesWanted: snapshot?.wanted ?? 0,
      snakes: tallied(SNAKE_STATES, (snapshot?.snakes ?? []).map(({ state }) => state)),
      residents: tallied({}, (snapshot?.residents ?? []).map(({ state }) => state)),
      breakers: (await listBreakers(files, layout.breakers)).map((breaker) => {
        const state = stateAt(breaker, nowMs);
        return { account: breaker.account, state: state.kind, until: state.kind === 'open' ? state.until : undefined };
      }),
      used: await this.used(priceLists),
      disk: { used: (await readDisk(files, layout))?.bytes, limit: diskBytes, free: freeBytes(layout.state) },
      outbox: (await files.list(join(layout.pings, 'outbox'))).filter((name) => name.endsWith('.json')).length,
      tally: this.counters.tally,
    };
  }

  private async oldest(): Promise<Record<string, number | undefined>> {
    const oldest: Record<string, number | undefined> = {};
    for (const state of LINED_UP) {
      oldest[state] = undefined;
      for (const name of await this.files.list(this.layout.dir(state))) {
        const task = isTaskFile(name) ? (state === 'waiting' ? parseWaiting(basename(name)) : parseReady(basename(name))) : undefined;
        if (task !== undefined) oldest[state] = Math.min(oldest[state] ?? Number.POSITIVE_INFINITY, task.place.arrivedAt);
      }
    }
    return oldest;
  }

  /** Other prices: all of it is reckoned anew. */
  private async used(prices: Config['priceLists']): Promise<ReadonlyMap<string, Sum>> {
    if (this.ledger === undefined || this.ledger.prices !== prices) this.ledger = { prices, reader: new LedgerReader(this.files, this.layout), used: new Map() };
    const { reader, used } = this.ledger;
    await reader.read((entry) => {
      let sum = used.get(entry.account);
      if (sum === undefined) used.set(entry.account, (sum = newSum()));
      addEntry(sum, entry, prices);
    });
    return used;
  }
}

function tallied(states: Readonly<Record<string, number>>, seen: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = { ...states };
  for (const state of seen) counts[state] = (counts[state] ?? 0) + 1;
  return counts;
}

function freeBytes(dir: string): number | undefined {
  try {
    const disk = statfsSync(dir);
    return disk.bavail * disk.bsize;
  } catch {
    return undefined;
  }
}

let known: string | undefined;
/** Of the package. */
function version(): string {
  known ??= (JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }).version;
  return known;
}
