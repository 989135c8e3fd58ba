import { at, list, text } from './json.js';
import { refusal, wholeText, type Ask, type Entry, type Frames, type Refusal, type Reply, type Wire } from './wire.js';

/** Ollama's /api/chat: JSON lines; streams unless told otherwise. It has no cache to count: cached tokens are part of the prompt's. */
export const ollama: Wire = {
  name: 'ollama',
  contentType: 'application/x-ndjson',

  read(_path, body): Ask {
    const entries: Entry[] = [];
    const system: string[] = [];
    for (const message of list(at(body, 'messages'))) {
      const said = text(at(message, 'content'));
      const role = text(at(message, 'role'));
      if (role === 'system') system.push(said);
      else if (role === 'user') entries.push({ kind: 'user', text: said });
      else if (role === 'tool') entries.push({ kind: 'result' });
      else if (role === 'assistant' && list(at(message, 'tool_calls')).length === 0 && said.trim() !== '') entries.push({ kind: 'said' });
    }
    const format = at(body, 'format');
    return {
      model: text(at(body, 'model')),
      stream: at(body, 'stream') !== false,
      system: system.join('\n'),
      entries,
      tools: list(at(body, 'tools')).map((tool) => ({ name: text(at(tool, 'function', 'name')), schema: at(tool, 'function', 'parameters'), freeform: false })),
      schema: typeof format === 'object' && format !== null ? format : undefined,
    };
  },

  stream(reply): Frames {
    const line = (message: object): string => `${JSON.stringify({ ...head(reply), message, done: false })}\n`;
    const last = `${JSON.stringify({ ...head(reply), message: { role: 'assistant', content: '' }, ...done(reply) })}\n`;
    if (reply.content.kind === 'call') return { open: [line(message(reply))], chunks: [], close: [last] };
    return { open: [], chunks: reply.content.chunks.map((chunk) => line({ role: 'assistant', content: chunk })), close: [last] };
  },

  whole: (reply) => ({ ...head(reply), message: message(reply), ...done(reply) }),

  refuse(failure): Refusal {
    if ('contextError' in failure) return refusal(400, { error: 'the input length exceeds the context length' });
    if ('credit' in failure) return refusal(402, { error: 'you have run out of credits' });
    const said: Record<typeof failure.status, string> = { 401: 'unauthorized', 403: 'forbidden', 404: `model 'stub-model' not found`, 429: "you've reached your hourly usage limit, please upgrade to continue", 500: 'llama runner process has terminated', 503: 'server busy, please try again. maximum pending requests exceeded', 529: 'server busy' };
    return refusal(failure.status, { error: said[failure.status] }, failure.retryAfterS === undefined ? {} : { 'retry-after': String(failure.retryAfterS) });
  },
};

const head = (reply: Reply): object => ({ model: reply.model, created_at: '2026-01-01T00:00:00Z' });
const message = ({ content }: Reply): object => (content.kind === 'call' ? { role: 'assistant', content: '', tool_calls: [{ function: { name: content.tool, arguments: content.args } }] } : { role: 'assistant', content: wholeText(content) });
const done = ({ usage: u }: Reply): object => ({ done: true, done_reason: 'stop', total_duration: 1, load_duration: 1, prompt_eval_count: u.input + u.cached + u.cacheWrite, prompt_eval_duration: 1, eval_count: u.output, eval_duration: 1 });
