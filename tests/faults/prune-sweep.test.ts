import * as fs from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Git } from '../../src/git/run.js';
import { holdWorkspace } from '../../src/workspace/hold.js';
import type { CleanupPorts } from '../../src/cleanup/ports.js';
import { applyCleanup, planCleanup } from '../../src/cleanup/specialists.js';
import { Checkouts } from '../rig/checkouts.js';
import { Mortal } from '../rig/mortal.js';
import { drawnFrom, randomFrom } from '../rig/random.js';
import { gitIn } from '../rig/repo.js';
import { TEST_SEED } from '../rig/seed.js';

const GIT_CHANGES = new Set(['update-ref', 'commit-tree', 'worktree', 'read-tree', 'add', 'write-tree']);

/** The same ports, dead from just before or just after their k-th change on. `at` 0: never. */
function mortal(ports: Checkouts['ports'], at: number, when: 'before' | 'after'): { ports: CleanupPorts; changes: () => number } {
  const one = new Mortal(at, when);
  const git: Git = (dir, args, call) => one.step(GIT_CHANGES.has(args[0] ?? '') && args[1] !== 'list', () => ports.checkouts.git(dir, args, call));
  // A dead process holds its lock in vain: as another process would be, which is gone.
  return { ports: { ...ports, files: one.files, processes: { ...ports.processes, self: () => ({ ...ports.processes.self(), start: '1' }) }, checkouts: { ...ports.checkouts, git } }, changes: () => one.changes };
}

/** One task with work that nobody committed and commits that nobody merged, one that is merged, and the round over both. */
async function stage(): Promise<Checkouts> {
  const all = new Checkouts('prune-sweep');
  const dir = await all.open('work');
  fs.writeFileSync(join(dir, 'made.txt'), 'made\n');
  gitIn(dir, 'add', 'made.txt');
  gitIn(dir, 'commit', '-qm', 'made');
  fs.writeFileSync(join(dir, 'loose.txt'), 'loose\n');
  await all.open('merged');
  for (const id of ['work', 'merged']) all.end(id, 'done');
  return all;
}

async function rounds(all: Checkouts, ports: CleanupPorts): Promise<void> {
  const setting = all.setting();
  for (const only of ['salvager', 'pruner'] as const) for (const step of await planCleanup(ports, setting, [only])) await applyCleanup(ports, setting, [step]);
}

/** All of them took more than a quarter of an hour on two cores that others shared. */
const ALL = (process.env['CRASH_ALL'] ?? '') !== '';

it('salvager and pruner, dead at any change, lose nothing, and whoever comes next ends it', { timeout: (ALL ? 90 : 15) * 60_000 }, async () => {
  const sound = await stage();
  const count = mortal(sound.ports, 0, 'before');
  await rounds(sound, count.ports);
  sound.dispose();
  expect(count.changes()).toBeGreaterThan(15);
  const stops = Array.from({ length: count.changes() }, (_none, index) => (['before', 'after'] as const).map((when) => ({ at: index + 1, when }))).flat();
  // Each takes seconds: a drawn sample, unless all are asked for (CRASH_ALL=1).
  const chosen = !ALL ? drawnFrom(stops, randomFrom(TEST_SEED), 6) : stops;
  for (const { at, when } of chosen) {
    const all = await stage();
    try {
      await rounds(all, mortal(all.ports, at, when).ports).catch(() => undefined);
      // Nothing of the work is gone at that moment, wherever it stands.
      const loose = join(all.layout.worktrees, 'work', 'loose.txt');
      const kept = all.git('for-each-ref', '--format=%(refname)', 'refs/snakepit/salvage/work').trim() === '' ? '' : all.git('show', 'refs/snakepit/salvage/work:loose.txt');
      expect([fs.existsSync(loose) || kept === 'loose\n', all.git('show', 'snakepit/work:made.txt')], `${when} ${at}`).toEqual([true, 'made\n']);
      for (let again = 0; again < 3; again += 1) await rounds(all, all.ports);
      expect([fs.readdirSync(all.layout.worktrees), all.git('show', 'refs/snakepit/salvage/work:loose.txt'), all.git('show', 'snakepit/work:made.txt'), all.git('for-each-ref', '--format=%(refname)', 'refs/heads/snakepit').trim(), all.record('work')?.state, all.record('merged')], `${when} ${at}`).toEqual([[], 'loose\n', 'made\n', 'refs/heads/snakepit/work', 'released', undefined]);
      const held = await holdWorkspace(all.ports, all.layout, 'work', 0);
      expect(held.ok, `${when} ${at}`).toBe(true);
      if (held.ok) await held.value();
      expect(fs.existsSync(join(await all.open('work'), 'made.txt'))).toBe(true);
    } finally {
      all.dispose();
    }
  }
});
