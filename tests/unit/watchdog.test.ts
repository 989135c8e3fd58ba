import { describe, expect, it } from 'vitest';
import { AGENT_STATES, type AgentStateKind } from '../../src/protocol/agent-state.js';
import { beginWatch, decideWatch } from '../../src/watchdog/decide.js';
import { NO_PROGRESS, type Watch, type WatchAction, type WatchLook, type WatchPolicy } from '../../src/watchdog/state.js';

const T0 = 1_800_000_000_000;
const S = 1000;
const POLICY: WatchPolicy = { startupMs: 120 * S, stallMs: 600 * S, toolStallMs: 2400 * S, nudgeEveryMs: 300 * S, nudges: 2, signalMs: 120 * S, waitCapMs: 6 * 3600 * S, waitGraceMs: 60 * S };
type Seen = Extract<WatchLook, { kind: 'seen' }>;
const look = (kind: AgentStateKind, more: Partial<Seen> = {}): Seen => ({
  kind: 'seen', agent: { kind, source: 'event', rule: 'r', evidence: '' }, progress: NO_PROGRESS, begun: true, mode: 'interactive', openTool: false, result: false, rests: false, waitsUntil: undefined, coolsUntil: undefined, startedAt: T0, ...more,
});
const name = (action: WatchAction): string => (action.kind === 'none' ? 'none' : action.kind === 'nudge' ? `nudge ${action.what}` : `end ${action.verdict.reason}`);
const at = (watch: Partial<Watch>, seen: WatchLook, afterS: number): string => name(decideWatch(POLICY, { ...beginWatch(T0), ...watch }, seen, T0 + afterS * S).action);

describe('decideWatch', () => {
  it.each<[string, Partial<Watch>, WatchLook, number, string]>([
    ['works', {}, look('working'), 599, 'none'],
    ['silent for the length of a stall', {}, look('working'), 600, 'nudge go-on'],
    ['retrying is silence too', {}, look('retrying'), 600, 'nudge go-on'],
    ['a state that nobody knows is silence too, in the end', {}, look('unknown'), 600, 'nudge go-on'],
    ['silent, but a tool of its own runs', {}, look('working', { openTool: true }), 600, 'none'],
    ['silent with a tool for four times as long', {}, look('working', { openTool: true }), 2400, 'nudge go-on'],
    ['just nudged', { nudgedAt: [T0 + 600 * S] }, look('working'), 899, 'none'],
    ['nudged once, in vain', { nudgedAt: [T0 + 600 * S] }, look('working'), 900, 'nudge go-on'],
    ['nudged twice, just now', { nudgedAt: [T0 + 600 * S, T0 + 900 * S] }, look('working'), 1199, 'none'],
    ['nudged twice, in vain', { nudgedAt: [T0 + 600 * S, T0 + 900 * S] }, look('working'), 1200, 'end stalled'],
    ['print mode takes no nudge', {}, look('working', { mode: 'headless' }), 600, 'end stalled'],
    ['not begun', {}, look('starting', { begun: false }), 119, 'none'],
    ['not begun in time', {}, look('starting', { begun: false }), 120, 'end startup-stall'],
    ['its turn is over', {}, look('finished'), 119, 'none'],
    ['its turn is over, and it never said so', {}, look('finished'), 120, 'nudge done'],
    ['idle is the same', {}, look('idle'), 120, 'nudge done'],
    ['asked, a moment ago', { doneNudgedAt: T0 + 120 * S }, look('idle'), 239, 'none'],
    ['asked, in vain', { doneNudgedAt: T0 + 120 * S }, look('idle'), 240, 'end unsignalled'],
    ['asked, worked since, idle again: a fresh window', { doneNudgedAt: T0 + 120 * S, progressAt: T0 + 500 * S }, look('idle'), 619, 'none'],
    ['and it is not asked twice', { doneNudgedAt: T0 + 120 * S, progressAt: T0 + 500 * S }, look('idle'), 620, 'end unsignalled'],
    ['it has said how it ended', {}, look('idle', { result: true }), 99_999, 'none'],
    ['it waits, as it said', {}, look('idle', { waitsUntil: T0 + 3000 * S }), 3059, 'none'],
    ['its wait is over, with its grace', { graceFrom: T0 + 3059 * S }, look('idle', { waitsUntil: T0 + 3000 * S }), 3060, 'none'],
    ['and after its wait the ladder begins anew', { graceFrom: T0 + 3059 * S }, look('idle', { waitsUntil: T0 + 3000 * S }), 3179, 'nudge done'],
    ['an absurd wait is capped', {}, look('working', { waitsUntil: T0 + 9e12 }), 6 * 3600 + 60, 'nudge go-on'],
    ['a wait in the past holds nothing', {}, look('working', { waitsUntil: 0 }), 600, 'nudge go-on'],
    ['its account cools', {}, look('working', { coolsUntil: T0 + 9e9 }), 8e6, 'none'],
    ['its account has cooled', {}, look('working', { coolsUntil: T0 + 600 * S }), 600, 'nudge go-on'],
    ['after a clock jump everybody has a fresh window', { graceFrom: T0 + 5000 * S }, look('working'), 5599, 'none'],
    ['a resident rests', {}, look('idle', { rests: true }), 99_999, 'none'],
    ['a resident that works is no other', {}, look('working', { rests: true }), 600, 'nudge go-on'],
    ['a resident that never began', {}, look('idle', { rests: true, begun: false }), 120, 'end startup-stall'],
    ['a resident that has just been woken has a fresh window', { still: true }, look('working', { rests: true }), 99_999, 'none'],
    ['its program has ended', {}, look('exited'), 99_999, 'none'],
    ['it was not seen', {}, { kind: 'unseen', why: 'tmux did not answer' }, 1e9, 'none'],
    ['it is being ended', { verdict: { reason: 'stalled', rule: '', evidence: '', at: T0 } }, look('working'), 1e6, 'none'],
  ])('%s', (_name, watch, seen, afterS, wanted) => expect(at(watch, seen, afterS)).toBe(wanted));

  it('progress of any kind resets the ladder', () => {
    for (const progress of [{ events: 1 }, { transcriptBytes: 1 }, { outputBytes: 1 }, { toolCpuMs: 1 }]) {
      const { watch, action } = decideWatch(POLICY, { ...beginWatch(T0), nudgedAt: [T0 + 1, T0 + 2] }, look('working', { progress: { ...NO_PROGRESS, ...progress } }), T0 + 1e9);
      expect([name(action), watch.progressAt, watch.nudgedAt]).toEqual(['none', T0 + 1e9, []]);
    }
  });

  it('answers every state of an agent, however long it lasts, with a rule', () => {
    for (const kind of AGENT_STATES)
      for (const mode of ['headless', 'interactive'] as const)
        for (const begun of [true, false])
          for (const afterS of [0, 1e3, 1e6]) expect(decideWatch(POLICY, beginWatch(T0), look(kind, { mode, begun }), T0 + afterS * S).action.rule).not.toBe('');
  });
});
