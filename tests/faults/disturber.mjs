import { appendFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/*
 * Adds tasks of its own to ready/ and takes some of them out again, and moves other tasks out and back in under their
 * names, as a person with mv may. Writes what it added and what it got back; the rest must have been claimed.
 */

const [dist, root, number, record] = process.argv.slice(2);
const { printReady } = await import(pathToFileURL(join(dist, 'protocol/names.js')).href);
const ready = join(root, 'queue', 'ready');
const aside = join(root, `aside-${number}`);

/** The rename's verdict; false: a claimer was quicker. */
function move(from, to) {
  try {
    renameSync(from, to);
    return true;
  } catch (cause) {
    if (cause.code === 'ENOENT') return false;
    throw cause;
  }
}

const mine = new Map();
let added = 0;
function add() {
  const id = `extra-${number}-${added}`;
  const file = printReady({ id, place: { priority: added % 100, arrivedAt: added }, counters: { failures: 0, losses: 0, deferrals: 0 } });
  added += 1;
  writeFileSync(join(aside, file), `${id}\n`);
  appendFileSync(record, `added ${id}\n`);
  renameSync(join(aside, file), join(ready, file));
  mine.set(id, file);
}

function takeBack(id, file) {
  mine.delete(id);
  if (move(join(ready, file), join(aside, `${id}.removed`))) appendFileSync(record, `removed ${id}\n`);
}

let borrowed;
function borrow() {
  if (borrowed !== undefined) {
    renameSync(join(aside, borrowed), join(ready, borrowed));
    borrowed = undefined;
    return;
  }
  const names = readdirSync(ready);
  const name = names[(added * 7919) % Math.max(1, names.length)];
  if (name !== undefined && !name.includes('~extra-') && move(join(ready, name), join(aside, name))) {
    borrowed = name;
    appendFileSync(record, `borrowed ${name}\n`);
  }
}

function step() {
  add();
  if (added % 3 === 0) for (const [id, file] of [...mine].slice(0, 2)) takeBack(id, file);
  if (added % 5 === 0) borrow();
}

let timer;
process.on('message', (told) => {
  if (told === 'go') {
    timer = setInterval(step, 1);
    return;
  }
  clearInterval(timer);
  if (borrowed !== undefined) borrow();
  for (const [id, file] of mine) takeBack(id, file);
  process.disconnect();
});
process.send('ready');
