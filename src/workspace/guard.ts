import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { headOf, resolveCommit } from '../git/repository.js';
import { complaint, printed } from '../git/run.js';
import { statusOf } from '../git/status.js';
import { err, ok, type Result } from '../lib/result.js';
import type { WorkspacePorts } from './ground.js';

/**
 * A checkout as it is seen from outside: cheap, and touching nothing. What was changed before is among `files` with its size and time,
 * so that a further change shows; a change that leaves both as they were does not.
 */
export interface Fingerprint {
  /** Wall clock, milliseconds. */
  readonly at: number;
  readonly head: string;
  readonly stash: string;
  readonly index: string;
  readonly files: Readonly<Record<string, string>>;
}

/** `ours`: paths from its top that the pit itself writes. */
export async function fingerprint({ files, clock, git }: Pick<WorkspacePorts, 'files' | 'clock' | 'git'>, top: string, ours: readonly string[]): Promise<Result<Fingerprint, string>> {
  const at = clock.wallMs();
  const head = await headOf(git, top);
  if (!head.ok) return head;
  const stash = await resolveCommit(git, top, 'refs/stash');
  if (!stash.ok) return stash;
  const staged = await git(top, ['ls-files', '--stage', '-z', '--', ':/', ...ours.map((path) => `:(top,exclude,literal)${path}`)], { timeoutMs: 60_000 });
  const index = printed(staged);
  if (index === undefined) return err(complaint(staged));
  const changes = await statusOf(git, top, ours);
  if (!changes.ok) return changes;
  const seen: Record<string, string> = {};
  for (const { code, path } of changes.value) {
    const entry = await files.inspect(join(top, path));
    seen[path] = `${code} ${entry === undefined ? 'gone' : `${entry.size} ${entry.mtimeMs}`}`;
  }
  return ok({ at, head: `${head.value.ref ?? 'detached'} ${head.value.sha ?? ''}`, stash: stash.value ?? '', index: createHash('sha256').update(index).digest('hex'), files: seen });
}

/** Pure: what differs, in words and paths; empty: nothing that can be seen. */
export function differences(before: Fingerprint, after: Fingerprint): string[] {
  const found: string[] = [];
  if (before.head !== after.head) found.push('HEAD');
  if (before.index !== after.index) found.push('the index');
  if (before.stash !== after.stash) found.push('the stash');
  const paths = new Set([...Object.keys(before.files), ...Object.keys(after.files)]);
  for (const path of paths) if (before.files[path] !== after.files[path]) found.push(path);
  return found;
}
