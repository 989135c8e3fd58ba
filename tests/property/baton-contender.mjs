/*
 * One contender for the lock, run as a process of its own by baton.test.ts.
 *
 *     node baton-contender.mjs <directory of the built code> <lock> <witness> loop|keep
 *
 * While it holds the lock it lays a witness: a link, made exclusively, that carries its identity. A witness of a living
 * process found in its place is a second holder. The witness of a dead one only tells that it was killed while it held.
 * "keep" holds the lock until it is told to go on, and ends then.
 */
import { readlinkSync, symlinkSync, unlinkSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const [dist, lock, witness, mode] = process.argv.slice(2);
const load = (file) => import(pathToFileURL(`${dist}/lib/${file}`).href);
const { take } = await load('baton.js');
const { nodeFiles } = await load('node-files.js');
const { linuxProcesses } = await load('linux-processes.js');

const tell = (kind, detail) => new Promise((resolve) => process.send?.({ kind, detail }, resolve));
const turn = () => new Promise((resolve) => setImmediate(resolve));
const me = linuxProcesses.self();
const asText = ({ pid, start, boot }) => `${pid}~${start}~${boot}`;

function witnessed() {
  try {
    return readlinkSync(witness);
  } catch {
    return undefined;
  }
}

async function layWitness() {
  for (let round = 0; round < 10; round += 1) {
    try {
      symlinkSync(asText(me), witness);
      return;
    } catch (cause) {
      if (cause.code !== 'EEXIST') throw cause;
      const other = witnessed();
      if (other === undefined) return await tell('double', 'a witness came and went');
      const [pid, start, boot] = other.split('~');
      if ((await linuxProcesses.liveness({ pid: Number(pid), start, boot })) !== 'dead') return await tell('double', other);
      unlinkSync(witness);
    }
  }
}

async function contend() {
  const taken = await take(nodeFiles, linuxProcesses, lock);
  if (taken.kind === 'held') return await tell('held', asText(taken.by));
  await layWitness();
  await tell('taken');
  if (mode === 'keep') await new Promise((resolve) => process.once('message', resolve));
  for (let round = 0; round < 20; round += 1) {
    await turn();
    if (witnessed() !== asText(me)) await tell('double', String(witnessed()));
  }
  if (witnessed() === asText(me)) unlinkSync(witness);
  await taken.release();
  if (mode === 'keep') process.exit(0);
}

// Gone with the parent, whatever became of it.
process.once('disconnect', () => process.exit(0));
try {
  for (;;) {
    await contend();
    await turn();
  }
} catch (cause) {
  await tell('failed', String(cause));
  process.exit(1);
}
