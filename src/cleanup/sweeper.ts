import { dirname, join } from 'node:path';
import { writerOf } from '../lib/temporary.js';
import { QUEUE_STATES, type Layout } from '../protocol/layout.js';
import type { CleanupPorts } from './ports.js';

/** What writers that are proven dead left half-written, in queue/ and in our state; a run's own directory goes with its run. */
export async function halfWritten({ files, processes }: Pick<CleanupPorts, 'files' | 'processes'>, layout: Layout): Promise<string[]> {
  const left: string[] = [];
  for (const dir of [layout.queue, layout.tmp, ...QUEUE_STATES.map((state) => layout.dir(state)), layout.state, dirname(layout.locks.pit), layout.snakes, layout.log, layout.bin]) {
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
