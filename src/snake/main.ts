import { statfsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Profiles } from '../agents/choice.js';
import type { Config } from '../config/config.js';
import { fileEventSink } from '../events/event-log.js';
import { systemGit } from '../git/run.js';
import { systemClock } from '../lib/clock.js';
import { newNonce, newSession } from '../lib/ids.js';
import { linuxProcesses } from '../lib/linux-processes.js';
import { isPassing, passingWaitMs } from '../lib/files.js';
import { nodeFiles } from '../lib/node-files.js';
import { layoutOf } from '../protocol/layout.js';
import { parseJson } from '../protocol/records.js';
import { DirectoryStore } from '../queue/directory-store.js';
import { sayOnce, watchDirectory } from '../queue/watch.js';
import { HindranceTeller, hinderedWords } from '../runs/hindered.js';
import { PoolPurse } from '../runs/pool-budget.js';
import { registerSnake } from '../runs/registry.js';
import { TmuxServer } from '../tmux/server.js';
import { overBudget, readDisk } from '../workspace/disk.js';
import { snakeLoop } from './loop.js';
import type { Commands, SnakePorts, SnakeSetting } from './ports.js';
import { runVerify } from './verify.js';

/** Exit codes of a snake: 0 told to end, 64 wrong arguments, 70 broken, 75 its name is taken. */
async function main(root: string, name: string): Promise<number> {
  const layout = layoutOf(root);
  const files = nodeFiles;
  const processes = linuxProcesses;
  const registered = await registerSnake(files, processes, layout, name);
  if (registered.kind === 'taken') return 75;

  let changed = new AbortController();
  let draining = false;
  let release = false;
  const command = (now: boolean): void => {
    draining = true;
    release ||= now;
    changed.abort();
    changed = new AbortController();
  };
  process.on('SIGTERM', () => command(false));
  process.on('SIGINT', () => command(true));
  process.on('SIGHUP', () => undefined);

  let config: Config | undefined;
  let configAt: number | undefined;
  let profiles: Profiles | undefined;
  let profilesAt: number | undefined;
  const refreshConfig = async (): Promise<void> => {
    const at = await files.mtimeMs(layout.activeConfig);
    if (config !== undefined && at === configAt) return;
    config = parseJson<Config>(await files.read(layout.activeConfig)) ?? config;
    configAt = at;
  };
  await refreshConfig();
  if (config === undefined) throw new Error(`${layout.activeConfig} is missing: start the pit with snakepit up`);

  const unwatched = sayOnce((words) => process.stderr.write(`${new Date().toISOString()} ${name}: ${words}\n`));
  const hindrance = new HindranceTeller(layout, name, processes.self(), systemClock);
  const store = new DirectoryStore(layout, { files, clock: systemClock, processes, newNonce, watch: (dir, changed) => watchDirectory(dir, changed, unwatched) });
  const ports: SnakePorts = {
    files,
    clock: systemClock,
    processes,
    events: fileEventSink(files, systemClock, layout.events),
    store,
    git: systemGit(process.env),
    tmux: new TmuxServer(layout.tmuxSocket, layout.tmuxConfig),
    verify: runVerify,
    waitForChange: async (dir, ms, enough) => {
      const touched = new AbortController();
      const unwatch = watchDirectory(dir, () => touched.abort());
      await systemClock.sleep(ms, AbortSignal.any([touched.signal, changed.signal, ...(enough === undefined ? [] : [enough])]));
      unwatch();
    },
  };
  const setting: SnakeSetting = {
    layout,
    get config() {
      return config as Config;
    },
    owner: { snake: name, ...processes.self() },
    pitId: (await files.read(layout.pitId))?.trim() ?? 'unknown',
    outerEnv: process.env,
    asRoot: process.getuid?.() === 0,
    newSession,
    viewer: [process.execPath, fileURLToPath(new URL('../agents/viewer.js', import.meta.url)), layout.agents],
    profiles: async () => {
      const at = await files.mtimeMs(layout.agents);
      if (profiles === undefined || at !== profilesAt) profiles = parseJson<Profiles>(await files.read(layout.agents)) ?? profiles;
      profilesAt = at;
      if (profiles === undefined) throw new Error(`${layout.agents} is missing: start the pit with snakepit up`);
      return profiles;
    },
  };
  const purse = new PoolPurse(files, layout);
  const commands: Commands = {
    get draining() {
      return draining;
    },
    get orders() {
      return { release };
    },
    get changed() {
      return changed.signal;
    },
    mayClaim: async () => {
      await refreshConfig();
      const disk = statfsSync(layout.state);
      if (config === undefined || disk.bavail * disk.bsize < config.minFreeBytes) return false;
      if (overBudget(await readDisk(files, layout), config.diskBytes) > 0) return false;
      return (await purse.verdict(config, systemClock.wallMs())).kind !== 'reached';
    },
  };
  await unhindered(ports, commands, name, hindrance, () => snakeLoop(ports, setting, commands));
  store.close();
  hindrance.close();
  await registered.leave();
  return 0;
}

/**
 * A disk that is full, or a process without descriptors, ends no snake: it waits, and begins anew with the claim that it holds, as its
 * successor would. One that is told to end does not wait.
 */
async function unhindered({ store }: SnakePorts, commands: Commands, name: string, hindrance: HindranceTeller, live: () => Promise<void>): Promise<void> {
  let tries = 0;
  let since = 0;
  let passed: NodeJS.Timeout | undefined;
  for (;;) {
    try {
      await live();
      return;
    } catch (cause) {
      clearTimeout(passed);
      if (!isPassing(cause) || commands.draining) throw cause;
      // What was met long after the last time is met anew.
      if (systemClock.monoMs() - since > 10 * passingWaitMs(tries)) tries = 0;
      if (tries === 0) process.stderr.write(`${new Date().toISOString()} ${name}: ${hinderedWords(cause)}; it waits until that has passed\n`);
      hindrance.tell(cause);
      since = systemClock.monoMs();
      await store.wait(passingWaitMs(tries), commands.changed);
      tries += 1;
      // It goes on where nothing is met anew.
      passed = setTimeout(() => hindrance.passed(), 1000).unref();
    }
  }
}

process.umask(0o077);
// It goes to a file: a full disk loses the words, and must not end who says them.
process.stderr.on('error', () => undefined);
const [root, name] = process.argv.slice(2);
if (root === undefined || name === undefined || !/^s\d{1,4}$/.test(name)) {
  process.stderr.write('usage: snake ROOT NAME; snakes are started by snakepit up\n');
  process.exitCode = 64;
} else {
  main(root, name).then(
    (code) => {
      process.exitCode = code;
    },
    (cause: unknown) => {
      process.stderr.write(`${new Date().toISOString()} ${name}: ${cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)}\n`);
      // A broken snake must not linger on an open watcher: the pit starts it again, with back-off, and it adopts its claim.
      // oxlint-disable-next-line unicorn/no-process-exit -- main.ts is where a snake sets its exit code
      process.exit(70);
    },
  );
}

