import { describe, expect, it } from 'vitest';
import { loadProfiles } from '../../src/agents/load-profiles.js';
import { residentEnv } from '../../src/agents/session-env.js';
import { promptText, variablesIn } from '../../src/agents/prompts.js';
import { resolveConfig } from '../../src/config/load.js';
import { beginHealing, type HealingPolicy } from '../../src/lib/healing.js';
import type { AgentStateKind } from '../../src/protocol/agent-state.js';
import { parseTask } from '../../src/protocol/parse-task.js';
import { beginResident, decideResident, type Decided } from '../../src/residents/decide.js';
import { placesOf } from '../../src/protocol/resident-places.js';
import { claimFile, nonceOf, residentMarker, residentSession } from '../../src/residents/places.js';
import { parseRecord } from '../../src/residents/record.js';
import type { Now, Phase, ResidentKind, ResidentLook, ResidentPolicy, ResidentRecord, Run, Wanted } from '../../src/residents/state.js';
import { allWanted, residentFault } from '../../src/residents/wanted.js';
import { layoutOf } from '../../src/protocol/layout.js';

const T0 = 1_800_000_000_000;
const HEALING: HealingPolicy = { windowMs: 60_000, perSession: 3, perPool: 10, firstMs: 1000, maxMs: 8000, jitter: 0.2, openMs: 30_000, maxOpenMs: 120_000, quietMs: 60_000 };
const POLICY: ResidentPolicy = { healing: HEALING, launchPatienceMs: 10_000, launchTries: 3, orphanMs: 3000, agreedMs: 5000, wakeRetryMs: 5000 };
const RUN: Run = { nonce: 'aaaaaaaaaa', at: T0, boot: 'b' };
const NOW: Now = { wallMs: T0 + 60_000, boot: 'b', mode: 'run', generation: 1, nonce: 'bbbbbbbbbb', random: 0 };
const LOOK: ResidentLook = { started: false, leader: 'none', exit: undefined, agent: undefined, verdict: undefined, coolsUntil: undefined, tries: 0, sinceTryMs: 0, failed: undefined, ended: undefined };
const wanted = (kind: ResidentKind = 'interactive'): Wanted => ({ name: 'boss', kind, fingerprint: 'f', everyMs: kind === 'service' ? undefined : 30_000 });
const inPhase = (phase: Phase, kind: ResidentKind = 'interactive', more: Partial<ResidentRecord> = {}): ResidentRecord => ({ ...beginResident(wanted(kind), T0), phase, ...more });
const seen = (kind: AgentStateKind, since = T0): Partial<ResidentLook> => ({ started: true, leader: 'alive', agent: { state: { kind, source: 'event', rule: 'r', evidence: 'e' }, since } });
const decide = (record: ResidentRecord, look: Partial<ResidentLook>, now: Partial<Now> = {}, asked: Wanted | undefined = wanted(record.kind), pool: readonly number[] = []): Decided => decideResident(POLICY, asked, record, { ...LOOK, ...look }, pool, { ...NOW, ...now });

const UP: Phase = { kind: 'up', run: RUN };
const LAUNCHING: Phase = { kind: 'launching', run: RUN };
const ENDING: Phase = { kind: 'ending', run: RUN, after: 'heal', rule: 'it died', evidence: 'e' };

describe('what is decided of a resident', () => {
  it.each<[string, Decided, string, string]>([
    ['nothing runs of a wanted one', decide(inPhase({ kind: 'down' }), {}), 'launch', 'launching'],
    ['nothing runs of one that is gone', decideResident(POLICY, undefined, inPhase({ kind: 'down' }), LOOK, [], NOW), 'forget', 'down'],
    ['the pit goes down', decide(inPhase({ kind: 'down' }), {}, { mode: 'drain' }), 'none', 'down'],
    ['the budget is spent', decide(inPhase({ kind: 'down' }), { spent: 'the budget of the day is spent' }), 'none', 'down'],
    ['the budget is spent, and it costs nothing', decide(inPhase({ kind: 'down' }, 'service'), { spent: 'the budget of the day is spent' }), 'launch', 'launching'],
    ['the budget is spent, and it died', decide(inPhase({ kind: 'backing-off', until: NOW.wallMs, why: '' }), { spent: 'the budget of the day is spent' }), 'none', 'backing-off'],
    ['the budget is spent, and it works', decide(inPhase(UP), { ...seen('working'), spent: 'the budget of the day is spent' }), 'none', 'up'],
    ['it is due, and the budget is spent', decide(inPhase(UP), { ...seen('finished'), spent: 'the budget of the day is spent' }), 'none', 'up'],
    ['its account is at a limit', decide(inPhase({ kind: 'down' }), { coolsUntil: T0 + 1e6 }), 'none', 'down'],
    ['a print-mode run that is not due', decide(inPhase({ kind: 'down' }, 'headless', { cadence: { dueAt: T0 + 61_000, wake: 'waiting', triedAt: T0 } }), {}), 'none', 'down'],
    ['a print-mode run that is due', decide(inPhase({ kind: 'down' }, 'headless', { cadence: { dueAt: T0 + 60_000, wake: 'waiting', triedAt: T0 } }), {}), 'launch', 'launching'],
    ['it has just been launched', decide(inPhase(LAUNCHING), { tries: 1, sinceTryMs: 500 }), 'none', 'launching'],
    ['its launch came to nothing', decide(inPhase(LAUNCHING), { tries: 1, sinceTryMs: 10_000 }), 'launch', 'launching'],
    ['all launches came to nothing', decide(inPhase(LAUNCHING), { tries: 3, sinceTryMs: 10_000 }), 'end', 'ending'],
    ['it could not be prepared', decide(inPhase(LAUNCHING), { tries: 1, failed: 'no prompt' }), 'end', 'ending'],
    ['a pit that came back finds it launched by nobody it knows', decide(inPhase(LAUNCHING), {}), 'launch', 'launching'],
    ['let in, and silent', decide(inPhase(LAUNCHING), { started: true, tries: 1, sinceTryMs: 2000 }), 'none', 'launching'],
    ['let in, and silent for too long', decide(inPhase(LAUNCHING), { started: true, tries: 1, sinceTryMs: 3000 }), 'end', 'ending'],
    ['it has said who it is', decide(inPhase(LAUNCHING), { started: true, leader: 'alive', tries: 1 }), 'tell-started', 'up'],
    ['it cannot be looked at', decide(inPhase(UP), { started: true, leader: 'unknown' }), 'none', 'up'],
    ['its wrapper is dead', decide(inPhase(UP), { started: true, leader: 'dead' }), 'end', 'ending'],
    ['it ended', decide(inPhase(UP, 'service'), { started: true, leader: 'dead', exit: { code: 0, endedAt: T0 } }), 'end', 'ending'],
    ['it is due, and at rest', decide(inPhase(UP), seen('finished')), 'wake', 'up'],
    ['it is due, and works', decide(inPhase(UP), seen('working')), 'none', 'up'],
    ['it is due, and nobody knows', decide(inPhase(UP), seen('unknown')), 'none', 'up'],
    ['it is due, and cools', decide(inPhase(UP), { ...seen('idle'), coolsUntil: T0 + 1e6 }), 'none', 'up'],
    ['it is not due', decide(inPhase(UP), seen('idle'), { wallMs: T0 + 29_999 }), 'none', 'up'],
    ['a service is never woken', decide(inPhase(UP, 'service'), seen('idle')), 'none', 'up'],
    ['a limit that is new', decide(inPhase(UP), seen('usage-limited')), 'cool', 'up'],
    ['a limit that was told', decide(inPhase(UP, 'interactive', { cooledAt: T0 }), { ...seen('usage-limited'), coolsUntil: T0 + 1e6 }), 'none', 'up'],
    ['a limit whose pause is over', decide(inPhase(UP, 'interactive', { cooledAt: T0 }), seen('usage-limited')), 'wake', 'up'],
    ['a dialog for a moment', decide(inPhase(UP), seen('blocked-on-dialog', NOW.wallMs - 4000)), 'none', 'up'],
    ['a dialog that stays', decide(inPhase(UP), seen('blocked-on-dialog', NOW.wallMs - 5000)), 'end', 'ending'],
    ['the watchdog gave it up', decide(inPhase(UP), { ...seen('working'), verdict: { reason: 'stalled', rule: 'silent', evidence: 'e', at: T0 } }), 'end', 'ending'],
    ['it was changed', decide(inPhase(UP), seen('working'), {}, { ...wanted(), fingerprint: 'g' }), 'end', 'ending'],
    ['it was removed', decideResident(POLICY, undefined, inPhase(UP), { ...LOOK, ...seen('working') }, [], NOW), 'end', 'ending'],
    ['another boot', decide(inPhase(UP), seen('working'), { boot: 'c' }), 'end', 'ending'],
    ['it is being ended', decide(inPhase(ENDING), {}), 'end', 'ending'],
    ['it could not be ended', decide(inPhase(ENDING), { ended: { kind: 'unknown', evidence: 'alive' } }), 'end', 'ending'],
    ['it is gone', decide(inPhase(ENDING), { ended: { kind: 'gone', killed: 1 } }), 'none', 'backing-off'],
    ['it is gone, and was to', decide(inPhase({ ...ENDING, after: 'afresh' }), { ended: { kind: 'gone', killed: 1 } }), 'none', 'down'],
    ['it is gone, and its budget spent', decide(inPhase(ENDING, 'interactive', { healing: { ...beginHealing(T0), restarts: [NOW.wallMs, NOW.wallMs, NOW.wallMs] } }), { ended: { kind: 'gone', killed: 1 } }), 'tell-broken', 'broken'],
    ['its pause is not over', decide(inPhase({ kind: 'backing-off', until: NOW.wallMs + 1, why: '' }), {}), 'none', 'backing-off'],
    ['its pause is over', decide(inPhase({ kind: 'backing-off', until: NOW.wallMs, why: '' }), {}), 'launch', 'launching'],
    ['its pause is over, and the pool has no more', decide(inPhase({ kind: 'backing-off', until: T0, why: '' }), {}, {}, wanted(), Array.from({ length: 10 }, () => NOW.wallMs - 1)), 'none', 'backing-off'],
    ['broken', decide(inPhase({ kind: 'broken', why: '', generation: 1 }, 'interactive', { healing: { ...beginHealing(T0), breaker: { kind: 'open', until: NOW.wallMs + 1, openings: 1 } } }), {}), 'none', 'broken'],
    ['broken, and its time is over', decide(inPhase({ kind: 'broken', why: '', generation: 1 }, 'interactive', { healing: { ...beginHealing(T0), breaker: { kind: 'open', until: NOW.wallMs, openings: 1 } } }), {}), 'launch', 'launching'],
    ['broken, and `up` was said again', decide(inPhase({ kind: 'broken', why: '', generation: 0 }, 'interactive', { healing: { ...beginHealing(T0), breaker: { kind: 'open', until: NOW.wallMs + 1e6, openings: 1 } } }), {}), 'launch', 'launching'],
    ['broken, and changed', decide(inPhase({ kind: 'broken', why: '', generation: 1 }, 'interactive', { healing: { ...beginHealing(T0), breaker: { kind: 'open', until: NOW.wallMs + 1e6, openings: 1 } } }), {}, {}, { ...wanted(), fingerprint: 'g' }), 'launch', 'launching'],
  ])('%s', (_name, { record, action }, kind, phase) => {
    expect([action.kind, record.phase.kind]).toEqual([kind, phase]);
    expect(action.rule).not.toBe('');
  });

  it('the next wake is moved before it is said; a print-mode run that failed is no death', () => {
    expect(decide(inPhase(UP), seen('idle')).record.cadence).toEqual({ dueAt: NOW.wallMs + 30_000, wake: 'typing', triedAt: NOW.wallMs });
    expect(decide(inPhase(UP, 'headless'), { started: true, leader: 'dead', exit: { code: 3, endedAt: T0 } }).record.phase).toMatchObject({ kind: 'ending', after: 'afresh', evidence: 'it exited with status 3' });
  });
});

describe('residents in the configuration', () => {
  const loaded = loadProfiles({});
  const profiles = loaded.ok ? loaded.value : {};
  const config = (text: string): ReturnType<typeof resolveConfig> => resolveConfig('snakepit.yaml', text, {});

  it.each<[string, string, string, RegExp]>([
    ['a snake\'s name', 'residents:\n  s1: {command: x}\n', 'snakepit.yaml:2', /^residents\.s1: /],
    ['a name with a dot', 'residents:\n  a.b: {command: x}\n', 'snakepit.yaml:2', /is not a name/],
    ['nothing to tell it', 'residents:\n  boss: {every: 1m}\n', 'snakepit.yaml:2', /^residents\.boss\.prompt: is missing; give prompt:/],
    ['no cadence', 'residents:\n  boss: {prompt: x}\n', 'snakepit.yaml:2', /^residents\.boss\.every: is missing/],
    ['both prompts', 'residents:\n  boss:\n    every: 1m\n    prompt: x\n    prompt-file: y\n', 'snakepit.yaml:5', /^residents\.boss\.prompt-file: is given beside prompt/],
    ['a service that is woken', 'residents:\n  web:\n    command: x\n    every: 1m\n', 'snakepit.yaml:4', /^residents\.web\.every: has no meaning beside command/],
    ['a cadence without a unit', 'residents:\n  boss:\n    prompt: x\n    every: 30\n', 'snakepit.yaml:4', /^residents\.boss\.every: /],
    ['a cadence that is too short', 'residents:\n  boss:\n    prompt: x\n    every: 10ms\n', 'snakepit.yaml:4', /^residents\.boss\.every: is not a duration of at least 1s/],
    ['an empty prompt', 'residents:\n  boss:\n    every: 1m\n    prompt: " "\n', 'snakepit.yaml:4', /^residents\.boss\.prompt: is empty/],
    ['a wrong key', 'residents:\n  boss:\n    every: 1m\n    promt: x\n', 'snakepit.yaml:4', /^residents\.boss\.promt: unknown key; did you mean residents\.boss\.prompt\?/],
    ['a workspace of a task', 'residents:\n  web: {command: x, workspace: scratch}\n', 'snakepit.yaml:2', /^residents\.web\.workspace: /],
    ['a wrong key of the budget', 'heal: {restart: 5}\n', 'snakepit.yaml:1', /^heal\.restart: unknown key; did you mean heal\.restarts\?/],
  ])('%s is refused, with its place', (_name, text, where, problem) => {
    const found = config(text);
    if (found.ok) throw new Error('it was taken');
    expect(found.error.where).toBe(where);
    expect(found.error.problem).toMatch(problem);
  });

  it.each<[string, string, RegExp]>([
    ['an agent that is none', 'residents:\n  boss:\n    prompt: x\n    every: 1m\n    agent: nobody\n', /^residents\.boss\.agent: no agent profile is called nobody/],
    ['a mode that it has not', 'residents:\n  boss:\n    prompt: x\n    every: 1m\n    agent: shell\n    mode: interactive\n', /^residents\.boss\.mode: the agent shell has no interactive mode; it has headless/],
  ])('%s is refused once the profiles are known', (_name, text, problem) => {
    const found = config(text);
    if (!found.ok) throw new Error(found.error.problem);
    expect(residentFault('snakepit.yaml', text, found.value, profiles)).toMatchObject({ where: expect.stringMatching(/^snakepit\.yaml:[56]$/) as string, problem: expect.stringMatching(problem) as string });
  });

  it('the mode comes from the profile; a change of the cadence is no change of the session', () => {
    const all = (every: string): Map<string, Wanted> => {
      const found = config(`residents:\n  boss: {prompt: x, every: ${every}, agent: claude:opus:high, mode: interactive}\n  janitor: {prompt: y, every: 1h, agent: claude}\n  web: {command: npm run dev}\n`);
      if (!found.ok) throw new Error(found.error.problem);
      expect(residentFault('snakepit.yaml', '', found.value, profiles)).toBeUndefined();
      return allWanted(found.value, profiles);
    };
    expect([...all('30m').values()].map(({ name, kind, everyMs }) => [name, kind, everyMs])).toEqual([['boss', 'interactive', 1_800_000], ['janitor', 'headless', 3_600_000], ['web', 'service', undefined]]);
    expect(all('30m').get('boss')?.fingerprint).toBe(all('5m').get('boss')?.fingerprint);
  });
});

describe('names and records', () => {
  it('one name begins no other\'s, and the claim names its run', () => {
    const layout = layoutOf('/p');
    expect(residentSession('web', RUN)).toBe('resident-web-aaaaaaaaaa');
    expect(residentMarker('web', RUN)).toBe('resident-web~aaaaaaaaaa');
    expect(nonceOf(claimFile(layout, 'web', RUN).slice(placesOf(layout, 'web').claims.length + 1))).toBe('aaaaaaaaaa');
  });

  it('a record is read as it was written; anything else is none', () => {
    const record = inPhase(UP, 'interactive', { cadence: { dueAt: T0, wake: 'owed', triedAt: T0 } });
    expect(parseRecord(JSON.stringify(record), 'boss')).toEqual(JSON.parse(JSON.stringify(record)));
    const bad = [undefined, '', '{', '[]', 'null', JSON.stringify({ ...record, v: 2 }), JSON.stringify({ ...record, phase: { kind: 'up' } }), JSON.stringify({ ...record, phase: { kind: 'up', run: { ...RUN, nonce: '../../x' } } }), JSON.stringify({ ...record, phase: { kind: 'flying' } }), JSON.stringify({ ...record, healing: {} }), JSON.stringify({ ...record, cadence: 5 })];
    for (const text of bad) expect(parseRecord(text, 'boss')).toBeUndefined();
    expect(parseRecord(JSON.stringify(record), 'web')).toBeUndefined();
  });

  it('every variable that its prompt names is set in its session', () => {
    const env = residentEnv({ PATH: '/bin', SECRET: 'x', SNAKEPIT_TASK_ID: 'parent' }, [], { resident: 'boss', marker: 'm', pitId: 'p', runDir: '/r', workspace: '/w', root: '/p', queue: '/p/queue', binDir: '/p/.snakepit/bin' });
    for (const variable of variablesIn(promptText('resident'))) expect(env).toHaveProperty(variable);
    expect(env).not.toHaveProperty('SECRET');
    expect(env).not.toHaveProperty('SNAKEPIT_TASK_ID');
  });
});

describe('wake: of a task', () => {
  it.each<[string, number | RegExp]>([['30m', 1_800_000], ['1s', 1000], ['10ms', /too short/], ['30', /not a duration/], ['0s', /too short/]])('%s', async (text, expected) => {
    const parsed = await parseTask(Buffer.from(`---\nwake: ${text}\n---\nDo it.\n`));
    if (typeof expected === 'number') expect(parsed.ok && parsed.value.spec.wakeMs).toBe(expected);
    else expect(parsed.ok ? '' : parsed.error.problem).toMatch(expected);
  });
});
