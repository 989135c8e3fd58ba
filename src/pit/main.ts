import { chmodSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execute, plan } from '../cleanup/reaper.js';
import { sweep } from '../cleanup/sweeper.js';
import { fileEventSink } from '../events/event-log.js';
import { openPitLog } from '../events/logger.js';
import { take } from '../lib/baton.js';
import { systemClock } from '../lib/clock.js';
import { identify, linuxProcesses } from '../lib/linux-processes.js';
import { isPassing, passingWaitMs, type PathError } from '../lib/files.js';
import { nodeFiles } from '../lib/node-files.js';
import { endHands } from '../agents/end-hands.js';
import { endSession } from '../agents/end-session.js';
import { layoutOf } from '../protocol/layout.js';
import type { ProcessIdentity } from '../lib/processes.js';
import { parseClaim, pitEntry } from '../protocol/names.js';
import { parseJson } from '../protocol/records.js';
import { parseDesired } from '../protocol/snapshot.js';
import { watchDrops } from '../queue/drop-watcher.js';
import { foreignHost, recordHost } from '../queue/host.js';
import { ensureLayout, writeShim } from '../queue/init.js';
import { sayOnce, watchDirectory } from '../queue/watch.js';
import { HindranceTeller, hinderedWords } from '../runs/hindered.js';
import { TmuxServer } from '../tmux/server.js';
import { measureDisk } from '../workspace/disk.js';
import { spawnSnake } from './apply.js';
import { cleanupSetting } from './clean.js';
import { endResidents } from '../residents/roster.js';
import { endTmux } from './end-tmux.js';
import { openLiveConfig } from './live-config.js';
import { endMetrics } from './metrics.js';
import { firstRing, newPitMemory, tick, type PitMemory } from './loop.js';
import type { PitPorts, PitSetting } from './ports.js';

/** Exit codes of the pit: 0 went down, 70 broken, 75 another pit has this directory, 78 bad configuration. */
export async function runPit(root: string, options: { foreground: boolean }): Promise<number> {
  const layout = layoutOf(root);
  const files = nodeFiles;
  const processes = linuxProcesses;
  const clock = systemClock;
  await ensureLayout(files, layout);
  const lock = await take(files, processes, layout.locks.pit);
  if (lock.kind === 'held') return 75;
  if ((await foreignHost(files, layout)) !== undefined) {
    await lock.release();
    return 75;
  }
  await recordHost(files, layout);
  // The log's names are taken apart by a library that refuses quotes and brackets above them: seen from here there are none.
  process.chdir(layout.root);
  const log = openPitLog(relative(layout.root, layout.log), options.foreground);
  const events = fileEventSink(files, clock, layout.events);
  const hindrance = new HindranceTeller(layout, 'pit', processes.self(), clock);
  let wakeUp: () => void = () => undefined;
  let woken = false;
  const wake = (): void => {
    woken = true;
    wakeUp();
  };
  const tmux = new TmuxServer(layout.tmuxSocket, layout.tmuxConfig);
  const ports: PitPorts = { files, clock, processes, events, log, tmux, wake, spawnSnake, measureDisk };
  const live = await openLiveConfig(ports, layout, process.env);
  const shim = await writeShim(files, layout, process.execPath, fileURLToPath(new URL('../../bin/snakepit.js', import.meta.url)));
  chmodSync(shim, 0o700);
  const pitId = readFileSync(layout.pitId, 'utf8').trim();
  const desired = parseDesired(parseJson(await files.read(layout.desired))) ?? { snakes: live.current().snakes, mode: 'run' as const, generation: 0 };
  let memory = newPitMemory(desired);
  const snakeEnv = cleanEnv(process.env);
  const viewer = [process.execPath, fileURLToPath(new URL('../agents/viewer.js', import.meta.url)), layout.agents];
  const setting: PitSetting = { layout, pitId, startedAt: clock.wallMs(), snakeEnv, config: () => live.current(), slots: () => memory.slots, residents: { layout, pitId, outerEnv: snakeEnv, asRoot: process.getuid?.() === 0, viewer } };

  let leave = false;
  let interrupts = 0;
  const want = (mode: 'drain' | 'now'): void => {
    void files.write(layout.desired, `${JSON.stringify({ ...memory.desired, mode })}\n`).then(wake);
  };
  process.on('SIGINT', () => {
    interrupts += 1;
    if (options.foreground) process.stderr.write(interrupts === 1 ? finishing(readdirSync(layout.dir('claimed'))) : 'snakepit: ending it now\n');
    want(interrupts === 1 ? 'drain' : 'now');
  });
  process.on('SIGTERM', () => want('now'));
  process.on('SIGHUP', () => {
    leave = true;
    wake();
  });
  await rebootReport(ports, setting);
  await sweep(ports, layout);
  const founded = await tmux.found(files);
  if (founded !== 'up') log.error(`tmux could not be started: ${founded}`, { socket: layout.tmuxSocket });
  await events.emit({ kind: 'pit-started', pid: process.pid, snakes: desired.snakes });
  log.info('the pit is up', { pid: process.pid, snakes: desired.snakes });
  await firstRing(ports, setting, memory, live);
  const unwatched = sayOnce((words) => log.warn(words));
  const unwatch = [watchDirectory(layout.state, (name) => (name === undefined || name === 'desired.json' ? wake() : undefined), unwatched), ...[layout.dir('done'), layout.dir('failed'), layout.snakes, layout.recurring].map((dir) => watchDirectory(dir, wake, unwatched))];
  const unwatchDrops = watchDrops(layout.queue, wake, unwatched);
  let tmuxServer = await serverOf(tmux);
  let over = false;
  let lost = false;
  let hindered = 0;
  while (!over && !leave && !lost) {
    woken = false;
    try {
      over = (await ownDirectory()) ? await round() : false;
      if (hindered > 0) log.info('it goes on: what hindered it has passed');
      hindered = 0;
      hindrance.passed();
      lost = !(await ownDirectory());
    } catch (cause) {
      if (isPassing(cause) && memory.desired.mode === 'run') await waitOut(cause);
      else if (await ownDirectory()) throw cause;
      else lost = true;
    }
  }
  for (const stop of unwatch) stop();
  await unwatchDrops();
  await memory.bell.ringing;
  if (lost) return lostDirectory(ports, setting, tmuxServer);
  if (!leave) await goDown(ports, setting, memory, tmuxServer);
  await endMetrics(ports, setting, memory.metrics);
  await events.emit({ kind: 'pit-stopped', how: leave ? 'left-running' : memory.desired.mode === 'now' ? 'now' : 'drained' });
  log.info('the pit is down');
  if (!leave) await files.remove(layout.snapshot);
  await log.close();
  hindrance.close();
  await lock.release();
  return 0;

  async function round(): Promise<boolean> {
    if (tmuxServer === undefined || (await processes.liveness(tmuxServer)) === 'dead') tmuxServer = await serverOf(tmux);
    const ticked = await tick(ports, setting, memory, live);
    if (!ticked.over && !leave) await pause(ticked.nextMs);
    return ticked.over;
  }

  /** The tick was broken off half-way. What a killed pit leaves its successor finds again on disk, and so does this one: it remembers nothing of before. */
  async function waitOut(cause: PathError): Promise<void> {
    if (hindered === 0) log.error('it cannot go on now; it waits until that has passed', { why: hinderedWords(cause) });
    hindrance.tell(cause);
    await memory.bell.ringing;
    await endMetrics(ports, setting, memory.metrics);
    memory = newPitMemory(memory.desired);
    await pause(passingWaitMs(hindered));
    hindered += 1;
  }

  /** False when somebody removed it under us, or put another in its place; one file that is missing is no such thing. */
  async function ownDirectory(): Promise<boolean> {
    const id = (await files.read(layout.pitId))?.trim();
    return id === undefined ? (await files.exists(layout.queue)) && (await files.exists(layout.desired)) : id === pitId;
  }

  /** Until the next tick; a wake shortens it, but never below a tenth of a tick, so that a storm of events costs little. */
  async function pause(nextMs: number): Promise<void> {
    await clock.sleep(Math.min(nextMs, live.current().tickMs / 10));
    if (woken) return;
    const stop = new AbortController();
    wakeUp = () => stop.abort();
    await clock.sleep(nextMs, stop.signal);
    wakeUp = () => undefined;
  }
}

/** After a reboot everything that ran is gone: said once, then the first tick's reaper requeues it. */
async function rebootReport({ files, events, processes, log }: PitPorts, { layout }: PitSetting): Promise<void> {
  const file = join(layout.state, 'boot');
  const before = (await files.read(file))?.trim();
  if (before !== undefined && before !== processes.boot()) {
    const requeued = (await files.list(layout.dir('claimed'))).length;
    log.warn('the machine was started anew; what was running is requeued', { requeued });
    await events.emit({ kind: 'pit-rebooted', requeued });
  }
  await files.write(file, `${processes.boot()}\n`);
}

async function serverOf(tmux: Pick<TmuxServer, 'pid'>): Promise<ProcessIdentity | undefined> {
  const pid = await tmux.pid();
  return pid === undefined ? undefined : identify(pid);
}

/** Somebody removed the directory under a running pit: without its socket the tmux server can only be ended by its pid. */
async function lostDirectory({ files, processes, clock, tmux }: PitPorts, { layout, pitId, slots, config }: PitSetting, tmuxServer: ProcessIdentity | undefined): Promise<number> {
  process.stderr.write(`${new Date().toISOString()} pit: its directory is gone; ending what it started\n`);
  for (const slot of slots().values()) if (slot.kind === 'up' || slot.kind === 'starting') await processes.signal(slot.process, 'SIGKILL');
  await endSession(processes, clock, { entry: pitEntry(pitId) }, config().graceMs);
  // A removal that takes its time may have had the server founded anew half-way.
  const servers = (await files.exists(layout.pitId)) ? [tmuxServer] : [tmuxServer, await serverOf(tmux)];
  for (const one of servers) if (one !== undefined) await processes.signal(one, 'SIGTERM');
  return 70;
}

function finishing(claimed: readonly string[]): string {
  const ids = claimed.flatMap((file) => parseClaim(file)?.id ?? []);
  return ids.length === 0 ? 'snakepit: going down\n' : `snakepit: finishing ${ids.slice(0, 5).join(', ')}${ids.length > 5 ? ` and ${ids.length - 5} more` : ''}; Ctrl-C again ends ${ids.length === 1 ? 'it' : 'them'} now\n`;
}

/** Leaves nothing behind: claims of the dead reaped, the tmux server ended, and every process that bears this pit's mark. */
async function goDown(ports: PitPorts, setting: PitSetting, memory: PitMemory, tmuxServer: ProcessIdentity | undefined): Promise<void> {
  const { layout, config, pitId, residents } = setting;
  const { files, processes, clock, log } = ports;
  const cleanup = cleanupSetting(files, setting, config(), () => 'refused');
  await execute(ports, cleanup, await plan(ports, cleanup));
  await endResidents(ports, residents, memory.residents, config());
  const tmuxEnded = await endTmux(ports, layout, tmuxServer, config().graceMs);
  if (!tmuxEnded) log.error('tmux does not answer; whether its server still runs is not known', { socket: layout.tmuxSocket });
  const ended = await endSession(processes, clock, { entry: pitEntry(pitId) }, config().graceMs);
  if (ended.kind === 'unknown') log.error('processes of this pit could not be ended', { evidence: ended.evidence });
  else if (ended.killed > 0) log.warn('orphans of this pit were ended', { killed: ended.killed });
  await endHands(processes, clock, pitId, { kind: 'of-dead' }, config().graceMs);
  // Without it nobody could reach the server any more: `down` tells of one that is left.
  if (tmuxEnded) await files.remove(layout.tmuxSocket);
  await sweep(ports, layout);
}

/** Snakes, and through them sessions, must not believe to be inside the session that `up` was said in. */
function cleanEnv(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([key]) => (!key.startsWith('SNAKEPIT_') || key.startsWith('SNAKEPIT_CONFIG_')) && key !== 'TMUX' && key !== 'TMUX_PANE'));
}
