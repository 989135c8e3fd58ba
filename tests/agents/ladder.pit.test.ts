import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Core } from './headless.js';
import { ended, PATIENCE_MS, REAL, runDir, story, withAgent } from './stubbed.js';

const CORE: readonly Core[] = ['claude', 'pi'];
/** A loaded machine is silent for seconds: only what is to be seen as silence is short. */
const UNSAID = ['signal: 4s', 'stall: 5m', 'startup: 2m'];
const SILENT = ['signal: 5m', 'stall: 5s', 'nudge-every: 4s', 'nudges: 1', 'startup: 2m'];

describe.each(CORE)('%s on the watchdog\'s ladder', REAL, (name) => {
  it('is asked once whether it is done, and says so then', { timeout: 300_000 }, () =>
    withAgent(name, async (pit, stub) => {
      stub.script('default', [{ text: 'I have done it, I think.' }, { tool: 'bash', command: '"$SNAKEPIT_COMMAND" done "asked, and done"' }, { text: 'Now I have said it.' }]);
      pit.dropTask('a.md', '---\nmode: interactive\n---\nPlease make it.\n');
      await pit.until('it has ended', () => ended(pit, 'a') !== undefined, PATIENCE_MS);
      expect(story(pit, 'a')).toContain('asked, and done');
      expect(ended(pit, 'a')).toBe('done');
      expect(pit.events().filter((event) => event.kind === 'nudge-decided').map((event) => event.what)).toEqual(['done']);
      expect(pit.events().filter((event) => event.kind === 'nudged').map((event) => event.receipt)).toEqual(['submitted']);
    }, 1, () => ({}), {}, UNSAID));

  it('asked in vain, it is ended, and nobody asks twice though the pit is killed meanwhile', { timeout: 300_000 }, () =>
    withAgent(name, async (pit, stub) => {
      stub.script('default', [{ text: 'I have done it, I think.' }, { text: 'I said so.' }]);
      pit.dropTask('a.md', '---\nmode: interactive\n---\nPlease make it.\n');
      await pit.until('it was asked', () => pit.events().some((event) => event.kind === 'nudged'), PATIENCE_MS);
      const daemon = await pit.daemon();
      if (daemon === undefined) throw new Error('no pit');
      await pit.kill(daemon);
      await pit.until('the pit is dead', async () => (await pit.daemon()) === undefined);
      await pit.up(1);
      await pit.until('it has ended', () => ended(pit, 'a') !== undefined, PATIENCE_MS);
      expect(story(pit, 'a')).toContain('no-signal');
      expect(pit.events().filter((event) => event.kind === 'nudge-decided')).toHaveLength(1);
      // By the pit; or, where that took too long to come back, by its snake.
      expect(pit.events().filter((event) => event.kind === 'session-judged').every((event) => event.reason === 'unsignalled')).toBe(true);
    }, 1, () => ({}), {}, UNSAID));

  it('silent in the middle of a turn, it is nudged, then ended; print mode is ended at once', { timeout: 300_000 }, () =>
    withAgent(name, async (pit, stub) => {
      stub.script('default', [{ silence: 120_000 }]);
      stub.script('mute', [{ tool: 'bash', command: 'true' }, { silence: 120_000 }]);
      pit.dropTask('a.md', '---\nmode: interactive\n---\nPlease make it.\n');
      pit.dropTask('b.md', 'Please do [[mute]].\n');
      await pit.until('both have ended', () => ended(pit, 'a') !== undefined && ended(pit, 'b') !== undefined, PATIENCE_MS);
      for (const id of ['a', 'b']) expect(story(pit, id)).toContain('stalled: it fell silent');
      const decided = pit.events().filter((event) => event.kind === 'nudge-decided');
      expect(decided.map((event) => [event.id, event.what])).toEqual([['a', 'go-on']]);
      expect(existsSync(join(runDir(pit, 'b'), 'verdict.json'))).toBe(true);
      expect(JSON.parse(readFileSync(join(runDir(pit, 'b'), 'verdict.json'), 'utf8'))).toMatchObject({ reason: 'stalled', rule: 'silent for too long' });
    }, 2, () => ({}), {}, SILENT));
});
