import { z } from 'zod';
import { parseDuration } from '../lib/duration.js';
import { parseWeekSpan } from '../lib/week-hours.js';

/* `hooks:` and `quiet:` of snakepit.yaml, by shape. Whether there are such events is checked in pings/hooks.ts. */

const span = z.string().refine((text) => parseWeekSpan(text) !== undefined, 'is no span of hours: write "22:00-07:00", or with the days on which it begins "mon-fri 22:00-07:00", "sat,sun 00:00-10:00"');
const spans = z.union([span, z.array(span).max(50)], 'is no span of hours: write "22:00-07:00", or with the days on which it begins "mon-fri 22:00-07:00", "sat,sun 00:00-10:00", or a list of such');
const on = z.array(z.string().min(1).max(100)).min(1).max(50);
const duration = (leastMs: number, least: string) => z.string().refine((text) => (parseDuration(text) ?? -1) >= leastMs, `is not a duration of at least ${least}: write it with a unit, such as 30s`);

const hook = z
  .strictObject({
    name: z.string().regex(/^[a-z][a-z0-9-]{0,40}$/, 'is not a name: small letters, digits, -'),
    on,
    run: z.array(z.string().max(4000)).min(1).max(100).refine(([program]) => program !== '', 'has no program: its first word is empty').optional(),
    post: z.string().max(2000).refine((text) => /^https?:\/\/[^\s/]/.test(text) && URL.canParse(text), 'is not a web address: write https://…').optional(),
    desktop: z.literal(true, 'is true, or is left out').optional(),
    bell: z.literal(true, 'is true, or is left out').optional(),
    as: z.enum(['json', 'text']).default('json'),
    timeout: duration(100, '100ms').default('30s'),
    env: z.array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'is not the name of a variable')).max(100).default([]),
    quiet: spans.optional(),
    urgent: z.array(z.string().min(1).max(100)).max(50).optional(),
    group: duration(0, '0s').optional(),
  })
  .refine(({ run, post, desktop, bell }) => [run, post, desktop, bell].filter((one) => one !== undefined).length === 1, 'has not exactly one of run, post, desktop and bell')
  .refine(({ run, env }) => run !== undefined || env.length === 0, { path: ['env'], error: 'has no meaning without run: only a command has an environment' });

export const hooksSchema = z
  .array(hook)
  .max(50)
  .default([])
  .describe('What is done on events, a list of {name, on: [KIND, …], run: [PROGRAM, ARGUMENT, …] | post: URL | desktop: true | bell: true, as: json | text, timeout: 30s, env: [NAME, …], quiet, urgent: [KIND, …], group: 1m}; see docs/hooks.md.');

export const quietSchema = spans.default([]).describe('Hours in which hooks for people (desktop, bell, post as text) are silent, by this machine\'s clock: "22:00-07:00", "mon-fri 22:00-07:00", or a list. What was held back comes as one message at the end; urgent kinds pass. A hook may have its own.');

/** One hook as the file has it, with the defaults in. */
export type HookConfig = z.output<typeof hook>;
