import { join } from 'node:path';
import { endSession, type Ended } from '../agents/end-session.js';
import { regain } from '../lib/rights.js';
import { unreachable } from '../lib/unreachable.js';
import { afterAttempt, type Outcome } from '../protocol/judge.js';
import { attemptOf, claimEntry } from '../protocol/names.js';
import { RUN_FILES, type AttemptRecord, type VerifyRun } from '../protocol/records.js';
import type { TaskSpec } from '../protocol/task.js';
import { rememberAwaited } from '../queue/children.js';
import { destinationOf, type Claim } from '../queue/store.js';
import { countRun, isPrinted } from '../runs/count-run.js';
import { tellSettled } from '../runs/publish.js';
import { removeLauncher, runDirOf, writeOutcome, type OutcomeRecord } from '../runs/run-dir.js';
import { sessionDir } from '../runs/flow-record.js';
import { currentRun, sessionName } from '../runs/steps.js';
import { describeOutcome } from '../runs/story.js';
import { readSpec, retryPolicy } from '../runs/task-copy.js';
import { judgeChanges } from '../workspace/judge-changes.js';
import { tellAccount } from './account.js';
import { SENT_BACK_TIMES } from './between.js';
import { measureChanges } from './changes.js';
import { closeStep, lookAtLoop } from './close.js';
import { runChecks } from './checks.js';
import { tellFlow } from './flow.js';
import { concludedAs, integrate } from './integrate.js';
import type { Commands, SnakePorts, SnakeSetting } from './ports.js';
import { contractEnv, prepare } from './prepare.js';
import { tellBudgetOf } from './meter.js';
import type { AttemptView, LaunchMemory, Step } from './state.js';

/** "again": look at the facts anew. "over": this snake has nothing more to do with the claim. */
export type Applied = { readonly kind: 'again'; readonly memory: LaunchMemory } | { readonly kind: 'over' };

/** An attempt record of this age still gives the launch's time well enough. */
const FRESH_MS = 1000;

const OVER: Applied = { kind: 'over' };

/** The next step has not been launched yet. */
export const UNTRIED: LaunchMemory = { tries: 0, lastTryMonoMs: 0, orphanSinceMonoMs: undefined };

/** Carries out one step. Each effect checks its own precondition at that moment, by the exact claim. */
export async function apply(ports: SnakePorts, setting: SnakeSetting, claim: Claim, view: AttemptView, memory: LaunchMemory, step: Step, commands: Commands): Promise<Applied> {
  const { files, clock, events } = ports;
  const dir = sessionDir(runDirOf(setting.layout, claim.name), view.flow);
  const session = sessionName(claim.name.nonce, dir);
  const again = (next: LaunchMemory = memory): Applied => ({ kind: 'again', memory: next });
  switch (step.kind) {
    case 'prepare':
      return prepareStep(ports, setting, claim, memory, commands);
    case 'launch': {
      // A launch that comes late, or again, must not eat of the task's own time.
      const fresh = view.attempt?.boot === ports.processes.boot() && clock.monoMs() - view.attempt.startedMonoMs <= FRESH_MS;
      if (view.attempt !== undefined && !fresh) {
        await files.write(join(dir, RUN_FILES.attempt), `${JSON.stringify({ ...view.attempt, startedAt: clock.wallMs(), startedMonoMs: clock.monoMs(), boot: ports.processes.boot() })}\n`);
      }
      const launched = await ports.tmux.launch({
        session,
        env: { SNAKEPIT_CLAIM: claim.marker, SNAKEPIT_PIT: setting.pitId },
        argv: ['/bin/sh', join(dir, RUN_FILES.launcher)],
        recording: join(dir, RUN_FILES.output),
        size: { columns: 160, rows: 48 },
      });
      if (launched.kind === 'launched' && memory.tries === 0) await tellLaunch(ports, setting, claim, view, session);
      return again({ ...memory, tries: memory.tries + 1, lastTryMonoMs: clock.monoMs() });
    }
    case 'wait':
      await ports.waitForChange(dir, Math.max(1, step.untilMonoMs - clock.monoMs()));
      return again(view.started && view.session === undefined ? { ...memory, orphanSinceMonoMs: memory.orphanSinceMonoMs ?? clock.monoMs() } : { ...memory, orphanSinceMonoMs: undefined });
    case 'stop':
      // It is judged by what it is ended for: later looks see it end, or see nothing.
      if (step.reason === 'observed' && view.agent !== undefined) await files.write(join(dir, RUN_FILES.agentEnd), `${JSON.stringify(view.agent)}\n`);
      await files.write(join(dir, RUN_FILES.stop), `${step.reason}\n`);
      if (step.reason === 'task-budget') await tellBudgetOf(ports, setting, claim, dir);
      await end(ports, setting, claim, view, step.rule);
      return again();
    case 'verify': {
      if ((await end(ports, setting, claim, view, 'before its checks')).kind === 'unknown') return stuck(ports, claim, 'leftovers of the session before its checks');
      const spec = await readSpec(files, dir);
      // Before its checks leave their own traces there.
      if (view.attempt !== undefined) await measureChanges(ports, setting, claim, view.attempt, true);
      const gone: VerifyRun[] = [{ command: step.commands[0] ?? '', code: 127, tail: ['the copy of the task is gone'] }];
      const runs = spec === undefined || view.attempt === undefined ? gone : await verifyAll(ports, setting, claim, view, spec, step.commands, commands);
      if (runs !== undefined) await files.write(join(dir, RUN_FILES.verify), `${JSON.stringify(runs)}\n`);
      return again();
    }
    case 'close':
      if (view.flow !== undefined && (await closeStep(ports, setting, claim, view, view.flow, (rule) => end(ports, setting, claim, view, rule))).kind === 'unknown') return stuck(ports, claim, 'leftovers of a step before the next');
      return again(UNTRIED);
    case 'look':
      if (view.flow !== undefined) await lookAtLoop(ports, setting, claim, view.flow, (command) => checkOnce(ports, setting, claim, view, command, commands));
      return again(UNTRIED);
    case 'send-back':
      // What follows changes the branch once more.
      await files.remove(join(runDirOf(setting.layout, claim.name), RUN_FILES.changes));
      if (view.flow !== undefined) await tellFlow(ports, setting, claim, view.flow, { kind: 'sent-back', why: step.why, times: SENT_BACK_TIMES });
      return again(UNTRIED);
    case 'integrate': {
      if ((await end(ports, setting, claim, view, 'before its branch is judged')).kind === 'unknown') return stuck(ports, claim, 'leftovers of the session before its branch is judged');
      if (view.attempt !== undefined) await integrate(ports, setting, claim, view.attempt, view.flow, commands);
      return again(UNTRIED);
    }
    case 'conclude':
      await conclude(ports, setting, claim, view, step.outcome, await readSpec(files, dir));
      return again();
    case 'settle':
      return settleStep(ports, setting, claim, view, step.record);
    case 'abandon':
      await events.emit({ kind: 'claim-lost', id: claim.name.id, marker: claim.marker });
      await end(ports, setting, claim, view, step.rule);
      return OVER;
    default:
      return unreachable(step);
  }
}

async function prepareStep(ports: SnakePorts, setting: SnakeSetting, claim: Claim, memory: LaunchMemory, commands: Commands): Promise<Applied> {
  const prepared = await prepare(ports, setting, claim, (await currentRun(ports.files, setting.layout, claim.name)).flow, commands);
  switch (prepared.kind) {
    case 'prepared':
    case 'called-off':
      return { kind: 'again', memory };
    case 'lost':
      return OVER;
    case 'not-yet':
      await ports.store.settle(claim, { kind: 'waiting', counters: claim.name.counters, dueAt: prepared.dueAt });
      return OVER;
    case 'unworkable':
      await conclude(ports, setting, claim, undefined, prepared.outcome, prepared.spec);
      return { kind: 'again', memory };
    default:
      return unreachable(prepared);
  }
}

async function end({ processes, clock, events }: SnakePorts, { config }: SnakeSetting, claim: Claim, view: AttemptView, rule: string): Promise<Ended> {
  const privateDir = view.attempt?.privateWorkspace === true ? view.attempt.workspace : undefined;
  const ended = await endSession(processes, clock, { entry: claimEntry(claim.marker), privateDir, leader: view.session?.leader }, config.graceMs);
  // What it did to itself must not keep its work from us.
  if (ended.kind === 'gone' && (view.attempt?.privateWorkspace === true || view.attempt?.worktree !== undefined)) regain(view.attempt.workspace);
  if (ended.kind === 'unknown' || ended.killed > 0) await events.emit({ kind: 'session-ended', id: claim.name.id, marker: claim.marker, rule, killed: ended.kind === 'gone' ? ended.killed : -1 });
  return ended;
}

/** The checks one after another, up to the first that fails. Undefined: the claim was lost, cancelled or called back meanwhile, and they count for nothing. */
async function verifyAll(ports: SnakePorts, setting: SnakeSetting, claim: Claim, view: AttemptView, spec: TaskSpec, checks: readonly string[], commands: Commands): Promise<VerifyRun[] | undefined> {
  if (view.attempt === undefined) return [];
  const base = runDirOf(setting.layout, claim.name);
  const env = await contractEnv(ports, setting, claim, view.attempt, spec, view.flow);
  const interrupted = async (): Promise<boolean> => commands.orders.release || (await ports.store.renew(claim)) === 'lost' || ports.files.exists(join(base, RUN_FILES.cancel));
  return runChecks(ports, setting, checks, { cwd: view.attempt.workspace, watched: sessionDir(base, view.flow), env }, interrupted);
}

/** A loop's command is one check. */
async function checkOnce(ports: SnakePorts, setting: SnakeSetting, claim: Claim, view: AttemptView, command: string, commands: Commands): Promise<VerifyRun | undefined> {
  const spec = await readSpec(ports.files, sessionDir(runDirOf(setting.layout, claim.name), view.flow));
  if (spec === undefined || view.attempt === undefined) return { command, code: 127, tail: ['the copy of the task is gone'] };
  return (await verifyAll(ports, setting, claim, view, spec, [command], commands))?.[0];
}

async function tellLaunch({ events }: SnakePorts, { owner }: SnakeSetting, { name, marker }: Claim, { attempt, flow }: AttemptView, session: string): Promise<void> {
  await events.emit({ kind: 'session-launched', id: name.id, snake: owner.snake, session, marker });
  if (flow?.next.kind !== 'step') return;
  const { step, round, seat, rule } = flow.next;
  await events.emit({ kind: 'step-started', id: name.id, marker, step, round, seat, agent: attempt?.agent ?? '', rule });
}

/** Writes how the attempt ended and what follows. From here on it is rolled forward, by us or by whoever comes next. */
async function conclude(ports: SnakePorts, setting: SnakeSetting, claim: Claim, view: AttemptView | undefined, judged: Outcome, spec: TaskSpec | undefined): Promise<void> {
  const { config, layout } = setting;
  const at = view?.flow?.next;
  const between = at !== undefined && at.kind !== 'step';
  const changes = view?.attempt?.worktree === undefined || (await end(ports, setting, claim, view, 'before its work is measured')).kind === 'unknown' ? undefined : await measureChanges(ports, setting, claim, view.attempt, judged.kind === 'done');
  const measured: Outcome = typeof changes === 'string' && judged.kind === 'done' ? { kind: 'failed', reason: 'workspace-failed', detail: `its worktree could not be read: ${changes}`, final: false } : judgeChanges(judged, typeof changes === 'string' ? undefined : changes, { guard: config.guard, required: spec?.changes === 'required' });
  const told = view?.attempt === undefined || between || view.attempt.onlyMerge === true ? measured : await tellAccount(ports, setting, claim, view, view.attempt, measured);
  const merge = view?.merge === undefined || view.merge === 'owed' ? undefined : view.merge.end;
  const outcome = merge === undefined ? told : await concludedAs(ports, setting, claim, merge, told, view?.attempt?.worktree?.branch ?? '');
  const next = afterAttempt(retryPolicy(config, spec), claim.name.counters, outcome);
  if (next.kind === 'again' && next.children !== undefined) await rememberAwaited(ports.files, layout, { ...claim.name, counters: next.counters }, next.children);
  await writeOutcome(ports.files, runDirOf(layout, claim.name), {
    marker: claim.marker,
    attempt: attemptOf(claim.name.counters),
    agent: view?.attempt?.agent ?? spec?.agents[0] ?? config.agent,
    startedAt: view?.attempt?.startedAt,
    endedAt: ports.clock.wallMs(),
    outcome,
    ...(typeof changes === 'object' ? { changes } : {}),
    ...(merge === undefined ? {} : { merge }),
    next,
    ...(at?.kind === 'step' ? { step: { id: at.step, round: at.round } } : {}),
  });
  if (at?.kind === 'step') await ports.events.emit({ kind: 'step-ended', id: claim.name.id, marker: claim.marker, step: at.step, round: at.round, seat: at.seat, end: outcome.kind === 'failed' ? outcome.reason : outcome.kind, verdict: '', evidence: describeOutcome(outcome) });
}

/**
 * Leftovers ended and shown gone, then the one rename that commits, then the story. `started` is taken first: a launch that
 * tmux still has before it would find its claim standing after the last look for processes and before the rename.
 */
async function settleStep(ports: SnakePorts, setting: SnakeSetting, claim: Claim, view: AttemptView, record: OutcomeRecord): Promise<Applied> {
  const { events, store, files, clock } = ports;
  const dir = sessionDir(runDirOf(setting.layout, claim.name), view.flow);
  const counted = (view.flow !== undefined && view.flow.next.kind !== 'step') || view.attempt?.onlyMerge === true;
  if (view.attempt !== undefined) await files.makeDir(join(dir, RUN_FILES.started));
  let ended = await end(ports, setting, claim, view, 'leftovers before settling');
  await removeLauncher(files, dir);
  if (ended.kind === 'gone' && view.attempt !== undefined && !counted && (await countAttempt(ports, setting, claim, view.attempt, dir, record))) ended = await end(ports, setting, claim, view, 'after its transcript was read');
  if (ended.kind === 'unknown') return stuck(ports, claim, ended.evidence);
  const { id } = claim.name;
  if ((await store.settle(claim, destinationOf(record.next, clock.wallMs()))) === 'lost') {
    await events.emit({ kind: 'claim-lost', id, marker: claim.marker });
    return OVER;
  }
  await tellSettled(files, events, setting.layout, id, record);
  return OVER;
}

/** Who was called back has no time for a program that prints its transcript: what it would say is owed, and counted before the task goes on, or by cleanup. */
async function countAttempt(ports: SnakePorts, setting: SnakeSetting, { name, marker }: Claim, attempt: AttemptRecord, dir: string, record: OutcomeRecord): Promise<boolean> {
  if (record.outcome.kind === 'released' && isPrinted((await setting.profiles())[attempt.profile])) return false;
  return (await countRun(ports, setting, { id: name.id, dir, attempt, endedAt: record.endedAt, marker, ...(record.step === undefined ? {} : { step: record.step.id }) })).ran;
}

async function stuck({ store, events }: SnakePorts, claim: Claim, evidence: string): Promise<Applied> {
  if ((await store.settle(claim, { kind: 'stuck' })) === 'ok') await events.emit({ kind: 'task-stuck', id: claim.name.id, marker: claim.marker, evidence });
  return OVER;
}
