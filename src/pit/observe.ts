import type { Files } from '../lib/files.js';
import type { Processes } from '../lib/processes.js';
import type { Layout } from '../protocol/layout.js';
import { parseClaim } from '../protocol/names.js';
import { listSnakes } from '../runs/registry.js';
import type { Slots, SnakeSeen } from './state.js';

/** What the registry shows of each snake name, and which registrations are left over from the dead. */
export async function observeSnakes(files: Files, processes: Processes, layout: Layout): Promise<{ seen: Map<string, SnakeSeen>; leftovers: string[] }> {
  const seen = new Map<string, SnakeSeen>();
  const leftovers: string[] = [];
  for (const one of await listSnakes(files, processes, layout)) {
    const before = seen.get(one.snake);
    if (one.liveness === 'dead') leftovers.push(one.file);
    if (before?.kind === 'alive') continue;
    if (one.liveness === 'alive') seen.set(one.snake, { kind: 'alive', process: one.process });
    else if (one.liveness === 'unknown') seen.set(one.snake, { kind: 'unknown' });
    else if (before === undefined) seen.set(one.snake, { kind: 'died', process: one.process });
  }
  return { seen, leftovers };
}

/** What became of snakes that were spawned and have not registered yet. */
export async function observeSpawned(processes: Processes, slots: Slots): Promise<Map<string, SnakeSeen>> {
  const spawned = new Map<string, SnakeSeen>();
  for (const [snake, slot] of slots) {
    if (slot.kind !== 'starting') continue;
    const liveness = await processes.liveness(slot.process);
    spawned.set(snake, liveness === 'dead' ? { kind: 'died', process: slot.process } : liveness === 'alive' ? { kind: 'alive', process: slot.process } : { kind: 'unknown' });
  }
  return spawned;
}

/** Snake names whose claim has a dead owner of this boot: a namesake may adopt it. */
export async function observeOrphans(files: Files, processes: Processes, layout: Layout): Promise<Set<string>> {
  const orphans = new Set<string>();
  for (const file of await files.list(layout.dir('claimed'))) {
    const owner = parseClaim(file)?.owner;
    if (owner !== undefined && owner.boot === processes.boot() && (await processes.liveness(owner)) === 'dead') orphans.add(owner.snake);
  }
  return orphans;
}
