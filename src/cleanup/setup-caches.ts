import { formatBytes } from '../lib/bytes.js';
import { formatDuration } from '../lib/duration.js';
import type { Config } from '../config/config.js';
import { evict, isCacheKey, lastUsed, readEntry } from '../workspace/setup-cache.js';
import type { CleanupPorts, CleanupSetting } from './ports.js';
import type { Applied, Step } from './specialist.js';

/** One entry of the set-up cache as it was seen; no bytes: it cannot be read. */
export interface SeenEntry {
  readonly key: string;
  readonly usedAt: number;
  readonly bytes: number | undefined;
}

/** Pure: what goes, why. What cannot be read goes; then what nobody has used for long; then what was used longest ago, until the rest fits. */
export function decideEvictions({ keepMs, bytes }: Pick<Config['setupCache'], 'keepMs' | 'bytes'>, entries: readonly SeenEntry[], nowMs: number): { readonly key: string; readonly rule: string; readonly evidence: string }[] {
  const gone: { key: string; rule: string; evidence: string }[] = [];
  let left = entries.reduce((sum, entry) => sum + (entry.bytes ?? 0), 0);
  for (const entry of entries.toSorted((a, b) => a.usedAt - b.usedAt || (a.key < b.key ? -1 : 1))) {
    const size = entry.bytes ?? 0;
    const go = (rule: string, evidence: string): void => {
      gone.push({ key: entry.key, rule, evidence });
      left -= size;
    };
    const used = `last used ${new Date(entry.usedAt).toISOString()}`;
    if (entry.bytes === undefined) go('it cannot be read', 'its entry.json says nothing');
    else if (nowMs - entry.usedAt >= keepMs) go(`nobody has used it for setup-cache.keep: (${formatDuration(keepMs)})`, used);
    else if (left > bytes) go(`the set-ups that are kept take more than setup-cache.size: (${formatBytes(bytes)})`, `${formatBytes(left)}; ${used}`);
  }
  return gone;
}

export async function planEvictions({ files, clock }: CleanupPorts, { layout, config, thorough }: CleanupSetting): Promise<Step[]> {
  if (!thorough) return [];
  const entries: SeenEntry[] = [];
  for (const key of (await files.list(layout.setupCache)).filter(isCacheKey)) {
    entries.push({ key, bytes: (await readEntry(files, layout, key))?.bytes, usedAt: (await lastUsed(files, layout, key)) ?? 0 });
  }
  return decideEvictions(config.setupCache, entries, clock.wallMs()).map(({ key, rule, evidence }) => ({ specialist: 'sweeper', kind: 'act', verb: 'evict', subject: `.snakepit/setup-cache/${key}`, rule, evidence, target: key }));
}

/** Unless it was used meanwhile: then the next round decides anew. */
export async function applyEviction(ports: CleanupPorts, setting: CleanupSetting, { target }: Step): Promise<Pick<Applied, 'kind' | 'told'>> {
  const again = (await planEvictions(ports, setting)).some((step) => step.target === target);
  if (!again) return { kind: 'gone', told: 'it is wanted again, or has gone' };
  return (await evict(ports.files, ports.processes, setting.layout, target)) ? { kind: 'done', told: 'removed' } : { kind: 'gone', told: 'it has gone' };
}
