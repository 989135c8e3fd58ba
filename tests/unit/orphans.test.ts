import { expect, it } from 'vitest';
import { handMarker, parseHand } from '../../src/protocol/names.js';
import { decideOrphans, type Ownership } from '../../src/cleanup/orphans.js';

it.each<[Ownership, string, string]>([
  ['owned', 'keep', 'its claim stands'],
  ['stuck', 'refuse', 'its task is stuck'],
  ['unnamed', 'refuse', 'nobody can tell whose they are'],
  ['nobody', 'act', 'no claim owns them'],
  ['abandoned', 'act', 'the command that started them is dead'],
])('processes whose marker is %s: %s', (ownership, kind, rule) => {
  const step = decideOrphans('a~0.0.0~abcdefghij', ownership, [7, 8]);
  expect([step.kind, step.evidence, step.target]).toEqual([kind, 'pid 7, 8', 'a~0.0.0~abcdefghij']);
  expect(step.rule).toContain(rule);
});

it('a marker of a person\'s command names its task and its process, and is no claim\'s; a claim\'s is none of a command', () => {
  const by = { pid: 812, start: '99120', boot: '6fd0c2e1' };
  expect(handMarker('fix-login', by)).toBe('fix-login~by-hand~812-99120-6fd0c2e1');
  expect(parseHand(handMarker('fix-login', by))).toEqual({ id: 'fix-login', by });
  for (const other of ['', 'fix-login~0.0.0~abcdefghij', 'resident-dev~abcdefghij', '../x~by-hand~812-99120-6fd0c2e1', 'a..b~by-hand~812-99120-6fd0c2e1', 'x~by-hand~0-1-6fd0c2e1']) expect(parseHand(other)).toBeUndefined();
});
