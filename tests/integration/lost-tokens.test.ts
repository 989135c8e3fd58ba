import * as fs from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { identify } from '../../src/lib/linux-processes.js';
import { QUICK, type Pit } from '../rig/pit.js';
import { spenderProfile, spenderTask } from '../rig/spender.js';
import { hasEnded, isIn, killPit, read, story, withPit } from './rig.js';

/* What attempts used whose snake was killed, or called back, before it could count. Real processes, exact figures. */

const PRICES = 'prices: [{model: stub-1, from: 2020-01-01, input: 2, output: 10, cache-read: 0.5, cache-write: 4}]';
const config = (profile: string, ...more: readonly string[]): { config: string[] } => ({ config: [...QUICK, 'agent: spender', profile, PRICES, ...more] });
const PATIENCE_MS = 60_000;

const linesOf = (pit: Pit): Record<string, unknown>[] => (fs.existsSync(pit.layout.ledger) ? fs.readdirSync(pit.layout.ledger) : []).flatMap((name) => read(join(pit.layout.ledger, name)).split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as Record<string, unknown>));
const runOf = (pit: Pit, id: string): string => join(pit.layout.runs, id, fs.readdirSync(join(pit.layout.runs, id)).filter((name) => /^\d{3}-/.test(name)).sort().at(-1) ?? '');
const has = (dir: string, file: string): boolean => fs.existsSync(join(dir, file));

/** Until its transcript has this turn. */
async function spends(pit: Pit, id: string, turn: string): Promise<void> {
  const home = join(pit.layout.homes, id);
  const texts = (): string => (fs.existsSync(home) ? (fs.readdirSync(home, { recursive: true }) as string[]) : []).filter((name) => name.endsWith('.jsonl')).map((name) => read(join(home, name))).join('');
  await pit.until(`${id} has used its tokens`, () => texts().includes(turn), PATIENCE_MS);
}

/** kill -9 of the pit, its snakes, and the session of a task with all that it started. */
async function killAll(pit: Pit, id: string): Promise<void> {
  const leader = identify(Number(read(join(runOf(pit, id), 'session')).split(' ')[0]));
  const snakes = await pit.snakes();
  await killPit(pit);
  for (const { process: snake } of snakes) await pit.kill(snake);
  if (leader !== undefined) process.kill(-leader.pid, 'SIGKILL');
  await pit.until('all are dead', async () => (await pit.snakes()).length === 0, PATIENCE_MS);
}

const MONEY = (120 * 2 + 10 * 10 + 1000 * 0.5) / 1e6;

describe('an attempt whose snake was killed before it counted', () => {
  it('is entered by the reaper, once, with its exact figures: in the ledger, the sums, its story and the budget', () =>
    withPit(config(spenderProfile(), 'losses: 1', 'budget: {day: {tokens: 1k}}'), async (pit) => {
      await pit.up(1);
      pit.dropTask('a.md', spenderTask([[{ in: 100, out: 10, read: 1000 }, { in: 20 }, { until: pit.beside('never') }]]));
      await spends(pit, 'a', 'msg-1-2');
      await killAll(pit, 'a');
      expect(linesOf(pit)).toEqual([]);
      expect((await pit.cli('cleanup', '--only', 'reaper')).code).toBe(1);
      expect(hasEnded(pit, 'failed', 'a')).toBe(true);
      expect(linesOf(pit)).toMatchObject([{ v: 1, kind: 'task', id: 'a', run: `a/${basename(runOf(pit, 'a'))}`, attempt: 1, profile: 'spender', input: 120, output: 10, cacheRead: 1000, source: 'transcript' }]);
      expect(story(pit, 'failed', 'a')).toMatch(/- \*\*tokens\*\*: 120 in, 10 out, 1,000 from the cache; stub-1; from its transcript/);
      expect(story(pit, 'failed', 'a')).toContain('by the list of prices');
      const { total } = JSON.parse(await pit.ok('tokens', '--json')) as { total: { input: number; counted: number; usd: number } };
      expect([total.input, total.counted]).toEqual([120, 1]);
      expect(total.usd).toBeCloseTo(MONEY, 12);
      expect(await pit.ok('report', '--since', '1h')).toContain('$0.0008');
      expect((await pit.cli('cleanup')).stdout).not.toContain('count');
      await pit.up(0);
      expect(await pit.ok('status')).toContain('today: 1,130 tokens of 1,000 tokens, $0.0008; the budget of the day is spent: nothing is claimed');
      expect(linesOf(pit)).toHaveLength(1);
    }));

  it('and which is not the last: the resumed session is counted from there, whoever was killed in between', () =>
    withPit(config(spenderProfile()), async (pit) => {
      await pit.up(1);
      pit.dropTask('a.md', spenderTask([[{ in: 100, out: 10 }, { until: pit.beside('never') }], [{ in: 30, out: 3 }]]));
      await spends(pit, 'a', 'msg-1-1');
      await killAll(pit, 'a');
      await pit.cli('cleanup');
      expect(isIn(pit, 'failed', 'a')).toBe(false);
      expect(linesOf(pit).map(({ input }) => input)).toEqual([100]);
      await pit.up(1);
      await pit.until('a is done', () => hasEnded(pit, 'done', 'a'), PATIENCE_MS);
      expect(linesOf(pit).map(({ attempt, input, output, baseline }) => [attempt, input, output, (baseline as { input: number } | undefined)?.input])).toEqual([[1, 100, 10, undefined], [2, 30, 3, 100]]);
    }));

  it('whose program prints its transcript: beside the ticks of the next pit, and its story is told anew', () =>
    withPit({}, async (pit) => {
      const built = JSON.parse(spenderProfile().slice('agents: '.length)) as { spender: { transcript: { rules: unknown } } };
      const printed = spenderProfile({ transcript: { kind: 'command', argv: ['sh', '-c', `cat '${pit.beside('printed')}'/"$0".jsonl`, '{session}'], each: 'lines', rules: built.spender.transcript.rules } });
      fs.writeFileSync(pit.layout.configFile, `${config(printed, 'losses: 1').config.join('\n')}\n`);
      await pit.up(1);
      pit.dropTask('a.md', spenderTask([[{ in: 100, out: 10, read: 1000 }, { in: 20 }, { say: 'spent' }, { until: pit.beside('never') }]]));
      await spends(pit, 'a', 'msg-1-2');
      const { session, home } = JSON.parse(read(join(runOf(pit, 'a'), 'attempt.json'))) as { session: string; home: string };
      fs.mkdirSync(pit.beside('printed'));
      fs.copyFileSync(join(home, 'projects', 'work', `${session}.jsonl`), join(pit.beside('printed'), `${session}.jsonl`));
      await killAll(pit, 'a');
      await pit.up(0);
      await pit.until('it has failed', () => hasEnded(pit, 'failed', 'a'), PATIENCE_MS);
      await pit.until('it is entered', () => has(runOf(pit, 'a'), 'entered'), PATIENCE_MS);
      expect(linesOf(pit)).toMatchObject([{ id: 'a', input: 120, output: 10, cacheRead: 1000, source: 'export' }]);
      await pit.until('its story says so', () => story(pit, 'failed', 'a').includes('120 in, 10 out'), PATIENCE_MS);
    }));

  it('called back by down --now, is counted as it goes', () =>
    withPit(config(spenderProfile()), async (pit) => {
      await pit.up(1);
      pit.dropTask('a.md', spenderTask([[{ in: 100, out: 10 }, { until: pit.beside('never') }]]));
      await spends(pit, 'a', 'msg-1-1');
      await pit.ok('down', '--now');
      expect(linesOf(pit).map(({ id, input, output }) => [id, input, output])).toEqual([['a', 100, 10]]);
      expect(isIn(pit, 'ready', 'a')).toBe(true);
    }));
});
