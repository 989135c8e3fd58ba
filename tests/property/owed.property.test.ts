import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { loadProfiles } from '../../src/agents/load-profiles.js';
import type { AgentProfile } from '../../src/agents/profile.js';
import { LedgerReader } from '../../src/ledger/book.js';
import type { LedgerEntry } from '../../src/ledger/entry.js';
import type { Files } from '../../src/lib/files.js';
import type { ProcessIdentity, Processes } from '../../src/lib/processes.js';
import { layoutOf } from '../../src/protocol/layout.js';
import { printClaim } from '../../src/protocol/names.js';
import type { AttemptRecord } from '../../src/protocol/records.js';
import type * as CountRun from '../../src/runs/count-run.js';
import * as realCountRun from '../../src/runs/count-run.js';
import type * as Owed from '../../src/runs/owed.js';
import * as realOwed from '../../src/runs/owed.js';
import { cleanMutants, killedBy, plantMutant } from '../rig/mutants.js';
import { Disk } from '../sim/disk.js';
import { forAllAsync } from './for-all.js';

/*
 * Attempts of one task add to one session, or begin a new one. Each is counted by whoever gets to it: the reaper under its claim, cleaners
 * beside it, the snake of the next attempt; all of them slow in their own way, and killed at any of their steps. As soon as one
 * came to its end, each attempt stands in the ledger once, with what it alone has used.
 */

const LAYOUT = layoutOf('/pit');
const TASK = 't';
const HOME = '/pit/.snakepit/homes/t/claude';
const ROOM = `${HOME}/projects/work`;
const built = loadProfiles({});
const CLAUDE: AgentProfile = built.ok ? { ...(built.value['claude'] as AgentProfile), account: 'acc' } : fail();
function fail(): never {
  throw new Error('the profiles do not load');
}

class Killed extends Error {}
const later = (): Promise<void> => new Promise((resolve) => { setImmediate(resolve); });

/** Somebody who counts: dies at the n-th step, and does each of the first ones only after so many turns of the others. */
class Party {
  readonly me: ProcessIdentity;
  dead = false;
  private left: number;
  private readonly slow: readonly number[];
  private step = 0;
  constructor(number: number, steps: number, slow: readonly number[]) {
    this.me = { pid: 5000 + number, start: '1', boot: 'aaaaaaaa' };
    this.left = steps;
    this.slow = slow;
  }
  async act<T>(act: () => T): Promise<T> {
    for (let turns = this.slow[(this.step += 1) % Math.max(1, this.slow.length)] ?? 0; turns > 0; turns -= 1) await later();
    this.left -= 1;
    if (this.left < 0) this.dead = true;
    if (this.dead) throw new Killed();
    return act();
  }
}

function filesOf(disk: Disk, party: Party): Files {
  const bytes = (path: string): Buffer => Buffer.from(disk.text(path) ?? '');
  return {
    list: (dir) => party.act(() => disk.list(dir)),
    exists: (path) => party.act(() => disk.exists(path)),
    read: (path) => party.act(() => disk.text(path)),
    readBytes: (path) => party.act(() => (disk.exists(String(path)) ? bytes(String(path)) : undefined)),
    readFrom: (path, offset, max) => party.act(() => bytes(path).subarray(offset, offset + max)),
    mtimeMs: (path) => party.act(() => disk.mtimeMs(path)),
    inspect: (path) => party.act(() => {
      const kind = disk.kind(String(path));
      return kind === undefined ? undefined : { kind, size: bytes(String(path)).length, mtimeMs: 1, links: 1 };
    }),
    write: (path, value) => party.act(() => disk.write(path, String(value), 1)),
    append: (path, value) => party.act(() => disk.write(path, (disk.text(path) ?? '') + value, 1)),
    makeDir: (path) => party.act(() => disk.makeDir(path, 1)),
    rename: (from, to) => party.act(() => disk.rename(String(from), to)),
  } as Partial<Files> as Files;
}

const ways = fc.record({ steps: fc.oneof(fc.integer({ min: 0, max: 60 }), fc.constant(1e9)), slow: fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 5 }) });
const lives = fc.record({
  /** Of each attempt: whether it goes on with the session before it, loses its claim while it runs, who reaps it, who else comes by, and the snakes that try to go on; the last of these is not killed. */
  attempts: fc.array(fc.record({ resumes: fc.boolean(), astray: fc.boolean(), reaper: fc.option(ways, { nil: undefined }), cleaners: fc.array(ways, { maxLength: 3 }), snakes: fc.array(ways, { maxLength: 2 }), last: fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 5 }) }), { minLength: 1, maxLength: 4 }),
});
/** Nobody dies, and many count at once. */
const slow = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 5 });
const crowds: typeof lives = fc.record({
  attempts: fc.array(fc.record({ resumes: fc.constant(true), astray: fc.boolean(), reaper: fc.constant(undefined), cleaners: fc.array(fc.record({ steps: fc.constant(1e9), slow }), { minLength: 2, maxLength: 3 }), snakes: fc.constant([]), last: slow }), { minLength: 3, maxLength: 3 }),
});
type Life = typeof lives extends fc.Arbitrary<infer T> ? T : never;

async function live(owed: Pick<typeof Owed, 'countOwed'>, counts: Pick<typeof CountRun, 'countRun'>, { attempts }: Life): Promise<void> {
  const disk = new Disk();
  for (const dir of [ROOM, LAYOUT.dir('claimed'), `${LAYOUT.runs}/${TASK}/counting`]) disk.makeDir(dir, 1);
  disk.write(`${LAYOUT.runs}/${TASK}/counting/free`, '', 1);
  const parties: Party[] = [];
  const living = new Set<number>();
  const enlist = (steps: number, slow: readonly number[]): Realm => {
    const party = new Party(parties.length, steps, slow);
    parties.push(party);
    const processes = { self: () => party.me, boot: () => 'aaaaaaaa', liveness: ({ pid }: ProcessIdentity) => Promise.resolve(living.has(pid) || parties.some((one) => one.me.pid === pid && !one.dead) ? 'alive' : 'dead') } as Partial<Processes> as Processes;
    return { files: filesOf(disk, party), processes, clock: { wallMs: () => 77, monoMs: () => 77, sleep: later }, events: { emit: () => Promise.resolve() } };
  };
  const setting = { layout: LAYOUT, config: { env: [] }, pitId: 'p', asRoot: false, outerEnv: {}, profiles: () => Promise.resolve({ claude: CLAUDE }) };
  const wanted: [number, number, number | undefined][] = [];
  const others: Promise<unknown>[] = [];
  let session = '';
  let before = 0;
  for (const [index, { resumes, astray, reaper, cleaners, snakes, last }] of attempts.entries()) {
    const resumed = resumes && index > 0;
    if (!resumed) [session, before] = [`session-${index}`, 0];
    const nonce = `aaaaaaaaa${index}`;
    const dir = `${LAYOUT.runs}/${TASK}/00${index + 1}-${nonce}`;
    const claim = `${LAYOUT.dir('claimed')}/${printClaim({ id: TASK, place: { priority: 50, arrivedAt: 1 }, counters: { failures: 0, losses: 0, deferrals: index }, nonce, owner: { snake: 's1', pid: 9, start: '9', boot: 'aaaaaaaa' } })}`;
    if (!astray) disk.write(claim, '', 1);
    disk.makeDir(dir, 1);
    const attempt = { profile: 'claude', agent: 'claude', account: 'acc', mode: 'interactive', attempt: index + 1, startedAt: index * 10 + 1, session, resumed, home: HOME, workspace: '/w', boot: 'aaaaaaaa' } as AttemptRecord;
    disk.write(`${dir}/attempt.json`, JSON.stringify(attempt), 1);
    disk.write(`${dir}/session`, `${900 + index} 1\n`, 1);
    living.add(900 + index);
    const used = 10 ** index;
    const file = `${ROOM}/${session}.jsonl`;
    // Cleaners come by while it runs, too.
    for (const { steps, slow } of cleaners) others.push(owed.countOwed(enlist(steps, slow), setting, TASK, { programs: true }).catch(ofKill));
    for (let turn = 0; turn < 6; turn += 1) {
      disk.write(file, `${disk.text(file) ?? ''}${JSON.stringify({ type: 'assistant', sessionId: session, message: { id: `m${index}-${turn}`, model: 'm', usage: { input_tokens: used, output_tokens: 0 } } })}\n`, 1);
      await later();
    }
    wanted.push([index + 1, 6 * used, resumed ? before : undefined]);
    before += 6 * used;
    living.delete(900 + index);
    disk.write(`${dir}/outcome.json`, JSON.stringify({ marker: `t~0.0.${index}~${nonce}`, attempt: index + 1, agent: 'claude', endedAt: index * 10 + 5, outcome: { kind: 'lost', detail: '' }, next: { kind: 'failed' } }), 1);
    if (reaper !== undefined) await counts.countRun(enlist(reaper.steps, reaper.slow), setting, { id: TASK, dir, attempt, endedAt: index * 10 + 5 }).catch(ofKill);
    disk.remove(claim);
    for (const { steps, slow } of cleaners) others.push(owed.countOwed(enlist(steps, slow), setting, TASK, { programs: true }).catch(ofKill));
    // The next attempt begins only once a snake was told that nobody counts any more; the last of them is not killed.
    for (const { steps, slow } of [...snakes, { steps: 1e9, slow: last }]) {
      const realm = enlist(steps, slow);
      const ask = async (): Promise<string> => (await owed.countOwed(realm, setting, TASK, { programs: true, marker: 'm' })).kind;
      let told = await ask().catch(ofKill);
      while (told === 'held') {
        await later();
        told = await ask().catch(ofKill);
      }
      if (told === 'clear') break;
    }
  }
  await Promise.all(others);
  const read: LedgerEntry[] = [];
  await new LedgerReader(filesOf(disk, new Party(0, Infinity, [])), LAYOUT).read((entry) => read.push(entry));
  expect(read.map((entry) => [entry.attempt, entry.input, entry.baseline?.input])).toEqual(wanted);
}

type Realm = Owed.OwedPorts;

function ofKill(cause: unknown): string {
  if (cause instanceof Killed) return 'killed';
  throw cause;
}

describe('what is owed', () => {
  afterAll(cleanMutants);
  it('is entered once, with what each attempt used, whoever is killed when', { timeout: 120_000 }, () => forAllAsync(fc.oneof(lives, crowds), (life) => live(realOwed, realCountRun, life), 120));

  it.each<[string, string, string, string]>([
    ['nobody asks for the lock', 'runs/owed.js', "const lock = await take(files, processes, join(layout.runs, id, 'counting'));", "const lock = { kind: 'taken', release: async () => undefined };"],
    ['what runs is counted too', 'runs/owed.js', "(await processes.liveness(leader)) !== 'dead'", 'false'],
    ['the figures are not kept', 'runs/count-run.js', 'await files.write(join(dir, RUN_FILES.agentEnd)', 'void (join(dir, RUN_FILES.agentEnd)'],
    ['the mark lies there before the line', 'runs/enter-run.js', 'const said = await enter(files, layout, entry);', "await files.write(mark, ''); const said = await enter(files, layout, entry);"],
    ['what was there before is not taken off', 'runs/count-run.js', 'const before = attempt.resumed ?', 'const before = false ?'],
  ])('notices that %s', { timeout: 120_000 }, async (_what, file, find, replace) => {
    const at = (module: string): string => pathToFileURL(join(planted, 'runs', module)).href;
    const planted = plantMutant(file, find, replace);
    const owed = (await import(/* @vite-ignore */ at('owed.js'))) as typeof Owed;
    const counts = (await import(/* @vite-ignore */ at('count-run.js'))) as typeof CountRun;
    expect(await killedBy(() => fc.assert(fc.asyncProperty(fc.oneof(lives, crowds), (life) => live(owed, counts, life)), { numRuns: 400, endOnFailure: true }), undefined)).toBe(true);
  });
});
