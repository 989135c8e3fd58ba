process.env['TZ'] = 'UTC';
import { afterAll, describe, expect, it } from 'vitest';
import { LineReader } from '../../src/agents/lines.js';
import type { LineRule } from '../../src/agents/profile.js';
import type * as Usage from '../../src/agents/usage.js';
import { readDocument, readLines } from '../../src/agents/read-lines.js';
import { cleanMutants, importMutant } from '../rig/mutants.js';
import { NOW, profileOf, recording } from './recordings.js';

/*
 * The programs' own session files, without the lines that only they can use; and their hook events, event streams and extension
 * logs, in the form that our hook script gives them.
 */

const rowsOf = (file: string): Record<string, never>[] => recording(`transcripts/${file}`).trim().split('\n').map((line) => JSON.parse(line) as Record<string, never>);
// oxlint-disable-next-line no-explicit-any -- recordings are walked here without the code under test
const raw = (file: string): any[] => rowsOf(file);
const rulesOf = (agent: string, part: 'hooks' | 'transcript'): readonly LineRule[] => profileOf(agent)[part]?.rules ?? [];

/** The states that the lines go through, without repetitions: "kind rule". */
function way(rules: readonly LineRule[], lines: readonly object[]): string[] {
  const reader = new LineReader(rules);
  const seen: string[] = [];
  for (const line of lines) {
    const { last } = reader.event(line, NOW).facts();
    const now = last === undefined ? '-' : `${last.kind} ${last.rule}`;
    if (seen.at(-1) !== now) seen.push(now);
  }
  return seen;
}
const kinds = (steps: readonly string[]): string[] => steps.map((step) => step.split(' ')[0] ?? '').filter((kind, index, all) => kind !== all[index - 1]);

describe('tokens, against sums made by hand from the same files', () => {
  it('claude: one message is one turn, however many lines it has', () => {
    const turns = new Map(raw('claude-2.1.329-transcript.jsonl').filter((row) => row.type === 'assistant' && row.message.model !== '<synthetic>').map((row) => [row.message.id, row.message.usage]));
    const sum = (key: string): number => [...turns.values()].reduce((all, usage) => all + usage[key], 0);
    const text = recording('transcripts/claude-2.1.329-transcript.jsonl');
    const { tokens } = readLines(rulesOf('claude', 'transcript'), text, NOW);
    expect(tokens).toEqual({ input: sum('input_tokens'), output: sum('output_tokens'), cacheRead: 0, cacheWrite: 0, reasoning: 0, costUsd: 0.016239999999999997, model: 'claude-opus-5-5' });
    expect(tokens).toMatchObject({ input: 3600, output: 85 });
    expect(readLines(rulesOf('claude', 'transcript'), text + text, NOW).tokens).toEqual(tokens);
  });
  it('codex: the last count is the whole, and its input has the cache in it', () => {
    const last = raw('codex-0.169.0-rollout.jsonl').findLast((row) => row.payload.type === 'token_count').payload.info.total_token_usage;
    const { tokens } = readLines(rulesOf('codex', 'transcript'), recording('transcripts/codex-0.169.0-rollout.jsonl'), NOW);
    expect(tokens).toEqual({ input: last.input_tokens - last.cached_input_tokens, output: last.output_tokens, cacheRead: last.cached_input_tokens, cacheWrite: 0, reasoning: 0, model: 'gpt-5.1-codex' });
    expect(tokens).toMatchObject({ input: 2000, output: 84, cacheRead: 400 });
  });
  it('gemini: a message that is written twice counts once', () => {
    const turns = new Map(raw('gemini-0.61.0-session.jsonl').filter((row) => row.type === 'gemini').map((row) => [row.id, row.tokens]));
    const sum = (key: string): number => [...turns.values()].reduce((all, usage) => all + usage[key], 0);
    const { tokens } = readLines(rulesOf('gemini', 'transcript'), recording('transcripts/gemini-0.61.0-session.jsonl'), NOW);
    expect(tokens).toEqual({ input: sum('input') - sum('cached'), output: sum('output') + sum('thoughts'), cacheRead: sum('cached'), cacheWrite: 0, reasoning: sum('thoughts'), model: 'gemini-2.5-pro' });
    expect(tokens).toMatchObject({ input: 2400, output: 84 });
  });
  it('pi: the sum of its turns, and what they cost', () => {
    const turns = raw('pi-0.87.1-session.jsonl').filter((row) => row.message?.role === 'assistant').map((row) => row.message.usage);
    const { tokens } = readLines(rulesOf('pi', 'transcript'), recording('transcripts/pi-0.87.1-session.jsonl'), NOW);
    expect(tokens).toMatchObject({ input: turns.reduce((all, usage) => all + usage.input, 0), output: turns.reduce((all, usage) => all + usage.output, 0), model: 'stub-model' });
    expect(tokens).toMatchObject({ input: 3600, output: 126 });
    expect(tokens?.costUsd).toBeCloseTo(turns.reduce((all, usage) => all + usage.cost.total, 0), 12);
  });
  it.each([['opencode', 'opencode-1.18.33-hooks.jsonl', 3600, 126], ['kilo', 'kilo-7.7.7-hooks.jsonl', 2400, 84]])('%s: from its bus and from its export', (agent, file, input, output) => {
    const messages = new Map(raw(file).filter((row) => row.hook === 'message.updated').map((row) => [row.data.info.id, row.data]));
    const sum = [...messages.values()].reduce((all, { info }) => all + (info.tokens?.input ?? 0), 0);
    expect(readLines(rulesOf(agent, 'hooks'), recording(`transcripts/${file}`), NOW).tokens).toMatchObject({ input, output, model: 'stub-model' });
    const exported = JSON.stringify({ info: {}, messages: [...messages.values()].map(({ info }) => ({ info, parts: [] })) }, null, 2);
    expect(readDocument(rulesOf(agent, 'transcript'), exported, NOW, 'messages').tokens).toMatchObject({ input: sum, output });
  });
});

describe('transcripts: what state each turn leaves', () => {
  it('opencode: from its export', () => {
    const facts = (name: string): ReturnType<typeof readDocument> => readDocument(rulesOf('opencode', 'transcript'), recording(`transcripts/${name}.json`), NOW, 'messages');
    expect(facts('opencode-1.18.33-export')).toMatchObject({ last: { kind: 'finished' }, prompts: ['[[bash]] go'], session: 'ses_e0101ed5affeP9VtXLTBrYFIjZ', tokens: { input: 200, output: 14, cacheRead: 0 } });
    expect(facts('opencode-1.18.33-export-401')).toMatchObject({ last: { kind: 'auth-failed', evidence: 'Incorrect API key provided: dummy.' }, prompts: ['[[401]] x'] });
  });
  const file = (agent: string, name: string): string[] => way(rulesOf(agent, 'transcript'), rowsOf(name));
  it('claude', () => {
    expect(file('claude', 'claude-2.1.329-transcript.jsonl')).toEqual(['-', 'working prompt', 'working works', 'finished finished', 'working prompt', 'auth-failed auth', 'working prompt', 'rate-limited overloaded', 'working prompt', 'rate-limited rate-limit', 'working prompt', 'working works', 'idle interrupted']);
    const facts = readLines(rulesOf('claude', 'transcript'), recording('transcripts/claude-2.1.329-transcript.jsonl'), NOW);
    expect(facts.prompts).toEqual(['e [[bash]]', 'e [[401]]', 'e [[529]]', 'e [[limit]]', 'e [[slow:20]]']);
    expect(facts.openTools).toBe(0);
  });
  it('codex', () => {
    expect(kinds(file('codex', 'codex-0.169.0-rollout.jsonl'))).toEqual(['-', 'working', 'finished', 'working', 'auth-failed', 'working', 'idle']);
    expect(readLines(rulesOf('codex', 'transcript'), recording('transcripts/codex-0.169.0-rollout.jsonl'), NOW)).toMatchObject({ prompts: ['e [[esc]]', 'e [[401]]', 'e [[hang]]'], session: '01a1fd79-d2bb-7b70-8265-a3f2ad70ef9f' });
  });
  it('gemini: never finished, for its answers cannot be told from what precedes a tool', () => {
    expect(kinds(file('gemini', 'gemini-0.61.0-session.jsonl'))).toEqual(['-', 'working', 'auth-failed', 'working', 'idle']);
    expect(readLines(rulesOf('gemini', 'transcript'), recording('transcripts/gemini-0.61.0-session.jsonl'), NOW).prompts).toEqual(['e [[bash]]', 'e [[401]]', 'e [[slow:10]]']);
  });
  it('pi, with the end of the limit', () => {
    expect(kinds(file('pi', 'pi-0.87.1-session.jsonl'))).toEqual(['-', 'working', 'finished', 'working', 'finished', 'working', 'auth-failed', 'working', 'context-exhausted', 'working', 'usage-limited', 'working', 'idle']);
    const reader = new LineReader(rulesOf('pi', 'transcript'));
    const resets = rowsOf('pi-0.87.1-session.jsonl').map((row) => reader.event(row, NOW).facts().last?.resetAt).filter((at) => at !== undefined);
    expect(resets[0]).toBe(1795266507_000);
  });
});

describe('hook events: the state after each', () => {
  const file = (agent: string, name: string): string[] => rowsOf(name).map((_row, index, all) => way(rulesOf(agent, 'hooks'), all.slice(0, index + 1)).at(-1) ?? '');
  const named = (agent: string, name: string): string[] => rowsOf(name).map((row, index) => `${String(row['hook'])}: ${file(agent, name)[index]?.split(' ')[0]}`);
  it('claude', () => {
    expect(named('claude', 'claude-2.1.329-hooks.jsonl')).toEqual([
      'SessionStart: -', 'UserPromptSubmit: working', 'PreToolUse: working', 'PermissionRequest: blocked-on-permission', 'Notification: blocked-on-permission', 'PostToolUse: working', 'Stop: finished',
      'UserPromptSubmit: working', 'StopFailure: auth-failed', 'UserPromptSubmit: working', 'StopFailure: rate-limited', 'UserPromptSubmit: working', 'StopFailure: rate-limited', 'UserPromptSubmit: working', 'SessionEnd: exited',
    ]);
  });
  it('codex: the turn of the hidden title is not its own', () => {
    expect(named('codex', 'codex-0.169.0-hooks.jsonl')).toEqual([
      'SessionStart: -', 'UserPromptSubmit: working', 'PreToolUse: working', 'PermissionRequest: blocked-on-permission', 'NOTIFY: blocked-on-permission', 'PostToolUse: working', 'Stop: finished', 'NOTIFY: finished',
      'UserPromptSubmit: working', 'UserPromptSubmit: working', 'SessionEnd: exited',
    ]);
  });
  it('gemini', () => {
    expect(named('gemini', 'gemini-0.61.0-hooks.jsonl').filter((step) => !step.startsWith('PreCompress'))).toEqual([
      'SessionStart: -', 'BeforeAgent: working', 'BeforeTool: working', 'Notification: blocked-on-permission', 'AfterTool: working', 'AfterAgent: finished', 'BeforeAgent: working', 'AfterAgent: errored',
      'BeforeAgent: working', 'AfterAgent: finished', 'SessionEnd: exited', 'SessionEnd: exited', 'SessionEnd: exited',
    ]);
  });
  it('pi', () => {
    expect(kinds(way(rulesOf('pi', 'hooks'), rowsOf('pi-0.87.1-hooks.jsonl')))).toEqual(['-', 'working', 'finished', 'working', 'auth-failed', 'working', 'idle', 'exited']);
  });
  it('opencode: idle after an error is not a good end', () => {
    expect(kinds(way(rulesOf('opencode', 'hooks'), rowsOf('opencode-1.18.33-hooks.jsonl')))).toEqual([
      '-', 'working', 'finished', 'working', 'blocked-on-permission', 'working', 'finished', 'working', 'auth-failed', 'working', 'errored', 'working', 'context-exhausted', 'working', 'errored', 'working', 'errored',
      'working', 'context-exhausted', 'working', 'retrying', 'working', 'retrying', 'working', 'retrying', 'idle',
    ]);
    expect(kinds(way(rulesOf('kilo', 'hooks'), rowsOf('kilo-7.7.7-hooks.jsonl')))).toEqual(['-', 'working', 'finished', 'working', 'finished']);
  });
  it('opencode: what it said last, of the parts that our plugin tells', () => {
    const recorded = recording('transcripts/opencode-1.18.33-parts.jsonl');
    for (const agent of ['opencode', 'kilo']) expect(readLines(rulesOf(agent, 'hooks'), recorded, NOW)).toMatchObject({ answer: 'The file is made.', last: { kind: 'finished' }, tokens: { input: 3333, output: 87, cacheRead: 699 } });
  });
  it('claude: idle_prompt ends an interrupted turn, and takes nothing from a finished one', () => {
    const idle = { hook: 'Notification', data: { notification_type: 'idle_prompt' } };
    expect(way(rulesOf('claude', 'hooks'), [{ hook: 'UserPromptSubmit', data: { prompt: 'x' } }, idle]).at(-1)).toBe('idle idle');
    expect(way(rulesOf('claude', 'hooks'), [{ hook: 'Stop', data: {} }, idle]).at(-1)).toBe('finished finished');
  });
  it('claude: a prompt that quotes a limit is a prompt', () => {
    const bait = "You've hit your 5-hour limit · resets 12:18pm (UTC)";
    expect(way(rulesOf('claude', 'hooks'), [{ hook: 'UserPromptSubmit', data: { prompt: bait } }, { hook: 'Stop', data: { last_assistant_message: bait } }])).toEqual(['working prompt', 'finished finished']);
    expect(way(rulesOf('claude', 'transcript'), [{ type: 'user', message: { content: bait } }, { type: 'assistant', message: { id: 'a', stop_reason: 'end_turn', content: [{ type: 'text', text: bait }] } }])).toEqual(['working prompt', 'finished finished']);
  });
  it('claude: its state file', () => {
    const status = profileOf('claude').status?.rules ?? [];
    const of = (status_: string, waitingFor?: string): string | undefined => readDocument(status, JSON.stringify({ status: status_, waitingFor, sessionId: 's' }), NOW).last?.kind;
    expect([of('busy'), of('idle'), of('waiting', 'permission prompt'), of('waiting', 'input needed'), of('waiting', 'dialog open'), of('gone')]).toEqual(['working', 'idle', 'blocked-on-permission', 'waiting-for-input', 'blocked-on-dialog', undefined]);
  });
});

describe('planted faults in the counting', () => {
  afterAll(cleanMutants);
  const right = [{ input: 2000, output: 84, cacheRead: 400 }, { input: 2400, output: 84, cacheRead: 0 }];
  const counted = ({ UsageMeter }: typeof Usage): object[] =>
    ([['codex', 'codex-0.169.0-rollout.jsonl'], ['gemini', 'gemini-0.61.0-session.jsonl']] as const).map(([agent, file]) => {
      const meter = new UsageMeter();
      const { usage } = rulesOf(agent, 'transcript').find((rule) => rule.id === 'tokens') ?? {};
      for (const row of rowsOf(file)) if (usage !== undefined) meter.add(usage, row);
      const { input, output, cacheRead } = meter.total() ?? {};
      return { input, output, cacheRead };
    });
  it('the sums are right without one', async () => {
    expect(counted(await import('../../src/agents/usage.js'))).toEqual(right);
  });
  it.each<[string, string]>([
    ['if (spec.cumulative)', 'if (false)'],
    ['column.turns.set(id, { model, figures });', 'column.turns.set(String(Math.random()), { model, figures });'],
    ["spec['input-has-cache'] ? cacheRead : 0", '0'],
  ])('the sums notice %s → %s', async (find, replace) => {
    expect(counted((await importMutant('agents/usage.js', find, replace)) as typeof Usage)).not.toEqual(right);
  });
});
