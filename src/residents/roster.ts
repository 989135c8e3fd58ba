import { join } from 'node:path';
import type { Config } from '../config/config.js';
import type { HealingPolicy } from '../lib/healing.js';
import { newNonce } from '../lib/ids.js';
import { unreachable } from '../lib/unreachable.js';
import { parseSession, RUN_FILES } from '../protocol/records.js';
import type { ResidentRow } from '../protocol/snapshot.js';
import { readAgent } from '../runs/run-dir.js';
import type { Candidate } from '../watchdog/watch.js';
import { WAKE_RETRY_MS } from '../watchdog/wakes.js';
import { applyResident, endForGood, keep } from './apply.js';
import { beginResident, decideResident, type Decided } from './decide.js';
import { observeResident } from './observe.js';
import { placesOf } from '../protocol/resident-places.js';
import { nonceOf, residentMarker, residentSession, runDirOf, runOf } from './places.js';
import { parseRecord } from './record.js';
import { emptyHands, type Resident, type ResidentPorts, type ResidentSetting, type ResidentWorld } from './ports.js';
import type { ResidentAction, ResidentPolicy, ResidentRecord, Run, Wanted } from './state.js';
import { Tally } from './tally.js';
import { allWanted } from './wanted.js';

/** Lost with the pit, and found again from the files. */
export interface ResidentMemory {
  readonly residents: Map<string, Resident>;
  loaded: boolean;
  /** The pit goes down: nothing is decided any more. */
  closed: boolean;
}

export const emptyRoster = (): ResidentMemory => ({ residents: new Map(), loaded: false, closed: false });

/** Beyond the pause after the first opening. */
const OPEN_FACTOR = 6;
/** Twice this part apart are two that died together. */
const JITTER = 0.2;

const healingPolicy = ({ heal }: Config): HealingPolicy => ({
  windowMs: heal.windowMs, perSession: heal.restarts, perPool: heal.pool, firstMs: heal.firstMs, maxMs: heal.maxMs, jitter: JITTER, openMs: heal.openMs, maxOpenMs: heal.openMs * OPEN_FACTOR, quietMs: heal.windowMs,
});

const policyOf = (config: Config): ResidentPolicy => ({ healing: healingPolicy(config), launchPatienceMs: 10_000, launchTries: 3, orphanMs: 3000, agreedMs: 5000, wakeRetryMs: WAKE_RETRY_MS });

/** One tick: each resident is looked at, decided, and, where nothing is under way for it, acted on. Without any it costs nothing. */
export async function tickResidents(ports: ResidentPorts, setting: ResidentSetting, world: ResidentWorld, memory: ResidentMemory): Promise<void> {
  const { clock, processes } = ports;
  if (memory.closed) return;
  if (!memory.loaded) await load(ports, setting, memory);
  const wanted = allWanted(world.config, world.profiles);
  for (const one of wanted.values()) if (!memory.residents.has(one.name)) memory.residents.set(one.name, fresh(one, clock.wallMs()));
  for (const [name, one] of memory.residents) {
    if (one.hands.busy) continue;
    countBeside(ports, setting, world, one);
    const look = await observeResident(ports, setting, world, one.record, one.hands);
    const pool = [...memory.residents.values()].flatMap(({ record }) => record.healing.restarts);
    const { mode, generation } = world.desired;
    const now = { wallMs: clock.wallMs(), boot: processes.boot(), mode, generation, nonce: newNonce(), random: Math.random() };
    const decide = (spent?: string): Decided => decideResident(policyOf(world.config), wanted.get(name), one.record, { ...look, spent }, pool, now);
    const within = decide();
    // What costs is begun only after a look at the budget of this moment.
    const { record, action } = costs(within.action) ? decide(await world.spent()) : within;
    one.record = record;
    one.rule = action.rule;
    if (action.kind !== 'forget') await keep(ports, setting, one);
    await applyResident(ports, setting, world, one, action);
    if (action.kind === 'forget') memory.residents.delete(name);
  }
}

const costs = ({ kind }: ResidentAction): boolean => kind === 'launch' || kind === 'wake';

/** What its session has used since the last look goes into the ledger, beside the tick. */
function countBeside(ports: ResidentPorts, setting: ResidentSetting, { config, profiles }: ResidentWorld, { record: { name, kind, phase }, tally }: Resident): void {
  if (phase.kind !== 'up' || kind === 'service' || !tally.isDue(phase.run, ports.clock.monoMs())) return;
  tally.doing = tally.look(ports, setting, config, profiles, name, phase.run, false)
    .catch((cause: unknown) => ports.log.warn(`what the resident ${name} has used could not be counted; it is tried again`, { problem: String(cause) }))
    .finally(() => (tally.doing = undefined));
}

const fresh = (wanted: Wanted, nowMs: number): Resident => ({ record: beginResident(wanted, nowMs), written: '', hands: emptyHands(undefined), tally: new Tally(), rule: '' });

async function load({ files, clock, processes, log }: ResidentPorts, { layout }: ResidentSetting, memory: ResidentMemory): Promise<void> {
  for (const name of await files.list(layout.residents)) {
    const places = placesOf(layout, name);
    const text = await files.read(places.record);
    const record = parseRecord(text, name);
    if (record !== undefined) memory.residents.set(name, { record, written: text ?? '', hands: emptyHands(undefined), tally: new Tally(), rule: '' });
    else {
      // What cannot be read is put aside. Its claim still names the run that may live: that one is ended before another begins.
      if (text !== undefined) {
        await files.rename(places.record, `${places.record}.unreadable`);
        log.error(`the record of the resident ${name} cannot be read; it is put aside, and what runs of it is ended`, { file: `${places.record}.unreadable` });
      }
      const nonce = (await files.list(places.claims)).map(nonceOf).find((found) => found !== undefined);
      if (nonce === undefined) continue;
      const run: Run = { nonce, at: clock.wallMs(), boot: processes.boot() };
      const nobody = beginResident({ name, kind: 'service', fingerprint: '', everyMs: undefined }, clock.wallMs());
      memory.residents.set(name, { record: { ...nobody, phase: { kind: 'ending', run, after: 'afresh', rule: 'its record cannot be read', evidence: places.record } }, written: '', hands: emptyHands(undefined), tally: new Tally(), rule: '' });
    }
  }
  memory.loaded = true;
}

/** The runs that the watchdog is to look at: those of agents. */
export function watchedResidents({ layout }: ResidentSetting, memory: ResidentMemory): Candidate[] {
  return [...memory.residents.values()].flatMap(({ record: { name, kind, phase } }) =>
    phase.kind === 'up' && kind !== 'service' ? [{ id: name, marker: residentMarker(name, phase.run), session: residentSession(name, phase.run), dir: runDirOf(layout, name, phase.run) }] : [],
  );
}

/** `down`: ends them all, at once, and forgets them. */
export async function endResidents(ports: ResidentPorts, setting: ResidentSetting, memory: ResidentMemory, config: Pick<Config, 'graceMs' | 'env'>): Promise<void> {
  if (!memory.loaded) await load(ports, setting, memory);
  memory.closed = true;
  await Promise.all([...memory.residents.values()].map((one) => endForGood(ports, setting, config, one, runOf(one.record.phase))));
}

/** For `status`. `spent`: the budget that is, where one is. */
export async function residentRows({ files }: ResidentPorts, { layout }: ResidentSetting, memory: ResidentMemory, spent?: string): Promise<ResidentRow[]> {
  const rows: ResidentRow[] = [];
  for (const { record, rule } of memory.residents.values()) {
    const { name, kind, phase, healing } = record;
    const run = runOf(phase);
    const dir = run === undefined ? undefined : runDirOf(layout, name, run);
    const session = dir === undefined || run === undefined ? undefined : parseSession(await files.read(join(dir, RUN_FILES.session)), run.boot);
    const agent = phase.kind === 'up' && dir !== undefined && kind !== 'service' ? await readAgent(files, dir) : undefined;
    const pausedUntil = phase.kind === 'backing-off' ? phase.until : phase.kind === 'broken' && healing.breaker.kind === 'open' ? healing.breaker.until : undefined;
    rows.push({ resident: name, kind, state: stateOf(record, agent?.state.kind), pid: session?.leader.pid, since: run?.at, nextAt: pausedUntil ?? record.cadence?.dueAt, why: whyOf(record, rule) ?? (spent !== undefined && phase.kind === 'up' && kind === 'interactive' ? `${spent}: it is not woken` : undefined) });
  }
  return rows.sort((a, b) => (a.resident < b.resident ? -1 : 1));
}

function stateOf({ phase, kind }: ResidentRecord, agent: string | undefined): string {
  switch (phase.kind) {
    case 'down':
      return kind === 'headless' ? 'resting' : 'down';
    case 'launching':
      return 'starting';
    case 'up':
      return kind === 'service' ? 'up' : (agent ?? 'starting');
    case 'ending':
    case 'backing-off':
    case 'broken':
      return phase.kind;
    default:
      return unreachable(phase);
  }
}

function whyOf({ phase }: ResidentRecord, rule: string): string | undefined {
  switch (phase.kind) {
    case 'down':
      return rule;
    case 'backing-off':
    case 'broken':
      return phase.why;
    case 'ending':
      return phase.rule;
    case 'launching':
    case 'up':
      return undefined;
    default:
      return unreachable(phase);
  }
}
