import { describe, expect, it } from 'vitest';
import { onOwnAccounts, playAll, TOLD, type Told } from './failures.js';
import type { Core } from './headless.js';
import { CORE } from './sample.js';
import { agentOf, ended, PATIENCE_MS, REAL, story, tokensOf, withAgent } from './stubbed.js';

/** Who gives the tokens. */
const SOURCE: Readonly<Record<Core, string>> = { claude: 'transcript', codex: 'transcript', gemini: 'transcript', opencode: 'export', pi: 'transcript' };

/** Gemini waits up to 13 s between its tries, and says nothing of them. */
const SOON: Readonly<Record<Core, readonly string[]>> = { claude: ['stall: 12s'], codex: ['stall: 12s'], gemini: ['stall: 25s'], opencode: ['stall: 20s'], pi: ['stall: 12s'] };
const told = (name: Core): Told => ({
  ...TOLD,
  // With an API key Claude is answered a plain 429.
  ...(name === 'claude' ? { limit: TOLD.rate } : {}),
  // OpenCode compacts, goes on, ends its turn well, and exits with 1.
  ...(name === 'opencode' ? { long: /^exit-status: / } : {}),
});

describe.each(CORE)('%s in print mode, from drop to its end', REAL, (name) => {
  it('works a task: a tool makes a file, the last message is the result, verify passes', { timeout: 300_000 }, () =>
    withAgent(name, async (pit, stub) => {
      const said = `The file is made, says ${name}.`;
      stub.script('make', [{ tool: 'bash', command: 'printf made > made.txt' }, { text: said }]);
      pit.dropTask('a.md', '---\nverify: test "$(cat made.txt)" = made\n---\nPlease do [[make]]: "quoted", \'single\', $HOME, `x`, ünïcode\n');
      await pit.until('it has ended', () => ended(pit, 'a') !== undefined, PATIENCE_MS);
      expect(story(pit, 'a')).toContain(said);
      expect(ended(pit, 'a')).toBe('done');
      expect(stub.of('make').length).toBeGreaterThanOrEqual(2);
      expect(stub.of('make')[0]?.prompt).toContain('Please do [[make]]: "quoted", \'single\', $HOME, `x`, ünïcode');
      expect(agentOf(pit, 'a').state.kind).toBe('finished');
      // Side calls (titles, routing) are in nobody's transcript, so they are not in the sum.
      expect(tokensOf(pit, 'a')).toEqual(stub.sent('make'));
      expect(agentOf(pit, 'a').tokens?.source).toBe(SOURCE[name]);
      expect(story(pit, 'a').match(/^ *- \*\*tokens\*\*: /gm)).toHaveLength(2);
    }));

  it('tells a provider\'s limits, silence and slowness from failures of the task, and spends no attempt on limits', { timeout: 600_000 }, () =>
    withAgent(name, (pit, stub) => playAll(pit, stub, name, 'headless', told(name)), 4, onOwnAccounts, {}, SOON[name]));
});
