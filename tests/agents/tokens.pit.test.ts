import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Core } from './headless.js';
import { sumUsage } from './turns.js';
import { ended, PATIENCE_MS, REAL, runDir, runDirs, story, tokensOf, withAgent } from './stubbed.js';

const CORE: readonly Core[] = ['claude', 'codex', 'gemini', 'opencode', 'pi'];

describe.each(CORE)('%s, resumed', REAL, (name) => {
  it('counts no token of its session twice, and none not at all', { timeout: 300_000 }, () =>
    withAgent(name, async (pit, stub) => {
      stub.script('work', [{ tool: 'bash', command: 'printf step >> steps.txt' }, { slow: 90_000, chunks: 90, text: 'word '.repeat(90) }]);
      pit.dropTask('a.md', 'Please do [[work]].\n');
      await pit.until('it streams its answer', () => stub.of('work').length >= 2, PATIENCE_MS);
      await sleep(1500);
      process.kill(Number(readFileSync(join(runDir(pit, 'a'), 'session'), 'utf8').split(' ')[0]), 'SIGKILL');
      stub.script('work', [{ text: 'It is all done.' }]);
      await pit.until('it has ended', () => ended(pit, 'a') !== undefined, PATIENCE_MS);
      expect(runDirs(pit, 'a')).toHaveLength(2);
      // Of the answer that was cut off nobody has heard the figures.
      expect(tokensOf(pit, 'a', 1)).toEqual(stub.of('work')[0]?.sent);
      expect(tokensOf(pit, 'a', 2)).toEqual(sumUsage(stub.of('work').slice(2).map((one) => one.sent)));
      expect(story(pit, 'a').match(/^ *- \*\*tokens\*\*: .*/gm)).toHaveLength(3);
    }));
});
