import { basename, join } from 'node:path';
import { endHands } from '../../agents/end-hands.js';
import { endSession } from '../../agents/end-session.js';
import { knownSecrets } from '../../agents/known-secrets.js';
import { sessionEnv } from '../../agents/session-env.js';
import type { Config } from '../../config/config.js';
import { build, type BuildRequest } from '../../merging/build.js';
import { mergeTask, type MergeRequest, type MergeResult } from '../../merging/merge.js';
import type { MergeEnd, MergeRecord } from '../../protocol/merging.js';
import { claimEntry, handEntry, handMarker, NO_COUNTERS } from '../../protocol/names.js';
import { parseJson, RESULT_FALLBACK, RUN_FILES } from '../../protocol/records.js';
import { readFlow } from '../../runs/flow-record.js';
import type { PastAttempt } from '../../runs/run-dir.js';
import { runChecks } from '../../snake/checks.js';
import { policiesOf } from '../../snake/integrate.js';
import { setUpMerged } from '../../snake/set-up.js';
import { runVerify } from '../../snake/verify.js';
import { publishedAgents, type Context } from '../context.js';
import { CliError, EXIT } from '../exit.js';
import type { Branched } from './facts.js';

/** A terminal that is closed calls it off as well. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** How a person wants a task merged. */
export interface Wish {
  readonly mode: MergeRequest['mode'];
  readonly into: string;
  readonly own: boolean;
}

async function requestOf(context: Context, config: Config, known: Branched, wish: Wish): Promise<Omit<BuildRequest, 'onto' | 'head'>> {
  const flow = await readFlow(context.files, known.last.dir);
  return {
    mode: wish.mode,
    policies: policiesOf(config.policy, known.spec ?? { policy: undefined }),
    known: knownSecrets(await publishedAgents(context), process.env),
    credits: { id: known.task.id, title: known.spec?.title ?? '', workflow: flow?.workflow.name, coAuthors: config.coAuthors },
  };
}

/** What a merge would come to now: nothing but objects that no ref names is written. */
export async function tryMerge(context: Context, config: Config, known: Branched, wish: Wish, onto: string): Promise<Awaited<ReturnType<typeof build>>> {
  return build(known.git, known.repo, { ...(await requestOf(context, config, known, wish)), onto, head: known.tip ?? '' });
}

/**
 * Merges the branch of a task that no worker holds: the code, the line, the lock and the recorded candidate are those of the snakes, so that either finds
 * what the other left. Its claim is the task's file, where it lies now, and the worktree's lock, which its caller has. May be repeated after a crash;
 * what a killed one left at work is ended first.
 */
export async function mergeByHand(context: Context, config: Config, known: Branched, wish: Wish): Promise<MergeResult> {
  const { files, layout, clock, processes } = context;
  const { task, last, git, spec, repo, branch, base } = known;
  const file = join(last.dir, RUN_FILES.merge);
  const before = parseJson<MergeRecord>(await files.read(file));
  const start: MergeRecord = { v: 1, into: wish.into, since: clock.wallMs(), ...(before?.into === wish.into && before.candidate !== undefined ? { candidate: before.candidate } : {}) };
  let called = false;
  const stop = (): void => void (called = true);
  for (const signal of SIGNALS) process.on(signal, stop);
  const pitId = (await files.read(layout.pitId))?.trim() ?? 'unknown';
  const marks = { SNAKEPIT_CLAIM: handMarker(task.id, processes.self()), SNAKEPIT_BY_HAND: pitId };
  const held = async (): Promise<boolean> => !called && (await files.exists(task.file));
  try {
    const left = await endHands(processes, clock, pitId, { kind: 'of-task', id: task.id }, config.graceMs);
    if (left.kind === 'unknown') return { kind: 'unknown', why: `what an earlier merge left at work could not be ended: ${left.evidence}` };
    const verify = spec?.verify ?? [];
    return await mergeTask({ files, clock, processes, git }, {
      ...(await requestOf(context, config, known, wish)),
      dir: repo, branch, base: base.sha, into: wish.into, own: wish.own, since: start.since, scratch: join(layout.state, 'merging', task.id), env: marks,
      pitId,
      candidate: start.candidate,
      record: (candidate) => files.write(file, `${JSON.stringify({ ...start, candidate } satisfies MergeRecord)}\n`),
      held,
      check: async (cwd) => {
        if (verify.length === 0) return 'none';
        const waitForChange = (_dir: string, ms: number, enough?: AbortSignal): Promise<void> => clock.sleep(ms, enough);
        const ports = { files, processes, clock, git, verify: runVerify, waitForChange };
        const env = { ...checkEnv(context, config, known, cwd), ...marks };
        const interrupted = async (): Promise<boolean> => !(await held());
        const name = { id: task.id, counters: { ...NO_COUNTERS, deferrals: last.record.attempt - 1 }, nonce: nonceOf(last) };
        const setUp = spec === undefined ? [] : await setUpMerged(ports, { layout, config }, { name }, spec, cwd, env, interrupted, { changed: new AbortController().signal });
        return setUp?.length === 0 ? runChecks(ports, { config }, verify, { cwd, watched: last.dir, env }, interrupted) : setUp;
      },
    });
  } finally {
    for (const signal of SIGNALS) process.off(signal, stop);
    await endSession(processes, clock, { entry: claimEntry(marks.SNAKEPIT_CLAIM), with: handEntry(pitId) }, config.graceMs);
  }
}

/** Of its directory, in which the output of a set-up goes too. */
const nonceOf = ({ dir }: PastAttempt): string => basename(dir).slice(basename(dir).indexOf('-') + 1);

/** As a worker's checks have it, but for the marks of a claim: there is none. */
function checkEnv({ layout }: Context, config: Config, { task, last, spec, branch, base }: Branched, cwd: string): Record<string, string> {
  const { SNAKEPIT_CLAIM: _claim, SNAKEPIT_PIT: _pit, ...env } = sessionEnv(process.env, config.env, {
    taskId: task.id, taskFile: join(last.run, RUN_FILES.task), marker: '', pitId: '', attempt: last.record.attempt, snake: '', runDir: last.dir,
    resultFile: join(last.run, RUN_FILES.result), resultFallback: join(cwd, RESULT_FALLBACK), workspace: cwd, branch, base: base.sha, ceiling: join(layout.state, 'merging'),
    root: layout.root, queue: layout.queue, previousFailure: '', binDir: layout.bin, inputs: spec?.inputs ?? {},
  });
  return env;
}

/** In words, why it was not merged. */
export function refusalOf(end: MergeEnd, describe: (end: Extract<MergeEnd, { kind: 'violation' }>) => string): string {
  switch (end.kind) {
    case 'conflict':
      return end.paths.length === 0 ? `${end.into} has moved on since it began, and ff only goes forward: --how no-ff, squash or rebase` : `it conflicts with ${end.into} in ${end.paths.slice(0, 20).join(', ')}${end.paths.length > 20 ? ` and ${end.paths.length - 20} more` : ''}`;
    case 'checks-failed':
      return `merged with ${end.into}, its check fails: ${end.check.command} ends with status ${end.check.code}: ${end.check.tail.slice(-3).join(' | ').slice(0, 400)}`;
    case 'violation':
      return `it breaks the policy: ${describe(end)}`;
    case 'blocked':
      return end.why;
    case 'nothing':
    case 'kept':
      return 'its branch has no change';
    case 'proposed':
    case 'merged':
      throw new CliError('it is merged', EXIT.internal);
  }
}

