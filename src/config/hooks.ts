import { z } from 'zod';
import { parseDuration } from '../lib/duration.js';

/* `hooks:` of snakepit.yaml, by shape. Whether there are such events is checked in pings/hooks.ts. */

const hook = z
  .strictObject({
    name: z.string().regex(/^[a-z][a-z0-9-]{0,40}$/, 'is not a name: small letters, digits, -'),
    on: z.array(z.string().min(1).max(100)).min(1).max(50),
    run: z.array(z.string().max(4000)).min(1).max(100).refine(([program]) => program !== '', 'has no program: its first word is empty').optional(),
    post: z.string().max(2000).refine((text) => /^https?:\/\/[^\s/]/.test(text) && URL.canParse(text), 'is not a web address: write https://…').optional(),
    as: z.enum(['json', 'text']).default('json'),
    timeout: z.string().refine((text) => (parseDuration(text) ?? 0) >= 100, 'is not a duration of at least 100ms: write it with a unit, such as 30s').default('30s'),
  })
  .refine(({ run, post }) => (run === undefined) !== (post === undefined), 'has not exactly one of run and post');

export const hooksSchema = z
  .array(hook)
  .max(50)
  .default([])
  .describe('What is done on events, a list of {name, on: [KIND, …], run: [PROGRAM, ARGUMENT, …] | post: URL, as: json | text, timeout: 30s}; see docs/hooks.md.');

/** One hook as the file has it, with the defaults in. */
export type HookConfig = z.output<typeof hook>;
