import { join } from 'node:path';
import type { Files } from '../lib/files.js';
import { err, ok, type Result } from '../lib/result.js';
import { complaint, printed, type Git } from './run.js';

const BACKUPS = 'refs/snakepit/backup/';
const BY = '; pit ';

/** The ref that keeps where the target stood before a branch was merged. */
export const backupRef = (branch: string): string => `${BACKUPS}${branch.replace(/^snakepit[/-]/, '')}`;

/** One of them, as its reflog tells of it: when it was written, and by which pit. */
export interface Backup {
  readonly ref: string;
  readonly sha: string;
  /** Wall clock, milliseconds. */
  readonly at: number;
  readonly pit: string;
}

/** Writes it, with a reflog of its own: the only place that knows when. An error: git's words. */
export async function writeBackup(git: Git, dir: string, branch: string, into: string, tip: string, pit: string): Promise<Result<void, string>> {
  const ran = await git(dir, ['update-ref', '--create-reflog', '-m', `snakepit: where ${into} stood before${BY}${pit}`, backupRef(branch), tip]);
  return printed(ran) === undefined ? err(`${backupRef(branch)} could not be written: ${complaint(ran)}`) : ok(undefined);
}

/** All that say when they were written and by whom; others stay for ever, as does all where refs are kept in a format without files. */
export async function listBackups({ git, files }: { git: Git; files: Files }, dir: string, commonDir: string): Promise<Result<Backup[], string>> {
  const ran = await git(dir, ['for-each-ref', '--format=%(objectname) %(refname)', BACKUPS]);
  const said = printed(ran);
  if (said === undefined) return err(complaint(ran));
  const found: Backup[] = [];
  for (const line of said.split('\n').filter((one) => one !== '')) {
    const ref = line.slice(line.indexOf(' ') + 1);
    const last = (await files.read(join(commonDir, 'logs', ref)))?.trimEnd().split('\n').at(-1) ?? '';
    const [, seconds, message = ''] = /> (\d+) [+-]\d{4}\t(.*)$/.exec(last) ?? [];
    const by = message.lastIndexOf(BY);
    if (seconds !== undefined && by >= 0) found.push({ ref, sha: line.slice(0, line.indexOf(' ')), at: Number(seconds) * 1000, pit: message.slice(by + BY.length) });
  }
  return ok(found);
}
