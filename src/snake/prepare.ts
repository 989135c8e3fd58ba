import { join } from 'node:path';
import { launcherScript } from '../agents/launcher.js';
import { printChoice, wantedAgents } from '../agents/choice.js';
import { makeHome } from '../agents/home.js';
import { hookScript } from '../agents/hook-script.js';
import { buildProgram, carryOf, placeholdersOf, type ProgramParts } from '../agents/program.js';
import { sessionEnv } from '../agents/session-env.js';
import type { Outcome } from '../protocol/judge.js';
import { attemptOf } from '../protocol/names.js';
import { parseTask } from '../protocol/parse-task.js';
import { RESULT_FALLBACK, RUN_FILES, type AttemptRecord } from '../protocol/records.js';
import type { TaskSpec } from '../protocol/task.js';
import { doneFile } from '../queue/archive.js';
import { dueTime } from '../queue/place.js';
import type { Claim } from '../queue/store.js';
import { askedBefore, type AskedBefore } from '../runs/answers.js';
import { pastAttempts, readAttempt, runDirOf } from '../runs/run-dir.js';
import { describeOutcome } from '../runs/story.js';
import { chooseAdmitted, type Admitted } from './account.js';
import type { SnakePorts, SnakeSetting } from './ports.js';
import { interrupted } from './resume.js';
import { countPast } from './tokens.js';
import { guardCheckout } from './changes.js';
import { openWorkplace, TURN_EVERY_MS } from './workplace.js';
import type { Workspace } from '../workspace/state.js';

/** What preparing came to. "not-yet": the task was edited, or moved by hand, and has to wait after all. */
export type Prepared =
  | { readonly kind: 'prepared'; readonly attempt: AttemptRecord }
  | { readonly kind: 'unworkable'; readonly outcome: Outcome; readonly spec: TaskSpec | undefined }
  | { readonly kind: 'not-yet'; readonly dueAt: number }
  | { readonly kind: 'lost' };

const unworkable = (detail: string, spec?: TaskSpec): Prepared => ({ kind: 'unworkable', outcome: { kind: 'failed', reason: 'unworkable', detail, final: true }, spec });

/**
 * Makes the run directory: the task's copy, its script, the launcher, and last, as the sign that all is there, the attempt
 * record. Nothing read before the claim is trusted; may be repeated after a crash, since nothing has started yet.
 */
export async function prepare(ports: SnakePorts, setting: SnakeSetting, claim: Claim): Promise<Prepared> {
  const { files, clock, store } = ports;
  const { layout, config } = setting;
  const { name } = claim;
  const bytes = await store.read(claim, config.maxTaskBytes + 1);
  if (bytes === undefined) return (await store.renew(claim)) === 'lost' ? { kind: 'lost' } : unworkable('the task is not a regular file any more');
  if (bytes.length > config.maxTaskBytes) return unworkable(`the task grew larger than ${config.maxTaskBytes} bytes`);
  const parsed = await parseTask(bytes);
  if (!parsed.ok) return unworkable(`line ${parsed.error.line}: ${parsed.error.problem}; ${parsed.error.fix}`);
  const { spec } = parsed.value;
  const dueAt = dueTime(spec, name.place.arrivedAt);
  if (dueAt > clock.wallMs() || !(await allDone(ports, setting, spec.after))) return { kind: 'not-yet', dueAt };
  const last = (await pastAttempts(files, layout, name.id)).at(-1)?.record;
  const neverBegan = last?.outcome.kind === 'failed' && last.outcome.reason === 'startup-stall' ? last.agent : undefined;
  const admitted = await chooseAdmitted(ports, setting, claim, wantedAgents(spec.agents, config.agent, neverBegan));
  if (!admitted.ok) return unworkable(admitted.error, spec);
  // No attempt is spent on an account that is at its limit: the task waits for it, with its counters as they are.
  if (admitted.value.kind === 'cooling') return { kind: 'not-yet', dueAt: admitted.value.until };
  const { chosen } = admitted.value;
  const place = await openWorkplace(ports, setting, claim, spec);
  if (place.kind === 'busy') return { kind: 'not-yet', dueAt: clock.wallMs() + TURN_EVERY_MS };
  if (place.kind === 'failed') return { kind: 'unworkable', outcome: place.outcome, spec };

  const dir = runDirOf(layout, name);
  await countPast(ports, setting, claim);
  const before = await askedBefore(files, layout, name.id, attemptOf(name.counters));
  const attempt = await attemptRecord(ports, setting, claim, spec, admitted.value, before, place.workspace);
  const parts: ProgramParts = {
    chosen, spec, runDir: dir, mode: attempt.mode, workspace: attempt.workspace, home: attempt.home, session: attempt.session, resumed: attempt.resumed, asked: before.asked, answered: before.justNow !== undefined, inWorktree: attempt.worktree !== undefined,
    asRoot: setting.asRoot, outerEnv: setting.outerEnv, hookScript: hookScript(),
  };
  const program = buildProgram(parts);
  if (!program.ok) return unworkable(program.error, spec);
  await files.makeDir(dir);
  if (attempt.privateWorkspace) await files.makeDir(attempt.workspace);
  // What an earlier attempt said there must not speak for this one.
  await files.remove(join(attempt.workspace, RESULT_FALLBACK));
  if (place.workspace.kind === 'worktree') await guardCheckout(ports, setting, dir, place.workspace.record.repo);
  for (const text of place.workspace.kind === 'worktree' ? place.workspace.notes : []) await files.append(join(dir, RUN_FILES.notes), `${JSON.stringify({ at: clock.wallMs(), text })}\n`);
  await files.write(join(dir, RUN_FILES.task), Buffer.from(bytes).toString('utf8'));
  for (const file of program.value.files) await files.write(join(dir, file.name), file.text);
  await makeHome(files, {
    profile: chosen.agent, carry: carryOf(chosen), home: attempt.home, userHome: setting.outerEnv['HOME'] ?? '/',
    values: placeholdersOf(parts, 'sh'), variable: (variable) => program.value.env[variable] ?? '',
  });
  const env = { ...(await contractEnv(ports, setting, claim, attempt, spec)), ...program.value.env };
  const stderr = join(dir, RUN_FILES.stderr);
  const viewer = program.value.stream === undefined ? [] : [...setting.viewer, chosen.profile, program.value.stream, stderr];
  await files.write(join(dir, RUN_FILES.launcher), launcherScript({ runDir: dir, claimedDir: layout.dir('claimed'), marker: claim.marker, workspace: attempt.workspace, env, program: program.value, stderr, viewer }));
  await files.write(join(dir, RUN_FILES.attempt), `${JSON.stringify(attempt)}\n`);
  return { kind: 'prepared', attempt };
}

async function allDone({ files }: SnakePorts, { layout }: SnakeSetting, after: readonly string[]): Promise<boolean> {
  for (const id of after) if ((await doneFile(files, layout, id)) === undefined) return false;
  return true;
}

async function attemptRecord(ports: SnakePorts, { layout, config, newSession }: SnakeSetting, claim: Claim, spec: TaskSpec, { chosen, probe }: Admitted, { asked, justNow }: AskedBefore, place: Workspace): Promise<AttemptRecord> {
  const { files, clock, processes } = ports;
  const dir = runDirOf(layout, claim.name);
  const { agent, account } = chosen;
  const mode = spec.mode ?? agent.mode;
  const going = await interrupted(files, layout, claim.name.id, agent, account.key, mode);
  // A session is gone on with where it worked, or not at all.
  const resumable = place.kind === 'worktree' && going?.workspace !== place.path ? undefined : going;
  // Whoever asked is answered where it worked, also where its session cannot be gone on with.
  const before = justNow === undefined ? undefined : await readAttempt(files, justNow.dir);
  const kept = before?.privateWorkspace === true && (await files.exists(before.workspace)) ? before.workspace : undefined;
  return {
    marker: claim.marker,
    agent: printChoice(chosen),
    attempt: attemptOf(claim.name.counters),
    startedAt: clock.wallMs(),
    startedMonoMs: clock.monoMs(),
    boot: processes.boot(),
    timeoutMs: spec.timeoutMs ?? config.timeoutMs,
    workspace: place.kind !== 'scratch' ? place.path : (resumable?.workspace ?? kept ?? join(dir, 'work')),
    privateWorkspace: place.kind !== 'repo',
    ...(place.kind === 'worktree' ? { worktree: { branch: place.record.branch, base: place.record.base.sha, baseName: place.record.base.name } } : {}),
    profile: agent.name,
    mode,
    account: account.key,
    ...(probe ? { probe } : {}),
    home: join(layout.homes, claim.name.id, account.name === undefined ? agent.name : `${agent.name}.${account.name}`),
    session: resumable?.session ?? newSession(),
    resumed: resumable !== undefined,
    ask: spec.ask ?? agent.ask,
    asksBefore: asked.length,
    ...(spec.wakeMs === undefined || mode === 'headless' ? {} : { wakeMs: spec.wakeMs }),
  };
}

/** The environment of the session and of its checks. */
export async function contractEnv({ files }: SnakePorts, { layout, config, owner, pitId, outerEnv }: SnakeSetting, claim: Claim, attempt: AttemptRecord, spec: TaskSpec): Promise<Record<string, string>> {
  const dir = runDirOf(layout, claim.name);
  const before = (await pastAttempts(files, layout, claim.name.id)).at(-1)?.record;
  const { asked } = await askedBefore(files, layout, claim.name.id, attemptOf(claim.name.counters));
  return sessionEnv(outerEnv, config.env, {
    taskId: claim.name.id,
    taskFile: join(dir, RUN_FILES.task),
    marker: claim.marker,
    pitId,
    attempt: attempt.attempt,
    snake: owner.snake,
    runDir: dir,
    resultFile: join(dir, RUN_FILES.result),
    resultFallback: join(attempt.workspace, RESULT_FALLBACK),
    workspace: attempt.workspace,
    branch: attempt.worktree?.branch ?? '',
    base: attempt.worktree?.base ?? '',
    ...(attempt.worktree === undefined ? {} : { ceiling: layout.worktrees }),
    root: layout.root,
    queue: layout.queue,
    previousFailure: before === undefined || before.outcome.kind === 'done' || before.outcome.kind === 'parked' ? '' : describeOutcome(before.outcome).slice(0, 2000),
    answer: asked.at(-1)?.answer ?? '',
    binDir: layout.bin,
    inputs: spec.inputs,
  });
}
