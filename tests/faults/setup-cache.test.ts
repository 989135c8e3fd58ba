import { execFile } from 'node:child_process';
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { systemGit } from '../../src/git/run.js';
import type { Files } from '../../src/lib/files.js';
import { linuxProcesses } from '../../src/lib/linux-processes.js';
import { nodeFiles } from '../../src/lib/node-files.js';
import { evict, isCacheKey, keep, readEntry, restore, type CachePorts } from '../../src/workspace/setup-cache.js';
import { Checkouts } from '../rig/checkouts.js';
import { gitIn } from '../rig/repo.js';
import { cleanMutants, importMutant, killedBy } from '../rig/mutants.js';
import { Mortal } from '../rig/mortal.js';

const KEY = 'ab'.repeat(16);
const PATHS = ['node_modules', 'vendor/made'];
const PIECES = Array.from({ length: 20 }, (_none, index) => `p${index}`);

type Cache = { keep: typeof keep; restore: typeof restore; evict: typeof evict };
type Step = (act: () => Promise<unknown>) => Promise<unknown>;

const ran = (program: string, ...args: string[]): Promise<boolean> => new Promise((resolve) => execFile(program, args, (error) => resolve(error === null)));

/** The ports of one that dies; its identity is that of a process which is gone. */
function portsOf(files: Files, step: Step = (act) => act()): CachePorts {
  return {
    files,
    git: systemGit(process.env),
    processes: { self: () => ({ ...linuxProcesses.self(), start: '1' }) },
    copy: async (from, to) => ((await step(() => ran('cp', '-a', '--reflink=auto', '--', from, to))) === true ? { kind: 'copied' } : { kind: 'failed', why: 'cp' }),
    sync: async () => 1024,
  };
}

/** A checkout in which a set-up has made two directories, the same bytes in every piece. */
function site(all: Checkouts, name: string, made?: string): string {
  const dir = join(all.root, '..', `${all.root.split('/').at(-1) ?? ''}-${name}`);
  fs.mkdirSync(dir, { recursive: true });
  gitIn(dir, 'init', '-q');
  fs.writeFileSync(join(dir, '.gitignore'), 'node_modules/\nmade\n');
  if (made !== undefined) for (const path of PATHS) for (const piece of PIECES) write(join(dir, path, 'deep', piece), made);
  return dir;
}

function write(file: string, text: string): void {
  fs.mkdirSync(dirname(file), { recursive: true });
  fs.writeFileSync(file, text);
}

/** All pieces of one checkout or entry hold the same; undefined: some are not there. */
function holds(dirs: readonly string[]): string | undefined {
  const texts = new Set(dirs.flatMap((dir) => PIECES.map((piece) => (fs.existsSync(join(dir, 'deep', piece)) ? fs.readFileSync(join(dir, 'deep', piece), 'utf8') : undefined))));
  return texts.size === 1 ? [...texts][0] : undefined;
}

const inSite = (dir: string): string | undefined => holds(PATHS.map((path) => join(dir, path)));

async function withStage(body: (all: Checkouts) => Promise<void>): Promise<void> {
  const all = new Checkouts('setup-cache');
  try {
    await body(all);
  } finally {
    for (const name of fs.readdirSync(join(all.root, '..'))) if (name.startsWith(`${all.root.split('/').at(-1) ?? ''}-`)) fs.rmSync(join(all.root, '..', name), { recursive: true });
    all.dispose();
  }
}

/** One keeps, one restores and one evicts; whoever dies, wherever: an entry is whole or not there, a restore that says so is whole, and nothing stays lying about. */
async function wholeOrNothing(cache: Cache, deed: 'keep' | 'restore' | 'evict', at: number, when: 'before' | 'after'): Promise<number> {
  let changes = 0;
  await withStage(async (all) => {
    const { layout } = all;
    const from = site(all, 'from', 'one');
    if (deed !== 'keep') expect((await keep(portsOf(nodeFiles), layout, from, KEY, PATHS, 1)).kind).toBe('done');
    const to = site(all, 'to');
    const one = new Mortal(at, when);
    const ports = portsOf(one.files, (act) => one.step(true, act));
    const doing = deed === 'keep' ? cache.keep(ports, layout, from, KEY, PATHS, 1) : deed === 'restore' ? cache.restore(ports, layout, to, KEY) : cache.evict(one.files, ports.processes, layout, KEY);
    const said = await doing.catch(() => undefined);
    changes = one.changes;
    if (deed === 'restore' && typeof said === 'object' && said.kind === 'done') expect(inSite(to)).toBe('one');
    if ((await readEntry(nodeFiles, layout, KEY)) !== undefined) expect(holds([0, 1].map((copy) => join(layout.setupCache, KEY, String(copy))))).toBe('one');
    // Whoever comes next: what lies half is swept by its writer's death, and all goes on.
    await all.round('sweeper');
    expect(fs.existsSync(layout.setupCache) ? fs.readdirSync(layout.setupCache).filter((name) => !isCacheKey(name)) : []).toEqual([]);
    expect((await cache.keep(portsOf(nodeFiles), layout, from, KEY, PATHS, 2)).kind).toBe('done');
    expect((await cache.restore(portsOf(nodeFiles), layout, to, KEY)).kind).toBe('done');
    expect(inSite(to)).toBe('one');
  });
  return changes;
}

it.each(['keep', 'restore', 'evict'] as const)('%s: whoever dies at any change leaves an entry whole, or none', { timeout: 300_000 }, async (deed) => {
  const count = await wholeOrNothing({ keep, restore, evict }, deed, 0, 'before');
  expect(count).toBeGreaterThan(1);
  for (let at = 1; at <= count; at += 1) await wholeOrNothing({ keep, restore, evict }, deed, at, 'before');
  await wholeOrNothing({ keep, restore, evict }, deed, count, 'after');
});

/** One is evicted while another copies: it says that there is none, or has all of it. */
async function evictedMeanwhile(cache: Cache): Promise<void> {
  await withStage(async (all) => {
    const { layout } = all;
    const from = site(all, 'from', 'one');
    await keep(portsOf(nodeFiles), layout, from, KEY, PATHS, 1);
    const to = site(all, 'to');
    let copies = 0;
    const ports = portsOf(nodeFiles);
    const said = await cache.restore({
      ...ports,
      copy: async (source, target) => {
        copies += 1;
        // The copier sees no more of what goes before its eyes, and does not complain: cp of a directory that is emptied ends well.
        if (copies === 1) return ports.copy(source, target);
        await cache.evict(nodeFiles, linuxProcesses, layout, KEY);
        fs.mkdirSync(target);
        return { kind: 'copied' };
      },
    }, layout, to, KEY);
    expect(said.kind).toBe('none');
    expect(fs.existsSync(join(to, 'node_modules'))).toBe(false);
  });
}

it('what is evicted while it is copied counts as not there', () => evictedMeanwhile({ keep, restore, evict }), 60_000);

it('an agent that changes its copy in place changes neither the entry nor another copy; ten restore and two keep at once', { timeout: 120_000 }, () =>
  withStage(async (all) => {
    const { layout } = all;
    const [a, b] = [site(all, 'a', 'one'), site(all, 'b', 'two')];
    const kept = await Promise.all([a, b].map((dir) => keep(portsOf(nodeFiles), layout, dir, KEY, PATHS, 1)));
    expect(kept.map(({ kind }) => kind)).toEqual(['done', 'done']);
    const first = holds([0, 1].map((copy) => join(layout.setupCache, KEY, String(copy))));
    expect(['one', 'two']).toContain(first);
    const sites = Array.from({ length: 10 }, (_none, nth) => site(all, `s${nth}`));
    await Promise.all(sites.map(async (dir, nth) => {
      expect((await restore(portsOf(nodeFiles), layout, dir, KEY)).kind).toBe('done');
      expect(inSite(dir)).toBe(first);
      for (const path of PATHS) fs.appendFileSync(join(dir, path, 'deep', 'p0'), `changed by ${nth}`);
    }));
    expect(holds([0, 1].map((copy) => join(layout.setupCache, KEY, String(copy))))).toBe(first);
    fs.writeFileSync(join(layout.setupCache, KEY, 'entry.json'), 'torn');
    expect((await restore(portsOf(nodeFiles), layout, a, KEY)).kind).toBe('none');
    expect((await keep(portsOf(nodeFiles), layout, b, KEY, PATHS, 1)).kind).toBe('done');
    expect((await restore(portsOf(nodeFiles), layout, a, KEY)).kind).toBe('done');
    expect(inSite(a)).toBe('two');
  }));

it('touches nothing that git does not ignore', () =>
  withStage(async (all) => {
    const from = site(all, 'from', 'one');
    const to = site(all, 'to');
    await keep(portsOf(nodeFiles), all.layout, from, KEY, PATHS, 1);
    fs.writeFileSync(join(to, '.gitignore'), 'node_modules/\n');
    write(join(to, 'vendor/made/mine'), 'work');
    expect((await restore(portsOf(nodeFiles), all.layout, to, KEY)).kind).toBe('failed');
    expect(fs.readFileSync(join(to, 'vendor/made/mine'), 'utf8')).toBe('work');
    fs.writeFileSync(join(from, '.gitignore'), '');
    expect((await keep(portsOf(nodeFiles), all.layout, from, 'cd'.repeat(16), PATHS, 1)).kind).toBe('failed');
  }), 60_000);

it('the sweeper removes what is old, what is too much, and what cannot be read', () =>
  withStage(async (all) => {
    const from = site(all, 'from', 'one');
    for (const key of ['11', '22', '33'].map((two) => two.repeat(16))) await keep(portsOf(nodeFiles), all.layout, from, key, PATHS, 1);
    const use = (two: string, days: number): void => fs.utimesSync(join(all.layout.setupCache, two.repeat(16), 'entry.json'), new Date(), new Date(Date.now() - days * 86_400_000));
    use('11', 20);
    use('22', 5);
    fs.writeFileSync(join(all.layout.setupCache, '33'.repeat(16), 'entry.json'), 'torn');
    expect((await all.round('sweeper')).done).toHaveLength(2);
    expect(fs.readdirSync(all.layout.setupCache)).toEqual(['22'.repeat(16)]);
    expect((await all.round('sweeper', 'setup-cache: {size: 1B}\n')).plan.join()).toContain('setup-cache.size');
    expect(fs.readdirSync(all.layout.setupCache)).toEqual([]);
  }), 60_000);

it.each([
  ['an entry is written in its place', 'workspace/setup-cache.js', "return staged(files, join(layout.setupCache, temporaryName(key, processes.self(), nonce)), async (stage) => {", 'return staged(files, entryDir(layout, key), async (stage) => { await files.write(join(stage, ENTRY), `${JSON.stringify({ v: 1, key, nonce, at: nowMs, bytes: 0, paths: paths.map((path, copy) => ({ path, copy })) })}\\n`);'],
  ['what stays half is nobody\'s', 'workspace/setup-cache.js', "return staged(files, join(layout.setupCache, temporaryName(key, processes.self(), nonce)), async (stage) => {", 'return staged(files, join(layout.setupCache, nonce), async (stage) => {'],
] as const)('notices when %s', async (_what, file, find, replace) => {
  const m = (await importMutant(file, find, replace)) as Cache;
  const sweep = async (one: Cache): Promise<void> => {
    for (let at = 1; at < 6; at += 1) await wholeOrNothing(one, 'keep', at, 'before');
  };
  expect(await killedBy(sweep, m)).toBe(true);
  cleanMutants();
}, 120_000);

it('notices when a reader does not look whether the entry still stands', async () => {
  const m = (await importMutant('workspace/setup-cache.js', "if (!(await stillThere()))", 'if (false)')) as Cache;
  expect(await killedBy(evictedMeanwhile, m)).toBe(true);
  cleanMutants();
}, 120_000);
