import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Pit } from './pit.js';

/** Git as a person runs it, in a HOME of the test's own. */
export function gitIn(dir: string, ...args: readonly string[]): string {
  return execFileSync('git', ['-C', dir, '-c', 'user.name=Ann', '-c', 'user.email=ann@example.org', '-c', 'init.defaultBranch=main', ...args], {
    encoding: 'utf8', env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', HOME: '/nonexistent', GIT_CONFIG_NOSYSTEM: '1' }, stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 64 * 1024 * 1024,
  });
}

/** Lines of a task's script that commit as an agent does. */
export const COMMIT = 'git -c user.name=Agent -c user.email=agent@example.org commit -qm';

/**
 * The pit's directory as a repository: two commits, a stash, a staged change, an unstaged one and an untracked file, so that a checkout
 * that was touched shows it.
 */
export function seedRepo(dir: string): void {
  gitIn(dir, 'init', '-q');
  fs.writeFileSync(join(dir, '.gitignore'), '.snakepit/\nqueue/\nsnakepit.yaml\nnode_modules/\n');
  for (const name of ['a.txt', 'b.txt', 'c.txt']) fs.writeFileSync(join(dir, name), `${name}\n`);
  gitIn(dir, 'add', '.gitignore', 'a.txt', 'b.txt', 'c.txt');
  gitIn(dir, 'commit', '-qm', 'first');
  fs.writeFileSync(join(dir, 'a.txt'), 'a.txt\nstashed\n');
  gitIn(dir, 'stash', '-q');
  fs.writeFileSync(join(dir, 'b.txt'), 'b.txt\nstaged\n');
  gitIn(dir, 'add', 'b.txt');
  fs.writeFileSync(join(dir, 'c.txt'), 'c.txt\nunstaged\n');
  fs.writeFileSync(join(dir, 'untracked.txt'), 'mine\n');
}

/** All of a person's checkout, byte for byte: HEAD, index, stash, what is tracked and what is not. */
export function checkout(dir: string): Record<string, string> {
  const hash = (path: string): string => createHash('sha256').update(fs.readFileSync(path)).digest('hex');
  const seen: Record<string, string> = { HEAD: fs.readFileSync(join(dir, '.git', 'HEAD'), 'utf8'), index: hash(join(dir, '.git', 'index')), stash: gitIn(dir, 'stash', 'list', '--format=%H'), main: gitIn(dir, 'rev-parse', 'main') };
  for (const name of fs.readdirSync(dir).sort()) if (!['.git', '.snakepit', 'queue', 'snakepit.yaml'].includes(name) && fs.statSync(join(dir, name)).isFile()) seen[name] = hash(join(dir, name));
  return seen;
}

/** The worktree of a task. */
export const worktreeOf = (pit: Pit, id: string): string => join(pit.layout.worktrees, id);
