import { describe, expect, it } from 'vitest';
import { loadProfiles } from '../../src/agents/load-profiles.js';
import { messageWaits, paneWaits } from '../../src/watchdog/waiting.js';

const AT = Date.parse('2026-12-01T02:00:00Z');

describe('messageWaits', () => {
  it.each<[string, number | undefined]>([
    ['WAITING-UNTIL: 2026-12-01T02:00:00Z', AT],
    ['The build runs.\n\nWAITING-UNTIL: 2026-12-01T02:00:00Z\n', AT],
    ['**WAITING-UNTIL: 2026-12-01T03:00:00+01:00**', AT],
    ['● WAITING-UNTIL: 2026-12-01T02:00Z', AT],
    ['I could say WAITING-UNTIL: 2026-12-01T02:00:00Z', undefined],
    ['WAITING-UNTIL: 2026-12-01T02:00:00Z\nand now I go on', undefined],
    ['WAITING-UNTIL: tomorrow', undefined],
    ['WAITING-UNTIL: 2026-13-45T02:00:00Z', undefined],
    ['waiting-until: 2026-12-01T02:00:00Z', undefined],
    ['', undefined],
  ])('%j', (message, wanted) => expect(messageWaits(message)).toBe(wanted));
});

describe('paneWaits', () => {
  const loaded = loadProfiles({});
  const screen = loaded.ok ? loaded.value['claude']?.interactive?.screen : undefined;
  const box = `${'─'.repeat(80)}\n❯ \n${'─'.repeat(80)}\n  ? for shortcuts\n`;
  it.each<[string, string, number | undefined]>([
    ['the last thing said', `❯ do it\n\n● It is started.\n\n  WAITING-UNTIL: 2026-12-01T02:00:00Z\n\n${box}`, AT],
    ['typed by a person', `❯ WAITING-UNTIL: 2026-12-01T02:00:00Z\n\n${box}`, undefined],
    ['said, and something after it', `● WAITING-UNTIL: 2026-12-01T02:00:00Z\n\n● Now it goes on.\n\n${box}`, undefined],
    ['quoted within a sentence', `● You may end with WAITING-UNTIL: 2026-12-01T02:00:00Z to wait.\n\n${box}`, undefined],
  ])('%s', (_name, text, wanted) => {
    if (screen === undefined) throw new Error('no profile is called claude');
    expect(paneWaits(screen, text)).toBe(wanted);
  });
});
