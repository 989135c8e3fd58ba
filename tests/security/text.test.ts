import { describe, expect, it } from 'vitest';
import { chooseAgent } from '../../src/agents/choice.js';
import { loadProfiles } from '../../src/agents/load-profiles.js';
import { fit, fitJson } from '../../src/cli/terminal.js';

const loaded = loadProfiles({});
if (!loaded.ok) throw new Error(loaded.error.problem);
const profiles = loaded.value;

describe('a task\'s words for its agent', () => {
  const choose = (text: string): string => {
    const found = chooseAgent(profiles, [text], () => undefined);
    return found.ok ? (found.value.kind === 'chosen' ? `${found.value.chosen.model}` : 'cooling') : found.error;
  };
  it.each(['claude:--dangerously-skip-permissions', 'codex:-c', 'gemini:-', 'claude:x --mcp-config y', 'codex:x\u001b[2J', 'ollama:a\nb'])('%j: no model', (text) => expect(choose(text)).toMatch(/is no name of a model/));
  it.each([['claude:opus[1m]:high', 'opus[1m]'], ['ollama:qwen3:8b', 'qwen3:8b'], ['opencode:anthropic/claude-x@2026', 'anthropic/claude-x@2026'], ['ollama:hf.co/a/B-GGUF:Q4_K_M', 'hf.co/a/B-GGUF:Q4_K_M']])('%s: %s', (text, model) => expect(choose(text)).toBe(model));
});

describe('what reaches a terminal', () => {
  it('keeps lines, tabs and our colours, and nothing else that a terminal obeys', () => {
    expect(fit('a\tb\nc \u001b[32mgreen\u001b[39m')).toBe('a\tb\nc \u001b[32mgreen\u001b[39m');
    expect(fit('\u001b]52;c;Y2FuYXJ5\u0007\u001b[2J\u001bP1$r\u001b\\\u009b2J\u202egpj\u200b\r')).toBe('·]52;c;Y2FuYXJ5··[2J·P1$r·\\·2J·gpj··');
    expect(fit('\u001b\u001b[32m[2J')).not.toContain('\u001b[2J');
  });
  it('JSON says the same, in letters', () => {
    const value = { text: 'a\u001b[2J\u009b2J\u202e\u2028 b\u{e0001}', list: ['\n\t'] };
    const text = fitJson(JSON.stringify(value, null, 2));
    expect(JSON.parse(text)).toEqual(value);
    expect(text).toMatch(/^[\n -~]*$/);
  });
});
