import { wildcard } from '../lib/wildcard.js';

/** `push:` of the configuration. */
export interface PushPolicy {
  /** A remote's name; '': nothing is ever pushed. */
  readonly remote: string;
  /** Branches that may be pushed, * for any characters. */
  readonly branches: readonly string[];
}

/** What is known of one branch at one look. */
export interface PushView {
  readonly push: PushPolicy;
  readonly branch: string;
  /** Where it stands here. */
  readonly head: string;
  /** Where it stands at the remote; undefined: it is not there. */
  readonly at: string | undefined;
  /** What stands there lies in the history of what stands here. */
  readonly onward: boolean;
  /** What this task has pushed before. */
  readonly pushed: readonly string[];
}

export type PushStep =
  | { readonly kind: 'push'; readonly from: string | undefined; readonly rule: string }
  | { readonly kind: 'open'; readonly rule: string }
  | { readonly kind: 'blocked'; readonly why: string; readonly rule: string };

/** Pure and total. What stands at the remote is replaced only where it is this task's own, and only from exactly there. */
export function decidePush({ push, branch, head, at, onward, pushed }: PushView): PushStep {
  if (push.remote === '' || !push.branches.some((pattern) => wildcard(pattern, branch))) {
    return { kind: 'blocked', why: `push: of snakepit.yaml does not allow ${branch} (${push.branches.join(', ')}) at ${push.remote === '' ? 'any remote' : push.remote}`, rule: 'nothing is pushed that the configuration does not allow' };
  }
  if (at === head) return { kind: 'open', rule: 'it stands there already' };
  if (at === undefined || onward || pushed.includes(at)) return { kind: 'push', from: at, rule: at === undefined ? 'it is not there yet' : onward ? 'it only goes forward' : 'what stands there is what this task pushed before' };
  return { kind: 'blocked', why: `${branch} at ${push.remote} stands at ${at.slice(0, 10)}, which is not of this task`, rule: 'what others pushed is never overwritten' };
}
