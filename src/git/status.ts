import { err, ok, type Result } from '../lib/result.js';
import { complaint, printed, type Git } from './run.js';

/** One entry of a working tree that is not as its commit has it. `code`: the two letters of git status, '??' for an untracked file. */
export interface Change {
  readonly code: string;
  readonly path: string;
}

/** Lines added and removed in one file; undefined: it is binary. */
export interface FileDiff {
  readonly path: string;
  readonly added: number | undefined;
  readonly removed: number | undefined;
}

const STATUS_MS = 120_000;

/** What is changed, staged or untracked in a checkout; ignored files are not. `except`: paths from its top that are left out. */
export async function statusOf(git: Git, dir: string, except: readonly string[] = []): Promise<Result<Change[], string>> {
  const ran = await git(dir, ['status', '--porcelain=v1', '-z', '--untracked-files=all', '--no-renames', '--ignore-submodules=dirty', '--', ':/', ...except.map((path) => `:(top,exclude,literal)${path}`)], { timeoutMs: STATUS_MS });
  const said = printed(ran);
  return said === undefined ? err(complaint(ran)) : ok(parseStatus(said));
}

/** With renames off, each entry is one field: two letters, a space, the path as it is. */
export const parseStatus = (text: string): Change[] => text.split('\0').flatMap((field) => (field.length < 4 ? [] : [{ code: field.slice(0, 2), path: field.slice(3) }]));

/** Between two commits or trees. */
export async function diffOf(git: Git, dir: string, from: string, to: string): Promise<Result<FileDiff[], string>> {
  const ran = await git(dir, ['diff-tree', '-r', '-z', '--numstat', '--no-renames', '--no-ext-diff', '--no-textconv', from, to, '--'], { timeoutMs: STATUS_MS });
  const said = printed(ran);
  return said === undefined ? err(complaint(ran)) : ok(parseNumstat(said));
}

export function parseNumstat(text: string): FileDiff[] {
  return text.split('\0').flatMap((field) => {
    const match = /^(\d+|-)\t(\d+|-)\t(.+)$/s.exec(field);
    const number = (word: string | undefined): number | undefined => (word === undefined || word === '-' ? undefined : Number(word));
    return match === null ? [] : [{ path: match[3] ?? '', added: number(match[1]), removed: number(match[2]) }];
  });
}
