import { join } from 'node:path';
import { updateBreaker } from '../agents/breaker/store.js';
import type { Profiles } from '../agents/choice.js';
import { endSession } from '../agents/end-session.js';
import type { Config } from '../config/config.js';
import { afterTyping } from '../lib/cadence.js';
import { unreachable } from '../lib/unreachable.js';
import { claimEntry } from '../protocol/names.js';
import { parseJson, parseSession, RUN_FILES } from '../protocol/records.js';
import { readAttempt, removeLauncher } from '../runs/run-dir.js';
import { sayWake } from '../watchdog/wakes.js';
import { placesOf } from '../protocol/resident-places.js';
import { claimFile, residentMarker, residentSession, runDirOf } from './places.js';
import type { Resident, ResidentPorts, ResidentSetting, ResidentWorld } from './ports.js';
import { launchRun, prepareRun, promptOf } from './start.js';
import type { ResidentAction, Run } from './state.js';

/** Writes the record where it changed. What was decided lies on disk before it is done. */
export async function keep({ files }: Pick<ResidentPorts, 'files'>, { layout }: ResidentSetting, one: Resident): Promise<void> {
  const text = `${JSON.stringify(one.record)}\n`;
  if (text === one.written || one.hands.closed) return;
  await files.makeDir(placesOf(layout, one.record.name).dir);
  await files.write(placesOf(layout, one.record.name).record, text);
  one.written = text;
}

/** Carries out one action. What takes seconds goes on beside the ticks; meanwhile nothing is decided of that resident. */
export async function applyResident(ports: ResidentPorts, setting: ResidentSetting, world: ResidentWorld, one: Resident, action: ResidentAction): Promise<void> {
  const { events, log } = ports;
  const { name } = one.record;
  switch (action.kind) {
    case 'none':
      return;
    case 'launch':
      return beside(ports, one, action.run, () => launch(ports, setting, world, one, action.run));
    case 'tell-started':
      return events.emit({ kind: 'resident-started', resident: name, marker: residentMarker(name, action.run), session: residentSession(name, action.run), rule: action.rule, evidence: one.record.kind });
    case 'end':
      return beside(ports, one, action.run, () => end(ports, setting, world.config, one, action));
    case 'wake':
      return beside(ports, one, action.run, () => wake(ports, setting, world, one, action.run));
    case 'tell-lost-wake':
      return events.emit({ kind: 'resident-woken', resident: name, marker: residentMarker(name, action.run), receipt: 'unconfirmed', rule: action.rule, evidence: '' });
    case 'cool':
      return cool(ports, setting, world, one, action);
    case 'tell-broken':
      log.error(`the resident ${name} is broken`, { rule: action.rule, evidence: action.evidence });
      return events.emit({ kind: 'resident-broken', resident: name, until: action.until, rule: action.rule, evidence: action.evidence });
    case 'forget':
      await ports.files.remove(placesOf(setting.layout, name).record);
      return;
    default:
      return unreachable(action);
  }
}

function beside(ports: ResidentPorts, { record, hands }: Resident, run: Run, act: () => Promise<void>): void {
  if (hands.nonce !== run.nonce) Object.assign(hands, { nonce: run.nonce, tries: 0, failed: undefined, ended: undefined, toldRefused: false });
  hands.busy = true;
  hands.doing = act()
    .catch((cause: unknown) => ports.log.error(`the resident ${record.name}`, { problem: String(cause) }))
    .finally(() => {
      hands.busy = false;
      ports.wake();
    });
}

async function launch(ports: ResidentPorts, setting: ResidentSetting, world: ResidentWorld, one: Resident, run: Run): Promise<void> {
  const { files, clock } = ports;
  const { record, hands } = one;
  const dir = runDirOf(setting.layout, record.name, run);
  const there = (file: string): Promise<boolean> => files.exists(join(dir, file));
  hands.tries += 1;
  hands.triedMonoMs = clock.monoMs();
  if (await there(RUN_FILES.started)) return;
  const prepared = (await there(RUN_FILES.launcher)) && (record.kind === 'service' || (await there(RUN_FILES.attempt)));
  const asked = world.config.residents[record.name];
  if (!prepared && asked !== undefined) {
    const made = await prepareRun(ports, setting, world, record.name, record.kind, run, asked);
    if (!made.ok) {
      hands.failed = made.error;
      return;
    }
  }
  await launchRun(ports, setting, record.name, run);
}

/** Fence first: a launch under way finds its claim gone. Then every process that bears its marker, until two looks find none. */
async function end(ports: ResidentPorts, setting: ResidentSetting, config: Pick<Config, 'graceMs' | 'env'>, { record, hands, tally }: Pick<Resident, 'record' | 'hands' | 'tally'>, action: Pick<Extract<ResidentAction, { kind: 'end' }>, 'run' | 'rule' | 'evidence'>): Promise<void> {
  const { files, processes, clock, events, log } = ports;
  const { layout } = setting;
  const { run, rule, evidence } = action;
  const { name } = record;
  const dir = runDirOf(layout, name, run);
  const marker = residentMarker(name, run);
  await files.remove(claimFile(layout, name, run));
  const leader = parseSession(await files.read(join(dir, RUN_FILES.session)), run.boot)?.leader;
  const places = placesOf(layout, name);
  const privateDir = (await files.exists(places.work)) ? places.work : undefined;
  const ended = await endSession(processes, clock, { entry: claimEntry(marker), leader, privateDir }, config.graceMs);
  await removeLauncher(files, dir);
  // Before anything may follow: nobody comes back to this run.
  await tally.doing;
  if (ended.kind === 'gone') await tally.look(ports, setting, config, parseJson<Profiles>(await files.read(layout.agents)) ?? {}, name, run, true);
  hands.ended = ended;
  if (ended.kind === 'gone') await events.emit({ kind: 'resident-ended', resident: name, marker, rule, evidence, killed: ended.killed });
  else log.error(`processes of the resident ${name} could not be ended`, { evidence: ended.evidence });
}

/** A refusal is told once, however often it is tried again. */
async function wake(ports: ResidentPorts, setting: ResidentSetting, world: ResidentWorld, one: Resident, run: Run): Promise<void> {
  const { name } = one.record;
  const runDir = runDirOf(setting.layout, name, run);
  const attempt = await readAttempt(ports.files, runDir);
  const profile = attempt === undefined ? undefined : world.profiles[attempt.profile];
  const asked = world.config.residents[name];
  const prompt = asked === undefined ? undefined : await promptOf(ports, setting.layout.root, asked);
  const tell = (receipt: 'submitted' | 'queued' | 'refused' | 'unconfirmed', rule: string, evidence: string): Promise<void> =>
    ports.events.emit({ kind: 'resident-woken', resident: name, marker: residentMarker(name, run), receipt, rule, evidence });
  const receipt = attempt === undefined || profile?.interactive === undefined
    ? ({ kind: 'refused', rule: 'its profile has no interactive mode any more', evidence: attempt?.profile ?? '' } as const)
    : prompt?.ok !== true
      ? ({ kind: 'refused', rule: 'there is nothing to tell it', evidence: prompt?.error ?? '' } as const)
      : await sayWake(ports, { session: residentSession(name, run), runDir, attempt, profile, interactive: profile.interactive }, prompt.value.trim());
  const refused = receipt.kind === 'refused';
  const { cadence } = one.record;
  if (cadence !== undefined) one.record = { ...one.record, cadence: afterTyping(cadence, refused) };
  await keep(ports, setting, one);
  if (!refused || !one.hands.toldRefused) await tell(receipt.kind, receipt.rule, receipt.evidence);
  one.hands.toldRefused = refused;
}

/** The tick waits no longer for an account's lock than this. */
const BREAKER_PATIENCE_MS = 500;

async function cool(ports: ResidentPorts, { layout }: ResidentSetting, { config }: ResidentWorld, { record }: Resident, action: Extract<ResidentAction, { kind: 'cool' }>): Promise<void> {
  const run = record.phase.kind === 'up' ? record.phase.run : undefined;
  const account = run === undefined ? undefined : (await readAttempt(ports.files, runDirOf(layout, record.name, run)))?.account;
  if (run === undefined || account === undefined) return;
  const { reason, resetAt, rule, evidence } = action;
  // Of a long life the turn that met the limit began with the last wake.
  const startedAt = Math.max(run.at, record.cadence?.triedAt ?? 0);
  const update = await updateBreaker(ports, layout.breakers, account, config.breaker, () => ({ kind: 'limited', marker: residentMarker(record.name, run), startedAt, reason, evidence: `${rule}: ${evidence}`, resetAt }), BREAKER_PATIENCE_MS);
  if (update?.change !== undefined) await ports.events.emit(update.change);
}

/** The pit goes down: whatever runs of a resident is ended, and its record removed, so that the next `up` starts it anew. */
export async function endForGood(ports: ResidentPorts, setting: ResidentSetting, config: Pick<Config, 'graceMs' | 'env'>, one: Resident, run: Run | undefined): Promise<void> {
  one.hands.closed = true;
  // Its claim must not be laid after it was taken away.
  if (one.record.phase.kind === 'launching') await one.hands.doing;
  if (run !== undefined) await end(ports, setting, config, one, { run, rule: 'the pit goes down', evidence: one.record.phase.kind });
  if (run === undefined || one.hands.ended?.kind === 'gone') await ports.files.remove(placesOf(setting.layout, one.record.name).record);
}
