import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Pit } from '../rig/pit.js';
import type { Core } from './headless.js';
import type { ModelStub } from './model-stub.js';
import { agentOf, ended, PATIENCE_MS, REAL, story, withAgent } from './stubbed.js';

interface Nudged {
  readonly typed: string;
  readonly file?: string;
  readonly receipt: { readonly kind: string; readonly rule: string };
}

const DONE = [{ tool: 'bash', command: '"$SNAKEPIT_COMMAND" done "went on"' }, { text: 'It is done.' }] as const;
const dropWaiting = (pit: Pit): void => pit.dropTask('a.md', '---\nmode: interactive\n---\nWait until somebody says more.\n');
const waits = (pit: Pit, stub: ModelStub): Promise<void> =>
  pit.until('its turn is over', () => stub.asked.some((one) => !one.side && one.ended) && pit.events().some((event) => event.kind === 'agent-state' && /finished|idle/.test(event.state)), PATIENCE_MS);
/** How often the model was asked this as the newest words of the user. */
const heard = (stub: ModelStub, text: string): number => new Set(stub.asked.filter((one) => !one.side && one.prompt.includes(text)).map((one) => one.prompt)).size;

async function nudge(pit: Pit, ...args: string[]): Promise<Nudged> {
  const called = await pit.cli('nudge', '--json', 'a', ...args);
  expect(called.stderr).toBe('');
  expect(called.code).toBe(0);
  return JSON.parse(called.stdout) as Nudged;
}

const CORE: readonly Core[] = ['claude', 'codex'];
describe.each(CORE)('%s, nudged', REAL, (name) => {
  it('goes on from where it waits; long texts go through a file', { timeout: 300_000 }, () =>
    withAgent(name, async (pit, stub) => {
      stub.script('default', [{ text: 'I wait.' }, { text: 'And still I wait.' }, ...DONE]);
      dropWaiting(pit);
      await waits(pit, stub);
      const short = await nudge(pit, 'go', 'on,', '"quoted"', '$HOME', 'ünïcode');
      expect(short.receipt.kind).toMatch(/submitted|queued/);
      await pit.until('the model heard it', () => heard(stub, 'go on, "quoted" $HOME ünïcode') === 1, PATIENCE_MS);
      const long = await nudge(pit, 'line one\nline two');
      expect(readFileSync(long.file ?? '', 'utf8')).toBe('line one\nline two');
      expect(long.typed).toContain(long.file ?? '?');
      await pit.until('it has ended', () => ended(pit, 'a') !== undefined, PATIENCE_MS);
      expect(story(pit, 'a')).toContain('went on');
      expect(heard(stub, long.typed)).toBe(1);
      expect(pit.events().flatMap((event) => (event.kind === 'nudged' ? [event.receipt] : []))).toHaveLength(2);
      expect(agentOf(pit, 'a').state.kind).toMatch(/finished|idle/);
      const late = await pit.cli('nudge', 'a', 'too late');
      expect(late).toMatchObject({ code: 66, stdout: '' });
    }));

  it('two from two processes at once both arrive, each once', { timeout: 300_000 }, () =>
    withAgent(name, async (pit, stub) => {
      stub.script('default', [{ text: 'I wait.' }, { text: 'One was heard.' }, { text: 'Both were heard.' }, ...DONE]);
      dropWaiting(pit);
      await waits(pit, stub);
      const both = await Promise.all(['first of two', 'second of two'].map((text) => nudge(pit, text)));
      expect(both.map(({ receipt }) => receipt.kind).every((kind) => kind === 'submitted' || kind === 'queued')).toBe(true);
      await pit.until('the model heard both', () => heard(stub, 'first of two') === 1 && heard(stub, 'second of two') === 1, PATIENCE_MS);
      await nudge(pit, 'now end it');
      await pit.until('it has ended', () => ended(pit, 'a') !== undefined, PATIENCE_MS);
      const last = JSON.stringify(stub.asked.findLast((one) => !one.side)?.body);
      for (const text of ['first of two', 'second of two', 'now end it']) expect(last.split(text)).toHaveLength(2);
    }));
});

describe('claude in print mode, nudged', REAL, () => {
  it('refuses, and says what to do', { timeout: 120_000 }, () =>
    withAgent('claude', async (pit, stub) => {
      stub.script('slow', [{ slow: 60_000, chunks: 60, text: 'word '.repeat(60) }]);
      pit.dropTask('a.md', 'Please do [[slow]].\n');
      await pit.until('it runs', () => stub.of('slow').length > 0, PATIENCE_MS);
      const called = await pit.cli('nudge', 'a', 'hurry');
      expect(called.code).toBe(64);
      expect(called.stderr).toMatch(/print mode.*mode: interactive/);
    }));
});
