import { z } from 'zod';
import { AGENT_STATES } from '../protocol/agent-state.js';
import { ASK_POLICIES } from '../protocol/task.js';

/*
 * What snakepit knows of one agent program. All of it is data: `profiles/<name>.yaml`, overridden key by key under `agents:`
 * in snakepit.yaml. A new release of a program is an edited file. Texts may hold {placeholders}; template.ts lists them.
 */

const regex = z.string().min(1).refine((text) => {
  try {
    new RegExp(text, 'u');
    return true;
  } catch {
    return false;
  }
}, 'is not a regular expression (JavaScript, with the u flag)');

const state = z.enum(AGENT_STATES);
const argument = z.union([z.string(), z.strictObject({ if: z.enum(['model', 'reasoning', 'resume', 'fresh', 'autonomous', 'root', 'hooks']), args: z.array(z.string()) })]);
const duration = z.string().regex(/^\d+(ms|s|m|h)$/);

/**
 * When a provider's limit ends. The text is the value at `path` of the event, or what the rule's own pattern matched; of it,
 * the first group of `pattern`, or the named `group`. Clock texts without a zone are in ours. reset.ts reads them.
 */
const reset = z.strictObject({
  path: z.string().optional(),
  pattern: regex.optional(),
  group: z.string().optional(),
  unit: z.enum(['epoch-s', 'epoch-ms', 'iso', 'seconds', 'milliseconds', 'clock']),
});

/** Where in an event the tokens of one turn stand. `cumulative`: the last one counts, not the sum. Equal `id`s are one turn; the last one counts. */
const usage = z.strictObject({
  id: z.string().optional(),
  cumulative: z.boolean().default(false),
  input: z.string().optional(),
  output: z.string().optional(),
  'cache-read': z.string().optional(),
  'cache-write': z.string().optional(),
  reasoning: z.string().optional(),
  cost: z.string().optional(),
  model: z.string().optional(),
  /** True where `input` contains `cache-read` already. */
  'input-has-cache': z.boolean().default(false),
  /** True where `output` contains `reasoning` already. */
  'output-has-reasoning': z.boolean().default(true),
});

const condition = z.record(z.string(), z.union([z.literal('*'), regex, z.number(), z.boolean(), z.null()]));

/**
 * One rule over JSON lines (headless output, hook events, transcripts, status files). `match`: dotted path → what must stand
 * there: a regular expression for texts and numbers (whole value), or the very boolean, number or null; "*" for "is there, and
 * not null". Paths: `a.b`, `a[0]`, `a[-1]`, and `[*]` or `*` for every element or value, of which one must match. All of `match`
 * must hold and nothing of `unless`. Of the rules with a `state`, the first that matches a line speaks; a rule without one only
 * extracts, and every such rule that matches does.
 */
const lineRule = z.strictObject({
  id: z.string(),
  match: condition,
  unless: condition.optional(),
  /** It speaks only while the state so far is one of these. */
  while: z.array(state).optional(),
  state: state.optional(),
  /** What a run died of that ends right after this line: the cause of a retry. */
  'ends-as': state.optional(),
  /** Dotted paths of what is taken from the line. */
  answer: z.string().optional(),
  /** A further piece of the answer. A prompt or a tool call begins a new one. */
  'answer-delta': z.string().optional(),
  detail: z.string().optional(),
  session: z.string().optional(),
  prompt: z.string().optional(),
  /** The tool call that the line opens or closes, by its id. */
  'opens-tool': z.string().optional(),
  'closes-tool': z.string().optional(),
  /** A tool call that was refused, by its name or id. */
  'denies-tool': z.string().optional(),
  reset: reset.optional(),
  usage: usage.optional(),
});

/** A path, or several of which the first that has something counts. */
const paths = z.union([z.string(), z.array(z.string()).min(1)]);

/**
 * What a line shows to a person who reads along (`snakepit logs`); every rule that matches shows. `each`: its parts, one message
 * each, of which those that `of` fits; without it the line is the part. `text`, `name`, `input` (a tool's arguments), `call` (its id, by
 * which a result finds its call's name) and `failed` look into the part, `at` (a time) and `once` into the line: what one rule has shown of
 * a line with that id is not shown again. `piece`: a further piece of the text before it.
 */
const telling = z.strictObject({
  who: z.enum(['user', 'agent', 'thinking', 'call', 'result', 'note']),
  match: condition,
  unless: condition.optional(),
  each: z.string().optional(),
  of: condition.optional(),
  text: paths.optional(),
  name: paths.optional(),
  input: paths.optional(),
  call: z.string().optional(),
  failed: condition.optional(),
  at: z.string().optional(),
  once: z.string().optional(),
  piece: z.boolean().default(false),
});

/**
 * One rule over the pane. `in`: the only place it looks at. title · status (the last entries above the prompt box) · footer (below
 * it, per line and joined) · turn (the last entry above it, since the person's last words) · box (what stands in it) · rule (the
 * line above its first). Entries are joined to one line, without the indentation.
 */
const screenRule = z.strictObject({
  id: z.string(),
  in: z.enum(['title', 'status', 'footer', 'turn', 'box', 'rule']),
  pattern: regex,
  unless: regex.optional(),
  /** What the entry above must be (turn only). */
  above: regex.optional(),
  state,
  reset: reset.optional(),
});

/**
 * A dialog that may come up: it replaces the prompt box. `pattern` is matched on the bottom lines, joined to one, without frames.
 * `answer`: the label of the safe choice, sought by its text, never by its place; none: it is left to a person. `cursor`: what marks the
 * row that is chosen now; `next` moves it. `key`: chooses the labelled row at once, from wherever the cursor stands.
 */
const dialog = z.strictObject({
  id: z.string(),
  pattern: regex,
  /** What must stand there besides, in whatever order. */
  also: z.array(regex).optional(),
  kind: z.enum(['trust', 'login', 'update', 'permission', 'question', 'limit', 'other']),
  /** Where it means something else than its kind does. */
  state: state.optional(),
  answer: z.strictObject({ label: regex, cursor: regex, next: z.string().default('Down'), submit: z.string().default('Enter'), key: z.string().optional() }).optional(),
  reset: reset.optional(),
});

const screen = z.strictObject({
  /**
   * The live prompt box, line by line, sought from the bottom: the line above it, its `first` line, `more` of them, its closing
   * line. Group `draft` of `first` and `more`: what somebody has typed. `past`: a line below it that shows that it is history.
   */
  box: z.strictObject({ top: regex.optional(), first: regex, more: regex, bottom: regex.optional(), past: regex.optional() }),
  /** The margin mark at which an entry begins; none: after an empty line. */
  entry: regex.optional(),
  /** An entry that shows what the person (or we) said. */
  anchor: regex.optional(),
  /** Entries that say nothing of the turn: tips, notes. */
  skip: regex.optional(),
  /** Texts that stand in an empty box. */
  placeholders: z.array(regex).default([]),
  rules: z.array(screenRule),
});

/** The part of a profile that reads screens. */
export const screenPart = z.object({ screen, dialogs: z.array(dialog).default([]) });

/** How a text is handed over. Keys by tmux's names, or as bytes ("hex:0d") where a tmux encodes the named one in a way that the program does not take. */
const submit = z.strictObject({
  key: z.string().default('Enter'),
  /** Instead of `key` while it works. */
  'queue-key': z.string().optional(),
  /** Takes turns with `key` from the third try on. */
  'spare-key': z.string().default('hex:0d'),
  /** From the text standing still in the composer to the key. */
  delay: duration.default('300ms'),
  'settle-after-start': duration.default('1s'),
  /** Markers that stand for a long paste in the composer; groups `lines` and `chars`, where it counts them. */
  folded: z.array(regex).default(['\\[(?:Pasted|paste)\\b[^\\]\\n]*\\]']),
});

/** What a text that comes while it works leads to. */
const midTurn = z.enum(['queue', 'steer', 'interrupt']).default('queue');

/** The part of a profile that delivery reads. */
export const submitPart = z.object({ submit: submit.prefault({}), 'mid-turn': midTurn });

const mode = z.strictObject({
  argv: z.array(argument).min(1),
  /** How the prompt gets in: as one short line in argv, whole on standard input, as a file named in argv, typed, or (shell) its sh blocks as a script. */
  prompt: z.enum(['argv', 'stdin', 'file', 'typed', 'blocks']),
});

export const profileSchema = z.strictObject({
  profile: z.literal(1),
  name: z.string().regex(/^[a-z][a-z0-9-]*$/),
  title: z.string(),
  /** Versions that the project's tests ran, or that its screens were recorded from. */
  tested: z.array(z.string()).default([]),
  binary: z.string(),
  /** Further programs that must be on the PATH. */
  needs: z.array(z.string()).default([]),
  version: z.strictObject({ args: z.array(z.string()).default(['--version']), pattern: regex.default('(\\d+\\.\\d+(?:\\.\\d+)?)') }).prefault({}),
  install: z.string(),
  /** What nobody has tried yet, said to the person who uses it. */
  caveat: z.string().optional(),
  /** Tokens that its models take at least: a session that is nearly that full is not resumed. */
  context: z.number().int().min(1000).default(200_000),
  /** The provider account whose limits its sessions share. */
  account: z.string(),
  mode: z.enum(['headless', 'interactive']).default('headless'),
  model: z.string().optional(),
  reasoning: z.string().optional(),
  /** Variables that its sessions alone may have from the surroundings: keys and tokens. Values never leave the launcher. */
  secrets: z.array(z.string()).default([]),
  /** Further variables, not secret. */
  pass: z.array(z.string()).default([]),
  env: z.record(z.string(), z.string()).default({}),
  /** Only as root. */
  'root-env': z.record(z.string(), z.string()).default({}),
  /** Files of its own configuration directory, made before the first start. */
  seed: z.array(z.strictObject({ file: z.string(), format: z.enum(['json', 'text']), content: z.unknown() })).default([]),
  /** Further accounts of the same program, tried in this order when one is cooling. `from`: variable of the session → variable of the surroundings. */
  accounts: z.array(z.strictObject({ name: z.string().regex(/^[a-z0-9-]+$/), from: z.record(z.string(), z.string()).default({}), env: z.record(z.string(), z.string()).default({}), carry: z.array(z.strictObject({ from: z.string(), to: z.string() })).default([]) })).default([]),
  /** Whether it acts without asking. */
  autonomous: z.boolean().default(true),
  /** When it asks all the same: the attempt has failed, the task waits in needs/ for an answer, or the dialog's `answer` is chosen. */
  ask: z.enum(ASK_POLICIES).default('park'),
  /** Logins that are copied from the person's own configuration, where they exist. */
  carry: z.array(z.strictObject({ from: z.string(), to: z.string() })).default([]),
  headless: mode.extend({ output: z.enum(['jsonl', 'json', 'text']), rules: z.array(lineRule).default([]), messages: z.array(telling).default([]) }).optional(),
  interactive: mode
    .extend({
      screen: screen,
      dialogs: z.array(dialog).default([]),
      'ready-within': duration.default('60s'),
      submit: submit.prefault({}),
      'exit-keys': z.array(z.string()).default([]),
      'mid-turn': midTurn,
    })
    .optional(),
  /** Events that the program writes of itself: files that make it do so, and what the lines mean. */
  hooks: z
    .strictObject({
      seed: z.array(z.strictObject({ file: z.string(), format: z.enum(['json', 'text']), content: z.unknown() })).default([]),
      rules: z.array(lineRule),
      /** Of a full-screen session whose transcript is no file of lines. */
      messages: z.array(telling).default([]),
    })
    .optional(),
  /** A state file that the program keeps. */
  status: z.strictObject({ glob: z.string(), rules: z.array(lineRule) }).optional(),
  transcript: z
    .discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('jsonl'), glob: z.string(), rules: z.array(lineRule), messages: z.array(telling).default([]) }),
      z.strictObject({ kind: z.literal('command'), argv: z.array(z.string()), each: z.string(), rules: z.array(lineRule) }),
    ])
    .optional(),
  /** Exit statuses that say why. */
  exits: z.record(z.string().regex(/^\d{1,3}$/), state).default({}),
  /** Known failure texts of its error output (last 40 lines), by whole line. */
  errors: z.array(z.strictObject({ id: z.string(), pattern: regex, state, reset: reset.optional() })).default([]),
});

export type AgentProfile = z.output<typeof profileSchema>;
export type LineRule = z.output<typeof lineRule>;
export type Telling = z.output<typeof telling>;
export type ScreenRule = z.output<typeof screenRule>;
export type ScreenRules = z.output<typeof screen>;
export type Dialog = z.output<typeof dialog>;
export type ResetSpec = z.output<typeof reset>;
export type UsageSpec = z.output<typeof usage>;
export type Argument = z.output<typeof argument>;
