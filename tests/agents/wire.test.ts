import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startModelStub, type ModelStub, type Turn } from './model-stub.js';
import { at, list, parsed, text } from './wire/json.js';

const SHELL_SCHEMA = { type: 'object', properties: { command: { type: 'string' } }, required: ['command'] };

/** A vendor's client in small: how a conversation is sent, and what is read from an answer. */
interface Client {
  path(stream: boolean): string;
  /** A prompt, followed by so many calls with their results. */
  body(prompt: string, results: number, stream: boolean): unknown;
  command(events: readonly unknown[]): string;
  said(events: readonly unknown[]): string;
  tokens(events: readonly unknown[]): { input: number; output: number };
}

const times = <T>(n: number, make: () => readonly T[]): T[] => Array.from({ length: n }, make).flat();
const join = (parts: readonly unknown[]): string => parts.map(text).join('');
const num = (value: unknown): number => (typeof value === 'number' ? value : 0);

const CLIENTS: Readonly<Record<string, Client>> = {
  anthropic: {
    path: () => '/v1/messages?beta=true',
    body: (prompt, results, stream) => ({ model: 'm', stream, tools: [{ name: 'Bash', input_schema: SHELL_SCHEMA }], messages: [{ role: 'user', content: [{ type: 'text', text: '<system-reminder>no prompt</system-reminder>' }, { type: 'text', text: prompt }] }, ...times(results, () => [{ role: 'assistant', content: [{ type: 'tool_use', id: 'x', name: 'Bash', input: {} }] }, { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'x', content: '[[other]]' }] }])] }),
    command: (events) => text(at(parsed(join(events.map((e) => at(e, 'delta', 'partial_json')))), 'command')) || join(events.map((e) => at(e, 'content', 0, 'input', 'command'))),
    said: (events) => join(events.map((e) => at(e, 'delta', 'text') ?? at(e, 'content', 0, 'text'))),
    tokens: (events) => {
      const u = at(events.findLast((e) => at(e, 'usage') !== undefined), 'usage');
      return { input: num(at(u, 'input_tokens')) + num(at(u, 'cache_read_input_tokens')), output: num(at(u, 'output_tokens')) };
    },
  },
  'openai-responses': {
    path: () => '/v1/responses',
    body: (prompt, results, stream) => ({ model: 'm', stream, tools: [{ type: 'function', name: 'exec_command', parameters: { type: 'object', properties: { cmd: { type: 'string' } }, required: ['cmd'] } }], input: [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: prompt }] }, ...times(results, () => [{ type: 'function_call', call_id: 'x', name: 'exec_command', arguments: '{}' }, { type: 'function_call_output', call_id: 'x', output: '' }])] }),
    command: (events) => text(at(parsed(text(at(events.at(-1), 'response', 'output', 0, 'arguments') ?? at(events.at(-1), 'output', 0, 'arguments'))), 'cmd')),
    said: (events) => text(at(events.at(-1), 'response', 'output', 0, 'content', 0, 'text') ?? at(events.at(-1), 'output', 0, 'content', 0, 'text')),
    tokens: (events) => {
      const u = at(events.at(-1), 'response', 'usage') ?? at(events.at(-1), 'usage');
      return { input: num(at(u, 'input_tokens')), output: num(at(u, 'output_tokens')) };
    },
  },
  'openai-chat': {
    path: () => '/v1/chat/completions',
    body: (prompt, results, stream) => ({ model: 'm', stream, tools: [{ type: 'function', function: { name: 'bash', parameters: SHELL_SCHEMA } }], messages: [{ role: 'user', content: prompt }, ...times(results, () => [{ role: 'assistant', content: null, tool_calls: [{}] }, { role: 'tool', tool_call_id: 'x', content: '' }])] }),
    command: (events) => text(at(parsed(join(events.map((e) => at(e, 'choices', 0, 'delta', 'tool_calls', 0, 'function', 'arguments') ?? at(e, 'choices', 0, 'message', 'tool_calls', 0, 'function', 'arguments')))), 'command')),
    said: (events) => join(events.map((e) => at(e, 'choices', 0, 'delta', 'content') ?? at(e, 'choices', 0, 'message', 'content'))),
    tokens: (events) => {
      const u = at(events.findLast((e) => at(e, 'usage') !== undefined), 'usage');
      return { input: num(at(u, 'prompt_tokens')), output: num(at(u, 'completion_tokens')) };
    },
  },
  gemini: {
    path: (stream) => `/v1beta/models/m:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
    body: (prompt, results) => ({ tools: [{ functionDeclarations: [{ name: 'run_shell_command', parametersJsonSchema: SHELL_SCHEMA }] }], contents: [{ role: 'user', parts: [{ text: prompt }] }, ...times(results, () => [{ role: 'model', parts: [{ functionCall: { name: 'x', args: {} } }] }, { role: 'user', parts: [{ functionResponse: { name: 'x', response: {} } }] }])] }),
    command: (events) => join(events.map((e) => at(e, 'candidates', 0, 'content', 'parts', 0, 'functionCall', 'args', 'command'))),
    said: (events) => join(events.map((e) => at(e, 'candidates', 0, 'content', 'parts', 0, 'text'))),
    tokens: (events) => ({ input: num(at(events.at(-1), 'usageMetadata', 'promptTokenCount')), output: num(at(events.at(-1), 'usageMetadata', 'candidatesTokenCount')) }),
  },
  ollama: {
    path: () => '/api/chat',
    body: (prompt, results, stream) => ({ model: 'm', stream, tools: [{ type: 'function', function: { name: 'bash', parameters: SHELL_SCHEMA } }], messages: [{ role: 'user', content: prompt }, ...times(results, () => [{ role: 'assistant', content: '', tool_calls: [{}] }, { role: 'tool', content: '' }])] }),
    command: (events) => join(events.map((e) => at(e, 'message', 'tool_calls', 0, 'function', 'arguments', 'command'))),
    said: (events) => join(events.map((e) => at(e, 'message', 'content'))),
    tokens: (events) => ({ input: num(at(events.at(-1), 'prompt_eval_count')), output: num(at(events.at(-1), 'eval_count')) }),
  },
};

let stub: ModelStub;
beforeEach(async () => {
  stub = await startModelStub();
});
afterEach(() => stub.close());

async function ask(client: Client, prompt: string, results: number, stream: boolean): Promise<{ status: number; headers: Headers; events: unknown[] }> {
  const response = await fetch(stub.url + client.path(stream), { method: 'POST', body: JSON.stringify(client.body(prompt, results, stream)) });
  const lines = (await response.text()).split('\n').map((line) => line.replace(/^data: /, ''));
  return { status: response.status, headers: response.headers, events: lines.map(parsed).filter((event) => event !== undefined) };
}

describe.each(Object.entries(CLIENTS))('%s', (_name, client) => {
  test.each([true, false])('a call, then a text, then the text again; streamed: %s', async (stream) => {
    stub.script('play', [{ tool: 'bash', command: 'make "it"' }, { text: 'It is made, all of it.' }]);
    const first = await ask(client, 'now [[play]]', 0, stream);
    const second = await ask(client, 'now [[play]]', 1, stream);
    const beyond = await ask(client, 'now [[play]]', 2, stream);
    expect(client.command(first.events)).toBe('make "it"');
    expect([client.said(second.events), client.said(beyond.events)]).toEqual(['It is made, all of it.', 'It is made, all of it.']);
    expect(stub.of('play').map((one) => one.prompt)).toEqual(['now [[play]]', 'now [[play]]', 'now [[play]]']);
    for (const [index, { events }] of [first, second, beyond].entries()) {
      const sent = stub.asked[index]?.sent;
      expect(client.tokens(events)).toEqual({ input: (sent?.input ?? 0) + (sent?.cached ?? 0), output: sent?.output });
    }
  });

  test('a failure happens once before what follows it, and for ever at the end; nothing is billed for it', async () => {
    const turns: Turn[] = [{ status: 529 }, { status: 429, times: 2 }, { empty: true }, { text: 'At last.' }, { status: 401 }];
    stub.script('fail', turns);
    const seen: (number | string)[] = [];
    for (let i = 0; i < 5; i++) {
      const { status, events } = await ask(client, '[[fail]]', 0, true);
      seen.push(status === 200 ? client.said(events) : status);
    }
    for (let i = 0; i < 2; i++) seen.push((await ask(client, '[[fail]]', 1, true)).status);
    expect(seen).toEqual([stub.asked[0]?.wire === 'gemini' ? 503 : 529, 429, 429, '', 'At last.', 401, 401]);
    expect(stub.asked.map((one) => one.sent !== null)).toEqual([false, false, false, true, true, false, false]);
  });

  test('an answer that is cut, and one that never comes', async () => {
    stub.script('cut', [{ drop: true }]);
    stub.script('hush', [{ silence: 100 }]);
    await expect(ask(client, '[[cut]]', 0, true)).rejects.toThrow();
    await expect(ask(client, '[[hush]]', 0, true)).rejects.toThrow();
    expect(stub.asked.map((one) => one.sent)).toEqual([null, null]);
  });
});

test('what is asked beside the play does not count as a turn', async () => {
  stub.script('play', [{ text: 'Played.' }]);
  const title = { model: 'm', stream: false, messages: [{ role: 'system', content: 'You are a title generator.' }, { role: 'user', content: 'now [[play]]' }] };
  const answer: unknown = await (await fetch(`${stub.url}/v1/chat/completions`, { method: 'POST', body: JSON.stringify(title) })).json();
  expect(list(at(answer, 'choices'))).toHaveLength(1);
  expect([stub.of('play').length, stub.asked[0]?.side]).toEqual([0, true]);
});
