import { spawnSync } from 'node:child_process';
import { CLI, NODE, cleanEnv, figure, median, show, snakepit, spread, tempDir } from './lib.js';

const PAIRS = 15;

/** Wall time of one run to its end. */
function timed(args, dir) {
  const startedAt = performance.now();
  const ran = spawnSync(NODE, args, { cwd: dir, env: cleanEnv(), stdio: 'ignore' });
  if (ran.status !== 0) throw new Error(`node ${args.join(' ')} ended with ${ran.status}`);
  return performance.now() - startedAt;
}

/** Against a bare node, in turns, so that both see the same machine. */
export async function startup() {
  const dir = tempDir();
  snakepit(dir, ['init']);
  const runs = { status: [CLI, '-C', dir, 'status'], '--help': [CLI, '--help'] };
  const bare = [];
  const times = { status: [], '--help': [] };
  for (let pair = 0; pair <= PAIRS; pair += 1) {
    const base = timed(['-e', '0'], dir);
    const one = { status: timed(runs.status, dir), '--help': timed(runs['--help'], dir) };
    if (pair === 0) continue;
    bare.push(base);
    for (const name of Object.keys(runs)) times[name].push(one[name]);
  }
  return [
    figure('node -e 0', spread(bare, 'ms')),
    ...Object.keys(runs).flatMap((name) => [
      figure(`snakepit ${name}`, spread(times[name], 'ms')),
      figure(`snakepit ${name} / node -e 0`, `${show(median(times[name].map((ms, pair) => ms / bare[pair])))} times (median of pairs), +${show(median(times[name].map((ms, pair) => ms - bare[pair])))} ms`),
    ]),
  ];
}
