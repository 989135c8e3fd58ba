import { z } from 'zod';

/** What a specialist is told of how things stand, in lines before its prompt. */
export const FACTS = ['failed', 'week', 'none'] as const;

/** The specialists that are code, and what is no specialist at all: such a name would be asked for in vain. */
const TAKEN = /^(?!(?:reaper|orphans|reconciler|sweeper|salvager|pruner|archivist|composter|log-keeper)$)[a-z][a-z0-9-]{0,30}$/;

const text = (meaning: string) => z.string().refine((value) => value.trim() !== '', 'is empty; write it out, or leave the key out').optional().describe(meaning);

const specialist = z
  .strictObject({
    prompt: text('What it is to do: triage or week (both come along, with their facts), or your own words.'),
    'prompt-file': text('The same from a file of the project, read anew each time.'),
    facts: z.enum(FACTS).optional().describe('What it is told first. failed: what lies in failed/, and why; week: what ended, and the tokens of it; none, the default of an own prompt. Where there is nothing new of that, it is not started.'),
    agent: z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]).optional().describe('Its agent, as a task names one: profile:model:reasoning, or a list to fall back on.'),
    every: text('How often, such as 24h; or cron:.'),
    cron: text('When: minute hour day month weekday.'),
    tz: text('The time zone of cron:; else the machine\'s.'),
    'catch-up': z.boolean().optional().describe('Whether one that no pit saw come due is made up for, once.'),
    mode: z.enum(['interactive', 'headless']).optional().describe('As in a task.'),
    timeout: text('As in a task.'),
    attempts: z.number().int().min(1).max(100).optional().describe('As in a task.'),
    priority: z.union([z.number().int().min(0).max(99), z.enum(['urgent', 'high', 'normal', 'low'])]).optional().describe('As in a task.'),
    workspace: z.enum(['worktree', 'repo', 'scratch']).default('scratch').describe('As in a task.'),
  })
  .superRefine((value, context) => {
    const wrong = (path: string, message: string): void => context.addIssue({ code: 'custom', path: [path], message });
    if (value.prompt !== undefined && value['prompt-file'] !== undefined) wrong('prompt-file', 'is given beside prompt; remove one of the two');
    else if (value.prompt === undefined && value['prompt-file'] === undefined) wrong('prompt', 'is missing; give prompt: triage, prompt: week, your own words, or prompt-file:');
    else if (value.every === undefined && value.cron === undefined) wrong('every', 'is missing; say when it comes by, such as every: 24h or cron: "0 7 * * *"');
  });

/** `specialists:` of snakepit.yaml. */
export const specialistsSchema = z
  .record(z.string().regex(TAKEN, 'is not a name: small letters, digits, -, at most 31, and none of the specialists that are code (reaper, sweeper, …)'), specialist)
  .default({})
  .describe('Cleanup steps that need judgment, by name: agents that come by on a schedule, as ordinary tasks. None by default: they cost tokens. See docs/specialists.md.');

/** One of them, as the file has it. */
export type SpecialistConfig = z.output<typeof specialist>;
