import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { headOf, isAncestor, repositoryOf } from '../git/repository.js';
import { complaint, printed } from '../git/run.js';
import { statusOf } from '../git/status.js';
import { err, ok, type Result } from '../lib/result.js';
import type { WorkspacePorts } from './ground.js';
import type { WorktreeRecord } from './state.js';

type Ports = Pick<WorkspacePorts, 'files' | 'git'>;

/** What a worktree holds that its branch does not. */
export type Work =
  | { readonly kind: 'none' }
  /** Kept as `ref`, just as it lies there. */
  | { readonly kind: 'saved'; readonly ref: string }
  | { readonly kind: 'unsaved'; readonly what: string; readonly seen: string }
  /** Repositories inside it: a commit would keep no more of them than a number. */
  | { readonly kind: 'nested'; readonly paths: readonly string[] }
  | { readonly kind: 'unknown'; readonly why: string };

/** Looks, and writes nothing. What git ignores is no work; a change that keeps a file's size and time may be taken for what was kept before. */
export async function workIn(ports: Ports, record: WorktreeRecord): Promise<Work> {
  const { git, files } = ports;
  const { path, branch, salvaged } = record;
  const unknown = (why: string): Work => ({ kind: 'unknown', why });
  const head = await headIn(ports, path);
  if (!head.ok) return unknown(head.error);
  const changes = await statusOf(git, path);
  if (!changes.ok) return unknown(changes.error);
  const nested = await nestedIn(ports, path, changes.value.map((one) => one.path));
  if (!nested.ok) return unknown(nested.error);
  if (nested.value.length > 0) return { kind: 'nested', paths: nested.value };
  const onBranch = await isAncestor(git, path, head.value, `refs/heads/${branch}`);
  if (changes.value.length === 0 && onBranch === true) return { kind: 'none' };
  const seen: string[] = [head.value];
  for (const change of changes.value) {
    const entry = await files.inspect(join(path, change.path));
    seen.push(`${change.code} ${change.path} ${entry === undefined ? 'gone' : `${entry.kind} ${entry.size} ${entry.mtimeMs}`}`);
  }
  const hash = createHash('sha256').update(seen.join('\0')).digest('hex').slice(0, 32);
  if (salvaged !== undefined && salvaged.seen === hash) return { kind: 'saved', ref: salvaged.ref };
  const first = changes.value.slice(0, 3).map((one) => one.path).join(', ');
  const parts = [...(changes.value.length === 0 ? [] : [`${changes.value.length} uncommitted: ${first}${changes.value.length > 3 ? ', …' : ''}`]), ...(onBranch === true ? [] : ['commits beside its branch'])];
  return { kind: 'unsaved', what: parts.join('; '), seen: hash };
}

/** The commit that is checked out in this very directory, and not in a checkout around it. */
export async function headIn({ git }: Pick<Ports, 'git'>, path: string): Promise<Result<string, string>> {
  const [top, sha] = printed(await git(path, ['rev-parse', '--show-toplevel', 'HEAD^{commit}']))?.split('\n') ?? [];
  if (top === path && sha !== undefined && /^[0-9a-f]{40,64}$/.test(sha)) return ok(sha);
  // Why not is worth two more questions.
  const seen = await repositoryOf(git, path);
  if (!seen.ok) return seen;
  if (seen.value === 'none' || seen.value.top !== path) return err('its worktree has lost its repository');
  const head = await headOf(git, path);
  if (!head.ok) return head;
  return head.value.sha === undefined ? err(`it has ${head.value.ref ?? 'nothing'} checked out, which has no commit`) : ok(head.value.sha);
}

/** Repositories of their own below a worktree, whether they are committed as such or not; inside of ignored directories they are not looked for. */
async function nestedIn({ git, files }: Ports, path: string, changed: readonly string[]): Promise<Result<string[], string>> {
  const listed = await git(path, ['ls-files', '--stage', '-z'], { timeoutMs: 60_000 });
  const said = printed(listed);
  if (said === undefined) return err(complaint(listed));
  const links = said.split('\0').flatMap((line) => (line.startsWith('160000 ') ? [line.slice(line.indexOf('\t') + 1)] : []));
  const found: string[] = [];
  for (const one of new Set([...links, ...changed.filter((name) => name.endsWith('/')).map((name) => name.slice(0, -1))])) if (await files.exists(join(path, one, '.git'))) found.push(one);
  return ok(found);
}
