import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listBreakers } from '../../src/agents/breaker/store.js';
import { isDigested } from '../../src/cleanup/digest.js';
import { parseEvents } from '../../src/events/event-log.js';
import { holder } from '../../src/lib/baton.js';
import type { Cadence } from '../../src/lib/cadence.js';
import { nodeFiles as files } from '../../src/lib/node-files.js';
import type { Processes } from '../../src/lib/processes.js';
import { readOutbox, readProgress } from '../../src/pings/outbox.js';
import type { Rule } from '../../src/pings/state.js';
import { layoutOf, QUEUE_STATES, type Layout } from '../../src/protocol/layout.js';
import { parseClaim, parseReaping, parseStuck, parseWaiting } from '../../src/protocol/names.js';
import type { MergeRecord } from '../../src/protocol/merging.js';
import { readNever } from '../../src/protocol/never.js';
import { parseExit, parseJson, parseResult, parseSession, type AttemptRecord, type VerdictRecord } from '../../src/protocol/records.js';
import { parseDesired, type Snapshot } from '../../src/protocol/snapshot.js';
import { foreignHost } from '../../src/queue/host.js';
import { awaitedBy, childrenOf } from '../../src/queue/children.js';
import { listState } from '../../src/queue/locate.js';
import { listRefusals } from '../../src/queue/refusals.js';
import { readRecords } from '../../src/recurring/records.js';
import { readParts } from '../../src/residents/parts.js';
import { parseRecord } from '../../src/residents/record.js';
import { parkedAttempt, readQuestion } from '../../src/runs/answers.js';
import { isDecision } from '../../src/runs/decision.js';
import { listHindered } from '../../src/runs/hindered.js';
import { composeStory } from '../../src/runs/publish.js';
import { publishQuestion } from '../../src/runs/question.js';
import { listSnakes } from '../../src/runs/registry.js';
import { pastAttempts, readAgent, readAttempt } from '../../src/runs/run-dir.js';
import type { Watch } from '../../src/watchdog/state.js';
import { Pit, QUICK } from '../rig/pit.js';
import { call } from '../integration/rig.js';

/*
 * A pit's directory as the first version wrote it: a pit that ran, was killed, and lies on a disk until a later snakepit comes by. v1/
 * is never changed, but by adding a file; whoever changes a format keeps its readers reading this one.
 */

const V1 = fileURLToPath(new URL('v1', import.meta.url));

/** v1/ as a pit's directory; `state` stands for .snakepit, which repositories leave out. */
function lay(root: string): void {
  fs.cpSync(join(V1, 'queue'), join(root, 'queue'), { recursive: true });
  fs.cpSync(join(V1, 'state'), join(root, '.snakepit'), { recursive: true });
}

let top = '';
let layout: Layout;
beforeAll(() => {
  top = fs.mkdtempSync(join(tmpdir(), 'formats-'));
  lay(top);
  layout = layoutOf(top);
});
afterAll(() => fs.rmSync(top, { recursive: true, force: true }));

const text = (...parts: string[]): string => fs.readFileSync(join(layout.state, ...parts), 'utf8');
const run = (...parts: string[]): string => join(layout.runs, ...parts);
const DEAD = { liveness: async () => 'dead' } as unknown as Processes;
const ALIVE = { liveness: async () => 'alive' } as unknown as Processes;
const GOOD = 'good/001-hcc63wpsj1';
const ASKS = 'asks/001-tdhrpb9emt';
const SAID = 'said/001-0123456789';
const OLD = 'reaped/007-0123456789';

describe('what the first version wrote is read', () => {
  it('names of every state', async () => {
    const found = Object.fromEntries(await Promise.all(QUEUE_STATES.map(async (state) => [state, (await listState(files, layout, state)).map(({ id }) => id)] as const)));
    expect(found).toEqual({ ready: ['stands'], waiting: ['behind', 'later'], held: ['held'], claimed: ['runs'], reaping: ['reaped'], stuck: ['stuck'], needs: ['asks'], done: ['good'], failed: ['bad'] });
    const only = (state: (typeof QUEUE_STATES)[number]): string => fs.readdirSync(layout.dir(state)).filter((name) => name.includes('~'))[0] ?? '';
    expect(parseClaim(only('claimed'))).toEqual({ id: 'runs', place: { priority: 50, arrivedAt: 1_795_303_929_508 }, counters: { failures: 0, losses: 0, deferrals: 0 }, nonce: 'xtcqwexupn', owner: { snake: 's1', pid: 2257, start: '3828246', boot: '0123abcd' } });
    expect(parseReaping(only('reaping'))).toMatchObject({ id: 'reaped', counters: { failures: 1, losses: 2, deferrals: 3 }, nonce: '0123456789', owner: { snake: 's3', pid: 812 }, reaper: { pid: 930, start: '99888', boot: '0123abcd' } });
    expect(parseStuck(only('stuck'))).toMatchObject({ id: 'stuck', counters: { failures: 1, losses: 2, deferrals: 3 }, nonce: '0123456789' });
    expect(fs.readdirSync(layout.dir('waiting')).map((name) => parseWaiting(name)?.dueAt).sort()).toEqual([0, Date.parse('2099-01-01T00:00Z')]);
    expect(await listRefusals(files, layout)).toMatchObject([{ file: 'refused.md', id: 'refused', line: expect.any(Number), kept: 'refused.refused-f9r6jt3wqb.md' }]);
  });

  it('which children a waiting task waits for, under the name that it had then only', async () => {
    const file = '000000000_50-0mwr1ln5r~behind~0.0.0.md';
    expect(fs.readdirSync(layout.dir('waiting'))).toContain(file);
    expect(await awaitedBy(files, layout, 'behind', file)).toEqual(['good']);
    expect(await awaitedBy(files, layout, 'behind', file.replace('0.0.0', '0.0.1'))).toEqual([]);
    expect(await childrenOf(files, layout, 'behind')).toEqual({ done: ['good'], failed: [], open: [] });
  });

  it('the records of an attempt', async () => {
    expect(await readAttempt(files, run(GOOD))).toMatchObject({ marker: 'good~0.0.0~hcc63wpsj1', agent: 'shell', attempt: 1, boot: '0123abcd', timeoutMs: 3_600_000, privateWorkspace: true, profile: 'shell', mode: 'headless', resumed: false });
    expect(parseExit(text('runs', GOOD, 'exit'))).toEqual({ code: 0, endedAt: 1_795_303_923_000 });
    expect(parseExit(text('runs', OLD, 'exit'))).toEqual({ code: 129, endedAt: 1_795_303_931_000, hungUp: true });
    expect(parseSession(text('runs', GOOD, 'session'), '0123abcd')).toEqual({ leader: { pid: 2401, start: '3828535', boot: '0123abcd' } });
    expect(parseResult(text('runs', GOOD, 'result.json'))).toEqual({ kind: 'done', message: 'it said hello' });
    expect((await pastAttempts(files, layout, 'bad')).map(({ record }) => [record.attempt, record.outcome.kind, record.next.kind])).toEqual([[1, 'failed', 'again'], [2, 'failed', 'failed']]);
    expect(await readAgent(files, run(ASKS))).toMatchObject({ state: { kind: 'blocked-on-permission', source: 'pane', rule: 'menu' }, since: 1_795_303_921_973 });
    expect(parseJson<VerdictRecord>(text('runs', OLD, 'verdict.json'))).toMatchObject({ reason: 'stalled', at: 1_795_303_930_000 });
    expect(parseJson<Watch>(text('runs', ASKS, 'watch.json'))).toMatchObject({ v: 1, progressAt: 1_795_303_921_975, progress: { outputBytes: 289 }, still: false, nudgedAt: [], said: { action: 'none' } });
    expect(parseJson<Cadence>(text('runs', OLD, 'wake.json'))).toEqual({ dueAt: 1_795_305_730_000, wake: 'waiting', triedAt: 0 });
    expect(text('runs', OLD, 'stop').trim()).toBe('stalled');
    expect(Date.parse(text('runs', OLD, 'wait-until').trim())).toBe(Date.parse('2026-11-22T02:00Z'));
  });

  it('its story comes out of the records again, line for line, with what is told beside it today; its question letter for letter', async () => {
    for (const [state, id] of [['done', 'good'], ['failed', 'bad']] as const) {
      const told = (await composeStory(files, layout, state, id)).split('\n');
      let at = -1;
      for (const line of fs.readFileSync(join(layout.dir(state), `${id}.result.md`), 'utf8').split('\n')) {
        at = told.indexOf(line, at + 1);
        expect(at, `${id}: ${line}`).toBeGreaterThanOrEqual(0);
      }
    }
    const parked = await parkedAttempt(files, layout, 'asks');
    if (parked === undefined) throw new Error('nothing is parked');
    expect(await readQuestion(files, parked)).toMatchObject({ screen: expect.stringContaining('May I delete the branch?') });
    const before = fs.readFileSync(join(layout.dir('needs'), 'asks.question.md'), 'utf8');
    await publishQuestion(files, layout, 'asks');
    // The workspace is told as seen from the project, which lay elsewhere then.
    const apart = (question: string): string => question.replace(/^- \*\*workspace\*\*.*$/m, '');
    expect(apart(fs.readFileSync(join(layout.dir('needs'), 'asks.question.md'), 'utf8'))).toBe(apart(before));
  });

  it('a question that was asked in words, and when the last instance of a template was made', async () => {
    expect(parseResult(text('runs', SAID, 'result.json'))).toEqual({ kind: 'ask', message: 'Keep the old table, or drop it?' });
    const parked = await parkedAttempt(files, layout, 'said');
    if (parked === undefined) throw new Error('nothing is parked');
    expect(await readQuestion(files, parked)).toEqual({ screen: 'Keep the old table, or drop it?', message: 'I have looked.', evidence: '' });
    expect((await readRecords(files, layout)).get('triage')).toMatchObject({ file: 'snakepit.yaml: specialists.triage', madeAt: 1_795_303_919_237, told: '-' });
  });

  it('what became of branches: parked by its merge and merged without a session, pushed and proposed, rejected by a person', async () => {
    const merged = await pastAttempts(files, layout, 'merged');
    expect(merged.map(({ record }) => [record.outcome.kind, record.merge?.kind, record.next.kind])).toEqual([['parked', 'blocked', 'parked'], ['done', 'merged', 'done']]);
    expect((await readAttempt(files, run('merged/001-aaaaaaaaa1')))?.onlyMerge).toBeUndefined();
    expect(await readAttempt(files, run('merged/002-aaaaaaaaa2'))).toMatchObject({ onlyMerge: true, resumed: true, worktree: { branch: 'snakepit/merged', baseName: 'main' } });
    expect(parseJson<MergeRecord>(text('runs', 'merged/002-aaaaaaaaa2', 'merge.json'))).toMatchObject({ v: 1, into: 'main', candidate: { conflicts: [], violations: [] }, end: { kind: 'merged', into: 'main' } });
    expect(await composeStory(files, layout, 'done', 'merged')).toMatch(/^# Done: [^]*after 2 attempts$[^]*\*\*merged\*\*: into main as 4c4c4c4c4c/m);
    const pushed = parseJson<MergeRecord>(text('runs', 'proposed/001-bbbbbbbbb1', 'merge.json'));
    expect([pushed?.pushed, pushed?.end]).toMatchObject(['2e'.repeat(20), { kind: 'proposed', remote: 'origin', branch: 'snakepit/proposed', commit: '2e'.repeat(20), url: 'https://example.org/pull/7' }]);
    expect(await composeStory(files, layout, 'done', 'proposed')).toContain('https://example.org/pull/7');
    expect((await pastAttempts(files, layout, 'rejected')).map(({ record }) => [isDecision(record), record.outcome.kind])).toEqual([[false, 'done'], [true, 'failed']]);
    expect(await composeStory(files, layout, 'failed', 'rejected')).toMatch(/^# Failed: [^]*after 1 attempt; a person decided$[^]*\*\*why\*\*: rejected: not what I meant; what it made is kept as refs/m);
  });

  it('why a task ended untried', async () => {
    expect(await readNever(files, layout, 'never')).toEqual({ v: 1, why: 'cancelled: a person cancelled it before it ran', at: 1_795_303_940_000 });
    expect(await composeStory(files, layout, 'failed', 'never')).toMatch(/^# Failed: [^]*\*\*why\*\*: cancelled: a person cancelled it before it ran/);
  });

  it('what the pit remembers', async () => {
    expect(parseJson<Snapshot>(text('snapshot.json'))).toMatchObject({ v: 1, pit: { pid: 2147 }, mode: 'run', wanted: 2, snakes: [{ snake: 's1', state: 'up', pid: 2257 }, { snake: 's2' }], residents: [{ resident: 'web', kind: 'service', state: 'up' }], counts: { ready: 1, waiting: 2, needs: 1 }, tmux: 'up', sessions: 2 });
    expect(parseDesired(parseJson(text('desired.json')))).toEqual({ snakes: 2, mode: 'run', generation: 1 });
    expect((await listSnakes(files, DEAD, layout)).map(({ snake, process }) => [snake, process.pid]).sort()).toEqual([['s1', 2257], ['s2', 2258]]);
    expect(await holder(files, ALIVE, layout.locks.pit)).toEqual({ pid: 2147, start: '3827668', boot: '0123abcd' });
    expect(await holder(files, ALIVE, layout.locks.intake)).toBeUndefined();
    expect(await foreignHost(files, layout)).toBe('elsewhere');
    expect((await readRecords(files, layout)).get('nightly')).toMatchObject({ v: 1, file: 'nightly.md', key: 'every 3600000', nextDueAt: 1_795_307_460_000, spent: [] });
    expect(parseRecord(text('residents', 'web', 'resident.json'), 'web')).toMatchObject({ v: 1, kind: 'service', phase: { kind: 'up', run: { nonce: 'ff6gc9e0dv', boot: '0123abcd' } }, healing: { restarts: [], streak: 0, breaker: { kind: 'closed' } } });
    const counted = await readParts(files, { dir: join(layout.residents, 'web/runs/ff6gc9e0dv'), attempt: { startedAt: 0 } as AttemptRecord });
    expect(counted).toMatchObject({ v: 1, part: 2, sessions: { '11111111-2222-4333-8444-555555555555': { input: 900, model: 'claude-opus-4-5' } }, owed: { kind: 'resident', run: 'web/ff6gc9e0dv', part: 2, input: 400, baseline: { input: 500 } } });
    expect(await listHindered(files, ALIVE, layout)).toEqual([{ who: 's1', since: 1_795_303_930_000, why: expect.stringMatching(/^EACCES while writing/) }]);
    expect(await isDigested(files, layout, { v: 1, id: 'old', run: '001-0123456789', log: 'output.log', bytes: 6, lines: 1, tail: ['hello'], at: 1_791_000_000_000 })).toBe(true);
  });

  it('breakers, and the format before that', async () => {
    expect(await listBreakers(files, layout.breakers)).toMatchObject([
      { v: 2, account: 'first', state: { kind: 'open', reason: 'usage-limited', evidence: 'resets 3am', until: 1_795_310_000_000 }, strikes: 2, openedAt: 1_795_300_000_000, failing: {} },
      { v: 2, account: 'second', state: { kind: 'half-open', probe: { id: 'runs' } }, strikes: 3, backoffMs: 60_000, failing: { fake: { markers: ['a~0.0.0~0123456789'] } } },
    ]);
  });

  it('cursors and the outbox of pings', async () => {
    const rule = (name: string, on: Rule['on']): Rule => ({ name, on, to: ['person'], message: '' });
    const { ['told']: told, ['commits']: commits, ['box']: box } = Object.fromEntries(['told', 'commits', 'box'].map((name) => [name, rule(name, (parseJson<{ on: Rule['on'] }>(text('pings', 'cursors', `${name}.json`)) as { on: Rule['on'] }).on)]));
    expect((await readProgress(files, layout, told as Rule)).cursor).toEqual({ kind: 'log', file: 'f49057a7accacfb3', offset: 4437, recent: [] });
    expect((await readProgress(files, layout, commits as Rule)).cursor).toMatchObject({ kind: 'commit', sha: '52719bb45d8d2f12df4f5e9e48f1723737361f30' });
    expect((await readProgress(files, layout, box as Rule)).cursor).toMatchObject({ kind: 'inbox', seen: { 'seen.md': '5891b5b522d5df086d0ff0b110fbd9d2' } });
    const phone = rule('hook:phone', { kind: 'events', kinds: ['task-done', 'task-failed'] });
    expect(await readProgress(files, layout, phone)).toMatchObject({ cursor: { offset: 4437 }, held: { toldAt: 1790000000000, quiet: { count: 2, kinds: { 'task-done': 1, 'task-failed': 1 } }, closed: [{ count: 1 }] } });
    expect((await readOutbox(files, layout)).map(({ rule: of, state }) => [of, state.kind])).toEqual([['told', 'queued'], ['told', 'begun'], ['told', 'settled']]);
  });

  it('every line of the event log', () => {
    const lines = text('log', 'events.jsonl').trimEnd().split('\n');
    const events = parseEvents(lines.join('\n'));
    expect(events.length).toBe(lines.length);
    expect(new Set(events.map(({ kind }) => kind))).toEqual(new Set(['pit-started', 'snake-started', 'task-added', 'task-refused', 'task-claimed', 'session-launched', 'session-ended', 'task-done', 'task-failed', 'task-requeued', 'task-parked', 'task-held', 'resident-started', 'agent-state', 'asked', 'ping-queued', 'ping-delivered', 'queue-paused', 'task-promoted']));
    expect(events.find((event) => event.kind === 'task-done')).toMatchObject({ v: 1, id: 'good', attempt: 1, marker: 'good~0.0.0~hcc63wpsj1' });
  });
});

it('a pit of today takes over where that one was killed: everything keeps its place, what ran is begun anew', { timeout: 180_000 }, async () => {
  const pit = new Pit({ config: [...QUICK, 'agent: shell'] });
  try {
    fs.rmSync(pit.layout.queue, { recursive: true });
    lay(pit.root);
    // Its host is this one: another's claims would be left alone.
    fs.rmSync(pit.layout.host);
    for (const command of [['ls'], ['status'], ['show', 'good'], ['show', 'asks'], ['explain', 'asks'], ['explain', 'runs'], ['events'], ['needs'], ['logs', 'good'], ['breakers'], ['pings'], ['recurring'], ['ls', '--json'], ['cleanup', '--dry-run']]) {
      const called = await call(pit, command);
      expect(`${command.join(' ')}: ${called.stderr}`).toBe(`${command.join(' ')}: `);
      expect(called.stdout.length).toBeGreaterThan(5);
    }
    await pit.up(2);
    await pit.until('what was in line, and what a reaper had in hand, has ended or runs', () => false === pit.files('ready').some((name) => name.includes('~reaped~')) && pit.files('reaping').length === 0, 30_000);
    await pit.ok('resume');
    await pit.until('what stood in line is done', () => pit.files('done').includes('stands.md'), 60_000);
    await pit.until('what ran runs again', () => pit.events().some((event) => event.kind === 'session-launched' && event.id === 'runs' && !event.marker.endsWith('xtcqwexupn')), 60_000);
    const ids = async (state: (typeof QUEUE_STATES)[number]): Promise<string[]> => (await listState(files, pit.layout, state)).map(({ id }) => id);
    expect(await ids('waiting')).toEqual(['behind', 'later']);
    expect(await ids('held')).toEqual(['held']);
    expect(await ids('stuck')).toEqual(['stuck']);
    expect(await ids('needs')).toEqual(['asks']);
    expect(await ids('claimed')).toEqual(['runs']);
    expect((await ids('done')).sort()).toEqual(['good', 'stands']);
    expect(await ids('failed')).toEqual(['bad', 'reaped']);
    expect(await pit.ok('answer', 'asks', 'yes')).toContain('asks is ready again');
  } finally {
    await pit.dispose();
  }
});
