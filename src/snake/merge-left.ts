import { join } from 'node:path';
import { attemptOf } from '../protocol/names.js';
import { parseResult, RUN_FILES, type AgentRecord, type AttemptRecord } from '../protocol/records.js';
import type { Claim } from '../queue/store.js';
import { isParked, lastBegun, readAnswer } from '../runs/answers.js';
import { pastAttempts, readAgent, readAttempt, runDirOf, type PastAttempt } from '../runs/run-dir.js';
import { readStream } from '../runs/stream.js';
import type { WorktreeRecord } from '../workspace/state.js';
import type { SnakePorts, SnakeSetting } from './ports.js';

/** The answer of a person, and its absence, that wants the merge alone. */
export const MERGE_WORD = 'merge';

/** Whether an answer to a task that was parked by its merge has words for its author. */
export const isForAuthor = (answer: string | undefined): boolean => answer !== undefined && answer.trim() !== '' && answer.trim().toLowerCase() !== MERGE_WORD;

/**
 * The attempt whose work is good and only could not be merged, where a person has let its task go on without words for its author, and
 * without changing the task: no session is owed then. Undefined: one is.
 */
export async function onlyMergeLeft({ files }: SnakePorts, { layout }: SnakeSetting, claim: Claim, bytes: Uint8Array): Promise<PastAttempt | undefined> {
  const last = await lastBegun(files, await pastAttempts(files, layout, claim.name.id));
  if (last === undefined || !isParked(last) || last.record.outcome.kind !== 'parked' || last.record.outcome.reason !== 'merge') return undefined;
  if (isForAuthor(await readAnswer(files, last))) return undefined;
  return (await files.read(join(last.run, RUN_FILES.task))) === Buffer.from(bytes).toString('utf8') ? last : undefined;
}

/**
 * The records of an attempt without a session: as if the one before had ended just now, so that its checks, its policy and its merge are owed
 * and nothing is launched. May be repeated after a crash; the attempt record comes last, as the sign that all is there. False: what the one before left is gone.
 */
export async function standInForMerge(ports: SnakePorts, setting: SnakeSetting, claim: Claim, last: PastAttempt, record: WorktreeRecord): Promise<boolean> {
  const { files, clock, processes } = ports;
  const before = await readAttempt(files, last.run);
  const task = await files.read(join(last.run, RUN_FILES.task));
  if (before === undefined || task === undefined) return false;
  const dir = runDirOf(setting.layout, claim.name);
  const said = parseResult(await files.read(join(last.run, RUN_FILES.result)));
  const seen = await readAgent(files, last.run);
  const profile = (await setting.profiles())[before.profile];
  const stream = profile === undefined || before.mode !== 'headless' ? undefined : await readStream(files, profile, last.run, last.record.endedAt);
  const session = seen?.session ?? stream?.session ?? before.session;
  const message = said?.kind === 'done' ? said.message : (seen?.answer ?? '');
  const now = clock.wallMs();
  // Should words for its author follow after all, its session is found here.
  const agent: AgentRecord = { state: seen?.state ?? { kind: 'exited', source: 'none', rule: 'no session', evidence: 'only its merge was owed' }, since: now, session, ...(seen?.answer === undefined ? {} : { answer: seen.answer }) };
  await files.makeDir(dir);
  await files.write(join(dir, RUN_FILES.task), task);
  await files.write(join(dir, RUN_FILES.result), `${JSON.stringify({ outcome: 'done', message })}\n`);
  await files.write(join(dir, RUN_FILES.agentEnd), `${JSON.stringify(agent)}\n`);
  await files.write(join(dir, RUN_FILES.entered), '');
  await files.makeDir(join(dir, RUN_FILES.started));
  await files.write(join(dir, RUN_FILES.exit), `0 ${Math.floor(now / 1000)}\n`);
  await files.append(join(dir, RUN_FILES.notes), `${JSON.stringify({ at: now, text: 'no session was started: only its merge was owed' })}\n`);
  const { probe: _probe, ...rest } = before;
  const attempt: AttemptRecord = {
    ...rest, marker: claim.marker, attempt: attemptOf(claim.name.counters), startedAt: now, startedMonoMs: clock.monoMs(), boot: processes.boot(), workspace: record.path,
    worktree: { branch: record.branch, base: record.base.sha, baseName: record.base.name }, session, resumed: true, onlyMerge: true,
  };
  await files.write(join(dir, RUN_FILES.attempt), `${JSON.stringify(attempt)}\n`);
  return true;
}
