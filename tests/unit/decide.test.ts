import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../src/protocol/judge.js';
import type { AgentState } from '../../src/protocol/agent-state.js';
import type { AskRecord, AttemptRecord, ExitRecord, SessionRecord } from '../../src/protocol/records.js';
import type { OutcomeRecord } from '../../src/runs/run-dir.js';
import { decide, LOOK_EVERY_MS } from '../../src/snake/decide.js';
import type { AttemptView, LaunchMemory, SnakePolicy, Step } from '../../src/snake/state.js';

const POLICY: SnakePolicy = { launchPatienceMs: 10_000, launchTries: 3, startupMs: 600_000, signalMs: 120_000 };
const FRESH: LaunchMemory = { tries: 0, lastTryMonoMs: 0, orphanSinceMonoMs: undefined };
const NOW = { monoMs: 100_000, boot: 'b0b0b0b0' };
const ATTEMPT: AttemptRecord = { marker: 'm', agent: 'shell', attempt: 1, startedAt: 1, startedMonoMs: 99_000, boot: NOW.boot, timeoutMs: 60_000, workspace: '/w', privateWorkspace: true, profile: 'shell', mode: 'headless', account: 'none', home: '/h', session: 'x', resumed: false };
const SESSION: SessionRecord = { leader: { pid: 7, start: '7', boot: NOW.boot } };
const exit = (code: number): ExitRecord => ({ code, endedAt: 1 });
const OUTCOME: OutcomeRecord = { marker: 'm', attempt: 1, agent: 'shell', startedAt: 1, endedAt: 2, outcome: { kind: 'done', message: '' }, next: { kind: 'done' } };
const BARE: AttemptView = {
  held: true, attempt: undefined, started: false, session: undefined, leader: 'none', exit: undefined, result: undefined, stop: undefined,
  verify: undefined, verifyCommands: [], outcome: undefined, cancelled: false, resultAgeMs: undefined, agent: undefined, agentAgeMs: undefined, verdict: undefined,
};
const PREPARED: AttemptView = { ...BARE, attempt: ATTEMPT };
const STARTED: AttemptView = { ...PREPARED, started: true };
const RUNNING: AttemptView = { ...STARTED, session: SESSION, leader: 'alive' };

const SPENT = { kind: 'reached', unit: 'tokens', rule: 'the budget of the task is spent', evidence: '2 of 1' } as const;

const named = (outcome: Outcome): string => (outcome.kind === 'failed' ? outcome.reason : outcome.kind);
const summary = (step: Step): string => (step.kind === 'stop' ? `stop ${step.reason}` : step.kind === 'conclude' ? `conclude ${named(step.outcome)}` : step.kind);
const next = (view: Partial<AttemptView>, memory: Partial<LaunchMemory> = {}, release = false): Step => decide(POLICY, { ...BARE, ...view }, { ...FRESH, ...memory }, { release }, NOW);

describe('decide', () => {
  it.each<[string, Partial<AttemptView>, Partial<LaunchMemory>, boolean, string]>([
    ['the claim is gone', { ...RUNNING, held: false }, {}, false, 'abandon'],
    ['gone, though all is recorded', { ...RUNNING, held: false, outcome: OUTCOME, exit: exit(0) }, {}, true, 'abandon'],
    ['nothing prepared', {}, {}, false, 'prepare'],
    ['nothing prepared, cancelled: it is prepared first, then stopped', { cancelled: true }, {}, false, 'prepare'],
    ['nothing prepared, going down', {}, {}, true, 'conclude released'],
    ['an outcome recorded', { ...RUNNING, outcome: OUTCOME }, {}, false, 'settle'],
    ['an outcome recorded, cancelled and going down', { outcome: OUTCOME, cancelled: true }, {}, true, 'settle'],
    ['prepared', PREPARED, {}, false, 'launch'],
    ['launched a moment ago', PREPARED, { tries: 1, lastTryMonoMs: 99_000 }, false, 'wait'],
    ['the launch came to nothing', PREPARED, { tries: 1, lastTryMonoMs: 90_000 }, false, 'launch'],
    ['the last launch, a moment ago', PREPARED, { tries: 3, lastTryMonoMs: 95_000 }, false, 'wait'],
    ['all launches came to nothing', PREPARED, { tries: 3, lastTryMonoMs: 90_000 }, false, 'stop released'],
    ['prepared, cancelled', { ...PREPARED, cancelled: true }, {}, false, 'stop cancelled'],
    ['prepared, going down', PREPARED, {}, true, 'stop released'],
    ['started, no session record yet', STARTED, {}, false, 'wait'],
    ['started, no record for a second', STARTED, { orphanSinceMonoMs: 99_000 }, false, 'wait'],
    ['started, no record for three seconds', STARTED, { orphanSinceMonoMs: 97_000 }, false, 'conclude lost'],
    ['runs', RUNNING, {}, false, 'wait'],
    ['cannot be seen', { ...RUNNING, leader: 'unknown' }, {}, false, 'wait'],
    ['the wrapper is dead, no record', { ...RUNNING, leader: 'dead' }, {}, false, 'conclude lost'],
    ['runs, cancelled', { ...RUNNING, cancelled: true }, {}, false, 'stop cancelled'],
    ['runs, going down', RUNNING, {}, true, 'stop released'],
    ['runs, cancelled while going down', { ...RUNNING, cancelled: true }, {}, true, 'stop cancelled'],
    ['over time', { ...RUNNING, attempt: { ...ATTEMPT, timeoutMs: 1000 } }, {}, false, 'stop timeout'],
    ['over time, and unseen: unknown ends no clock', { ...RUNNING, leader: 'unknown', attempt: { ...ATTEMPT, timeoutMs: 1000 } }, {}, false, 'stop timeout'],
    ['over time, and dead', { ...RUNNING, leader: 'dead', attempt: { ...ATTEMPT, timeoutMs: 1000 } }, {}, false, 'conclude lost'],
    ['another boot', { ...RUNNING, attempt: { ...ATTEMPT, boot: 'ffffffff' } }, {}, false, 'conclude lost'],
    ['another boot, never started: it may still be launched', { ...PREPARED, attempt: { ...ATTEMPT, boot: 'ffffffff' } }, {}, false, 'launch'],
    ['another boot, but the exit was recorded', { ...RUNNING, leader: 'dead', exit: exit(0), attempt: { ...ATTEMPT, boot: 'ffffffff' } }, {}, false, 'conclude done'],
    ['exit 0', { ...RUNNING, leader: 'dead', exit: exit(0) }, {}, false, 'conclude done'],
    ['exit 1', { ...RUNNING, leader: 'dead', exit: exit(1) }, {}, false, 'conclude exit-status'],
    ['exit 0 beats the clock', { ...RUNNING, exit: exit(0), attempt: { ...ATTEMPT, timeoutMs: 1 } }, {}, false, 'conclude done'],
    ['exit 0 before going down', { ...RUNNING, exit: exit(0) }, {}, true, 'conclude done'],
    ['exit 0, said fail', { ...RUNNING, exit: exit(0), result: { kind: 'fail', message: '', final: false } }, {}, false, 'conclude said-fail'],
    ['exit 0, checks owed', { ...RUNNING, exit: exit(0), verifyCommands: ['x'] }, {}, false, 'verify'],
    ['exit 0, checks owed, cancelled', { ...RUNNING, exit: exit(0), verifyCommands: ['x'], cancelled: true }, {}, true, 'stop cancelled'],
    ['exit 0, checks owed, going down', { ...RUNNING, exit: exit(0), verifyCommands: ['x'] }, {}, true, 'stop released'],
    ['exit 0, no checks owed, cancelled: it ended before', { ...RUNNING, exit: exit(0), cancelled: true }, {}, true, 'conclude done'],
    ['exit 1, checks are not owed', { ...RUNNING, exit: exit(1), verifyCommands: ['x'] }, {}, false, 'conclude exit-status'],
    ['exit 0, checks passed', { ...RUNNING, exit: exit(0), verifyCommands: ['x'], verify: [{ command: 'x', code: 0, tail: [] }] }, {}, false, 'conclude done'],
    ['exit 0, checks failed', { ...RUNNING, exit: exit(0), verifyCommands: ['x'], verify: [{ command: 'x', code: 1, tail: [] }] }, {}, false, 'conclude verify-failed'],
    ['its budget spent', { ...RUNNING, budget: SPENT }, {}, false, 'stop task-budget'],
    ['its budget nearly spent', { ...RUNNING, budget: { ...SPENT, kind: 'near' } }, {}, false, 'wait'],
    ['its budget and its time spent: time is no failure then', { ...RUNNING, budget: SPENT, attempt: { ...ATTEMPT, timeoutMs: 1 } }, {}, false, 'stop task-budget'],
    ['its budget spent, and it has said how it ended', { ...RUNNING, budget: SPENT, result: { kind: 'done', message: '' } }, {}, false, 'wait'],
    ['stopped for its budget', { ...RUNNING, stop: 'task-budget', budget: SPENT }, {}, false, 'conclude parked'],
    ['stopped for its budget, which was raised meanwhile', { ...RUNNING, stop: 'task-budget' }, {}, false, 'conclude parked'],
    ['stopped for its budget, having said done; its checks are owed', { ...RUNNING, stop: 'task-budget', result: { kind: 'done', message: '' }, verifyCommands: ['true'] }, {}, false, 'verify'],
    ['stopped for its budget, having said done', { ...RUNNING, stop: 'task-budget', result: { kind: 'done', message: '' } }, {}, false, 'conclude done'],
    ['stopped for its timeout', { ...RUNNING, stop: 'timeout' }, {}, false, 'conclude timeout'],
    ['stopped for its timeout; then cancelled: the first reason stays', { ...RUNNING, stop: 'timeout', cancelled: true }, {}, true, 'conclude timeout'],
    ['stopped by a person', { ...RUNNING, stop: 'cancelled', exit: exit(0) }, {}, false, 'conclude cancelled'],
    ['stopped for going down', { ...RUNNING, stop: 'released', exit: exit(143) }, {}, false, 'conclude released'],
  ])('%s', (_name, view, memory, release, wanted) => {
    expect(summary(next(view, memory, release))).toBe(wanted);
  });

  it('waits until the deadline or the next look, whichever is sooner', () => {
    expect(next(RUNNING)).toMatchObject({ untilMonoMs: NOW.monoMs + LOOK_EVERY_MS });
    expect(next({ ...RUNNING, attempt: { ...ATTEMPT, timeoutMs: 1500 } })).toMatchObject({ untilMonoMs: 100_500 });
    expect(next(PREPARED, { tries: 1, lastTryMonoMs: 90_500 })).toMatchObject({ kind: 'wait', untilMonoMs: 100_500 });
    expect(next(STARTED, { orphanSinceMonoMs: 99_000 })).toMatchObject({ untilMonoMs: 102_000 });
  });

  it('is total over every class of facts, names its rule, and keeps the order of precedence', () => {
    let seen = 0;
    for (const held of [true, false])
      for (const outcome of [undefined, OUTCOME])
        for (const attempt of [undefined, ATTEMPT, { ...ATTEMPT, boot: 'ffffffff' }, { ...ATTEMPT, timeoutMs: 1 }])
          for (const started of [true, false])
            for (const leader of ['none', 'alive', 'dead', 'unknown'] as const)
              for (const end of [undefined, exit(0), exit(1)])
                for (const stop of [undefined, 'timeout', 'cancelled', 'released'] as const)
                  for (const cancelled of [true, false])
                    for (const release of [true, false])
                      for (const verifyCommands of [[], ['x']]) {
                        const view: AttemptView = { ...BARE, held, outcome, attempt, started, leader, session: leader === 'none' ? undefined : SESSION, exit: end, stop, cancelled, verifyCommands };
                        const step = decide(POLICY, view, FRESH, { release }, NOW);
                        expect(step.rule).not.toBe('');
                        if (!held) expect(step.kind).toBe('abandon');
                        else if (outcome !== undefined) expect(step.kind).toBe('settle');
                        else if (attempt === undefined) expect(step.kind).toBe(release ? 'conclude' : 'prepare');
                        else if (stop !== undefined) expect(step.kind).toBe('conclude');
                        else if (end !== undefined) expect(summary(step).split(' ')[0]).toBe(end.code !== 0 || verifyCommands.length === 0 ? 'conclude' : cancelled || release ? 'stop' : 'verify');
                        else if (cancelled) expect(summary(step)).toBe('stop cancelled');
                        else if (release) expect(summary(step)).toBe('stop released');
                        // Never a launch of what has started: that would be a second agent.
                        if (started) expect(step.kind).not.toBe('launch');
                        // Unknown is not dead: it never ends an attempt by itself.
                        if (step.kind === 'conclude' && step.outcome.kind === 'lost') expect(leader === 'dead' || attempt?.boot !== NOW.boot).toBe(true);
                        seen += 1;
                      }
    expect(seen).toBe(2 * 2 * 4 * 2 * 4 * 3 * 4 * 2 * 2 * 2);
  });

  it.each<[string, AttemptRecord['ask'], number, Partial<AskRecord> | undefined, number, string]>([
    ['asks for a moment', 'park', 4000, undefined, 0, 'wait'],
    ['asks', 'park', 5000, undefined, 0, 'stop observed'],
    ['asks, to fail', 'fail', 5000, undefined, 0, 'stop observed'],
    ['asks, of an older record', undefined, 5000, undefined, 0, 'stop observed'],
    ['may be answered: the pit has time', 'allow', 59_000, undefined, 0, 'wait'],
    ['may be answered, and no pit is there', 'allow', 60_000, undefined, 0, 'stop observed'],
    ['is being answered for long', 'allow', 600_000, {}, 1000, 'wait'],
    ['was pressed, and then nothing was heard', 'allow', 600_000, {}, 60_000, 'stop observed'],
    ['is left to a person', 'allow', 5000, { left: { rule: 'no safe answer', evidence: '' } }, 0, 'stop observed'],
    ['is left to a person, seen a moment ago', 'allow', 4000, { left: { rule: 'no safe answer', evidence: '' } }, 0, 'wait'],
    ['another question was left to a person', 'allow', 9000, { left: { rule: 'x', evidence: '' }, state: { kind: 'waiting-for-input', source: 'pane', rule: 'q', evidence: '' } }, 0, 'wait'],
    ['what was left has gone', 'allow', 9000, { open: false, left: { rule: 'x', evidence: '' } }, 0, 'wait'],
  ])('%s', (_name, ask, ageMs, record, askAgeMs, wanted) => {
    const state: AgentState = { kind: 'blocked-on-dialog', source: 'pane', rule: 'trust', evidence: '' };
    const asked: AskRecord | undefined = record === undefined ? undefined : { v: 1, open: true, state, screen: '', at: 1, presses: [], answered: 0, left: undefined, ...record };
    const attempt: AttemptRecord = { ...ATTEMPT, mode: 'interactive', timeoutMs: 3_600_000, ...(ask === undefined ? {} : { ask }) };
    expect(summary(next({ ...RUNNING, attempt, agent: { state, since: 1 }, agentAgeMs: ageMs, ask: asked, askAgeMs: asked === undefined ? undefined : askAgeMs }))).toBe(wanted);
  });
});
