import { dirname, join, relative } from 'node:path';
import { writerOf } from '../lib/temporary.js';
import { QUEUE_STATES, type Layout } from '../protocol/layout.js';
import { placesOf } from '../protocol/resident-places.js';
import type { CleanupPorts } from './ports.js';
import { applyEviction, planEvictions } from './setup-caches.js';
import type { Specialist, Step } from './specialist.js';

/** What writers that are proven dead left half-written, in queue/ and in our state; of tasks a run's own directory goes with its run, a resident's run may last for weeks. */
async function halfWritten({ files, processes }: Pick<CleanupPorts, 'files' | 'processes'>, layout: Layout): Promise<string[]> {
  const left: string[] = [];
  const ofEach: string[] = [];
  for (const name of await files.list(layout.workspaces)) ofEach.push(join(layout.workspaces, name));
  for (const name of await files.list(layout.residents)) {
    const { dir, claims, runs } = placesOf(layout, name);
    ofEach.push(dir, claims, ...(await files.list(runs)).map((run) => join(runs, run)));
  }
  for (const dir of [...ofEach, layout.queue, layout.tmp, ...QUEUE_STATES.map((state) => layout.dir(state)), layout.state, dirname(layout.locks.pit), layout.snakes, layout.breakers, layout.recurringState, layout.log, layout.bin, layout.setupCache, join(layout.pings, 'outbox'), join(layout.pings, 'cursors')]) {
    for (const name of await files.list(dir)) {
      const writer = writerOf(name);
      if (writer !== undefined && (await processes.liveness(writer)) === 'dead') left.push(join(dir, name));
    }
  }
  return left;
}

/** Returns what was removed. */
export async function sweep(ports: Pick<CleanupPorts, 'files' | 'processes'>, layout: Layout): Promise<string[]> {
  const left = await halfWritten(ports, layout);
  for (const file of left) await ports.files.remove(file);
  return left;
}

/** Half-written files, by their writer's death and never by their age; and what is kept of set-ups, by its bounds. */
export const sweeper: Specialist = {
  name: 'sweeper',
  does: 'removes what dead writers left half-written, and kept set-ups that are old or too many',
  plan: async (ports, setting) => [
    ...(await halfWritten(ports, setting.layout)).map((file): Step => ({ specialist: 'sweeper', kind: 'act', verb: 'sweep', subject: relative(setting.layout.root, file), rule: 'its writer is dead', evidence: `pid ${writerOf(file.slice(file.lastIndexOf('/') + 1))?.pid ?? '?'} is gone`, target: file })),
    ...(await planEvictions(ports, setting)),
  ],
  apply: async (ports, setting, step) => {
    const { files } = ports;
    const { subject, target } = step;
    if (step.verb === 'evict') return { specialist: 'sweeper', subject, ...(await applyEviction(ports, setting, step)) };
    const there = await files.exists(target);
    if (there) await files.remove(target);
    return { specialist: 'sweeper', subject, kind: there ? 'done' : 'gone', told: there ? 'removed' : 'it has gone' };
  },
};
