import { z } from 'zod';
import { parseDuration } from '../lib/duration.js';

/* Every key of a file in workflows/. Values that begin with $ are options, and filled in before this is asked. */

const id = z.string().regex(/^[a-z][a-z0-9-]{0,30}$/, 'is not a name: small letters, digits, -, at most 31');
const agents = z.union([z.string().min(1), z.array(z.string().min(1)).min(1).max(20)], 'names no agent: write one, or a list to fall back on');
const handedFile = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'is not a file name: it lies in $SNAKEPIT_HANDED, without directories');
const line = z.string().min(1).max(500).refine((text) => {
  try {
    return new RegExp(`^(?:${text})$`, 'u') instanceof RegExp;
  } catch {
    return false;
  }
}, 'is no regular expression');
const when = z.record(z.string(), z.union([z.string(), z.boolean(), z.number(), z.array(z.union([z.string(), z.boolean(), z.number()]))])).optional();

const seat = z.union([agents, z.strictObject({ agent: agents.optional(), veto: z.boolean().default(false) })], 'is no seat: write an agent, a list to fall back on, or {agent: …, veto: true}');

const step = z.strictObject({
  step: id,
  prompt: z.string().min(1),
  rights: z.enum(['read', 'write']).default('write'),
  agent: agents.optional(),
  seats: z.array(seat).max(9).optional(),
  verdict: z.boolean().default(false),
  pass: z.enum(['all', 'majority', 'any']).default('all'),
  'other-than': z.enum(['author', '']).optional(),
  mode: z.enum(['headless', 'interactive']).optional(),
  timeout: z.string().refine((text) => (parseDuration(text) ?? 0) > 0, 'is not a duration: write it with a unit, such as 45m').optional(),
  rounds: z.enum(['every', 'first', 'later']).default('every'),
  hold: z.boolean('is not true or false').default(false),
  hands: z.array(z.strictObject({ file: handedFile, line: line.optional(), times: z.number().int().min(1).max(1000).optional() })).max(20).default([]),
  when,
});

const until = z
  .strictObject({ verdict: z.union([id, z.array(id).min(1)]).optional(), command: z.string().min(1).max(4000).optional(), file: handedFile.optional(), line: line.optional() })
  .refine((one) => [one.verdict, one.command, one.file].filter((value) => value !== undefined).length === 1, 'names not exactly one of verdict, command, file')
  .refine((one) => (one.file === undefined) === (one.line === undefined), 'names a file and the whole line in it that ends the loop: {file: …, line: …}');

/** The most rounds that a file may ask for: a night of short ones. */
const ROUNDS = 100;

const loop = z.strictObject({
  loop: id,
  max: z.number('has no end: say after how many rounds at the latest, such as max: 5').int().min(1).max(ROUNDS),
  until: until.optional(),
  each: z.strictObject({ file: handedFile, line }).optional(),
  steps: z.lazy((): z.ZodType<readonly NodeFile[]> => nodes),
  when,
});

export type StepFile = z.output<typeof step>;
export interface LoopFile {
  readonly loop: string;
  readonly max: number;
  readonly until?: z.output<typeof until> | undefined;
  readonly each?: { readonly file: string; readonly line: string } | undefined;
  readonly steps: readonly NodeFile[];
  readonly when?: z.output<typeof when>;
}
const wait = z.strictObject({ await: z.literal('children', 'can wait for one thing only: write await: children'), when });

export type AwaitFile = z.output<typeof wait>;
export type NodeFile = StepFile | LoopFile | AwaitFile;

/** A step or a loop, told apart before either is judged, so that a fault names the key that is wrong. */
const node: z.ZodType<NodeFile> = z.unknown().transform((value, context) => {
  const has = (key: string): boolean => typeof value === 'object' && value !== null && key in value;
  const parsed = has('loop') ? loop.safeParse(value) : has('await') ? wait.safeParse(value) : step.safeParse(value);
  if (parsed.success) return parsed.data;
  for (const issue of parsed.error.issues) {
    const [unknown] = issue.code === 'unrecognized_keys' ? issue.keys : [];
    context.addIssue({ code: 'custom', message: unknown === undefined ? issue.message : `unknown key ${unknown}`, path: [...issue.path, ...(unknown === undefined ? [] : [unknown])] });
  }
  return z.NEVER;
});
const nodes = z.array(node).min(1, 'has no steps').max(50);

const plain = z.union([z.string(), z.number(), z.boolean(), z.array(z.string())]);
const option = z.union([plain, z.strictObject({ default: plain, of: z.array(z.string()).min(1) })], 'is no default: write text, a number, true, a list, or {default: …, of: […]}');

export const workflowSchema = z.strictObject({
  title: z.string().min(1).max(200),
  options: z.record(id, option).default({}),
  steps: nodes,
});

export type OptionValue = z.output<typeof plain>;
export type OptionFile = z.output<typeof option>;
export type WorkflowFile = z.output<typeof workflowSchema>;
