import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CleanupPorts } from '../../src/cleanup/ports.js';
import { applyCleanup, planCleanup } from '../../src/cleanup/specialists.js';
import { writeBackup } from '../../src/git/backups.js';
import { holdWorkspace } from '../../src/workspace/hold.js';
import { parseClaim } from '../../src/protocol/names.js';
import { Checkouts } from '../rig/checkouts.js';
import { checkout, gitIn } from '../rig/repo.js';

const MS = 120_000;
let all: Checkouts;
beforeEach(() => void (all = new Checkouts('worktree-cleanup')));
afterEach(() => all.dispose());

const write = (dir: string, name: string, text: string): void => {
  fs.mkdirSync(join(dir, name, '..'), { recursive: true });
  fs.writeFileSync(join(dir, name), text);
};
const commit = (dir: string, name: string, text: string): void => {
  write(dir, name, text);
  gitIn(dir, 'add', name);
  gitIn(dir, 'commit', '-qm', name);
};

describe('locks that a killed git left in what all checkouts share', () => {
  const lock = (name: string, minutes: number): string => {
    const path = join(all.root, '.git', name);
    write(all.root, join('.git', name), '');
    fs.utimesSync(path, new Date(Date.now() - minutes * 60_000), new Date(Date.now() - minutes * 60_000));
    return path;
  };
  const RULE = 'a dead git left it: none works in any of its checkouts';

  it('are removed by the pruner once they are old and no git works there, before what they held up; a young one, and those of the checkout itself, stay', { timeout: MS }, async () => {
    await all.open('merged');
    all.end('merged', 'done');
    const names = ['packed-refs.lock', 'packed-refs.new', 'config.lock', 'refs/heads/snakepit/old.lock', 'refs/snakepit/salvage/x.lock'];
    const left = names.map((name) => lock(name, 11));
    const kept = [lock('shallow.lock', 9), lock('index.lock', 60), lock('HEAD.lock', 60), lock('refs/heads/main.lock', 60)];
    const { plan, done } = await all.round('pruner');
    expect(plan.slice(0, names.length)).toEqual(names.map((name) => `act unlock .git/${name}: ${RULE}`));
    expect(done).toEqual([...names.map((name) => `done .git/${name}: removed`), expect.stringMatching(/^done merged: removed, and its branch snakepit\/merged too/)]);
    expect([...left, ...kept].filter((path) => fs.existsSync(path))).toEqual(kept);
    expect(all.git('branch', '--list', 'snakepit/merged')).toBe('');
  });

  it('are refused while a git works in any of its checkouts, or where that is unknown, also when it begins after the plan', { timeout: MS }, async () => {
    const dir = await all.open('loose');
    const path = lock('packed-refs.lock', 11);
    const setting = all.setting();
    const plan = await planCleanup(all.ports, setting, ['pruner']);
    expect(plan).toMatchObject([{ kind: 'act', verb: 'unlock', rule: RULE, evidence: 'it is 11 min old' }]);
    fs.copyFileSync('/bin/sleep', join(all.root, '.snakepit', 'git-sleeps'));
    const git = spawn(join(all.root, '.snakepit', 'git-sleeps'), ['60'], { cwd: dir, stdio: 'ignore' });
    try {
      expect(await applyCleanup(all.ports, setting, plan)).toMatchObject([{ kind: 'refused', told: `a git works in its checkouts, and may hold it (it is 11 min old; pid ${git.pid})` }]);
      expect(await planCleanup(all.ports, setting, ['pruner'])).toMatchObject([{ kind: 'refuse', verb: 'refuse', rule: 'a git works in its checkouts, and may hold it' }]);
    } finally {
      git.kill('SIGKILL');
    }
    const blind: CleanupPorts = { ...all.ports, checkouts: { ...all.ports.checkouts, workingIn: async () => undefined } };
    expect(await applyCleanup(blind, setting, plan)).toMatchObject([{ kind: 'refused', told: expect.stringContaining('unknown is not gone') }]);
    expect(fs.existsSync(path)).toBe(true);
  });
});

describe('the salvager', () => {
  it('keeps what nobody committed, untracked files too, once; the worktree, its branch and the checkout stay as they are', { timeout: MS }, async () => {
    const dir = await all.open('loose');
    commit(dir, 'made.txt', 'made\n');
    write(dir, 'a.txt', 'changed\n');
    write(dir, 'deep/new file.txt', 'new\n');
    write(dir, 'node_modules/x', 'ignored\n');
    fs.rmSync(join(dir, 'c.txt'));
    all.end('loose', 'failed', 0);
    const before = checkout(all.root);
    const tip = all.git('rev-parse', 'snakepit/loose');
    expect(await all.round('salvager')).toEqual({ plan: ['act salvage loose: its task has ended, and nobody committed this'], done: ['done loose: kept as refs/snakepit/salvage/loose; look at it: git show refs/snakepit/salvage/loose'] });
    expect(all.git('ls-tree', '-r', '--name-only', 'refs/snakepit/salvage/loose').trim().split('\n')).toEqual(['.gitignore', 'a.txt', 'b.txt', 'deep/new file.txt', 'made.txt']);
    expect(all.git('show', 'refs/snakepit/salvage/loose:a.txt')).toBe('changed\n');
    expect(all.git('rev-parse', 'refs/snakepit/salvage/loose^')).toBe(tip);
    expect(all.git('rev-parse', 'snakepit/loose')).toBe(tip);
    expect(gitIn(dir, 'status', '--porcelain')).toContain('?? deep/');
    expect(checkout(all.root)).toEqual(before);
    expect(all.told).toMatchObject([{ kind: 'work-salvaged', id: 'loose', ref: 'refs/snakepit/salvage/loose' }]);
    expect(await all.round('salvager')).toEqual({ plan: [], done: [] });
    // Further work: what was kept before stays among the parents.
    const first = all.git('rev-parse', 'refs/snakepit/salvage/loose').trim();
    write(dir, 'later.txt', 'later\n');
    expect((await all.round('salvager')).done).toHaveLength(1);
    expect(all.git('rev-parse', 'refs/snakepit/salvage/loose^2').trim()).toBe(first);
  });

  it('leaves tasks alone that are on their way, keeps commits beside the branch, and refuses repositories inside', { timeout: MS }, async () => {
    write(await all.open('going'), 'x', 'x\n');
    fs.writeFileSync(join(all.layout.dir('held'), '50-000000000~going~0.0.0.md'), '# x\n');
    const beside = await all.open('beside');
    gitIn(beside, 'checkout', '-q', '--detach');
    commit(beside, 'off.txt', 'off\n');
    all.end('beside', 'done');
    const nested = await all.open('nested');
    fs.mkdirSync(join(nested, 'own'));
    gitIn(join(nested, 'own'), 'init', '-q');
    commit(join(nested, 'own'), 'y', 'y\n');
    all.end('nested', 'done');
    const { plan, done } = await all.round('salvager');
    expect(plan).toEqual(['act salvage beside: its task has ended, and nobody committed this', 'refuse refuse nested: a repository of its own lies in it, of which a commit keeps no more than a number: move it away']);
    expect(done).toHaveLength(1);
    expect(all.git('show', 'refs/snakepit/salvage/beside:off.txt')).toBe('off\n');
  });
});

describe('the pruner', () => {
  it('removes what is kept and over, keeps branches that are not merged, and deletes those that are', { timeout: MS }, async () => {
    const merged = await all.open('merged');
    commit(merged, 'm.txt', 'm\n');
    all.git('branch', 'release', 'snakepit/merged');
    commit(await all.open('unmerged'), 'u.txt', 'u\n');
    await all.open('idle');
    await all.open('young');
    for (const id of ['merged', 'unmerged', 'idle']) all.end(id, 'done');
    all.end('young', 'done', 0.5);
    const before = checkout(all.root);
    const { plan, done } = await all.round('pruner');
    expect(plan.toSorted()).toEqual(['idle', 'merged', 'unmerged'].map((id) => `act prune ${id}: its time is over, and all of its work is kept`));
    expect(done.toSorted()).toEqual([expect.stringMatching(/^done idle: removed, and its branch snakepit\/idle too, which is merged/), expect.stringMatching(/^done merged: removed, and its branch/), 'done unmerged: removed; its branch snakepit/unmerged stays']);
    expect(all.git('for-each-ref', '--format=%(refname:short)', 'refs/heads').trim().split('\n')).toEqual(['main', 'release', 'snakepit/unmerged', 'snakepit/young']);
    expect(fs.readdirSync(all.layout.worktrees)).toEqual(['young']);
    expect(all.git('worktree', 'list', '--porcelain').match(/^worktree /gm)).toHaveLength(2);
    expect([all.record('merged'), all.record('unmerged')?.state]).toEqual([undefined, 'released']);
    expect(checkout(all.root)).toEqual(before);
    expect(await all.round('pruner')).toEqual({ plan: [], done: [] });
    all.git('branch', '-f', 'release', 'snakepit/unmerged');
    expect((await all.round('pruner')).done).toEqual([expect.stringMatching(/^done unmerged: its branch snakepit\/unmerged too/)]);
    // And it is opened again as if it were new.
    expect(fs.existsSync(join(await all.open('merged'), 'a.txt'))).toBe(true);
  });

  it('takes no work: not what is unsaved, not what was changed since it was kept, not with a process in it, not what is locked', { timeout: MS }, async () => {
    const ids = ['dirty', 'since', 'used', 'locked', 'nested'];
    const dirs = Object.fromEntries(await Promise.all(ids.map(async (id) => [id, await all.open(id)] as const)));
    for (const id of ids) all.end(id, 'failed');
    const since = (text: string): void => {
      write(dirs['since'] ?? '', 'w.txt', text);
      fs.utimesSync(join(dirs['since'] ?? '', 'w.txt'), 1_700_000_000, 1_700_000_000);
    };
    since('one\n');
    expect((await all.round('salvager')).done).toHaveLength(1);
    // Same size and same time: only a reading of the file shows it.
    since('two\n');
    write(dirs['dirty'] ?? '', 'w.txt', 'work\n');
    fs.mkdirSync(join(dirs['nested'] ?? '', 'own'));
    gitIn(join(dirs['nested'] ?? '', 'own'), 'init', '-q');
    commit(join(dirs['nested'] ?? '', 'own'), 'y', 'y\n');
    all.git('worktree', 'lock', '--reason', 'mine', dirs['locked'] ?? '');
    fs.mkdirSync(join(dirs['used'] ?? '', 'node_modules'));
    const child = spawn('sleep', ['600'], { cwd: join(dirs['used'] ?? '', 'node_modules'), stdio: 'ignore' });
    try {
      const { plan, done } = await all.round('pruner');
      expect(plan.toSorted()).toEqual([
        'act prune since: its time is over, and all of its work is kept',
        'refuse refuse locked: somebody locked it: git worktree unlock',
        'refuse refuse nested: a repository of its own lies in it: move it away',
        'refuse refuse used: a process works in it',
      ]);
      expect(done).toEqual(['refused since: it holds work that is not kept: the salvager comes first']);
      const blind: CleanupPorts = { ...all.ports, checkouts: { ...all.ports.checkouts, workingIn: async () => undefined } };
      expect((await all.round('pruner', '', blind)).plan.filter((line) => line.includes('used'))).toEqual(['refuse refuse used: unknown is not nobody']);
      for (const id of ids) expect(fs.existsSync(join(dirs[id] ?? '', 'a.txt')), id).toBe(true);
    } finally {
      child.kill('SIGKILL');
    }
  });

  it('mends or refuses broken entries, and the others are pruned beside them', { timeout: MS }, async () => {
    const lost = await all.open('lost');
    const gone = await all.open('gone');
    const corrupt = await all.open('corrupt');
    await all.open('fine');
    const person = join(all.root, '..', `${all.root.split('/').at(-1)}-person`);
    all.git('worktree', 'add', '-q', '-b', 'person', person);
    for (const id of ['lost', 'gone', 'corrupt', 'fine']) all.end(id, 'done');
    write(corrupt, 'work.txt', 'work\n');
    fs.rmSync(join(lost, '.git'));
    fs.rmSync(gone, { recursive: true });
    fs.writeFileSync(join(corrupt, '.git'), 'gitdir: /nowhere\n');
    fs.rmSync(join(all.root, '.git', 'worktrees', 'corrupt'), { recursive: true });
    fs.mkdirSync(join(all.layout.worktrees, 'stray'));
    all.git('worktree', 'add', '-q', '-b', 'vanished', join(all.layout.worktrees, 'vanished'));
    fs.rmSync(join(all.layout.worktrees, 'vanished'), { recursive: true });
    fs.rmSync(person, { recursive: true });
    const { plan, done } = await all.round('pruner');
    expect(plan.toSorted()).toEqual([
      'act forget .snakepit/worktrees/vanished: the repository lists it, and it is gone',
      'act forget gone: its directory is gone',
      'act prune fine: its time is over, and all of its work is kept',
      'act repair corrupt: it has lost its repository',
      'act repair lost: it has lost its repository',
      'refuse refuse .snakepit/worktrees/stray: no record says whose it is: take from it what you need, then remove the directory',
    ]);
    expect(done.toSorted()).toEqual([
      'done .snakepit/worktrees/vanished: forgotten',
      expect.stringMatching(/^done fine: removed/),
      expect.stringMatching(/^done gone: removed/),
      // Git repairs all that it can when it is asked for one.
      expect.stringMatching(/^(done lost: repaired|gone lost: left for the next round: its time is over)/),
      expect.stringMatching(/^refused corrupt: git could not repair it.* its files stay in/),
    ]);
    expect(fs.readFileSync(join(corrupt, 'work.txt'), 'utf8')).toBe('work\n');
    expect((await all.round('pruner')).done.some((line) => line.startsWith('done lost: removed'))).toBe(true);
    // A person's own worktree is a person's, also when it is gone.
    expect(all.git('worktree', 'list')).toContain(person);
  });

  it('removes the oldest before their time where the disk budget is used up, and no more than that', { timeout: MS }, async () => {
    for (const [id, days] of [['a', 0.1], ['b', 0.3], ['c', 0.2]] as const) {
      commit(await all.open(id), `${id}.txt`, id);
      all.end(id, 'done', days);
    }
    fs.writeFileSync(all.layout.diskUse, JSON.stringify({ v: 1, at: 1, bytes: 4e9, worktrees: { a: 1e9, b: 1e9, c: 1e9 } }));
    expect(await all.round('pruner', 'disk: 5GB\n')).toEqual({ plan: [], done: [] });
    expect((await all.round('pruner', 'disk: 2.5GB\n')).plan).toEqual(['b', 'c'].map((id) => `act prune ${id}: the disk budget is used up, and all of its work is kept`));
    expect(fs.readdirSync(all.layout.worktrees)).toEqual(['a']);
    expect(JSON.parse(fs.readFileSync(all.layout.diskUse, 'utf8'))).toEqual({ v: 1, at: 1, bytes: 2e9, worktrees: { a: 1e9 } });
  });

  it('leaves what is being opened, and what was retried meanwhile', { timeout: MS }, async () => {
    await all.open('back');
    all.end('back', 'done');
    const setting = all.setting();
    const plan = await planCleanup(all.ports, setting, ['pruner']);
    expect(plan).toHaveLength(1);
    const held = await holdWorkspace(all.ports, all.layout, 'back', 0);
    if (!held.ok) throw new Error(held.error);
    expect(await applyCleanup(all.ports, setting, plan)).toMatchObject([{ kind: 'gone', told: expect.stringMatching(/^pid \d+ is at work on its worktree/) }]);
    await held.value();
    const claimed = '50-000000000~back~0.0.0~abcdefghij~s1~1-1-00000000.md';
    expect(parseClaim(claimed)?.id).toBe('back');
    fs.renameSync(join(all.layout.dir('done'), 'back.md'), join(all.layout.dir('claimed'), claimed));
    expect(await applyCleanup(all.ports, setting, plan)).toMatchObject([{ kind: 'gone', told: 'it is on its way again, or its worktree has gone' }]);
  });
});

describe('where a target stood before a merge', () => {
  it('is forgotten after keep:, if this pit wrote it, and moved by nobody since', { timeout: MS }, async () => {
    const tip = all.git('rev-parse', 'main').trim();
    const { git } = all.ports.checkouts;
    for (const [id, pit] of [['old', 'x'], ['again', 'x'], ['others', 'y']] as const) expect((await writeBackup(git, all.root, `snakepit/${id}`, 'snakepit-main', tip, pit)).ok).toBe(true);
    all.git('update-ref', 'refs/snakepit/backup/by-hand', tip);
    const refs = (): string => all.git('for-each-ref', '--format=%(refname:lstrip=3)', 'refs/snakepit/backup').trim().replaceAll('\n', ' ');
    expect(await all.round('pruner')).toEqual({ plan: [], done: [] });
    const later: CleanupPorts = { ...all.ports, clock: { ...all.ports.clock, wallMs: () => Date.now() + 31 * 86_400_000 } };
    const setting = all.setting();
    const plan = await planCleanup(later, setting, ['pruner']);
    expect(plan.map(({ verb, subject, rule }) => `${verb} ${subject}: ${rule}`)).toEqual(['again', 'old'].map((id) => `drop refs/snakepit/backup/${id}: its task was merged longer ago than keep:`));
    commit(all.root, 'next.txt', 'n\n');
    await writeBackup(git, all.root, 'snakepit/again', 'snakepit-main', all.git('rev-parse', 'main').trim(), 'x');
    expect((await applyCleanup(later, setting, plan)).map(({ kind, told }) => `${kind}: ${told}`)).toEqual(['gone: it was written anew, or has gone', 'done: deleted']);
    expect(refs()).toBe('again by-hand others');
  });
});
