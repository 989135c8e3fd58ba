import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { addWorktree, removeWorktree } from '../dist/git/worktrees.js';
import { systemGit } from '../dist/git/run.js';
import { cleanEnv, figure, median, show, sleep, spread, tempDir } from './lib.js';

const FILES = 300;
const ONE_BY_ONE = 8;
const AT_ONCE = 100;
/** A hundred that wait for each other's locks cost less than three times as much as one by one. */
const AT_MOST = 3;

const must = ({ ok, error }) => {
  if (!ok) throw new Error(error);
};
const timed = async (act) => {
  const startedAt = performance.now();
  await act();
  return performance.now() - startedAt;
};

/** A repository of a few hundred files: making and removing a worktree of it, against a bare git --version, and a hundred at once against one after another. */
export async function worktrees() {
  const dir = tempDir();
  const repo = join(dir, 'repo');
  const env = cleanEnv({ GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' });
  const plain = (...args) => {
    const ran = spawnSync('git', ['-C', repo, '-c', 'user.name=b', '-c', 'user.email=b@localhost', ...args], { env, encoding: 'utf8' });
    if (ran.status !== 0) throw new Error(`git ${args[0]}: ${ran.stderr}`);
  };
  mkdirSync(repo);
  plain('init', '-q');
  for (let nth = 0; nth < FILES; nth += 1) writeFileSync(join(repo, `f${nth}.txt`), `${'line of text\n'.repeat(50)}${nth}\n`);
  plain('add', '.');
  plain('commit', '-qm', 'all');
  const git = systemGit(env);
  const path = (nth) => join(dir, `w${nth}`);
  const add = async (nth) => must(await addWorktree(git, repo, path(nth), `b${nth}`, 'HEAD', {}, sleep));
  const remove = async (nth) => must(await removeWorktree(git, repo, path(nth)));

  const bare = [];
  const made = [];
  const removed = [];
  for (let nth = 0; nth < ONE_BY_ONE; nth += 1) {
    bare.push(await timed(async () => void (await git(repo, ['rev-parse', 'HEAD']))));
    made.push(await timed(() => add(nth)));
    removed.push(await timed(() => remove(nth)));
  }
  const many = Array.from({ length: AT_ONCE }, (_none, index) => 1000 + index);
  const together = await timed(() => Promise.all(many.map(add)));
  const removedTogether = await timed(() => Promise.all(many.map(remove)));
  const ratio = (times) => `${show(median(times.map((ms, index) => ms / bare[index])))} times (median of pairs)`;
  return [
    figure('git rev-parse, as we run it', spread(bare, 'ms')),
    figure(`make a worktree of ${FILES} files`, spread(made, 'ms')),
    figure('… / git rev-parse', ratio(made)),
    figure('remove it', spread(removed, 'ms')),
    figure('… / git rev-parse', ratio(removed)),
    figure(`${AT_ONCE} made at once, each`, `${show(together / AT_ONCE)} ms`),
    figure('… / one alone', `${show(together / AT_ONCE / median(made))} times`, { value: together / AT_ONCE / median(made), atMost: AT_MOST }),
    figure(`${AT_ONCE} removed at once, each`, `${show(removedTogether / AT_ONCE)} ms`),
    figure('… / one alone', `${show(removedTogether / AT_ONCE / median(removed))} times`, { value: removedTogether / AT_ONCE / median(removed), atMost: AT_MOST }),
  ];
}
