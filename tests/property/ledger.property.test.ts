import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import type * as Book from '../../src/ledger/book.js';
import type { LedgerEntry } from '../../src/ledger/entry.js';
import type * as Price from '../../src/ledger/price.js';
import type * as Enter from '../../src/runs/enter-run.js';
import * as realEnter from '../../src/runs/enter-run.js';
import * as realBook from '../../src/ledger/book.js';
import * as realPrice from '../../src/ledger/price.js';
import type { Files } from '../../src/lib/files.js';
import { layoutOf } from '../../src/protocol/layout.js';
import type { AttemptRecord } from '../../src/protocol/records.js';
import { tokensSince, sumTokens, type TokenCount } from '../../src/protocol/tokens.js';
import { cleanMutants, importMutant, killedBy } from '../rig/mutants.js';
import { Disk } from '../sim/disk.js';
import { forAll, forAllAsync } from './for-all.js';

/*
 * Writers enter runs and are killed at each of their steps, in the middle of a line too; whoever comes next does it again. Each run
 * stands in what is read exactly once, with its own figures, whatever happened, and as soon as one writer came to its end.
 */

const LAYOUT = layoutOf('/pit');
class Killed extends Error {}

/** A disk whose calls die at the n-th; a dying append may leave a part of its line. */
function dying(disk: Disk, steps: number, torn: number): Files {
  let left = steps;
  const step = <T>(act: () => T, half?: () => void): Promise<T> => {
    left -= 1;
    if (left >= 0) return Promise.resolve(act());
    half?.();
    return Promise.reject(new Killed());
  };
  const text = (path: string): Buffer => Buffer.from(disk.text(path) ?? '');
  return {
    list: (dir) => step(() => disk.list(dir)),
    exists: (path) => step(() => disk.exists(path)),
    read: (path) => step(() => disk.text(path)),
    readFrom: (path, offset, max) => step(() => text(path).subarray(offset, offset + max)),
    inspect: (path) => step(() => (disk.exists(String(path)) ? { kind: 'file', size: text(String(path)).length, mtimeMs: 1, links: 1 } : undefined)),
    write: (path, value) => step(() => disk.write(path, String(value), 1)),
    append: (path, value) => step(() => disk.write(path, (disk.text(path) ?? '') + value, 1), () => disk.write(path, (disk.text(path) ?? '') + value.slice(0, Math.floor(value.length * torn)), 1)),
    makeDir: (path) => step(() => disk.makeDir(path, 1)),
  } as Partial<Files> as Files;
}

const runOf = (n: number, figures: number): Enter.EndedRun => ({
  id: `t${n}`,
  dir: `/pit/.snakepit/runs/t${n}/001-aaaaaaaaaa`,
  attempt: { profile: 'claude', account: 'anthropic', attempt: 1, startedAt: 1000, session: 's' } as AttemptRecord,
  endedAt: 2_000_000_000_000 + n * 86_400_000 * 9,
  agent: { tokens: { input: figures, output: n, cacheRead: 0, cacheWrite: 0, reasoning: 0, source: 'transcript', session: 's' } },
  ...(n % 3 === 0 ? { step: `step-${n}` } : {}),
});

type Life = readonly { readonly run: number; readonly steps: number; readonly torn: number }[];
const lives: fc.Arbitrary<Life> = fc.array(fc.record({ run: fc.integer({ min: 0, max: 5 }), steps: fc.integer({ min: 0, max: 9 }), torn: fc.double({ min: 0, max: 1, noNaN: true }) }), { minLength: 1, maxLength: 25 });

const counts = (n: number): number => (n === 4 ? 0 : 10 ** n);

async function live({ enterRun }: Pick<typeof Enter, 'enterRun'>, { LedgerReader }: Pick<typeof Book, 'LedgerReader'>, life: Life): Promise<void> {
  const disk = new Disk();
  const emitted: string[] = [];
  const wanted = new Set<number>();
  const whole = dying(disk, Infinity, 1);
  const reader = new LedgerReader(whole, LAYOUT);
  const read: LedgerEntry[] = [];
  for (const { run, steps, torn } of life) {
    disk.makeDir(runOf(run, 0).dir, 1);
    wanted.add(run);
    const files = dying(disk, steps, torn);
    await enterRun({ files, events: { emit: (event) => Promise.resolve(void emitted.push(event.kind)) } }, LAYOUT, runOf(run, counts(run))).catch(() => undefined);
    await reader.read((entry) => read.push(entry));
  }
  for (const run of wanted) await enterRun({ files: whole, events: { emit: () => Promise.resolve() } }, LAYOUT, runOf(run, counts(run)));
  await reader.read((entry) => read.push(entry));
  const due = [...wanted].filter((run) => run !== 0).map((run) => [`t${run}`, counts(run), run, run % 3 === 0 ? `step-${run}` : undefined]);
  // Of run 0 the figures are 1 and 0; all others are told apart by their powers of ten, and run 4 has output only.
  if (wanted.has(0)) due.push(['t0', 1, 0, 'step-0']);
  expect(read.map((entry) => [entry.id, entry.input, entry.output, entry.step]).sort()).toEqual(due.sort());
}

describe('the ledger', () => {
  afterAll(cleanMutants);

  it('holds each run once, whoever is killed when', () => forAllAsync(lives, (life) => live(realEnter, realBook, life), 400));

  it.each<[string, string, string]>([
    ['ledger/book.js', 'entry.at < this.sinceMs || this.seen.has(key)', 'entry.at < this.sinceMs'],
    ['lib/append-line.js', "last === NEWLINE ? '' : '\\n'", "''"],
    ['ledger/book.js', 'at.offset += bytes.length', 'at.offset += 0 * bytes.length + 1e9'],
    ['ledger/entry.js', "`${run}#${step ?? ''}#${part ?? ''}`", '`${run.slice(2)}`'],
  ])('notices in %s: %s → %s', async (file, find, replace) => {
    // The reader of the copy reads what the real writer wrote, and the other way round.
    const planted = (file.includes('book') ? await importMutant(file, find, replace) : await importBook(file, find, replace)) as typeof Book;
    const enter = { enterRun: realEnter.enterRun };
    const lived = async (): Promise<void> => forAllAsync(lives, (life) => live(find.includes('NEWLINE') ? enterWith(planted) : enter, planted, life), 300);
    expect(await killedBy(lived, undefined)).toBe(true);
  });

  it('notices a mark that lies there before the line', async () => {
    const planted = (await importMutant('runs/enter-run.js', 'const said = await enter(files, layout, entry);', "await files.write(mark, ''); const said = await enter(files, layout, entry);")) as typeof Enter;
    expect(await killedBy(() => forAllAsync(lives, (life) => live(planted, realBook, life), 300), undefined)).toBe(true);
  });

  const halves = async ({ LedgerReader }: Pick<typeof Book, 'LedgerReader'>): Promise<void> => {
    const disk = new Disk();
    const entry = realEnter.entryOf(runOf(1, 5));
    const line = `${JSON.stringify(entry)}\n`;
    disk.makeDir(LAYOUT.ledger, 1);
    const reader = new LedgerReader(dying(disk, Infinity, 1), LAYOUT);
    const read: LedgerEntry[] = [];
    for (const text of [line.slice(0, 40), line, line + line.slice(0, 7)]) {
      disk.write(`${LAYOUT.ledger}/2033-05.jsonl`, text, 1);
      await reader.read((one) => read.push(one));
    }
    expect(read).toEqual([entry]);
    expect(reader.broken).toBe(0);
  };
  it('waits for the other half of a line', async () => {
    await halves(realBook);
    expect(await killedBy(halves, (await importMutant('ledger/book.js', 'at.rest = text.subarray(end)', 'at.rest = Buffer.alloc(0)')) as typeof Book)).toBe(true);
  });

  it('leaves out what is before its day, and reads what came later once', async () => {
    const disk = new Disk();
    const files = dying(disk, Infinity, 1);
    for (const n of [1, 2, 3]) disk.makeDir(runOf(n, 0).dir, 1);
    const reader = new realBook.LedgerReader(files, LAYOUT, runOf(2, 0).endedAt);
    const read: string[] = [];
    for (const n of [1, 2, 3]) {
      await realEnter.enterRun({ files, events: { emit: () => Promise.resolve() } }, LAYOUT, runOf(n, 5));
      await reader.read((entry) => read.push(entry.id));
    }
    expect(read).toEqual(['t2', 't3']);
  });
});

/** The copy's whole ledger with one fault in what it is built on. */
async function importBook(file: string, find: string, replace: string): Promise<typeof Book> {
  const { plantMutant } = await import('../rig/mutants.js');
  const { pathToFileURL } = await import('node:url');
  return (await import(/* @vite-ignore */ pathToFileURL(`${plantMutant(file, find, replace)}/ledger/book.js`).href)) as typeof Book;
}

/** The real entering over a planted book. */
const enterWith = (book: typeof Book): Pick<typeof Enter, 'enterRun'> => ({
  enterRun: async ({ files }, layout, run) => {
    const mark = `${run.dir}/entered`;
    const entry = realEnter.entryOf(run);
    if ((await files.exists(mark)) || entry === undefined) return 'nothing';
    await book.enter(files, layout, entry);
    await files.write(mark, '');
    return 'entered';
  },
});

const figure = fc.integer({ min: 0, max: 1_000_000 });
const count: fc.Arbitrary<TokenCount> = fc.record({ input: figure, output: figure, cacheRead: figure, cacheWrite: figure, reasoning: fc.constant(0), model: fc.constantFrom('a', 'b', 'c') });

describe('figures', () => {
  it('a session that grows by parts has, after each, exactly that part added; by model too', () => {
    forAll(fc.array(count, { minLength: 1, maxLength: 8 }), (parts) => {
      for (let at = 1; at <= parts.length; at += 1) {
        const added = tokensSince(sumTokens(parts.slice(0, at - 1)), sumTokens(parts.slice(0, at)));
        const { model, ...last } = parts[at - 1] as TokenCount;
        expect(added).toEqual({ ...last, model });
      }
    });
  });
});

const price = (input: number | undefined, more: object = {}): object => ({ model: 'm*', fromMs: 0, input, output: 10, cacheRead: 0.1, cacheWrite: 2, source: 'test', ...more });

describe('money', () => {
  const check = ({ moneyOf }: typeof Price): void => {
    const of = (lists: readonly (readonly object[])[], given: TokenCount, at = 5): Price.Money => moneyOf(lists as never, given, 'acc', at);
    const given: TokenCount = { input: 1_000_000, output: 500_000, cacheRead: 2_000_000, cacheWrite: 0, reasoning: 400_000, model: 'm1' };
    expect(of([[], [price(3)]], given)).toEqual({ kind: 'known', usd: 3 + 5 + 0.2 });
    expect(of([[price(1)], [price(3)]], given)).toEqual({ kind: 'known', usd: 1 + 5 + 0.2 });
    expect(of([[price(1), price(7, { fromMs: 5 }), price(9, { fromMs: 6 })], []], given)).toMatchObject({ usd: 7 + 5.2 });
    expect(of([[price(1, { model: 'm1' }), price(7, { fromMs: 5 })], []], given)).toMatchObject({ usd: 1 + 5.2 });
    expect(of([[price(7, { fromMs: 5 }), price(1, { model: 'm1' })], []], given)).toMatchObject({ usd: 1 + 5.2 });
    expect(of([[price(1, { account: 'other' })], [price(3)]], given)).toMatchObject({ usd: 3 + 5.2 });
    expect(of([[price(undefined)], []], given)).toEqual({ kind: 'unknown', why: 'no price is known for input of m1' });
    expect(of([[price(undefined)], []], { ...given, input: 0 })).toEqual({ kind: 'known', usd: 5.2 });
    expect(of([[price(3, { fromMs: 6 })], []], given)).toEqual({ kind: 'unknown', why: 'no price is known for m1' });
    expect(of([[price(3)]], { ...given, model: 'other' })).toMatchObject({ kind: 'unknown' });
    const { model: _model, ...nameless } = given;
    expect(of([[price(3)]], nameless)).toEqual({ kind: 'unknown', why: 'its program names no model' });
    const zero = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, reasoning: 0 };
    expect(of([[price(3)]], { ...given, models: { m1: { ...zero, input: 1_000_000 }, other: { ...zero, output: 1 } } })).toMatchObject({ kind: 'unknown' });
    expect(of([[price(3), price(4, { model: 'other' })]], { ...given, models: { m1: { ...zero, input: 1_000_000 }, other: { ...zero, input: 500_000 } } })).toEqual({ kind: 'known', usd: 5 });
  };
  it('is the sum over kinds and models at the day\'s prices, or unknown', () => check(realPrice));
  it.each<[string, string]>([
    ['price.fromMs <= atMs', 'true'],
    ['perMillion === undefined', 'false'],
    ['used <= 0', 'used < 0'],
    ["if (money.kind === 'unknown')\n            return money;", ''],
    ['letters(b) - letters(a) || b.fromMs', 'b.fromMs'],
    ['lists.flatMap(', 'lists.toReversed().flatMap('],
  ])('notices %s → %s', async (find, replace) => {
    expect(await killedBy(check, (await importMutant('ledger/price.js', find, replace)) as typeof Price)).toBe(true);
  });
});
