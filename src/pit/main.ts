import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execute, plan } from '../cleanup/reaper.js';
import { sweep } from '../cleanup/sweeper.js';
import { fileEventSink } from '../events/event-log.js';
import { openPitLog } from '../events/logger.js';
import { take } from '../lib/baton.js';
import { systemClock } from '../lib/clock.js';
import { linuxProcesses } from '../lib/linux-processes.js';
import { nodeFiles } from '../lib/node-files.js';
import { endSession } from '../agents/end-session.js';
import { layoutOf } from '../protocol/layout.js';
import { pitEntry } from '../protocol/names.js';
import { parseJson } from '../protocol/records.js';
import { parseDesired } from '../protocol/snapshot.js';
import { watchDrops } from '../queue/drop-watcher.js';
import { foreignHost, recordHost } from '../queue/host.js';
import { ensureLayout, writeShim } from '../queue/init.js';
import { watchDirectory } from '../queue/watch.js';
import { TmuxServer } from '../tmux/server.js';
import { openLiveConfig } from './live-config.js';
import { tick, type PitMemory } from './loop.js';
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
  const log = openPitLog(layout.log, options.foreground);
  const events = fileEventSink(files, clock, layout.events);
  let wakeUp: () => void = () => undefined;
  let woken = false;
  const wake = (): void => {
    woken = true;
    wakeUp();
  };
  const tmux = new TmuxServer(layout.tmuxSocket, layout.tmuxConfig);
  const ports: PitPorts = { files, clock, processes, events, log, tmux, wake };
  const live = await openLiveConfig(ports, layout, process.env);
  const shim = await writeShim(files, layout, process.execPath, fileURLToPath(new URL('../../bin/snakepit.js', import.meta.url)));
  chmodSync(shim, 0o700);
  const pitId = readFileSync(layout.pitId, 'utf8').trim();
  const desired = parseDesired(parseJson(await files.read(layout.desired))) ?? { snakes: live.current().snakes, mode: 'run' as const, generation: 0 };
  const memory: PitMemory = { slots: new Map(), desired, drops: new Map(), needs: new Map(), counts: new Map(), promoteKey: '', promotedMonoMs: 0, tmuxMonoMs: Number.NEGATIVE_INFINITY, lastSnapshot: '' };
  const setting: PitSetting = { layout, pitId, startedAt: clock.wallMs(), snakeEnv: cleanEnv(process.env), config: () => live.current(), slots: () => memory.slots };

  let leave = false;
  let interrupts = 0;
  const want = (mode: 'drain' | 'now'): void => {
    void files.write(layout.desired, `${JSON.stringify({ ...memory.desired, mode })}\n`).then(wake);
  };
  process.on('SIGINT', () => want((interrupts += 1) === 1 ? 'drain' : 'now'));
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
  const unwatch = [watchDirectory(layout.state, (name) => (name === undefined || name === 'desired.json' ? wake() : undefined)), watchDirectory(layout.dir('done'), wake), watchDirectory(layout.dir('failed'), wake), watchDirectory(layout.snakes, wake)];
  const unwatchDrops = watchDrops(layout.queue, wake);
  let over = false;
  while (!over && !leave) {
    woken = false;
    const ticked = await tick(ports, setting, memory, live);
    over = ticked.over;
    if (!over && !leave) await pause(ticked.nextMs);
  }
  for (const stop of unwatch) stop();
  await unwatchDrops();
  if (!leave) await goDown(ports, setting);
  await events.emit({ kind: 'pit-stopped', how: leave ? 'left-running' : memory.desired.mode === 'now' ? 'now' : 'drained' });
  log.info('the pit is down');
  if (!leave) await files.remove(layout.snapshot);
  await log.close();
  await lock.release();
  return 0;

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

/** Leaves nothing behind: claims of the dead reaped, the tmux server ended, and every process that bears this pit's mark. */
async function goDown(ports: PitPorts, { layout, config, pitId }: PitSetting): Promise<void> {
  const { files, processes, clock, tmux, log } = ports;
  const cleanup = { layout, config: config(), successor: () => 'refused' as const };
  await execute(ports, cleanup, await plan(ports, cleanup));
  await tmux.killServer();
  const ended = await endSession(processes, clock, { entry: pitEntry(pitId) }, config().graceMs);
  if (ended.kind === 'unknown') log.error('processes of this pit could not be ended', { evidence: ended.evidence });
  else if (ended.killed > 0) log.warn('orphans of this pit were ended', { killed: ended.killed });
  await files.remove(layout.tmuxSocket);
  await sweep(ports, layout);
}

/** Snakes, and through them sessions, must not believe to be inside the session that `up` was said in. */
function cleanEnv(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([key]) => (!key.startsWith('SNAKEPIT_') || key.startsWith('SNAKEPIT_CONFIG_')) && key !== 'TMUX' && key !== 'TMUX_PANE'));
}
