import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CLI, NODE, figure, sleep, spread, startPit, until } from './lib.js';

const SAMPLES = 10;

/** Two idle snakes and a real tmux: from the drop, and from `add`, to the agent's first instruction. */
export async function latency() {
  const { dir, env } = startPit(2);
  const stage = join(dir, 'stage');
  mkdirSync(stage);
  await sleep(2000);

  const write = (id) => {
    const file = join(stage, `${id}.md`);
    writeFileSync(file, `# ${id}\n\n\`\`\`sh\ndate +%s%N > '${stage}/${id}.began'\n\`\`\`\n`);
    return file;
  };
  const began = async (id) => {
    const file = join(stage, `${id}.began`);
    const text = await until(`the first instruction of ${id}`, () => existsSync(file) && (/^\d+$/.exec(readFileSync(file, 'utf8').trim())?.[0] ?? false));
    await until(`the end of ${id}`, () => existsSync(join(dir, 'queue', 'done', `${id}.md`)));
    return Number(BigInt(text) / 1000n) / 1000;
  };
  // A pause of no fixed length, so that the samples fall anywhere in the pit's rhythm.
  const idle = () => sleep(400 + Math.random() * 1000);

  const drops = [];
  const fromStart = [];
  const fromExit = [];
  for (let at = 0; at <= SAMPLES; at += 1) {
    await idle();
    const dropped = write(`drop-${at}`);
    const old = Date.now() / 1000 - 60;
    utimesSync(dropped, old, old);
    const droppedAt = Date.now();
    renameSync(dropped, join(dir, 'queue', `drop-${at}.md`));
    const dropMs = (await began(`drop-${at}`)) - droppedAt;

    await idle();
    const file = write(`add-${at}`);
    const startedAt = Date.now();
    const exitedAt = await new Promise((resolve, reject) => {
      const child = spawn(NODE, [CLI, '-C', dir, 'add', file], { env, stdio: ['ignore', 'ignore', 'inherit'] });
      child.on('exit', (code) => (code === 0 ? resolve(Date.now()) : reject(new Error(`add ended with ${code}`))));
    });
    const beganAt = await began(`add-${at}`);
    // The first of each finds cold files and modules that load once.
    if (at === 0) continue;
    drops.push(dropMs);
    fromStart.push(beganAt - startedAt);
    fromExit.push(beganAt - exitedAt);
  }
  return [
    figure('mv of a settled file → first instruction', spread(drops, 'ms')),
    figure('start of `snakepit add` → first instruction', spread(fromStart, 'ms')),
    figure('exit of `snakepit add` → first instruction (below 0: before it ended)', spread(fromExit, 'ms')),
  ];
}
