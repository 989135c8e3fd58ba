import { at, list, text } from './json.js';
import { refuseOpenai } from './openai-errors.js';
import { sse, wholeText, type Ask, type Entry, type Frames, type Reply, type Wire } from './wire.js';

/** OpenAI Chat Completions. Usage: prompt_tokens includes the cached ones; streamed in a last chunk without choices. */
export const openaiChat: Wire = {
  name: 'openai-chat',
  contentType: 'text/event-stream',

  read(_path, body): Ask {
    const entries: Entry[] = [];
    const system: string[] = [];
    for (const message of list(at(body, 'messages'))) {
      const content = at(message, 'content');
      const texts = typeof content === 'string' ? [content] : list(content).map((part) => text(at(part, 'text')));
      switch (text(at(message, 'role'))) {
        case 'system':
        case 'developer':
          system.push(...texts);
          break;
        case 'user':
          entries.push(...texts.map((t): Entry => ({ kind: 'user', text: t })));
          break;
        case 'tool':
          entries.push({ kind: 'result' });
          break;
        case 'assistant':
          if (list(at(message, 'tool_calls')).length === 0 && texts.join('').trim() !== '') entries.push({ kind: 'said' });
          break;
      }
    }
    return {
      model: text(at(body, 'model')),
      stream: at(body, 'stream') === true,
      system: system.join('\n'),
      entries,
      tools: list(at(body, 'tools')).map((tool) => ({ name: text(at(tool, 'function', 'name')), schema: at(tool, 'function', 'parameters'), freeform: false })),
      schema: at(body, 'response_format', 'json_schema', 'schema'),
    };
  },

  stream(reply): Frames {
    const chunk = (delta: object, finish: string | null = null): string => sse({ ...head(reply, 'chat.completion.chunk'), choices: [{ index: 0, delta, finish_reason: finish }] });
    const close = [chunk({}, finishReason(reply)), sse({ ...head(reply, 'chat.completion.chunk'), choices: [], usage: usage(reply) }), 'data: [DONE]\n\n'];
    const { content } = reply;
    if (content.kind === 'text') return { open: [chunk({ role: 'assistant', content: '' })], chunks: content.chunks.map((part) => chunk({ content: part })), close };
    return { open: [chunk({ role: 'assistant', content: null }), chunk({ tool_calls: [{ index: 0, ...call(reply.id, content.tool, content.args) }] })], chunks: [], close };
  },

  whole(reply) {
    const { content } = reply;
    const message = content.kind === 'call' ? { role: 'assistant', content: null, tool_calls: [call(reply.id, content.tool, content.args)] } : { role: 'assistant', content: wholeText(content) };
    return { ...head(reply, 'chat.completion'), choices: [{ index: 0, message, finish_reason: finishReason(reply) }], usage: usage(reply) };
  },

  refuse: refuseOpenai,
};

const head = (reply: Reply, object: string): object => ({ id: `chatcmpl_${reply.id}`, object, created: 0, model: reply.model });
const finishReason = (reply: Reply): string => (reply.content.kind === 'call' ? 'tool_calls' : 'stop');
const call = (id: string, name: string, args: object): object => ({ id: `call_${id}`, type: 'function', function: { name, arguments: JSON.stringify(args) } });

function usage({ usage: u }: Reply): object {
  const input = u.input + u.cached + u.cacheWrite;
  return { prompt_tokens: input, prompt_tokens_details: { cached_tokens: u.cached }, completion_tokens: u.output, completion_tokens_details: { reasoning_tokens: 0 }, total_tokens: input + u.output };
}
