import { join } from 'node:path';
import { launcherScript } from '../agents/launcher.js';
import { othersThan, printChoice, wantedAgents } from '../agents/choice.js';
import { makeHome } from '../agents/home.js';
import { hookScript } from '../agents/hook-script.js';
import { stepPrompt } from '../agents/prompts.js';
import { buildProgram, carryOf, placeholdersOf, type ProgramParts } from '../agents/program.js';
import { sessionEnv } from '../agents/session-env.js';
import type { Outcome } from '../protocol/judge.js';
import { attemptOf } from '../protocol/names.js';
import { parseTask } from '../protocol/parse-task.js';
import { RESULT_FALLBACK, RUN_FILES, type AttemptRecord } from '../protocol/records.js';
import type { TaskSpec } from '../protocol/task.js';
import type { FlowRecord } from '../protocol/workflow.js';
import { doneFile } from '../queue/archive.js';
import { dueTime } from '../queue/place.js';
import type { Claim } from '../queue/store.js';
import { askedBefore, lastBegun, type AskedBefore } from '../runs/answers.js';
import { pastAttempts, readAttempt, runDirOf } from '../runs/run-dir.js';
import { countOwed } from '../runs/owed.js';
import { lookAtBudget } from '../runs/task-budget.js';
import { describeOutcome } from '../runs/story.js';
import { sessionDir } from '../runs/flow-record.js';
import { chooseAdmitted, type Admitted } from './account.js';
import { rememberTree, termsOf } from './close.js';
import { authorOf, beginFlow, keepWorkspace, stepAt } from './flow.js';
import type { Commands, SnakePorts, SnakeSetting } from './ports.js';
import { setUpWorktree } from './set-up.js';
import { tellBudget } from './meter.js';
import { interrupted } from './resume.js';
import { onlyMergeLeft, standInForMerge } from './merge-left.js';
import { mergedBefore } from './merged-before.js';
import { guardCheckout } from './changes.js';
import { openWorkplace, TURN_EVERY_MS } from './workplace.js';
import { setupWish } from '../workspace/setup.js';
import type { Workspace } from '../workspace/state.js';

/** What preparing came to. "not-yet": the task was edited, or moved by hand, and has to wait after all. "called-off": look at the facts anew. */
export type Prepared =
  | { readonly kind: 'prepared' }
  | { readonly kind: 'unworkable'; readonly outcome: Outcome; readonly spec: TaskSpec | undefined }
  | { readonly kind: 'not-yet'; readonly dueAt: number }
  | { readonly kind: 'called-off' }
  | { readonly kind: 'lost' };

const unworkable = (detail: string, spec?: TaskSpec): Prepared => ({ kind: 'unworkable', outcome: { kind: 'failed', reason: 'unworkable', detail, final: true }, spec });

/**
 * Makes the run directory: the task's copy, its script, the launcher, and last, as the sign that all is there, the attempt
 * record. Nothing read before the claim is trusted; may be repeated after a crash, since nothing has started yet.
 */
export async function prepare(ports: SnakePorts, setting: SnakeSetting, claim: Claim, flow: FlowRecord | undefined, commands: Commands): Promise<Prepared> {
  const { files, clock, store } = ports;
  const { layout, config } = setting;
  const { name } = claim;
  const base = runDirOf(layout, name);
  // A later step works the task as the first was given it.
  const bytes = flow === undefined ? await store.read(claim, config.maxTaskBytes + 1) : await files.readBytes(join(base, RUN_FILES.task), config.maxTaskBytes + 1);
  if (bytes === undefined) return (await store.renew(claim)) === 'lost' ? { kind: 'lost' } : unworkable('the task is not a regular file any more');
  if (bytes.length > config.maxTaskBytes) return unworkable(`the task grew larger than ${config.maxTaskBytes} bytes`);
  const parsed = await parseTask(bytes);
  if (!parsed.ok) return unworkable(`line ${parsed.error.line}: ${parsed.error.problem}; ${parsed.error.fix}`);
  const { spec } = parsed.value;
  const dueAt = dueTime(spec, name.place.arrivedAt);
  if (dueAt > clock.wallMs() || !(await allDone(ports, setting, spec.after))) return { kind: 'not-yet', dueAt };
  const merged = await mergedBefore(ports, setting, claim);
  if (merged !== undefined) return { kind: 'unworkable', outcome: merged, spec };
  if (flow === undefined) {
    const begun = await beginFlow(ports, setting, claim, spec, bytes);
    if (begun.kind === 'unworkable') return unworkable(begun.why, spec);
    if (begun.kind === 'begun') return { kind: 'prepared' };
    const left = await onlyMergeLeft(ports, setting, claim, bytes);
    if (left !== undefined) {
      const place = await openWorkplace(ports, setting, claim, spec);
      if (place.kind === 'failed') return { kind: 'unworkable', outcome: place.outcome, spec };
      if (place.kind === 'open' && place.workspace.kind === 'worktree' && (place.workspace.record.setUp === true || setupWish(config, spec) === undefined) && (await standInForMerge(ports, setting, claim, left, place.workspace.record))) return { kind: 'prepared' };
    }
  }
  const step = flow === undefined ? undefined : stepAt(flow);
  const seat = step?.seats[flow?.next.kind === 'step' ? flow.next.seat : 0];
  const last = (await lastBegun(files, await pastAttempts(files, layout, name.id)))?.record;
  const neverBegan = last?.outcome.kind === 'failed' && last.outcome.reason === 'startup-stall' ? last.agent : undefined;
  const wanted = wantedAgents(seat !== undefined && seat.agents.length > 0 ? seat.agents : spec.agents, config.agent, neverBegan);
  const others = step?.otherThanAuthor === true ? othersThan(await setting.profiles(), wanted, authorOf(flow)) : wanted;
  if (others.length === 0) return unworkable(`the step ${step?.id ?? ''} wants an agent of another provider than its author's (${authorOf(flow) ?? ''}), and names none: ${wanted.join(', ')}`, spec);
  // What its earlier attempts used, before this one adds to their sessions; whoever counts it now takes seconds.
  if ((await countOwed(ports, setting, name.id, { programs: true, marker: claim.marker })).kind === 'held') return { kind: 'not-yet', dueAt: clock.wallMs() + TURN_EVERY_MS };
  const budget = await lookAtBudget(files, layout, config, name, spec, clock.wallMs());
  if (budget?.verdict.kind === 'reached') {
    await tellBudget(ports, setting, claim, budget);
    return { kind: 'unworkable', outcome: { kind: 'parked', reason: 'budget', detail: `${budget.verdict.rule}: ${budget.verdict.evidence}`, nth: 0 }, spec };
  }
  const admitted = await chooseAdmitted(ports, setting, claim, others);
  if (!admitted.ok) return unworkable(admitted.error, spec);
  // No attempt is spent on an account that is at its limit: the task waits for it, with its counters as they are.
  if (admitted.value.kind === 'cooling') return { kind: 'not-yet', dueAt: admitted.value.until };
  const { chosen } = admitted.value;
  const place = await openWorkplace(ports, setting, claim, spec);
  if (place.kind === 'busy') return { kind: 'not-yet', dueAt: clock.wallMs() + TURN_EVERY_MS };
  if (place.kind === 'failed') return { kind: 'unworkable', outcome: place.outcome, spec };

  const dir = sessionDir(base, flow);
  const before = await askedBefore(files, layout, name.id, attemptOf(name.counters));
  const attempt = await attemptRecord(ports, setting, claim, spec, admitted.value, before, place.workspace, flow);
  const parts: ProgramParts = {
    chosen, spec, runDir: dir, mode: attempt.mode, workspace: attempt.workspace, home: attempt.home, session: attempt.session, resumed: attempt.resumed, asked: before.asked, answered: before.justNow !== undefined, inWorktree: attempt.worktree !== undefined,
    asRoot: setting.asRoot, outerEnv: setting.outerEnv, hookScript: hookScript(),
    ...(step === undefined ? {} : { prompt: stepPrompt(attempt.mode, attempt.resumed ? (before.justNow !== undefined ? 'answered' : 'interrupted') : 'fresh', step, spec.body, before.asked, attempt.worktree !== undefined) }),
  };
  const program = buildProgram(parts);
  if (!program.ok) return unworkable(program.error, spec);
  await files.makeDir(dir);
  if (attempt.privateWorkspace) await files.makeDir(attempt.workspace);
  const contract = await contractEnv(ports, setting, claim, attempt, spec, flow);
  const setUp = await setUpWorktree(ports, setting, claim, spec, place.workspace, contract, commands);
  if (setUp.kind === 'not-yet' || setUp.kind === 'called-off') return setUp;
  if (setUp.kind === 'failed') return { kind: 'unworkable', outcome: setUp.outcome, spec };
  // What an earlier attempt said there must not speak for this one.
  await files.remove(join(attempt.workspace, RESULT_FALLBACK));
  // Once for all steps of an attempt: what an earlier one did to the checkout must show.
  if (place.workspace.kind === 'worktree' && !(flow !== undefined && (await files.exists(join(base, RUN_FILES.checkout))))) await guardCheckout(ports, setting, base, place.workspace.record.repo);
  for (const text of place.workspace.kind === 'worktree' ? place.workspace.notes : []) await files.append(join(dir, RUN_FILES.notes), `${JSON.stringify({ at: clock.wallMs(), text })}\n`);
  if (flow !== undefined) {
    await keepWorkspace(ports, setting, claim, flow, attempt.workspace);
    if (step?.rights === 'read') await rememberTree(ports, setting, dir, attempt.workspace);
  }
  await files.write(join(dir, RUN_FILES.task), Buffer.from(bytes).toString('utf8'));
  for (const file of program.value.files) await files.write(join(dir, file.name), file.text);
  await makeHome(files, {
    profile: chosen.agent, carry: carryOf(chosen), home: attempt.home, userHome: setting.outerEnv['HOME'] ?? '/',
    values: placeholdersOf(parts, 'sh'), variable: (variable) => program.value.env[variable] ?? '',
  });
  const env = { ...contract, ...program.value.env };
  const stderr = join(dir, RUN_FILES.stderr);
  const viewer = program.value.stream === undefined ? [] : [...setting.viewer, chosen.profile, program.value.stream, stderr];
  await files.write(join(dir, RUN_FILES.launcher), launcherScript({ runDir: dir, claimedDir: layout.dir('claimed'), marker: claim.marker, workspace: attempt.workspace, umask: config.sessionUmask, env, program: program.value, stderr, viewer }));
  await files.write(join(dir, RUN_FILES.attempt), `${JSON.stringify(attempt)}\n`);
  return { kind: 'prepared' };
}

async function allDone({ files }: SnakePorts, { layout }: SnakeSetting, after: readonly string[]): Promise<boolean> {
  for (const id of after) if ((await doneFile(files, layout, id)) === undefined) return false;
  return true;
}

async function attemptRecord(ports: SnakePorts, { layout, config, newSession }: SnakeSetting, claim: Claim, spec: TaskSpec, { chosen, probe }: Admitted, { asked, justNow }: AskedBefore, place: Workspace, flow: FlowRecord | undefined): Promise<AttemptRecord> {
  const { files, clock, processes } = ports;
  const base = runDirOf(layout, claim.name);
  const step = flow === undefined ? undefined : stepAt(flow);
  const { agent, account } = chosen;
  const mode = step?.mode ?? spec.mode ?? agent.mode;
  const turn = flow?.next.kind === 'step' ? { id: flow.next.step, round: flow.next.round, seat: flow.next.seat } : undefined;
  const going = await interrupted(files, layout, claim.name.id, agent, account.key, mode, turn);
  // A session is gone on with where it worked, or not at all.
  const resumable = place.kind === 'worktree' && going?.workspace !== place.path ? undefined : going;
  // Whoever asked is answered where it worked, also where its session cannot be gone on with.
  const before = justNow === undefined ? undefined : await readAttempt(files, justNow.run);
  const kept = before?.privateWorkspace === true && (await files.exists(before.workspace)) ? before.workspace : undefined;
  return {
    marker: claim.marker,
    agent: printChoice(chosen),
    attempt: attemptOf(claim.name.counters),
    startedAt: clock.wallMs(),
    startedMonoMs: clock.monoMs(),
    boot: processes.boot(),
    timeoutMs: step?.timeoutMs ?? spec.timeoutMs ?? config.timeoutMs,
    workspace: place.kind !== 'scratch' ? place.path : (flow?.workspace ?? resumable?.workspace ?? kept ?? join(base, 'work')),
    privateWorkspace: place.kind !== 'repo',
    ...(place.kind === 'worktree' ? { worktree: { branch: place.record.branch, base: place.record.base.sha, baseName: place.record.base.name } } : {}),
    profile: agent.name,
    mode,
    account: account.key,
    ...(probe ? { probe } : {}),
    home: join(layout.homes, claim.name.id, `${account.name === undefined ? agent.name : `${agent.name}.${account.name}`}${step === undefined ? '' : `@${step.id}`}`),
    session: resumable?.session ?? newSession(),
    resumed: resumable !== undefined,
    ask: spec.ask ?? agent.ask,
    asksBefore: asked.length,
    ...(spec.wakeMs === undefined || mode === 'headless' ? {} : { wakeMs: spec.wakeMs }),
    ...(turn === undefined ? {} : { step: turn }),
  };
}

/** The environment of the session and of its checks. */
export async function contractEnv({ files }: SnakePorts, { layout, config, owner, pitId, outerEnv }: SnakeSetting, claim: Claim, attempt: AttemptRecord, spec: TaskSpec, flow: FlowRecord | undefined): Promise<Record<string, string>> {
  const base = runDirOf(layout, claim.name);
  const dir = sessionDir(base, flow);
  const before = (await lastBegun(files, await pastAttempts(files, layout, claim.name.id)))?.record;
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
    step: flow === undefined ? undefined : termsOf(base, flow),
  });
}
