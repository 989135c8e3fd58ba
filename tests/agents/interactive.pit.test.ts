import { describe, expect, it } from 'vitest';
import type { Core } from './headless.js';
import { agentOf, ended, PATIENCE_MS, REAL, story, tokensOf, withAgent } from './stubbed.js';

const CORE: readonly Core[] = ['claude', 'codex', 'gemini', 'opencode', 'pi'];

describe.each(CORE)('%s in its full screen, from drop to its end', REAL, (name) => {
  it('works a task without a dialog, says that it is done, and is ended', { timeout: 300_000 }, () =>
    withAgent(name, async (pit, stub) => {
      stub.script('default', [{ tool: 'bash', command: 'cp "$SNAKEPIT_RUN_DIR/prompt.md" read.md; printf made > made.txt && "$SNAKEPIT_COMMAND" done "made it"' }, { text: 'The file is made.' }]);
      pit.dropTask('a.md', '---\nmode: interactive\nverify: ["grep -qx \'Please make it.\' read.md", test "$(cat made.txt)" = made]\n---\nPlease make it.\n');
      await pit.until('it has ended', () => ended(pit, 'a') !== undefined, PATIENCE_MS);
      expect(story(pit, 'a')).toContain('made it');
      expect(ended(pit, 'a')).toBe('done');
      expect(agentOf(pit, 'a').state.kind).toMatch(/finished|idle/);
      expect(tokensOf(pit, 'a')).toEqual(stub.sent('default'));
      // Message by message, whatever the program keeps them in.
      expect(await pit.ok('logs', 'a')).toMatch(/^\d{4}-\S+Z user\n[^]*Z call \S+ [^]*SNAKEPIT_COMMAND/m);
      expect(agentOf(pit, 'a').tokens?.source).toBe(name === 'opencode' ? 'export' : 'transcript');
    }));
});
