import { expect, it } from 'vitest';
import { decideOrphans, type Ownership } from '../../src/cleanup/orphans.js';

it.each<[Ownership, string, string]>([
  ['owned', 'keep', 'its claim stands'],
  ['stuck', 'refuse', 'its task is stuck'],
  ['unnamed', 'refuse', 'nobody can tell whose they are'],
  ['nobody', 'act', 'no claim owns them'],
])('processes whose marker is %s: %s', (ownership, kind, rule) => {
  const step = decideOrphans('a~0.0.0~abcdefghij', ownership, [7, 8]);
  expect([step.kind, step.evidence, step.target]).toEqual([kind, 'pid 7, 8', 'a~0.0.0~abcdefghij']);
  expect(step.rule).toContain(rule);
});
