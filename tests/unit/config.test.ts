import { parseDocument } from 'yaml';
import { describe, expect, it } from 'vitest';
import type { Config } from '../../src/config/config.js';
import { commentedConfig, configJsonSchema, resolveConfig } from '../../src/config/load.js';

const resolve = (text: string | undefined, env: NodeJS.ProcessEnv = {}, flags: Record<string, unknown> = {}): ReturnType<typeof resolveConfig> => resolveConfig('snakepit.yaml', text, env, flags);

function good(text: string | undefined, env: NodeJS.ProcessEnv = {}, flags: Record<string, unknown> = {}): Config {
  const result = resolve(text, env, flags);
  if (!result.ok) throw new Error(`${result.error.where}: ${result.error.problem}`);
  return result.value;
}

function fault(text: string | undefined, env: NodeJS.ProcessEnv = {}): { where: string; problem: string } {
  const result = resolve(text, env);
  if (result.ok) throw new Error('it was taken');
  return result.error;
}

describe('resolveConfig: what is wrong', () => {
  it.each<[string, string, string, RegExp]>([
    ['a wrong key', 'snakes: 2\ntimeot: 5m\n', 'snakepit.yaml:2', /^timeot: unknown key; did you mean timeout\?$/],
    ['a wrong key of camels', 'minFree: 5\n', 'snakepit.yaml:1', /did you mean min-free\?/],
    ['a key that is like nothing', 'zzzzzzzz: 1\n', 'snakepit.yaml:1', /^zzzzzzzz: unknown key; known here: snakes, agent/],
    ['a wrong key inside', 'snakes: 2\nbackoff:\n  first: 1s\n  fector: 2\n', 'snakepit.yaml:4', /^backoff\.fector: unknown key; did you mean backoff\.factor\?$/],
    ['a wrong key inside toss', 'toss:\n  perTask: 2\n', 'snakepit.yaml:2', /^toss\.perTask: unknown key; did you mean toss\.per-task\?$/],
    ['a duration without its unit', 'snakes: 1\n\ntimeout: 30\n', 'snakepit.yaml:3', /^timeout: /],
    ['a duration that is none', 'timeout: soon\n', 'snakepit.yaml:1', /^timeout: is not a duration.*90s/],
    ['too many', '# c\nsnakes: 501\n', 'snakepit.yaml:2', /^snakes: .*500/],
    ['half a snake', 'snakes: 1.5\n', 'snakepit.yaml:1', /^snakes: /],
    ['an unknown workspace', 'workspace: cellar\n', 'snakepit.yaml:1', /^workspace: .*scratch/],
    ['a wrong value inside', 'backoff:\n  factor: 0\n', 'snakepit.yaml:2', /^backoff\.factor: /],
    ['backoff is a word', 'backoff: none\n', 'snakepit.yaml:1', /^backoff: /],
    ['a name that no variable can have', 'env: [A, "B C"]\n', 'snakepit.yaml:1', /^env\.1: /],
    ['nothing where a value belongs', 'snakes:\n', 'snakepit.yaml:1', /^snakes: /],
    ['broken YAML', 'snakes: 2\nenv: [\n', 'snakepit.yaml:', /^broken YAML: /],
    ['a key twice', 'snakes: 2\nsnakes: 3\n', 'snakepit.yaml:', /^broken YAML: .*unique/],
    ['a list', '- a\n', 'snakepit.yaml:1', /not a list of keys/],
    ['a word', 'hello\n', 'snakepit.yaml:1', /not a list of keys/],
    ['an alias to nowhere', 'snakes: *x\n', 'snakepit.yaml', /^broken YAML: .*alias/i],
    ['a bomb of aliases', 'a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n', 'snakepit.yaml', /^broken YAML: .*alias/i],
  ])('%s', (_name, text, where, problem) => {
    const found = fault(text);
    expect(found.where.startsWith(where)).toBe(true);
    expect(found.problem).toMatch(problem);
    expect(found.problem).not.toContain('\n');
  });

  it('a wrong value of the environment is told of the variable, not of the file', () => {
    expect(fault('timeout: 5m\n', { SNAKEPIT_CONFIG_TIMEOUT: 'soon' })).toMatchObject({ where: 'SNAKEPIT_CONFIG_TIMEOUT', problem: expect.stringMatching(/^timeout: is not a duration/) });
    expect(fault('', { SNAKEPIT_CONFIG_BACKOFF_FIRST: '30' })).toMatchObject({ where: 'SNAKEPIT_CONFIG_BACKOFF_FIRST' });
  });
});

describe('resolveConfig: what wins', () => {
  it.each<[string, string | undefined, NodeJS.ProcessEnv, Record<string, unknown>, number]>([
    ['the default', undefined, {}, {}, 4],
    ['an empty file is no file', '', {}, {}, 4],
    ['only comments', '# snakes: 9\n', {}, {}, 4],
    ['file beats default', 'snakes: 5\n', {}, {}, 5],
    ['environment beats file', 'snakes: 5\n', { SNAKEPIT_CONFIG_SNAKES: '6' }, {}, 6],
    ['flags beat environment', 'snakes: 5\n', { SNAKEPIT_CONFIG_SNAKES: '6' }, { snakes: 7 }, 7],
    ['an empty variable is none', 'snakes: 5\n', { SNAKEPIT_CONFIG_SNAKES: '' }, {}, 5],
    ['a byte order mark and CRLF', '\uFEFFsnakes: 5\r\nagent: shell\r\n', {}, {}, 5],
  ])('%s', (_name, text, env, flags, wanted) => {
    expect(good(text, env, flags).snakes).toBe(wanted);
  });

  it('nested keys are merged one by one', () => {
    expect(good('backoff: {first: 1s, max: 4s}\n', { SNAKEPIT_CONFIG_BACKOFF_FIRST: '2s' }, { backoff: { factor: 5 } }).backoff).toEqual({ firstMs: 2000, factor: 5, maxMs: 4000 });
    expect(good('toss: {per-task: 3}\n', { SNAKEPIT_CONFIG_TOSS_COMMANDS: 'true' }).toss).toEqual({ depth: 2, perTask: 3, commands: true });
  });

  it('durations become milliseconds', () => {
    expect(good('timeout: 1h30m\nsettle: 250ms\n')).toMatchObject({ timeoutMs: 5_400_000, settleMs: 250 });
  });
});

describe('commentedConfig', () => {
  it('as it is written, gives the defaults', () => {
    expect(good(commentedConfig())).toEqual(good(undefined));
  });

  it('with every comment sign before a key removed, is valid and gives the same defaults', () => {
    const opened = commentedConfig().replace(/^#(?=[a-z-]+:|  )/gm, '');
    expect(good(opened)).toEqual(good(undefined));
    const keys = Object.keys((configJsonSchema() as { properties: object }).properties);
    expect(Object.keys(parseDocument(opened).toJS() as object)).toEqual(keys);
  });

  it('explains every key', () => {
    const lines = commentedConfig().split('\n');
    for (const [index, line] of lines.entries()) if (/^#[a-z-]+:/.test(line)) expect(lines[index - 1]).toMatch(/^# .{10,}/);
  });
});
