import { join } from 'node:path';
import type { Files } from '../lib/files.js';
import { run, type Ran } from '../lib/run.js';
import { parseJson } from '../protocol/records.js';

/** What a pull request says. */
export interface Proposal {
  readonly branch: string;
  readonly into: string;
  /** The commit that was pushed. */
  readonly head: string;
  readonly title: string;
  readonly body: string;
}

/** Undefined url: it was not opened, and `why` says why. */
export type Opened = { readonly url: string } | { readonly url: undefined; readonly why: string };

const GH_MS = 120_000;

const PASSED = /^(PATH|HOME|LANG|LC_.*|XDG_.*|GH_.*|GITHUB_TOKEN|GITHUB_ENTERPRISE_TOKEN|https?_proxy|no_proxy|SSL_CERT_.*|DBUS_SESSION_BUS_ADDRESS)$/i;

/** Opens a pull request with gh, unless one of this branch is open, or one of this very commit was opened before: said again, it opens no second. */
export async function openPullRequest(files: Files, dir: string, outer: Readonly<Record<string, string | undefined>>, { branch, into, head, title, body }: Proposal): Promise<Opened> {
  if (!(await isThere(files, outer['PATH'] ?? ''))) return { url: undefined, why: 'gh is not there' };
  const env = { ...Object.fromEntries(Object.entries(outer).filter((entry): entry is [string, string] => entry[1] !== undefined && PASSED.test(entry[0]))), GH_PROMPT_DISABLED: '1', NO_COLOR: '1' };
  const gh = (...args: readonly string[]): Promise<Ran> => run(['gh', ...args], { cwd: dir, timeoutMs: GH_MS, env });
  const listed = await gh('pr', 'list', '--head', branch, '--state', 'all', '--limit', '50', '--json', 'url,state,headRefOid');
  if (listed.kind === 'unknown' || listed.code !== 0) return { url: undefined, why: `gh pr list: ${wordsOf(listed)}` };
  const all = parseJson<{ url: string; state: string; headRefOid: string }[]>(listed.stdout);
  if (!Array.isArray(all)) return { url: undefined, why: 'gh pr list said nothing that is understood' };
  const known = all.find(({ state }) => state === 'OPEN') ?? all.find(({ headRefOid }) => headRefOid === head);
  if (known !== undefined) return { url: known.url };
  const made = await gh('pr', 'create', '--head', branch, '--base', into, '--title', title, '--body', body);
  if (made.kind === 'unknown' || made.code !== 0) return { url: undefined, why: `gh pr create: ${wordsOf(made)}` };
  return { url: made.stdout.trim().split('\n').at(-1) ?? '' };
}

const wordsOf = (ran: Ran): string => (ran.kind === 'unknown' ? ran.why : (ran.stderr.trim().split('\n')[0] ?? '').slice(0, 300) || `status ${ran.code}`);

async function isThere(files: Files, path: string): Promise<boolean> {
  for (const dir of path.split(':')) if (dir !== '' && (await files.exists(join(dir, 'gh')))) return true;
  return false;
}
