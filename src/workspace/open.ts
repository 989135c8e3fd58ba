import { join } from 'node:path';
import { branchTip, moveRef } from '../git/refs.js';
import { repositoryOf, resolveCommit, type Head, type Repository } from '../git/repository.js';
import { complaint } from '../git/run.js';
import { addWorktree, listWorktrees, removeWorktree } from '../git/worktrees.js';
import { err, ok, type Result } from '../lib/result.js';
import { regain } from '../lib/rights.js';
import type { Layout } from '../protocol/layout.js';
import { branchName } from './choose.js';
import { excludeOurs, type WorkspacePorts } from './ground.js';
import { clearLocks, clearRefLock } from './locks.js';
import { readWorkspace, writeWorkspace } from './record.js';
import type { WorktreeRecord } from './state.js';

export interface OpenRequest {
  readonly id: string;
  readonly repository: Repository;
  readonly head: Head;
  /** A branch, tag or commit to start from; HEAD: what is checked out in the project now. */
  readonly base: string;
  /** A commit to start from that holds the base and more. */
  readonly startAt?: string;
  /** The mark of the claim: git itself bears it, so that whoever ends the claim ends git too. */
  readonly env: Readonly<Record<string, string>>;
  /** Ends what an earlier holder of the claim may have left at work on it; false: that could not be shown. */
  readonly endLeftovers: () => Promise<boolean>;
  /** Wall clock, milliseconds, at which the task's last attempt had ended with all its processes; undefined: it is the first. */
  readonly lastEndedAt: number | undefined;
}

/** A worktree ready for an attempt; `notes`: what had to be mended first. */
export interface Opened {
  readonly record: WorktreeRecord;
  readonly notes: readonly string[];
}

/**
 * The task's worktree: found as its last attempt left it, or made. Only the holder of the task's claim calls this; it may be repeated
 * after a crash at any point. An error: what git said, for the task's story; nothing of the task's work is gone then.
 */
export async function openWorktree(ports: WorkspacePorts, layout: Layout, request: OpenRequest): Promise<Result<Opened, string>> {
  const { files, git } = ports;
  const { id, repository } = request;
  const known = await readWorkspace(files, layout, id);
  const excluded = await excludeOurs(ports, layout, repository);
  if (!excluded.ok) return excluded;
  if (known?.state === 'ready') return reopen(ports, layout, request, known);
  if (known !== undefined) {
    if (!(await request.endLeftovers())) return err('git of an earlier attempt is still at work in the worktree, and could not be ended');
    const tip = await branchTip(git, repository.top, known.branch);
    if (!tip.ok) return tip;
    const unlocked = await clearRefLock(ports, repository.commonDir, `refs/heads/${known.branch}`, request.lastEndedAt);
    // Nobody worked in what was never ready; its branch still stands where it began.
    const untouched = known.state === 'making' && tip.value === known.base.sha;
    const cleared = known.state === 'making' ? await clear(ports, repository, known.path) : ok(undefined);
    if (!cleared.ok) return cleared;
    if (untouched) {
      const moved = await moveRef(git, repository.top, `refs/heads/${known.branch}`, undefined, known.base.sha, 'a worktree that was never made');
      if (moved.kind === 'unknown') return err(moved.why);
    }
    if (tip.value !== undefined && !untouched) return make(ports, layout, request, { ...known, repo: repository.top }, undefined, [...unlocked, 'its worktree was made anew, from its branch']);
    if (known.state === 'making') return make(ports, layout, request, known, known.base.sha, unlocked);
  }
  const base = await baseOf(ports, request);
  if (!base.ok) return base;
  const named = await freeBranch(ports, request);
  if (!named.ok) return named;
  return make(ports, layout, request, { v: 1, id, repo: repository.top, path: join(layout.worktrees, id), branch: named.value, base: base.value, state: 'making', at: 0 }, base.value.sha, []);
}

async function make(ports: WorkspacePorts, layout: Layout, { env, repository }: OpenRequest, wanted: WorktreeRecord, from: string | undefined, notes: readonly string[]): Promise<Result<Opened, string>> {
  const { files, git, clock } = ports;
  const { setUp: _before, ...rest } = wanted;
  const making: WorktreeRecord = { ...rest, state: 'making', at: clock.wallMs() };
  await writeWorkspace(files, layout, making);
  // Something may lie there that no record speaks of: it is put aside, never overwritten.
  const aside = await putAside(ports, layout, wanted);
  const cleared = await clear(ports, repository, wanted.path);
  if (!cleared.ok) return cleared;
  await files.makeDir(layout.worktrees);
  const added = await addWorktree(git, repository.top, making.path, making.branch, from, env, (ms) => clock.sleep(ms));
  if (!added.ok) return added;
  const ready: WorktreeRecord = { ...making, state: 'ready', at: clock.wallMs() };
  await writeWorkspace(files, layout, ready);
  return ok({ record: ready, notes: [...notes, ...aside] });
}

/** As the last attempt left it, with the locks of its dead processes taken away; mended where its link to the repository broke. */
async function reopen(ports: WorkspacePorts, layout: Layout, request: OpenRequest, record: WorktreeRecord): Promise<Result<Opened, string>> {
  const { git, files } = ports;
  const { repository } = request;
  const notes: string[] = [];
  regain(record.path);
  let here = await soundness(ports, repository, record.path);
  if (here === 'broken' && (await files.exists(record.path))) {
    // Writes the links between a repository and its worktrees anew, where one side still knows.
    const repaired = await git(repository.top, ['worktree', 'repair', record.path]);
    here = await soundness(ports, repository, record.path);
    notes.push(here === 'sound' ? 'its worktree had lost its repository, and was repaired' : `its worktree was broken (${complaint(repaired)})`);
  }
  if (here === 'unknown') return err('git does not say how its worktree stands');
  if (here === 'sound') return ok({ record, notes: [...notes, ...(await clearLocks(ports, record, request.lastEndedAt))] });
  const aside = await putAside(ports, layout, record);
  const tip = await branchTip(git, repository.top, record.branch);
  if (!tip.ok) return tip;
  const made = await make(ports, layout, request, record, tip.value === undefined ? record.base.sha : undefined, [...notes, ...aside, `its worktree was made anew, ${tip.value === undefined ? 'from its base: its branch was gone' : 'from its branch'}`]);
  return made;
}

/** "sound": git, asked inside, answers with this directory and this repository. An error counts only when it is there twice, while the repository itself answers: unknown is not broken. */
export async function soundness({ git, files }: Pick<WorkspacePorts, 'git' | 'files'>, repository: Pick<Repository, 'top' | 'commonDir'>, path: string): Promise<'sound' | 'broken' | 'unknown'> {
  if (!(await files.exists(join(path, '.git')))) return 'broken';
  for (let look = 0; look < 2; look += 1) {
    const seen = await repositoryOf(git, path);
    if (seen.ok) return seen.value !== 'none' && seen.value.top === path && seen.value.commonDir === repository.commonDir ? 'sound' : 'broken';
  }
  return (await repositoryOf(git, repository.top)).ok ? 'broken' : 'unknown';
}

/** What lies where a worktree is to be made is moved to the salvage, whatever it holds. */
async function putAside({ files, clock }: WorkspacePorts, layout: Layout, record: WorktreeRecord): Promise<string[]> {
  if (!(await files.exists(record.path))) return [];
  const to = join(layout.salvage, `${record.id}-${clock.wallMs().toString(36)}`);
  await files.makeDir(layout.salvage);
  await files.rename(record.path, to);
  return [`what lay in its place is kept in .snakepit/salvage/${to.slice(layout.salvage.length + 1)}`];
}

/**
 * Takes away the directory of a worktree in which nobody has worked, if there is one, and then its entry in the repository's list. Git
 * locks an entry while it makes it, so that one that was killed there must be unlocked; any other lock is a person's.
 */
export async function clear({ files, git }: Pick<WorkspacePorts, 'files' | 'git'>, repository: Pick<Repository, 'top'>, path: string): Promise<Result<void, string>> {
  await files.remove(path);
  const listed = await listWorktrees(git, repository.top);
  if (!listed.ok) return listed;
  const entry = listed.value.find((one) => one.path === path);
  if (entry === undefined) return ok(undefined);
  if (entry.locked === 'initializing') await git(repository.top, ['worktree', 'unlock', path]);
  const removed = await removeWorktree(git, repository.top, path);
  return removed.ok ? ok(undefined) : err(`the worktree ${path} could not be cleared: ${removed.error}`);
}

async function baseOf({ git }: WorkspacePorts, { repository, head, base, startAt }: OpenRequest): Promise<Result<WorktreeRecord['base'], string>> {
  if (base === 'HEAD') return head.sha === undefined ? err('the repository has no commit yet') : ok({ name: head.ref?.replace(/^refs\/heads\//, '') ?? 'HEAD', sha: startAt ?? head.sha });
  const sha = await resolveCommit(git, repository.top, base);
  if (!sha.ok) return sha;
  return sha.value === undefined ? err(`base: ${base} names no commit of the repository`) : ok({ name: base, sha: sha.value });
}

/** No branch of that name, and none that would lie below or above it. */
async function freeBranch({ git }: WorkspacePorts, { id, repository }: OpenRequest): Promise<Result<string, string>> {
  const ran = await git(repository.top, ['for-each-ref', '--format=%(refname)', 'refs/heads']);
  if (ran.kind === 'unknown' || ran.code !== 0) return err(complaint(ran));
  const there = new Set(ran.stdout.split('\n').map((line) => line.replace(/^refs\/heads\//, '')));
  return ok(branchName(id, (branch) => there.has(branch)));
}
