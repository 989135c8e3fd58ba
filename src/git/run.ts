import { run, type Ran } from '../lib/run.js';

/** One call's own terms. */
export interface GitCall {
  /** Milliseconds; what takes longer is killed, and its answer is unknown. */
  readonly timeoutMs?: number;
  readonly input?: string;
  /** Further variables: an index of its own, an identity, the mark of a claim. */
  readonly env?: Readonly<Record<string, string>>;
  /** It talks to a remote: the person's own configuration (credentials, proxies) is read, and the agent of their keys is in reach. */
  readonly network?: true;
}

/** `git` with these arguments, in this directory: how it ended, or that nobody knows. Never throws. */
export type Git = (dir: string, args: readonly string[], call?: GitCall) => Promise<Ran>;

const TIMEOUT_MS = 10_000;

/**
 * What git would start by itself is off: hooks, the file system monitor, transports (an object that a partial clone lacks is not fetched), garbage collection in the background, a look into submodules.
 * A repository's own configuration may have been written by an agent.
 */
const SAFE = ['-c', 'core.fsmonitor=false', '-c', 'core.hooksPath=/dev/null', '-c', 'protocol.ext.allow=never', '-c', 'gc.auto=0', '-c', 'maintenance.auto=false', '-c', 'diff.ignoreSubmodules=dirty'] as const;

/** Calls that touch neither a file's content nor an attribute nor a ref, so that no filter, no driver and no hook can come into play. */
const PLAIN = new Set(['rev-parse', 'symbolic-ref', 'merge-base', 'rev-list', 'for-each-ref', 'commit-tree', 'check-ref-format', 'ls-files', 'ls-tree', 'cat-file', 'show-ref', 'log', 'config']);

/** From a person's own configuration, which is not read otherwise: which directories to trust, what to ignore everywhere. None of them runs anything. */
const PERSONAL = /^(safe\.directory|core\.excludesfile)\n/;

/** What reaching a remote may take of the surroundings. */
const REACH = /^(SSH_AUTH_SOCK|GIT_SSH|GIT_SSH_COMMAND|XDG_CONFIG_HOME|XDG_RUNTIME_DIR|DBUS_SESSION_BUS_ADDRESS|https?_proxy|no_proxy|all_proxy|GIT_SSL_CAINFO|SSL_CERT_FILE|SSL_CERT_DIR)$/i;

/**
 * The one place where git is run. The system's and the person's configuration are not read, but for what `PERSONAL` names; nothing is
 * asked, no lock is taken for mere convenience (GIT_OPTIONAL_LOCKS), and no content filter, diff or merge driver runs: a file that
 * needs one (git-lfs, git-crypt) is seen as it is stored. Between the look at the repository's configuration and the call itself an agent
 * could still change it: agents run as the same user, and are not contained by this.
 */
export function systemGit(outer: Readonly<Record<string, string | undefined>>): Git {
  const base = { PATH: outer['PATH'] ?? '/usr/local/bin:/usr/bin:/bin', HOME: outer['HOME'] ?? '/', LANG: 'C', LC_ALL: 'C', GIT_OPTIONAL_LOCKS: '0', GIT_TERMINAL_PROMPT: '0', GIT_PAGER: 'cat', GIT_EDITOR: 'false', GIT_NO_LAZY_FETCH: '1', GIT_ALLOW_PROTOCOL: '' };
  const reach = { GIT_ALLOW_PROTOCOL: 'file:git:http:https:ssh', ...Object.fromEntries(Object.entries(outer).filter((entry): entry is [string, string] => entry[1] !== undefined && REACH.test(entry[0]))) };
  const closed = { ...base, GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null' };
  let personal: Promise<readonly (readonly [string, string])[]> | undefined;
  return async (dir, args, call = {}) => {
    personal ??= personalOf(base);
    const set = [...(await personal)];
    if (!PLAIN.has(args[0] ?? '')) {
      const named = await run(['git', ...SAFE, '-C', dir, 'config', '--list', '-z', '--name-only'], { timeoutMs: Math.max(TIMEOUT_MS, call.timeoutMs ?? 0), env: { ...closed, ...counted(set) } });
      // Where it does not say what it names, nothing of it can be turned off.
      if (named.kind === 'unknown' || named.code !== 0) return named;
      set.push(...driversOff(named.stdout.split('\0')));
    }
    return run(['git', ...SAFE, '-C', dir, ...args], { timeoutMs: call.timeoutMs ?? TIMEOUT_MS, env: { ...(call.network === true ? { ...base, ...reach } : closed), ...counted(set), ...call.env }, ...(call.input === undefined ? {} : { input: call.input }) });
  };
}

async function personalOf(env: Readonly<Record<string, string>>): Promise<(readonly [string, string])[]> {
  const found: (readonly [string, string])[] = [];
  for (const scope of ['--system', '--global']) {
    const listed = await run(['git', 'config', scope, '--list', '-z'], { timeoutMs: TIMEOUT_MS, env });
    if (listed.kind === 'unknown') continue;
    for (const entry of listed.stdout.split('\0')) {
      if (PERSONAL.test(entry)) found.push([entry.slice(0, entry.indexOf('\n')), entry.slice(entry.indexOf('\n') + 1)]);
    }
  }
  return found;
}

/** What makes every driver that a configuration names do nothing. A merge driver that fails is a conflict, which a person sees. */
export function driversOff(names: readonly string[]): [string, string][] {
  const off: [string, string][] = [];
  for (const name of new Set(names)) {
    if (/^filter\..+\.(clean|smudge|process)$/s.test(name)) off.push([name, ''], [name.replace(/\.[a-z]+$/, '.required'), 'false']);
    else if (/^hook\..+\.(command|event)$/s.test(name)) off.push([name.replace(/\.[a-z]+$/, '.enabled'), 'false']);
    else if (/^merge\..+\.driver$/s.test(name)) off.push([name, 'false']);
  }
  return off;
}

/** Settings as git reads them from the environment: a key may hold any character there. */
function counted(set: readonly (readonly [string, string])[]): Record<string, string> {
  const env: Record<string, string> = { GIT_CONFIG_COUNT: String(set.length) };
  for (const [index, [key, value]] of set.entries()) {
    env[`GIT_CONFIG_KEY_${index}`] = key;
    env[`GIT_CONFIG_VALUE_${index}`] = value;
  }
  return env;
}

/** The first line of what git complained of, for a person. */
export const complaint = (ran: Ran): string => (ran.kind === 'unknown' ? ran.why : (ran.stderr.trim().split('\n')[0] ?? '').replace(/^(fatal|error): /, '') || `git ended with status ${ran.code}`);

/** What git printed where it ended well; undefined otherwise. */
export const printed = (ran: Ran): string | undefined => (ran.kind === 'ended' && ran.code === 0 ? ran.stdout : undefined);
