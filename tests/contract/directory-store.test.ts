import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/lib/clock.js';
import { newNonce } from '../../src/lib/ids.js';
import { linuxProcesses } from '../../src/lib/linux-processes.js';
import { nodeFiles } from '../../src/lib/node-files.js';
import { isTaskFile, layoutOf } from '../../src/protocol/layout.js';
import { parseAny, printReady } from '../../src/protocol/names.js';
import { DirectoryStore } from '../../src/queue/directory-store.js';
import { ensureLayout } from '../../src/queue/init.js';
import { queueStoreContract } from './queue-store.js';

queueStoreContract('the directory', async () => {
  const root = fs.mkdtempSync(join(tmpdir(), 'store-'));
  const layout = layoutOf(root);
  await ensureLayout(nodeFiles, layout);
  const self = linuxProcesses.self();
  return {
    // No watcher: it is a hint, and the contract holds without it.
    open: () => new DirectoryStore(layout, { files: nodeFiles, clock: systemClock, processes: linuxProcesses, newNonce, watch: () => () => undefined }),
    put: (task, text) => nodeFiles.write(join(layout.dir('ready'), printReady(task)), text),
    ids: async (state) => (await nodeFiles.list(layout.dir(state))).filter(isTaskFile).sort().map((file) => parseAny(file)?.id ?? file.replace(/\.md$/, '')),
    pause: async (on) => (on ? fs.writeFileSync(layout.paused, '') : fs.rmSync(layout.paused)),
    living: (snake) => ({ snake, ...self }),
    // Our own pid with another start time: a number that was used again.
    dead: (snake) => ({ snake, ...self, start: '1' }),
    dispose: async () => fs.rmSync(root, { recursive: true }),
  };
});
