import { join } from 'node:path';
import { launcherScript } from '../agents/launcher.js';
import { chooseProfile } from '../agents/profiles.js';
import { sessionEnv } from '../agents/session-env.js';
import type { Outcome } from '../protocol/judge.js';
import { attemptOf } from '../protocol/names.js';
import { parseTask } from '../protocol/parse-task.js';
import { RUN_FILES, type AttemptRecord } from '../protocol/records.js';
import type { TaskSpec } from '../protocol/task.js';
import { dueTime } from '../queue/place.js';
import type { Claim } from '../queue/store.js';
import { pastAttempts, runDirOf } from '../runs/run-dir.js';
import { describeOutcome } from '../runs/story.js';
import type { SnakePorts, SnakeSetting } from './ports.js';

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
  const profile = chooseProfile(spec.agents, config.agent);
  if (!profile.ok) return unworkable(profile.error, spec);
  const program = profile.value.program(spec);
  if (!program.ok) return unworkable(program.error, spec);

  const dir = runDirOf(layout, name);
  const attempt = attemptRecord(ports, setting, claim, spec, profile.value.name, dir);
  await files.makeDir(dir);
  if (attempt.privateWorkspace) await files.makeDir(attempt.workspace);
  await files.write(join(dir, RUN_FILES.prompt), Buffer.from(bytes).toString('utf8'));
  await files.write(join(dir, RUN_FILES.script), program.value.script);
  const env = await contractEnv(ports, setting, claim, attempt, spec);
  const argv = [program.value.interpreter, join(dir, RUN_FILES.script)];
  await files.write(join(dir, RUN_FILES.launcher), launcherScript({ runDir: dir, claimedDir: layout.dir('claimed'), marker: claim.marker, workspace: attempt.workspace, env, argv }));
  await files.write(join(dir, RUN_FILES.attempt), `${JSON.stringify(attempt)}\n`);
  return { kind: 'prepared', attempt };
}

async function allDone({ files }: SnakePorts, { layout }: SnakeSetting, after: readonly string[]): Promise<boolean> {
  for (const id of after) if (!(await files.exists(join(layout.dir('done'), `${id}.md`)))) return false;
  return true;
}

function attemptRecord({ clock, processes }: SnakePorts, { layout, config }: SnakeSetting, claim: Claim, spec: TaskSpec, agent: string, dir: string): AttemptRecord {
  const inRepo = (spec.workspace ?? config.workspace) === 'repo';
  return {
    marker: claim.marker,
    agent,
    attempt: attemptOf(claim.name.counters),
    startedAt: clock.wallMs(),
    startedMonoMs: clock.monoMs(),
    boot: processes.boot(),
    timeoutMs: spec.timeoutMs ?? config.timeoutMs,
    workspace: inRepo ? layout.root : join(dir, 'work'),
    privateWorkspace: !inRepo,
  };
}

/** The environment of the session and of its checks. */
export async function contractEnv({ files }: SnakePorts, { layout, config, owner, pitId, outerEnv }: SnakeSetting, claim: Claim, attempt: AttemptRecord, spec: TaskSpec): Promise<Record<string, string>> {
  const dir = runDirOf(layout, claim.name);
  const before = (await pastAttempts(files, layout, claim.name.id)).at(-1)?.record;
  return sessionEnv(outerEnv, config.env, {
    taskId: claim.name.id,
    taskFile: join(dir, RUN_FILES.prompt),
    marker: claim.marker,
    pitId,
    attempt: attempt.attempt,
    snake: owner.snake,
    runDir: dir,
    resultFile: join(dir, RUN_FILES.result),
    resultFallback: join(attempt.workspace, '.snakepit-result.json'),
    workspace: attempt.workspace,
    root: layout.root,
    queue: layout.queue,
    previousFailure: before === undefined || before.outcome.kind === 'done' ? '' : describeOutcome(before.outcome).slice(0, 2000),
    binDir: layout.bin,
    inputs: spec.inputs,
  });
}
