// node round.mjs DIST ROOT NAME: one round of what the pit does at each tick, as a process of its own, so that it can die in it.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [dist, root, name] = process.argv.slice(2);
const load = (file) => import(pathToFileURL(join(dist, file)).href);
const [{ nodeFiles: files }, { systemClock: clock }, { linuxProcesses: processes }, { fileEventSink }, { layoutOf }] = await Promise.all(['lib/node-files.js', 'lib/clock.js', 'lib/linux-processes.js', 'events/event-log.js', 'protocol/layout.js'].map(load));
const layout = layoutOf(root);
const ports = { files, clock, processes, events: fileEventSink(files, clock, layout.events) };
const limits = { settleMs: 0, maxTaskBytes: 1_000_000, rescanMs: 1000 };

switch (name) {
  case 'drops':
    await (await load('queue/drops.js')).takeInDrops(ports, layout, new Map(), limits);
    break;
  case 'recurring': {
    const { lookAtRecurring, newRecurringMemory } = await load('recurring/look.js');
    const memory = newRecurringMemory();
    // The first look sees the template, the next one makes what is due.
    for (let look = 0; look < 3; look += 1) await lookAtRecurring(ports, layout, memory, limits);
    break;
  }
  case 'waiting': {
    const never = await (await load('queue/promote.js')).promoteWaiting(ports, layout, new Map());
    const { endDependent } = await load('runs/never.js');
    for (const { id, why } of never) await endDependent(ports, layout, id, why);
    await (await load('queue/stray-stories.js')).putAwayQuestions(files, layout, Date.now());
    break;
  }
  case 'stories': {
    const { missingTexts, publishMissing } = await load('runs/publish.js');
    await publishMissing(files, layout, await missingTexts(files, layout));
    break;
  }
  default:
    throw new Error(`no round is called ${name}`);
}
