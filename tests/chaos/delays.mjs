/*
 * Preloaded into snakes, the pit and its commands (NODE_OPTIONS=--import): a short random wait before or after file calls, so that
 * windows of microseconds stand open for milliseconds. With CHAOS_DIE_AFTER, the process is killed right after one in four of the
 * renames to a path that it matches: of two dozen tasks all are spared once in a thousand runs, and no slot dies so often that it is given up.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const OURS = /\/(snake\/main|pit\/daemon|cli\/main)\.js$|\/bin\/snakepit\.js$/;
/** Calls that change something, and the looks that come before them. */
const CALLS = ['renameSync', 'utimesSync', 'mkdirSync', 'rmSync', 'openSync', 'readdirSync', 'existsSync', 'lstatSync'];

if (OURS.test(process.argv[1] ?? '')) {
  const share = Number(process.env.CHAOS_DELAY_SHARE ?? 0);
  const mostMs = Number(process.env.CHAOS_DELAY_MS ?? 0);
  const dieAfter = process.env.CHAOS_DIE_AFTER === undefined ? undefined : new RegExp(process.env.CHAOS_DIE_AFTER);
  let state = (Number(process.env.CHAOS_SEED ?? 1) ^ (process.pid * 2654435761)) >>> 0;
  const random = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  const cell = new Int32Array(new SharedArrayBuffer(4));
  const pause = () => {
    if (random() < share) Atomics.wait(cell, 0, 0, random() * mostMs);
  };
  for (const name of CALLS) {
    const real = fs[name];
    fs[name] = (...args) => {
      pause();
      const value = real(...args);
      if (dieAfter !== undefined && name === 'renameSync' && dieAfter.test(String(args[1])) && random() < 0.25) process.kill(process.pid, 'SIGKILL');
      pause();
      return value;
    };
  }
  syncBuiltinESMExports();
}
