import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { at, count, list, parsed, text } from './wire/json.js';
import type { AgentName } from './install.js';
import { sumUsage, type Usage } from './turns.js';

/**
 * How each real program is run once, without a terminal, against the stub: the files its home needs, its environment, its
 * arguments, and where it says what it did. Written apart from the product's own profiles, to check them.
 */
export interface Headless {
  seed(place: Place): Promise<void>;
  env(place: Place): Record<string, string>;
  argv(prompt: string): string[];
  /** What goes to standard input; null: /dev/null. */
  stdin(prompt: string): string | null;
  /** The last thing the agent said, read from its structured output. */
  finalText(events: readonly unknown[]): string;
  /** The tokens the agent's own transcript has, as the stub counts them. */
  usage(place: Place, events: readonly unknown[], bin: string): Promise<Usage>;
}

export interface Place {
  readonly home: string;
  readonly work: string;
  /** The stub, without a path. */
  readonly url: string;
}

export type Core = Extract<AgentName, 'claude' | 'codex' | 'gemini' | 'opencode' | 'pi'>;

const claude: Headless = {
  seed: async ({ home, work }) => {
    await put(join(home, '.claude/.claude.json'), { hasCompletedOnboarding: true, customApiKeyResponses: { approved: ['dummy'], rejected: [] }, projects: { [work]: { hasTrustDialogAccepted: true, hasCompletedProjectOnboarding: true } } });
    await put(join(home, '.claude/settings.json'), { skipDangerousModePermissionPrompt: true });
  },
  env: ({ home, url }) => ({ CLAUDE_CONFIG_DIR: join(home, '.claude'), ANTHROPIC_BASE_URL: url, ANTHROPIC_API_KEY: 'dummy', IS_SANDBOX: '1', CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1', DISABLE_AUTOUPDATER: '1', CLAUDE_CODE_MAX_RETRIES: '2' }),
  argv: (prompt) => ['-p', '--output-format', 'stream-json', '--verbose', '--permission-mode', 'bypassPermissions', prompt],
  stdin: () => null,
  finalText: (events) => text(at(events.findLast((event) => at(event, 'type') === 'result'), 'result')),
  usage: async ({ home }) => {
    const byMessage = new Map<string, Usage>();
    for (const line of await lines(join(home, '.claude/projects'))) {
      const u = at(line, 'message', 'usage');
      if (at(line, 'type') === 'assistant') byMessage.set(text(at(line, 'message', 'id')), { input: count(at(u, 'input_tokens')), cached: count(at(u, 'cache_read_input_tokens')), cacheWrite: count(at(u, 'cache_creation_input_tokens')), output: count(at(u, 'output_tokens')) });
    }
    return sumUsage([...byMessage.values()]);
  },
};

const codex: Headless = {
  seed: async ({ home, work, url }) => {
    await put(
      join(home, '.codex/config.toml'),
      [
        'model = "gpt-5.1-codex"',
        'model_provider = "stub"',
        'check_for_update_on_startup = false',
        '[model_providers.stub]',
        'name = "stub"',
        `base_url = "${url}/v1"`,
        'env_key = "OPENAI_API_KEY"',
        'wire_api = "responses"',
        'request_max_retries = 2',
        'stream_max_retries = 2',
        `[projects."${work}"]`,
        'trust_level = "trusted"',
      ].join('\n'),
    );
  },
  env: ({ home }) => ({ CODEX_HOME: join(home, '.codex'), OPENAI_API_KEY: 'dummy' }),
  argv: (prompt) => ['exec', '--json', '--dangerously-bypass-approvals-and-sandbox', '--skip-git-repo-check', prompt],
  stdin: () => null,
  finalText: (events) => text(at(events.findLast((event) => at(event, 'item', 'type') === 'agent_message'), 'item', 'text')),
  usage: async ({ home }) => {
    const counts = (await lines(join(home, '.codex/sessions'))).filter((line) => at(line, 'payload', 'type') === 'token_count');
    const u = at(counts.at(-1), 'payload', 'info', 'total_token_usage');
    const cached = count(at(u, 'cached_input_tokens'));
    return { input: count(at(u, 'input_tokens')) - cached, cached, cacheWrite: 0, output: count(at(u, 'output_tokens')) };
  },
};

const gemini: Headless = {
  seed: ({ home }) => put(join(home, '.gemini/settings.json'), { security: { auth: { selectedType: 'gemini-api-key' } }, general: { disableAutoUpdate: true, disableUpdateNag: true, maxAttempts: 2 }, privacy: { usageStatisticsEnabled: false } }),
  env: ({ url }) => ({ GOOGLE_GEMINI_BASE_URL: url, GEMINI_API_KEY: 'dummy' }),
  argv: (prompt) => ['--skip-trust', '--yolo', '-m', 'gemini-2.5-pro', '-o', 'stream-json', '-p', prompt],
  stdin: () => null,
  finalText: (events) => {
    const afterTools = events.slice(events.findLastIndex((event) => at(event, 'type') === 'tool_result') + 1);
    return afterTools.filter((event) => at(event, 'role') === 'assistant').map((event) => text(at(event, 'content'))).join('');
  },
  usage: async ({ home }) => {
    const byMessage = new Map<string, Usage>();
    for (const line of await lines(join(home, '.gemini/tmp'))) {
      const t = at(line, 'tokens');
      const cached = count(at(t, 'cached'));
      if (at(line, 'type') === 'gemini' && t !== undefined) byMessage.set(text(at(line, 'id')), { input: count(at(t, 'input')) - cached, cached, cacheWrite: 0, output: count(at(t, 'output')) });
    }
    return sumUsage([...byMessage.values()]);
  },
};

const opencode: Headless = {
  seed: ({ home, url }) =>
    put(join(home, '.config/opencode/opencode.json'), {
      autoupdate: false,
      share: 'disabled',
      model: 'stub/stub-model',
      small_model: 'stub/stub-small',
      permission: 'allow',
      provider: { stub: { npm: '@ai-sdk/openai-compatible', name: 'Stub', options: { baseURL: `${url}/v1`, apiKey: 'dummy' }, models: { 'stub-model': { name: 'Stub', limit: { context: 200_000, output: 8192 } }, 'stub-small': { name: 'Small' } } } },
    }),
  env: () => ({ OPENCODE_DISABLE_MODELS_FETCH: '1', OPENCODE_DISABLE_AUTOUPDATE: '1' }),
  argv: () => ['run', '--format', 'json', '--auto'],
  // As an argument it would be wrapped in literal quotes.
  stdin: (prompt) => prompt,
  finalText: (events) => text(at(events.findLast((event) => at(event, 'type') === 'text'), 'part', 'text')),
  usage: async (place, events, bin) => {
    const session = text(at(events.find((event) => text(at(event, 'sessionID')) !== ''), 'sessionID'));
    const { stdout } = await promisify(execFile)(bin, ['export', session], { cwd: place.work, env: envOf('opencode', place), maxBuffer: 1 << 26 });
    return sumUsage(list(at(parsed(stdout), 'messages')).map((message) => {
      const t = at(message, 'info', 'tokens');
      return { input: count(at(t, 'input')), cached: count(at(t, 'cache', 'read')), cacheWrite: count(at(t, 'cache', 'write')), output: count(at(t, 'output')) };
    }));
  },
};

const pi: Headless = {
  seed: ({ home, url }) => put(join(home, '.pi/agent/models.json'), { providers: { stub: { baseUrl: `${url}/v1`, api: 'openai-completions', apiKey: 'dummy', models: [{ id: 'stub-model', name: 'Stub', reasoning: false, input: ['text'], contextWindow: 200_000, maxTokens: 8192, cost: { input: 1, output: 2, cacheRead: 0, cacheWrite: 0 } }] } } }),
  env: () => ({ PI_OFFLINE: '1' }),
  argv: (prompt) => ['--provider', 'stub', '--model', 'stub-model', '--mode', 'json', '-p', prompt],
  stdin: () => null,
  finalText: (events) => list(at(events.findLast((event) => at(event, 'type') === 'turn_end'), 'message', 'content')).map((part) => text(at(part, 'text'))).join(''),
  usage: async ({ home }) => {
    const messages = (await lines(join(home, '.pi/agent/sessions'))).filter((line) => at(line, 'message', 'role') === 'assistant');
    return sumUsage(messages.map((line) => {
      const u = at(line, 'message', 'usage');
      return { input: count(at(u, 'input')), cached: count(at(u, 'cacheRead')), cacheWrite: count(at(u, 'cacheWrite')), output: count(at(u, 'output')) };
    }));
  },
};

export const HEADLESS: Readonly<Record<Core, Headless>> = { claude, codex, gemini, opencode, pi };

/** The whole environment of a run; nothing is inherited but the PATH. TMPDIR: four of the five leave files there. */
export const envOf = (name: Core, place: Place): Record<string, string> => ({ PATH: process.env['PATH'] ?? '/usr/bin:/bin', HOME: place.home, TMPDIR: join(place.home, '..', 'tmp'), TERM: 'xterm-256color', LANG: 'C.UTF-8', ...HEADLESS[name].env(place) });

async function put(path: string, content: unknown): Promise<void> {
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, typeof content === 'string' ? `${content}\n` : JSON.stringify(content));
}

/** Every JSON line of every .jsonl file below a directory, file after file. */
async function lines(dir: string): Promise<unknown[]> {
  const files = (await readdir(dir, { recursive: true })).filter((file) => file.endsWith('.jsonl')).toSorted();
  const sources = await Promise.all(files.map((file) => readFile(join(dir, file), 'utf8')));
  return sources.flatMap((source) => source.split('\n').filter((line) => line !== '').map(parsed));
}
