import { createHash } from 'node:crypto';
import { join } from 'node:path';

/** The directories under queue/: where a task file lies is its state. `queue/` itself is the drop zone. */
export const QUEUE_STATES = ['ready', 'waiting', 'held', 'claimed', 'reaping', 'stuck', 'needs', 'done', 'failed'] as const;
export type QueueState = (typeof QUEUE_STATES)[number];

/** Every path of one pit's directory. The only place where they are spelled. */
export interface Layout {
  readonly root: string;
  readonly queue: string;
  readonly paused: string;
  /** Done tasks of long ago, by month. */
  readonly archive: string;
  readonly tmp: string;
  /** Templates that become tasks when they are due. */
  readonly recurring: string;
  readonly state: string;
  readonly configFile: string;
  /** The last good configuration, as the pit published it. */
  readonly activeConfig: string;
  readonly snapshot: string;
  /** What a person asked for: how many snakes, running or going down. */
  readonly desired: string;
  /** Agent profiles with the person's own keys laid over them, as the pit published them. */
  readonly agents: string;
  /** Accounts that wait for a provider's limit to end. */
  readonly breakers: string;
  /** What is to be told to whom, and up to where each rule has looked. */
  readonly pings: string;
  readonly pitId: string;
  /** The name of the host that last ran a pit here. */
  readonly host: string;
  readonly locks: { readonly pit: string; readonly intake: string; readonly cleanup: string };
  readonly snakes: string;
  /** What hinders the pit and each snake, as they say it themselves. */
  readonly hindered: string;
  readonly runs: string;
  /** One checkout per task that works in a worktree, by its id. */
  readonly worktrees: string;
  /** Checkouts of merged trees, by task, while their checks run. */
  readonly merging: string;
  /** One directory per task beside its worktree: the record of it. */
  readonly workspaces: string;
  /** What set-up commands made, by what it fits: see workspace/setup-cache.ts. */
  readonly setupCache: string;
  /** Set-up commands that fail now. */
  readonly setupTrouble: string;
  /** What worktrees and runs took of the disk when the pit last looked. */
  readonly diskUse: string;
  /** What was saved before something was removed. */
  readonly salvage: string;
  /** Configuration directories of agent programs, one per task and account. */
  readonly homes: string;
  /** Long-lived sessions beside the snakes, one directory each. */
  readonly residents: string;
  /** What attempts and residents used, a line each, by month. */
  readonly ledger: string;
  /** What was told last of the budgets of the day and the pit. */
  readonly budgetTold: string;
  readonly log: string;
  /** What is left of logs that were removed: a line each, by month. */
  readonly digests: string;
  readonly events: string;
  /** One record per template: when it is due next, what was made of it. */
  readonly recurringState: string;
  /** Templates that were refused, and for what. */
  readonly recurringRefused: string;
  readonly tmuxSocket: string;
  readonly tmuxConfig: string;
  /** Holds the `snakepit` that sessions find on their PATH. */
  readonly bin: string;
  dir(state: QueueState): string;
}

/** A socket path of more than about 107 bytes is refused by the kernel; then a short one in a private directory under /tmp stands in. */
function socketPath(state: string): { socket: string } {
  const beside = join(state, 'tmux.sock');
  if (Buffer.byteLength(beside) <= 100) return { socket: beside };
  const tag = createHash('sha256').update(state).digest('hex').slice(0, 16);
  return { socket: join('/tmp', `snakepit-${process.getuid?.() ?? 0}-${tag}`, 'tmux.sock') };
}

export function layoutOf(root: string): Layout {
  const queue = join(root, 'queue');
  const state = join(root, '.snakepit');
  return {
    root,
    queue,
    paused: join(queue, 'PAUSED'),
    archive: join(queue, 'archive'),
    tmp: join(queue, 'tmp'),
    recurring: join(queue, 'recurring'),
    state,
    configFile: join(root, 'snakepit.yaml'),
    activeConfig: join(state, 'config.json'),
    snapshot: join(state, 'snapshot.json'),
    desired: join(state, 'desired.json'),
    agents: join(state, 'agents.json'),
    breakers: join(state, 'breakers'),
    pings: join(state, 'pings'),
    pitId: join(state, 'pit-id'),
    host: join(state, 'host'),
    locks: { pit: join(state, 'locks', 'pit'), intake: join(state, 'locks', 'intake'), cleanup: join(state, 'locks', 'cleanup') },
    snakes: join(state, 'snakes'),
    hindered: join(state, 'hindered'),
    runs: join(state, 'runs'),
    worktrees: join(state, 'worktrees'),
    merging: join(state, 'merging'),
    workspaces: join(state, 'workspaces'),
    setupCache: join(state, 'setup-cache'),
    setupTrouble: join(state, 'setup-trouble.json'),
    diskUse: join(state, 'disk.json'),
    salvage: join(state, 'salvage'),
    homes: join(state, 'homes'),
    residents: join(state, 'residents'),
    ledger: join(state, 'ledger'),
    budgetTold: join(state, 'budget-told.json'),
    log: join(state, 'log'),
    digests: join(state, 'digests'),
    events: join(state, 'log', 'events.jsonl'),
    recurringState: join(state, 'recurring'),
    recurringRefused: join(state, 'recurring-refused.json'),
    tmuxSocket: socketPath(state).socket,
    tmuxConfig: join(state, 'tmux.conf'),
    bin: join(state, 'bin'),
    dir: (name) => join(queue, name),
  };
}

/** Whether a file in a state directory is a task: stories, questions, refused files and hidden ones are not. */
export const isTaskFile = (name: string): boolean => name.endsWith('.md') && !name.startsWith('.') && !name.endsWith('.result.md') && !name.endsWith('.question.md') && !(name.includes('.refused-') && /\.refused-[0-9a-z]{10}\.md$/.test(name));
