import { endSession } from '../agents/end-session.js';
import type { Config } from '../config/config.js';
import { branchTip } from '../git/refs.js';
import { isAncestor, type Head } from '../git/repository.js';
import type { Git } from '../git/run.js';
import { targetOf } from '../merging/target.js';
import type { Outcome } from '../protocol/judge.js';
import { claimEntry } from '../protocol/names.js';
import type { TaskSpec } from '../protocol/task.js';
import type { Claim } from '../queue/store.js';
import { pastAttempts } from '../runs/run-dir.js';
import { chooseWorkspace } from '../workspace/choose.js';
import { lookAtProject, projectDir, type WorkspacePorts } from '../workspace/ground.js';
import { HOLD_PATIENCE_MS, holdWorkspace } from '../workspace/hold.js';
import { openWorktree } from '../workspace/open.js';
import type { Workspace } from '../workspace/state.js';
import { takeTurn } from '../workspace/turn.js';
import type { SnakePorts, SnakeSetting } from './ports.js';

/** Where the attempt works, or why it cannot. */
export type Workplace = { readonly kind: 'open'; readonly workspace: Workspace } | { readonly kind: 'busy' } | { readonly kind: 'failed'; readonly outcome: Outcome };

/** How often a task asks whether the project is free for it. */
export const TURN_EVERY_MS = 2000;

const failed = (detail: string, final = false): Workplace => ({ kind: 'failed', outcome: { kind: 'failed', reason: 'workspace-failed', detail, final } });

/** Chooses the kind of workspace and opens it. May be repeated after a crash; what a dead holder of this claim left at work in it is ended first. */
export async function openWorkplace(ports: SnakePorts, setting: SnakeSetting, claim: Claim, spec: TaskSpec): Promise<Workplace> {
  const { layout, config } = setting;
  const wish = spec.workspace ?? config.workspace;
  const dir = projectDir(layout, config.repo);
  const git = ports.git;
  const project = wish === 'scratch' || wish === 'repo' || git === undefined ? undefined : await lookAtProject({ files: ports.files, git }, dir);
  if (project?.ok === false) return failed(`git cannot read the repository: ${project.error}`);
  const found = project?.value ?? { kind: 'none' as const };
  const ground = found.kind === 'none' ? 'none' : found.head.sha === undefined && (spec.base ?? config.base) === 'HEAD' ? 'no-commit' : 'repository';
  const kind = chooseWorkspace(wish, ground);
  if (!kind.ok) return failed(kind.error, true);
  if (kind.value === 'repo' && !(await takeTurn(ports.files, ports.processes.self(), layout, claim.marker, dir))) return { kind: 'busy' };
  if (kind.value === 'repo') return { kind: 'open', workspace: { kind: 'repo', path: dir } };
  if (kind.value === 'scratch' || git === undefined || found.kind === 'none') return { kind: 'open', workspace: { kind: 'scratch' } };
  const startAt = await startOf(git, found.repository.top, found.head, spec.base ?? config.base, config);
  const entry = claimEntry(claim.marker);
  const inside: WorkspacePorts = { files: ports.files, clock: ports.clock, processes: ports.processes, git };
  const held = await holdWorkspace(inside, layout, claim.name.id, HOLD_PATIENCE_MS);
  if (!held.ok) return failed(held.error);
  const opened = await openWorktree(inside, layout, {
    id: claim.name.id,
    repository: found.repository,
    head: found.head,
    base: spec.base ?? config.base,
    ...(startAt === undefined ? {} : { startAt }),
    env: { SNAKEPIT_CLAIM: claim.marker, SNAKEPIT_PIT: setting.pitId },
    endLeftovers: async () => (await endSession(ports.processes, ports.clock, { entry }, config.graceMs)).kind === 'gone',
    lastEndedAt: (await pastAttempts(ports.files, layout, claim.name.id)).at(-1)?.record.endedAt,
  }).finally(held.value);
  if (!opened.ok) return failed(opened.error);
  const { record, notes } = opened.value;
  return { kind: 'open', workspace: { kind: 'worktree', path: record.path, record, notes } };
}

/** Where tasks are merged, each starts from what was merged before it, as long as that holds all that is checked out. Undefined: from its base. */
async function startOf(git: Git, top: string, head: Head, base: string, config: Pick<Config, 'merge' | 'into'>): Promise<string | undefined> {
  if (base !== 'HEAD' || head.sha === undefined || config.merge === 'none' || config.merge === 'pull-request') return undefined;
  const tip = await branchTip(git, top, targetOf(config.into, head.ref ?? 'HEAD').into);
  if (!tip.ok || tip.value === undefined) return undefined;
  return (await isAncestor(git, top, head.sha, tip.value)) === true ? tip.value : undefined;
}
