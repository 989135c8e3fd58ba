import { describe, expect, it } from 'vitest';
import { loadProfiles } from '../../src/agents/load-profiles.js';

const load = (overrides: Record<string, Record<string, unknown>>): string => {
  const loaded = loadProfiles(overrides);
  return loaded.ok ? 'ok' : `${loaded.error.path.join('.')}: ${loaded.error.problem}`;
};

describe('loadProfiles', () => {
  it('lays keys over a built-in profile, key by key, and leaves the others', () => {
    const plain = loadProfiles({});
    const loaded = loadProfiles({ claude: { model: 'opus', env: { MORE: '1' } } });
    if (!loaded.ok || !plain.ok) throw new Error('not loaded');
    expect(loaded.value['claude']).toEqual({ ...plain.value['claude'], model: 'opus', env: { ...plain.value['claude']?.env, MORE: '1' } });
    expect(loaded.value['codex']).toEqual(plain.value['codex']);
  });

  it('a new profile starts from the one it extends, with what was laid over that, in whatever order they stand', () => {
    const over = { mine: { extends: 'claude', account: 'work' }, claude: { model: 'opus' } };
    for (const overrides of [over, Object.fromEntries(Object.entries(over).toReversed())]) {
      const loaded = loadProfiles(overrides);
      expect(loaded.ok && loaded.value['mine']).toMatchObject({ name: 'mine', binary: 'claude', model: 'opus', account: 'work' });
    }
  });

  it('one that extends nothing is a command', () => {
    const loaded = loadProfiles({ tool: { binary: 'tool', headless: { argv: ['tool', '{prompt-file}'] } } });
    expect(loaded.ok && loaded.value['tool']).toMatchObject({ binary: 'tool', headless: { argv: ['tool', '{prompt-file}'], prompt: 'file' } });
  });

  it.each([
    [{ mine: { extends: 'claud' } }, 'mine.extends: no profile is called claud; did you mean claude?'],
    [{ claude: { acount: 'work' } }, 'claude.acount: unknown key; did you mean account?'],
    [{ claude: { mode: 'fast' } }, 'claude.mode: '],
    [{ tool: { headless: { argv: [] } } }, 'tool.headless.argv: '],
    [{ codex: { interactive: { screen: { rules: [{ id: 'x', in: 'title', pattern: '(', state: 'idle' }] } } } }, 'codex.interactive.screen.rules.0.pattern: is not a regular expression'],
  ])('%j is told with its path', (overrides, told) => expect(load(overrides)).toContain(told));
});
