import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { QUICK, type Pit } from '../rig/pit.js';
import { spenderProfile, spenderTask } from '../rig/spender.js';
import { fileOf, head, hasEnded, isIn, killPit, sh, story, withPit } from './rig.js';

/* What attempts used, as their transcripts say, in the ledger, the report and the stories. */

const PRICES = 'prices: [{model: stub-1, from: 2020-01-01, input: 2, output: 10, cache-read: 0.5, cache-write: 4}]';
const config = (...more: readonly string[]): { config: string[] } => ({ config: [...QUICK, 'agent: spender', spenderProfile(), PRICES, ...more] });
const ended = (pit: Pit, id: string, state: 'done' | 'failed' = 'done'): Promise<void> => pit.until(`${id} is ${state}, with its story`, () => hasEnded(pit, state, id), 60_000);
const linesOf = (pit: Pit): Record<string, unknown>[] => {
  const dir = pit.layout.ledger;
  return (fs.existsSync(dir) ? fs.readdirSync(dir).sort() : []).flatMap((name) => fs.readFileSync(join(dir, name), 'utf8').split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as Record<string, unknown>));
};

describe('tokens', () => {
  it('of each attempt stand in the ledger once, and the report adds them up by whatever is asked', () =>
    withPit(config('attempts: 2'), async (pit) => {
      await pit.up(2);
      pit.dropTask('a.md', spenderTask([[{ in: 100, out: 10, read: 1000, write: 50 }, { in: 5, out: 5, model: 'stub-1' }, { exit: 3 }], [{ in: 1, out: 2 }, { in: 7, out: 8, model: 'priceless' }]]));
      pit.dropTask('c.md', head('agent: shell') + sh('true'));
      for (const id of ['a', 'c']) await ended(pit, id);
      const lines = linesOf(pit).filter((line) => line['id'] === 'a');
      expect(lines).toMatchObject([
        { v: 1, kind: 'task', attempt: 1, profile: 'spender', account: 'spending', model: 'stub-1', input: 105, output: 15, cacheRead: 1000, cacheWrite: 50, source: 'transcript' },
        { attempt: 2, model: 'priceless', models: { 'stub-1': { input: 1, output: 2 }, priceless: { input: 7, output: 8 } }, input: 8, output: 10 },
      ]);
      expect(linesOf(pit).filter((line) => line['id'] === 'c')).toEqual([]);
      const report = JSON.parse(await pit.ok('tokens', '--json')) as { total: object; rows: { task: string }[] };
      expect(report.total).toMatchObject({ input: 113, output: 25, cacheRead: 1000, cacheWrite: 50, unpriced: { 'no price is known for priceless': 1 } });
      expect((report.total as { usd: number }).usd).toBeCloseTo((105 * 2 + 15 * 10 + 1000 * 0.5 + 50 * 4) / 1e6, 12);
      const byModel = JSON.parse(await pit.ok('tokens', '--by', 'model', '--json')) as { rows: { model: string; input: number; usd: number }[] };
      expect(byModel.rows.map((row) => [row.model, row.input])).toEqual([['stub-1', 106], ['priceless', 7]]);
      const text = await pit.ok('tokens', '--by', 'profile', '--since', '1h');
      expect(text).toMatch(/PROFILE +INPUT +OUTPUT +CACHE READ +CACHE WRITE +MONEY +TIME +ATTEMPTS\nspender +113 +25 +1,000 +50 +\$0\.0011 \+ unknown /);
      expect(text).toContain('1 attempt without a price: no price is known for priceless (1)');
      expect((await pit.cli('tokens', '--by', 'colour')).code).toBe(64);
      expect((await pit.cli('tokens', '--since', 'soon')).code).toBe(64);
      expect(await pit.ok('tokens', '--since', '2999-01-01')).toContain('nothing was counted since');
      expect(pit.events().filter((event) => event.kind === 'tokens-counted' && event.id === 'a')).toHaveLength(2);
    }));

  it('of a session that was resumed are counted once: the ledger says what was there before', () =>
    withPit(config(), async (pit) => {
      const go = pit.beside('go');
      await pit.up(1);
      pit.dropTask('a.md', spenderTask([[{ in: 100, out: 10 }, { until: go }], [{ in: 30, out: 3 }]]));
      const runs = join(pit.layout.runs, 'a');
      await pit.until('its session works', () => fs.existsSync(runs) && fs.readdirSync(runs).some((run) => fs.existsSync(join(runs, run, 'session'))));
      const home = join(pit.layout.homes, 'a');
      const transcripts = (): string[] => (fs.existsSync(home) ? (fs.readdirSync(home, { recursive: true }) as string[]) : []).filter((name) => name.endsWith('.jsonl'));
      await pit.until('its transcript has a turn', () => transcripts().some((name) => fs.readFileSync(join(home, name), 'utf8').includes('msg-1-1')));
      const dir = fs.readdirSync(runs)[0] ?? '';
      process.kill(Number(fs.readFileSync(join(runs, dir, 'session'), 'utf8').split(' ')[0]), 'SIGKILL');
      await ended(pit, 'a');
      expect(transcripts()).toHaveLength(1);
      expect(linesOf(pit).map(({ attempt, input, output, baseline }) => ({ attempt, input, output, baseline }))).toEqual([
        { attempt: 1, input: 100, output: 10, baseline: undefined },
        { attempt: 2, input: 30, output: 3, baseline: { input: 100, output: 10, cacheRead: 0, cacheWrite: 0, reasoning: 0 } },
      ]);
      expect(fs.existsSync(fileOf(pit, 'done', 'a'))).toBe(true);
    }));
});

describe('the budget of a day', () => {
  it('counts what the session that runs has used so far, once: nothing more is claimed, and it goes on to its end', () =>
    withPit(config('budget: {day: {tokens: 1k}}'), async (pit) => {
      const go = pit.beside('go');
      await pit.up(2);
      pit.dropTask('a.md', spenderTask([[{ in: 1000, out: 10 }, { until: go }, { in: 5 }]]));
      const today = async (): Promise<string> => /^today: .*$/m.exec(await pit.ok('status'))?.[0] ?? '';
      await pit.until('what it has used is seen', async () => (await today()).startsWith('today: 1,010 tokens'), 60_000);
      expect(await today()).toContain('the budget of the day is spent: nothing is claimed');
      expect(linesOf(pit)).toEqual([]);
      pit.dropTask('b.md', spenderTask([[{ in: 1 }]]));
      await pit.until('b waits in line', () => isIn(pit, 'ready', 'b'));
      expect(await pit.ok('explain', 'b')).toContain('the budget of the day is spent (1,010 tokens of 1,000 tokens): nothing is claimed');
      expect(await pit.ok('explain', 'a')).toMatch(/its tokens so far +1,000 in, 10 out/);
      expect(await pit.ok('show', 'a')).toContain('tokens    1,000 in, 10 out; stub-1, so far in this session');
      expect(await pit.ok('top', '--once')).toMatch(/a .*1\.0k/);
      fs.writeFileSync(go, '');
      await ended(pit, 'a');
      expect(await today()).toMatch(/^today: 1,015 tokens of/);
      expect(isIn(pit, 'ready', 'b')).toBe(true);
      expect(linesOf(pit)).toHaveLength(1);
    }));

  it('spent, nothing more is claimed, also by the next pit: it says so, tells once, and raising it lets the tasks go', () =>
    withPit(config('budget: {day: {tokens: 1k}}', 'snakes: 1'), async (pit) => {
      await pit.up(1);
      pit.dropTask('a.md', spenderTask([[{ in: 850 }]]));
      await ended(pit, 'a');
      await pit.until('it is warned of', () => pit.events().some((event) => event.kind === 'budget-warned'));
      pit.dropTask('b.md', spenderTask([[{ in: 200 }]]));
      await ended(pit, 'b');
      expect(story(pit, 'done', 'b')).toContain('$0.0004 by the list of prices');
      await pit.until('it is told of', () => pit.events().some((event) => event.kind === 'budget-reached'));
      pit.dropTask('c.md', spenderTask([[{ in: 1 }]]));
      await pit.until('c waits in line', () => isIn(pit, 'ready', 'c'));
      expect(await pit.ok('status')).toContain('today: 1,050 tokens of 1,000 tokens, $0.0021; the budget of the day is spent: nothing is claimed');
      expect(await pit.ok('explain', 'c')).toContain('the budget of the day is spent (1,050 tokens of 1,000 tokens): nothing is claimed');
      await killPit(pit);
      await pit.up(1);
      pit.dropTask('d.md', spenderTask([[{ in: 1 }]]));
      await pit.until('d waits in line', () => isIn(pit, 'ready', 'd'));
      expect(isIn(pit, 'ready', 'c')).toBe(true);
      expect(pit.events().filter((event) => event.kind === 'budget-reached' || event.kind === 'budget-warned').map((event) => event.kind)).toEqual(['budget-warned', 'budget-reached']);
      fs.writeFileSync(pit.layout.configFile, fs.readFileSync(pit.layout.configFile, 'utf8').replace('tokens: 1k', 'tokens: 2k'));
      for (const id of ['c', 'd']) await ended(pit, id);
    }));
});

describe('the budget of a task', () => {
  it('spent, its session is ended and it is parked with its question; raised, the same session goes on', () =>
    withPit(config(), async (pit) => {
      const go = pit.beside('go');
      await pit.up(1);
      const told = (kind: string): number => pit.events().filter((event) => event.kind === kind && 'id' in event && event.id === 'a').length;
      pit.dropTask('a.md', spenderTask([[{ in: 850 }, { until: go }, { in: 200 }, { until: pit.beside('never') }], [{ in: 30 }]], ['budget: {tokens: 1k}']));
      await pit.until('it is warned of', () => told('budget-warned') === 1, 60_000);
      fs.writeFileSync(go, '');
      await pit.until('it is parked', () => isIn(pit, 'needs', 'a') && fs.existsSync(join(pit.layout.dir('needs'), 'a.question.md')), 60_000);
      const question = fs.readFileSync(join(pit.layout.dir('needs'), 'a.question.md'), 'utf8');
      expect(question).toContain('the budget of the task is spent: 1,050 tokens of 1,000 tokens');
      expect(question).toContain("snakepit answer a '+1M'");
      expect([told('budget-warned'), told('budget-reached')]).toEqual([1, 1]);
      const refused = await pit.cli('answer', 'a', 'go', 'on');
      expect([refused.code, isIn(pit, 'needs', 'a')]).toEqual([64, true]);
      // Not raised, it is parked again before anything is started.
      await pit.ok('answer', 'a');
      await pit.until('it is parked again', () => isIn(pit, 'needs', 'a') && fs.readdirSync(join(pit.layout.runs, 'a')).filter((run) => /^\d{3}-/.test(run)).length === 2, 60_000);
      await pit.ok('answer', 'a', '+1k');
      await ended(pit, 'a');
      expect(linesOf(pit).map(({ input, baseline }) => [input, (baseline as { input: number } | undefined)?.input])).toEqual([[1050, undefined], [30, 1050]]);
    }), 180_000);

  it('is one over all its attempts; the configuration gives it to tasks that say nothing of their own', () =>
    withPit(config('budget: {task: {tokens: 100}}', 'attempts: 5'), async (pit) => {
      await pit.up(1);
      pit.dropTask('a.md', spenderTask([[{ in: 60 }, { exit: 3 }]]));
      pit.dropTask('b.md', spenderTask([[{ in: 60 }]]));
      pit.dropTask('c.md', spenderTask([[{ in: 160 }]], ['budget: off']));
      for (const id of ['b', 'c']) await ended(pit, id);
      await pit.until('a is parked after two attempts', () => isIn(pit, 'needs', 'a'), 60_000);
      expect(linesOf(pit).filter((line) => line['id'] === 'a')).toHaveLength(2);
    }));
});
