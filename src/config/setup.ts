import { z } from 'zod';
import { parseBytes } from '../lib/bytes.js';
import { parseDuration } from '../lib/duration.js';

const DURATION = 'is not a duration: write it with a unit, such as 90s or 45m';
const PLACE = 'is not a path below the checkout: write it as node_modules or packages/app/node_modules';

const command = z.string().refine((text) => text.trim() !== '', 'is an empty command');

/** Relative, and never out of the checkout or into git's own. */
const place = z.string().max(500).refine((path) => path !== '' && !path.startsWith('/') && !/[\0\n]/.test(path) && path.split('/').every((part) => part !== '' && part !== '.' && part !== '..' && part !== '.git'), PLACE);

/** `setup:`, `setup-timeout:` and `setup-cache:` of snakepit.yaml. */
export const setupKeys = {
  setup: z.union([command, z.array(command).max(50)], 'is not a command or a list of commands: write setup: [npm ci]').default([]).describe('Commands that make a fresh worktree ready before its first session, such as npm ci; a task may name its own. Where they fail no attempt is spent.'),
  'setup-timeout': z.string().refine((value) => parseDuration(value) !== undefined, DURATION).default('15m').describe('The longest life of one setup: command.'),
  'setup-cache': z
    .strictObject({
      paths: z.array(place).max(50).default([]).describe('What setup: makes and the next worktree gets as a copy, such as node_modules; git must ignore it.'),
      key: z.array(place).max(50).default([]).describe('Files that say whether it fits, such as package-lock.json: any other byte in them, and setup: runs.'),
      keep: z.string().refine((value) => parseDuration(value) !== undefined, DURATION).default('14d').describe('What nobody has used for so long is removed.'),
      size: z.union([z.number(), z.string()]).refine((value) => parseBytes(value) !== undefined, 'is not a size: write it with a unit, such as 10GB').default('10GB').describe('What all of them may take of the disk; the ones that were used longest ago go first.'),
    })
    .superRefine(({ paths, key }, context) => {
      if (paths.length > 0 && key.length === 0) context.addIssue({ code: 'custom', path: ['key'], message: 'is missing: name the files that say whether paths: still fit, such as package-lock.json' });
      if (key.length > 0 && paths.length === 0) context.addIssue({ code: 'custom', path: ['paths'], message: 'is missing: name what is kept, such as node_modules' });
    })
    .prefault({})
    .describe('What setup: makes is kept for worktrees with the same files, which then need not run it.'),
};
