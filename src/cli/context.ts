import { AsyncLocalStorage } from 'node:async_hooks';
import { existsSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Profiles } from '../agents/choice.js';
import type { Config } from '../config/config.js';
import type { ConfigFault } from '../config/load.js';
import { fileEventSink, type EventSink } from '../events/event-log.js';
import { holder, take } from '../lib/baton.js';
import { systemClock, type Clock } from '../lib/clock.js';
import type { Files } from '../lib/files.js';
import { linuxProcesses } from '../lib/linux-processes.js';
import { isThere, nodeFiles } from '../lib/node-files.js';
import type { ProcessIdentity, Processes } from '../lib/processes.js';
import type { Rule } from '../pings/state.js';
import { groundFault } from '../queue/observe-ground.js';
import { layoutOf, type Layout } from '../protocol/layout.js';
import { parseJson } from '../protocol/records.js';
import type { Snapshot } from '../protocol/snapshot.js';
import { CliError, EXIT } from './exit.js';
import { fit, fitJson } from './terminal.js';

/** What every command stands on. */
export interface Context {
  readonly layout: Layout;
  readonly files: Files;
  readonly clock: Clock;
  readonly processes: Processes;
  readonly events: EventSink;
}

/** Throws where we are not let see: what is not seen may be there. */
function isPit(dir: string): boolean {
  return ['.snakepit', 'snakepit.yaml'].some((name) => isThere(join(dir, name), statSync));
}

/** --dir, else SNAKEPIT_DIR, else the nearest directory upwards that has a pit. */
export function openContext(dir: string | undefined, options: { create?: boolean } = {}): Context {
  const asked = dir ?? process.env['SNAKEPIT_DIR'];
  let root = resolve(asked ?? '.');
  if (asked === undefined && options.create !== true) {
    for (let at = root; ; at = dirname(at)) {
      if (isPit(at)) {
        root = at;
        break;
      }
      if (dirname(at) === at) break;
    }
  }
  if (!existsSync(root)) throw new CliError(`${root} does not exist; make it first`, EXIT.notFound);
  if (options.create !== true && !isPit(root)) throw new CliError(`there is no pit in ${root} or above it; make one with: snakepit init`, EXIT.notFound);
  const layout = layoutOf(realpathSync(root));
  return { layout, files: nodeFiles, clock: systemClock, processes: linuxProcesses, events: fileEventSink(nodeFiles, systemClock, layout.events) };
}

/** The pit process of this directory, if one lives. */
export const livePit = ({ files, processes, layout }: Context): Promise<ProcessIdentity | undefined> => holder(files, processes, layout.locks.pit);

export async function readSnapshot({ files, layout }: Context): Promise<Snapshot | undefined> {
  const snapshot = parseJson<Snapshot>(await files.read(layout.snapshot));
  return snapshot?.v === 1 ? snapshot : undefined;
}

/** The configuration as the file, the environment and the defaults give it. */
export async function readConfig({ files, layout }: Context): Promise<Config> {
  const { resolveConfig } = await import('../config/load.js');
  const config = resolveConfig('snakepit.yaml', await files.read(layout.configFile), process.env);
  if (!config.ok) throw new CliError(`${config.error.where}: ${config.error.problem}`, EXIT.config);
  return config.value;
}

/** The agent profiles with the person's own keys laid over them; a resident that these cannot make is a fault too. */
export async function readAgents({ files, layout }: Context, config: Config): Promise<Profiles> {
  const { resolveProfiles } = await import('../agents/resolve.js');
  const profiles = resolveProfiles('snakepit.yaml', await files.read(layout.configFile), config);
  if (!profiles.ok) throw new CliError(`${profiles.error.where}: ${profiles.error.problem}`, EXIT.config);
  const { residentFault } = await import('../residents/wanted.js');
  const fault = residentFault('snakepit.yaml', await files.read(layout.configFile), config, profiles.value);
  if (fault !== undefined) throw new CliError(`${fault.where}: ${fault.problem}`, EXIT.config);
  const wrong = await faultOfSpecialists(files, layout, config, profiles.value);
  if (wrong !== undefined) throw new CliError(`${wrong.where}: ${wrong.problem}`, EXIT.config);
  return profiles.value;
}

/** Loaded only where there are any: most pits have none. */
async function faultOfSpecialists(files: Files, layout: Layout, config: Config, profiles: Profiles): Promise<ConfigFault | undefined> {
  if (Object.keys(config.specialists).length === 0) return undefined;
  const { specialistFault } = await import('../specialists/wanted.js');
  return specialistFault('snakepit.yaml', await files.read(layout.configFile), config, profiles, Intl.DateTimeFormat().resolvedOptions().timeZone);
}

/** The rules of `pings:`, and the hooks. */
export async function readRules(context: Context): Promise<readonly Rule[]> {
  const { resolveRules } = await import('../pings/rules.js');
  const { resolveHooks } = await import('../pings/hooks.js');
  const [text, config] = [await context.files.read(context.layout.configFile), await readConfig(context)];
  const rules = resolveRules('snakepit.yaml', text, config.pings);
  if (!rules.ok) throw new CliError(`${rules.error.where}: ${rules.error.problem}`, EXIT.config);
  const hooks = resolveHooks('snakepit.yaml', text, config);
  if (!hooks.ok) throw new CliError(`${hooks.error.where}: ${hooks.error.problem}`, EXIT.config);
  return [...rules.value, ...hooks.value];
}

/** As the pit published them: a configuration that is being edited concerns sessions to come. */
export async function publishedAgents(context: Context): Promise<Profiles> {
  return parseJson<Profiles>(await context.files.read(context.layout.agents)) ?? (await readAgents(context, await readConfig(context)));
}

/** Ends the command where somebody else could put tasks in line here, or what is written here would lie elsewhere. */
export function checkGround({ layout }: Pick<Context, 'layout'>): void {
  // A session's own calls: whoever started the pit has been asked.
  if (process.env['SNAKEPIT_CLAIM'] !== undefined) return;
  const trusted = (process.env['SNAKEPIT_TRUST_UID'] ?? '').split(',').flatMap((uid) => (/^\d+$/.test(uid.trim()) ? [Number(uid)] : []));
  const fault = groundFault(layout, trusted);
  if (fault !== undefined) throw new CliError(fault, EXIT.noPermission);
}

/** Runs with the intake lock, waiting up to ten seconds for it. */
export async function withIntake<T>({ files, processes, layout, clock }: Context, act: () => Promise<T>): Promise<T> {
  const until = clock.monoMs() + 10_000;
  for (;;) {
    const lock = await take(files, processes, layout.locks.intake);
    if (lock.kind === 'taken') {
      try {
        return await act();
      } finally {
        await lock.release();
      }
    }
    if (clock.monoMs() > until) throw new CliError(`the intake has been busy for 10 s (pid ${lock.by.pid}); try again`, EXIT.busy);
    await clock.sleep(10);
  }
}

/** Where what a command prints is kept instead, while `captured` runs it. */
const capturing = new AsyncLocalStorage<string[]>();

/** Runs a command for the live view: what it would have printed is returned, and the exit code that it sets is forgotten. */
export async function captured(act: () => Promise<void>): Promise<string> {
  const lines: string[] = [];
  const { exitCode } = process;
  try {
    await capturing.run(lines, act);
  } finally {
    process.exitCode = exitCode;
  }
  return lines.join('\n');
}

/** The only ways out to a person or a program. */
export function print(text: string): void {
  const kept = capturing.getStore();
  if (kept === undefined) process.stdout.write(`${fit(text)}\n`);
  else kept.push(text);
}

/** Byte for byte, where a person asked for that, or where every byte is our own. */
export function printRaw(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function printJson(value: unknown): void {
  printRaw(fitJson(JSON.stringify({ schemaVersion: 1, ...(value as object) }, null, 2)));
}

export function note(text: string): void {
  const kept = capturing.getStore();
  if (kept === undefined) process.stderr.write(`${fit(text)}\n`);
  else kept.push(text);
}
