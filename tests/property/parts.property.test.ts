import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { loadProfiles } from '../../src/agents/load-profiles.js';
import type { AgentProfile } from '../../src/agents/profile.js';
import { LedgerReader } from '../../src/ledger/book.js';
import type { LedgerEntry } from '../../src/ledger/entry.js';
import type { Files } from '../../src/lib/files.js';
import { layoutOf } from '../../src/protocol/layout.js';
import type { AttemptRecord } from '../../src/protocol/records.js';
import { runDirOf } from '../../src/residents/places.js';
import type { ResidentPorts, ResidentSetting } from '../../src/residents/ports.js';
import type { Run } from '../../src/residents/state.js';
import type * as Tallies from '../../src/residents/tally.js';
import * as realTallies from '../../src/residents/tally.js';
import { cleanMutants, killedBy, plantMutant } from '../rig/mutants.js';
import { Disk } from '../sim/disk.js';
import { forAllAsync } from './for-all.js';

/*
 * A resident's session grows; its pit looks at it now and then, is killed in the middle of a look, and another goes on. The parts in the
 * ledger are all that its sessions have used, nothing twice, and each begins where the one before it ended.
 */

const LAYOUT = layoutOf('/pit');
const RUN: Run = { nonce: 'aaaaaaaaaa', at: 1000, boot: 'b' };
const DIR = runDirOf(LAYOUT, 'boss', RUN);
const HOME = '/pit/.snakepit/residents/boss/home/claude';
const built = loadProfiles({});
const claude = (built.ok ? built.value['claude'] : undefined) as AgentProfile;

class Killed extends Error {}

function dying(disk: Disk, steps: number): Files {
  let left = steps;
  const step = <T>(act: () => T): Promise<T> => ((left -= 1) < 0 ? Promise.reject(new Killed()) : Promise.resolve(act()));
  const bytes = (path: string): Buffer => Buffer.from(disk.text(path) ?? '');
  return {
    list: (dir) => step(() => disk.list(dir)),
    exists: (path) => step(() => disk.exists(path)),
    read: (path) => step(() => disk.text(path)),
    readBytes: (path) => step(() => (disk.exists(String(path)) ? bytes(String(path)) : undefined)),
    readFrom: (path, offset, max) => step(() => bytes(path).subarray(offset, offset + max)),
    mtimeMs: (path) => step(() => disk.mtimeMs(path)),
    inspect: (path) => step(() => {
      const kind = disk.kind(String(path));
      return kind === undefined ? undefined : { kind, size: bytes(String(path)).length, mtimeMs: 1, links: 1 };
    }),
    write: (path, value) => step(() => disk.write(path, String(value), 1)),
    append: (path, value) => step(() => disk.write(path, (disk.text(path) ?? '') + value, 1)),
    makeDir: (path) => step(() => disk.makeDir(path, 1)),
  } as Partial<Files> as Files;
}

/** `steps`: until the pit dies in this look; one that never does goes on with its own memory. */
const looks = fc.array(fc.record({ turns: fc.array(fc.integer({ min: 0, max: 1000 }), { maxLength: 4 }), another: fc.boolean(), steps: fc.oneof(fc.integer({ min: 0, max: 30 }), fc.constant(1e9)) }), { minLength: 1, maxLength: 12 });
type Looks = typeof looks extends fc.Arbitrary<infer T> ? T : never;

async function live({ Tally }: Pick<typeof Tallies, 'Tally'>, life: Looks): Promise<void> {
  const disk = new Disk();
  disk.makeDir(`${HOME}/projects/work`, 1);
  disk.makeDir(DIR, 1);
  let session = 'session-0';
  const attempt = { profile: 'claude', agent: 'claude', account: 'acc', mode: 'interactive', attempt: 1, startedAt: 1000, session, resumed: false, home: HOME, workspace: '/w', boot: 'b', resident: true } as AttemptRecord;
  disk.write(`${DIR}/attempt.json`, JSON.stringify(attempt), 1);
  disk.write(`${DIR}/session`, '7 1\n', 1);
  const setting: ResidentSetting = { layout: LAYOUT, pitId: 'p', outerEnv: {}, asRoot: false, viewer: [] };
  let tally = new Tally();
  let wallMs = 1000;
  const look = (steps: number, over: boolean): Promise<boolean> => {
    const ports = { files: dying(disk, steps), clock: { wallMs: () => wallMs, monoMs: () => wallMs, sleep: () => Promise.resolve() } } as Partial<ResidentPorts> as ResidentPorts;
    return tally.look(ports, setting, { env: [] }, { claude }, 'boss', RUN, over).then(() => true, (cause: unknown) => {
      if (!(cause instanceof Killed)) throw cause;
      tally = new Tally();
      return false;
    });
  };
  const used = new Map<string, number>();
  let turn = 0;
  let begun = 0;
  const spend = (turns: readonly number[]): void => {
    const file = `${HOME}/projects/work/${session}.jsonl`;
    for (const input of turns) {
      disk.write(file, `${disk.text(file) ?? ''}${JSON.stringify({ type: 'assistant', sessionId: session, message: { id: `m${(turn += 1)}`, model: 'm', usage: { input_tokens: input, output_tokens: 0 } } })}\n`, 1);
      used.set(session, (used.get(session) ?? 0) + input);
    }
  };
  for (const { turns, another, steps } of life) {
    if (another) {
      // Each session was looked at before it is left; its last turns need not have been.
      if (!(await look(steps, false))) await look(1e9, false);
      spend(turns);
      session = `session-${(begun += 1)}`;
      disk.write(`${DIR}/agent.json`, JSON.stringify({ state: { kind: 'idle', source: 'event', rule: 'r', evidence: '' }, since: 1, session }), 1);
    }
    spend(turns);
    wallMs += 61_000;
    await look(steps, false);
  }
  for (const { steps } of life) if (await look(steps, true)) break;
  await look(1e9, true);
  await look(1e9, true);
  const entries: LedgerEntry[] = [];
  await new LedgerReader(dying(disk, Infinity), LAYOUT).read((entry) => entries.push(entry));
  const sums = new Map<string, number>();
  for (const entry of entries) {
    expect([entry.kind, entry.id, entry.run]).toEqual(['resident', 'boss', `boss/${RUN.nonce}`]);
    if (entry.uncounted !== undefined) continue;
    expect(entry.baseline?.input ?? 0).toBe(sums.get(entry.session) ?? 0);
    sums.set(entry.session, (sums.get(entry.session) ?? 0) + entry.input);
    expect(entry.ms).toBeLessThanOrEqual(60_000);
  }
  expect(entries.map(({ part }) => part)).toEqual(entries.map((_, index) => index + 1));
  expect(sums).toEqual(new Map([...used].filter(([, count]) => count > 0)));
}

describe('the parts of a resident', () => {
  afterAll(cleanMutants);

  it('come to what it used, whoever is killed when', { timeout: 60_000 }, () => forAllAsync(looks, (life) => live(realTallies, life), 150));

  it.each<[string, string, string, string]>([
    ['the line is written before it is known to be owed', 'residents/parts.js', 'await files.write(join(run.dir, RUN_FILES.counted), `${JSON.stringify(next)}\\n`);', ''],
    ['what is owed is forgotten', 'residents/parts.js', 'await enter(files, layout, owed);', 'if (parts.part % 2 === 0) await enter(files, layout, owed);'],
    ['what was counted is not taken off', 'residents/parts.js', 'known ?? sumTokens([])', 'sumTokens([])'],
    ['sessions of before are not looked at any more', 'residents/tally.js', "[attempt.session] : known", "[attempt.session] : [session]"],
    ['a new pit pays nothing that is owed', 'residents/tally.js', 'let parts = await settleParts(files, setting.layout, counted, before);', 'let parts = before;'],
  ])('notices that %s', { timeout: 60_000 }, async (_what, file, find, replace) => {
    const planted = plantMutant(file, find, replace);
    const tallies = (await import(/* @vite-ignore */ pathToFileURL(join(planted, 'residents', 'tally.js')).href)) as typeof Tallies;
    expect(await killedBy(() => fc.assert(fc.asyncProperty(looks, (life) => live(tallies, life)), { numRuns: 300, endOnFailure: true }), undefined)).toBe(true);
  });
});
