import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { CLI, NODE, cleanEnv, figure, median, show, snakepit, spread, tempDir } from './lib.js';

const PAIRS = 15;
/** Over a bare node: what agents and people call all day, and what reads a configuration that no pit has published yet. */
const AT_MOST = { '--help': 3, ls: 3, done: 3, status: 7 };

/** Wall time of one run to its end. */
function timed(args, dir) {
  const startedAt = performance.now();
  const env = cleanEnv({ SNAKEPIT_RESULT: join(dir, 'result.json') });
  const ran = spawnSync(NODE, args, { cwd: dir, env, stdio: 'ignore' });
  if (ran.status !== 0) throw new Error(`node ${args.join(' ')} ended with ${ran.status}`);
  return performance.now() - startedAt;
}

/** Against a bare node, in turns, so that both see the same machine. */
export async function startup() {
  const dir = tempDir();
  snakepit(dir, ['init']);
  const runs = { '--help': [CLI, '--help'], ls: [CLI, '-C', dir, 'ls'], done: [CLI, 'done', 'all of it'], status: [CLI, '-C', dir, 'status'] };
  const bare = [];
  const times = Object.fromEntries(Object.keys(runs).map((name) => [name, []]));
  for (let pair = 0; pair <= PAIRS; pair += 1) {
    const base = timed(['-e', '0'], dir);
    const one = Object.entries(runs).map(([name, args]) => [name, timed(args, dir)]);
    if (pair === 0) continue;
    bare.push(base);
    for (const [name, ms] of one) times[name].push(ms);
  }
  return [
    figure('node -e 0', spread(bare, 'ms')),
    ...Object.keys(runs).flatMap((name) => {
      const ratio = median(times[name].map((ms, pair) => ms / bare[pair]));
      return [
        figure(`snakepit ${name}`, spread(times[name], 'ms')),
        figure(`snakepit ${name} / node -e 0`, `${show(ratio)} times (median of pairs), +${show(median(times[name].map((ms, pair) => ms - bare[pair])))} ms`, { value: ratio, atMost: AT_MOST[name] }),
      ];
    }),
  ];
}
