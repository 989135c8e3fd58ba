import { describe, expect, it } from 'vitest';
import type { Core } from './headless.js';
import { agentOf, ended, PATIENCE_MS, REAL, story, tokensOf, withAgent } from './stubbed.js';

/** With an API key Claude answers a plain 429, and Gemini says nothing of when. */
const TELLS_RESET: ReadonlySet<Core> = new Set(['codex', 'opencode', 'pi']);
const CORE: readonly Core[] = ['claude', 'codex', 'gemini', 'opencode', 'pi'];
/** Who gives the tokens. */
const SOURCE: Readonly<Record<Core, string>> = { claude: 'transcript', codex: 'transcript', gemini: 'transcript', opencode: 'export', pi: 'transcript' };

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

  it('tells a provider\'s limits from failures of the task, and spends no attempt on them', { timeout: 300_000 }, () =>
    withAgent(name, async (pit, stub) => {
      const inAnHour = Math.floor(Date.now() / 1000) + 3600;
      stub.script('key', [{ status: 401 }]);
      stub.script('limit', [{ status: 429, resetsAt: inAnHour }]);
      stub.script('long', [{ contextError: true }]);
      stub.script('empty', [{ empty: true }]);
      for (const script of ['key', 'limit', 'long', 'empty']) pit.dropTask(`${script}.md`, `---\nagent: on-${script}\n---\nPlease do [[${script}]].\n`);
      const outcomes = (): Record<string, string> => Object.fromEntries(pit.events().flatMap((event) => (event.kind === 'task-requeued' ? [[event.id, event.why]] : event.kind === 'task-failed' ? [[event.id, event.why]] : event.kind === 'task-done' ? [[event.id, 'done']] : [])));
      await pit.until('each has ended or waits', () => Object.keys(outcomes()).length === 4, 240_000);
      const told = outcomes();
      expect(told['key']).toMatch(/^auth-failed: /);
      expect(told['limit']).toMatch(/^(usage|rate)-limited: /);
      // OpenCode compacts, goes on, ends its turn well, and exits with 1.
      expect(told['long']).toMatch(name === 'opencode' ? /^exit-status: / : /^(context-exhausted|agent-error): /);
      expect(told['empty']).toMatch(/^agent-error: .*/);
      // Waiting, or tried again since: no failure is counted.
      for (const id of ['key', 'limit']) expect((['waiting', 'ready', 'claimed'] as const).flatMap((state) => pit.files(state)).find((file) => file.includes(`~${id}~`))).toMatch(/~0\.0\.[1-9]\d*[.~]/);
      const open = pit.events().flatMap((event) => (event.kind === 'breaker-opened' ? [event] : []));
      expect([...new Set(open.map((event) => event.account))].sort()).toEqual(['for-key', 'for-limit']);
      const limit = open.find((event) => event.account === 'for-limit');
      if (limit?.reason === 'usage-limited' && TELLS_RESET.has(name)) expect(Math.abs(limit.until - inAnHour * 1000)).toBeLessThan(61_000);
    }, 4, (agent) => Object.fromEntries(['key', 'limit', 'long', 'empty'].map((script) => [`on-${script}`, { extends: agent, account: `for-${script}` }]))));
});
