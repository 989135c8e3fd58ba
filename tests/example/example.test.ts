import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/*
 * The example that the README names, as a person runs it: the same run.sh, with real snakes in real tmux sessions, into a
 * temporary directory. What it leaves is then read from the files, not from its words.
 */

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const EXAMPLE = join(ROOT, 'examples', 'snakepit');
const FAILS = 'impossible-without-you';
const DEADLINE_MS = 120_000;

interface Ran {
  readonly code: number | null;
  readonly output: string;
}

interface Attempt {
  readonly startedAt: number;
  readonly endedAt: number;
  readonly outcome: { readonly kind: string; readonly reason?: string };
}

/** Runs to its end; nothing but the deadline kills it, and TERM lets its trap take the pit down. */
function run(command: string, args: readonly string[], options: { cwd: string; deadlineMs: number }): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const env = Object.fromEntries(Object.entries(process.env).filter(([key]) => !key.startsWith('SNAKEPIT_') && key !== 'KEEP_UP'));
    const child = spawn(command, args, { cwd: options.cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const keep = (chunk: Buffer): void => {
      output += chunk.toString('utf8');
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    const timer = setTimeout(() => child.kill('SIGTERM'), options.deadlineMs);
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code, output });
    });
  });
}

/** The processes that bear the pit's mark: snakes, sessions, and whatever sessions started. */
function processesOf(pitId: string): string[] {
  return fs.readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return fs.readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(`SNAKEPIT_PIT=${pitId}`);
    } catch {
      return false; // It has ended, or is not ours to read.
    }
  });
}

const tasksIn = (dir: string): string[] => fs.readdirSync(dir).filter((name) => name.endsWith('.md') && !name.endsWith('.result.md')).map((name) => name.slice(0, -3)).sort();

describe('the example', () => {
  const wanted = tasksIn(join(EXAMPLE, 'tasks'));
  const base = fs.mkdtempSync(join(tmpdir(), 'snakepit-example-'));
  const pit = join(base, 'pit');
  const beside = fs.readdirSync(ROOT);
  let ran: Ran | undefined;

  const story = (state: 'done' | 'failed', id: string): string => fs.readFileSync(join(pit, 'queue', state, `${id}.result.md`), 'utf8');
  const attemptsOf = (id: string): Attempt[] => {
    const runs = join(pit, '.snakepit', 'runs', id);
    return fs.readdirSync(runs).sort().map((name) => JSON.parse(fs.readFileSync(join(runs, name, 'outcome.json'), 'utf8')) as Attempt);
  };
  const endOf = (id: string): number => Math.max(...attemptsOf(id).map((attempt) => attempt.endedAt));

  beforeAll(async () => {
    // From a foreign directory with a relative name, and without a terminal: neither may matter.
    ran = await run('sh', [join(EXAMPLE, 'run.sh'), 'pit'], { cwd: base, deadlineMs: DEADLINE_MS - 20_000 });
  }, DEADLINE_MS);

  afterAll(async () => {
    if (ran?.code !== 0 && fs.existsSync(join(pit, '.snakepit', 'pit-id'))) await run(process.execPath, [join(ROOT, 'bin', 'snakepit.js'), '-C', pit, 'down', '--now'], { cwd: base, deadlineMs: 30_000 });
    fs.rmSync(base, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    expect(fs.existsSync(base)).toBe(false);
  }, 60_000);

  it('ends well, and says so', () => {
    expect(ran?.code, ran?.output).toBe(0);
    expect(ran?.output).toContain(`As it should be: ${wanted.length - 1} done; ${FAILS} failed`);
  });

  it('brings every task to exactly one end', () => {
    expect(wanted.length).toBeGreaterThanOrEqual(14);
    expect(tasksIn(join(pit, 'queue', 'done'))).toEqual(wanted.filter((id) => id !== FAILS));
    expect(tasksIn(join(pit, 'queue', 'failed'))).toEqual([FAILS]);
    for (const state of ['.', 'ready', 'waiting', 'held', 'claimed', 'reaping', 'stuck', 'needs']) expect(tasksIn(join(pit, 'queue', state)), state).toEqual([]);
    for (const id of wanted) {
      const ends = attemptsOf(id).filter((attempt) => attempt.outcome.kind === 'done').length;
      expect(ends, `attempts of ${id} that were done`).toBe(id === FAILS ? 0 : 1);
      expect(attemptsOf(id), `attempts of ${id}`).toHaveLength(id === FAILS || id.startsWith('flaky-') ? 2 : 1);
    }
  });

  it('lets the summary wait for the two reports that it merges', () => {
    const started = attemptsOf('summary')[0]?.startedAt ?? Number.NaN;
    expect(started).toBeGreaterThanOrEqual(Math.max(endOf('lines-per-room'), endOf('longest-files')));
    const summary = fs.readFileSync(join(pit, 'results', 'summary.md'), 'utf8');
    expect(summary).toContain('## Lines per room');
    expect(summary).toContain('## The longest files');
    expect(story('done', 'summary')).toMatch(/\d+ files, \d+ lines in total/);
  });

  it('tries the flaky one twice', () => {
    expect(attemptsOf('flaky-cold-cache').map((attempt) => attempt.outcome.kind)).toEqual(['failed', 'done']);
    expect(story('done', 'flaky-cold-cache')).toMatch(/after 2 attempts/);
    expect(story('done', 'flaky-cold-cache')).toContain('read from the warm cache at attempt 2');
  });

  it('fails the impossible one for good, and its story says why and what to do', () => {
    const text = story('failed', FAILS);
    expect(text).toMatch(/after 2 attempts/);
    expect(text).toContain('nobody has signed off the sources');
    expect(text).toContain(`snakepit retry ${FAILS}`);
    expect(text).toContain('cp results/checksums.sha256 signed-off.sha256');
  });

  it('writes nothing beside the sources that it reads', () => {
    expect(fs.readdirSync(ROOT).filter((name) => !beside.includes(name))).toEqual([]);
  });

  it('leaves no process and no tmux server', async () => {
    const pitId = fs.readFileSync(join(pit, '.snakepit', 'pit-id'), 'utf8').trim();
    expect(pitId).toMatch(/^[0-9a-f-]{36}$/);
    expect(processesOf(pitId)).toEqual([]);
    const sessions = await run('tmux', ['-S', join(pit, '.snakepit', 'tmux.sock'), 'list-sessions'], { cwd: base, deadlineMs: 10_000 });
    expect(sessions.code, sessions.output).not.toBe(0);
    expect(sessions.output).toMatch(/no server running|error connecting|No such file/);
  });
});
