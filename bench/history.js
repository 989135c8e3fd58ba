import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { CLI, NODE, cleanEnv, figure, median, onEnd, show, snakepit, spread, tempDir } from './lib.js';

const PAIRS = 5;
const FEW_PAIRS = 2;
const SIZES = { few: 100, many: 10_000 };
/** 200 ms over a bare node that starts in 45 to 50: a machine that is busy is as slow for both. */
const AT_MOST = 5;
/** Greatest memory, of a pit with a hundred times as many ended tasks. */
const MEMORY_AT_MOST = 1.5;
/** Where each of the ten thousand is a row of what is printed. */
const ROWS_MEMORY_AT_MOST = 2;
/** What reads every line of the log and the ledger of one night, and two hundred tasks' records: no bar of 200 ms, but one that it cannot grow past unseen. */
const WHOLE_NIGHT_AT_MOST = 9;

const MODELS = ['claude-opus-4-5', 'claude-haiku-4-5', 'a-model-without-a-price'];

/** A pit whose tasks have ended, with the records, stories, events and the ledger that a night leaves; it has run, so its configuration is published. One in fifty failed. */
export function pitWithHistory(count) {
  const dir = tempDir();
  snakepit(dir, ['init']);
  onEnd(() => {
    if (existsSync(dir)) snakepit(dir, ['down', '--now']);
  });
  snakepit(dir, ['up', '-n', '0']);
  snakepit(dir, ['down', '--now']);
  const ledger = new Map();
  const from = Date.now() - count * 1000;
  const lines = [];
  for (let index = 0; index < count; index += 1) {
    const failed = index % 50 === 49;
    const id = `task-${String(index).padStart(5, '0')}`;
    const nonce = index.toString(36).padStart(10, '0');
    const marker = `${id}~0.0.0~${nonce}`;
    const at = from + index * 1000;
    const run = join(dir, '.snakepit', 'runs', id, `001-${nonce}`);
    mkdirSync(run, { recursive: true });
    const next = failed ? { kind: 'failed', why: 'exit-status: it exited with status 3', counters: { failures: 1, losses: 0, deferrals: 0 } } : { kind: 'done', counters: { failures: 0, losses: 0, deferrals: 0 } };
    const outcome = failed ? { kind: 'failed', reason: 'exit-status', detail: 'it exited with status 3' } : { kind: 'done', message: 'all of it' };
    writeFileSync(join(run, 'outcome.json'), JSON.stringify({ marker, attempt: 1, agent: 'claude', startedAt: at - 900, endedAt: at, outcome, next }));
    writeFileSync(join(run, 'agent-end.json'), JSON.stringify({ state: { kind: 'exited', source: 'exit', rule: 'it exited', evidence: 'status 0' }, since: at, tokens: { input: 1200, output: 80, cacheRead: 0, cacheWrite: 0, reasoning: 0, costUsd: 0.01, source: 'stream', session: nonce } }));
    const ended = join(dir, 'queue', failed ? 'failed' : 'done', id);
    writeFileSync(`${ended}.md`, `# Task ${index}\n\nDo it.\n`);
    writeFileSync(`${ended}.result.md`, `# ${failed ? 'Failed' : 'Done'}: Task ${index}\n\n- **task**: ${id}\n${failed ? '- **why**: exit-status: it exited with status 3\n' : ''}`);
    const month = new Date(at).toISOString().slice(0, 7);
    if (!ledger.has(month)) ledger.set(month, []);
    ledger.get(month).push(JSON.stringify({ v: 1, kind: 'task', id, run: `${id}/001-${nonce}`, ...(index % 3 === 0 ? { step: 'review' } : {}), attempt: 1, at, ms: 900, profile: 'claude', account: `account-${index % 4}`, session: `sp-${nonce}`, model: MODELS[index % 3], input: 1200 + index, output: 80, cacheRead: 5000, cacheWrite: 100, reasoning: 0, source: 'transcript' }));
    const event = (kind, rest) => lines.push(JSON.stringify({ v: 1, at, kind, id, ...rest }));
    event('task-added', { from: `${id}.md`, state: 'ready' });
    event('task-claimed', { snake: 's1', attempt: 1, marker });
    event('session-launched', { snake: 's1', session: `sp-${nonce}`, marker });
    event(failed ? 'task-failed' : 'task-done', { marker, attempt: 1, ...(failed ? { why: 'exit-status' } : {}) });
  }
  mkdirSync(join(dir, '.snakepit', 'log'), { recursive: true });
  writeFileSync(join(dir, '.snakepit', 'log', 'events.jsonl'), `${lines.join('\n')}\n`);
  mkdirSync(join(dir, '.snakepit', 'ledger'), { recursive: true });
  for (const [month, entries] of ledger) writeFileSync(join(dir, '.snakepit', 'ledger', `${month}.jsonl`), `${entries.join('\n')}\n`);
  return dir;
}

/** Wall time and greatest memory of one run to its end. */
function measured(args, dir, peak) {
  const startedAt = performance.now();
  const ran = spawnSync(NODE, [...peak.options, ...args], { cwd: dir, env: cleanEnv(), stdio: 'ignore' });
  const ms = performance.now() - startedAt;
  if (ran.status !== 0) throw new Error(`node ${args.join(' ')} ended with ${ran.status}`);
  return { ms, mb: Number(readFileSync(peak.file, 'utf8')) / 1024 };
}

/** What people type in the morning, with ten thousand ended tasks behind them: time over a bare node, memory over that of a hundred. */
export async function history() {
  const dir = tempDir();
  const file = join(dir, 'peak');
  const hook = join(dir, 'hook.mjs');
  writeFileSync(hook, `import { writeFileSync } from 'node:fs';\nprocess.on('exit', () => writeFileSync(${JSON.stringify(file)}, String(process.resourceUsage().maxRSS)));\n`);
  const peak = { file, options: ['--import', pathToFileURL(hook).href] };
  const pits = Object.fromEntries(Object.entries(SIZES).map(([name, count]) => [name, pitWithHistory(count)]));
  const commands = {
    ls: ['ls'],
    'ls done': ['ls', 'done'],
    show: ['show', 'task-00042'],
    status: ['status'],
    'top --once': ['top', '--once'],
    'tokens (by task)': ['tokens'],
    ...Object.fromEntries(['step', 'profile', 'account', 'model', 'day'].map((by) => [`tokens --by ${by}`, ['tokens', '--by', by]])),
    // Without a metrics.json: no pit has counted yet.
    metrics: ['metrics'],
    report: ['report', '--since', '30d'],
    'completion of a task': ['completion', 'bash', '--', 'show', 'task-0'],
    'completion of --only': ['completion', 'bash', '--', 'cleanup', '--only', ''],
  };
  const bare = [];
  const runs = Object.fromEntries(Object.keys(commands).map((name) => [name, { few: [], many: [] }]));
  for (let pair = 0; pair <= PAIRS; pair += 1) {
    const base = measured(['-e', '0'], dir, peak);
    for (const [name, args] of Object.entries(commands)) {
      for (const size of Object.keys(SIZES)) {
        // What a hundred take is asked for its memory, which hardly differs from run to run.
        if (size === 'few' && pair > FEW_PAIRS) continue;
        const one = measured([CLI, '-C', pits[size], ...args], dir, peak);
        if (pair > 0) runs[name][size].push({ ...one, ratio: one.ms / base.ms });
      }
    }
    if (pair > 0) bare.push(base.ms);
  }
  const of = (list, key) => list.map((one) => one[key]);
  return [
    figure('node -e 0', spread(bare, 'ms')),
    ...Object.entries(runs).flatMap(([name, { few, many }]) => {
      const ratio = median(of(many, 'ratio'));
      const memory = median(of(many, 'mb')) / median(of(few, 'mb'));
      return [
        figure(`${name}, ${SIZES.many.toLocaleString('en')} ended / node -e 0`, `${show(ratio)} times (median of pairs; ${show(median(of(few, 'ratio')))} with ${SIZES.few}), ${show(median(of(many, 'ms')))} ms`, { value: ratio, atMost: name === 'report' ? WHOLE_NIGHT_AT_MOST : AT_MOST }),
        figure(`${name}, memory, ${SIZES.many.toLocaleString('en')} / ${SIZES.few} ended`, `${show(memory)} times, ${show(median(of(many, 'mb')))} MB`, { value: memory, atMost: name === 'report' || name === 'tokens (by task)' ? ROWS_MEMORY_AT_MOST : MEMORY_AT_MOST }),
      ];
    }),
  ];
}
