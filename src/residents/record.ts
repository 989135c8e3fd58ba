import { parseJson } from '../protocol/records.js';
import type { Phase, ResidentRecord } from './state.js';

const PHASES: ReadonlySet<string> = new Set<Phase['kind']>(['down', 'launching', 'up', 'ending', 'backing-off', 'broken']);
const BREAKERS: ReadonlySet<string> = new Set(['closed', 'open', 'half-open']);

const isMap = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

/** A record as it was written; undefined for anything else: what is taken for sound here is acted on. */
export function parseRecord(text: string | undefined, name: string): ResidentRecord | undefined {
  const value = parseJson<unknown>(text);
  if (!isMap(value) || value['v'] !== 1 || value['name'] !== name || !['interactive', 'headless', 'service'].includes(String(value['kind'])) || typeof value['fingerprint'] !== 'string') return undefined;
  const { phase, healing, cadence } = value;
  if (!isMap(phase) || !PHASES.has(String(phase['kind'])) || !isMap(healing) || !isMap(healing['breaker'])) return undefined;
  const { run } = phase;
  if (['launching', 'up', 'ending'].includes(String(phase['kind'])) && !(isMap(run) && /^[0-9a-z]{10}$/.test(String(run['nonce'])) && typeof run['at'] === 'number' && typeof run['boot'] === 'string')) return undefined;
  if (!Array.isArray(healing['restarts']) || typeof healing['streak'] !== 'number' || typeof healing['quietFrom'] !== 'number' || !BREAKERS.has(String(healing['breaker']['kind']))) return undefined;
  if (cadence !== undefined && !(isMap(cadence) && typeof cadence['dueAt'] === 'number')) return undefined;
  return value as unknown as ResidentRecord;
}
