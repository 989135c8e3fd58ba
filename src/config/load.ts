import { isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { parseBytes } from '../lib/bytes.js';
import { parseDuration } from '../lib/duration.js';
import { err, ok, type Result } from '../lib/result.js';
import { nearest } from '../lib/text.js';
import type { LimitsConfig } from './budget.js';
import type { Config, LimitsOf } from './config.js';
import { allPrices } from './prices.js';
import { configSchema, type ConfigFile } from './schema.js';
import { partAt, wantedAt, type SchemaPart } from './wording.js';

/** What is wrong with a configuration: where, what, and the mend, in one line. */
export interface ConfigFault {
  readonly where: string;
  readonly problem: string;
}

/** `SNAKEPIT_CONFIG_TIMEOUT=30m` beats `timeout:` in the file; nested keys are joined: SNAKEPIT_CONFIG_BACKOFF_FIRST. */
const PREFIX = 'SNAKEPIT_CONFIG_';

type Json = Record<string, unknown>;

function fromEnvironment(env: NodeJS.ProcessEnv): Json {
  const found: Json = {};
  const keysOf = (schema: z.ZodType): Record<string, z.ZodType> | undefined => {
    const inner = schema instanceof z.ZodPrefault || schema instanceof z.ZodDefault ? schema.unwrap() : schema;
    return inner instanceof z.ZodObject ? (inner.shape as Record<string, z.ZodType>) : undefined;
  };
  const visit = (shape: Record<string, z.ZodType>, prefix: string, into: Json): void => {
    for (const [key, schema] of Object.entries(shape)) {
      const name = `${prefix}${key.toUpperCase().replaceAll('-', '_')}`;
      const inner = keysOf(schema);
      if (inner !== undefined) {
        const nested: Json = {};
        visit(inner, `${name}_`, nested);
        if (Object.keys(nested).length > 0) into[key] = nested;
      } else if (env[name] !== undefined && env[name] !== '') into[key] = scalar(env[name]);
    }
  };
  visit(configSchema.shape, PREFIX, found);
  return found;
}

function scalar(text: string): unknown {
  if (/^-?\d+(\.\d+)?$/.test(text)) return Number(text);
  if (text === 'true' || text === 'false') return text === 'true';
  return text;
}

function merge(low: Json, high: Json): Json {
  const merged: Json = { ...low };
  for (const [key, value] of Object.entries(high)) {
    const below = merged[key];
    merged[key] = typeof value === 'object' && value !== null && !Array.isArray(value) && typeof below === 'object' && below !== null ? merge(below as Json, value as Json) : value;
  }
  return merged;
}

/** Flags beat environment beats file beats default. `text` undefined: there is no file. */
export function resolveConfig(file: string, text: string | undefined, env: NodeJS.ProcessEnv, flags: Json = {}): Result<Config, ConfigFault> {
  const lines = new LineCounter();
  const doc = parseDocument((text ?? '').replace(/^\uFEFF/, ''), { lineCounter: lines, schema: 'core', prettyErrors: false });
  const broken = doc.errors[0];
  if (broken !== undefined) return err({ where: `${file}:${lines.linePos(broken.pos[0]).line}`, problem: `broken YAML: ${broken.message.split('\n')[0] ?? ''}` });
  if (doc.contents !== null && !isMap(doc.contents)) return err({ where: `${file}:1`, problem: 'is not a list of keys; write key: value, one a line' });
  let fromFile: Json;
  try {
    fromFile = (doc.toJS({ maxAliasCount: 50 }) ?? {}) as Json;
  } catch (cause) {
    // An alias to nowhere, or a bomb of them, is found only when values are made; a running pit must live through the edit.
    return err({ where: file, problem: `broken YAML: ${cause instanceof Error ? cause.message : String(cause)}` });
  }
  const parsed = configSchema.safeParse(merge(merge(fromFile, fromEnvironment(env)), flags));
  if (parsed.success) return ok(toConfig(parsed.data));
  const issue = parsed.error.issues[0];
  if (issue === undefined) return err({ where: file, problem: 'is not valid' });
  const unknown = issue.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
  const path = [...issue.path.map(String), ...(unknown === undefined ? [] : [unknown])];
  const line = lineOf(doc.contents, path, lines);
  const variable = `${PREFIX}${path.join('_').toUpperCase().replaceAll('-', '_')}`;
  const problem = unknown === undefined ? `${path.join('.')}: ${wantedAt(configJsonSchema() as SchemaPart, path, issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message)}` : unknownKey(path, issue.path.map(String));
  if (unknown === undefined && (env[variable] ?? '') !== '') return err({ where: variable, problem });
  return err({ where: line === undefined ? file : `${file}:${line}`, problem });
}

function unknownKey(path: readonly string[], parents: readonly string[]): string {
  const parent = Object.keys(partAt(configJsonSchema() as SchemaPart, parents)?.properties ?? {});
  const near = nearest(path.at(-1) ?? '', parent);
  return `${path.join('.')}: unknown key${near === undefined ? `; known here: ${parent.join(', ')}` : `; did you mean ${[...parents, near].join('.')}?`}`;
}

/** Where the deepest key of the path stands in the file's text; the file alone where it has none of it. */
export function placeOf(file: string, text: string | undefined, path: readonly string[]): string {
  const lines = new LineCounter();
  const line = lineOf(parseDocument(text ?? '', { lineCounter: lines, schema: 'core', prettyErrors: false }).contents, path, lines);
  return line === undefined ? file : `${file}:${line}`;
}

/** The line of the deepest key of the path that the file has. */
function lineOf(node: unknown, path: readonly string[], lines: LineCounter): number | undefined {
  let at: number | undefined;
  let here = node;
  for (const key of path) {
    if (isSeq(here)) {
      here = here.items[Number(key)];
      if (isMap(here) && here.range != null) at = lines.linePos(here.range[0]).line;
      continue;
    }
    if (!isMap(here)) break;
    const pair = here.items.find((item) => isScalar(item.key) && String(item.key.value) === key);
    if (pair === undefined || !isScalar(pair.key) || pair.key.range == null) break;
    at = lines.linePos(pair.key.range[0]).line;
    here = pair.value;
  }
  return at;
}

function toConfig(file: ConfigFile): Config {
  const ms = (text: string): number => parseDuration(text) ?? 0;
  return {
    snakes: file.snakes,
    agent: file.agent,
    workspace: file.workspace,
    repo: file.repo,
    base: file.base,
    guard: file.guard,
    workflow: file.workflow,
    policy: file.policy,
    merge: file.merge,
    into: file.into,
    fixRounds: file['fix-rounds'],
    coAuthors: file['co-authors'],
    push: file.push,
    timeoutMs: ms(file.timeout),
    attempts: file.attempts,
    losses: file.losses,
    deferrals: file.deferrals,
    asks: file.asks,
    backoff: { firstMs: ms(file.backoff.first), factor: file.backoff.factor, maxMs: ms(file.backoff.max) },
    settleMs: ms(file.settle),
    maxTaskBytes: file['max-task-bytes'],
    heartbeatMs: ms(file.heartbeat),
    tickMs: ms(file.tick),
    rescanMs: ms(file.rescan),
    graceMs: ms(file.grace),
    cleanupMs: ms(file.cleanup),
    keepMs: ms(file.keep),
    keepLogsMs: ms(file['keep-logs']),
    keepWorktreesMs: ms(file['keep-worktrees']),
    eventLog: { bytes: file['event-log'].bytes, everyMs: ms(file['event-log'].every), keepMs: ms(file['event-log'].keep) },
    adoptMs: ms(file.adopt),
    verifyTimeoutMs: ms(file['verify-timeout']),
    setup: typeof file.setup === 'string' ? [file.setup] : file.setup,
    setupTimeoutMs: ms(file['setup-timeout']),
    setupCache: { paths: file['setup-cache'].paths, key: file['setup-cache'].key, keepMs: ms(file['setup-cache'].keep), bytes: parseBytes(file['setup-cache'].size) ?? 0 },
    sessionUmask: file['session-umask'],
    minFreeBytes: file['min-free'],
    diskBytes: parseBytes(file.disk) ?? 0,
    toss: { depth: file.toss.depth, perTask: file.toss['per-task'], commands: file.toss.commands },
    env: file.env,
    agents: file.agents,
    residents: file.residents,
    specialists: file.specialists,
    heal: { restarts: file.heal.restarts, pool: file.heal.pool, windowMs: ms(file.heal.window), firstMs: ms(file.heal.first), maxMs: ms(file.heal.max), openMs: ms(file.heal.open) },
    startupMs: ms(file.startup),
    signalMs: ms(file.signal),
    retryMs: ms(file.retrying),
    stallMs: ms(file.stall),
    nudgeMs: ms(file['nudge-every']),
    nudges: file.nudges,
    waitCapMs: ms(file['wait-cap']),
    breaker: {
      floorMs: ms(file.breaker.floor), marginMs: ms(file.breaker.margin), firstMs: ms(file.breaker.first), maxMs: ms(file.breaker.max),
      staggerMs: ms(file.breaker.stagger), releaseMs: ms(file.breaker.release), failures: file.breaker.failures,
    },
    pings: file.pings,
    hooks: file.hooks,
    quiet: file.quiet,
    metrics: { file: file.metrics.file, port: file.metrics.port, everyMs: ms(file.metrics.every) },
    pingKeepMs: ms(file['ping-keep']),
    budget: { day: toLimits(file.budget.day), pit: toLimits(file.budget.pit), task: toLimits(file.budget.task) },
    prices: file.prices,
    priceLists: allPrices(file.prices),
  };
}

const THOUSANDS: Readonly<Record<string, number>> = { k: 1000, K: 1000, M: 1_000_000 };

/** "500k" and "2M" are numbers from here on. */
function toLimits({ tokens, money, minutes }: LimitsConfig): LimitsOf {
  const whole = typeof tokens === 'string' ? Math.round(Number.parseFloat(tokens) * (THOUSANDS[tokens.at(-1) ?? ''] ?? 1)) : tokens;
  return { ...(whole === undefined ? {} : { tokens: whole }), ...(money === undefined ? {} : { money }), ...(minutes === undefined ? {} : { minutes }) };
}

/** For editors: `# yaml-language-server: $schema=.snakepit/config.schema.json`. */
export function configJsonSchema(): unknown {
  return z.toJSONSchema(configSchema, { io: 'input' });
}

/** A commented snakepit.yaml with every key at its default, made from the schema. */
export function commentedConfig(): string {
  const lines = ['# yaml-language-server: $schema=.snakepit/config.schema.json', '# Every key is shown at its default. Remove the # to change one.', ''];
  const schema = configJsonSchema() as { properties: Record<string, JsonProperty> };
  for (const [key, property] of Object.entries(schema.properties)) {
    lines.push(`# ${property.description ?? ''}`);
    if (property.properties === undefined) lines.push(`#${key}: ${JSON.stringify(property.default)}`, '');
    else {
      lines.push(`#${key}:`);
      for (const [inner, child] of Object.entries(property.properties)) lines.push(`#  ${inner}: ${JSON.stringify(child.default)}   # ${child.description ?? ''}`);
      lines.push('');
    }
  }
  return lines.join('\n');
}

interface JsonProperty {
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Record<string, JsonProperty>;
}
