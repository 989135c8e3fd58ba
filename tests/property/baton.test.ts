import { fork, type ChildProcess } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as realBaton from '../../src/lib/baton.js';
import type { Files, Path } from '../../src/lib/files.js';
import { linuxProcesses } from '../../src/lib/linux-processes.js';
import { nodeFiles } from '../../src/lib/node-files.js';
import { sameProcess, type Liveness, type ProcessIdentity, type Processes } from '../../src/lib/processes.js';
import { cleanMutants, importMutant, killedBy, plantMutant } from '../rig/mutants.js';
import { until } from '../rig/until.js';

type Baton = typeof realBaton;

const DIST = fileURLToPath(new URL('../../dist', import.meta.url));
const CONTENDER = fileURLToPath(new URL('./baton-contender.mjs', import.meta.url));
const DEADLINE_MS = 30_000;

let dir = '';
const lock = (): string => join(dir, 'lock');
beforeEach(() => {
  dir = fs.mkdtempSync(join(tmpdir(), 'baton-'));
});
afterEach(() => {
  fs.rmSync(dir, { recursive: true, force: true });
});
afterAll(cleanMutants);

/** The process table as one process sees it; the rest is unused by the lock. */
const seenBy = (me: ProcessIdentity, liveness: (of: ProcessIdentity) => Liveness): Processes => ({
  self: () => me,
  boot: () => me.boot,
  liveness: async (of) => liveness(of),
  markers: async () => new Map(), table: async () => [], find: async () => ({ complete: false, processes: [] }),
  signal: async () => {},
});
const person = (pid: number): ProcessIdentity => ({ pid, start: String(pid * 100), boot: '6fd0c2e1' });
const held = ({ pid, start, boot }: ProcessIdentity): string => `held~${pid}~${start}~${boot}`;

const unknownIsHeld = async (m: Baton): Promise<void> => {
  const mine = join(fs.mkdtempSync(join(dir, 'unknown-')), 'lock');
  const [a, b] = [person(1), person(2)];
  expect(await m.take(nodeFiles, seenBy(a, () => 'alive'), mine)).toMatchObject({ kind: 'taken' });
  for (const liveness of ['alive', 'unknown'] as const) {
    expect(await m.take(nodeFiles, seenBy(b, () => liveness), mine)).toEqual({ kind: 'held', by: a });
    expect(await m.holder(nodeFiles, seenBy(b, () => liveness), mine)).toEqual(a);
  }
  expect(await m.holder(nodeFiles, seenBy(b, () => 'dead'), mine)).toBeUndefined();
  expect(await m.take(nodeFiles, seenBy(b, () => 'dead'), mine)).toMatchObject({ kind: 'taken' });
  expect(fs.readdirSync(mine)).toEqual([held(b)]);
};

const takenAndReleased = async (m: Baton): Promise<void> => {
  const mine = join(fs.mkdtempSync(join(dir, 'plain-')), 'deep', 'lock');
  const self = linuxProcesses.self();
  expect(await m.holder(nodeFiles, linuxProcesses, mine)).toBeUndefined();
  for (let round = 0; round < 3; round += 1) {
    const taken = await m.take(nodeFiles, linuxProcesses, mine);
    if (taken.kind !== 'taken') throw new Error('not taken');
    expect(await m.holder(nodeFiles, linuxProcesses, mine)).toEqual(self);
    expect(await m.take(nodeFiles, linuxProcesses, mine)).toEqual({ kind: 'held', by: self });
    await taken.release();
    await taken.release();
    expect(fs.readdirSync(mine)).toEqual(['free']);
  }
  expect(fs.readdirSync(join(mine, '..'))).toEqual(['lock']);
};

const otherFilesAreLeft = async (m: Baton): Promise<void> => {
  const mine = join(fs.mkdtempSync(join(dir, 'others-')), 'lock');
  fs.mkdirSync(mine);
  for (const name of ['free', '.free.tmp', 'held~1~2', 'held~x~2~6fd0c2e1', 'README']) fs.writeFileSync(join(mine, name), '');
  expect(await m.take(nodeFiles, linuxProcesses, mine)).toMatchObject({ kind: 'taken' });
  expect(fs.readdirSync(mine).sort()).toEqual([held(linuxProcesses.self()), '.free.tmp', 'held~1~2', 'held~x~2~6fd0c2e1', 'README'].sort());
};

describe('the lock', () => {
  it('is held unless its holder is proven dead', () => unknownIsHeld(realBaton));
  it('is taken once and released once', () => takenAndReleased(realBaton));
  it('leaves files that are not its own', () => otherFilesAreLeft(realBaton));
  it('is released by nobody who has lost it', async () => {
    const [a, b] = [person(1), person(2)];
    const first = await realBaton.take(nodeFiles, seenBy(a, () => 'alive'), lock());
    await realBaton.take(nodeFiles, seenBy(b, () => 'dead'), lock());
    if (first.kind === 'taken') await first.release();
    expect(fs.readdirSync(lock())).toEqual([held(b)]);
  });
});

class Died extends Error {}

/** A directory tree in memory, where each call waits for its turn and may be the last thing its process does. */
function memory(): { dirs: Map<string, Set<string>>; filesOf(step: (what: string) => Promise<void>): Files } {
  const dirs = new Map<string, Set<string>>();
  const split = (path: Path): [string, string] => {
    const text = String(path);
    return [text.slice(0, text.lastIndexOf('/')), text.slice(text.lastIndexOf('/') + 1)];
  };
  const rename = (from: Path, to: string): 'ok' | 'missing' => {
    const moved = dirs.get(String(from));
    if (moved !== undefined) {
      if ((dirs.get(to)?.size ?? 0) > 0) throw new Error('ENOTEMPTY');
      dirs.delete(String(from));
      dirs.set(to, moved);
      return 'ok';
    }
    const [fromDir, name] = split(from);
    const [toDir, newName] = split(to);
    if (dirs.get(fromDir)?.delete(name) !== true) return 'missing';
    dirs.get(toDir)?.add(newName);
    return 'ok';
  };
  const used = (step: (what: string) => Promise<void>): Pick<Files, 'list' | 'rename' | 'makeDir' | 'write' | 'remove'> => ({
    list: async (path) => (await step('list'), [...(dirs.get(path) ?? [])]),
    rename: async (from, to) => (await step('rename'), rename(from, to)),
    makeDir: async (path) => {
      await step('makeDir');
      if (dirs.has(path)) return 'exists';
      dirs.set(path, new Set());
      return 'ok';
    },
    write: async (path) => {
      await step('write');
      const [into, name] = split(path);
      dirs.get(into)?.add(name);
    },
    remove: async (path) => (await step('remove'), dirs.delete(path) ? 'ok' : 'missing'),
  });
  return { dirs, filesOf: (step) => used(step) as Files };
}

/** Contenders interleaved at every step in any order, each dying at its own step or never. */
const neverTwoHolders = async (m: Baton): Promise<void> => {
  const deaths = fc.array(fc.option(fc.nat(14), { nil: Number.POSITIVE_INFINITY }), { minLength: 2, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), deaths, async (scheduler, lives) => {
      const { dirs, filesOf } = memory();
      const dead = new Set<number>();
      const holding = new Set<number>();
      const liveness = (of: ProcessIdentity): Liveness => (dead.has(of.pid) ? 'dead' : 'alive');
      const contender = async (pid: number, life: number): Promise<void> => {
        let steps = 0;
        const files = filesOf(async (what) => {
          if (!dead.has(pid)) await scheduler.schedule(Promise.resolve(), `${pid}: ${what}`);
          if (steps >= life) {
            dead.add(pid);
            holding.delete(pid);
          }
          steps += 1;
          if (dead.has(pid)) throw new Died();
        });
        for (let round = 0; round < 3; round += 1) {
          const taken = await m.take(files, seenBy(person(pid), liveness), '/q/lock');
          if (taken.kind === 'held') continue;
          holding.add(pid);
          if (holding.size > 1) throw new Error(`held by ${[...holding].join(' and ')}`);
          await scheduler.schedule(Promise.resolve(), `${pid}: works`);
          holding.delete(pid);
          await taken.release();
        }
      };
      const all = lives.map((life, index) => contender(index + 1, life).catch((cause: unknown) => {
        if (!(cause instanceof Died)) throw cause;
      }));
      await scheduler.waitFor(Promise.all(all));
      expect([...(dirs.get('/q/lock') ?? [])].length).toBeLessThanOrEqual(1);
      expect(await m.take(filesOf(async () => {}), seenBy(person(99), liveness), '/q/lock')).toMatchObject({ kind: 'taken' });
      expect([...(dirs.get('/q/lock') ?? [])]).toEqual([held(person(99))]);
    }),
    { numRuns: 500 },
  );
};

describe('contenders in any order of their steps', () => {
  it('never hold the lock together, and the dead do not keep it', () => neverTwoHolders(realBaton));
});

interface Contender {
  readonly child: ChildProcess;
  taken: number;
  refused: number;
  readonly faults: string[];
}

const children: Contender[] = [];
const running = ({ child }: Contender): boolean => child.exitCode === null && child.signalCode === null;

function start(mode: 'loop' | 'keep', built = DIST): Contender {
  const child = fork(CONTENDER, [built, lock(), join(dir, 'witness'), mode], { execArgv: [], stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
  const contender: Contender = { child, taken: 0, refused: 0, faults: [] };
  child.on('message', ({ kind, detail }: { kind: string; detail?: string }) => {
    if (kind === 'taken') contender.taken += 1;
    else if (kind === 'held') contender.refused += 1;
    else contender.faults.push(`${kind}: ${detail ?? ''}`);
  });
  children.push(contender);
  return contender;
}

const faults = (): string[] => children.flatMap((contender) => contender.faults);

async function kill(contender: Contender): Promise<void> {
  contender.child.kill('SIGKILL');
  await until('a killed contender is gone', () => !running(contender), DEADLINE_MS);
}

describe('contending processes', () => {
  afterEach(async () => {
    await Promise.all(children.map(kill));
    children.length = 0;
  });

  it('never hold the lock together, and each gets it', async () => {
    const contenders = [start('loop'), start('loop'), start('loop'), start('loop')];
    await until('each of four contenders has had the lock 20 times', () => faults().length > 0 || contenders.every(({ taken }) => taken >= 20), DEADLINE_MS);
    expect(faults()).toEqual([]);
    expect(contenders.every(running)).toBe(true);
  });

  it('succeed one that is killed while it holds', async () => {
    const others = [start('loop'), start('loop')];
    for (let round = 0; round < 6; round += 1) {
      const victim = start('keep');
      await until('the victim holds the lock', () => faults().length > 0 || victim.taken === 1, DEADLINE_MS);
      await kill(victim);
      const before = others.map(({ taken }) => taken);
      await until('both others have had the lock after the kill', () => faults().length > 0 || others.every(({ taken }, index) => taken > (before[index] ?? 0)), DEADLINE_MS);
      expect(faults()).toEqual([]);
    }
    expect(others.every(running)).toBe(true);
  });

  it('do not rob one that is stopped while it holds', async () => {
    const sleeper = start('keep');
    await until('the sleeper holds the lock', () => sleeper.taken === 1, DEADLINE_MS);
    sleeper.child.kill('SIGSTOP');
    const others = [start('loop'), start('loop')];
    await until('the others were refused 100 times each', () => faults().length > 0 || others.every(({ refused }) => refused >= 100), DEADLINE_MS);
    expect([faults(), others.map(({ taken }) => taken)]).toEqual([[], [0, 0]]);
    const name = fs.readdirSync(lock())[0] ?? '';
    expect(name.startsWith(`held~${sleeper.child.pid ?? 0}~`)).toBe(true);
    sleeper.child.kill('SIGCONT');
    sleeper.child.send('go on');
    await until('the others have it once the sleeper let go', () => faults().length > 0 || others.every(({ taken }) => taken > 0), DEADLINE_MS);
    expect(faults()).toEqual([]);
  });

  it('are found out when they take the lock from the living', async () => {
    const mutant = plantMutant('lib/baton.js', "(await processes.liveness(by)) !== 'dead')\n            return { kind: 'held', by }", "false)\n            return { kind: 'held', by }");
    start('loop', mutant);
    start('loop', mutant);
    await until('two holders at once are noticed', () => faults().some((fault) => fault.startsWith('double')), DEADLINE_MS);
  });
});

describe('planted faults are noticed', () => {
  const faultsInBaton: readonly (readonly [string, string, string, (m: Baton) => Promise<void>])[] = [
    ['"unknown" is taken for dead', "!== 'dead')\n            return { kind: 'held', by }", "=== 'alive')\n            return { kind: 'held', by }", unknownIsHeld],
    ['the living are robbed', "(await processes.liveness(by)) !== 'dead')\n            return { kind: 'held', by }", "false)\n            return { kind: 'held', by }", neverTwoHolders],
    ['a lost rename counts as won', "mine)) === 'ok'", "mine)) !== ''", neverTwoHolders],
    ['the lock is laid over a full one', 'await files.rename(staged, dir);', 'await files.remove(dir); await files.rename(staged, dir);', neverTwoHolders],
    ['releasing forgets to rename', 'if (!released)', 'if (false)', takenAndReleased],
    ['what could not be laid stays', 'await files.remove(staged);', '', async (m) => await layingLeavesNothing(m)],
    ['any file is the lock', '.filter((name) => name === FREE || parse(name) !== undefined)', '', otherFilesAreLeft],
    ['the dead hold for ever', "!== 'dead')\n            return { kind: 'held', by }", "!== '')\n            return { kind: 'held', by }", neverTwoHolders],
  ];

  /** Another lays its lock between the look and the laying. */
  const layingLeavesNothing = async (m: Baton): Promise<void> => {
    const parent = fs.mkdtempSync(join(dir, 'laid-'));
    const mine = join(parent, 'lock');
    let looks = 0;
    const files: Files = {
      ...nodeFiles,
      list: async (path) => {
        looks += 1;
        if (looks > 1) return await nodeFiles.list(path);
        fs.mkdirSync(mine);
        fs.writeFileSync(join(mine, 'free'), '');
        return [];
      },
    };
    expect(await m.take(files, linuxProcesses, mine)).toMatchObject({ kind: 'taken' });
    expect(fs.readdirSync(parent)).toEqual(['lock']);
    expect(await m.holder(nodeFiles, linuxProcesses, mine)).toSatisfy((by: ProcessIdentity) => sameProcess(by, linuxProcesses.self()));
  };

  it('and what could not be laid is taken away in the first place', () => layingLeavesNothing(realBaton));
  it.each(faultsInBaton)('%s', async (_what, find, replace, property) => {
    expect(await killedBy<Baton>(property, await importMutant('lib/baton.js', find, replace))).toBe(true);
  });
});
