import { describe, expect, it } from 'vitest';
import { afterRetrying, classifySession, type RecordSeen } from '../../src/agents/classify.js';
import type { ScreenState } from '../../src/agents/screen.js';
import { AGENT_STATES, type AgentStateKind } from '../../src/protocol/agent-state.js';

const NOW = 1_800_000_000_000;
const record = (kind: AgentStateKind, ageMs = 1000, source: RecordSeen['source'] = 'event'): RecordSeen => ({ source, last: { kind, rule: `${source} ${kind}`, evidence: '' }, changedAt: NOW - ageMs });
const screen = (kind: AgentStateKind, dialog?: string): ScreenState => ({ kind, source: 'pane', rule: `pane ${kind}`, evidence: '', ...(dialog === undefined ? {} : { dialog }) });
const rule = (records: RecordSeen[], seen?: ScreenState): string => classifySession({ records, screen: seen, nowMs: NOW }).rule;

describe('classifySession', () => {
  it.each<[string, RecordSeen[], ScreenState | undefined, string]>([
    ['nothing seen', [], undefined, 'nothing seen'],
    ['the pane alone', [], screen('working'), 'pane working'],
    ['no look came through: the record stands', [record('working')], undefined, 'event working'],
    ['an event beats the pane', [record('finished')], screen('idle'), 'event finished'],
    ['a working pane vetoes a finished turn', [record('finished')], screen('working'), 'pane working'],
    ['and a failed one', [record('usage-limited')], screen('working'), 'pane working'],
    ['a pane that cannot be read vetoes nothing', [record('finished')], screen('unknown'), 'event finished'],
    ['a dialog beats every record', [record('working', 10)], screen('blocked-on-dialog', 'trust'), 'pane blocked-on-dialog'],
    ['a question too', [record('finished')], screen('waiting-for-input', 'question'), 'pane waiting-for-input'],
    ['a dead pane too', [record('working')], screen('exited'), 'pane exited'],
    ['a quiet pane is not believed at once', [record('working', 9000)], screen('idle'), 'event working'],
    ['after ten silent seconds it is: an interruption says nothing', [record('working', 10_000)], screen('idle'), 'pane idle'],
    ['a limit on the pane, after as long', [record('working', 10_000)], screen('usage-limited'), 'pane usage-limited'],
    ['a pane that cannot be read, however long', [record('working', 3_600_000)], screen('unknown'), 'event working'],
    ['retrying is seen on the pane alone', [record('working', 10)], screen('retrying'), 'pane retrying'],
    ['a permission asked by event, quiet pane', [record('blocked-on-permission', 500)], screen('unknown'), 'event blocked-on-permission'],
    ['it asks before it paints that', [record('blocked-on-permission', 4999)], screen('working'), 'event blocked-on-permission'],
    ['it was answered, works, and says nothing of that until its tool ends', [record('blocked-on-permission', 5000)], screen('working'), 'pane working'],
    ['it starts: that is no work', [record('blocked-on-permission', 60_000)], screen('starting'), 'event blocked-on-permission'],
    ['the newest record', [record('finished', 60_000), record('working', 500, 'transcript')], screen('unknown'), 'transcript working'],
    ['of one moment, the event', [record('working', 500, 'transcript'), record('finished', 1500)], undefined, 'event finished'],
    ['a state file that says "idle" takes nothing from a turn that failed', [record('idle', 100), record('rate-limited', 300)], screen('idle'), 'event rate-limited'],
    ['however long ago that was', [record('idle', 100), record('usage-limited', 60_000)], screen('idle'), 'event usage-limited'],
    ['idle in the middle of a turn is idle', [record('idle', 100), record('working', 300)], screen('idle'), 'event idle'],
    ['the transcript ended the turn after the last hook', [record('working', 900), record('rate-limited', 200, 'transcript')], screen('idle'), 'transcript rate-limited'],
    ['a hook after the end is of a new turn', [record('working', 200), record('rate-limited', 900, 'transcript')], screen('idle'), 'event working'],
    ['an error that the record does not name and the pane does', [record('errored')], screen('auth-failed'), 'pane auth-failed'],
    ['an error that the record names', [record('rate-limited')], screen('auth-failed'), 'event rate-limited'],
    ['an error that nobody names', [record('errored')], screen('idle'), 'event errored'],
  ])('%s', (_name, records, seen, wanted) => expect(rule(records, seen)).toBe(wanted));

  it('answers every pair of witnesses, and never says idle of what works, is blocked or is unknown', () => {
    for (const said of AGENT_STATES)
      for (const shown of AGENT_STATES)
        for (const age of [0, 60_000]) {
          const state = classifySession({ records: [record(said, age)], screen: screen(shown), nowMs: NOW });
          expect(state.rule).not.toBe('');
          if (['working', 'retrying', 'blocked-on-permission', 'blocked-on-dialog', 'waiting-for-input'].includes(shown)) expect(['idle', 'finished']).not.toContain(state.kind);
          if (said === 'working' && (shown === 'unknown' || age === 0)) expect(['idle', 'finished']).not.toContain(state.kind);
        }
  });
});

describe('afterRetrying', () => {
  const retrying = { kind: 'retrying', source: 'event', rule: 'retry', evidence: '429' } as const;
  it('believes a limit that is retried for long enough, and no sooner', () => {
    expect(afterRetrying(retrying, 'usage-limited', 59_999, 60_000).kind).toBe('retrying');
    expect(afterRetrying(retrying, 'usage-limited', 60_000, 60_000).kind).toBe('usage-limited');
    // Two looks a moment apart must be able to agree.
    expect(afterRetrying(retrying, 'usage-limited', 61_000, 60_000)).toEqual(afterRetrying(retrying, 'usage-limited', 90_000, 60_000));
    expect(afterRetrying(retrying, undefined, 1e9, 60_000).kind).toBe('retrying');
    expect(afterRetrying({ ...retrying, kind: 'working' }, 'usage-limited', 1e9, 60_000).kind).toBe('working');
  });
  it('goes on to say so, in the same words: by the time of the first try, not of the state that was last written', () => {
    const tried = (nowMs: number): object => afterRetrying(classifySession({ records: [{ source: 'event', last: { ...retrying, since: NOW, endsAs: 'rate-limited' }, changedAt: NOW }], screen: screen('retrying'), nowMs }), 'rate-limited', 0, 60_000);
    expect(tried(NOW + 59_999)).toMatchObject({ kind: 'retrying' });
    expect(tried(NOW + 60_000)).toEqual({ kind: 'rate-limited', source: 'event', rule: 'retry, for too long', evidence: '429' });
    expect(tried(NOW + 200_000)).toEqual(tried(NOW + 60_000));
  });
});
