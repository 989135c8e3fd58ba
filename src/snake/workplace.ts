import { endSession } from '../agents/end-session.js';
import type { Outcome } from '../protocol/judge.js';
import { claimEntry } from '../protocol/names.js';
import type { TaskSpec } from '../protocol/task.js';
import type { Claim } from '../queue/store.js';
import { pastAttempts } from '../runs/run-dir.js';
import { chooseWorkspace } from '../workspace/choose.js';
import { lookAtProject, projectDir, type WorkspacePorts } from '../workspace/ground.js';
import { openWorktree } from '../workspace/open.js';
import type { Workspace } from '../workspace/state.js';
import type { SnakePorts, SnakeSetting } from './ports.js';

/** Where the attempt works, or why it cannot. */
export type Workplace = { readonly kind: 'open'; readonly workspace: Workspace } | { readonly kind: 'failed'; readonly outcome: Outcome };

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
  if (kind.value === 'repo') return { kind: 'open', workspace: { kind: 'repo', path: dir } };
  if (kind.value === 'scratch' || git === undefined || found.kind === 'none') return { kind: 'open', workspace: { kind: 'scratch' } };
  const entry = claimEntry(claim.marker);
  const inside: WorkspacePorts = { files: ports.files, clock: ports.clock, processes: ports.processes, git };
  const opened = await openWorktree(inside, layout, {
    id: claim.name.id,
    repository: found.repository,
    head: found.head,
    base: spec.base ?? config.base,
    env: { SNAKEPIT_CLAIM: claim.marker, SNAKEPIT_PIT: setting.pitId },
    endLeftovers: async () => (await endSession(ports.processes, ports.clock, { entry }, config.graceMs)).kind === 'gone',
    lastEndedAt: (await pastAttempts(ports.files, layout, claim.name.id)).at(-1)?.record.endedAt,
  });
  if (!opened.ok) return failed(opened.error);
  const { record, notes } = opened.value;
  return { kind: 'open', workspace: { kind: 'worktree', path: record.path, record, notes } };
}
