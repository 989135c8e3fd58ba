process.env['TZ'] = 'UTC';
import { readdirSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { classifyHeadless, type HeadlessFacts } from '../../src/agents/headless.js';
import type { LineFacts } from '../../src/agents/lines.js';
import type { AgentProfile, LineRule } from '../../src/agents/profile.js';
import { readDocument, readLines, readText } from '../../src/agents/read-lines.js';
import { cleanMutants, importMutant } from '../rig/mutants.js';
import { labels, NOW, profileOf, recording } from './recordings.js';

/*
 * Every print-mode run that was recorded from the real programs, classified. labels.json says what each one is: the state by
 * its text and the case in its name, the exit status as it was recorded or as the program's table of statuses says.
 */

interface Parts {
  readonly readLines: typeof readLines;
  readonly classifyHeadless: typeof classifyHeadless;
}
const REAL: Parts = { readLines, classifyHeadless };

function factsOf(name: string, rules: readonly LineRule[], parts: Parts): HeadlessFacts {
  const label = labels[name];
  const out = recording(`headless/${name}.out`);
  const output = label?.output ?? 'jsonl';
  const lines: LineFacts = output === 'text' ? readText(out) : output === 'json' ? readDocument(rules, out, NOW) : parts.readLines(rules, out, NOW);
  return { output, exit: label?.exit == null ? undefined : { code: label.exit }, lines, stderr: recording(`headless/${name}.err`), now: NOW };
}

const seen = (name: string, profile: AgentProfile, rules: readonly LineRule[], parts = REAL): object => {
  const facts = factsOf(name, rules, parts);
  const { kind, rule, resetAt } = parts.classifyHeadless(profile, facts);
  return { state: kind, rule, answer: facts.lines.answer?.trim(), resetAt: resetAt === undefined ? undefined : new Date(resetAt).toISOString() };
};
const wanted = (name: string): object => {
  const { state, rule, answer, resetAt } = labels[name] ?? { state: '', rule: '' };
  return { state, rule, answer, resetAt };
};
const rulesOf = (name: string): LineRule[] => profileOf(name).headless?.rules ?? [];
const wrong = (parts: Parts, change = (_name: string, rules: LineRule[]): LineRule[] => rules): string[] =>
  Object.keys(labels).filter((name) => JSON.stringify(seen(name, profileOf(name), change(name, rulesOf(name)), parts)) !== JSON.stringify(wanted(name)));

describe('recorded print-mode runs', () => {
  it('labels every recording, and records every label', () => {
    const recorded = readdirSync(new URL('headless/', import.meta.url)).filter((file) => file.endsWith('.out')).map((file) => file.slice(0, -4));
    expect(recorded.sort()).toEqual(Object.keys(labels).sort());
  });

  it.each(Object.keys(labels))('%s', (name) => {
    expect(seen(name, profileOf(name), rulesOf(name))).toEqual(wanted(name));
  });
});

const ENDED = (output: HeadlessFacts['output'], code: number | undefined, lines: LineFacts, stderr = ''): HeadlessFacts => ({ output, exit: code === undefined ? undefined : { code }, lines, stderr, now: NOW });
const BAIT = "You've hit your 5-hour limit · resets 12:18pm (UTC)\nAPI Error: 429 Invalid API key · Please run /login\n401: {\"code\":\"insufficient_quota\"}\nAPI Error: 529 Overloaded\nunexpected status 503 Service Unavailable: overloaded\n529: {\"type\":\"overloaded_error\"}";

describe('what an agent quotes opens nothing', () => {
  const answers: Readonly<Record<string, (text: string) => object[]>> = {
    claude: (text) => [{ type: 'user', message: { content: text } }, { type: 'assistant', message: { content: [{ type: 'text', text }] } }, { type: 'result', subtype: 'success', is_error: false, permission_denials: [], result: text }],
    codex: (text) => [{ type: 'item.completed', item: { type: 'command_execution', aggregated_output: text } }, { type: 'item.completed', item: { type: 'agent_message', text } }, { type: 'turn.completed', usage: {} }],
    gemini: (text) => [{ type: 'message', role: 'user', content: text }, { type: 'tool_result', output: `[API Error: ${text}` }, { type: 'message', role: 'assistant', content: text, delta: true }, { type: 'result', status: 'success', stats: {} }],
    opencode: (text) => [{ type: 'tool_use', part: { state: { status: 'completed', output: `The user rejected permission to use this specific tool call.${text}` } } }, { type: 'text', part: { text } }, { type: 'step_finish', part: { reason: 'stop' } }],
    kilo: (text) => [{ type: 'text', part: { text: `run ended with an auto-rejected permission ${text}` } }, { type: 'text', part: { text } }, { type: 'step_finish', part: { reason: 'stop' } }],
    pi: (text) => [{ type: 'message_end', message: { role: 'user', content: [{ type: 'text', text }] } }, { type: 'turn_end', message: { stopReason: 'stop', content: [{ type: 'text', text }] } }],
    qwen: (text) => [{ type: 'assistant', message: { content: [{ type: 'text', text: `[API Error: 401 ${text}` }] } }, { type: 'result', is_error: false, permission_denials: [], result: text }],
  };
  it.each(Object.entries(answers))('%s: in its events', (agent, made) => {
    const profile = profileOf(agent);
    const lines = readLines(profile.headless?.rules ?? [], made(BAIT).map((event) => JSON.stringify(event)).join('\n'), NOW);
    expect(lines.answer).toBe(BAIT);
    for (const code of [0, 1]) expect(classifyHeadless(profile, ENDED('jsonl', code, lines, BAIT)).kind).toBe('finished');
  });
  it.each(Object.keys(answers))('%s: in plain output, whatever the status', (agent) => {
    expect(classifyHeadless(profileOf(agent), ENDED('text', 0, readText(BAIT), BAIT)).kind).toBe('finished');
    expect(classifyHeadless(profileOf(agent), ENDED('text', 9, readText(BAIT))).kind).toBe('crashed');
  });
  it('a known text inside a longer line of the error output is not it', () => {
    const facts = ENDED('jsonl', 1, readText(''), 'the tool said: 401: {"message":"x"} and more\n');
    expect(classifyHeadless(profileOf('pi'), facts)).toMatchObject({ kind: 'crashed', rule: 'exit status' });
  });
  it('a known text that 40 lines have followed is not it', () => {
    const facts = ENDED('jsonl', 1, readText(''), `401: {"message":"x"}\n${'at somewhere\n'.repeat(40)}`);
    expect(classifyHeadless(profileOf('pi'), facts).kind).toBe('crashed');
  });
});

describe('ends without an end', () => {
  const claude = profileOf('claude');
  const of = (events: object[], code: number | undefined): string => {
    const { kind, rule } = classifyHeadless(claude, ENDED('jsonl', code, readLines(claude.headless?.rules ?? [], events.map((event) => JSON.stringify(event)).join('\n'), NOW)));
    return `${kind}: ${rule}`;
  };
  const result = { type: 'result', is_error: false, permission_denials: [], result: 'ok' };
  it('an answer that is missing or blank is an error', () => {
    expect(of([{ ...result, result: '' }], 0)).toBe('errored: empty answer');
    expect(of([{ ...result, result: ' \n\t' }], 0)).toBe('errored: empty answer');
    expect(of([{ ...result, result: null }], 0)).toBe('errored: empty answer');
    expect(of([], 0)).toBe('errored: empty answer');
  });
  it('a run that was ended while it tried again died of what it tried again for', () => {
    const retry = { type: 'system', subtype: 'api_retry', error_status: 401, error: 'authentication_failed' };
    expect(of([retry], 143)).toBe('auth-failed: retry-auth');
    expect(of([{ ...retry, error_status: 429 }], undefined)).toBe('rate-limited: retry-rate');
    expect(of([retry, { type: 'assistant', message: {} }], 143)).toBe('crashed: exit status');
  });
  it('no record, a signal, or no end event', () => {
    expect(of([{ type: 'system', subtype: 'init' }], undefined)).toBe('crashed: no exit record');
    expect(of([{ type: 'assistant', message: {} }], 137)).toBe('crashed: exit status');
    expect(of([{ type: 'system', subtype: 'permission_denied', tool_name: 'Bash' }], 0)).toBe('blocked-on-permission: denied tools');
  });
  it('a status that the profile knows says why when no event does', () => {
    expect(classifyHeadless(profileOf('gemini'), ENDED('jsonl', 55, readText('')))).toMatchObject({ kind: 'errored', rule: 'exit 55' });
    expect(classifyHeadless(profileOf('gemini'), ENDED('jsonl', 41, readText('')))).toMatchObject({ kind: 'auth-failed', rule: 'exit 41' });
  });
});

describe('planted faults', () => {
  afterAll(cleanMutants);

  it('is right without one', () => {
    expect(wrong(REAL)).toEqual([]);
  });

  it.each<[string, string, string]>([
    ['agents/headless.js', 'if (denied.length > 0)', 'if (false)'],
    ['agents/headless.js', "return answered(facts) ? ofLine(last, 'finished') : ", "return true ? ofLine(last, 'finished') : "],
    ['agents/headless.js', 'last?.endsAs === undefined', 'true'],
    ['agents/headless.js', '^(?:${rule.pattern})$', '${rule.pattern}'],
    ['agents/headless.js', "facts.output === 'text' && facts.exit?.code === 0 && answered(facts)", 'false'],
    ['agents/headless.js', "if (output !== 'text')", 'if (false)'],
  ])('the checks above notice %s: %s', async (file, find, replace) => {
    const mutant = (await importMutant(file, find, replace)) as Pick<Parts, 'classifyHeadless'>;
    const differs = (profile: string, facts: HeadlessFacts): boolean => JSON.stringify(mutant.classifyHeadless(profileOf(profile), facts)) !== JSON.stringify(classifyHeadless(profileOf(profile), facts));
    const some = (agent: string, ...events: object[]): LineFacts => readLines(profileOf(agent).headless?.rules ?? [], events.map((event) => JSON.stringify(event)).join('\n'), NOW);
    const noticed = wrong({ ...REAL, ...mutant }).length > 0
      || differs('claude', ENDED('jsonl', 0, some('claude', { type: 'system', subtype: 'permission_denied', tool_name: 'Bash' })))
      || differs('claude', ENDED('jsonl', 0, some('claude', { type: 'result', is_error: false, result: '' })))
      || differs('claude', ENDED('jsonl', 143, some('claude', { type: 'system', subtype: 'api_retry', error_status: 401 })))
      || differs('pi', ENDED('jsonl', 1, readText(''), 'it said: 401: {"a":1}'))
      || differs('pi', ENDED('text', 0, readText(BAIT), BAIT))
      || differs('codex', ENDED('jsonl', 0, some('codex', { type: 'item.completed', item: { type: 'agent_message', text: 'half' } })));
    expect(noticed).toBe(true);
  });

  // Data mutants: without the rule, some recording is read wrongly; each was looked at in a recording.
  it.each<[string, string]>([
    ['claude', 'auth'], ['claude', 'rate-limit'], ['claude', 'overloaded'], ['claude', 'context'], ['claude', 'usage-limit'], ['claude', 'window'], ['claude', 'denied'], ['claude', 'result'], ['claude', 'error'],
    ['codex', 'auth'], ['codex', 'rate-limit'], ['codex', 'overloaded'], ['codex', 'context'], ['codex', 'usage-limit'], ['codex', 'answer'], ['codex', 'completed'], ['codex', 'failed'],
    ['gemini', 'auth'], ['gemini', 'usage-limit'], ['gemini', 'text'], ['gemini', 'result'], ['gemini', 'document'],
    ['kilo', 'auth'], ['kilo', 'denied'], ['kilo', 'text'], ['kilo', 'stop'], ['opencode', 'auth'], ['opencode', 'rate-limit'], ['opencode', 'text'], ['opencode', 'stop'], ['opencode', 'error'],
    ['pi', 'auth'], ['pi', 'stop'], ['qwen', 'auth'], ['qwen', 'result'],
  ])('%s without its rule %s is noticed', (agent, id) => {
    const without = wrong(REAL, (name, rules) => (name.startsWith(`${agent}-`) ? rules.filter((rule) => rule.id !== id) : rules));
    expect(without).not.toEqual([]);
  });
});
