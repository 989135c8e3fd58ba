import { spawn } from 'node:child_process';
import { NODE, cleanEnv, figure, median, memoryOf, onEnd, show, sleep, spread, startPit } from './lib.js';

const SNAKES = 6;
const SETTLE_MS = 8000;

/** Idle snakes beside as many bare node processes, looked at in the same moment. */
export async function memory() {
  const bare = Array.from({ length: SNAKES }, () => spawn(NODE, ['-e', 'setInterval(() => {}, 1e9)'], { env: cleanEnv(), stdio: 'ignore' }));
  onEnd(() => bare.forEach((one) => one.kill('SIGKILL')));
  const pit = startPit(SNAKES);
  await sleep(SETTLE_MS);
  const snakes = pit.snakePids.map(memoryOf);
  const bares = bare.map((one) => memoryOf(one.pid));
  const of = (all, key) => all.map((one) => one[key]);
  const ratio = (key) => median(of(snakes, key)) / median(of(bares, key));
  const own = memoryOf(pit.pid);
  return [
    figure('bare node, private', spread(of(bares, 'private'), 'MB')),
    figure('idle snake, private', spread(of(snakes, 'private'), 'MB')),
    figure('idle snake / bare node, private', `${show(ratio('private'))} times, +${show(median(of(snakes, 'private')) - median(of(bares, 'private')))} MB`),
    figure('bare node, Pss', spread(of(bares, 'pss'), 'MB')),
    figure('idle snake, Pss', spread(of(snakes, 'pss'), 'MB')),
    figure('idle snake / bare node, Pss', `${show(ratio('pss'))} times`),
    figure('the pit itself', `${show(own.private)} MB private, ${show(own.pss)} MB Pss`),
  ];
}
