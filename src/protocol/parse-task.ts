import type * as Yaml from 'yaml';
import type { Document, LineCounter } from 'yaml';
import { parseDuration } from '../lib/duration.js';
import { err, ok, type Result } from '../lib/result.js';
import { nearest } from '../lib/text.js';
import { titleOf, warnOfText } from './body.js';
import { decodeTask, prescanHead, splitTask, type SplitTask, type TaskFault } from './front-matter.js';
import { readBudget } from './limits.js';
import { isTaskId } from './names.js';
import { readPolicy } from './policy.js';
import type { Recurrence } from './recurrence.js';
import { ASK_POLICIES, PRIORITY_WORDS, type TaskSpec, type TaskWarning } from './task.js';

export interface ParsedTask {
  readonly spec: TaskSpec;
  readonly warnings: readonly TaskWarning[];
}

/** Where a key stands in the file: 1-based lines, the last one included. */
export interface KeyLines {
  readonly from: number;
  readonly to: number;
}

/** A template of queue/recurring/: a task, and when it becomes one. */
export interface ParsedTemplate extends ParsedTask {
  readonly recurrence: Recurrence;
  /** The file in its two parts, and where each key stands in it: its instances leave some out. */
  readonly split: SplitTask;
  readonly keys: ReadonlyMap<string, KeyLines>;
}

type RecurrenceDraft = { -readonly [K in keyof Recurrence]: Recurrence[K] };
type Draft = { -readonly [K in keyof TaskSpec]: TaskSpec[K] };
type KeyReader = (draft: Draft, value: unknown) => { problem: string; fix: string } | undefined;

const wrong = (problem: string, fix: string): { problem: string; fix: string } => ({ problem, fix });

function words(value: unknown): string[] | undefined {
  if (typeof value === 'string') return value.trim() === '' ? undefined : [value];
  if (!Array.isArray(value)) return undefined;
  return value.every((item): item is string => typeof item === 'string' && item.trim() !== '') ? value : undefined;
}

function duration(value: unknown, key: string, set: (ms: number) => void): ReturnType<KeyReader> {
  const ms = typeof value === 'string' ? parseDuration(value) : undefined;
  return ms === undefined ? wrong(`${key}: is not a duration`, `write it with a unit, such as ${key}: 45m`) : void set(ms);
}

function commandList(key: string, example: string, value: unknown, set: (list: string[]) => void): ReturnType<KeyReader> {
  const list = words(value);
  return list === undefined ? wrong(`${key}: is not a command or a list of commands`, `write ${key}: ${example}`) : void set(list);
}

/** Oftener than this nothing but wakes would be worked on. */
const LEAST_WAKE_MS = 1000;

/** Every key of a task's front matter, by its kebab-case name. The reader changes the draft or says what is wrong. */
const KEYS: Readonly<Record<string, KeyReader>> = {
  id: (draft, value) => {
    if (typeof value !== 'string' || !isTaskId(value)) return wrong('id: is not a legal id', 'use lower case letters, digits, dot, dash, underscore; at most 64, starting with a letter or digit');
    draft.id = value;
    return undefined;
  },
  title: (draft, value) => {
    if (typeof value !== 'string') return wrong('title: is not text', 'put it in quotes');
    draft.title = value.slice(0, 80);
    return undefined;
  },
  agent: (draft, value) => {
    const list = words(value);
    if (list === undefined) return wrong('agent: names no profile', 'name one, or a list to fall back on: agent: shell');
    draft.agents = list;
    return undefined;
  },
  priority: (draft, value) => {
    const number = typeof value === 'string' && Object.hasOwn(PRIORITY_WORDS, value) ? PRIORITY_WORDS[value] : value;
    if (typeof number !== 'number' || !Number.isInteger(number) || number < 0 || number > 99) return wrong('priority: is out of range', 'use urgent, high, normal, low, or 0 (first) to 99');
    draft.priority = number;
    return undefined;
  },
  after: (draft, value) => {
    const list = Array.isArray(value) && value.length === 0 ? [] : words(value);
    const bad = list?.find((id) => !isTaskId(id));
    if (list === undefined || bad !== undefined) return wrong(`after: ${bad === undefined ? 'is not a list of ids' : `${bad} is not a legal id`}`, 'write after: [first-task, second-task]');
    draft.after = list;
    return undefined;
  },
  at: (draft, value) => {
    // A date alone is its first instant in local time, as a person means it; the language reads it as UTC.
    const atMs = typeof value === 'string' && /^\d{4}-\d\d-\d\d/.test(value) ? Date.parse(/^\d{4}-\d\d-\d\d$/.test(value) ? `${value}T00:00` : value) : Number.NaN;
    if (Number.isNaN(atMs)) return wrong('at: is not a time', 'write it as 2026-12-01T02:00 (local time) or with Z or an offset');
    draft.notBefore = { kind: 'at', atMs };
    return undefined;
  },
  in: (draft, value) => duration(value, 'in', (ms) => (draft.notBefore = { kind: 'in', ms })),
  timeout: (draft, value) => duration(value, 'timeout', (ms) => (draft.timeoutMs = ms)) ?? (draft.timeoutMs === 0 ? wrong('timeout: is zero', 'leave it out for the configured default') : undefined),
  attempts: (draft, value) => {
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > 100) return wrong('attempts: is out of range', 'use a whole number from 1 to 100');
    draft.attempts = value;
    return undefined;
  },
  workspace: (draft, value) => {
    if (value !== 'scratch' && value !== 'repo' && value !== 'worktree') return wrong('workspace: is unknown', 'use worktree (a checkout and branch of its own), repo (the project itself) or scratch (a fresh directory)');
    draft.workspace = value;
    return undefined;
  },
  changes: (draft, value) => {
    if (value !== 'required' && value !== 'optional') return wrong('changes: is unknown', 'use required (a task whose branch has no change has failed) or optional');
    draft.changes = value;
    return undefined;
  },
  policy: (draft, value) => readPolicy(value, (policy) => (draft.policy = policy)),
  merge: (draft, value) => {
    draft.merge = value === 'none' ? value : undefined;
    return value === 'none' ? undefined : wrong('merge: is not none', 'how tasks are merged is said in snakepit.yaml; a task can say merge: none');
  },
  base: (draft, value) => {
    if (typeof value !== 'string' || value.trim() === '' || value.startsWith('-')) return wrong('base: names no branch, tag or commit', 'write base: main');
    draft.base = value;
    return undefined;
  },
  mode: (draft, value) => {
    if (value !== 'headless' && value !== 'interactive') return wrong('mode: is unknown', 'use headless (print mode) or interactive (the full-screen program)');
    draft.mode = value;
    return undefined;
  },
  ask: (draft, value) => {
    const policy = ASK_POLICIES.find((one) => one === value);
    if (policy === undefined) return wrong('ask: is unknown', 'use park (it waits for your answer), allow (the safe answer is given) or fail');
    draft.ask = policy;
    return undefined;
  },
  wake: (draft, value) => duration(value, 'wake', (ms) => (draft.wakeMs = ms)) ?? ((draft.wakeMs ?? 0) < LEAST_WAKE_MS ? wrong('wake: is too short', 'leave at least 1s between two wakes, such as wake: 30m') : undefined),
  verify: (draft, value) => commandList('verify', '[npm test]', value, (list) => (draft.verify = list)),
  setup: (draft, value) => commandList('setup', '[npm ci], or setup: [] for none', value, (list) => (draft.setup = list)),
  workflow: (draft, value) => {
    if (typeof value !== 'string' || !/^[a-z][a-z0-9-]{0,40}$/.test(value)) return wrong('workflow: is not the name of a workflow', 'write workflow: build-review; snakepit workflows lists them');
    draft.workflow = value;
    return undefined;
  },
  with: (draft, value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return wrong('with: is not a map of options', 'write with: {rounds: 3}; snakepit workflows NAME lists them');
    draft.with = value as Record<string, unknown>;
    return undefined;
  },
  run: (draft, value) => {
    if (typeof value !== 'string' || value.trim() === '') return wrong('run: is not a command', 'write run: make report');
    draft.run = value;
    return undefined;
  },
  inputs: (draft, value) => {
    const entries = typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : undefined;
    const good = entries?.every(([name, path]) => /^[A-Za-z][A-Za-z0-9_-]{0,40}$/.test(name) && typeof path === 'string' && path !== '');
    const distinct = new Set(entries?.map(([name]) => name.toUpperCase().replaceAll('-', '_')));
    if (entries !== undefined && good === true && distinct.size < entries.length) return wrong('inputs: has two names that become the same variable', 'rename one');
    if (entries === undefined || good !== true) return wrong('inputs: is not a map of names to paths', 'write inputs: {spec: docs/spec.md}');
    draft.inputs = Object.fromEntries(entries) as Record<string, string>;
    return undefined;
  },
  tags: (draft, value) => {
    const list = Array.isArray(value) && value.length === 0 ? [] : words(value);
    if (list === undefined || list.length > 20 || !list.every((tag) => /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(tag))) return wrong('tags: is not a list of at most 20 words', 'write tags: [nightly, db]: letters, digits, dot, dash, underscore');
    draft.tags = [...new Set(list)];
    return undefined;
  },
  budget: readBudget,
  parent: (draft, value) => {
    if (typeof value !== 'string' || !isTaskId(value)) return wrong('parent: is not a legal id', 'snakepit toss writes it; leave it out');
    draft.parent = value;
    return undefined;
  },
  depth: (draft, value) => {
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > 99) return wrong('depth: is out of range', 'snakepit toss writes it; leave it out');
    draft.depth = value;
    return undefined;
  },
};

export const TASK_KEYS: readonly string[] = Object.keys(KEYS);

/** What only a template has. */
const TEMPLATE_KEYS: Readonly<Record<string, (draft: RecurrenceDraft, value: unknown) => ReturnType<KeyReader>>> = {
  every: (draft, value) => duration(value, 'every', (ms) => (draft.everyMs = ms)),
  cron: (draft, value) => {
    if (typeof value !== 'string') return wrong('cron: is not text', 'write five fields in quotes, such as cron: "0 3 * * 1-5"');
    draft.cron = value;
    return undefined;
  },
  tz: (draft, value) => {
    if (typeof value !== 'string' || value.trim() === '') return wrong('tz: is not the name of a time zone', 'write tz: Europe/Berlin, or leave it out');
    draft.tz = value;
    return undefined;
  },
  'catch-up': (draft, value) => {
    if (typeof value !== 'boolean') return wrong('catch-up: is neither true nor false', 'write catch-up: false, or leave it out');
    draft.catchUp = value;
    return undefined;
  },
};

const kebab = (key: string): string => key.replace(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase();

/**
 * Bytes of a task file → how to work it, or the first fault with its line. Never throws, never runs anything, bounded in
 * time and memory by the caller's cap on the bytes and by the pre-scan.
 */
export async function parseTask(bytes: Uint8Array): Promise<Result<ParsedTask, TaskFault>> {
  const parsed = await parseWith(bytes, undefined);
  return parsed.ok ? ok({ spec: parsed.value.spec, warnings: parsed.value.warnings }) : parsed;
}

/** The same for a template: a task's keys, and those that say when. That its times make sense is judged by src/recurring. */
export async function parseTemplate(bytes: Uint8Array): Promise<Result<ParsedTemplate, TaskFault>> {
  const recurrence: RecurrenceDraft = { everyMs: undefined, cron: undefined, tz: undefined, catchUp: true };
  const parsed = await parseWith(bytes, recurrence);
  return parsed.ok ? ok({ ...parsed.value, recurrence }) : parsed;
}

async function parseWith(bytes: Uint8Array, recurrence: RecurrenceDraft | undefined): Promise<Result<Omit<ParsedTemplate, 'recurrence'>, TaskFault>> {
  const text = decodeTask(bytes);
  if (!text.ok) return text;
  if (text.value.trim() === '') return err({ line: 1, problem: 'the file is empty', fix: 'write what is to be done' });
  const split = splitTask(text.value);
  if (!split.ok) return split;
  const fault = prescanHead(split.value);
  if (fault !== undefined) return err(fault);
  const { head, headLine, body } = split.value;
  const draft: Draft = {
    id: undefined, title: titleOf(body), agents: [], priority: undefined, after: [], notBefore: undefined, timeoutMs: undefined,
    attempts: undefined, workspace: undefined, base: undefined, changes: 'optional', policy: undefined, merge: undefined, mode: undefined, wakeMs: undefined, ask: undefined, workflow: undefined, with: {}, setup: undefined, verify: [], run: undefined, inputs: {}, parent: undefined, depth: 0, tags: [], budget: undefined, body,
  };
  const keys = new Map<string, KeyLines>();
  const read = head === undefined || head.trim() === '' ? ok([]) : await readHead(draft, head, headLine, keys, recurrence);
  if (!read.ok) return read;
  if (body.trim() === '' && draft.run === undefined) return err({ line: text.value.split('\n').length, problem: 'there is no text below the front matter', fix: 'write what is to be done, or give run:' });
  const odd = warnOfText(text.value, split.value, TASK_KEYS, draft.run !== undefined);
  return ok({ spec: draft, warnings: [...read.value, ...odd], split: split.value, keys });
}

/** yaml is loaded here, at the first task that has front matter. */
async function readHead(draft: Draft, head: string, headLine: number, keys: Map<string, KeyLines>, recurrence: RecurrenceDraft | undefined): Promise<Result<TaskWarning[], TaskFault>> {
  const yaml = await import('yaml');
  const lines = new yaml.LineCounter();
  let doc: Document.Parsed;
  try {
    doc = yaml.parseDocument(head, { lineCounter: lines, schema: 'core', prettyErrors: false, logLevel: 'error' });
  } catch (cause) {
    return err({ line: headLine, problem: `front matter cannot be read: ${String(cause)}`, fix: 'simplify it' });
  }
  const lineOf = (offset: number | undefined): number => headLine + (offset === undefined ? 0 : positionOf(lines, offset) - 1);
  const broken = doc.errors[0];
  if (broken !== undefined) return err({ line: lineOf(broken.pos[0]), problem: `broken YAML: ${broken.message.split('\n')[0] ?? ''}`, fix: 'mend that line, or put the value in quotes' });
  const fancy = findFancy(yaml, doc);
  if (fancy !== undefined) return err({ line: lineOf(fancy.offset), problem: `YAML ${fancy.kind} are not taken`, fix: 'write the value out, or put it in quotes' });
  if (!yaml.isMap(doc.contents)) return doc.contents === null ? ok([]) : err({ line: headLine, problem: 'front matter is not a list of keys', fix: 'write key: value, one a line' });
  // Its instances leave some lines out, so each key needs lines of its own.
  if (recurrence !== undefined && doc.contents.flow === true) return err({ line: headLine, problem: 'the front matter of a template stands in braces', fix: 'write key: value, one a line' });
  const warnings: TaskWarning[] = [];
  for (const pair of doc.contents.items) {
    const key = yaml.isScalar(pair.key) ? String(pair.key.value) : '';
    const line = lineOf(yaml.isNode(pair.key) ? pair.key.range?.[0] : undefined);
    const name = kebab(key);
    const reader = Object.hasOwn(KEYS, name) ? KEYS[name] : undefined;
    const timeReader = reader === undefined && Object.hasOwn(TEMPLATE_KEYS, name) ? TEMPLATE_KEYS[name] : undefined;
    if (reader === undefined && (timeReader === undefined || recurrence === undefined)) {
      const near = nearest(name, TASK_KEYS);
      const text = timeReader !== undefined ? `${key}: works in queue/recurring/ only; this task runs once` : `unknown key ${key}${near === undefined ? '' : ` (did you mean ${near}?)`}; kept, not used`;
      warnings.push({ line, text });
      continue;
    }
    if (keys.has(name)) return err({ line, problem: `${name}: is given twice`, fix: 'remove one' });
    const end = yaml.isNode(pair.value) ? pair.value.range?.[1] : undefined;
    keys.set(name, { from: line, to: Math.max(line, end === undefined ? line : lineOf(Math.max(0, end - 1))) });
    const value: unknown = name === 'id' && yaml.isScalar(pair.value) ? (pair.value.source ?? pair.value.value) : yaml.isNode(pair.value) ? pair.value.toJS(doc) : undefined;
    const complaint = reader === undefined ? (recurrence === undefined ? undefined : timeReader?.(recurrence, value)) : reader(draft, value);
    if (complaint !== undefined) return err({ line, ...complaint });
  }
  if (keys.has('with') && draft.workflow === undefined) return err({ line: keys.get('with')?.from ?? headLine, problem: 'with: has no workflow to speak to', fix: 'name it: workflow: build-review' });
  if (keys.has('at') && keys.has('in')) return err({ line: headLine, problem: 'at: and in: are both given', fix: 'remove one' });
  return ok(warnings);
}

/** Anchors, aliases and tags: no use in a task, and the stuff of bombs. Found before any value is made. */
function findFancy(yaml: typeof Yaml, doc: Document.Parsed): { kind: string; offset: number | undefined } | undefined {
  let found: { kind: string; offset: number | undefined } | undefined;
  yaml.visit(doc, {
    Node(_key, node) {
      const offset = node.range?.[0];
      if (yaml.isAlias(node)) found = { kind: 'aliases', offset };
      else if ('anchor' in node && node.anchor !== undefined) found = { kind: 'anchors', offset };
      else if (node.tag !== undefined) found = { kind: 'tags', offset };
      return found === undefined ? undefined : yaml.visit.BREAK;
    },
  });
  return found;
}

const positionOf = (lines: LineCounter, offset: number): number => lines.linePos(offset).line;
