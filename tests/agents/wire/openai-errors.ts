import { refusal, retryAfter, type Refusal, type Refused } from './wire.js';

/** The refusals OpenAI's two formats share. `usage_limit_reached` with `resets_at` is what a ChatGPT plan's limit says. */
export function refuseOpenai(failure: Refused, nowS: number): Refusal {
  const say = (status: number, type: string, code: string, message: string, more: object = {}, headers: Record<string, string> = {}): Refusal => refusal(status, { error: { message, type, param: null, code, ...more } }, { 'x-request-id': 'req_stub', ...headers });
  if ('contextError' in failure) return say(400, 'invalid_request_error', 'context_length_exceeded', "This model's maximum context length is 128000 tokens. However, your messages resulted in 250000 tokens. Please reduce the length of the messages.");
  if ('credit' in failure) return say(429, 'insufficient_quota', 'insufficient_quota', 'You exceeded your current quota, please check your plan and billing details.');
  switch (failure.status) {
    case 401:
      return say(401, 'invalid_request_error', 'invalid_api_key', 'Incorrect API key provided: dummy. You can find your API key at https://platform.openai.com/account/api-keys.');
    case 403:
      return say(403, 'invalid_request_error', 'unsupported_country_region_territory', 'Country, region, or territory not supported');
    case 404:
      return say(404, 'invalid_request_error', 'model_not_found', 'The model `stub-model` does not exist or you do not have access to it.');
    case 429: {
      const after = retryAfter(failure, nowS);
      if (failure.resetsAt === undefined) return say(429, 'tokens', 'rate_limit_exceeded', `Rate limit reached for gpt-5 in organization org-stub on tokens per min (TPM): Limit 30000, Used 29000, Requested 4000. Please try again in ${after}s.`, {}, { 'retry-after': String(after) });
      const resets = { plan_type: 'plus', resets_at: failure.resetsAt, resets_in_seconds: Math.max(0, failure.resetsAt - nowS) };
      return say(429, 'usage_limit_reached', 'usage_limit_reached', 'The usage limit has been reached', resets, { ...window(failure.resetsAt), ...(failure.retryAfterS === undefined ? {} : { 'retry-after': String(failure.retryAfterS) }) });
    }
    case 500:
      return say(500, 'server_error', 'server_error', 'The server had an error while processing your request. Sorry about that!');
    case 503:
    case 529:
      return say(failure.status, 'server_error', 'overloaded', 'The engine is currently overloaded, please try again later', {}, failure.retryAfterS === undefined ? {} : { 'retry-after': String(failure.retryAfterS) });
  }
}

/** A ChatGPT plan's five-hour window, used up; Codex copies it into its rollout. */
const window = (resetsAt: number): Record<string, string> => ({ 'x-codex-primary-used-percent': '100', 'x-codex-primary-window-minutes': '300', 'x-codex-primary-reset-at': String(resetsAt) });
