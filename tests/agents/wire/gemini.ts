import { at, list, text } from './json.js';
import { refusal, retryAfter, sse, wholeText, type Ask, type Entry, type Frames, type Refusal, type Reply, type Wire } from './wire.js';

/** Gemini generateContent. Usage: promptTokenCount includes the cached ones; the last frame bears it. */
export const gemini: Wire = {
  name: 'gemini',
  contentType: 'text/event-stream',

  read(path, body): Ask {
    const entries: Entry[] = [];
    for (const content of list(at(body, 'contents'))) {
      const parts = list(at(content, 'parts'));
      if (at(content, 'role') === 'model') {
        const called = parts.some((part) => at(part, 'functionCall') !== undefined);
        if (!called && parts.some((part) => text(at(part, 'text')).trim() !== '')) entries.push({ kind: 'said' });
        continue;
      }
      for (const part of parts) {
        if (at(part, 'functionResponse') !== undefined) entries.push({ kind: 'result' });
        else if (typeof at(part, 'text') === 'string') entries.push({ kind: 'user', text: text(at(part, 'text')) });
      }
    }
    const config = at(body, 'generationConfig');
    const declared = list(at(body, 'tools')).flatMap((tool) => list(at(tool, 'functionDeclarations')));
    return {
      model: /models\/([^:/]+):/.exec(path)?.[1] ?? '',
      stream: path.includes(':streamGenerateContent'),
      system: list(at(body, 'systemInstruction', 'parts')).map((part) => text(at(part, 'text'))).join('\n'),
      entries,
      tools: declared.map((tool) => ({ name: text(at(tool, 'name')), schema: at(tool, 'parametersJsonSchema') ?? at(tool, 'parameters'), freeform: false })),
      schema: at(config, 'responseJsonSchema') ?? at(config, 'responseSchema'),
    };
  },

  stream(reply): Frames {
    const frame = (parts: readonly object[]): string => sse({ candidates: [{ index: 0, content: { role: 'model', parts } }], modelVersion: reply.model, responseId: reply.id });
    const last = sse(whole(reply, reply.content.kind === 'call' ? parts(reply) : [{ text: '' }]));
    return { open: [], chunks: reply.content.kind === 'text' ? reply.content.chunks.map((chunk) => frame([{ text: chunk }])) : [], close: [last] };
  },

  whole: (reply) => whole(reply, parts(reply)),

  refuse(failure, nowS): Refusal {
    const say = (code: number, status: string, message: string, details: readonly object[] = []): Refusal => refusal(code, { error: { code, message, status, ...(details.length > 0 ? { details } : {}) } });
    if ('contextError' in failure) return say(400, 'INVALID_ARGUMENT', 'The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).');
    if ('credit' in failure) return say(403, 'PERMISSION_DENIED', 'This API method requires billing to be enabled. Please enable billing on project #stub.', [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'BILLING_DISABLED', domain: 'googleapis.com' }]);
    switch (failure.status) {
      case 401:
        return say(401, 'UNAUTHENTICATED', 'API key not valid. Please pass a valid API key.');
      case 403:
        return say(403, 'PERMISSION_DENIED', 'The caller does not have permission');
      case 404:
        return say(404, 'NOT_FOUND', 'models/stub-model is not found for API version v1beta');
      case 429: {
        const daily = failure.resetsAt !== undefined;
        const quota = daily ? 'GenerateRequestsPerDayPerProjectPerModel-FreeTier' : 'GenerateRequestsPerMinutePerProjectPerModel-FreeTier';
        return say(429, 'RESOURCE_EXHAUSTED', `You exceeded your current quota, please check your plan and billing details.${daily ? '' : ` Please retry in ${retryAfter(failure, nowS)}s.`}`, [
          { '@type': 'type.googleapis.com/google.rpc.QuotaFailure', violations: [{ quotaMetric: 'generativelanguage.googleapis.com/generate_content_free_tier_requests', quotaId: quota, quotaValue: '50' }] },
          { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: `${retryAfter(failure, nowS)}s` },
        ]);
      }
      case 500:
        return say(500, 'INTERNAL', 'An internal error has occurred.');
      case 503:
      case 529:
        return say(503, 'UNAVAILABLE', 'The model is overloaded. Please try again later.');
    }
  },
};

function parts({ content, id }: Reply): object[] {
  if (content.kind === 'call') return [{ functionCall: { id, name: content.tool, args: content.args } }];
  const said = wholeText(content);
  return said === '' ? [] : [{ text: said }];
}

function whole(reply: Reply, content: readonly object[]): object {
  const { usage: u } = reply;
  const input = u.input + u.cached + u.cacheWrite;
  return {
    candidates: [{ index: 0, content: { role: 'model', parts: content }, finishReason: 'STOP' }],
    usageMetadata: { promptTokenCount: input, cachedContentTokenCount: u.cached, candidatesTokenCount: u.output, totalTokenCount: input + u.output },
    modelVersion: reply.model,
    responseId: reply.id,
  };
}
