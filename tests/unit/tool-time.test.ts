import { describe, expect, it } from 'vitest';
import type { ProcessRow } from '../../src/lib/processes.js';
import { toolTime, type ToolTime } from '../../src/watchdog/tool-time.js';

const LEADER = { pid: 10, start: '100', boot: 'b' };
const row = (pid: number, ppid: number, cpuMs: number, startedMs = 60_000, session = 10): ProcessRow => ({ pid, ppid, session, startedMs, cpuMs });
const BEGUN: ToolTime = { atMonoMs: 0, used: new Map(), workedMs: 0 };
/** Two looks a second apart. */
const worked = (first: readonly ProcessRow[], second: readonly ProcessRow[], afterMs = 1000): number => toolTime(toolTime(BEGUN, first, LEADER, 1000, 0), second, LEADER, 1000, afterMs).workedMs;

describe('toolTime', () => {
  it.each<[string, readonly ProcessRow[], readonly ProcessRow[], number]>([
    ['a tool that computes', [row(12, 11, 500)], [row(12, 11, 1400)], 900],
    ['two of them together', [row(12, 11, 0), row(13, 12, 0)], [row(12, 11, 150), row(13, 12, 100)], 250],
    ['a server that idles', [row(12, 11, 500)], [row(12, 11, 690)], 0],
    ['the program itself', [row(11, 10, 0, 1500)], [row(11, 10, 900, 1500)], 0],
    ['its helpers', [row(12, 11, 0, 15_999)], [row(12, 11, 900, 15_999)], 0],
    ['a tool in its first look', [], [row(12, 11, 900)], 0],
    ['a tool of somebody else', [row(12, 1, 0, 60_000, 5)], [row(12, 1, 900, 60_000, 5)], 0],
    ['a number that was given to another process', [row(12, 11, 900, 60_000)], [row(12, 11, 950, 61_000)], 0],
    ['one that left its parent and stayed in the session', [row(12, 1, 0)], [row(12, 1, 900)], 900],
    ['one that made a session of its own under its parent', [row(12, 11, 0, 60_000, 12)], [row(12, 11, 900, 60_000, 12)], 900],
  ])('%s', (_name, first, second, wanted) => {
    const parent = row(11, 10, 0, 1500);
    expect(worked([parent, ...first], [parent, ...second].filter((one, index, all) => all.findLastIndex(({ pid }) => pid === one.pid) === index))).toBe(wanted);
  });

  it('adds up over looks, and never falls when a tool ends', () => {
    let time = toolTime(BEGUN, [row(12, 10, 0)], LEADER, 1000, 0);
    time = toolTime(time, [row(12, 10, 800)], LEADER, 1000, 1000);
    time = toolTime(time, [], LEADER, 1000, 2000);
    time = toolTime(time, [row(13, 10, 0)], LEADER, 1000, 3000);
    expect(toolTime(time, [row(13, 10, 700)], LEADER, 1000, 4000).workedMs).toBe(1500);
  });
});
