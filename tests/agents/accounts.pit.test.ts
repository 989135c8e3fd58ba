import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { AttemptRecord } from '../../src/protocol/records.js';
import type { Pit } from '../rig/pit.js';
import type { ModelStub, Turn } from './model-stub.js';
import { ended, PATIENCE_MS, REAL, withAgent } from './stubbed.js';

const FIRST = 'sk-first-key-0000000000000000000001';
const SECOND = 'sk-second-key-000000000000000000002';
const KEYS = { FIRST_KEY: FIRST, SECOND_KEY: SECOND };
const TWO = { accounts: [{ name: 'first', from: { ANTHROPIC_API_KEY: 'FIRST_KEY' } }, { name: 'second', from: { ANTHROPIC_API_KEY: 'SECOND_KEY' } }], env: { CLAUDE_CODE_MAX_RETRIES: '0' } };
const keyOf = (stub: ModelStub, at: number): unknown => stub.asked[at]?.headers['x-api-key'];
const accounts = (pit: Pit, id: string): (string | undefined)[] =>
  readdirSync(join(pit.layout.runs, id)).filter((name) => /^\d{3}-/.test(name)).sort().flatMap((name) => {
    const file = join(pit.layout.runs, id, name, 'attempt.json');
    return existsSync(file) ? [(JSON.parse(readFileSync(file, 'utf8')) as AttemptRecord).account] : [];
  });
const opened = (pit: Pit): string[] => pit.events().flatMap((event) => (event.kind === 'breaker-opened' ? [event.account] : []));
const SLOW: readonly Turn[] = [{ slow: 2000, chunks: 4, text: 'It is done now.' }];

describe('two accounts of one program', REAL, () => {
  it('goes on at once with the second; all cool: waits, and says until when', { timeout: 300_000 }, () =>
    withAgent('claude', async (pit, stub) => {
      stub.script('work', [{ status: 429 }, { text: 'It is done.' }]);
      pit.dropTask('a.md', '---\nattempts: 1\n---\nPlease do [[work]].\n');
      await pit.until('it has ended', () => ended(pit, 'a') !== undefined, PATIENCE_MS);
      expect(ended(pit, 'a')).toBe('done');
      expect(accounts(pit, 'a')).toEqual(['anthropic.first', 'anthropic.second']);
      expect(opened(pit)).toEqual(['anthropic.first']);
      expect([keyOf(stub, 0), keyOf(stub, stub.asked.length - 1)]).toEqual([FIRST, SECOND]);
      expect(JSON.stringify(stub.asked.at(-1)?.body)).not.toContain('interrupted from outside');

      const before = stub.asked.length;
      stub.script('next', [{ text: 'It is done.' }]);
      pit.dropTask('b.md', 'Please do [[next]].\n');
      await pit.until('it has ended', () => ended(pit, 'b') === 'done', PATIENCE_MS);
      expect(accounts(pit, 'b')).toEqual(['anthropic.second']);
      expect(stub.asked.slice(before).every((one) => one.headers['x-api-key'] === SECOND)).toBe(true);

      stub.script('limit', [{ status: 429 }]);
      pit.dropTask('c.md', 'Please do [[limit]].\n');
      await pit.until('it waits', () => pit.files('waiting').some((file) => file.includes('~c~0.0.1')), PATIENCE_MS);
      expect(await pit.ok('show', 'c')).toMatch(/^c: .*waiting.*, the account anthropic\.first is at its limit until \d{4}-\d\d-\d\dT/m);
      const asked = stub.asked.length;
      pit.dropTask('d.md', 'Please do [[next]].\n');
      await pit.until('it waits too', () => pit.files('waiting').some((file) => file.includes('~d~0.0.0')), PATIENCE_MS);
      expect(stub.asked.length).toBe(asked);
    }, 1, () => ({ claude: TWO }), KEYS));

  it('six tasks on three snakes: once the breaker is open nothing more is sent with the first key', { timeout: 300_000 }, () =>
    withAgent('claude', async (pit, stub) => {
      const ids = Array.from({ length: 6 }, (_, at) => `t${at}`);
      for (const [at, id] of ids.entries()) {
        // The first three meet the limit; whoever comes later has no business with that key.
        stub.script(id, at < 3 ? [{ status: 429 }, ...SLOW] : SLOW);
        pit.dropTask(`${id}.md`, `Please do [[${id}]].\n`);
      }
      await pit.until('all have ended', () => ids.every((id) => ended(pit, id) !== undefined), PATIENCE_MS);
      const openedAt = pit.events().find((event) => event.kind === 'breaker-opened')?.at ?? 0;
      const launched = pit.events().flatMap((event) => (event.kind === 'session-launched' ? [event] : []));
      const first = stub.asked.filter((one) => one.headers['x-api-key'] === FIRST);
      const late = first.filter((one) => one.atMs > openedAt);
      const lateSessions = launched.filter((event) => event.at > openedAt && accounts(pit, event.id)[0] === 'anthropic.first' && event.marker.includes('~0.0.0~')).length;
      console.log(`first key: ${first.length} requests, ${late.length} after the breaker opened, of sessions launched after it: ${lateSessions}; breaker opened ${opened(pit).length} times`);
      expect(late.length).toBeLessThanOrEqual(2);
      expect(first.every((one) => /t[012]/.test(one.script ?? ''))).toBe(true);
      expect(lateSessions).toBeLessThanOrEqual(2);
      expect(ids.map((id) => ended(pit, id))).toEqual(ids.map(() => 'done'));
      expect(ids.flatMap((id) => accounts(pit, id)).filter((key) => key === 'anthropic.first').length).toBeLessThanOrEqual(3);
      const breaker = JSON.parse(readFileSync(join(pit.layout.breakers, 'anthropic.first.json'), 'utf8')) as { strikes: number };
      expect(breaker.strikes).toBe(1);
      expect(new Set(opened(pit))).toEqual(new Set(['anthropic.first']));
    }, 3, () => ({ claude: TWO }), KEYS));
});

describe('agent: [one, two]', REAL, () => {
  it('falls over to the other program', { timeout: 300_000 }, () =>
    withAgent('claude', async (pit, stub) => {
      stub.script('work', [{ status: 429 }]);
      pit.dropTask('a.md', '---\nagent: [claude, plain]\n---\nPlease do [[work]].\n');
      await pit.until('it has ended', () => ended(pit, 'a') !== undefined, PATIENCE_MS);
      expect(ended(pit, 'a')).toBe('done');
      expect(accounts(pit, 'a')).toEqual(['anthropic', 'elsewhere']);
    }, 1, () => ({ claude: { env: { CLAUDE_CODE_MAX_RETRIES: '0' } }, plain: { extends: 'command', account: 'elsewhere', headless: { argv: ['sh', '-c', 'cat; echo done by another'], prompt: 'stdin', output: 'text' } } })));
});
