import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadProfiles } from '../../src/agents/load-profiles.js';
import { attemptTokens, type TokenParts } from '../../src/agents/tokens.js';
import { nodeFiles } from '../../src/lib/node-files.js';
import type { TokenRecord } from '../../src/protocol/tokens.js';
import { describeUse } from '../../src/runs/token-words.js';

const loaded = loadProfiles({});
if (!loaded.ok) throw new Error(loaded.error.problem);
const profiles = loaded.value;

let top: string;
beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'snakepit-tokens-'));
  for (const dir of ['run', 'work', 'bin']) mkdirSync(join(top, dir));
});
afterEach(() => rmSync(top, { recursive: true, force: true }));

const put = (file: string, ...lines: unknown[]): void => {
  mkdirSync(dirname(join(top, file)), { recursive: true });
  writeFileSync(join(top, file), lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join(''));
};
const count = (name: string, parts: Partial<TokenParts> = {}): ReturnType<typeof attemptTokens> =>
  attemptTokens({ files: nodeFiles, profile: profiles[name]!, mode: 'headless', session: 'sess-one', home: join(top, 'home'), workspace: join(top, 'work'), runDir: join(top, 'run'), env: { PATH: `${top}/bin:/usr/bin:/bin` }, before: [], ...parts });
const turn = (input: number, output: number): unknown => ({ type: 'message', id: `m${input}`, message: { role: 'assistant', usage: { input, output, cacheRead: 0, cacheWrite: 0 } } });
const before = (input: number): TokenRecord => ({ input, output: 1, cacheRead: 0, cacheWrite: 0, reasoning: 0, source: 'transcript', session: 'sess-one' });

describe('the tokens of an attempt', () => {
  it('are those of its own session, not of another one beside it', async () => {
    put('home/sessions/x/1_other.jsonl', { type: 'session', id: 'sess-two' }, turn(1000, 1000));
    put('home/sessions/x/2_mine.jsonl', { type: 'session', id: 'sess-one' }, turn(10, 2), '{"broken', turn(20, 3));
    expect(await count('pi')).toMatchObject({ ok: true, value: { input: 30, output: 5, source: 'transcript', session: 'sess-one' } });
    expect(await count('pi', { session: 'sess-three' })).toEqual({ ok: false, error: 'no transcript of its session was found' });
  });

  it('are what it added to a resumed session; what is not known is not guessed', async () => {
    put('home/sessions/x/2_mine.jsonl', { type: 'session', id: 'sess-one' }, turn(10, 2), turn(20, 3));
    expect(await count('pi', { before: [before(10)] })).toMatchObject({ value: { input: 20, output: 4 } });
    expect(await count('pi', { before: undefined })).toMatchObject({ error: 'its session is an earlier one, of which no figure is known' });
    expect(await count('pi', { before: [before(1000)] })).toMatchObject({ error: 'the figures of its session went back' });
  });

  it('are what it printed, where there is no transcript', async () => {
    put('run/stream.jsonl', { type: 'turn_end', message: { usage: { input: 7, output: 8 } } });
    expect(await count('pi', { before: undefined })).toMatchObject({ value: { input: 7, output: 8, source: 'stream' } });
    expect(await count('pi', { mode: 'interactive' })).toMatchObject({ ok: false });
  });

  it('a program that prints its transcript: all of it, and a failure is said', async () => {
    const messages = [{ info: { role: 'assistant', id: 'a', tokens: { input: 5, output: 6, reasoning: 0, cache: { read: 0, write: 0 } } }, parts: [{ text: 'x'.repeat(200_000) }] }];
    put('transcript.json', { messages });
    put('bin/opencode', '#!/bin/sh', `[ "$1 $2" = 'export sess-one' ] && exec cat ${top}/transcript.json`, 'exit 3');
    expect(await count('opencode')).toMatchObject({ ok: false });
    chmodSync(join(top, 'bin/opencode'), 0o755);
    expect(await count('opencode')).toMatchObject({ value: { input: 5, output: 6, source: 'export' } });
    expect(await count('opencode', { session: 'sess-two' })).toMatchObject({ error: expect.stringContaining('ended with status 3') as string });
    expect(await count('opencode', { session: '--help' })).toMatchObject({ error: 'its session has no usable name' });
    expect(await nodeFiles.list(join(top, 'run'))).toEqual([]);
  });

  it('are told in words', () => {
    expect(describeUse({ tokens: { ...before(2111), output: 49, cacheRead: 433, reasoning: 5, costUsd: 0.0095, model: 'm' } })).toBe('2,111 in, 49 out (5 of them reasoning), 433 from the cache; $0.0095; m; from its transcript');
    expect(describeUse({ uncounted: 'no transcript' })).toBe('not counted: no transcript');
    expect(describeUse(undefined)).toBeUndefined();
  });
});
