import { chmodSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Pit, QUICK } from '../rig/pit.js';
import type { Core } from './headless.js';
import { agentOf, ended, PATIENCE_MS, REAL, runDir, story, withAgent } from './stubbed.js';

/** Programs that are started and do nothing: what is installed under the agent's name says so. */
const NOTHING: Readonly<Record<string, string>> = {
  'sleeps, its screen blank': 'exec sleep 600',
  'paints what nobody knows': 'echo "loading the loader"; exec sleep 600',
};

async function withFake(script: string, act: (pit: Pit) => Promise<void>): Promise<void> {
  const bin = realpathSync(mkdtempSync(join(tmpdir(), 'fake-')));
  writeFileSync(join(bin, 'claude'), `#!/bin/sh\n${script}\n`);
  chmodSync(join(bin, 'claude'), 0o755);
  const pit = new Pit({ config: [...QUICK, 'agent: claude', 'attempts: 1', 'startup: 3s'], env: { PATH: `${bin}:${process.env['PATH'] ?? '/usr/bin:/bin'}` } });
  try {
    await pit.up(1);
    await act(pit);
  } finally {
    await pit.dispose();
    rmSync(bin, { recursive: true });
  }
}

describe.each(Object.entries(NOTHING))('a program that %s', REAL, (_name, script) => {
  it.each(['interactive', 'headless'])('has stalled, %s', { timeout: 60_000 }, (mode) =>
    withFake(mode === 'headless' ? script.replace('echo', ': ') : script, async (pit) => {
      const from = Date.now();
      pit.dropTask('a.md', `---\nmode: ${mode}\n---\nPlease work.\n`);
      await pit.until('it has failed', () => ended(pit, 'a') === 'failed', 30_000);
      expect(Date.now() - from).toBeGreaterThan(3000);
      expect(story(pit, 'a')).toMatch(/\*\*why\*\*: startup-stall: it was started, and did nothing/);
      expect(story(pit, 'a')).toContain('snakepit agents check');
    }));
});

/** Each in the mode in which it asks; by default Claude has a server of its maker's decide, and Codex its sandbox. */
const ASKING = {
  claude: ['claude', '--session-id', '{session}', '--settings', '{home}/snakepit-hooks.json', '--permission-mode', 'default', '{prompt}'],
  codex: ['codex', '--no-daemon', '--dangerously-bypass-hook-trust', '-a', 'on-request', '-s', 'workspace-write', '{prompt}'],
  gemini: ['gemini', '--skip-trust', '--include-directories', '{run}', '--session-id', '{session}', '-m', 'gemini-2.5-pro', '--prompt-interactive', '{prompt}'],
};
type Asks = keyof typeof ASKING;
const ASKS: readonly Core[] = ['claude', 'codex'];
describe.each(ASKS)('%s that must ask', REAL, (name) => {
  it('is seen to ask, by its hook and on its screen, and ends as blocked', { timeout: 300_000 }, () =>
    withAgent(name, async (pit, stub) => {
      stub.script('default', [{ tool: 'bash', command: 'touch made-without-asking', escalated: true }, { text: 'It is made.' }]);
      pit.dropTask('a.md', '---\nmode: interactive\n---\nPlease make it.\n');
      await pit.until('it has ended', () => ended(pit, 'a') !== undefined, PATIENCE_MS);
      expect(ended(pit, 'a')).toBe('failed');
      expect(agentOf(pit, 'a').state).toMatchObject({ kind: 'blocked-on-permission', source: 'pane', rule: 'permission' });
      expect(readFileSync(join(runDir(pit, 'a'), 'events.jsonl'), 'utf8')).toContain('"hook":"PermissionRequest"');
      expect(pit.events().some((event) => event.kind === 'agent-state' && event.state === 'blocked-on-permission')).toBe(true);
      expect(story(pit, 'a')).toMatch(/\*\*why\*\*: blocked: permission: ./);
      expect(story(pit, 'a')).toContain('autonomous: true');
      console.log(`${name}: ${/\*\*why\*\*.*/.exec(story(pit, 'a'))?.[0]}`);
    }, 1, (agent) => ({ [agent]: { autonomous: false, ask: 'fail', interactive: { argv: ASKING[agent as Asks] } } })));
});

/** The one answer that holds once, as it stands on the rows of 120 columns. */
const ONCE: Readonly<Record<Asks, string>> = { claude: '\\b1\\. Yes$', codex: '\\b1\\. Yes, proceed(?: \\(y\\))?$', gemini: '\\b1\\. Allow once$' };
/** Longer than a dialog is waited for: what asked, and was answered, then works for a while. */
const LONG_S = 8;
describe.each(Object.keys(ONCE) as Asks[])('%s that may be allowed', REAL, (name) => {
  it('has each of its requests allowed once, by its label, and works on until it is done', { timeout: 300_000 }, () =>
    withAgent(name, async (pit, stub) => {
      const made = pit.beside('made');
      const make = (text: string, seconds: number): { tool: 'bash'; command: string; escalated: true } => ({ tool: 'bash', command: `sleep ${seconds}; echo ${text} >> ${made}`, escalated: true });
      stub.script('default', [make('first', LONG_S), make('second', 0), { tool: 'bash', command: '"$SNAKEPIT_COMMAND" done "It is made."', escalated: true }, { text: 'It is made.' }]);
      pit.dropTask('a.md', '---\nmode: interactive\nask: allow\n---\nPlease make it.\n');
      await pit.until('it has ended', () => ended(pit, 'a') !== undefined, PATIENCE_MS);
      const events = pit.events();
      expect(ended(pit, 'a')).toBe('done');
      expect(readFileSync(made, 'utf8')).toBe('first\nsecond\n');
      const allowed = events.flatMap((event) => (event.kind === 'allowed' ? [[event.dialog, event.label, event.result]] : []));
      expect(allowed).toEqual([1, 2, 3].map(() => ['permission', ONCE[name], 'gone']));
      expect(events.filter(({ kind }) => kind === 'asked')).toHaveLength(3);
      expect(events.some(({ kind }) => kind === 'left-to-person')).toBe(false);
      console.log(`${name}: ${JSON.stringify(allowed)}`);
    }, 1, (agent) => ({ [agent]: { autonomous: false, interactive: { argv: ASKING[agent as Asks] } } })));
});
