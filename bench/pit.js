import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { cleanEnv, cpuSeconds, figure, show, sleep, snakepit, startPit, sum, tempDir, until } from './lib.js';

const IDLE_SNAKES = 50;
const IDLE_MS = 20_000;
const SETTLE_MS = 5000;
const SESSIONS = [1, 12];
const WINDOW_MS = 12_000;

export async function pit() {
  const figures = await idlePit();
  for (const sessions of SESSIONS) figures.push(...(await queriesPerTick(sessions)));
  return figures;
}

async function idlePit() {
  const running = startPit(IDLE_SNAKES);
  await sleep(SETTLE_MS);
  const look = () => ({ at: performance.now(), pit: cpuSeconds(running.pid), snakes: sum(running.snakePids.map(cpuSeconds)) });
  const before = look();
  await sleep(IDLE_MS);
  const after = look();
  const percent = (key) => (100_000 * (after[key] - before[key])) / (after.at - before.at);
  snakepit(running.dir, ['down', '--now'], running.env);
  return [
    figure(`idle pit of ${IDLE_SNAKES} snakes, CPU`, `${show(percent('pit'))} % of a core`),
    figure(`its ${IDLE_SNAKES} idle snakes together, CPU`, `${show(percent('snakes'))} % of a core (${show(percent('snakes') / IDLE_SNAKES)} % each)`),
  ];
}

/** A tmux that writes down who calls it, and a pit that writes down each tick (every tick opens desired.json once): one file, in order. */
function countingEnv(dir) {
  const real = spawnSync('sh', ['-c', 'command -v tmux'], { encoding: 'utf8' }).stdout.trim();
  const diary = join(dir, 'diary');
  const bin = join(dir, 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'tmux'), `#!/bin/sh\necho "$PPID" >> '${diary}'\nexec '${real}' "$@"\n`);
  chmodSync(join(bin, 'tmux'), 0o755);
  const hook = join(dir, 'hook.mjs');
  writeFileSync(
    hook,
    `import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
if (/pit.daemon\\.js$/.test(process.argv[1] ?? '')) {
  const open = fs.openSync;
  fs.openSync = (path, ...rest) => {
    if (String(path).endsWith('/.snakepit/desired.json')) fs.appendFileSync(${JSON.stringify(diary)}, 'tick\\n');
    return open(path, ...rest);
  };
  syncBuiltinESMExports();
}
`,
  );
  return {
    env: cleanEnv({ PATH: `${bin}:${process.env.PATH}`, NODE_OPTIONS: `--import=${pathToFileURL(hook).href}` }),
    diary: () => (existsSync(diary) ? readFileSync(diary, 'utf8').split('\n').slice(0, -1) : []),
  };
}

async function queriesPerTick(sessions) {
  const counting = countingEnv(tempDir());
  const running = startPit(sessions, counting.env);
  for (let at = 0; at < sessions; at += 1) writeFileSync(join(running.dir, 'queue', `long-${at}.md`), `# long ${at}\n\n\`\`\`sh\nsleep 600\n\`\`\`\n`);
  const runs = join(running.dir, '.snakepit', 'runs');
  const began = () => readdirSync(runs, { recursive: true }).filter((path) => path.endsWith('/session')).length;
  await until(`${sessions} running sessions`, () => began() === sessions);
  await sleep(SETTLE_MS);
  const from = counting.diary().length;
  await sleep(WINDOW_MS);
  // Whole ticks only: from the first beginning to the last.
  const lines = counting.diary().slice(from);
  const whole = lines.slice(lines.indexOf('tick'), Math.max(0, lines.lastIndexOf('tick')));
  const calls = whole.filter((line) => line !== 'tick');
  const ticks = whole.length - calls.length;
  if (ticks === 0) throw new Error('the pit was not seen to tick');
  const own = calls.filter((line) => line === String(running.pid)).length;
  snakepit(running.dir, ['down', '--now'], running.env);
  return [
    figure(`tmux queries a tick, ${sessions} session${sessions === 1 ? '' : 's'}`, `${show(own / ticks)} by the pit (${own} in ${ticks} ticks), ${show((calls.length - own) / ticks)} by anyone else`, { value: calls.length / ticks, atMost: 1 }),
  ];
}
