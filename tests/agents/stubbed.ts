import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { AgentRecord } from '../../src/protocol/records.js';
import type { Core } from './headless.js';
import { install, isMissing } from './install.js';
import { Pit, QUICK } from '../rig/pit.js';
import { startModelStub, type ModelStub, type Usage } from './model-stub.js';

/** What a person would write in snakepit.yaml to use a program with another endpoint: here the stub. */
export const OVERLAYS: Readonly<Record<Core, (url: string) => unknown>> = {
  claude: () => ({}),
  codex: (url) => ({
    seed: [
      {
        file: 'config.toml',
        format: 'text',
        content: [
          'model = "gpt-5.1-codex"', 'model_provider = "stub"', 'check_for_update_on_startup = false',
          '[model_providers.stub]', 'name = "stub"', `base_url = "${url}/v1"`, 'env_key = "OPENAI_API_KEY"', 'wire_api = "responses"', 'request_max_retries = 1', 'stream_max_retries = 1',
          '[projects."{workspace}"]', 'trust_level = "trusted"', '',
        ].join('\n'),
      },
    ],
  }),
  gemini: () => ({ model: 'gemini-2.5-pro' }),
  opencode: (url) => ({
    seed: [
      {
        file: 'config/opencode/opencode.json',
        format: 'json',
        content: {
          autoupdate: false, share: 'disabled', model: 'stub/stub-model', small_model: 'stub/stub-small', permission: 'allow',
          provider: { stub: { npm: '@ai-sdk/openai-compatible', name: 'Stub', options: { baseURL: `${url}/v1`, apiKey: 'dummy' }, models: { 'stub-model': { name: 'Stub', limit: { context: 200_000, output: 8192 } }, 'stub-small': { name: 'Small' } } } },
        },
      },
    ],
  }),
  pi: (url) => ({
    model: 'stub/stub-model',
    seed: [
      {
        file: 'models.json',
        format: 'json',
        content: { providers: { stub: { baseUrl: `${url}/v1`, api: 'openai-completions', apiKey: 'dummy', models: [{ id: 'stub-model', name: 'Stub', reasoning: false, input: ['text'], contextWindow: 200_000, maxTokens: 8192, cost: { input: 1, output: 2, cacheRead: 0, cacheWrite: 0 } }] } } },
      },
      { file: 'settings.json', format: 'json', content: { retry: { maxRetries: 1, baseDelayMs: 500 } } },
    ],
  }),
};

export const KEYS = { ANTHROPIC_API_KEY: 'dummy', OPENAI_API_KEY: 'dummy', GEMINI_API_KEY: 'dummy' } as const;

/** A pit whose PATH has the real program, talking to the stub. `others`: further profiles, made from this one, and further keys of it. Throws where the program could not be had. */
export async function pitWith(name: Core, stub: ModelStub, others: Record<string, unknown> = {}, env: Readonly<Record<string, string>> = {}, more: readonly string[] = []): Promise<Pit> {
  const installed = await install(name);
  if (isMissing(installed)) throw new Error(`${name} cannot be had here: ${installed.missing}`);
  const settings = JSON.stringify({ ...others, [name]: { ...(OVERLAYS[name](stub.url) as object), ...(others[name] as object | undefined) } });
  return new Pit({
    config: [...QUICK.filter((line) => !line.startsWith('grace')), 'grace: 2s', `agent: ${name}`, `agents: ${settings}`, 'attempts: 1', 'retrying: 5s', ...more],
    env: { PATH: `${dirname(installed.bin)}:${process.env['PATH'] ?? '/usr/bin:/bin'}`, ...KEYS, ANTHROPIC_BASE_URL: stub.url, GOOGLE_GEMINI_BASE_URL: stub.url, ...env },
  });
}

export const PATIENCE_MS = 120_000;
/** Real programs of others, with timers of their own: a test of theirs that failed is run once more, and the report says so. */
export const REAL = { retry: 1 } as const;

/** A pit of some snakes on that program, put down and proved empty afterwards. */
export async function withAgent(name: Core, act: (pit: Pit, stub: ModelStub) => Promise<void>, snakes = 1, others: (agent: Core) => Record<string, unknown> = () => ({}), env: Readonly<Record<string, string>> = {}, more: readonly string[] = []): Promise<void> {
  await using stub = await startModelStub({ bodies: true });
  const pit = await pitWith(name, stub, others(name), env, more);
  try {
    await pit.up(snakes);
    await act(pit, stub);
  } finally {
    await pit.dispose();
  }
}

export const ended = (pit: Pit, id: string): 'done' | 'failed' | undefined => (['done', 'failed'] as const).find((state) => existsSync(join(pit.layout.dir(state), `${id}.result.md`)));
export const story = (pit: Pit, id: string): string => readFileSync(join(pit.layout.dir(ended(pit, id) ?? 'failed'), `${id}.result.md`), 'utf8');
export const runDir = (pit: Pit, id: string): string => join(pit.layout.runs, id, readdirSync(join(pit.layout.runs, id)).sort().at(-1) ?? '');
/** What was last seen of a program, at its end or before it, in the last attempt or in the one with this number. */
export function agentOf(pit: Pit, id: string, attempt?: number): AgentRecord {
  const dir = runDirs(pit, id).at(attempt === undefined ? -1 : attempt - 1) ?? '';
  const file = ['agent-end.json', 'agent.json'].map((name) => join(dir, name)).find((path) => existsSync(path));
  if (file === undefined) throw new Error(`nothing was seen of ${id}`);
  return JSON.parse(readFileSync(file, 'utf8')) as AgentRecord;
}

/** Tokens as the stub counts them. */
export function tokensOf(pit: Pit, id: string, attempt?: number): Usage | string {
  const { tokens, uncounted } = agentOf(pit, id, attempt);
  return tokens === undefined ? (uncounted ?? 'not counted, and nobody says why') : { input: tokens.input, cached: tokens.cacheRead, cacheWrite: tokens.cacheWrite, output: tokens.output };
}

/** One per attempt, oldest first. */
export const runDirs = (pit: Pit, id: string): string[] => readdirSync(join(pit.layout.runs, id)).sort().map((name) => join(pit.layout.runs, id, name));
