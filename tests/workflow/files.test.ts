import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { nodeFiles } from '../../src/lib/node-files.js';
import { drawWorkflow } from '../../src/workflow/draw.js';
import { changesBetween, fingerprint } from '../../src/workflow/fingerprint.js';
import { feedbackFor, roundsOf } from '../../src/workflow/feedback.js';
import { loadWorkflow, workflowNames } from '../../src/workflow/load.js';
import { parseWorkflow, type Options } from '../../src/workflow/parse.js';
import { rulingOf } from '../../src/workflow/ruling.js';
import { verdictOf } from '../../src/workflow/verdict.js';
import type { FlowEvent, Verdict } from '../../src/protocol/workflow.js';
import { stepPrompt, variablesIn } from '../../src/agents/prompts.js';
import { sessionEnv } from '../../src/agents/session-env.js';

const top = mkdtempSync(join(tmpdir(), 'snakepit-workflow-files-'));
afterAll(() => rmSync(top, { recursive: true, force: true }));

const parse = (text: string, options: Options = {}) => parseWorkflow({ name: 'mine', file: 'workflows/mine.yaml', text, prompt: (file) => (file === 'p.md' ? 'do it' : undefined) }, options);
const faultOf = (text: string, options: Options = {}): string => {
  const parsed = parse(text, options);
  return parsed.ok ? 'none' : `${parsed.error.where}: ${parsed.error.problem}`;
};
const steps = (...lines: readonly string[]): string => `title: t\nsteps:\n${lines.map((line) => `  ${line}\n`).join('')}`;

describe('a workflow file', () => {
  it.each([
    ['a loop without an end', steps('- loop: a', '  until: {verdict: r}', '  steps: [{step: r, verdict: true, prompt: p.md}]'), 'workflows/mine.yaml:3: steps.0.max: has no end'],
    ['an unknown key', steps('- step: a', '  prompt: p.md', '  wierd: 1'), 'workflows/mine.yaml:5: steps.0.wierd: unknown key wierd'],
    ['a prompt that is not there', steps('- step: a', '  prompt: q.md'), 'workflows/mine.yaml:4: steps.0.prompt: there is no file q.md'],
    ['two of one name', steps('- {step: a, prompt: p.md}', '- {step: a, prompt: p.md}'), 'a is there twice'],
    ['a verdict that nobody gives', steps('- loop: l', '  max: 2', '  until: {verdict: r}', '  steps: [{step: r, prompt: p.md}]'), 'until: names r, which is no step of this loop with verdict: true'],
    ['an option that nobody offers', steps('- loop: l', '  max: $rounds', '  steps: [{step: r, prompt: p.md}]'), 'workflows/mine.yaml:4: steps.0.max: no option is called rounds'],
    ['a loop of nothing', steps('- {loop: l, max: 2, steps: []}'), 'has no steps'],
    ['too much', steps('- loop: l', '  max: 100', '  steps: [{loop: m, max: 100, steps: [{step: r, prompt: p.md}]}]'), 'it can come to 10000 sessions'],
    ['two ends', steps('- loop: l', '  max: 2', '  until: {verdict: r, command: x}', '  steps: [{step: r, verdict: true, prompt: p.md}]'), 'workflows/mine.yaml:5: steps.0.until: names not exactly one of verdict, command, file'],
    ['a file without its line', steps('- loop: l', '  max: 2', '  until: {file: x.md}', '  steps: [{step: r, prompt: p.md}]'), 'names a file and the whole line'],
    ['a file elsewhere', steps('- loop: l', '  max: 2', '  until: {file: ../x, line: y}', '  steps: [{step: r, prompt: p.md}]'), 'is not a file name'],
    ['broken YAML', 'title: [', 'workflows/mine.yaml:1: broken YAML'],
    ['a bomb', `a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: &d [*c, *c]\ne: &e [*d, *d]\nf: &f [*e, *e]\ng: [*f, *f]\n`, 'broken YAML'],
    ['no map', '- a', 'is not a list of keys'],
    ['rounds outside of a loop', steps('- {step: a, rounds: first, prompt: p.md}'), 'rounds: has no meaning outside of a loop'],
  ])('%s is refused, with file and line', (_name, text, problem) => {
    expect(faultOf(text)).toContain(problem);
  });

  it('options are filled in where they stand alone, never in commands; wrong ones are told', () => {
    const text = `title: t\noptions: {rounds: 3, who: [], how: {default: a, of: [a, b]}}\nsteps:\n  - loop: l\n    max: $rounds\n    until: {command: $rounds}\n    steps: [{step: r, seats: $who, verdict: true, prompt: p.md}, {step: s, prompt: p.md, when: {how: b}}]\n`;
    const parsed = parse(text, { rounds: 7, who: 'codex' });
    expect(parsed).toMatchObject({ ok: true, value: { workflow: { nodes: [{ max: 7, until: { command: '$rounds' }, nodes: [{ id: 'r', seats: [{ agents: ['codex'] }] }] }] } } });
    expect(faultOf(text, { round: 7 })).toBe('with:: round: the workflow mine has no such option; did you mean rounds?');
    expect(faultOf(text, { rounds: 'many' })).toContain('is not a number');
    expect(faultOf(text, { how: 'c' })).toContain('use a or b');
    expect(faultOf(text, { agents: { x: 'codex' } })).toContain('has no step of that name');
    expect(faultOf(text, { rounds: 0 })).toContain('steps.0.max');
  });

  it('those that come along are whole, with every option and mode; all that their prompts name is set', async () => {
    const names = (await workflowNames(nodeFiles, top)).map(({ name }) => name);
    expect(names).toEqual(['build-review', 'builder-adversary', 'coding-loop', 'generate-evaluate', 'plan-and-split', 'solo']);
    const ways: readonly (readonly [string, Options])[] = [...names.map((name) => [name, {}] as const), ['generate-evaluate', { mode: 'fix' }], ['generate-evaluate', { mode: 'explore' }], ['builder-adversary', { review: 'step' }], ['builder-adversary', { review: 'deferred' }], ['plan-and-split', { hold: true, close: false }]];
    const env = sessionEnv({}, [], { taskId: 't', taskFile: '', marker: '', pitId: '', attempt: 1, snake: 's1', runDir: '', resultFile: '', resultFallback: '', workspace: '', branch: '', base: '', root: '/', queue: '', previousFailure: '', binDir: '', inputs: {}, step: { workflow: '', step: '', round: 1, rounds: 1, seat: 0, item: undefined, stepDir: '', handed: '', feedback: '' } });
    for (const mode of ['headless', 'interactive'] as const) for (const rights of ['read', 'write'] as const) for (const verdict of [true, false]) for (const variable of variablesIn(stepPrompt(mode, 'interrupted', { prompt: 'p', rights, verdict }, 'b', [], true))) expect(env, variable).toHaveProperty(variable);
    for (const [name, options] of ways) {
      const loaded = await loadWorkflow(nodeFiles, top, name, options);
      expect(loaded.ok ? '' : loaded.error).toBe('');
      if (!loaded.ok) continue;
      expect(drawWorkflow(loaded.value.workflow)).toContain(name);
      for (const variable of variablesIn(JSON.stringify(loaded.value.workflow))) expect(env, `${name}: ${variable}`).toHaveProperty(variable);
      if (options['mode'] === 'explore') expect(JSON.stringify(loaded.value.workflow)).not.toContain('"rights":"write"');
    }
  });

  it.each(['read', 'write'] as const)('a step that may %s in a worktree is told its rules, before its own prompt; elsewhere nothing of git', (rights) => {
    const told = (inWorktree: boolean): string => stepPrompt('headless', 'fresh', { prompt: 'My own.', rights, verdict: false }, 'The body.', [], inWorktree);
    expect(told(true)).toMatch(/git worktree[^]*\$SNAKEPIT_BRANCH[^]*My own\.[^]*The body\./);
    expect(told(true).includes('Commit there as you go')).toBe(rights === 'write');
    expect(told(false)).not.toMatch(/worktree|branch/);
  });

  it("a person's own lies in workflows/, before one that comes along; an unknown name says what there is", async () => {
    mkdirSync(join(top, 'workflows'), { recursive: true });
    writeFileSync(join(top, 'workflows', 'build-review.yaml'), 'title: mine\nsteps: [{step: a, prompt: a.md}]\n');
    writeFileSync(join(top, 'workflows', 'a.md'), 'my own words\n');
    expect(await loadWorkflow(nodeFiles, top, 'build-review', {})).toMatchObject({ ok: true, value: { workflow: { title: 'mine', nodes: [{ prompt: 'my own words\n' }] } } });
    expect(await loadWorkflow(nodeFiles, top, 'bild-review', {})).toMatchObject({ ok: false, error: { problem: expect.stringContaining('did you mean build-review?') } });
    expect(await loadWorkflow(nodeFiles, top, '../etc/passwd', {})).toMatchObject({ ok: false });
  });
});

const kindOf = (text: string, field?: unknown): Verdict['kind'] => verdictOf({ text, field }).kind;

describe('a verdict', () => {
  it.each([
    ['PASS', 'pass'], ['REJECT', 'reject'], ['all is well\nPASS\n', 'pass'], ['PASS \r\n', 'pass'],
    ['', 'none'], ['NOT APPROVED', 'none'], ['NOT PASS', 'none'], ['INCOMPLETE', 'none'], ['PASS\nREJECT', 'none'], ['PASSED', 'none'], ['pass', 'none'],
    ['> PASS', 'none'], ['`PASS`', 'none'], ['**PASS**', 'none'], ['  PASS', 'none'], ['- PASS', 'none'], ['PASS.', 'none'], ['```\nPASS\n```', 'none'], ['~~~~\nPASS\n~~~\nPASS\n~~~~', 'none'], ['Verdict: PASS', 'none'],
    ['```\nREJECT\n```\nPASS', 'pass'],
  ] as const)('%j is %s', (text, kind) => expect(kindOf(text)).toBe(kind));

  it('as a field it is exact, and one that the text gainsays is none', () => {
    expect(kindOf('', 'PASS')).toBe('pass');
    expect(kindOf('I looked', 'REJECT')).toBe('reject');
    expect(kindOf('REJECT', 'PASS')).toBe('none');
    for (const field of ['pass', 'PASS ', 'APPROVED', true, ['PASS'], { verdict: 'PASS' }, 1]) expect(kindOf('', field)).toBe('none');
    expect(kindOf('PASS', 'APPROVED')).toBe('none');
  });

  it('a ruling is accept, reject, or so many rounds more; other words are one round more', () => {
    expect(rulingOf('accept')).toEqual({ kind: 'accept' });
    expect(rulingOf('Reject, not wanted')).toEqual({ kind: 'reject', words: 'not wanted' });
    expect(rulingOf('more 3 keep the name')).toEqual({ kind: 'more', rounds: 3, words: 'keep the name' });
    expect(rulingOf('more')).toEqual({ kind: 'more', rounds: 1, words: '' });
    expect(rulingOf('')).toEqual({ kind: 'more', rounds: 1, words: '' });
    expect(rulingOf('acceptable, but mend x')).toEqual({ kind: 'more', rounds: 1, words: 'acceptable, but mend x' });
  });
});

describe('what is handed on', () => {
  const end = (step: string, round: number, verdict?: Verdict['kind']): FlowEvent => ({ kind: 'step-ended', step, seat: 0, round, run: 'r', agent: 'a', account: 'n', startedAt: 1, endedAt: 2, verdict: verdict === undefined ? undefined : verdict === 'none' ? { kind: 'none', why: 'w' } : { kind: verdict }, message: '', broke: undefined });

  it('a worker gets the last round of judging, a reviewer the one before the work; numbers count what was rejected', () => {
    const events = [end('build', 1), end('review', 1, 'reject'), end('fix', 2), end('review', 2, 'none')];
    expect(roundsOf(events).map(({ number }) => number)).toEqual([1, 2]);
    expect(feedbackFor(events, false)?.number).toBe(2);
    expect(feedbackFor(events.slice(0, 3), true)?.number).toBe(1);
    expect(feedbackFor(events.slice(0, 2), true)).toBeUndefined();
    expect(feedbackFor([...events, end('fix', 3), end('review', 3, 'pass')], false)).toBeUndefined();
  });

  it('a tree tells a change of a byte, a file that came or went, and nothing where nothing changed', async () => {
    const tree = join(top, 'tree');
    mkdirSync(join(tree, '.git', 'refs'), { recursive: true });
    writeFileSync(join(tree, 'a'), 'one');
    writeFileSync(join(tree, '.git', 'HEAD'), 'ref: x');
    const look = () => fingerprint(nodeFiles, tree, new Set([join(tree, 'ours')]));
    const before = await look();
    writeFileSync(join(tree, '.git', 'index'), 'looking writes it');
    writeFileSync(join(tree, 'ours'), 'the engine');
    writeFileSync(join(tree, 'a'), 'one');
    expect(changesBetween(before, await look())).toBeUndefined();
    writeFileSync(join(tree, 'a'), 'two');
    writeFileSync(join(tree, 'b'), '');
    expect(changesBetween(before, await look())).toBe('changed a, made b');
    rmSync(join(tree, 'a'));
    rmSync(join(tree, 'b'));
    writeFileSync(join(tree, '.git', 'HEAD'), 'ref: y');
    expect(changesBetween(before, await look())).toBe('changed .git/HEAD, removed a');
  });
});
