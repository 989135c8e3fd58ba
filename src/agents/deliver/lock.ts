import { take } from '../../lib/baton.js';
import type { Files } from '../../lib/files.js';
import type { Processes } from '../../lib/processes.js';
import type { PaneLock } from './ports.js';

/** `dir`: one per pane, the same for every process that may type into it. A holder that was killed is succeeded at once. */
export function paneLock(files: Files, processes: Processes, dir: string): PaneLock {
  return {
    take: async () => {
      const taken = await take(files, processes, dir);
      return taken.kind === 'taken' ? taken : { kind: 'held', by: `pid ${taken.by.pid}` };
    },
  };
}
