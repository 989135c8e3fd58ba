import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, copyFileSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { loadProfiles } from '../../src/agents/load-profiles.js';
import { Pit, QUICK } from '../rig/pit.js';
import { install, isMissing, type AgentName } from './install.js';
import { startModelStub } from './model-stub.js';
import { sampled } from './sample.js';
import { ended, KEYS, OVERLAYS, PATIENCE_MS, REAL, story } from './stubbed.js';

const EXAMPLES = fileURLToPath(new URL('../../examples/agents/', import.meta.url));
const NAMES = readdirSync(EXAMPLES).filter((name) => name !== 'README.md');
const loaded = loadProfiles({});
const profiles = loaded.ok ? loaded.value : {};

/** Which program works it, and what a person would lay over the profile to use another endpoint: here the stub. Absent: nothing is started. */
const STARTED: Readonly<Record<string, { readonly program: AgentName | undefined; readonly overlay: (url: string) => unknown }>> = {
  claude: { program: 'claude', overlay: OVERLAYS.claude },
  codex: { program: 'codex', overlay: OVERLAYS.codex },
  gemini: { program: 'gemini', overlay: OVERLAYS.gemini },
  opencode: { program: 'opencode', overlay: OVERLAYS.opencode },
  kilo: { program: 'kilo', overlay: (url) => replaced(OVERLAYS.opencode(url), 'config/opencode/opencode.json', 'config/kilo/kilo.json') },
  pi: { program: 'pi', overlay: OVERLAYS.pi },
  qwen: { program: 'qwen', overlay: () => ({ model: 'stub-model' }) },
  ollama: { program: 'opencode', overlay: (url) => ({ seed: replaced(profiles['ollama']?.seed, 'http://127.0.0.1:11434', url) }) },
  shell: { program: undefined, overlay: () => ({}) },
  command: { program: undefined, overlay: () => ({}) },
};
const replaced = (value: unknown, from: string, to: string): unknown => JSON.parse(JSON.stringify(value).replace(from, to)) as unknown;

const WANTED = (process.env['SNAKEPIT_AGENTS'] ?? '').split(',');
const ON_DEMAND: readonly string[] = ['qwen', 'kilo'];
/** The programs themselves work tasks elsewhere (headless.pit.test.ts): of those that are started the same way, one. */
const startable = NAMES.filter((name) => sampled(NAMES, ['claude', 'ollama', 'shell', 'command', ...WANTED]).includes(name)).filter((name) => STARTED[name] !== undefined && (!ON_DEMAND.includes(name) || WANTED.includes(name)));

const top = mkdtempSync(join(tmpdir(), 'snakepit-examples-'));
afterAll(() => rmSync(top, { recursive: true, force: true }));

it('there is one for every built-in profile', () => {
  expect(NAMES.toSorted()).toEqual(Object.keys(profiles).toSorted());
});

describe.each(NAMES)('the example of %s', (name) => {
  it('is a configuration that loads, and names an agent that there is', async () => {
    const pit = new Pit({ config: readFileSync(join(EXAMPLES, name, 'snakepit.yaml'), 'utf8').split('\n') });
    try {
      await pit.ok('config');
      const { agent } = parse(readFileSync(pit.layout.configFile, 'utf8')) as { agent: string };
      expect(await pit.ok('agents', 'show', agent)).toContain('profile: 1');
      const checked = await pit.cli('agents', 'check', agent);
      expect([0, 69]).toContain(checked.code);
      expect(checked.stdout + checked.stderr).toMatch(checked.code === 0 ? /\bok\b/ : /not on the PATH/);
      expect(readFileSync(join(EXAMPLES, 'README.md'), 'utf8')).toContain(`[${name}](${name}/)`);
    } finally {
      await pit.dispose();
    }
  });
});

describe.each(startable)('the example of %s, started', REAL, (name) => {
  it('does its task', { timeout: 300_000 }, async () => {
    await using stub = await startModelStub();
    const { program, overlay } = STARTED[name] as (typeof STARTED)[string];
    const installed = program === undefined ? undefined : await install(program);
    if (installed !== undefined && isMissing(installed)) throw new Error(`${name} cannot be had here: ${installed.missing}`);
    stub.script('default', [{ tool: 'bash', command: "printf '%s\\n' one two three > haiku.txt" }, { text: 'I wrote the haiku.' }]);
    const config = parse(readFileSync(join(EXAMPLES, name, 'snakepit.yaml'), 'utf8')) as Record<string, unknown> & { agents?: Record<string, unknown> };
    const agents = { ...config.agents, ...(profiles[name] === undefined || program === undefined ? {} : { [name]: overlay(stub.url) }) };
    // A PATH of our own: the program, and what `needs` names.
    const bin = mkdtempSync(join(top, 'bin-'));
    if (name === 'ollama') symlinkSync(execFileSync('sh', ['-c', 'command -v true'], { encoding: 'utf8' }).trim(), join(bin, 'ollama'));
    const pit = new Pit({
      config: [...QUICK, ...Object.entries({ ...config, agents, attempts: 1 }).map(([key, value]) => `${key}: ${JSON.stringify(value)}`)],
      env: {
        PATH: [...(installed === undefined ? [] : [dirname(installed.bin)]), bin, process.env['PATH'] ?? ''].join(':'), ...KEYS,
        ANTHROPIC_BASE_URL: stub.url, GOOGLE_GEMINI_BASE_URL: stub.url, OPENAI_BASE_URL: `${stub.url}/v1`, OPENAI_MODEL: 'stub-model',
      },
    });
    try {
      for (const file of readdirSync(join(EXAMPLES, name))) if (file.endsWith('.sh')) copyFileSync(join(EXAMPLES, name, file), join(pit.root, file));
      await pit.ok('up');
      await pit.ok('add', join(EXAMPLES, name, 'task.md'));
      await pit.until('it has ended', () => ended(pit, 'task') !== undefined, PATIENCE_MS);
      expect(story(pit, 'task')).toContain('# Done: A haiku about queues');
      expect(existsSync(join(pit.layout.dir('done'), 'task.md'))).toBe(true);
    } finally {
      await pit.dispose();
    }
  });
});
