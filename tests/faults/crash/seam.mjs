/*
 * A preload for tests: `node --import seam.mjs PROGRAM`. It counts the operations by which the process changes files below one
 * directory, writes them down, and ends the process by SIGKILL at one of them: before it, after it, or with half of a text
 * written; or the disk is full from there on ("full"): half of that text is written, and this and whatever would make or write more fails. The order of a process is given in SNAKEPIT_TEST_CRASH, as JSON:
 *
 *   {"root": DIR, "list": FILE}                             write the operations down, one line each
 *   {"root": DIR, "at": 7, "when": "after"}                 the seventh
 *   {"root": DIR, "op": "rename queue/ready/* -> queue/claimed/*", "when": "before", "nth": 1, "fuse": FILE}
 *
 * A fuse is a file that is taken away by the one process that dies: where a program starts others of its kind, one alone does. `program`
 * names the end of the path of the program that is meant, where the order is inherited.
 *
 * An operation counts where it changes something: a directory that is there already, a file that is missing, and all heartbeats of a
 * claim but the first are left out, so that the numbers are the same in every run. fsync changes nothing that a living kernel shows.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { relative, resolve } from 'node:path';

const order = JSON.parse(process.env.SNAKEPIT_TEST_CRASH ?? '{}');
const meant = order.root !== undefined && (order.program === undefined || (process.argv[1] ?? '').endsWith(order.program));
if (meant) patch();

function patch() {
  const real = { ...fs };
  const open = new Map();
  const touched = new Set();
  const wanted = order.op === undefined ? undefined : new RegExp(`^${order.op.replace(/[.+^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`);
  let count = 0;
  let matched = 0;
  let full = false;
  /** Within an operation, Node's own functions call each other. */
  let within = false;

  const inside = (path) => {
    if (within) return undefined;
    const text = Buffer.isBuffer(path) ? path.toString('latin1') : typeof path === 'string' ? path : undefined;
    const below = text === undefined ? '..' : relative(order.root, resolve(text));
    return below.startsWith('..') || below === '' ? undefined : below;
  };
  const die = () => {
    if (order.fuse !== undefined) {
      try {
        real.unlinkSync(order.fuse);
      } catch {
        return;
      }
    }
    process.kill(process.pid, 'SIGKILL');
  };
  /** `half`: does a part of it; only texts have one. */
  const step = (what, act, half) => {
    if (within) return act();
    count += 1;
    if (order.list !== undefined) real.appendFileSync(order.list, `${what}\n`);
    const here = wanted === undefined ? order.at === count : wanted.test(what) && (matched += 1) === (order.nth ?? 1);
    if (here && order.when === 'before') die();
    full ||= here && order.when === 'full';
    const takes = /^(create|write|append|mkdir|copy) /.test(what);
    if (here && full && order.fuse !== undefined) real.rmSync(order.fuse, { force: true });
    within = true;
    try {
      if (full && takes) {
        half?.();
        throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
      }
      if (here && order.when === 'half') {
        half?.();
        die();
      }
      const result = act();
      if (here && order.when === 'after') die();
      return result;
    } finally {
      within = false;
    }
  };
  const there = (path) => {
    try {
      real.lstatSync(path);
      return true;
    } catch {
      return false;
    }
  };
  const halfOf = (data) => (typeof data === 'string' ? data.slice(0, Math.floor(data.length / 2)) : data.subarray(0, Math.floor(data.length / 2)));

  fs.openSync = (path, flags, mode) => {
    const below = inside(path);
    const makes = typeof flags === 'string' ? /[wax+]/.test(flags) : ((flags ?? 0) & (fs.constants.O_WRONLY | fs.constants.O_RDWR)) !== 0;
    if (below === undefined || !makes) return real.openSync(path, flags, mode);
    const fd = there(path) && !String(flags).startsWith('w') ? real.openSync(path, flags, mode) : step(`create ${below}`, () => real.openSync(path, flags, mode));
    open.set(fd, below);
    return fd;
  };
  fs.closeSync = (fd) => {
    open.delete(fd);
    return real.closeSync(fd);
  };
  const writes = (name, verb) => {
    fs[name] = (to, data, ...rest) => {
      const below = typeof to === 'number' ? open.get(to) : inside(to);
      const act = () => real[name](to, data, ...rest);
      return below === undefined || data.length === 0 ? act() : step(`${verb} ${below}`, act, () => real[name](to, halfOf(data), ...rest));
    };
  };
  writes('writeFileSync', 'write');
  writes('writeSync', 'write');
  writes('appendFileSync', 'append');
  const changes = (name, verb, counts) => {
    fs[name] = (path, ...rest) => {
      const below = inside(path);
      const act = () => real[name](path, ...rest);
      return below === undefined || !counts(path, below) ? act() : step(`${verb} ${below}`, act);
    };
  };
  changes('mkdirSync', 'mkdir', (path) => !there(path));
  for (const name of ['rmSync', 'unlinkSync', 'rmdirSync']) changes(name, 'remove', there);
  changes('truncateSync', 'truncate', there);
  changes('chmodSync', 'chmod', there);
  for (const name of ['utimesSync', 'lutimesSync']) changes(name, 'touch', (path, below) => there(path) && touched.size < touched.add(below).size);
  for (const [name, verb] of [['renameSync', 'rename'], ['copyFileSync', 'copy'], ['linkSync', 'link'], ['cpSync', 'copy']]) {
    fs[name] = (from, to, ...rest) => {
      const [a, b] = [inside(from), inside(to)];
      const act = () => real[name](from, to, ...rest);
      return (a === undefined && b === undefined) || !there(from) ? act() : step(`${verb} ${a ?? 'elsewhere'} -> ${b ?? 'elsewhere'}`, act);
    };
  }
  // The product's own calls are synchronous; a promise that changes files would go unseen, so it is refused.
  for (const name of ['rename', 'writeFile', 'appendFile', 'mkdir', 'rm', 'unlink', 'copyFile', 'link', 'symlink', 'truncate', 'utimes']) {
    const act = fs.promises[name];
    fs.promises[name] = (path, ...rest) => {
      if (inside(path) !== undefined) throw new Error(`fs.promises.${name} is not counted by the crash seam: ${String(path)}`);
      return act(path, ...rest);
    };
  }
  syncBuiltinESMExports();
}
