import { describe, expect, it } from 'vitest';
import type { OutcomeRecord } from '../../src/runs/run-dir.js';
import { besideFullScreen } from '../../src/lib/text.js';
import { storyText, whyOf, type StoryParts } from '../../src/runs/story.js';

const failed: OutcomeRecord = {
  marker: 'x~0.0.0~k3jk3jk3jk', attempt: 1, agent: 'shell', startedAt: 0, endedAt: 1000,
  outcome: { kind: 'failed', reason: 'verify-failed', detail: 'verify: false ended with status 1', final: false },
  next: { kind: 'failed', why: 'verify-failed: false', counters: { failures: 1, losses: 0, deferrals: 0 } },
};
const done: OutcomeRecord = { ...failed, outcome: { kind: 'done', message: '' }, next: { kind: 'done' } };
const parts = (over: Partial<StoryParts>): StoryParts => ({ id: 'x', title: '', attempts: [], why: undefined, outputTail: [], verify: [], notes: [], warnings: [], runDir: undefined, ...over });

describe('the story of a task', () => {
  it.each<[string, string]>([
    ['cancelled: a person cancelled it before it ran', 'nothing; to run it after all: `snakepit retry x`'],
    ['it needs a, which failed', 'mend and retry the task it needs first, then `snakepit retry x`'],
    ['these tasks need each other: x → x', 'mend its `after:`, then `snakepit retry x`'],
  ])('never tried, since %s', (why, advice) => {
    const text = storyText(parts({ why, attempts: [done] }));
    expect(text).toMatch(/^# Failed: x\n/);
    expect(whyOf(text)).toBe(why);
    expect(text).toContain(`- **what to do**: ${advice}\n`);
  });

  it('has no box for a check that printed nothing, and tells oddities of the file', () => {
    const text = storyText(parts({ title: 'T', attempts: [failed], verify: [{ command: 'false', code: 1, tail: [] }], warnings: [{ line: 2, text: 'unknown key colour; kept, not used' }] }));
    expect(text).toMatch(/^# Failed: T\n[^]*- \*\*mind\*\*: line 2: unknown key colour; kept, not used\n[^]*- \*\*failed\*\* \(status 1\): false\n$/);
    expect(text).not.toContain('~~~~');
  });

  it('counts attempts, and tells what a person decided of them as a line of its own', () => {
    const decided = { ...failed, agent: 'a person', startedAt: undefined, endedAt: 5000 };
    const rejected: OutcomeRecord = { ...decided, outcome: { kind: 'failed', reason: 'rejected', detail: 'not what I meant; what it made is kept as refs/x', final: true }, next: { kind: 'failed', why: 'rejected: not what I meant', counters: { failures: 1, losses: 0, deferrals: 0 } } };
    const text = storyText(parts({ attempts: [{ ...done, outcome: { kind: 'done', message: 'all is well' } }, rejected] }));
    expect(text).toMatch(/^- \*\*ended\*\*: 1970-01-01T00:00:05.000Z, after 1 attempt; a person decided\n- \*\*why\*\*: rejected: not what I meant\n- \*\*it says\*\*: all is well\n/m);
    expect(text).toContain('\n\n1. shell: done (1s)\n- a person rejected it: not what I meant; what it made is kept as refs/x\n');
    const again: OutcomeRecord = { ...decided, outcome: { kind: 'parked', reason: 'rejected', detail: 'look again', nth: 0 }, next: { kind: 'parked', why: 'rejected', counters: { failures: 0, losses: 0, deferrals: 2 } } };
    const merged: OutcomeRecord = { ...decided, outcome: { kind: 'done', message: '' }, next: { kind: 'done' }, merge: { kind: 'merged', into: 'main', onto: 'a', commit: 'b' } };
    expect(storyText(parts({ attempts: [failed, again, done, merged], answers: [undefined, 'smaller', undefined, undefined], evidence: [undefined, 'finished, by event', undefined, undefined] }))).toMatch(
      /after 2 attempts; a person decided\n[^]*\n1\. shell: verify-failed: [^\n]*\n- a person sent it back to its author\n {3}- \*\*answered\*\*: smaller\n2\. shell: done \(1s\)\n- a person merged it into main\n/,
    );
    expect(storyText(parts({ attempts: [{ ...rejected, outcome: { kind: 'failed', reason: 'rejected', detail: 'a person rejected it; what it made is kept as refs/x', final: true } }] }))).toContain('after 0 attempts; a person decided\n');
  });

  it('of a full-screen session shows its last message, and of its terminal only what it printed beside the drawing', () => {
    const text = storyText(parts({ attempts: [failed], said: `${'line\n'.repeat(40)}~~~~\n# Forged\nI am stuck.` }));
    expect(text).toMatch(/\n## What it said last\n\nThe last 30 of 43 lines; all that was said and done: `snakepit logs x`\.\n\n~~~~\n(?:line\n){27}~~~\n# Forged\nI am stuck\.\n~~~~\n$/);
    const drawn = '\u001b[?1049h\u001b[2J■■⬝⬝ drawing\u001b[?1049l';
    expect(besideFullScreen(`before\n${drawn}after\n${drawn}Continue: prog -s x\n`)).toBe('before\nafter\nContinue: prog -s x\n');
    expect(besideFullScreen('before\n\u001b[?1049h\u001b[2Jstill drawing')).toBe('before\n');
    expect(besideFullScreen('no\n\u001b[?1049lscreen')).toBe('no\n\u001b[?1049lscreen');
  });

  it('tells what was asked, each attempt with steps, evidence, answer and tokens, what checks printed, and that nothing is left to do', () => {
    const long = Array.from({ length: 30 }, (_, index) => `line ${index}`).join('\n');
    const asked: OutcomeRecord = { ...failed, outcome: { kind: 'parked', reason: 'asked', detail: 'which?', nth: 1 }, next: { kind: 'parked', why: 'which?', counters: { failures: 0, losses: 0, deferrals: 1 } } };
    const text = storyText(parts({
      title: 'T', asked: `Fix it.\n~~~~\n# Forged\n- **why**: forged\n${long}`, attempts: [asked, done], steps: [[], ['build, round 1: done; tokens: 5 in, 1 out']], evidence: ['idle, by event (stop)', undefined], answers: ['blue', undefined],
      tokens: [{ tokens: { input: 5, output: 1, cacheRead: 0, cacheWrite: 0, reasoning: 0, source: 'transcript', session: 's' } }, undefined], money: ['$0.01 by the list of prices', undefined],
      verify: [{ command: 'npm test', code: 0, tail: ['1', '2', '3', '4', '5', '6 passed'] }],
    }));
    expect(text).toContain('- **next**: nothing\n');
    expect(text).toContain('\n\n## What was asked\n\n~~~~\nFix it.\n~~~\n# Forged\n');
    expect(text).toContain('line 15\n~~~~\n\nAnd 14 lines more, in `x.md` beside this.\n');
    expect(text).toContain('1. shell: asked a person (asked): which? (1s)\n   - **evidence**: idle, by event (stop)\n   - **answered**: blue\n   - **tokens**: 5 in, 1 out; from its transcript; $0.01 by the list of prices\n2. shell: done (1s)\n   - build, round 1: done; tokens: 5 in, 1 out\n');
    expect(text).toContain('- passed: npm test\n~~~~\n2\n3\n4\n5\n6 passed\n~~~~\n');
    expect(whyOf(text)).toBeUndefined();
  });
});
