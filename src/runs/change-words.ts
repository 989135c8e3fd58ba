import { unreachable } from '../lib/unreachable.js';
import { show } from '../lib/text.js';
import type { MergeEnd } from '../protocol/merging.js';
import type { Changes } from '../protocol/records.js';

const many = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;
const MOST_PATHS = 20;

/** The lines of a story that say what git has of the task. */
export function changeLines(changes: Changes): string[] {
  const { fileCount, commits, files } = changes;
  const left = changes.leftovers === 'committed' ? '; what was left uncommitted is its last commit' : changes.leftovers === 'kept' ? '; more lies uncommitted in its worktree' : '';
  const what = fileCount === 0 ? 'no change' : `${many(commits, 'commit')}, ${many(fileCount, 'file')}, +${changes.added} -${changes.removed}`;
  const lines = [`- **branch**: ${show(changes.branch)}, since ${changes.base.slice(0, 10)}: ${what}${left}`];
  for (const { path, added, removed } of files.slice(0, MOST_PATHS)) lines.push(`  - ${show(path)} ${added === undefined ? '(binary)' : `+${added} -${removed ?? 0}`}`);
  if (fileCount > MOST_PATHS) lines.push(`  - and ${fileCount - MOST_PATHS} more`);
  if (changes.strayed === true) lines.push('- **mind**: it left its branch; what it committed elsewhere is not on it');
  if (changes.outside.length > 0) {
    lines.push(`- **mind**: the project's own checkout changed while it ran${changes.alone ? '' : ', as others did; whose doing it was cannot be told'}: ${show(changes.outside.slice(0, MOST_PATHS).join(', '), 1000)}`);
  }
  return lines;
}

/** The line of a story that says where the branch is now, and what a person does with it. */
export function mergeLines(merge: MergeEnd, id: string, changes: Changes | undefined): string[] {
  switch (merge.kind) {
    case 'merged':
      return [`- **merged**: into ${show(merge.into)} as ${merge.commit.slice(0, 10)}, which stood at ${merge.onto.slice(0, 10)} before${merge.into.startsWith('snakepit-') ? `; take it over with \`git merge ${show(merge.into)}\`` : ''}`];
    case 'kept':
      return changes === undefined || changes.fileCount === 0 ? [] : [`- **next**: look at it with \`snakepit diff ${id}\`; take it with \`snakepit merge ${id}\`, or \`git merge ${show(changes.branch)}\`; \`snakepit reject ${id}\` puts it away`];
    case 'proposed':
      return [merge.url === undefined ? `- **next**: its branch is at ${show(merge.remote)}; no pull request was opened (${show(merge.why ?? '', 300)}): \`gh pr create --head ${show(merge.branch)} --base ${show(merge.into)}\`` : `- **proposed**: ${show(merge.url, 300)}, onto ${show(merge.into)}, as ${merge.commit.slice(0, 10)}`];
    case 'nothing':
    case 'violation':
    case 'conflict':
    case 'checks-failed':
    case 'blocked':
      return [];
    default:
      return unreachable(merge);
  }
}
