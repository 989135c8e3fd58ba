import { describe, expect, it } from 'vitest';
import { chooseAgent, wantedAgents, parseChoice, printChoice, type Cooling, type Profiles } from '../../src/agents/choice.js';
import { profileSchema } from '../../src/agents/profile.js';

const profile = (name: string, more: object = {}): Profiles[string] =>
  profileSchema.parse({ profile: 1, name, title: name, binary: name, install: '', account: `for-${name}`, headless: { argv: [name], prompt: 'stdin', output: 'text' }, ...more });
const PROFILES: Profiles = {
  claude: profile('claude', { model: 'opus' }),
  codex: profile('codex'),
  many: profile('many', { accounts: [{ name: 'first' }, { name: 'second' }] }),
};
const cooling = (open: Record<string, number>) => (key: string): Cooling | undefined => (open[key] === undefined ? undefined : { until: open[key], why: `the account ${key} is at its limit` });

describe('profile:model:reasoning', () => {
  it.each([
    ['claude', { profile: 'claude', model: undefined, reasoning: undefined }],
    ['claude:opus', { profile: 'claude', model: 'opus', reasoning: undefined }],
    ['claude:opus:high', { profile: 'claude', model: 'opus', reasoning: 'high' }],
    ['claude::high', { profile: 'claude', model: undefined, reasoning: 'high' }],
    ['codex:high', { profile: 'codex', model: undefined, reasoning: 'high' }],
    ['ollama:qwen3:8b', { profile: 'ollama', model: 'qwen3:8b', reasoning: undefined }],
    ['ollama:qwen3:8b:low', { profile: 'ollama', model: 'qwen3:8b', reasoning: 'low' }],
    ['pi:stub/stub-model', { profile: 'pi', model: 'stub/stub-model', reasoning: undefined }],
  ])('%s', (text, wanted) => {
    expect(parseChoice(text)).toEqual(wanted);
    expect(parseChoice(printChoice(parseChoice(text)))).toEqual(wanted);
  });
});

describe('wantedAgents', () => {
  it.each<[string[], string | undefined, string[]]>([
    [['claude', 'codex'], undefined, ['claude', 'codex']],
    [['claude', 'codex'], 'claude:opus', ['codex', 'claude']],
    [['claude', 'codex'], 'codex', ['claude', 'codex']],
    [['claude'], 'claude', ['claude']],
    [[], 'claude', ['pi', 'claude:sonnet']],
  ])('of %j, when %s never began', (ofTask, neverBegan, wanted) => expect(wantedAgents(ofTask, 'claude:sonnet,pi', neverBegan)).toEqual(wanted));
});

describe('chooseAgent', () => {
  const chosen = (wanted: string[], open: Record<string, number> = {}): string => {
    const choosing = chooseAgent(PROFILES, wantedAgents(wanted, 'codex', undefined), cooling(open));
    if (!choosing.ok) return choosing.error;
    if (choosing.value.kind === 'cooling') return `${choosing.value.until}: ${choosing.value.why}`;
    const { chosen: one } = choosing.value;
    return `${printChoice(one)} on ${one.account.key}`;
  };
  it.each<[string, string[], Record<string, number>, string]>([
    ['none named: the configured one', [], {}, 'codex on for-codex'],
    ['the first that is named, with the model of its profile', ['claude', 'codex'], {}, 'claude:opus on for-claude'],
    ['a named model beats it', ['claude:sonnet'], {}, 'claude:sonnet on for-claude'],
    ['the next when its account cools', ['claude', 'codex'], { 'for-claude': 9 }, 'codex on for-codex'],
    ['the next account of the same program first', ['many', 'codex'], { 'for-many.first': 9 }, 'many on for-many.second'],
    ['all cool: the soonest', ['claude', 'many'], { 'for-claude': 9, 'for-many.first': 7, 'for-many.second': 8 }, '7: the account for-many.first is at its limit'],
    ['a slip of the pen is told even behind a good one', ['claude', 'codx'], {}, 'no agent profile is called codx; did you mean codex?; known: claude, codex, many'],
  ])('%s', (_name, wanted, open, outcome) => expect(chosen(wanted, open)).toBe(outcome));
});
