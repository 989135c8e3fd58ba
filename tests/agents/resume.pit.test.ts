import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { AttemptRecord } from '../../src/protocol/records.js';
import type { OutcomeRecord } from '../../src/runs/run-dir.js';
import type { Pit } from '../rig/pit.js';
import type { Core } from './headless.js';
import type { ModelStub, Turn } from './model-stub.js';
import { CORE, sampled } from './sample.js';
import { ended, PATIENCE_MS, REAL, runDir, withAgent } from './stubbed.js';

const WHY = 'Your session was interrupted from outside';
const STEP = 'printf step >> steps.txt';
/** A tool call, then an answer that never ends. */
const WORK: readonly Turn[] = [{ tool: 'bash', command: STEP }, { slow: 90_000, chunks: 90, text: 'word '.repeat(90) }];
const TEXT: readonly Turn[] = [{ text: 'It is all done.' }];
/** In the full screen the stub goes by the length of the conversation. */
const SAYS: readonly Turn[] = [{ tool: 'bash', command: '"$SNAKEPIT_COMMAND" done "it is done"' }, { tool: 'bash', command: '"$SNAKEPIT_COMMAND" done "it is done"' }, { tool: 'bash', command: '"$SNAKEPIT_COMMAND" done "it is done"' }, { text: 'It is all done.' }];

type Killer = 'wrapper' | 'tmux server';
interface Past {
  readonly dir: string;
  readonly attempt: AttemptRecord | undefined;
  readonly outcome: OutcomeRecord | undefined;
}

const read = <T>(file: string): T | undefined => (existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as T) : undefined);

function past(pit: Pit, id = 'a'): Past[] {
  const top = join(pit.layout.runs, id);
  const dirs = existsSync(top) ? readdirSync(top).filter((name) => /^\d{3}-/.test(name)).sort() : [];
  return dirs.map((name) => ({ dir: join(top, name), attempt: read<AttemptRecord>(join(top, name, 'attempt.json')), outcome: read<OutcomeRecord>(join(top, name, 'outcome.json')) }));
}

const bodies = (stub: ModelStub, from: number): string[] => stub.asked.slice(from).filter((one) => !one.side).map((one) => JSON.stringify(one.body));

const tmuxPid = (pit: Pit): number => Number(execFileSync('tmux', ['-S', pit.layout.tmuxSocket, 'display-message', '-p', '#{pid}'], { encoding: 'utf8' }));

/** kill -9, in the middle of an answer; returns how much the stub had been asked by then. */
async function interrupt(pit: Pit, stub: ModelStub, killer: Killer, from = 0): Promise<number> {
  await pit.until('it streams its answer', () => stub.asked.slice(from).filter((one) => !one.side).length >= 2, PATIENCE_MS);
  await sleep(1500);
  const pid = killer === 'wrapper' ? Number(readFileSync(join(runDir(pit, 'a'), 'session'), 'utf8').split(' ')[0]) : tmuxPid(pit);
  const asked = stub.asked.length;
  const before = past(pit).filter((one) => one.outcome !== undefined).length;
  process.kill(pid, 'SIGKILL');
  await pit.until('the attempt has ended', () => past(pit).filter((one) => one.outcome !== undefined).length > before, 30_000);
  return asked;
}

const kinds = (pit: Pit): (string | undefined)[] => past(pit).map((one) => one.outcome?.outcome.kind);
const resumed = (pit: Pit): (boolean | undefined)[] => past(pit).map((one) => one.attempt?.resumed);
const session = (pit: Pit, at: number): string | undefined => past(pit)[at]?.attempt?.session;

describe.each(CORE)('%s in print mode, interrupted', REAL, (name) => {
  it('resumes its very session, once; then starts afresh', { timeout: 400_000 }, () =>
    withAgent(name, async (pit, stub) => {
      stub.script('work', WORK);
      pit.dropTask('a.md', 'Please do [[work]].\n');
      const first = await interrupt(pit, stub, 'wrapper');
      const second = await interrupt(pit, stub, 'wrapper', first);
      const between = bodies(stub, first);
      expect(between[0]).toContain(WHY);
      expect(between[0]).toContain(STEP);
      stub.script('work', TEXT);
      await pit.until('it has ended', () => ended(pit, 'a') !== undefined, PATIENCE_MS);
      expect(kinds(pit)).toEqual(['lost', 'lost', 'done']);
      expect(resumed(pit)).toEqual([false, true, false]);
      expect(past(pit)[1]?.outcome?.next).toMatchObject({ counters: { failures: 0, losses: 2, deferrals: 0 } });
      expect(session(pit, 2)).not.toBe(session(pit, 1));
      const [fresh] = bodies(stub, second);
      expect(fresh).not.toContain(WHY);
      expect(fresh).not.toContain(STEP);
    }));
});

describe.each(sampled<Core>(CORE, ['claude', 'opencode']))('%s in print mode', REAL, (name) => {
  it('outlives the tmux server, or is resumed', { timeout: 300_000 }, () =>
    withAgent(name, async (pit, stub) => {
      stub.script('work', [WORK[0]!, { slow: 9000, chunks: 30, text: 'word '.repeat(30) }]);
      pit.dropTask('a.md', 'Please do [[work]].\n');
      await pit.until('it streams its answer', () => stub.of('work').length >= 2, PATIENCE_MS);
      process.kill(tmuxPid(pit), 'SIGKILL');
      await pit.until('it has ended', () => ended(pit, 'a') !== undefined, PATIENCE_MS);
      console.log(`${name}: ${kinds(pit).join(', ')}`);
      expect(kinds(pit).at(-1)).toBe('done');
      expect(kinds(pit).slice(0, -1).every((kind) => kind === 'lost')).toBe(true);
      expect(resumed(pit)).toEqual([false, true].slice(0, kinds(pit).length));
    }));
});

describe.each(sampled<Core>(CORE, ['codex', 'gemini', 'pi']))('%s in print mode, interrupted', REAL, (name) => {
  it('starts afresh where its session is gone, and no attempt is spent on that', { timeout: 300_000 }, () =>
    withAgent(name, async (pit, stub) => {
      stub.script('work', WORK);
      pit.dropTask('a.md', 'Please do [[work]].\n');
      await pit.until('it streams its answer', () => stub.of('work').length >= 2, PATIENCE_MS);
      await pit.ok('pause');
      const first = await interrupt(pit, stub, 'wrapper');
      // What the kill left of the program is ended before its claim goes back; until then it would write its home anew.
      await pit.until('it has gone back', () => pit.events().some((event) => event.kind === 'task-requeued'), PATIENCE_MS);
      rmSync(join(pit.layout.homes, 'a'), { recursive: true, maxRetries: 20, retryDelay: 100 });
      stub.script('work', TEXT);
      await pit.ok('resume');
      await pit.until('it has ended', () => ended(pit, 'a') !== undefined, PATIENCE_MS);
      expect(ended(pit, 'a')).toBe('done');
      expect(past(pit).every((one) => one.outcome?.outcome.kind !== 'failed')).toBe(true);
      expect(bodies(stub, first).at(-1)).not.toContain(STEP);
      expect(resumed(pit)).toEqual([false, false]);
    }));
});

const FULL: readonly Core[] = ['claude', 'pi'];
describe.each(FULL)('%s in its full screen, interrupted', REAL, (name) => {
  it.each<Killer>(sampled<Killer>(['wrapper', 'tmux server'], [name === 'claude' ? 'wrapper' : 'tmux server']))('resumes its very session when its %s was killed', { timeout: 300_000 }, (killer) =>
    withAgent(name, async (pit, stub) => {
      stub.script('default', WORK);
      pit.dropTask('a.md', '---\nmode: interactive\n---\nPlease work.\n');
      const first = await interrupt(pit, stub, killer);
      stub.script('default', SAYS);
      await pit.until('it has ended', () => ended(pit, 'a') !== undefined, PATIENCE_MS);
      expect(kinds(pit)).toEqual(['lost', 'done']);
      expect(resumed(pit)).toEqual([false, true]);
      expect(bodies(stub, first)[0]).toContain(STEP);
      expect(readFileSync(join(past(pit)[1]?.dir ?? '', 'prompt.md'), 'utf8')).toContain(WHY);
    }));
});

describe('after a failure of its own', REAL, () => {
  it('claude starts afresh', { timeout: 300_000 }, () =>
    withAgent('claude', async (pit, stub) => {
      stub.script('fail', [{ tool: 'bash', command: `${STEP}; "$SNAKEPIT_COMMAND" fail "not yet"` }, { text: 'It failed.' }]);
      pit.dropTask('a.md', '---\nattempts: 2\n---\nPlease do [[fail]].\n');
      await pit.until('it has failed once', () => kinds(pit)[0] === 'failed', PATIENCE_MS);
      const asked = stub.asked.length;
      await pit.until('it has ended', () => ended(pit, 'a') !== undefined, PATIENCE_MS);
      expect(resumed(pit)).toEqual([false, false]);
      expect(bodies(stub, asked)[0]).not.toContain(WHY);
    }));
});

describe('with a context that is nearly full', REAL, () => {
  it.each(sampled<Core>(['claude', 'codex'], ['codex']))('%s starts afresh', { timeout: 300_000 }, (name) =>
    withAgent(name, async (pit, stub) => {
      stub.script('work', WORK);
      pit.dropTask('a.md', 'Please do [[work]].\n');
      await interrupt(pit, stub, 'wrapper');
      stub.script('work', TEXT);
      await pit.until('it has ended', () => ended(pit, 'a') !== undefined, PATIENCE_MS);
      expect(kinds(pit)).toEqual(['lost', 'done']);
      expect(resumed(pit)).toEqual([false, false]);
    }, 1, (agent) => ({ [agent]: { context: 1100 } })));
});
