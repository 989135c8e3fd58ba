import { join } from 'node:path';
import { commitsBetween } from '../git/history.js';
import { endHands } from '../agents/end-hands.js';
import { knownSecrets } from '../agents/known-secrets.js';
import { hasLanded, mergeTask } from '../merging/merge.js';
import { violationsOf } from '../merging/build.js';
import { outcomeOf } from '../merging/outcome.js';
import { proposedOnto, targetOf } from '../merging/target.js';
import type { Outcome } from '../protocol/judge.js';
import type { MergeEnd, MergeRecord } from '../protocol/merging.js';
import { attemptOf } from '../protocol/names.js';
import type { Policy } from '../protocol/policy.js';
import { parseJson, RUN_FILES, type AttemptRecord } from '../protocol/records.js';
import type { TaskSpec } from '../protocol/task.js';
import type { FlowRecord } from '../protocol/workflow.js';
import type { Claim } from '../queue/store.js';
import { sessionDir } from '../runs/flow-record.js';
import { pastAttempts, runDirOf, sameLife } from '../runs/run-dir.js';
import { readSpec } from '../runs/task-copy.js';
import { judgeChanges } from '../workspace/judge-changes.js';
import { SENT_BACK_TIMES } from './between.js';
import { measureChanges } from './changes.js';
import { runChecks } from './checks.js';
import { tellFlow } from './flow.js';
import type { Commands, SnakePorts, SnakeSetting } from './ports.js';
import { pullRequest } from './pull-request.js';
import { contractEnv } from './prepare.js';
import { setUpMerged } from './set-up.js';

/** After git did not answer, the same again; the claim's heartbeat goes on meanwhile. For longer than a lock of a killed git is left standing, a minute. */
const AGAIN_MS = 2000;
const MOST_TRIES = 45;
/** A worktree that git cannot read does not mend by itself: a few times, for what passes. */
const MOST_LOOKS = 8;

/**
 * What becomes of the branch of an attempt that ended well, whose processes are gone: its diff is held against the policy, and it is
 * merged where that is configured. The end is recorded in merge.json; without one, the next look does it again. May be repeated after a crash.
 */
export async function integrate(ports: SnakePorts, setting: SnakeSetting, claim: Claim, attempt: AttemptRecord, flow: FlowRecord | undefined, commands: Commands): Promise<void> {
  const { files, git, clock } = ports;
  const { layout, config } = setting;
  const dir = runDirOf(layout, claim.name);
  const spec = await readSpec(files, sessionDir(dir, flow));
  if (git === undefined || attempt.worktree === undefined || spec === undefined) return write(ports, dir, { v: 1, into: '', since: clock.wallMs(), end: { kind: 'nothing' } });
  const changes = await measureChanges(ports, setting, claim, attempt, true);
  const before = parseJson<MergeRecord>(await files.read(join(dir, RUN_FILES.merge)));
  const mode = spec.merge ?? config.merge;
  const target = mode === 'pull-request' ? { into: proposedOnto(config.into, attempt.worktree.baseName), own: false } : targetOf(config.into, attempt.worktree.baseName);
  const record: MergeRecord = before ?? { v: 1, into: target.into, since: clock.wallMs() };
  // Git did not say what is on its branch: that is not "nothing".
  if (typeof changes === 'string') return later(ports, dir, record, `its worktree could not be read: ${changes}`, commands, MOST_LOOKS);
  // Whoever touched the checkout, or changed nothing where changes are wanted, is not merged: what it is concluded as is said elsewhere.
  const good = changes !== undefined && judgeChanges({ kind: 'done', message: '' }, changes, { guard: config.guard, required: spec.changes === 'required' }).kind === 'done';
  if (!good || changes.fileCount === 0) return write(ports, dir, { ...record, end: { kind: 'nothing' } });
  if (changes.strayed === true && mode !== 'none') return write(ports, dir, { ...record, end: { kind: 'blocked', into: target.into, why: 'it left its branch, and what it committed elsewhere is not on it' } });
  if (before === undefined) await write(ports, dir, record);
  const policies = policiesOf(config.policy, spec);
  const known = knownSecrets(await setting.profiles(), setting.outerEnv);
  const interrupted = async (): Promise<boolean> => commands.orders.release || (await ports.store.renew(claim)) === 'lost' || files.exists(join(dir, RUN_FILES.cancel));
  if (mode === 'none' || mode === 'pull-request') {
    const violations = await keptViolations(ports, attempt.workspace, changes.base, changes.head, policies, known);
    if (violations === undefined) return later(ports, dir, record, 'git did not show its diff', commands);
    if (mode === 'none' || violations.length > 0) return write(ports, dir, { ...record, end: violations.length > 0 ? { kind: 'violation', violations } : { kind: 'kept' } });
  }
  const env = { ...(await contractEnv(ports, setting, claim, attempt, spec, flow)) };
  const scratch = join(layout.merging, claim.name.id);
  const credits = { id: claim.name.id, title: spec.title, workflow: flow?.workflow.name, coAuthors: config.coAuthors };
  const held = async (): Promise<boolean> => !(await interrupted());
  // A person's `snakepit merge` that was killed has left its checks at work in this very checkout; one that lives has lost the task to this claim.
  const left = await endHands(ports.processes, clock, setting.pitId, { kind: 'of-task', id: claim.name.id }, config.graceMs);
  if (left.kind === 'unknown') return later(ports, dir, record, `what a merge by hand left at work could not be ended: ${left.evidence}`, commands);
  const result = mode === 'pull-request' ? await pullRequest(ports, git, setting, claim, { dir: attempt.workspace, into: target.into, changes, credits, record, held }) : await mergeTask({ files, clock, processes: ports.processes, git }, {
    mode, policies, known, branch: changes.branch, base: changes.base, into: target.into, own: target.own, since: record.since, scratch,
    dir: attempt.workspace,
    credits,
    env: { SNAKEPIT_CLAIM: claim.marker, SNAKEPIT_PIT: setting.pitId },
    pitId: setting.pitId,
    candidate: record.candidate,
    record: (candidate) => write(ports, dir, { ...record, candidate }),
    held,
    checks: spec.verify.length > 0,
    check: async (cwd) => {
      const there = { ...env, SNAKEPIT_WORKSPACE: cwd };
      const setUp = await setUpMerged(ports, setting, claim, spec, cwd, there, interrupted, commands);
      return setUp?.length === 0 ? runChecks(ports, setting, spec.verify, { cwd, watched: dir, env: there }, interrupted) : setUp;
    },
  });
  switch (result.kind) {
    case 'ended':
      await tell(ports, claim, result.end, result.rule, target.into);
      if (flow !== undefined && (await toAuthor(ports, setting, claim, flow, result.end, changes.branch))) return;
      return write(ports, dir, { ...(parseJson<MergeRecord>(await files.read(join(dir, RUN_FILES.merge))) ?? record), end: result.end });
    case 'interrupted':
      if (mode === 'pull-request') return;
      // Called back, it need not come here again; unless it was merged after all. What another holds now is not ours to touch.
      if ((await hasLanded(git, attempt.workspace, target.into, record.candidate)) === false && (await ports.store.renew(claim)) === 'ok') await files.remove(join(dir, RUN_FILES.merge));
      return;
    case 'unknown':
      return later(ports, dir, record, result.why, commands);
  }
}

/** A workflow has its author within the attempt: what cannot be merged goes back to its writing step. False: it need not, or was sent back often enough. */
async function toAuthor(ports: SnakePorts, setting: SnakeSetting, claim: Claim, flow: FlowRecord, end: MergeEnd, branch: string): Promise<boolean> {
  if (end.kind !== 'conflict' && end.kind !== 'checks-failed') return false;
  const { layout, config } = setting;
  const dir = runDirOf(layout, claim.name);
  const sentBack = flow.events.filter((event) => event.kind === 'sent-back' && event.why.startsWith('merge')).length;
  const outcome = outcomeOf(end, { kind: 'done', message: '' }, { fixRounds: config.fixRounds, sentBack, asked: 0, branch });
  if (outcome.kind !== 'sent-back') return false;
  // What follows changes the branch: it is measured, and built, anew.
  for (const file of [RUN_FILES.changes, RUN_FILES.merge]) await ports.files.remove(join(dir, file));
  await tellFlow(ports, setting, claim, flow, { kind: 'sent-back', why: `${outcome.reason}: ${outcome.detail}`, times: config.fixRounds + SENT_BACK_TIMES });
  return true;
}

/** Git did not answer: once more, and in the end a person is asked. */
async function later(ports: SnakePorts, dir: string, before: MergeRecord, why: string, commands: Commands, most = MOST_TRIES): Promise<void> {
  const record = parseJson<MergeRecord>(await ports.files.read(join(dir, RUN_FILES.merge))) ?? before;
  const tries = (record.tries ?? 0) + 1;
  if (tries >= most) return write(ports, dir, { ...record, end: { kind: 'blocked', into: record.into, why } });
  await write(ports, dir, { ...record, tries });
  await ports.clock.sleep(AGAIN_MS, commands.changed);
}

/** How an attempt ended whose branch has been dealt with. */
export async function concludedAs({ files }: SnakePorts, { layout, config }: SnakeSetting, claim: Claim, end: MergeEnd, told: Outcome, branch: string): Promise<Outcome> {
  if (told.kind !== 'done') return told;
  const life = sameLife(await pastAttempts(files, layout, claim.name.id), attemptOf(claim.name.counters));
  const inFlow = parseJson<FlowRecord>(await files.read(join(runDirOf(layout, claim.name), RUN_FILES.workflow)))?.events.filter((event) => event.kind === 'sent-back' && event.why.startsWith('merge')).length ?? 0;
  const count = (kind: Outcome['kind']): number => life.filter(({ record }) => record.outcome.kind === kind).length;
  return outcomeOf(end, told, { fixRounds: config.fixRounds, sentBack: count('sent-back') + inFlow, asked: count('parked'), branch });
}

/** What holds for a task's diff: the configuration's policy, and its own. */
export const policiesOf = (configured: Policy, spec: Pick<TaskSpec, 'policy'>): Policy[] => [configured, ...(spec.policy === undefined ? [] : [spec.policy])];

async function keptViolations({ git }: SnakePorts, dir: string, base: string, head: string, policies: readonly Policy[], known: Readonly<Record<string, string>>) {
  if (git === undefined) return [];
  const commits = await commitsBetween(git, dir, base, head);
  const found = commits.ok ? await violationsOf(git, dir, base, head, commits.value.map(({ sha }) => sha), policies, known) : commits;
  return found.ok ? found.value : undefined;
}

async function write({ files }: SnakePorts, dir: string, record: MergeRecord): Promise<void> {
  await files.write(join(dir, RUN_FILES.merge), `${JSON.stringify(record)}\n`);
}

async function tell({ events }: SnakePorts, { name, marker }: Claim, end: MergeEnd, rule: string, into: string): Promise<void> {
  if (end.kind === 'merged') await events.emit({ kind: 'task-merged', id: name.id, marker, into, commit: end.commit, rule });
  else if (end.kind === 'proposed') await events.emit({ kind: 'task-proposed', id: name.id, marker, remote: end.remote, branch: end.branch, into, commit: end.commit, url: end.url ?? '', rule });
  else if (end.kind !== 'nothing' && end.kind !== 'kept') await events.emit({ kind: 'merge-refused', id: name.id, marker, into, end: end.kind, rule });
}
