import { showDiff } from '../../git/history.js';
import { branchTip } from '../../git/refs.js';
import { systemGit } from '../../git/run.js';
import { showLines } from '../../lib/text.js';
import { pastAttempts } from '../../runs/run-dir.js';
import { readWorkspace } from '../../workspace/record.js';
import { openContext, print, printRaw } from '../context.js';
import { CliError, EXIT } from '../exit.js';
import { findTask } from '../find.js';

/** What a task's branch has that its base has not; where the branch is gone, what its last attempt was measured to have. */
export async function diff(dir: string | undefined, name: string, options: { stat?: boolean }): Promise<void> {
  const { files, layout, ...rest } = openContext(dir);
  const { id } = await findTask({ files, layout, ...rest }, name);
  const record = await readWorkspace(files, layout, id);
  if (record === undefined) throw new CliError(`${id} has no branch: it worked in no worktree, or has not begun`, EXIT.notFound);
  const git = systemGit(process.env);
  const tip = await branchTip(git, record.repo, record.branch);
  if (!tip.ok) throw new CliError(`git cannot read ${record.repo}: ${tip.error}`, EXIT.unavailable);
  const to = tip.value ?? (await pastAttempts(files, layout, id)).findLast(({ record: one }) => one.changes !== undefined)?.record.changes?.head;
  if (to === undefined) throw new CliError(`the branch ${record.branch} is gone, and no attempt of ${id} was measured`, EXIT.notFound);
  const text = await showDiff(git, record.repo, record.base.sha, to, options.stat === true ? '--stat' : '--patch');
  if (!text.ok) throw new CliError(`git does not show the diff of ${id}: ${text.error}`, EXIT.unavailable);
  if (text.value === '') return print(`${record.branch} has no change since ${record.base.sha.slice(0, 10)}`);
  printRaw(process.stdout.isTTY ? showLines(text.value) : text.value);
}
