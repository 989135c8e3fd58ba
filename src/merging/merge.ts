import { join } from 'node:path';
import { backupRef, writeBackup } from '../git/backups.js';
import { occupiedIn } from '../git/occupied.js';
import { branchTip, moveRef } from '../git/refs.js';
import { isAncestor, repositoryOf } from '../git/repository.js';
import type { Git } from '../git/run.js';
import { addDetached } from '../git/worktrees.js';
import { err, ok, type Result } from '../lib/result.js';
import { unreachable } from '../lib/unreachable.js';
import type { Candidate, MergeEnd } from '../protocol/merging.js';
import type { VerifyRun } from '../protocol/records.js';
import type { WorkspacePorts } from '../workspace/ground.js';
import { clearRefLock } from '../workspace/locks.js';
import { clear } from '../workspace/open.js';
import { build, type BuildRequest } from './build.js';
import { decideMerge } from './decide.js';
import { takeTurn } from './line.js';
import type { MergeView } from './state.js';

/** One task's merge. */
export interface MergeRequest extends Omit<BuildRequest, 'onto' | 'head'> {
  /** A checkout of the repository; nothing in it is touched. */
  readonly dir: string;
  readonly branch: string;
  /** What the branch started from. */
  readonly base: string;
  readonly into: string;
  readonly own: boolean;
  readonly since: number;
  /** Where the merged tree is checked out for its checks; ours, and taken away again. */
  readonly scratch: string;
  readonly env: Readonly<Record<string, string>>;
  /** By which the pruner knows its own backups again. */
  readonly pitId: string;
  /** What an earlier holder of the claim recorded. */
  readonly candidate: Candidate | undefined;
  readonly record: (candidate: Candidate) => Promise<void>;
  /** Whether the claim is still ours and nobody has called the task back; its heartbeat. */
  readonly held: () => Promise<boolean>;
  /** False: the task has no checks, and no tree is checked out for them. */
  readonly checks?: boolean;
  /** Runs the task's checks in a checkout of the merged tree, up to the first that fails; "none": it has none; undefined: it was interrupted. */
  readonly check: (dir: string) => Promise<readonly VerifyRun[] | 'none' | undefined>;
}

/** "again": it was interrupted, or git did not answer; nothing is decided. */
export type MergeResult = { readonly kind: 'ended'; readonly end: MergeEnd; readonly rule: string } | { readonly kind: 'interrupted'; readonly rule: string } | { readonly kind: 'unknown'; readonly why: string };

/** Others may move the target between a check and the swap; each time it is built anew. After so many times somebody is at war with it. */
const MOST_ROUNDS = 50;

/** Whether what was recorded lies in the target; undefined: git did not say. */
export async function hasLanded(git: Git, dir: string, into: string, candidate: Candidate | undefined): Promise<boolean | undefined> {
  if (candidate?.commit === undefined) return false;
  const tip = await branchTip(git, dir, into);
  if (!tip.ok) return undefined;
  return tip.value === undefined ? false : isAncestor(git, dir, candidate.commit, tip.value);
}

/** Merges a task's branch: waits for its turn, then observes, decides and applies until it has ended. May be repeated after a crash at any point. */
export async function mergeTask(ports: WorkspacePorts, request: MergeRequest): Promise<MergeResult> {
  const seen = await repositoryOf(ports.git, request.dir);
  if (!seen.ok || seen.value === 'none') return { kind: 'unknown', why: seen.ok ? 'its repository is gone' : seen.error };
  const turn = await takeTurn(ports, seen.value.commonDir, request.since, request.branch.replaceAll('/', '-'), request.held);
  if (turn === undefined) return { kind: 'interrupted', rule: 'the claim is no longer ours, or it was called back' };
  try {
    // Whoever has the turn is the only one of us who moves these.
    for (const ref of [`refs/heads/${request.into}`, backupRef(request.branch)]) await clearRefLock(ports, seen.value.commonDir, ref);
    return await mergeNow(ports, request, seen.value.commonDir);
  } finally {
    await turn.release();
  }
}

async function mergeNow(ports: WorkspacePorts, request: MergeRequest, commonDir: string): Promise<MergeResult> {
  // What was recorded is only looked for: policy, mode and title may have changed since it was built.
  let candidate = (await hasLanded(ports.git, request.dir, request.into, request.candidate)) === false ? undefined : request.candidate;
  let checks: MergeView['checks'];
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const view = await look(ports, request, commonDir, candidate, checks);
    if (!view.ok) return { kind: 'unknown', why: view.error };
    const step = decideMerge(view.value);
    switch (step.kind) {
      case 'end':
        return { kind: 'ended', end: step.end, rule: step.rule };
      case 'give-up':
        return { kind: 'interrupted', rule: step.rule };
      case 'found': {
        const made = await moveRef(ports.git, request.dir, `refs/heads/${request.into}`, request.base, undefined, 'snakepit: an integration branch');
        if (made.kind === 'unknown') return made;
        break;
      }
      case 'build': {
        const built = await build(ports.git, request.dir, { ...request, onto: step.onto, head: view.value.head });
        if (!built.ok) return { kind: 'unknown', why: built.error };
        candidate = built.value;
        checks = undefined;
        // Before the target is moved: a successor looks for this very commit in it.
        await request.record(candidate);
        break;
      }
      case 'check': {
        const checked = await checkMerged(ports, request, step.commit);
        if (!checked.ok) return { kind: 'unknown', why: checked.error };
        if (checked.value === undefined) return { kind: 'interrupted', rule: 'it was called back while its merged tree was checked' };
        checks = checked.value;
        break;
      }
      case 'swap': {
        const kept = await writeBackup(ports.git, request.dir, request.branch, request.into, step.from, request.pitId);
        if (!kept.ok) return { kind: 'unknown', why: kept.error };
        // Checks take their time: the claim must be ours at this very moment.
        if (!(await request.held())) return { kind: 'interrupted', rule: 'the claim was lost before the swap' };
        const moved = await moveRef(ports.git, request.dir, `refs/heads/${request.into}`, step.to, step.from, `snakepit: merge ${request.branch}`);
        if (moved.kind === 'unknown') return moved;
        break;
      }
      default:
        return unreachable(step);
    }
  }
  return { kind: 'unknown', why: `${request.into} was moved by somebody else ${MOST_ROUNDS} times` };
}

/** One look at all that the decision needs. */
async function look({ git, files }: WorkspacePorts, request: MergeRequest, commonDir: string, candidate: Candidate | undefined, checks: MergeView['checks']): Promise<Result<MergeView, string>> {
  const { dir, into, mode, own, base } = request;
  const tip = await branchTip(git, dir, into);
  if (!tip.ok) return tip;
  const head = await branchTip(git, dir, request.branch);
  if (!head.ok) return head;
  if (head.value === undefined) return err(`its branch ${request.branch} is gone`);
  const occupied = await occupiedIn({ git, files }, dir, commonDir, into);
  if (!occupied.ok) return occupied;
  const lands = async (commit: string | undefined): Promise<boolean | undefined> => (commit === undefined || tip.value === undefined ? false : isAncestor(git, dir, commit, tip.value));
  const candidateLanded = await lands(candidate?.commit);
  const headLanded = await lands(head.value);
  if (candidateLanded === undefined || headLanded === undefined) return err('git did not say what lies in the history of the target');
  return ok({ mode, into, own, held: await request.held(), tip: tip.value, occupied: occupied.value, head: head.value, changed: head.value !== base, headLanded, candidate, candidateLanded, checks });
}

/** The checks run on the tree that the target would have, in a checkout of its own. */
async function checkMerged(ports: WorkspacePorts, request: MergeRequest, commit: string): Promise<Result<readonly VerifyRun[] | 'none' | undefined, string>> {
  const { dir, scratch, env } = request;
  if (request.checks === false) return ok('none');
  const cleared = await clear(ports, { top: dir }, scratch);
  if (!cleared.ok) return cleared;
  await ports.files.makeDir(join(scratch, '..'));
  const added = await addDetached(ports.git, dir, scratch, commit, env, (ms) => ports.clock.sleep(ms));
  if (!added.ok) return added;
  try {
    return ok(await request.check(scratch));
  } finally {
    await clear(ports, { top: dir }, scratch);
  }
}
