import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { backupRef, listBackups } from '../../src/git/backups.js';
import { occupiedIn } from '../../src/git/occupied.js';
import { systemGit, type Git } from '../../src/git/run.js';
import { systemClock } from '../../src/lib/clock.js';
import { linuxProcesses } from '../../src/lib/linux-processes.js';
import { nodeFiles } from '../../src/lib/node-files.js';
import { mergeTask, type MergeRequest, type MergeResult } from '../../src/merging/merge.js';
import type { Candidate } from '../../src/protocol/merging.js';
import { measure } from '../../src/workspace/measure.js';
import { gitIn } from '../rig/repo.js';

let top: string;
let repo: string;
const git = systemGit({ PATH: process.env['PATH'], HOME: '/nonexistent' });

const commit = (dir: string, name: string, text: string, message = name): string => {
  fs.mkdirSync(join(dir, name, '..'), { recursive: true });
  fs.writeFileSync(join(dir, name), text);
  gitIn(dir, 'add', '--sparse', name);
  gitIn(dir, 'commit', '-qm', message);
  return gitIn(dir, 'rev-parse', 'HEAD').trim();
};

/** A task's branch with its worktree: one commit from main. */
const branch = (id: string, name: string, text: string): string => {
  const path = join(top, id);
  gitIn(repo, 'worktree', 'add', '-q', '-b', `snakepit/${id}`, path, 'main');
  commit(path, name, text, `work of ${id}`);
  return path;
};

const merge = (id: string, more: Partial<MergeRequest> = {}, run: Git = git): Promise<MergeResult> => {
  const dir = more.dir ?? join(top, id);
  return mergeTask({ files: nodeFiles, clock: systemClock, processes: linuxProcesses, git: run }, {
    mode: 'no-ff', policies: [], known: {}, branch: `snakepit/${id}`, base: gitIn(repo, 'rev-parse', 'main').trim(), into: 'snakepit-main', own: true, since: Date.now(), scratch: join(top, 'scratch', id),
    dir, credits: { id, title: id, coAuthors: [] }, env: {}, pitId: 'p1', candidate: undefined, record: async () => undefined, held: async () => true, check: async () => 'none', ...more,
  });
};

const endOf = (result: MergeResult): string => (result.kind === 'ended' ? (result.end.kind === 'blocked' ? `blocked: ${result.end.why}` : result.end.kind) : `${result.kind}: ${JSON.stringify(result)}`);

beforeEach(() => {
  top = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), 'snakepit-merging-')));
  repo = join(top, 'repo');
  fs.mkdirSync(repo);
  gitIn(repo, 'init', '-q');
  for (const n of [1, 2, 3]) commit(repo, 'a.txt', `${n}\n`, `c${n}`);
});
afterEach(() => fs.rmSync(top, { recursive: true, force: true }));

describe('a branch in somebody\'s hands', () => {
  const occupied = async (of: string): Promise<string | undefined> => {
    const found = await occupiedIn({ git, files: nodeFiles }, repo, join(repo, '.git'), of);
    return found.ok ? found.value?.how : `error: ${found.error}`;
  };

  it('is one that is checked out, or that a rebase or bisect, in whichever checkout, has not let go of', async () => {
    gitIn(repo, 'branch', 'topic', 'HEAD~1');
    gitIn(repo, 'branch', 'under', 'HEAD~1');
    expect([await occupied('main'), await occupied('topic')]).toEqual(['checked out', undefined]);
    const side = join(top, 'side');
    gitIn(repo, 'worktree', 'add', '-q', side, 'topic');
    gitIn(side, 'bisect', 'start', '-q', 'topic', 'main~2');
    gitIn(side, 'checkout', '-q', '--detach');
    expect(await occupied('topic')).toBe('being bisected');
    gitIn(side, 'bisect', 'reset');
    commit(side, 'a.txt', 'other\n');
    expect(() => gitIn(side, 'rebase', 'main')).toThrow();
    expect([await occupied('topic'), await occupied('under')]).toEqual(['being rebased', undefined]);
    branch('one', 'one.txt', '1\n');
    expect(endOf(await merge('one', { into: 'topic', own: false }))).toBe(`blocked: topic is being rebased in ${side}`);
    gitIn(side, 'rebase', '--abort');
    expect(await occupied('topic')).toBe('checked out');
  });
});

describe('a merge', () => {
  it('keeps where the target stood, and by whom and when', async () => {
    branch('one', 'one.txt', '1\n');
    const before = Date.now() - 2000;
    expect(endOf(await merge('one', { credits: { id: 'one', title: 'One', workflow: 'build-review', coAuthors: [] } }))).toBe('merged');
    const all = await listBackups({ git, files: nodeFiles }, repo, join(repo, '.git'));
    expect(all).toMatchObject({ ok: true, value: [{ ref: backupRef('snakepit/one'), sha: gitIn(repo, 'rev-parse', 'main').trim(), pit: 'p1' }] });
    expect(all.ok && (all.value[0]?.at ?? 0) >= before).toBe(true);
    expect(gitIn(repo, 'log', '-1', '--format=%(trailers:key=Snakepit-Workflow,valueonly)', 'snakepit-main').trim()).toBe('build-review');
  });

  it('makes an integration branch anew that somebody deleted in the middle, and never one of a person', async () => {
    branch('one', 'one.txt', '1\n');
    const gone = (into: string) => async (): Promise<'none'> => {
      gitIn(repo, 'update-ref', '-d', `refs/heads/${into}`);
      return 'none';
    };
    expect(endOf(await merge('one', { check: gone('snakepit-main') }))).toBe('merged');
    gitIn(repo, 'branch', 'release', 'main');
    branch('two', 'two.txt', '2\n');
    expect(endOf(await merge('two', { into: 'release', own: false, check: gone('release') }))).toBe('blocked: there is no branch release');
  });

  it('goes onto what a target was forced to meanwhile, and makes nothing of what it had built for the old one', async () => {
    branch('one', 'one.txt', '1\n');
    let times = 0;
    const records: Candidate[] = [];
    expect(endOf(await merge('one', {
      record: async (candidate) => void records.push(candidate),
      check: async () => {
        times += 1;
        // Somebody throws away the target's last commit and puts another there.
        if (times === 1) gitIn(repo, 'update-ref', 'refs/heads/snakepit-main', gitIn(repo, 'commit-tree', '-p', 'main~1', '-m', 'forced', 'main^{tree}').trim());
        return 'none';
      },
    }))).toBe('merged');
    expect(records).toHaveLength(2);
    expect(gitIn(repo, 'log', '--format=%s', '--first-parent', '-2', 'snakepit-main').trim().split('\n')).toEqual(['Merge task one: one', 'forced']);
  });

  it('of one repository by two pits at once gives both their merges', async () => {
    for (const id of ['one', 'two', 'three', 'four']) branch(id, `${id}.txt`, `${id}\n`);
    const all = await Promise.all(['one', 'two', 'three', 'four'].map((id, nth) => merge(id, { pitId: `p${nth % 2}` })));
    expect(all.map(endOf)).toEqual(['merged', 'merged', 'merged', 'merged']);
    expect(gitIn(repo, 'ls-tree', '--name-only', 'snakepit-main').trim().split('\n')).toEqual(['a.txt', 'four.txt', 'one.txt', 'three.txt', 'two.txt']);
    expect(fs.readdirSync(join(repo, '.git', 'snakepit', 'merging-line'))).toEqual([]);
  });

  it('works in a shallow clone, where histories meet within its depth', async () => {
    const whole = repo;
    repo = join(top, 'shallow');
    execFileSync('git', ['clone', '-q', '--depth', '1', `file://${whole}`, repo], { stdio: 'ignore' });
    branch('one', 'one.txt', '1\n');
    branch('two', 'two.txt', '2\n');
    expect([endOf(await merge('one')), endOf(await merge('two', { mode: 'rebase' }))]).toEqual(['merged', 'merged']);
    expect(gitIn(repo, 'ls-tree', '--name-only', 'snakepit-main').trim().split('\n')).toEqual(['a.txt', 'one.txt', 'two.txt']);
  });

  it('keeps submodules and files of git-lfs as they are stored, and starts nothing for them', async () => {
    const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'a'.repeat(64)}\nsize 9\n`;
    fs.writeFileSync(join(repo, '.gitattributes'), '*.bin filter=lfs diff=lfs merge=lfs -text\n');
    gitIn(repo, 'add', '.gitattributes');
    gitIn(repo, 'update-index', '--add', '--cacheinfo', `160000,${gitIn(repo, 'rev-parse', 'HEAD').trim()},sub`);
    gitIn(repo, 'commit', '-qm', 'attributes and a submodule');
    const path = join(top, 'one');
    gitIn(repo, 'worktree', 'add', '-q', '-b', 'snakepit/one', path, 'main');
    fs.writeFileSync(join(path, 'big.bin'), pointer);
    const blob = gitIn(path, 'hash-object', '-w', '--no-filters', 'big.bin').trim();
    gitIn(path, 'update-index', '--add', '--cacheinfo', `100644,${blob},big.bin`);
    gitIn(path, 'update-index', '--cacheinfo', `160000,${gitIn(repo, 'rev-parse', 'main~1').trim()},sub`);
    gitIn(path, 'commit', '-qm', 'both');
    for (const word of ['clean', 'smudge', 'process']) gitIn(repo, 'config', `filter.lfs.${word}`, `touch ${join(top, 'ran')}; false`);
    gitIn(repo, 'config', 'filter.lfs.required', 'true');
    gitIn(repo, 'config', 'merge.lfs.driver', `touch ${join(top, 'ran')}; false`);
    expect(endOf(await merge('one', { check: async (dir) => (fs.readFileSync(join(dir, 'big.bin'), 'utf8') === pointer && fs.existsSync(join(dir, 'a.txt')) ? 'none' : [{ command: 'look', code: 1, tail: [] }]) }))).toBe('merged');
    expect(gitIn(repo, 'ls-tree', 'snakepit-main', 'sub')).toContain(gitIn(repo, 'rev-parse', 'main~1').trim());
    expect(fs.existsSync(join(top, 'ran'))).toBe(false);
  });

  it('works where the checkout is sparse, and leaves what is not checked out as it is', async () => {
    commit(repo, 'in/x', '1\n');
    commit(repo, 'out/y', '1\n');
    gitIn(repo, 'sparse-checkout', 'set', 'in');
    const path = join(top, 'one');
    gitIn(repo, 'worktree', 'add', '-q', '-b', 'snakepit/one', path, 'main');
    expect(fs.existsSync(join(path, 'out', 'y'))).toBe(false);
    commit(path, 'in/x', '2\n');
    // What a session left uncommitted becomes a commit, of which the files outside are no part.
    fs.writeFileSync(join(path, 'in', 'z'), '1\n');
    expect(await measure({ git }, { path, branch: 'snakepit/one', base: gitIn(repo, 'rev-parse', 'main').trim(), commitLeftovers: true, message: 'left', index: join(top, 'index') })).toMatchObject({ ok: true, value: { leftovers: 'committed', fileCount: 2 } });
    expect(gitIn(path, 'status', '--porcelain')).toBe('');
    expect(endOf(await merge('one'))).toBe('merged');
    expect(gitIn(repo, 'ls-tree', '-r', '--name-only', 'snakepit-main').trim().split('\n')).toEqual(['a.txt', 'in/x', 'in/z', 'out/y']);
  });
});
