import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadProfiles } from '../../src/agents/load-profiles.js';
import { promptText, variablesIn } from '../../src/agents/prompts.js';
import { Pit, QUICK } from '../rig/pit.js';
import { fakePrograms, readDumps, verifyDump, type Dump } from './fake-program.js';
import { ended } from './stubbed.js';

const loaded = loadProfiles({});
if (!loaded.ok) throw new Error(loaded.error.problem);
const PROFILES = Object.values(loaded.value);
/** One of a person's own: its account's key takes the place of the usual one. */
const OWN = { mine: { extends: 'claude', accounts: [{ name: 'a', from: { ANTHROPIC_API_KEY: 'MINE_KEY' } }] } };
const NAMES = [...PROFILES.map(({ name }) => name), 'mine'];

/** Variable → a value that stands nowhere else, of a real key's length. */
const SECRETS: Readonly<Record<string, string>> = Object.fromEntries([...new Set([...PROFILES.flatMap(({ secrets }) => secrets), 'MINE_KEY', 'NOBODYS_KEY'])].map((name, index) => [name, `sk-${String(index).padStart(2, '0')}-${name.toLowerCase().replaceAll('_', '')}-${'q'.repeat(30)}-${String(index * 7919).padStart(12, '0')}`]));
const EVIL = 'inherited-evil';
/** What a session, or a person's shell, that `up` was said in would hand down. */
const INHERITED = ['SNAKEPIT_TASK_ID', 'SNAKEPIT_RUN_DIR', 'SNAKEPIT_RESULT', 'SNAKEPIT_EVENTS', 'SNAKEPIT_COMMAND', 'CLAUDECODE', 'CLAUDE_CODE_ENTRYPOINT', 'CLAUDE_CODE_SSE_PORT', 'CLAUDE_CONFIG_DIR', 'CODEX_HOME', 'CODEX_SANDBOX', 'GEMINI_CLI', 'OPENCODE', 'OPENCODE_CONFIG', 'KILO', 'PI_CODING_AGENT_DIR', 'QWEN_CODE', 'AGENT', 'XDG_CONFIG_HOME', 'XDG_DATA_HOME', 'TMUX', 'TMUX_PANE', 'STY', 'NODE_EXTRA', 'AIDER_MODEL', 'GITHUB_TOKEN', 'AWS_SECRET_ACCESS_KEY'];

/** What each profile's session may have of the secrets, as its own variable → value. */
const due = (name: string): Record<string, string> => (name === 'mine' ? { ANTHROPIC_API_KEY: SECRETS['MINE_KEY'] ?? '' } : Object.fromEntries((loaded.value[name]?.secrets ?? []).map((variable) => [variable, SECRETS[variable] ?? ''])));
const secretsIn = (text: string): string[] => Object.keys(SECRETS).filter((name) => text.includes(SECRETS[name] ?? ''));

/** Modes of a profile, as its task's ids end. */
const TASKS = NAMES.flatMap((name) => (['headless', 'interactive'] as const).filter((mode) => loaded.value[name === 'mine' ? 'claude' : name]?.[mode] !== undefined).map((mode) => ({ name, mode, id: `${name}-${mode}` })));

const read = (file: string): string => {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
};

const top = mkdtempSync(join(tmpdir(), 'snakepit-environment-'));
afterAll(() => rmSync(top, { recursive: true, force: true }));

describe('what a session is given', () => {
  const seen = { argv: new Set<string>(), tmux: new Set<string>(), sessions: new Set<string>() };
  let pit: Pit;
  let dumps: Dump[];

  beforeAll(async () => {
    const [bin, at] = [join(top, 'bin'), join(top, 'dumps')];
    fakePrograms(bin, at, [...new Set(PROFILES.map(({ binary }) => binary)), 'look'].filter((binary) => binary !== 'sh' && binary !== 'cat'));
    const agents = { command: { binary: 'look', headless: { argv: ['look', '{prompt-file}'] } }, ...OWN };
    pit = new Pit({
      config: [...QUICK, 'attempts: 1', 'startup: 10s', `agents: ${JSON.stringify(agents)}`],
      env: { PATH: `${bin}:${process.env['PATH'] ?? ''}`, ...SECRETS, ...Object.fromEntries(INHERITED.map((name) => [name, `${EVIL}/${name}`])) },
    });
    await pit.up(4);
    for (const { name, mode, id } of TASKS) pit.dropTask(`${id}.md`, `---\nagent: ${name}\nmode: ${mode}\nverify: ${verifyDump(at)}\n---\nLook around, ${id}.\n${name === 'shell' ? `\`\`\`sh\nlook --for-the-shell\n\`\`\`\n` : ''}`);
    const socket = pit.layout.tmuxSocket;
    while (TASKS.some(({ id }) => ended(pit, id) === undefined)) {
      await sleep(50);
      for (const pid of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
        const command = read(`/proc/${pid}/cmdline`);
        for (const name of secretsIn(command)) seen.argv.add(`${name}: ${command}`);
        if (command.includes(socket)) for (const name of secretsIn(read(`/proc/${pid}/environ`))) seen.tmux.add(`${name} in the environment of ${command}`);
      }
      const tmux = (...args: string[]): string => execFileSync('tmux', ['-S', socket, ...args], { encoding: 'utf8' });
      for (const session of tmux('list-sessions', '-F', '#{session_name}').split('\n').filter(Boolean)) {
        seen.sessions.add(session);
        try {
          for (const name of secretsIn(tmux('show-environment', '-t', `=${session}`) + tmux('show-environment', '-g'))) seen.tmux.add(`${name} in ${session}`);
        } catch {
          // It has just ended.
        }
      }
    }
    dumps = readDumps(at);
  }, 240_000);
  afterAll(() => pit.dispose());

  const session = (id: string): Dump => {
    const found = dumps.filter((dump) => dump.kind === 'session' && dump.task === id);
    if (found.length !== 1) throw new Error(`${id} ran ${found.length} times`);
    return found[0] as Dump;
  };

  it.each(TASKS)('$id: every variable that a prompt names is set, and its prompt reaches it', ({ name, mode, id }) => {
    const { env, argv, stdin } = session(id);
    for (const prompt of ['headless', 'interactive', 'resume', 'worktree'] as const) for (const variable of variablesIn(promptText(prompt))) expect(env, variable).toHaveProperty(variable);
    expect(env).toMatchObject({ SNAKEPIT_TASK_ID: id, SNAKEPIT_WORKSPACE: env['PWD'], SNAKEPIT_STEP: 'solo', SNAKEPIT_ATTEMPT: '1' });
    expect(existsSync(env['SNAKEPIT_COMMAND'] ?? '')).toBe(true);
    if (name === 'shell') return;
    const prompt = join(env['SNAKEPIT_RUN_DIR'] ?? '', 'prompt.md');
    expect(readFileSync(prompt, 'utf8')).toBe(`${promptText(mode)}\nLook around, ${id}.\n`);
    const typed = loaded.value[name]?.interactive?.prompt === 'typed' && mode === 'interactive';
    expect(typed || stdin === readFileSync(prompt, 'utf8') || argv.some((part) => part.includes(prompt) && part.length < 400)).toBe(true);
  });

  it.each(TASKS)('$id: has the keys that its profile names, and no other', ({ name, id }) => {
    const { env } = session(id);
    expect(Object.fromEntries(Object.entries(env).filter(([, value]) => secretsIn(value).length > 0))).toEqual(due(name));
  });

  it.each(TASKS)('$id: inherits nothing of what `up` was said in; its program\'s home is its own', ({ name, id }) => {
    const { env } = session(id);
    expect(Object.entries(env).filter(([, value]) => value.includes(EVIL))).toEqual([]);
    expect(env).not.toHaveProperty('TMUX');
    const homes = Object.entries(loaded.value[name]?.env ?? {}).filter(([, text]) => text.includes('{home}'));
    for (const [variable] of homes) expect(env[variable]?.startsWith(join(pit.layout.homes, id)), variable).toBe(true);
  });

  it('checks and exports of transcripts get no key at all', () => {
    const others = dumps.filter((dump) => dump.kind !== 'session');
    expect(others.filter(({ kind }) => kind === 'verify').length).toBeGreaterThanOrEqual(8);
    expect(others.filter(({ kind }) => kind === 'export').length).toBe(4);
    for (const { env } of others) expect(secretsIn(JSON.stringify(env))).toEqual([]);
  });

  it('no key stands in an argument, in tmux, or in a file once its session was launched', () => {
    expect(seen.sessions.size).toBeGreaterThanOrEqual(TASKS.length - 2);
    expect([...seen.argv]).toEqual([]);
    expect([...seen.tmux]).toEqual([]);
    const files = readdirSync(pit.root, { recursive: true, encoding: 'utf8' }).map((file) => join(pit.root, file)).filter((file) => lstatSync(file).isFile());
    expect(files.filter((file) => secretsIn(read(file)).length > 0)).toEqual([]);
    expect(files.filter((file) => file.includes('launch.sh'))).toEqual([]);
    // Claude Code knows an approved key by its last 20 characters, and keeps them in its home: of 60 or more, so no key.
    const tails = files.filter((file) => Object.values(SECRETS).some((value) => read(file).includes(value.slice(-20))));
    expect(tails.map((file) => file.slice(pit.layout.homes.length + 1)).sort()).toEqual(['claude-headless/claude/.claude.json', 'claude-interactive/claude/.claude.json', 'mine-headless/mine.a/.claude.json', 'mine-interactive/mine.a/.claude.json']);
    for (const file of tails) expect(lstatSync(file).mode & 0o077).toBe(0);
  });
});
