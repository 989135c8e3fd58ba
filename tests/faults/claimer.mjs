import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/* One claiming process: claims until it is told that no more will come, and writes each claim into a file of its own. */

const [dist, root, number, record] = process.argv.slice(2);
const load = (file) => import(pathToFileURL(join(dist, file)).href);
const [{ DirectoryStore }, { watchDirectory }, { layoutOf }, { systemClock }, { newNonce }, { linuxProcesses }, { nodeFiles }] = await Promise.all(
  ['queue/directory-store.js', 'queue/watch.js', 'protocol/layout.js', 'lib/clock.js', 'lib/ids.js', 'lib/linux-processes.js', 'lib/node-files.js'].map(load),
);

const over = new AbortController();
process.on('message', (told) => (told === 'go' ? void work() : over.abort()));

const store = new DirectoryStore(layoutOf(root), { files: nodeFiles, clock: systemClock, processes: linuxProcesses, newNonce, watch: watchDirectory });
const owner = { snake: `s${number}`, ...linuxProcesses.self() };

async function work() {
  for (;;) {
    const claimed = await store.claim(owner);
    if (claimed.kind === 'claimed') {
      appendFileSync(record, `${claimed.claim.name.id} ${claimed.claim.file}\n`);
      // A snake works between two claims; without this one process would take all in one turn of its event loop.
      await new Promise(setImmediate);
    } else if (over.signal.aborted) break;
    else await store.wait(50, over.signal);
  }
  store.close();
  process.disconnect();
}

process.send('ready');
