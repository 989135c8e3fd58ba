process.env['TZ'] = 'UTC';
import { describe, expect, it } from 'vitest';
import { addEvent, newNight, type Night } from '../../src/cli/report/night.js';
import type { EndedFact, ReportFacts } from '../../src/cli/report/facts.js';
import { code, prose } from '../../src/cli/report/markdown.js';
import { reportText, verdictOf } from '../../src/cli/report/text.js';
import type { EventLine, PitEvent } from '../../src/events/event.js';
import { addEntry, newSum, type Sum } from '../../src/ledger/sum.js';

const TO = Date.UTC(2026, 10, 22, 8);
const FROM = TO - 12 * 3_600_000;
const none = { count: 0, before: 0, tasks: [] };
const facts = (over: Partial<ReportFacts> = {}): ReportFacts => ({
  from: FROM, to: TO, done: none, failed: none, refused: [], asks: [], stuck: [], open: { running: 0, inLine: 0, held: 0 }, halted: undefined, night: newNight(),
  use: { total: newSum(), profiles: [], accounts: [], longest: [], dearest: [], budgets: [] }, ...over,
});
const ended = (id: string, over: Partial<EndedFact> = {}): EndedFact => ({ id, title: '', at: TO - 60_000, attempts: 1, why: undefined, next: undefined, says: undefined, branch: undefined, size: undefined, merge: undefined, ...over });
const told = (...events: PitEvent[]): Night => {
  const night = newNight();
  for (const [index, event] of events.entries()) addEvent(night, { ...event, v: 1, at: FROM + index * 60_000 } as EventLine);
  return night;
};
const spent = (): Sum => {
  const sum = newSum();
  addEntry(sum, { v: 1, kind: 'task', id: 'a', run: 'a/1', attempt: 1, at: TO, ms: 90_000, profile: 'claude', account: 'claude', session: 's', input: 10, output: 2, cacheRead: 0, cacheWrite: 0, reasoning: 0, source: 'transcript', model: 'm' }, []);
  return sum;
};

describe('the report of a night', () => {
  it('begins with the verdict, each task counted once', () => {
    expect(verdictOf(facts())).toBe('nothing ended, and nothing is open');
    const person = { id: 'q', at: TO, reason: 'asked', what: 'which?' };
    expect(verdictOf(facts({ done: { ...none, count: 37 }, failed: { ...none, count: 2 }, asks: [person] }))).toBe('40 tasks: 37 done, 2 failed, 1 asks you');
    expect(verdictOf(facts({ done: { ...none, count: 1 } }))).toBe('1 task: 1 done');
    expect(verdictOf(facts({ asks: [person, person], stuck: [person], open: { running: 1, inLine: 4, held: 2 } }))).toBe('10 tasks: 0 done, 2 ask you, 1 stuck, 1 running, 4 in line, 2 held');
  });

  it('tells what needs a person first, with the command to type, and says where nothing does', () => {
    expect(reportText(facts())).toBe('# nothing ended, and nothing is open\n\nFrom 2026-11-21 20:00 to 2026-11-22 08:00 (12h00m).\n\n## For you\n\nNothing.');
    const text = reportText(facts({
      halted: 'paused: nothing is claimed; go on with: snakepit resume',
      asks: [{ id: 'q', at: TO, reason: 'asked', what: 'which colour?' }, { id: 'dear', at: TO, reason: 'budget', what: 'tokens are spent' }],
      stuck: [{ id: 's', at: undefined, reason: 'stuck', what: 'pid 7 stays' }],
      failed: { count: 1, before: 3, tasks: [ended('f', { why: 'timeout: too slow', next: 'give it more time, then `snakepit retry f`', attempts: 3, branch: 'snakepit/f', size: { files: 1, added: 2, removed: 0 } })] },
      refused: [{ file: 'bad.md', id: 'bad', line: 3, problem: 'no such key', fix: 'mend it', kept: 'bad.refused-0123456789.md', story: '', at: TO }],
      done: { count: 2, before: 0, tasks: [ended('d', { title: 'Do it', says: 'did it', branch: 'snakepit/d', size: { files: 2, added: 3, removed: 1 }, merge: { kind: 'merged', into: 'main', commit: 'c'.repeat(40), onto: '' } })] },
    }));
    const order = ['**nothing is claimed**: paused', '`q` asks you (asked) since 2026-11-22 08:00: which colour?', '`snakepit answer q \'TEXT\'`', '`snakepit answer dear 2x`', '`s` is stuck: pid 7 stays', '`f` failed 2026-11-22 07:59 after 3 attempts: timeout: too slow', 'give it more time, then `snakepit retry f`; its story: `snakepit show f`; its work so far: `snakepit/f`, 1 file, +2 -0', '`bad.md` was not taken in: line 3: no such key', '`mv queue/failed/bad.refused-0123456789.md queue/`', '3 more that failed or were refused before', '## Done (2)', '- `d` Do it, 2026-11-22 07:59; 2 files, +3 -1, merged into `main` as cccccccccc: did it', '- and 1 more: `snakepit ls done --all`'];
    let at = 0;
    for (const part of order) {
      expect(text.slice(at)).toContain(part);
      at = text.indexOf(part, at) + part.length;
    }
  });

  it('tells what was mended and waited for, from the event log', () => {
    const night = told(
      { kind: 'pit-started', pid: 1, snakes: 2 },
      { kind: 'task-requeued', id: 'a', marker: 'm', why: 'verify-failed: npm test', waitMs: 0 },
      { kind: 'task-requeued', id: 'b', marker: 'm', why: 'verify-failed: npm test', waitMs: 0 },
      { kind: 'task-requeued', id: 'b', marker: 'm', why: 'the session vanished', waitMs: 0 },
      { kind: 'snake-ended', snake: '__proto__', pid: 3, why: 'it died' },
      { kind: 'claim-reaped', id: 'a', marker: 'm', rule: 'dead', evidence: '' },
      { kind: 'breaker-opened', account: 'claude', reason: 'usage-limited', until: 0, strikes: 1, rule: '', evidence: '' },
      { kind: 'breaker-opened', account: 'claude', reason: 'usage-limited', until: 0, strikes: 2, rule: '', evidence: '' },
      { kind: 'breaker-closed', account: 'claude', rule: '', evidence: '' },
      { kind: 'breaker-opened', account: 'claude', reason: 'rate-limited', until: 0, strikes: 1, rule: '', evidence: '' },
      { kind: 'orphans-ended', marker: 'm', rule: '', killed: 4 },
      { kind: 'config-refused', file: 'snakepit.yaml', problem: 'line 3: no' },
    );
    const text = reportText(facts({ night }));
    expect(text).toContain('- 3 attempts led to another one of the same task: verify-failed 2, lost, deferred or given back 1');
    expect(text).toContain('- 1 snake died (\\_\\_proto\\_\\_ 1)');
    expect(text).toContain('- 1 claim of dead snakes was taken back');
    expect(text).toContain('- the account claude was shut 2 times (rate-limited), 11h53m in all, and is shut now');
    expect(text).toContain('- 4 processes that belonged to nobody any more were ended');
    expect(text).toContain('- the pit started 1 time and stopped in order 0 times');
    expect(text).toContain('- an edit of snakepit.yaml was refused: line 3: no');
  });

  it('tells tokens and money in a fence that no name ends, and what is not known', () => {
    const sum = spent();
    const text = reportText(facts({ use: { total: sum, profiles: [{ name: '~~~~', sum }], accounts: [{ name: 'one', sum }], longest: [{ name: 'a', sum }], dearest: [], budgets: ['budget today: 12 tokens of 100 tokens'] } }));
    expect(text.split('\n').filter((line) => /^~+$/.test(line))).toEqual(['~~~~', '~~~~']);
    expect(text).toMatch(/~~~~ {5}10 .*unknown/);
    expect(text).toContain('- budget today: 12 tokens of 100 tokens\n- 1 attempt without a price: no price is known for m (1)\n- ran longest: `a` 1m30s');
  });

  it.each(['x\n# Forged', '[click](http://evil.example)', '<img src=x onerror=y>', '![i](https://e.example/p.png)', '`code` **bold** _it_ ~~gone~~', '&lt;b&gt;', 'a\u202eb\u001b[31mc', '| a | b |', '\\*x\\*'])('keeps %j a text wherever it stands', (evil) => {
    const text = reportText(facts({
      halted: evil,
      asks: [{ id: evil, at: TO, reason: evil, what: evil }],
      stuck: [{ id: 's', at: TO, reason: '', what: evil }],
      failed: { count: 1, before: 0, tasks: [ended('f', { why: evil, next: 'retry', branch: evil, size: { files: 1, added: 1, removed: 1 } })] },
      refused: [{ file: evil, id: 'x', line: 1, problem: evil, fix: evil, kept: 'x.refused-0123456789.md', story: '', at: TO }],
      done: { count: 1, before: 0, tasks: [ended('d', { title: evil, says: evil, branch: evil, size: { files: 1, added: 1, removed: 1 }, merge: { kind: 'merged', into: evil, commit: 'c'.repeat(40), onto: '' } })] },
      night: told({ kind: 'snake-broken', snake: 's1', why: evil }, { kind: 'breaker-opened', account: evil, reason: evil, until: 0, strikes: 1, rule: '', evidence: '' }, { kind: 'config-refused', file: '', problem: evil }),
    }));
    const plain = text.replace(/`[^`\n]*`/g, '').replace(/\\[^\n]/g, '');
    expect(text.split('\n').filter((line) => line.startsWith('#') && !/^#+ (1|4|For|Done|What|Pit|Tokens)/.test(line))).toEqual([]);
    expect(plain).not.toMatch(/[\][<`]|\*\*bold|~~|&\w+;|:\/\/|_it_|(?!\n)\p{C}/u);
  });

  it('leaves what is harmless as it is', () => {
    expect(prose('verify_failed: npm test (status 1), a & b, 3 > 2')).toBe('verify_failed: npm test (status 1), a & b, 3 > 2');
    expect(code('a`b')).toBe('`a\'b`');
  });
});
