import { describe, expect, it } from 'vitest';
import type { OutcomeRecord } from '../../src/runs/run-dir.js';
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
});
