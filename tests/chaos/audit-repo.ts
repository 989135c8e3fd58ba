import * as fs from 'node:fs';
import { join } from 'node:path';
import { linuxProcesses } from '../../src/lib/linux-processes.js';
import type { Pit } from '../rig/pit.js';
import { checkout, gitIn } from '../rig/repo.js';
import { fileOfTask, INTO, SHARED } from './repo-work.js';
import type { TaskPlan } from './witness.js';

/** Rounds of cleanup until it has nothing more to do: what one salvages, or is killed over by its caller's patience, the next goes on with. */
const MOST_ROUNDS = 30;

/** Lets the specialists come by until they have nothing left to do; what they refuse to the end is a fault. */
export async function tidy(pit: Pit, log: (line: string) => void): Promise<string[]> {
  for (let round = 1; round <= MOST_ROUNDS; round += 1) {
    const { code, stdout, stderr } = await pit.cli('cleanup', '--only', 'salvager', 'pruner');
    log(`tidying up, round ${round}, ended with ${code}: ${stdout.trim().split('\n').slice(-12).join(' | ')} ${stderr.trim()}`);
    if (code === 0) return [];
    // Only what is left to a person is left.
    if (code === 4) return [`cleanup leaves to a person: ${stdout.trim()}`];
  }
  return [`after ${MOST_ROUNDS} rounds of cleanup there is still something to do`];
}

/** What the repository must hold: the work of each done task exactly once, nobody else's, no trace of how it came there, and the person's checkout as it was. */
export async function auditRepo(pit: Pit, plans: readonly TaskPlan[], merge: 'no-ff' | 'squash', before: Readonly<Record<string, string>>): Promise<string[]> {
  const faults: string[] = [];
  const works = plans.filter(({ work }) => work !== 'none');
  if (JSON.stringify(checkout(pit.root)) !== JSON.stringify(before)) faults.push(`the project's checkout is not as it was: ${JSON.stringify(checkout(pit.root))}, not ${JSON.stringify(before)}`);
  faults.push(...auditTarget(pit, works), ...(await auditTraces(pit, works, merge)));
  return faults;
}

function auditTarget({ root }: Pit, works: readonly TaskPlan[]): string[] {
  const faults: string[] = [];
  if (works.length === 0) return [];
  if (gitIn(root, 'branch', '--list', INTO) === '') return [`there is no branch ${INTO}: nothing was merged`];
  const merged = gitIn(root, 'log', '--first-parent', '--format=%(trailers:key=Snakepit-Task,valueonly,separator=%x2C)', `main..${INTO}`).trim().split('\n');
  const times = new Map<string, number>();
  for (const id of merged) times.set(id, (times.get(id) ?? 0) + 1);
  const lines = gitIn(root, 'show', `${INTO}:${SHARED}`).trim().split('\n');
  const files = new Set(gitIn(root, 'ls-tree', '-r', '--name-only', INTO).trim().split('\n'));
  for (const { id, habit, work } of works) {
    const want = habit === 'fails' ? 0 : 1;
    const there = work === 'own' ? (files.has(fileOfTask(id)) ? 1 : 0) : lines.filter((line) => line === id).length;
    if ((times.get(id) ?? 0) !== want) faults.push(`${id} was merged ${times.get(id) ?? 0} times, not ${want}`);
    if (there !== want) faults.push(`the work of ${id} lies on ${INTO} ${there} times, not ${want}`);
    times.delete(id);
  }
  for (const [id, count] of times) faults.push(`${count} commits on ${INTO} are of ${id === '' ? 'no task' : `${id}, which is none that works there`}`);
  try {
    gitIn(root, 'fsck', '--connectivity-only', '--no-dangling');
  } catch (cause) {
    faults.push(`git fsck: ${String(cause)}`);
  }
  return faults;
}

/** Worktrees, branches, locks, tickets, checkouts for checks: of what is over, nothing is left. */
async function auditTraces({ root, layout }: Pit, works: readonly TaskPlan[], merge: 'no-ff' | 'squash'): Promise<string[]> {
  const faults: string[] = [];
  const git = join(root, '.git');
  const list = (dir: string): string[] => (fs.existsSync(dir) ? fs.readdirSync(dir) : []);
  for (const [dir, what] of [[layout.worktrees, 'a worktree'], [join(git, 'worktrees'), 'an entry of a worktree'], [join(layout.state, 'merging'), 'a checkout for checks'], [layout.salvage, 'something put aside']] as const) {
    for (const name of list(dir)) faults.push(`${what} is left: ${name}`);
  }
  // The commits of one that was squashed lie on its branch alone.
  const mayStay = new Set(['main', INTO, ...works.filter((plan) => merge === 'squash' || plan.habit === 'fails').map(({ id }) => `snakepit/${id}`)]);
  for (const branch of gitIn(root, 'for-each-ref', '--format=%(refname:strip=2)', 'refs/heads').trim().split('\n')) if (!mayStay.has(branch)) faults.push(`a branch is left: ${branch}`);
  for (const name of fs.readdirSync(git, { recursive: true, encoding: 'utf8' })) if (name.endsWith('.lock') && !name.startsWith('snakepit/')) faults.push(`a lock is left in the repository: ${name}`);
  for (const [dir, what] of [['merging', 'the baton of the merges'], ['merging-line', 'a ticket in the line of the merges']] as const) {
    for (const name of list(join(git, 'snakepit', dir))) {
      const held = /~?(\d+)~(\d+)~([0-9a-f]{8})(?:~|$)/.exec(name);
      if (held !== null && (await linuxProcesses.liveness({ pid: Number(held[1]), start: held[2] ?? '', boot: held[3] ?? '' })) !== 'dead') faults.push(`${what} is held by a living process: ${name}`);
    }
  }
  return faults;
}
