import { isAncestor } from '../git/repository.js';
import { pushBranch, pushSettings, remoteTip } from '../git/push.js';
import type { Git } from '../git/run.js';
import type { Files } from '../lib/files.js';
import { unreachable } from '../lib/unreachable.js';
import { decidePush, type PushPolicy } from './decide-push.js';
import { openPullRequest, type Proposal } from './gh.js';
import type { MergeResult } from './merge.js';

/** A task's branch that is to be pushed and proposed; nothing here is moved. */
export interface ProposeRequest extends Proposal {
  readonly dir: string;
  readonly push: PushPolicy;
  /** Commits of this branch that were recorded before they were pushed. */
  readonly pushed: readonly string[];
  readonly record: (head: string) => Promise<void>;
  readonly held: () => Promise<boolean>;
  readonly outerEnv: Readonly<Record<string, string | undefined>>;
}

/** Somebody else may push meanwhile: it is looked at anew. */
const MOST_TRIES = 3;

/** Pushes what the configuration allows, then opens the pull request, once. May be repeated after a crash at any point. */
export async function propose({ files, git }: { files: Files; git: Git }, request: ProposeRequest): Promise<MergeResult> {
  const { dir, branch, into, head, push } = request;
  const blocked = (why: string, rule: string): MergeResult => ({ kind: 'ended', end: { kind: 'blocked', into, why }, rule });
  let last = '';
  for (let round = 0; round < MOST_TRIES; round += 1) {
    if (push.remote === '') return blocked('push: of snakepit.yaml names no remote, so that nothing may be pushed', 'nothing is pushed that the configuration does not allow');
    const settings = await pushSettings(git, dir);
    if (!settings.ok) return { kind: 'unknown', why: settings.error };
    if (settings.value.length > 0) return blocked(`the repository's own configuration would start a program or lead elsewhere (${settings.value.join(', ')}): move that into a configuration of your own (git config --global)`, 'an agent may have written it');
    const at = await remoteTip(git, dir, push.remote, branch);
    if (!at.ok) return { kind: 'unknown', why: `${push.remote} did not answer: ${at.error}` };
    const step = decidePush({ push, branch, head, at: at.value, onward: at.value !== undefined && (await isAncestor(git, dir, at.value, head)) === true, pushed: request.pushed });
    switch (step.kind) {
      case 'blocked':
        return blocked(step.why, step.rule);
      case 'open': {
        if (!(await request.held())) return { kind: 'interrupted', rule: 'the claim was lost before it was proposed' };
        const opened = await openPullRequest(files, dir, request.outerEnv, request);
        return { kind: 'ended', end: { kind: 'proposed', into, remote: push.remote, branch, commit: head, ...(opened.url === undefined ? { why: opened.why } : { url: opened.url }) }, rule: 'its branch is pushed' };
      }
      case 'push': {
        // Recorded before: a later attempt of the task knows this commit there for its own.
        await request.record(head);
        if (!(await request.held())) return { kind: 'interrupted', rule: 'the claim was lost before the push' };
        const pushed = await pushBranch(git, dir, push.remote, branch, head, step.from);
        if (!pushed.ok) last = pushed.error;
        break;
      }
      default:
        return unreachable(step);
    }
  }
  return { kind: 'unknown', why: `${branch} could not be pushed to ${push.remote}: ${last}` };
}
