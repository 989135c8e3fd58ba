import { at, list, record, text } from './json.js';
import { refusal, retryAfter, sse, wholeText, type Ask, type Entry, type Frames, type Refusal, type Refused, type Reply, type Wire } from './wire.js';

/** Anthropic Messages. Usage: input_tokens is what was neither read from nor written to the cache. */
export const anthropic: Wire = {
  name: 'anthropic',
  contentType: 'text/event-stream',

  read(_path, body): Ask {
    const entries: Entry[] = [];
    for (const message of list(at(body, 'messages'))) {
      const role = text(at(message, 'role'));
      const content = at(message, 'content');
      const blocks = typeof content === 'string' ? [{ type: 'text', text: content }] : list(content);
      const called = blocks.some((block) => at(block, 'type') === 'tool_use');
      if (role === 'assistant' && !called && blocks.some((block) => text(at(block, 'text')).trim() !== '')) entries.push({ kind: 'said' });
      if (role !== 'user') continue;
      for (const block of blocks) {
        if (at(block, 'type') === 'tool_result') entries.push({ kind: 'result' });
        else if (at(block, 'type') === 'text') entries.push({ kind: 'user', text: text(at(block, 'text')) });
      }
    }
    const system = at(body, 'system');
    return {
      model: text(at(body, 'model')),
      stream: at(body, 'stream') === true,
      system: typeof system === 'string' ? system : list(system).map((block) => text(at(block, 'text'))).join('\n'),
      entries,
      tools: list(at(body, 'tools')).map((tool) => ({ name: text(at(tool, 'name')), schema: at(tool, 'input_schema'), freeform: false })),
      schema: at(body, 'output_config', 'format', 'schema') ?? at(body, 'output_format', 'schema'),
    };
  },

  stream(reply): Frames {
    const event = (type: string, rest: object): string => sse({ type, ...rest }, type);
    const start = event('message_start', { message: { ...message(reply), content: [], stop_reason: null, usage: { ...usage(reply), output_tokens: 1 } } });
    const close = [
      event('message_delta', { delta: { stop_reason: stopReason(reply), stop_sequence: null }, usage: usage(reply) }),
      event('message_stop', {}),
    ];
    const delta = (d: object): string => event('content_block_delta', { index: 0, delta: d });
    const stop = event('content_block_stop', { index: 0 });
    const { content } = reply;
    if (content.kind === 'call') {
      const block = { type: 'tool_use', id: `toolu_${reply.id}`, name: content.tool, input: {} };
      return { open: [start, event('content_block_start', { index: 0, content_block: block }), delta({ type: 'input_json_delta', partial_json: JSON.stringify(content.args) }), stop], chunks: [], close };
    }
    if (content.chunks.length === 0) return { open: [start], chunks: [], close };
    return {
      open: [start, event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } })],
      chunks: content.chunks.map((chunk) => delta({ type: 'text_delta', text: chunk })),
      close: [stop, ...close],
    };
  },

  whole: (reply) => ({ ...message(reply), stop_reason: stopReason(reply), usage: usage(reply) }),

  refuse(failure, nowS): Refusal {
    const say = (status: number, type: string, message: string, headers: Record<string, string> = {}): Refusal => refusal(status, { type: 'error', error: { type, message }, request_id: 'req_stub' }, { 'request-id': 'req_stub', ...headers });
    if ('contextError' in failure) return say(400, 'invalid_request_error', 'prompt is too long: 250000 tokens > 200000 maximum');
    if ('credit' in failure) return say(400, 'invalid_request_error', 'Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.');
    switch (failure.status) {
      case 401:
        return say(401, 'authentication_error', 'invalid x-api-key');
      case 403:
        return say(403, 'permission_error', 'OAuth token does not meet scope requirement');
      case 404:
        return say(404, 'not_found_error', 'model: stub-model');
      case 429:
        return say(429, 'rate_limit_error', failure.resetsAt === undefined ? "This request would exceed your organization's rate limit of 50,000 input tokens per minute" : "This request would exceed your account's rate limit. Please try again later.", limitHeaders(failure, nowS));
      case 500:
        return say(500, 'api_error', 'Internal server error');
      case 503:
      case 529:
        return say(failure.status, 'overloaded_error', 'Overloaded', failure.retryAfterS === undefined ? {} : { 'retry-after': String(failure.retryAfterS) });
    }
  },
};

/** The unified headers are what a subscription's 5-hour limit is read from; without `resetsAt` it is a plain rate limit. */
function limitHeaders(failure: Refused & { resetsAt?: number }, nowS: number): Record<string, string> {
  const after = { 'retry-after': String(retryAfter(failure, nowS)) };
  if (failure.resetsAt === undefined) return after;
  const unified = 'anthropic-ratelimit-unified';
  return {
    ...after,
    [`${unified}-status`]: 'rejected',
    [`${unified}-reset`]: String(failure.resetsAt),
    [`${unified}-representative-claim`]: 'five_hour',
    [`${unified}-5h-status`]: 'rejected',
    [`${unified}-5h-reset`]: String(failure.resetsAt),
    [`${unified}-5h-utilization`]: '1',
    [`${unified}-7d-status`]: 'allowed',
    [`${unified}-7d-reset`]: String(failure.resetsAt + 400_000),
    [`${unified}-7d-utilization`]: '0.4',
    [`${unified}-overage-status`]: 'rejected',
    [`${unified}-overage-disabled-reason`]: 'org_level_disabled',
  };
}

const stopReason = (reply: Reply): string => (reply.content.kind === 'call' ? 'tool_use' : 'end_turn');

function message(reply: Reply): Record<string, unknown> {
  const said = wholeText(reply.content);
  const blocks = reply.content.kind === 'call' ? [{ type: 'tool_use', id: `toolu_${reply.id}`, name: reply.content.tool, input: record(reply.content.args) }] : said === '' ? [] : [{ type: 'text', text: said }];
  return { id: `msg_${reply.id}`, type: 'message', role: 'assistant', model: reply.model, content: blocks, stop_sequence: null };
}

const usage = ({ usage: u }: Reply): Record<string, number> => ({ input_tokens: u.input, cache_creation_input_tokens: u.cacheWrite, cache_read_input_tokens: u.cached, output_tokens: u.output });
