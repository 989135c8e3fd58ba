import { z } from 'zod';

/*
 * `pings:` of snakepit.yaml, by shape: which event pings whom, with what words. What the shape cannot say (regular expressions,
 * kinds of events, placeholders) is checked in pings/rules.ts.
 */

const name = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'is not a name: a snake, a task, a resident, or person');
const glob = z.string().min(1).max(200);
const path = z.string().min(1).max(1000);

const commit = z.strictObject({
  ref: z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_./@-]{0,199}$/, 'is not a branch or ref, such as main or origin/main'),
  subject: z.string().min(1).max(500).default('.'),
  repo: path.default('.'),
});

const settled = z.strictObject({ state: z.enum(['done', 'failed', 'needs']).optional(), tag: z.string().optional(), task: glob.optional() });

const inbox = z.strictObject({ dir: path, files: glob.default('*') });

const event = z.strictObject({ kind: z.string(), match: z.record(z.string(), z.union([glob, z.number(), z.boolean()])).default({}) });

const rule = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]{0,40}$/, 'is not a name: small letters, digits, -'),
  on: z
    .strictObject({ commit: commit.optional(), settled: settled.optional(), inbox: inbox.optional(), event: event.optional() })
    .refine((on) => Object.values(on).filter((one) => one !== undefined).length === 1, 'names not exactly one of commit, settled, inbox, event'),
  to: z.union([name, z.array(name).min(1).max(20)], 'is not a name or a list of names: a snake, a task, a resident, or person'),
  message: z.string().min(1).max(8000),
});

export const pingsSchema = z
  .array(rule)
  .max(200)
  .default([])
  .describe('Who is told of what, a list of {name, on: {commit: {ref, subject, repo} | settled: {state, tag, task} | inbox: {dir, files} | event: {kind, match}}, to, message}; see docs/pings.md.');

/** One rule as the file has it, with the defaults in. */
export type PingConfig = z.output<typeof rule>;
