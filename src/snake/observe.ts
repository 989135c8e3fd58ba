import { join } from 'node:path';
import { PathError } from '../lib/files.js';
import type { MergeRecord } from '../protocol/merging.js';
import { parseExit, parseResult, parseSession, parseJson, RESULT_FALLBACK, RUN_FILES, STOP_REASONS, type AskRecord, type HoldRecord, type StopReason, type VerdictRecord, type VerifyRun } from '../protocol/records.js';
import { childrenOf } from '../queue/children.js';
import type { Claim } from '../queue/store.js';
import { readAttempt, readOutcome } from '../runs/run-dir.js';
import { currentRun } from '../runs/steps.js';
import { lookAtBudget } from '../runs/task-budget.js';
import { readSpec } from '../runs/task-copy.js';
import type { Ages } from './ages.js';
import type { SnakePorts, SnakeSetting } from './ports.js';
import type { AttemptView } from './state.js';
import { observeAgent } from './witness.js';

const RESULT_BYTES = 256 * 1024;

const isStop = (text: string | undefined): text is StopReason => STOP_REASONS.some((reason) => reason === text);

/** A file in the agent's hands: one that we are not let see says nothing, whatever the agent did to its directory. */
async function ofAgent<T>(look: Promise<T | undefined>): Promise<T | undefined> {
  try {
    return await look;
  } catch (cause) {
    if (cause instanceof PathError && (cause.code === 'EACCES' || cause.code === 'EPERM')) return undefined;
    throw cause;
  }
}

/** One look at a held claim: facts, no verdicts. The leader's liveness is read before the exit record, so that "dead without a record" is never a race. */
export async function observe(ports: SnakePorts, setting: SnakeSetting, claim: Claim, ages: Ages): Promise<AttemptView> {
  const { layout } = setting;
  const { files, processes, store } = ports;
  const { base, dir, flow } = await currentRun(files, layout, claim.name);
  const held = (await store.renew(claim)) === 'ok';
  const attempt = await readAttempt(files, dir);
  const session = parseSession(await files.read(join(dir, RUN_FILES.session)), attempt?.boot ?? processes.boot());
  const leader = session === undefined ? 'none' : await processes.liveness(session.leader);
  const exit = parseExit(await files.read(join(dir, RUN_FILES.exit)));
  const stopText = (await files.read(join(dir, RUN_FILES.stop)))?.trim();
  const stop = isStop(stopText) ? stopText : undefined;
  const spec = attempt === undefined ? undefined : await readSpec(files, dir);
  const fallback = attempt === undefined ? undefined : join(attempt.workspace, RESULT_FALLBACK);
  const resultFile = join(dir, RUN_FILES.result);
  const resultAt = (await files.mtimeMs(resultFile)) ?? (fallback === undefined ? undefined : await ofAgent(files.mtimeMs(fallback)));
  const agent = attempt === undefined ? undefined : await observeAgent(ports, (await setting.profiles())[attempt.profile], attempt, dir, { exit, stop });
  const ask = attempt?.ask === 'allow' && attempt.mode === 'interactive' ? parseJson<AskRecord>(await files.read(join(dir, RUN_FILES.ask))) : undefined;
  const hold = parseJson<HoldRecord>(await files.read(join(dir, RUN_FILES.watch)));
  const outcome = await readOutcome(files, base);
  const now = { wallMs: ports.clock.wallMs(), monoMs: ports.clock.monoMs() };
  const said = (await files.read(resultFile, RESULT_BYTES)) ?? (fallback === undefined ? undefined : await ofAgent(files.read(fallback, RESULT_BYTES)));
  return {
    held,
    attempt,
    started: await files.exists(join(dir, RUN_FILES.started)),
    session,
    leader,
    exit,
    result: parseResult(said),
    resultAgeMs: resultAt === undefined ? undefined : ages.of(`${dir} result`, resultAt, now),
    agent,
    ask,
    askAgeMs: ask === undefined ? undefined : ages.of(`${dir} ask`, ask.at, now),
    agentAgeMs: agent === undefined ? undefined : ages.of(`${dir} agent`, agent.since, now),
    holdOverMs: hold === undefined ? undefined : now.wallMs - (hold.still ? (hold.said?.next?.at ?? now.wallMs) : hold.graceFrom),
    stop,
    verify: parseJson<VerifyRun[]>(await files.read(join(dir, RUN_FILES.verify))),
    verifyCommands: spec?.verify ?? [],
    outcome,
    verdict: parseJson<VerdictRecord>(await files.read(join(dir, RUN_FILES.verdict))),
    merge: ports.git === undefined || attempt?.worktree === undefined ? undefined : (parseJson<MergeRecord>(await files.read(join(base, RUN_FILES.merge))) ?? 'owed'),
    budget: outcome !== undefined || spec === undefined ? undefined : (await lookAtBudget(files, layout, setting.config, claim.name, spec, now.wallMs))?.verdict,
    cancelled: await files.exists(join(base, RUN_FILES.cancel)),
    ...(flow === undefined ? {} : { flow }),
    ...(flow?.next.kind === 'await' ? { children: { ...(await childrenOf(files, layout, claim.name.id, flow.next.without)), at: now.wallMs } } : {}),
  };
}
