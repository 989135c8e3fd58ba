import { unreachable } from '../lib/unreachable.js';
import type { PrunePolicy, WorktreeFacts, WorktreeVerdict } from './worktree-state.js';

const keep = (rule: string, evidence = ''): WorktreeVerdict => ({ kind: 'keep', verb: 'keep', rule, evidence });
const refuse = (rule: string, evidence: string): WorktreeVerdict => ({ kind: 'refuse', verb: 'refuse', rule, evidence });
const act = (verb: WorktreeVerdict['verb'], rule: string, evidence: string): WorktreeVerdict => ({ kind: 'act', verb, rule, evidence });

/** Pure and total: whether work in a worktree is to be kept now. What is in the way of looking is told by the pruner, once. */
export function decideSalvage(facts: WorktreeFacts): WorktreeVerdict {
  if (facts.task === 'on-its-way') return keep('its task is on its way');
  if (facts.state !== 'ready' || facts.checkout.kind !== 'sound') return keep('there is no checkout to look into');
  const { work } = facts;
  switch (work.kind) {
    case 'none':
      return keep('all of its work is on its branch');
    case 'saved':
      return keep('its work is kept', work.ref);
    case 'unsaved':
      return act('salvage', 'its task has ended, and nobody committed this', work.what);
    case 'nested':
      return refuse('a repository of its own lies in it, of which a commit keeps no more than a number: move it away', work.paths.join(', '));
    case 'unknown':
      return refuse('what it holds could not be seen', work.why);
    default:
      return unreachable(work);
  }
}

/** Pure and total: what becomes of a worktree, by which rule, on what evidence. */
export function decidePrune(policy: PrunePolicy, facts: WorktreeFacts): WorktreeVerdict {
  if (facts.task === 'on-its-way') return keep('its task is on its way');
  const ended = `its task ended at ${new Date(facts.endedAt).toISOString()}`;
  const { checkout } = facts;
  switch (facts.state) {
    case 'released':
      return decideBranch(facts);
    case 'making':
    case 'releasing':
      return decideHalf(facts, ended);
    case 'ready':
      break;
    default:
      return unreachable(facts.state);
  }
  switch (checkout.kind) {
    case 'unknown':
      return refuse('its repository could not be read', checkout.why);
    case 'missing':
      return facts.locked === undefined ? act('forget', 'its directory is gone', `${facts.path}; its branch ${facts.branch} stays`) : lockedBy(facts.locked);
    case 'broken':
      return act('repair', 'it has lost its repository', facts.path);
    case 'sound':
      return decideWhole(policy, facts, ended);
    default:
      return unreachable(checkout);
  }
}

const lockedBy = (why: string): WorktreeVerdict => refuse('somebody locked it: git worktree unlock', why === '' ? 'no reason was given' : why);

function decideWhole(policy: PrunePolicy, facts: WorktreeFacts, ended: string): WorktreeVerdict {
  if (facts.endedAgoMs < policy.keepMs && !policy.over) return keep('it is kept for keep-worktrees', ended);
  if (facts.locked !== undefined) return lockedBy(facts.locked);
  if (facts.users === 'unknown') return refuse('unknown is not nobody', 'the working directories of processes could not be read');
  if (facts.users.length > 0) return refuse('a process works in it', pids(facts.users));
  switch (facts.work.kind) {
    case 'unsaved':
      return keep('its work is kept by the salvager first', facts.work.what);
    case 'nested':
      return refuse('a repository of its own lies in it: move it away', facts.work.paths.join(', '));
    case 'unknown':
      return refuse('what it holds could not be seen', facts.work.why);
    case 'none':
    case 'saved':
      return act('prune', facts.endedAgoMs < policy.keepMs ? 'the disk budget is used up, and all of its work is kept' : 'its time is over, and all of its work is kept', `${ended}; ${facts.work.kind === 'none' ? `on ${facts.branch}` : `on ${facts.branch} and ${facts.work.ref}`}; files that git ignores go with it`);
    default:
      return unreachable(facts.work);
  }
}

/** Nobody worked in what was never ready, and what is being removed was shown to be kept. */
function decideHalf(facts: WorktreeFacts, ended: string): WorktreeVerdict {
  if (facts.locked !== undefined && facts.locked !== 'initializing') return lockedBy(facts.locked);
  if (facts.users === 'unknown') return refuse('unknown is not nobody', 'the working directories of processes could not be read');
  if (facts.users.length > 0) return refuse('a process works in it', pids(facts.users));
  return act('prune', facts.state === 'making' ? 'it was never ready: nobody worked in it' : 'its removal was begun: all of its work was kept', ended);
}

function decideBranch(facts: WorktreeFacts): WorktreeVerdict {
  switch (facts.branchState) {
    case 'merged':
      return act('drop', 'its worktree is gone, and its branch is merged', facts.branch);
    case 'gone':
      return act('drop', 'its worktree is gone, and so is its branch', facts.branch);
    case 'unmerged':
      return keep('its branch is not merged');
    case 'checked-out':
      return keep('its branch is checked out somewhere');
    case 'unknown':
      return keep('whether its branch is merged could not be seen');
    default:
      return unreachable(facts.branchState);
  }
}

const pids = (all: readonly number[]): string => `pid ${all.slice(0, 8).join(', ')}${all.length > 8 ? ` and ${all.length - 8} more` : ''}`;
