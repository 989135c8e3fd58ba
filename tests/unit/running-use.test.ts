import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nodeFiles } from '../../src/lib/node-files.js';
import { layoutOf, type Layout } from '../../src/protocol/layout.js';
import { NO_COUNTERS, printClaim, printReaping, printStuck } from '../../src/protocol/names.js';
import { usesNow } from '../../src/runs/running-use.js';

/* What sessions have used that nobody has entered yet, wherever their task stands. Real files. */

const T0 = 1_800_000_000_000;
const MINUTE = 60_000;
const WHO = { pid: 1, start: '1', boot: '00000000' };
const NAME = { place: { priority: 50, arrivedAt: T0 }, counters: NO_COUNTERS, nonce: 'aaaaaaaaaa', owner: { snake: 's1', ...WHO }, reaper: WHO };
const TOKENS = { model: 'stub-1', input: 120, output: 10, cacheRead: 0, cacheWrite: 0, reasoning: 0 };

let layout: Layout;
beforeEach(() => (layout = layoutOf(fs.mkdtempSync(join(tmpdir(), 'use-')))));
afterEach(() => fs.rmSync(layout.root, { recursive: true, force: true }));

function lay(state: 'claimed' | 'reaping' | 'stuck', id: string, files: Readonly<Record<string, string>>): void {
  const name = { ...NAME, id };
  fs.mkdirSync(layout.dir(state), { recursive: true });
  fs.writeFileSync(join(layout.dir(state), (state === 'claimed' ? printClaim : state === 'reaping' ? printReaping : printStuck)(name)), '');
  const dir = join(layout.runs, id, '001-aaaaaaaaaa');
  fs.mkdirSync(dir, { recursive: true });
  const all = { 'attempt.json': JSON.stringify({ account: 'theirs', startedAt: T0 }), session: '1 1', 'agent.json': JSON.stringify({ state: { kind: 'working' }, since: T0, tokens: TOKENS }), ...files };
  for (const [file, text] of Object.entries(all)) fs.writeFileSync(join(dir, file), text);
}

const minutes = async (): Promise<Record<string, number>> => Object.fromEntries((await usesNow(nodeFiles, layout, { priceLists: [] }, T0 + 9 * MINUTE)).map(({ id, spent }) => [id, spent.minutes]));

describe('what is not in the ledger yet', () => {
  it.each(['claimed', 'reaping', 'stuck'] as const)('counts while its task is in %s', async (state) => {
    lay(state, 'x', {});
    expect(await usesNow(nodeFiles, layout, { priceLists: [] }, T0 + 9 * MINUTE)).toMatchObject([{ id: 'x', tokens: { input: 120 }, spent: { tokens: 130, minutes: 9 } }]);
  });

  it('is no longer counted when it is entered', async () => {
    lay('stuck', 'x', { entered: '' });
    expect(await minutes()).toEqual({});
  });

  it('takes the time until its session ended, or its outcome was recorded', async () => {
    lay('stuck', 'exited', { exit: `0 ${(T0 + 2 * MINUTE) / 1000}\n` });
    lay('stuck', 'judged', { 'outcome.json': JSON.stringify({ v: 1, endedAt: T0 + 3 * MINUTE }) });
    lay('claimed', 'runs', {});
    expect(await minutes()).toEqual({ exited: 2, judged: 3, runs: 9 });
  });
});
