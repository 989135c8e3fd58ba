import { describe, expect, it } from 'vitest';
import type { Entry } from '../../src/lib/files.js';
import { isDropName, judgeDrop, type DropLook } from '../../src/queue/settled.js';

describe('isDropName', () => {
  it.each(['a.md', 'A.MD', 'a.markdown', 'a b.md', '-rf.md', '--help.md', 'é.md', '日本.md', 'a\nb.md', 'a.b.md', 'a~.md', 'x.refused-abcdefghij.md', `${'a'.repeat(252)}.md`])('%j is one', (name) => {
    expect(isDropName(Buffer.from(name))).toBe(true);
  });
  it.each(['a.txt', 'a', '.md', '.a.md', '.a.md.swp', '.a.md.AbC123', '#a.md#', '.#a.md', 'a.md~', '~$a.md', '4913', 'a.md.part', 'a.md.tmp', 'a.mdx', 'a.result.md', 'PAUSED', '.gitkeep'])('%j is none', (name) => {
    expect(isDropName(Buffer.from(name))).toBe(false);
  });
  it('bytes that are no UTF-8 make a name all the same', () => {
    expect(isDropName(Buffer.from([0xff, 0xfe, 0x2e, 0x6d, 0x64]))).toBe(true);
  });
});

describe('judgeDrop', () => {
  const WALL = 1_800_000_000_000;
  const MONO = 500_000;
  const SETTLE = 300;
  const now = { wallMs: WALL, monoMs: MONO };
  const file = (ageMs: number, size = 10): Entry => ({ kind: 'file', size, mtimeMs: WALL - ageMs, links: 1 });
  const look = (entry: Entry, sinceMonoMs: number): DropLook => ({ size: entry.size, mtimeMs: entry.mtimeMs, sinceMonoMs });

  it.each<[string, Entry, DropLook | undefined, string]>([
    ['a directory', { kind: 'directory', size: 1, mtimeMs: 0, links: 2 }, undefined, 'skip'],
    ['a symbolic link', { kind: 'link', size: 1, mtimeMs: 0, links: 1 }, undefined, 'refuse'],
    ['a FIFO', { kind: 'other', size: 0, mtimeMs: 0, links: 1 }, undefined, 'refuse'],
    ['old by its own time, at first sight', file(SETTLE), undefined, 'settled'],
    ['just written', file(SETTLE - 1), undefined, 'wait'],
    ['from the future, at first sight', file(-60_000), undefined, 'wait'],
    ['from the future, seen quiet for long enough', file(-60_000), look(file(-60_000), MONO - SETTLE), 'settled'],
    ['from the future, not quiet for long enough', file(-60_000), look(file(-60_000), MONO - SETTLE + 1), 'wait'],
    ['it grew since', file(10), { ...look(file(10), MONO - 9999), size: 9 }, 'wait'],
    ['it was touched since', file(10), look(file(9999), MONO - 9999), 'wait'],
    ['of 1970: its time says nothing, so it is watched', file(WALL), undefined, 'wait'],
    ['of 1970, watched for long enough', file(WALL), look(file(WALL), MONO - SETTLE), 'settled'],
    ['a hard link, at first sight', { ...file(9999), links: 2 }, undefined, 'wait'],
    ['a hard link, half a minute', { ...file(9999), links: 2 }, look(file(9999), MONO - 30_000), 'wait'],
    ['a hard link, a minute', { ...file(9999), links: 2 }, look(file(9999), MONO - 60_000), 'refuse'],
    ['a hard link that was undone', file(9999), look(file(9999), MONO - 1), 'settled'],
    ['empty', { ...file(SETTLE), size: 0 }, undefined, 'settled'],
  ])('%s', (_name, entry, before, wanted) => {
    const verdict = judgeDrop(entry, before, now, SETTLE);
    expect(verdict.kind).toBe(wanted);
    if (verdict.kind === 'refuse') expect([verdict.problem, verdict.fix].every((text) => text.length > 5)).toBe(true);
  });

  it('remembers since when it was seen just so, and starts anew when it changed', () => {
    const entry = file(-1);
    expect(judgeDrop(entry, look(entry, 7), { ...now, monoMs: 8 }, SETTLE)).toEqual({ kind: 'wait', look: look(entry, 7) });
    expect(judgeDrop({ ...entry, size: 11 }, look(entry, 7), { ...now, monoMs: 8 }, SETTLE)).toMatchObject({ look: { size: 11, sinceMonoMs: 8 } });
  });

  it('a wall clock that jumps back an hour only makes it wait for our own clock', () => {
    const entry = file(0);
    const jumped = { wallMs: WALL - 3_600_000, monoMs: MONO };
    const first = judgeDrop(entry, undefined, jumped, SETTLE);
    expect(first.kind).toBe('wait');
    if (first.kind === 'wait') expect(judgeDrop(entry, first.look, { ...jumped, monoMs: MONO + SETTLE }, SETTLE).kind).toBe('settled');
  });
});
