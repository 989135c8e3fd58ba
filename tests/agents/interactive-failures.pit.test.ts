import { describe, expect, it } from 'vitest';
import { onOwnAccounts, playAll, played, TOLD, type Told } from './failures.js';
import type { Core } from './headless.js';
import { CORE } from './sample.js';
import { REAL, withAgent } from './stubbed.js';

/** Gemini waits up to 13 s between its tries, and says nothing of them; OpenCode paints nothing for long while it starts. Both show their box for seconds before they send the prompt. */
const WAITS: Readonly<Record<Core, readonly string[]>> = {
  claude: ['stall: 12s', 'signal: 4s'], codex: ['stall: 12s', 'signal: 4s'], gemini: ['stall: 25s', 'signal: 10s'], opencode: ['stall: 60s', 'signal: 10s'], pi: ['stall: 12s', 'signal: 4s'],
};
const soon = (name: Core): string[] => [...WAITS[name], 'nudges: 1', 'nudge-every: 4s', 'startup: 2m'];

const told = (name: Core): Told => ({
  ...TOLD,
  // An empty turn is a turn that has ended; Gemini calls it an error.
  ...(name === 'gemini' ? {} : { empty: /^no-signal: / }),
  // OpenCode compacts, goes on, and ends its turn well.
  ...(name === 'opencode' ? { long: /^no-signal: / } : {}),
  // With an API key Claude is answered a plain 429.
  ...(name === 'claude' ? { limit: TOLD.rate } : {}),
});

describe.each(CORE)('%s in its full screen, refused by its provider', REAL, (name) => {
  it('tells limits, silence and slowness from failures of the task, and spends no attempt on limits', { timeout: 600_000 }, () =>
    withAgent(name, async (pit, stub) => {
      await playAll(pit, stub, name, 'interactive', told(name));
      // A limit is nothing that a nudge helps with; whoever is silent is nudged once, and so is whoever ended the turn without a word.
      const nudged = pit.events().flatMap((event) => (event.kind === 'nudge-decided' ? [`${event.id} ${event.what}`] : []));
      expect([...new Set(nudged)].filter((one) => !/^(?:empty|long) done$/.test(one))).toEqual(played(name, 'interactive').includes('mute') ? ['mute go-on'] : []);
    }, 4, onOwnAccounts, {}, soon(name)));
});
