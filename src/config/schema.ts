import { z } from 'zod';
import { parseBytes } from '../lib/bytes.js';
import { parseDuration } from '../lib/duration.js';
import { budgetSchema } from './budget.js';
import { mergeKeys, policySchema } from './merging.js';
import { hooksSchema, quietSchema } from './hooks.js';
import { pingsSchema } from './pings.js';
import { pricesSchema } from './prices.js';
import { setupKeys } from './setup.js';
import { specialistsSchema } from './specialists.js';

/*
 * Every key of snakepit.yaml, with its meaning, its default and why that number. The one place for defaults:
 * `snakepit init` writes the commented file from here, `snakepit config --schema` the JSON Schema for editors.
 */

const duration = (text: string, meaning: string) =>
  z.string().refine((value) => parseDuration(value) !== undefined, 'is not a duration: write it with a unit, such as 90s or 45m').default(text).describe(meaning);

const count = (value: number, low: number, high: number, meaning: string) => z.number().int().min(low).max(high).default(value).describe(meaning);

const optionalText = (meaning: string) => z.string().refine((text) => text.trim() !== '', 'is empty; write it out, or leave the key out').optional().describe(meaning);

const UMASK = 'is no umask: write three octal digits in quotes, such as "022"';

/** A resident's cadence below this would only burn tokens; half would be no use to anybody, and tests need it this short. */
const LEAST_EVERY_MS = 1000;

const resident = z
  .strictObject({
    agent: optionalText('Its agent, as a task names one: profile:model:reasoning.'),
    prompt: optionalText('What it is told at its start and at each wake.'),
    'prompt-file': optionalText('The same from a file of the project, read anew each time.'),
    every: z.string().refine((value) => (parseDuration(value) ?? 0) >= LEAST_EVERY_MS, 'is not a duration of at least 1s: write it with a unit, such as 30m').optional().describe('How often it is woken.'),
    mode: z.enum(['interactive', 'headless']).optional().describe('One full-screen session that is woken, or a print-mode run each time.'),
    workspace: z.enum(['repo', 'own']).default('repo').describe('Where it works: the project itself, or a directory of its own.'),
    command: optionalText('Instead of an agent: a command that is kept alive, such as a dev server.'),
  })
  .superRefine((value, context) => {
    const wrong = (path: string, message: string): void => context.addIssue({ code: 'custom', path: [path], message });
    if (value.command !== undefined) {
      const other = (['agent', 'prompt', 'prompt-file', 'every', 'mode'] as const).find((key) => value[key] !== undefined);
      if (other !== undefined) wrong(other, 'has no meaning beside command: a service is only kept alive; remove one of the two');
      return;
    }
    if (value.prompt !== undefined && value['prompt-file'] !== undefined) wrong('prompt-file', 'is given beside prompt; remove one of the two');
    else if (value.prompt === undefined && value['prompt-file'] === undefined) wrong('prompt', 'is missing; give prompt: or prompt-file: for an agent, or command: for a service');
    else if (value.every === undefined) wrong('every', 'is missing; say how often it is woken, such as every: 30m');
  });

export const configSchema = z.strictObject({
  snakes: count(4, 0, 500, 'How many snakes `up` starts when -n is not given.'),
  agent: z.string().min(1).default('shell').describe('The agent profile of tasks that name none.'),
  workspace: z
    .enum(['auto', 'worktree', 'repo', 'scratch'])
    .default('auto')
    .describe('Where a task works: worktree, a checkout and branch of its own; repo, the project itself, one task at a time; scratch, a fresh directory. auto: worktree in a git repository, else scratch.'),
  repo: z.string().min(1).default('.').describe('The project that tasks work on, relative to this directory: it, or the git repository that it lies in.'),
  base: z.string().regex(/^[^-]/, 'names no branch, tag or commit').default('HEAD').describe('Branch, tag or commit that worktrees start from. HEAD: what is checked out when a task is first claimed.'),
  guard: z.enum(['fail', 'report', 'off']).default('fail').describe("When the project's own checkout changed while a task ran in a worktree: fail, it has failed if no other task ran meanwhile, since only it or a person can have done that; report, its story says so; off, nobody looks."),
  workflow: z.string().regex(/^[a-z][a-z0-9-]{0,40}$/, 'is not the name of a workflow: small letters, digits, -').default('solo').describe('How tasks that name no workflow are worked; snakepit workflows lists them. solo: one session.'),
  policy: policySchema,
  ...mergeKeys,
  timeout: duration('1h', "A session's longest life; a task's own timeout: beats it."),
  attempts: count(3, 1, 100, 'Failures of its own that end a task in failed/.'),
  losses: count(5, 1, 100, 'Vanished workers or sessions that end a task in failed/: more than that is poison, not bad luck.'),
  deferrals: count(100, 1, 10_000, 'Provider limits and drains that end a task in failed/: a day of waiting out limits is far below it.'),
  asks: count(10, 0, 1000, 'How often one task may ask a person and wait in needs/; then it fails. 0: never.'),
  backoff: z
    .strictObject({
      first: duration('10s', 'Wait after the first failure.'),
      factor: z.number().min(1).max(10).default(3).describe('Each further wait is this many times longer.'),
      max: duration('10m', 'No wait is longer.'),
    })
    .prefault({})
    .describe('Waits between the attempts of one task.'),
  settle: duration('300ms', 'A dropped file is taken in when it has been quiet for this long and nobody has it open for writing. Half would catch editors between two writes; double is felt by people.'),
  'max-task-bytes': count(1_048_576, 1024, 16_777_216, 'A larger task file is refused: data belongs into inputs:.'),
  heartbeat: duration('5s', "How often a snake touches its claim; only shown, never a reason to take a claim away."),
  tick: duration('1s', "The pit's rhythm."),
  rescan: duration('20s', 'How often directories are listed anew even if no watcher spoke: watchers lose events silently.'),
  grace: duration('5s', 'Between TERM and KILL when a session is ended.'),
  cleanup: duration('5m', 'How often the pit lets all its cleanup specialists come by; the dead are reaped at every tick.'),
  keep: duration('30d', 'Done tasks older than this go to queue/archive/<month>/, with their stories; they are still found, and still done.'),
  'keep-logs': duration('30d', 'Logs of tasks that ended longer ago than this are turned into one line each in .snakepit/digests/ and removed. Stories, results and what an agent made stay.'),
  'keep-worktrees': duration('1d', 'Worktrees of tasks that ended longer ago than this are removed, once all their work is committed or kept; branches that are merged go too, others stay. A day: long enough to look at last night\'s, short enough for the disk.'),
  'event-log': z
    .strictObject({
      bytes: count(8_388_608, 4096, 268_435_456, 'It is rotated when it is longer than this: a few thousand tasks, read in a tenth of a second.'),
      every: duration('1d', 'And when its first line is older than this.'),
      keep: duration('90d', 'Parts that were rotated away longer ago are removed.'),
    })
    .prefault({})
    .describe('The event log (snakepit events): former parts are compressed, and read as one with it.'),
  adopt: duration('60s', 'How long a dead snake\'s claim is kept for its successor before it is reaped, while its session lives.'),
  'verify-timeout': duration('15m', 'The longest life of one verify: command.'),
  ...setupKeys,
  'session-umask': z.string(UMASK).regex(/^0?[0-7]{3}$/, UMASK).default('022').describe('What others may not do with files that agents make, as a shell\'s umask says it. What snakepit itself writes is always its owner\'s alone.'),
  'min-free': count(268_435_456, 0, 1_099_511_627_776, 'Free bytes below which nothing new is claimed.'),
  disk: z.union([z.number(), z.string()]).refine((value) => parseBytes(value) !== undefined, 'is not a size: write it with a unit, such as 20GB').default('20GB').describe('What worktrees and runs may take of the disk: above it nothing new is claimed, and worktrees of ended tasks go before their time. 0: no limit. A hundred checkouts of a middling project fit.'),
  toss: z
    .strictObject({
      depth: count(2, 0, 10, 'How deep tossed tasks may toss.'),
      'per-task': count(20, 0, 1000, 'How many children one task may toss.'),
      commands: z.boolean().default(false).describe('Whether a tossed task may name commands: run:, setup:, verify:, sh blocks.'),
    })
    .prefault({})
    .describe('Limits on tasks that agents make.'),
  startup: duration('2m', 'An agent that was started and has done nothing by then has stalled.'),
  signal: duration('2m', 'How long an interactive session may stand with its turn ended before it counts as not done.'),
  retrying: duration('1m', 'How long a program may retry a provider\'s limit by itself before the session is given up and the account waits.'),
  stall: duration('10m', 'Silence (no event, no transcript, no open tool) after which an agent is nudged; in print mode, ended. Four times as long while a tool of its own runs.'),
  nudges: count(2, 0, 20, 'How often a silent full-screen session is nudged before it is ended.'),
  'nudge-every': duration('5m', 'Between two nudges, and from the last one to the end.'),
  'wait-cap': duration('6h', 'No wait that a session announces (snakepit wait-until) is believed for longer than this after its start.'),
  breaker: z
    .strictObject({
      floor: duration('30s', 'A reset time that a provider gives is never believed to come sooner: texts are misread, and a wrong one would be tried without end.'),
      margin: duration('45s', 'Added to a given reset: it is rounded to minutes, and clocks differ.'),
      first: duration('1m', 'The wait where no reset is given: as long for rate limits and failing programs, five times for usage limits and logins; doubled each time.'),
      max: duration('30m', 'No such wait is longer, so that a provider that is back is noticed.'),
      stagger: duration('2s', 'Between two tasks that are let in once the account works again: together they would meet its limit at once.'),
      release: duration('1m', 'For so long they are let in one by one, then freely.'),
      failures: count(5, 1, 100, 'So many attempts of one agent in a row without a sign of work (it never began, crashed, or ended within seconds) shut its account: that is no task\'s fault.'),
    })
    .prefault({})
    .describe('When a provider account is at a limit, all of its tasks wait; then one is let in to see whether it works.'),
  pings: pingsSchema,
  'ping-keep': duration('1h', 'A ping that could not be delivered for so long is given up, and said so.'),
  budget: budgetSchema,
  hooks: hooksSchema,
  quiet: quietSchema,
  metrics: z
    .strictObject({
      file: z.string().max(1000).refine((text) => text === '' || text.endsWith('.prom'), 'has not the ending .prom: node_exporter reads no other files').default('').describe('Where they are written, for the textfile collector of node_exporter; from the pit\'s directory. Empty: nowhere.'),
      port: count(0, 0, 65_535, 'Where they are served, on 127.0.0.1 alone, at /metrics. 0: nowhere, and nothing listens.'),
      every: duration('15s', 'How often they are gathered for the file.'),
    })
    .prefault({})
    .describe('Metrics in Prometheus\' text format (snakepit metrics); see docs/metrics.md.'),
  prices: pricesSchema,
  residents: z
    .record(z.string().regex(/^(?!s\d{1,4}$)[a-z][a-z0-9-]{0,30}$/, 'is not a name: small letters, digits, -, at most 31, and none of a snake (s1)'), resident)
    .default({})
    .describe('Long-lived sessions beside the snakes, by name: agents that are woken (prompt: and every:), and services that are only kept alive (command:).'),
  specialists: specialistsSchema,
  heal: z
    .strictObject({
      restarts: count(5, 1, 100, 'How often one of them is started again within the window; after that it is given a pause.'),
      pool: count(20, 1, 1000, 'The same for all of them together.'),
      window: duration('10m', 'Over how long restarts are counted.'),
      first: duration('1s', 'Wait before the first restart, doubled with each further one.'),
      max: duration('5m', 'No wait is longer.'),
      open: duration('10m', 'The pause, doubled each time up to six times as long; then one try.'),
    })
    .prefault({})
    .describe('The budget for starting residents again that died.'),
  agents: z.record(z.string().regex(/^[a-z][a-z0-9-]*$/, 'is not a name: small letters, digits, -'), z.looseObject({})).default({}).describe('Agent profiles: what is laid over the built-in ones, key by key (snakepit agents show NAME), and new ones with extends:.'),
  env: z.array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/)).default([]).describe('Names of further environment variables that sessions may see. PATH, HOME, LANG, TERM, TZ, TMPDIR, SHELL, USER, LOGNAME and LC_* always are.'),
});

export type ConfigFile = z.output<typeof configSchema>;
