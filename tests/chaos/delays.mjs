/*
 * Preloaded into snakes, the pit and its commands (NODE_OPTIONS=--import): a short random wait before or after file calls, so that
 * windows of microseconds stand open for milliseconds. With CHAOS_DIE_AFTER, the process is killed right after its first call that
 * touches such a path, once per process and by a coin: the window is not hit by luck.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const OURS = /\/(snake\/main|pit\/daemon|cli\/main)\.js$|\/bin\/snakepit\.js$/;
/** Calls that change something, and the looks that come before them. */
const CALLS = ['renameSync', 'utimesSync', 'mkdirSync', 'rmSync', 'openSync', 'readdirSync', 'existsSync', 'lstatSync'];

if (OURS.test(process.argv[1] ?? '')) {
  const share = Number(process.env.CHAOS_DELAY_SHARE ?? 0);
  const mostMs = Number(process.env.CHAOS_DELAY_MS ?? 0);
  const dieAfter = process.env.CHAOS_DIE_AFTER;
  let state = (Number(process.env.CHAOS_SEED ?? 1) ^ (process.pid * 2654435761)) >>> 0;
  const random = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  const cell = new Int32Array(new SharedArrayBuffer(4));
  const pause = () => {
    if (random() < share) Atomics.wait(cell, 0, 0, random() * mostMs);
  };
  const dies = random() < 0.5;
  for (const name of CALLS) {
    const real = fs[name];
    fs[name] = (...args) => {
      pause();
      const value = real(...args);
      if (dies && dieAfter !== undefined && name === 'renameSync' && String(args[1]).includes(dieAfter)) process.kill(process.pid, 'SIGKILL');
      pause();
      return value;
    };
  }
  syncBuiltinESMExports();
}
