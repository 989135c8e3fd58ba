import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { cueOf, type Cue } from './play.js';
import { isAnswer, Script, SIDE_USAGE, sumUsage, usageOf, type Turn, type Usage } from './turns.js';
import { anthropic } from './wire/anthropic.js';
import { gemini } from './wire/gemini.js';
import { parsed } from './wire/json.js';
import { ollama } from './wire/ollama.js';
import { openaiChat } from './wire/openai-chat.js';
import { openaiResponses } from './wire/openai-responses.js';
import { contentOf } from './wire/tools.js';
import type { Ask, Content, Refusal, Wire } from './wire/wire.js';

export type { Turn, Usage } from './turns.js';

/** One request for an answer. Its fields are final once `ended` is true. */
export interface Asked {
  readonly n: number;
  readonly atMs: number;
  readonly wire: Wire['name'];
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly model: string;
  /** The last text of the user, exactly as received. */
  readonly prompt: string;
  /** Null: a side call, or a prompt without a script. */
  readonly script: string | null;
  readonly turn: number;
  readonly side: boolean;
  /** The body, if the stub was told to keep it. */
  readonly body: unknown;
  /** What was counted for the agent to bill; null while nothing of it was sent, and for ever where the request failed. */
  sent: Usage | null;
  status: number;
  ended: boolean;
}

export interface ModelStub extends AsyncDisposable {
  /** http://127.0.0.1:port, without a path. */
  readonly url: string;
  /** Every request for an answer, in order of arrival. */
  readonly asked: readonly Asked[];
  /** Requests it has no answer to (telemetry and the like), as "METHOD path". */
  readonly strays: readonly string[];
  script(name: string, turns: readonly Turn[]): void;
  /** The requests that played a script. */
  of(name: string): Asked[];
  /** The tokens sent in a script's turns, or in all turns; side calls apart. */
  sent(name?: string): Usage;
  close(): Promise<void>;
}

export interface StubOptions {
  /** Keep each request's body in its record. */
  readonly bodies?: boolean;
}

/** A model's programming interface of every vendor on one port, which plays scripts. */
export async function startModelStub(options: StubOptions = {}): Promise<ModelStub> {
  const asked: Asked[] = [];
  const strays: string[] = [];
  const scripts = new Map<string, Script>();
  const closing = new AbortController();

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = request.url ?? '/';
    const body = parsed(await bodyOf(request));
    const wire = wireOf(path);
    if (wire === undefined || request.method !== 'POST') {
      const known = sideDoor(path);
      if (known === undefined) strays.push(`${request.method} ${path}`);
      return send(response, { status: known === undefined ? 404 : 200, headers: {}, body: JSON.stringify(known ?? { error: { message: 'the stub has nothing here' } }) });
    }
    const ask = wire.read(path, body);
    const cue = cueOf(ask, scripts);
    const n = asked.length + 1;
    const turn = cue.kind === 'turn' ? cue : undefined;
    const record: Asked = { n, atMs: Date.now(), wire: wire.name, path, headers: request.headers, model: ask.model, prompt: cue.prompt, script: turn?.script?.name ?? null, turn: turn?.index ?? 0, side: cue.kind === 'side', body: options.bodies === true ? body : undefined, sent: null, status: 200, ended: false };
    asked.push(record);
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    try {
      await play(wire, ask, cue, record, response, AbortSignal.any([gone.signal, closing.signal]));
    } finally {
      record.ended = true;
    }
  };

  const server = createServer((request, response) => {
    answer(request, response).catch((thrown: unknown) => {
      if ((thrown as Error).name !== 'AbortError') console.error('model stub:', thrown);
      response.destroy();
    });
  });
  server.requestTimeout = 0;
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const close = async (): Promise<void> => {
    closing.abort();
    if (!server.listening) return;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  };
  const of = (name: string): Asked[] => asked.filter((one) => one.script === name);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    strays,
    script: (name, turns) => void scripts.set(name, new Script(name, turns)),
    of,
    sent: (name) => sumUsage((name === undefined ? asked.filter((one) => !one.side) : of(name)).map((one) => one.sent)),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Performs one cue on the socket. */
async function play(wire: Wire, ask: Ask, cue: Cue, record: Asked, response: ServerResponse, signal: AbortSignal): Promise<void> {
  const say = async (content: Content, paceMs: number, cutAfter = Infinity): Promise<void> => {
    const usage = record.side ? SIDE_USAGE : usageOf(record.n);
    const reply = { id: `stub${String(record.n).padStart(6, '0')}`, model: ask.model, content, usage };
    if (!ask.stream) {
      if (paceMs > 0 && content.kind === 'text') await sleep(paceMs * content.chunks.length, undefined, { signal });
      record.sent = usage;
      return send(response, { status: 200, headers: {}, body: JSON.stringify(wire.whole(reply)) });
    }
    const { open, chunks, close } = wire.stream(reply);
    response.writeHead(200, { 'content-type': wire.contentType, 'cache-control': 'no-cache' });
    response.write(open.join(''));
    for (const chunk of chunks.slice(0, cutAfter)) {
      if (paceMs > 0) await sleep(paceMs, undefined, { signal });
      response.write(chunk);
    }
    if (cutAfter !== Infinity) return cut(response);
    record.sent = usage;
    await new Promise<void>((resolve) => response.end(close.join(''), resolve));
  };

  if (cue.kind === 'side') return say({ kind: 'text', chunks: [cue.text] }, 0);
  const { turn } = cue;
  if (isAnswer(turn)) return say(contentOf(turn, ask), 'slow' in turn ? turn.slow / Math.max(1, turn.chunks) : 0);
  if ('empty' in turn) return say({ kind: 'text', chunks: [] }, 0);
  if ('drop' in turn) return ask.stream ? say({ kind: 'text', chunks: ['Half of an ', 'answer'] }, 0, 1) : cut(response);
  if ('silence' in turn) {
    response.writeHead(200, { 'content-type': ask.stream ? wire.contentType : 'application/json' });
    response.flushHeaders();
    await sleep(turn.silence, undefined, { signal });
    return cut(response);
  }
  const refused = wire.refuse(turn, Math.floor(Date.now() / 1000));
  record.status = refused.status;
  return send(response, refused);
}

async function cut(response: ServerResponse): Promise<void> {
  await sleep(50);
  response.destroy();
}

async function send(response: ServerResponse, { status, headers, body }: Refusal): Promise<void> {
  await new Promise<void>((resolve) => response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body, resolve));
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const raw = Buffer.concat(parts);
  const encoding = request.headers['content-encoding'];
  return (encoding === 'gzip' ? gunzipSync(raw) : encoding === 'br' ? brotliDecompressSync(raw) : raw).toString();
}

function wireOf(path: string): Wire | undefined {
  const bare = path.split('?')[0] ?? '';
  if (bare.endsWith('/messages')) return anthropic;
  if (bare.endsWith('/responses')) return openaiResponses;
  if (bare.endsWith('/chat/completions')) return openaiChat;
  if (/:(stream)?generateContent$/i.test(bare)) return gemini;
  return bare.endsWith('/api/chat') ? ollama : undefined;
}

/** What is asked beside answers: token counts, model lists, versions. Undefined: nothing is known there. */
function sideDoor(path: string): unknown {
  const bare = path.split('?')[0] ?? '';
  if (bare.endsWith('/count_tokens')) return { input_tokens: 1000 };
  if (bare.endsWith(':countTokens')) return { totalTokens: 1000 };
  if (bare.endsWith('/v1beta/models')) return { models: [{ name: 'models/stub-model', displayName: 'Stub', inputTokenLimit: 200_000, outputTokenLimit: 8192, supportedGenerationMethods: ['generateContent'] }] };
  if (bare.endsWith('/models')) return { object: 'list', data: [{ id: 'stub-model', object: 'model', type: 'model', display_name: 'Stub', created: 0, owned_by: 'stub' }], has_more: false, models: [] };
  if (bare.endsWith('/api/tags')) return { models: [{ name: 'stub-model', model: 'stub-model', size: 1 }] };
  if (bare.endsWith('/api/version')) return { version: '0.12.0' };
  return bare.endsWith('/api/show') ? { details: { family: 'stub' }, model_info: {}, capabilities: ['completion', 'tools'] } : undefined;
}
