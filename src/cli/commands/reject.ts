import { basename } from 'node:path';
import { clean } from '../../agents/deliver/text.js';
import type { Config } from '../../config/config.js';
import { refsWith } from '../../git/refs.js';
import { isAncestor, resolveCommit } from '../../git/repository.js';
import { hasLanded } from '../../merging/merge.js';
import { parseAny } from '../../protocol/names.js';
import { writeAnswer } from '../../runs/answers.js';
import { pastAttempts } from '../../runs/run-dir.js';
import { checkGround, openContext, print, printJson, readConfig, type Context } from '../context.js';
import { CliError, EXIT } from '../exit.js';
import { branchOf, mergedAs, type Branched } from '../merging/facts.js';
import { freeWorkspace, keepWork } from '../merging/free.js';
import { parkRejected } from '../merging/send-back.js';
import { carryOut, recordDecision } from '../merging/settle.js';
import { stateWord } from '../state-word.js';
import { answerOne } from './answer.js';

/** A person does not want what a task made: it is kept aside and the task has failed; or, with `again`, it goes back to its author with the words. */
export async function reject(dir: string | undefined, name: string, given: readonly string[], options: { again?: boolean; json?: boolean }): Promise<void> {
  const context = openContext(dir);
  checkGround(context);
  const config = await readConfig(context);
  const why = clean(given.join(' ')).trim();
  if (options.again === true && why === '') throw new CliError(`say what is to be mended: snakepit reject ${name} --again WHAT`, EXIT.usage);
  const known = await branchOf(context, config, name);
  const { id, state } = known.task;
  if (state !== 'done' && state !== 'needs' && state !== 'failed') throw new CliError(`${id} is ${stateWord(state)}; only what has ended, or asks, is rejected${state === 'claimed' ? `: end it first with snakepit cancel ${id}` : ''}`, EXIT.usage);
  await refuseMerged(known);
  if (options.again === true) return sendBack(context, known, why, options.json === true);
  return throwOut(context, config, known, why, options.json === true);
}

async function sendBack(context: Context, known: Branched, why: string, json: boolean): Promise<void> {
  const { id, state } = known.task;
  if (state === 'failed') throw new CliError(`${id} has failed: edit queue/failed/${id}.md and say snakepit retry ${id}; its next attempt goes on in the same worktree`, EXIT.usage);
  if (state === 'done') {
    await parkRejected(context, known);
    const parked = (await pastAttempts(context.files, context.layout, id)).at(-1);
    if (parked !== undefined) await writeAnswer(context.files, parked, why);
  }
  const answered = await answerOne(context, id, why);
  if (json) return printJson({ id, state: answered.state, again: true, answer: why });
  print(`${id} is ${answered.state} again, with your words for its author`);
}

async function throwOut(context: Context, config: Config, known: Branched, why: string, json: boolean): Promise<void> {
  const { task, last } = known;
  const before = last.record.outcome.kind === 'failed' && last.record.outcome.reason === 'rejected';
  const kept = await keepWork(context, known);
  // Said again after a crash: what is recorded stands, and the task is only moved.
  if (!before || task.state !== 'failed') {
    const name = parseAny(basename(task.file));
    const detail = `${why === '' ? 'a person rejected it' : why}${kept.length === 0 ? '' : `; what it made is kept as ${kept.join(' and ')}`}`;
    const counters = { failures: (name?.counters.failures ?? 0) + 1, losses: name?.counters.losses ?? 0, deferrals: name?.counters.deferrals ?? 0 };
    const decided = before ? { dir: last.dir, record: last.record } : await recordDecision(context, known, { outcome: { kind: 'failed', reason: 'rejected', detail, final: true }, next: { kind: 'failed', counters, why: `rejected: ${detail}` } });
    await carryOut(context, known, 'failed', decided);
  }
  const freed = await freeWorkspace(context, config, known);
  if (json) return printJson({ id: task.id, rejected: true, kept, freed });
  print(`${task.id} is rejected; it lies in failed/${kept.length === 0 ? '' : `; what it made is kept as ${kept.join(' and ')}`}${freed === '' ? '' : `; ${freed}`}`);
}

/** What lies in a branch of a person, or in the target, cannot be taken back by forgetting it. */
async function refuseMerged(known: Branched): Promise<void> {
  const { task, git, repo, branch, base, tip } = known;
  const refuse = (into: string, line: string): never => {
    throw new CliError(`${task.id} is merged into ${into}: it is taken back by a commit that undoes it, in a checkout of ${into}: ${line}; to have it done anew after that: snakepit rerun ${task.id}`, EXIT.usage);
  };
  const merged = mergedAs(known);
  if (merged !== undefined && (await hasLanded(git, repo, merged.into, { onto: merged.onto, head: '', commit: merged.commit, conflicts: [], violations: [] })) !== false) {
    const joined = await resolveCommit(git, repo, `${merged.commit}^2`);
    const onward = merged.onto !== merged.commit && (await isAncestor(git, repo, merged.onto, merged.commit)) === true;
    refuse(merged.into, joined.ok && joined.value !== undefined ? `git revert -m 1 ${merged.commit.slice(0, 12)}` : `git revert ${(onward ? merged.onto : base.sha).slice(0, 12)}..${merged.commit.slice(0, 12)}`);
  }
  if (tip === undefined || tip === base.sha) return;
  const holders = await refsWith(git, repo, tip);
  if (!holders.ok) throw new CliError(`git does not say whether ${branch} is merged: ${holders.error}`, EXIT.unavailable);
  const other = holders.value.find((ref) => !/^refs\/(heads|remotes\/[^/]+)\/snakepit\//.test(ref) && !ref.endsWith(`/${branch}`));
  if (other !== undefined) refuse(other.replace(/^refs\/(heads|remotes)\//, ''), `git revert ${base.sha.slice(0, 12)}..${tip.slice(0, 12)}`);
}
