import { resolve } from 'node:path';
import type { Config } from '../config/config.js';
import { errorCode } from '../lib/files.js';
import { Gatherer } from '../metrics/gather.js';
import { removePromFile, writePromFile } from '../metrics/prom-file.js';
import { serveMetrics, type Listening } from '../metrics/server.js';
import type { PitPorts, PitSetting } from './ports.js';

/** Lost with the pit; what was counted lies on disk. */
export interface MetricsMemory {
  gatherer: Gatherer | undefined;
  file: string | undefined;
  writing: Promise<void> | undefined;
  roundMonoMs: number;
  /** `wanted`: the port it listens on, or could not have. */
  server: { readonly wanted: number; readonly listening: Listening | undefined } | undefined;
  /** What was said last of what goes wrong: once until it changes. */
  problem: string | undefined;
  config: Config | undefined;
}

export const newMetricsMemory = (): MetricsMemory => ({ gatherer: undefined, file: undefined, writing: undefined, roundMonoMs: Number.NEGATIVE_INFINITY, server: undefined, problem: undefined, config: undefined });

type Ports = Pick<PitPorts, 'files' | 'clock' | 'log'>;
type Setting = Pick<PitSetting, 'layout'>;

/** Every `metrics.every:`, beside the ticks. Without `metrics:` nothing is gathered, counted or listened on. Never throws. */
export function metricsRound(ports: Ports, setting: Setting, config: Config, memory: MetricsMemory): void {
  const { file, port, everyMs } = config.metrics ?? {};
  memory.config = config;
  const wanted = file !== undefined && file !== '' ? resolve(setting.layout.root, file) : undefined;
  if (memory.file !== undefined && memory.file !== wanted) attempt(ports, memory, 'the former file', () => removePromFile(memory.file ?? ''));
  memory.file = wanted;
  if (memory.server !== undefined && memory.server.wanted !== port) {
    memory.server.listening?.close();
    memory.server = undefined;
  }
  const serves = (port ?? 0) !== 0;
  if ((wanted === undefined && !serves) || memory.writing !== undefined || ports.clock.monoMs() - memory.roundMonoMs < (everyMs ?? 0)) return;
  memory.roundMonoMs = ports.clock.monoMs();
  memory.writing = round(ports, setting, memory, wanted, port ?? 0).catch((cause: unknown) => problem(ports, memory, 'metrics could not be gathered', cause)).finally(() => (memory.writing = undefined));
}

async function round(ports: Ports, setting: Setting, memory: MetricsMemory, file: string | undefined, port: number): Promise<void> {
  // Its directory may be being removed under us: nothing is made anew.
  if (!(await ports.files.exists(setting.layout.pitId))) return;
  if (port !== 0 && memory.server?.listening === undefined) {
    memory.server = { wanted: port, listening: undefined };
    const listening = await serveMetrics(port, () => gathered(ports, setting, memory, true)).catch((cause: unknown) => problem(ports, memory, `metrics.port ${port} of 127.0.0.1 cannot be had`, cause));
    // An edit may have come meanwhile.
    if (memory.server?.wanted === port) memory.server = { wanted: port, listening };
    else listening?.close();
  }
  const text = await gathered(ports, setting, memory, true);
  await memory.gatherer?.counters.save();
  if (file !== undefined && attempt(ports, memory, file, () => writePromFile(file, text)) && (port === 0 || memory.server?.listening !== undefined)) memory.problem = undefined;
}

async function gathered({ files, clock }: Ports, { layout }: Setting, memory: MetricsMemory, up: boolean): Promise<string> {
  memory.gatherer ??= new Gatherer(files, layout);
  const { priceLists = [], diskBytes = 0 } = memory.config ?? {};
  return memory.gatherer.text({ priceLists, diskBytes }, up, clock.wallMs());
}

/** The pit goes: the port is let go, and the file says that no pit runs. */
export async function endMetrics(ports: Ports, setting: Setting, memory: MetricsMemory): Promise<void> {
  await memory.writing;
  memory.server?.listening?.close();
  const { file } = memory;
  if (file === undefined) return;
  try {
    const text = await gathered(ports, setting, memory, false);
    attempt(ports, memory, file, () => writePromFile(file, text));
  } catch (cause) {
    problem(ports, memory, 'metrics could not be gathered', cause);
  }
}

function attempt(ports: Ports, memory: MetricsMemory, file: string, act: () => void): boolean {
  try {
    act();
    return true;
  } catch (cause) {
    problem(ports, memory, `metrics.file cannot be written: ${file}`, cause);
    return false;
  }
}

function problem({ log }: Ports, memory: MetricsMemory, what: string, cause: unknown): undefined {
  const said = `${what}: ${errorCode(cause)}`;
  if (memory.problem !== said) log.warn(said, {});
  memory.problem = said;
}
