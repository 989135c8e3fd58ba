import { branchTip, refsWith } from '../git/refs.js';
import { repositoryOf, type Repository } from '../git/repository.js';
import { listWorktrees, type Worktree } from '../git/worktrees.js';
import { err, ok, type Result } from '../lib/result.js';
import { idsOnTheWay } from '../queue/locate.js';
import { pastAttempts } from '../runs/run-dir.js';
import { soundness } from '../workspace/open.js';
import { listWorkspaces } from '../workspace/record.js';
import type { WorktreeRecord } from '../workspace/state.js';
import { workIn } from '../workspace/work.js';
import type { CheckoutPorts, CleanupPorts, CleanupSetting } from './ports.js';
import type { BranchState, Checkout, WorktreeFacts } from './worktree-state.js';

/** A repository and its list of worktrees, read once for all of its worktrees. */
export interface RepositoryView {
  readonly repository: Repository;
  readonly worktrees: readonly Worktree[];
}

/** Worktrees that git is asked about at a time: its calls wait for the disk, and for each other's locks never. */
const AT_ONCE = 4;

/** Does it to all, a few at a time; what comes of them, in their order. */
export async function eachOf<T, R>(all: readonly T[], act: (one: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let from = 0; from < all.length; from += AT_ONCE) results.push(...(await Promise.all(all.slice(from, from + AT_ONCE).map(act))));
  return results;
}

export type LookPorts = CleanupPorts & { readonly checkouts: CheckoutPorts };

/** One look at all worktrees. */
export class WorktreeLook {
  private readonly views = new Map<string, Promise<Result<RepositoryView, string>>>();
  private readonly ports: LookPorts;
  private readonly setting: CleanupSetting;
  private onTheWay: ReadonlyMap<string, unknown> = new Map();
  private listed: Promise<readonly WorktreeRecord[]> | undefined;

  private constructor(ports: LookPorts, setting: CleanupSetting) {
    this.ports = ports;
    this.setting = setting;
  }

  /** At all of them. The records come first: a worktree that is made after the look at the queue would pass for one whose task has ended. */
  static async begin(ports: LookPorts, setting: CleanupSetting): Promise<WorktreeLook> {
    const look = new WorktreeLook(ports, setting);
    await look.records();
    return look.lookAtQueue();
  }

  /** At the one whose workspace the caller holds, so that no task begins in it; the others' records are read where they may decide. */
  static beginHeld = (ports: LookPorts, setting: CleanupSetting): Promise<WorktreeLook> => new WorktreeLook(ports, setting).lookAtQueue();

  private async lookAtQueue(): Promise<this> {
    const { ports: { files }, setting: { layout } } = this;
    // A task that moves while the directories are listed can be missed by one look.
    this.onTheWay = new Map([...(await idsOnTheWay(files, layout)), ...(await idsOnTheWay(files, layout))]);
    return this;
  }

  /** All that were ever made and are not forgotten, by their ids. */
  records(): Promise<readonly WorktreeRecord[]> {
    this.listed ??= listWorkspaces(this.ports.files, this.setting.layout).then((records) => records.toSorted((a, b) => (a.id < b.id ? -1 : 1)));
    return this.listed;
  }

  view(repo: string): Promise<Result<RepositoryView, string>> {
    const known = this.views.get(repo) ?? this.read(repo);
    this.views.set(repo, known);
    return known;
  }

  private async read(repo: string): Promise<Result<RepositoryView, string>> {
    const { git } = this.ports.checkouts;
    const repository = await repositoryOf(git, repo);
    if (!repository.ok) return repository;
    if (repository.value === 'none') return err(`${repo} is no repository any more`);
    const worktrees = await listWorktrees(git, repo);
    return worktrees.ok ? ok({ repository: repository.value, worktrees: worktrees.value }) : worktrees;
  }

  ended = (id: string): boolean => !this.onTheWay.has(id);

  /** When the task's last attempt ended, or its worktree changed last. Wall clock, milliseconds. */
  async endedAt({ id, at }: WorktreeRecord): Promise<number> {
    return (await pastAttempts(this.ports.files, this.setting.layout, id)).at(-1)?.record.endedAt ?? at;
  }

  /** What is dear to find out is looked at where it may decide: `work` once its task has ended, users once its time is over. */
  async facts(record: WorktreeRecord, want: { readonly users: boolean }): Promise<WorktreeFacts> {
    const { checkouts, clock } = this.ports;
    const { id, path, branch, state } = record;
    const task = this.ended(id) ? 'ended' : 'on-its-way';
    const none: WorktreeFacts = { id, path, branch, state, task, endedAt: 0, endedAgoMs: 0, checkout: { kind: 'unknown', why: 'not looked at' }, locked: undefined, work: { kind: 'unknown', why: 'not looked at' }, users: 'unknown', branchState: 'unknown' };
    if (task === 'on-its-way') return none;
    const endedAt = await this.endedAt(record);
    const facts = { ...none, endedAt, endedAgoMs: Math.max(0, clock.wallMs() - endedAt) };
    const view = await this.view(record.repo);
    if (!view.ok) return { ...facts, checkout: { kind: 'unknown', why: view.error } };
    if (state === 'released') return { ...facts, branchState: await this.branchState(record, view.value) };
    const checkout = await this.checkout(record, view.value);
    return {
      ...facts,
      checkout,
      locked: view.value.worktrees.find((one) => one.path === path)?.locked,
      ...(checkout.kind === 'sound' && state === 'ready' ? { work: await workIn({ files: this.ports.files, git: checkouts.git }, record) } : {}),
      ...(want.users ? { users: (await checkouts.workingIn(path)) ?? ('unknown' as const) } : {}),
    };
  }

  private async checkout({ path }: WorktreeRecord, { repository }: RepositoryView): Promise<Checkout> {
    const { files, checkouts } = this.ports;
    if (!(await files.exists(path))) return { kind: 'missing' };
    const found = await soundness({ git: checkouts.git, files }, repository, path);
    return found === 'unknown' ? { kind: 'unknown', why: 'git does not say how it stands' } : { kind: found };
  }

  async branchState(record: WorktreeRecord, { worktrees }: RepositoryView): Promise<BranchState> {
    const { git } = this.ports.checkouts;
    const tip = await branchTip(git, record.repo, record.branch);
    if (!tip.ok) return 'unknown';
    if (tip.value === undefined) return 'gone';
    if (worktrees.some((one) => one.branch === `refs/heads/${record.branch}`)) return 'checked-out';
    const holders = await refsWith(git, record.repo, tip.value);
    if (!holders.ok) return 'unknown';
    // Branches of tasks are deleted themselves one day, and count for nothing.
    const ours = new Set((await this.records()).map((one) => `refs/heads/${one.branch}`));
    return holders.value.some((ref) => !ours.has(ref)) ? 'merged' : 'unmerged';
  }
}
