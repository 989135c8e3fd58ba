import { basename, join } from 'node:path';
import { endSession } from '../agents/end-session.js';
import { sameProcess } from '../lib/processes.js';
import { afterAttempt, goesOn, type Outcome } from '../protocol/judge.js';
import { attemptOf, claimEntry, markerOf, parseClaim, parseReaping, printReaping, printStuck, type ReapingName } from '../protocol/names.js';
import type { Layout } from '../protocol/layout.js';
import { parseSession, RUN_FILES } from '../protocol/records.js';
import { destinationPath } from '../queue/directory-store.js';
import { destinationOf } from '../queue/store.js';
import { tellSettled } from '../runs/publish.js';
import { readAttempt, readOutcome, removeLauncher, writeOutcome, type OutcomeRecord } from '../runs/run-dir.js';
import { currentRun, type CurrentRun } from '../runs/steps.js';
import { readSpec, retryPolicy } from '../runs/task-copy.js';
import { countReaped } from './counting.js';
import { decideReap } from './decide.js';
import type { CleanupPorts, CleanupSetting } from './ports.js';
import type { Specialist } from './specialist.js';
import type { PlannedReap, Suspect } from './state.js';

/** Facts about every claim and every unfinished reap. */
export async function inspect({ files, clock, processes }: CleanupPorts, { layout, successor }: CleanupSetting): Promise<Suspect[]> {
  const suspects: Suspect[] = [];
  for (const file of await files.list(layout.dir('claimed'))) {
    const name = parseClaim(file);
    if (name === undefined) continue;
    const beat = await files.mtimeMs(join(layout.dir('claimed'), file));
    if (beat === undefined) continue;
    const owner = await processes.liveness(name.owner);
    const session = owner === 'dead' ? parseSession(await files.read(join((await currentRun(files, layout, name)).dir, RUN_FILES.session)), name.owner.boot) : undefined;
    suspects.push({
      kind: 'claim', file, name, owner,
      sameBoot: name.owner.boot === processes.boot(),
      session: session === undefined ? 'none' : await processes.liveness(session.leader),
      beatAgeMs: clock.wallMs() - beat,
      successor: successor(name.owner.snake),
    });
  }
  for (const file of await files.list(layout.dir('reaping'))) {
    const name = parseReaping(file);
    if (name !== undefined) suspects.push({ kind: 'reaping', file, name, reaper: sameProcess(name.reaper, processes.self()) ? 'self' : await processes.liveness(name.reaper) });
  }
  return suspects;
}

/** The plan: a dry run prints it, a run executes it. */
export async function plan(ports: CleanupPorts, setting: CleanupSetting): Promise<PlannedReap[]> {
  const policy = { adoptMs: setting.config.adoptMs, lateMs: setting.config.heartbeatMs * 6 };
  return (await inspect(ports, setting)).map((suspect) => ({ file: suspect.file, id: suspect.name.id, verdict: decideReap(policy, suspect) }));
}

/** Claims of the dead, as a specialist among the others. */
export const reaper: Specialist = {
  name: 'reaper',
  does: 'takes claims from the dead, ends what they left, and puts their tasks back in line or where they had got to',
  plan: async (ports, setting) =>
    (await plan(ports, setting)).map(({ file, id, verdict }) => ({
      specialist: 'reaper', kind: verdict.kind === 'reap' ? 'act' : verdict.kind === 'report' ? 'refuse' : 'keep', verb: verdict.kind, subject: id, rule: verdict.rule, evidence: verdict.evidence, target: file,
    })),
  apply: async (ports, setting, { subject, target, rule, evidence }) => {
    const kind = await reap(ports, setting, target, rule, evidence);
    return { specialist: 'reaper', subject, kind: kind === 'gone' ? 'gone' : kind === 'stuck' ? 'refused' : 'done', told: kind === 'gone' ? 'somebody else took care of it' : `now ${kind}` };
  },
};

/** What became of one planned reap. "gone": somebody else acted in the meantime, which is the protocol working. */
export type Reaped = { readonly id: string; readonly kind: 'gone' } | { readonly id: string; readonly kind: 'ready' | 'waiting' | 'done' | 'failed' | 'stuck' | 'held' | 'needs' };

export async function execute(ports: CleanupPorts, setting: CleanupSetting, planned: readonly PlannedReap[]): Promise<Reaped[]> {
  const reaped: Reaped[] = [];
  for (const { file, id, verdict } of planned) {
    if (verdict.kind === 'reap') reaped.push({ id, kind: await reap(ports, setting, file, verdict.rule, verdict.evidence) });
  }
  return reaped;
}

/**
 * Fence first: the rename takes the claim from whoever might still hold it, so that a launch under way finds it gone. Only
 * then look for its processes, end them, and only when two looks found none let the task go on.
 */
async function reap(ports: CleanupPorts, setting: CleanupSetting, file: string, rule: string, evidence: string): Promise<Reaped['kind']> {
  const { files, processes, clock, events } = ports;
  const { layout, config } = setting;
  const claim = parseClaim(file) ?? parseReaping(file);
  if (claim === undefined) return 'gone';
  const from = join(layout.dir(parseClaim(file) === undefined ? 'reaping' : 'claimed'), file);
  const name: ReapingName = { ...claim, reaper: processes.self() };
  const fenced = join(layout.dir('reaping'), printReaping(name));
  if (basename(from) !== basename(fenced) && (await files.rename(from, fenced)) === 'missing') return 'gone';
  const marker = markerOf(name);
  await events.emit({ kind: 'claim-reaped', id: name.id, marker, rule, evidence });

  const run = await currentRun(files, layout, name);
  const { dir } = run;
  const attempt = await readAttempt(files, dir);
  const leader = parseSession(await files.read(join(dir, RUN_FILES.session)), attempt?.boot ?? name.owner.boot)?.leader;
  const ended = await endSession(processes, clock, { entry: claimEntry(marker), leader, privateDir: attempt?.privateWorkspace === true ? attempt.workspace : undefined }, config.graceMs);
  await removeLauncher(files, dir);
  if (ended.kind === 'unknown') return stuck(ports, layout, name, fenced, ended.evidence);
  const record = await concluded(ports, setting, name, run, rule);
  if (await countReaped(ports, setting, name.id, marker, run.base, record)) {
    const again = await endSession(processes, clock, { entry: claimEntry(marker), leader }, config.graceMs);
    if (again.kind === 'unknown') return stuck(ports, layout, name, fenced, again.evidence);
  }
  return finish(ports, setting, name, fenced, record);
}

/** Left to a person, with what stood in the way. */
async function stuck({ files, events }: CleanupPorts, layout: Layout, name: ReapingName, fenced: string, evidence: string): Promise<'gone' | 'stuck'> {
  if ((await files.rename(fenced, join(layout.dir('stuck'), printStuck(name)))) === 'missing') return 'gone';
  await events.emit({ kind: 'task-stuck', id: name.id, marker: markerOf(name), evidence });
  return 'stuck';
}

/** What the attempt itself recorded of its end; otherwise the worker is counted as lost. */
async function concluded({ files, clock }: CleanupPorts, { config }: CleanupSetting, name: ReapingName, { base, dir, flow }: CurrentRun, rule: string): Promise<OutcomeRecord> {
  const spec = await readSpec(files, base);
  const cancelled = await files.exists(join(base, RUN_FILES.cancel));
  const before = await readOutcome(files, base);
  if (before !== undefined && !(cancelled && goesOn(before.next))) return before;
  const outcome: Outcome = cancelled ? { kind: 'failed', reason: 'cancelled', detail: 'a person cancelled it', final: true } : { kind: 'lost', detail: rule };
  const attempt = await readAttempt(files, dir);
  const record: OutcomeRecord = {
    marker: markerOf(name),
    attempt: attemptOf(name.counters),
    agent: attempt?.agent ?? config.agent,
    startedAt: attempt?.startedAt,
    endedAt: clock.wallMs(),
    outcome,
    next: afterAttempt(retryPolicy(config, spec), name.counters, outcome),
    ...(flow?.next.kind === 'step' ? { step: { id: flow.next.step, round: flow.next.round } } : {}),
  };
  await writeOutcome(files, base, record);
  return record;
}

/** Rolls forward what is recorded. */
async function finish({ files, clock, events }: CleanupPorts, { layout }: CleanupSetting, name: ReapingName, fenced: string, record: OutcomeRecord): Promise<Reaped['kind']> {
  const to = destinationOf(record.next, clock.wallMs());
  if ((await files.rename(fenced, await destinationPath(files, layout, name, to))) === 'missing') return 'gone';
  await files.syncDir(layout.dir(to.kind));
  await tellSettled(files, events, layout, name.id, record);
  return to.kind;
}
