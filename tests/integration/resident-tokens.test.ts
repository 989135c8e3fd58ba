import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { outletOf, type OutletPorts } from '../../src/pings/outlet.js';
import { nodeFiles } from '../../src/lib/node-files.js';
import { parseRecord } from '../../src/residents/record.js';
import { QUICK, type Pit } from '../rig/pit.js';
import { spenderProfile } from '../rig/spender.js';
import { hasEnded, isIn, killPit, read, withPit } from './rig.js';

/* What sessions use that are no person's tasks: residents', part by part, and specialists', which are tasks. */

const PATIENCE_MS = 60_000;
interface Line { readonly kind: string; readonly id: string; readonly run: string; readonly part?: number; readonly input: number; readonly baseline?: { readonly input: number }; readonly ms: number }
const linesOf = (pit: Pit): Line[] => (fs.existsSync(pit.layout.ledger) ? fs.readdirSync(pit.layout.ledger) : []).flatMap((name) => read(join(pit.layout.ledger, name)).split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as Line));
const spend = (...turns: readonly object[]): string => `SPEND: ${JSON.stringify({ attempts: [turns] })}`;
const PRICES = 'prices: [{model: stub-1, from: 2020-01-01, input: 2, output: 10, cache-read: 0.5, cache-write: 4}]';

function configure(pit: Pit, ...lines: readonly string[]): void {
  fs.writeFileSync(pit.beside('config'), `${[...QUICK.filter((line) => !line.startsWith('rescan:')), 'rescan: 1m', 'agent: spender', spenderProfile(), PRICES, ...lines].join('\n')}\n`);
  fs.renameSync(pit.beside('config'), pit.layout.configFile);
}

describe('a resident', () => {
  it('is counted as it runs, at its end and by the next pit, once; a spent budget starts it no more, and ends it not', () =>
    withPit({}, async (pit) => {
      const go = pit.beside('go');
      const boss = `residents: ${JSON.stringify({ boss: { agent: 'spender', mode: 'headless', every: '1s', prompt: spend({ in: 100, out: 10 }, { until: go }, { in: 20 }) } })}`;
      configure(pit, boss, 'budget: {day: {tokens: 120}}');
      const home = join(pit.layout.residents, 'boss', 'home');
      const spent = (): boolean => fs.existsSync(home) && (fs.readdirSync(home, { recursive: true }) as string[]).some((name) => name.endsWith('.jsonl') && read(join(home, name)).includes('msg-1-1'));
      await pit.up(0);
      await pit.until('it has used its tokens', spent, PATIENCE_MS);
      await killPit(pit);
      await pit.up(0);
      await pit.until('the next pit has counted it', () => linesOf(pit).length === 1, PATIENCE_MS);
      const [first] = linesOf(pit);
      expect(first).toMatchObject({ kind: 'resident', id: 'boss', part: 1, input: 100, output: 10, profile: 'spender', account: 'spending', source: 'transcript' });
      expect(await pit.ok('tokens')).toMatch(/boss \(resident\) +100 +10 /);
      // Nearly spent; it goes on to its end, and passes it.
      fs.writeFileSync(go, '');
      await pit.until('its end is counted', () => linesOf(pit).length === 2, PATIENCE_MS);
      expect(linesOf(pit)[1]).toMatchObject({ run: first?.run, part: 2, input: 20, baseline: { input: 100 } });
      const row = (): string => pit.snapshot()?.residents?.find(({ resident }) => resident === 'boss')?.why ?? '';
      await pit.until('it is not started again', () => row().startsWith('the budget of the day is spent: it is not started'), PATIENCE_MS);
      expect(await pit.ok('status')).toContain('today: 130 tokens of 120 tokens, $0.0003; the budget of the day is spent: nothing is claimed');
      expect(await pit.ok('metrics')).toMatch(/^snakepit_tokens_total\{account="spending",kind="input"\} 120$/m);
      expect(linesOf(pit)).toHaveLength(2);
      configure(pit, boss, 'budget: {day: {tokens: 1M}}');
      await pit.until('it is started again', () => linesOf(pit).length >= 3, PATIENCE_MS);
      await pit.ok('down');
      const runs = new Map<string, number>();
      for (const { run, input } of linesOf(pit)) runs.set(run, (runs.get(run) ?? 0) + input);
      expect([...runs.values()].slice(0, -1).every((input) => input === 120)).toBe(true);
    }), 240_000);

  it('waits with its pings while a budget is spent', () =>
    withPit({}, async (pit) => {
      const run = { nonce: 'aaaaaaaaaa', at: 1, boot: 'b' };
      const record = { v: 1, name: 'boss', kind: 'interactive', fingerprint: 'f', phase: { kind: 'up', run }, healing: { restarts: [], streak: 0, quietFrom: 0, breaker: { kind: 'closed' } } };
      expect(parseRecord(JSON.stringify(record), 'boss')).toBeDefined();
      fs.mkdirSync(join(pit.layout.residents, 'boss'), { recursive: true });
      fs.writeFileSync(join(pit.layout.residents, 'boss', 'resident.json'), JSON.stringify(record));
      const ports = { files: nodeFiles } as Partial<OutletPorts> as OutletPorts;
      expect(await outletOf(ports, pit.layout, {}, async () => 'the budget of the day is spent').find('boss')).toEqual({ kind: 'absent', why: 'the budget of the day is spent: nothing is typed to boss' });
      expect(await outletOf(ports, pit.layout, {}).find('boss')).toEqual({ kind: 'absent', why: 'boss has no session yet' });
    }));
});

describe('a specialist', () => {
  it('is a task: what its session used stands in the ledger by its id, and its budget holds', () =>
    withPit({}, async (pit) => {
      configure(pit, `specialists: ${JSON.stringify({ docs: { agent: 'spender', every: '1s', facts: 'none', prompt: `Judge.\n\n${spend({ in: 70, out: 7 })}` } })}`, 'budget: {day: {tokens: 77}}');
      await pit.up(1);
      await pit.until('one has run', () => linesOf(pit).length >= 1, PATIENCE_MS);
      const [line] = linesOf(pit);
      expect(line).toMatchObject({ kind: 'task', id: expect.stringMatching(/^docs-\d{8}-\d{4}/) as string, attempt: 1, input: 70, output: 7 });
      await pit.until('it is done', () => hasEnded(pit, 'done', line?.id ?? ''), PATIENCE_MS);
      await pit.until('the next one is not claimed', () => fs.readdirSync(pit.layout.dir('ready')).some((name) => name.includes('~docs-')), PATIENCE_MS);
      expect([isIn(pit, 'done', line?.id ?? ''), linesOf(pit).length]).toEqual([true, 1]);
    }), 120_000);
});
