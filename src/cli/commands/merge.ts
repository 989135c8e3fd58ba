import { occupiedIn } from '../../git/occupied.js';
import { branchTip } from '../../git/refs.js';
import { countBetween, isAncestor, repositoryOf } from '../../git/repository.js';
import { describeViolations } from '../../merging/judge-diff.js';
import { targetOf } from '../../merging/target.js';
import type { MergeEnd, MergeMode } from '../../protocol/merging.js';
import { HOLD_PATIENCE_MS, holdWorkspace } from '../../workspace/hold.js';
import { workIn } from '../../workspace/work.js';
import { checkGround, note, openContext, print, printJson, readConfig, type Context } from '../context.js';
import { CliError, EXIT } from '../exit.js';
import { branchOf, type Branched } from '../merging/facts.js';
import { mergeByHand, refusalOf, tryMerge, type Wish } from '../merging/run.js';
import { carryOut, recordDecision, retell, rewriteDone } from '../merging/settle.js';
import { stateWord } from '../state-word.js';

export interface MergeOptions {
  readonly into?: string;
  readonly how?: Exclude<MergeMode, 'none' | 'pull-request'>;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

const words = (end: MergeEnd): string => refusalOf(end, ({ violations }) => describeViolations(violations));

/** Merges a done task whose branch was left alone, or one that its merge parked: as its worker would have, and in the same line. */
export async function merge(dir: string | undefined, name: string, options: MergeOptions): Promise<void> {
  const context = openContext(dir);
  checkGround(context);
  const config = await readConfig(context);
  const known = await branchOf(context, config, name);
  const { id } = known.task;
  refuseOthers(known);
  const mode = options.how ?? known.spec?.merge ?? config.merge;
  if (mode === 'pull-request') throw new CliError(`merge: pull-request is configured: ${known.task.state === 'needs' ? `snakepit answer ${id} merge proposes it again; or ` : ''}merge it here after all with --how no-ff, squash, rebase or ff`, EXIT.usage);
  const wish: Wish = { mode: mode === 'none' ? 'no-ff' : mode, ...targetOf(options.into ?? config.into, known.base.name) };
  const before = known.last.record.merge;
  // A crash after the target was moved, and before the task was: what is left is done now.
  if (before?.kind === 'merged' && known.task.state === 'done') {
    await retell(context, known.task);
    return tell(options, id, before, `${id} was merged into ${before.into} as ${before.commit.slice(0, 10)} before`);
  }
  if (known.tip === undefined) throw new CliError(`its branch ${known.branch} is gone${known.record === undefined ? ': it was deleted once it was merged' : ''}; see: snakepit show ${id}`, EXIT.notFound);
  await refuseUncommitted(context, known);
  if (options.dryRun === true) return dryRun(context, config, known, wish, options);
  const hold = await holdWorkspace({ ...context }, context.layout, id, HOLD_PATIENCE_MS);
  if (!hold.ok) throw new CliError(`${id}: ${hold.error}; try again`, EXIT.busy);
  try {
    const result = await mergeByHand(context, config, known, wish);
    if (result.kind === 'unknown') throw new CliError(`${id} is not merged: ${result.why}; nothing was changed, try again`, EXIT.unavailable);
    if (result.kind === 'interrupted') throw new CliError(`${id} is not merged: ${result.rule}`, EXIT.busy);
    const { end, rule } = result;
    if (end.kind !== 'merged') {
      await context.events.emit({ kind: 'merge-refused', id, marker: known.last.record.marker, into: wish.into, end: end.kind, rule });
      throw new CliError(`${id} is not merged: ${words(end)}${known.task.state === 'needs' ? `; back to its author with words: snakepit answer ${id} TEXT` : ''}`, EXIT.failed);
    }
    await context.events.emit({ kind: 'task-merged', id, marker: known.last.record.marker, into: end.into, commit: end.commit, rule });
    if (known.task.state === 'done') await rewriteDone(context, known, end);
    else await carryOut(context, known, 'done', await recordDecision(context, known, { outcome: { kind: 'done', message: '' }, next: { kind: 'done' }, merge: end }));
    return tell(options, id, end, `${id} is merged into ${end.into} as ${end.commit.slice(0, 10)} (${wish.mode}), which stood at ${end.onto.slice(0, 10)} before${known.task.state === 'done' ? '' : '; it is done'}${wish.own ? `; take it over with: git merge ${end.into}` : ''}`);
  } finally {
    await hold.value();
  }
}

function tell(options: MergeOptions, id: string, end: Extract<MergeEnd, { kind: 'merged' }>, text: string): void {
  if (options.json === true) return printJson({ id, merged: true, into: end.into, commit: end.commit, onto: end.onto });
  print(text);
}

/** Only work that is good, and that no worker holds. */
function refuseOthers({ task: { id, state }, last }: Branched): void {
  if (state === 'done') return;
  const { outcome } = last.record;
  if (state === 'needs' && ((outcome.kind === 'parked' && outcome.reason === 'merge') || outcome.kind === 'done')) return;
  if (state === 'needs') throw new CliError(`${id} asks something else than where its branch goes: snakepit show ${id}; then: snakepit answer ${id} TEXT`, EXIT.usage);
  throw new CliError(`${id} is ${stateWord(state)}; only what is done, or was parked by its merge, is merged${state === 'failed' ? `: try it again with snakepit retry ${id}, or take what it has: snakepit diff ${id}` : ''}`, EXIT.usage);
}

/** What lies in its worktree and on no branch would not be merged: a person is told first. */
async function refuseUncommitted({ files }: Context, { task, git, record }: Branched): Promise<void> {
  if (record?.state !== 'ready' || !(await files.exists(record.path))) return;
  const work = await workIn({ files, git }, record);
  if (work.kind === 'unsaved') throw new CliError(`the worktree of ${task.id} holds what nobody committed (${work.what}): commit it there, or put it away (git -C ${record.path} stash), then again`, EXIT.usage);
}

/** The very same build, and nothing moved. */
async function dryRun(context: Context, config: Parameters<typeof tryMerge>[1], known: Branched, wish: Wish, options: MergeOptions): Promise<void> {
  const { git, repo, branch, base, spec } = known;
  const repository = await repositoryOf(git, repo);
  const tip = await branchTip(git, repo, wish.into);
  if (!repository.ok || repository.value === 'none' || !tip.ok) throw new CliError(`git cannot read ${repo}`, EXIT.unavailable);
  const occupied = await occupiedIn({ git, files: context.files }, repo, repository.value.commonDir, wish.into);
  const onto = tip.value ?? base.sha;
  const built = await tryMerge(context, config, known, wish, onto);
  const commits = await countBetween(git, repo, onto, known.tip ?? '');
  if (!built.ok || !occupied.ok || !commits.ok) throw new CliError(`git does not say what it would come to: ${[built, occupied, commits].flatMap((one) => (one.ok ? [] : [one.error])).join('; ')}`, EXIT.unavailable);
  const why =
    tip.value === undefined && !wish.own ? `there is no branch ${wish.into}`
    : occupied.value !== undefined ? `${wish.into} is ${occupied.value.how} in ${occupied.value.path}`
    : known.tip === undefined || commits.value === 0 ? ((await isAncestor(git, repo, known.tip ?? '', onto)) === true && known.tip !== base.sha ? `all of it lies in ${wish.into} already` : 'its branch has no change')
    : built.value.commit === undefined ? words({ kind: 'conflict', into: wish.into, tip: onto, paths: built.value.conflicts })
    : built.value.violations.length > 0 ? words({ kind: 'violation', violations: built.value.violations })
    : undefined;
  const checks = spec?.verify ?? [];
  if (options.json === true) printJson({ id: known.task.id, merged: false, would: why === undefined, ...(why === undefined ? {} : { why }), branch, into: wish.into, how: wish.mode, onto, commits: commits.value, checks });
  else if (why === undefined) print(`${known.task.id} would be merged (${wish.mode}): ${branch}, ${commits.value} commit${commits.value === 1 ? '' : 's'}, into ${wish.into}${tip.value === undefined ? ', which would be made,' : ''} at ${onto.slice(0, 10)}${checks.length === 0 ? '; it has no checks' : `, if on the merged tree: ${checks.join('; ')}`}`);
  else note(`snakepit: ${known.task.id} would not be merged: ${why}`);
  if (why !== undefined) process.exitCode = EXIT.failed;
}
