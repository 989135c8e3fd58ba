/*
 * One writer into a pane, run as a process of its own.
 *
 *     node deliver-writer.mjs <built code> <socket> <session> <lock> <directory of fake-tui> <text>…
 *
 * Prints one line per text: the receipt.
 */
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { FAKE_TARGET, fakeLook, fakeProof } from './fake-look.mjs';

const [dist, socket, session, lock, dir, ...texts] = process.argv.slice(2);
const load = (file) => import(pathToFileURL(`${dist}/${file}`).href);
const [{ deliver }, { paneLock }, { TmuxServer }, { nodeFiles }, { linuxProcesses }, { systemClock }] = await Promise.all(['agents/deliver/deliver.js', 'agents/deliver/lock.js', 'tmux/server.js', 'lib/node-files.js', 'lib/linux-processes.js', 'lib/clock.js'].map(load));

const ports = {
  clock: systemClock,
  pane: new TmuxServer(socket, '/dev/null').pane(session),
  look: fakeLook,
  proof: fakeProof(() => readFileSync(`${dir}/events.jsonl`, 'utf8'), true),
  lock: paneLock(nodeFiles, linuxProcesses, lock),
};
const target = { ...FAKE_TARGET, policy: { ...FAKE_TARGET.policy, patienceMs: 60_000 } };
for (const text of texts) process.stdout.write(`${JSON.stringify({ text, receipt: await deliver(ports, target, text) })}\n`);
