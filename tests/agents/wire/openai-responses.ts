import { at, list, record, text } from './json.js';
import { refuseOpenai } from './openai-errors.js';
import { sse, wholeText, type Ask, type Entry, type Frames, type Reply, type Tool, type Wire } from './wire.js';

/** OpenAI Responses, as Codex speaks it. Usage: input_tokens includes the cached ones. */
export const openaiResponses: Wire = {
  name: 'openai-responses',
  contentType: 'text/event-stream',

  read(_path, body): Ask {
    const entries: Entry[] = [];
    const input = at(body, 'input');
    const items = typeof input === 'string' ? [{ type: 'message', role: 'user', content: input }] : list(input);
    for (const item of items) {
      const type = text(at(item, 'type'));
      if (type === 'function_call_output' || type === 'custom_tool_call_output') entries.push({ kind: 'result' });
      if (type !== 'message' && type !== '') continue;
      const role = text(at(item, 'role'));
      const content = at(item, 'content');
      const texts = typeof content === 'string' ? [content] : list(content).map((part) => text(at(part, 'text')));
      if (role === 'assistant' && texts.join('').trim() !== '') entries.push({ kind: 'said' });
      if (role === 'user') entries.push(...texts.map((t): Entry => ({ kind: 'user', text: t })));
    }
    return {
      model: text(at(body, 'model')),
      stream: at(body, 'stream') === true,
      system: text(at(body, 'instructions')),
      entries,
      tools: list(at(body, 'tools')).flatMap(toolsOf),
      schema: at(body, 'text', 'format', 'schema'),
    };
  },

  stream(reply): Frames {
    let sequence = 0;
    const event = (type: string, rest: object): string => sse({ type, sequence_number: sequence++, ...rest }, type);
    const created = event('response.created', { response: { ...response(reply), status: 'in_progress', output: [], usage: null } });
    const close = (): string => event('response.completed', { response: response(reply) });
    const [item] = items(reply);
    if (item === undefined) return { open: [created], chunks: [], close: [close()] };
    const id = text(record(item)['id']);
    if (reply.content.kind === 'call') {
      return { open: [created, event('response.output_item.added', { output_index: 0, item }), event('response.output_item.done', { output_index: 0, item })], chunks: [], close: [close()] };
    }
    const place = { item_id: id, output_index: 0, content_index: 0 };
    const open = [created, event('response.output_item.added', { output_index: 0, item: { ...record(item), status: 'in_progress', content: [] } }), event('response.content_part.added', { ...place, part: { type: 'output_text', text: '', annotations: [] } })];
    const chunks = reply.content.chunks.map((delta) => event('response.output_text.delta', { ...place, delta }));
    return { open, chunks, close: [event('response.output_text.done', { ...place, text: wholeText(reply.content) }), event('response.output_item.done', { output_index: 0, item }), close()] };
  },

  whole: response,
  refuse: (failure, nowS) => {
    // Codex reads a context overflow from the stream, not from a status.
    if ('contextError' in failure) {
      const error = { code: 'context_length_exceeded', message: 'Your input exceeds the context window of this model. Please adjust your input and try again.' };
      return { status: 200, headers: { 'content-type': 'text/event-stream' }, body: sse({ type: 'response.failed', sequence_number: 0, response: { id: 'resp_stub', object: 'response', status: 'failed', output: [], error } }, 'response.failed') };
    }
    return refuseOpenai(failure, nowS);
  },
};

/** A tool, or the tools of a namespace. Freeform (custom) tools take text. */
function toolsOf(tool: unknown): Tool[] {
  const type = text(at(tool, 'type'));
  if (type === 'namespace') return list(at(tool, 'tools')).flatMap(toolsOf);
  if (type !== 'function' && type !== 'custom') return [];
  return [{ name: text(at(tool, 'name')), schema: at(tool, 'parameters'), freeform: type === 'custom' }];
}

function items({ id, content }: Reply): object[] {
  if (content.kind === 'call' && content.freeform) return [{ id: `ctc_${id}`, type: 'custom_tool_call', status: 'completed', call_id: `call_${id}`, name: content.tool, input: content.input }];
  if (content.kind === 'call') return [{ id: `fc_${id}`, type: 'function_call', status: 'completed', call_id: `call_${id}`, name: content.tool, arguments: JSON.stringify(content.args) }];
  const said = wholeText(content);
  return said === '' ? [] : [{ id: `msg_${id}`, type: 'message', status: 'completed', role: 'assistant', content: [{ type: 'output_text', text: said, annotations: [] }] }];
}

function response(reply: Reply): Record<string, unknown> {
  const { usage: u } = reply;
  const input = u.input + u.cached + u.cacheWrite;
  return {
    id: `resp_${reply.id}`,
    object: 'response',
    created_at: 0,
    status: 'completed',
    model: reply.model,
    output: items(reply),
    usage: { input_tokens: input, input_tokens_details: { cached_tokens: u.cached }, output_tokens: u.output, output_tokens_details: { reasoning_tokens: 0 }, total_tokens: input + u.output },
  };
}
