import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const NODE = process.execPath;
export const CLI = fileURLToPath(new URL('../bin/snakepit.js', import.meta.url));
export const sleep = (ms) => delay(ms);

/** What must be undone, newest first; run at the end of a section, on failure and on a signal. All of it synchronous. */
const undo = [];
export const onEnd = (act) => undo.push(act);

export function cleanUp() {
  for (let act = undo.pop(); act !== undefined; act = undo.pop()) {
    try {
      act();
    } catch (cause) {
      process.stderr.write(`bench: cleaning up: ${cause instanceof Error ? cause.message : String(cause)}\n`);
    }
  }
}

/** A private directory under the system's temporary one, removed at the end. */
export function tempDir() {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'spbench-')));
  onEnd(() => rmSync(dir, { recursive: true, force: true, maxRetries: 3 }));
  return dir;
}

/** Nothing of an outer pit or an outer tmux reaches what is measured. */
export function cleanEnv(extra = {}) {
  const kept = Object.entries(process.env).filter(([key]) => !key.startsWith('SNAKEPIT_') && key !== 'TMUX' && key !== 'TMUX_PANE' && key !== 'NODE_OPTIONS');
  return { ...Object.fromEntries(kept), NO_COLOR: '1', ...extra };
}

export function snakepit(dir, args, env = cleanEnv()) {
  const ran = spawnSync(NODE, [CLI, '-C', dir, ...args], { env, cwd: dir, encoding: 'utf8', timeout: 90_000 });
  if (ran.status !== 0) throw new Error(`snakepit ${args.join(' ')} ended with ${ran.status}: ${ran.stderr}${ran.stdout}`);
  return ran.stdout;
}

/** A pit with its private tmux server in a directory of its own; told to go down at the end. */
export function startPit(snakes, env = cleanEnv()) {
  const dir = tempDir();
  snakepit(dir, ['init'], env);
  const down = () => {
    if (existsSync(dir)) snakepit(dir, ['down', '--now'], env);
  };
  onEnd(down);
  snakepit(dir, ['up', '-n', String(snakes)], env);
  const { pit, snakes: rows } = JSON.parse(snakepit(dir, ['status', '--json'], env));
  return { dir, env, pid: pit.pid, snakePids: rows.map((row) => row.pid) };
}

export async function until(what, test, limitMs = 30_000) {
  const end = performance.now() + limitMs;
  for (;;) {
    const got = test();
    if (got !== undefined && got !== false) return got;
    if (performance.now() > end) throw new Error(`waited ${limitMs} ms in vain for ${what}`);
    await sleep(5);
  }
}

const ticksPerSecond = () => Number(spawnSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }).stdout.trim());
let hz;
/** User and system time of a process so far, in seconds. */
export function cpuSeconds(pid) {
  hz ??= ticksPerSecond();
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / hz;
}

/** Private and proportional memory of a process, in MB. */
export function memoryOf(pid) {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const kb = (key) => Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? Number.NaN);
  return { private: (kb('Private_Clean') + kb('Private_Dirty')) / 1024, pss: kb('Pss') / 1024 };
}

export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export const sum = (numbers) => numbers.reduce((total, one) => total + one, 0);

/** A number as people read it: three digits are enough on a noisy machine. */
export const show = (number) => (number >= 100 ? Math.round(number).toLocaleString('en') : number >= 10 ? number.toFixed(1) : number.toFixed(2));

/** Median and range of samples. */
export const spread = (samples, unit) => `${show(median(samples))} ${unit} (${show(Math.min(...samples))} to ${show(Math.max(...samples))}, n ${samples.length})`;

/** One line of the table; `value` and `atMost` only where there is a bar. */
export function figure(name, text, bar) {
  return { name, text, bar: bar === undefined ? '' : `≤ ${bar.atMost}`, verdict: bar === undefined ? '' : bar.value <= bar.atMost ? 'pass' : 'MISSED' };
}

export function printTable(title, figures) {
  const rows = [[title, 'measured', 'bar', ''], ...figures.map((one) => [one.name, one.text, one.bar, one.verdict])];
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column].length)));
  const line = (row) => `  ${widths.map((width, column) => row[column].padEnd(width)).join('  ')}  ${row[3]}`.trimEnd();
  process.stdout.write(`\n${rows.map(line).join('\n')}\n`);
}
