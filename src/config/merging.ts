import { z } from 'zod';

/** Patterns of files: `*` stands for any characters, `/` too. */
const patterns = (meaning: string) => z.array(z.string().min(1)).default([]).describe(meaning);

const limit = (meaning: string) => z.number({ error: 'use a whole number, or null for no limit' }).int({ error: 'use a whole number, or null for no limit' }).min(0, { error: 'use a whole number, or null for no limit' }).nullable().default(null).describe(meaning);

/** `policy:`: what the diff of a task may be. */
export const policySchema = z
  .strictObject({
    allow: patterns('Every changed file must match one of these; none: any file. * stands for any characters, / too; a pattern without / is also held against the name alone.'),
    deny: patterns('No changed file may match one of these.'),
    'max-added': limit('Lines added, at most; null: no limit.'),
    'max-removed': limit('Lines removed, at most.'),
    'max-files': limit('Files changed, at most.'),
    binaries: z.enum(['allow', 'deny']).default('allow').describe('Binary files.'),
    secrets: z.enum(['allow', 'deny']).default('deny').describe('Private keys, tokens of known services, and the very keys that snakepit hands to sessions.'),
  })
  .prefault({})
  .describe('What the diff of a task in a worktree may be, whether it is merged or not; a task may add a stricter policy: of its own. What breaks it has failed, and says with which file and rule.');

/** `merge:` and what belongs to it, key by key. */
export const mergeKeys = {
  merge: z
    .enum(['none', 'ff', 'no-ff', 'squash', 'rebase', 'pull-request'])
    .default('none')
    .describe('What becomes of the branch of a task whose work is good: none, it stays; ff, no-ff, squash, rebase, it is merged into the branch of into:, one at a time, checked on the merged tree, and done only then; pull-request, it is pushed as push: allows, and proposed with gh where that is there, onto into: or its base.'),
  into: z
    .string()
    .regex(/^(?!-)(?!refs\/)[^\s~^:?*[\\]*$/, 'names no branch')
    .default('')
    .describe('The branch that tasks are merged into. Empty: an integration branch of our own, snakepit-<base> (snakepit-main), which is made where it is missing. A branch that is checked out anywhere is never moved: such tasks wait in needs/.'),
  'fix-rounds': z.number().int().min(0).max(20).default(2).describe('How often a task whose branch conflicts, or whose checks fail on the merged tree, goes back to its author; then it waits in needs/.'),
  'co-authors': z.array(z.string().regex(/^[^<>\n]+ <[^<>\s]+>$/, 'is not of the form Name <mail@example.org>')).default([]).describe('Co-authored-by lines of the commits that snakepit makes: "Name <mail@example.org>".'),
  push: z
    .strictObject({
      remote: z.string().regex(/^(?!-)[A-Za-z0-9._/-]*$/, 'is not the name of a remote').default('').describe('The remote, such as origin. Empty: nothing is ever pushed.'),
      branches: z.array(z.string().min(1)).default(['snakepit/*']).describe('Branches that may be pushed; * stands for any characters. Never another, and never over what others pushed.'),
    })
    .prefault({})
    .describe('What merge: pull-request may push. Nothing else is ever pushed.'),
};
