/** Every event that a pit's log can hold: one closed union, past tense, versioned by `v`. `at` is wall-clock milliseconds. */
export type PitEvent =
  | { readonly kind: 'pit-started'; readonly pid: number; readonly snakes: number }
  | { readonly kind: 'pit-stopped'; readonly how: 'drained' | 'now' | 'left-running' }
  | { readonly kind: 'pit-rebooted'; readonly requeued: number }
  | { readonly kind: 'snakes-scaled'; readonly from: number; readonly to: number }
  | { readonly kind: 'snake-started'; readonly snake: string; readonly pid: number }
  | { readonly kind: 'snake-ended'; readonly snake: string; readonly pid: number; readonly why: string }
  | { readonly kind: 'snake-broken'; readonly snake: string; readonly why: string }
  | { readonly kind: 'task-added'; readonly id: string; readonly from: string; readonly state: 'ready' | 'waiting' | 'held' }
  | { readonly kind: 'task-refused'; readonly file: string; readonly line: number; readonly problem: string; readonly fix: string }
  | { readonly kind: 'task-warned'; readonly id: string; readonly line: number; readonly text: string }
  | { readonly kind: 'task-promoted'; readonly id: string; readonly why: string }
  | { readonly kind: 'task-claimed'; readonly id: string; readonly snake: string; readonly attempt: number; readonly marker: string }
  | { readonly kind: 'task-adopted'; readonly id: string; readonly snake: string; readonly marker: string }
  | { readonly kind: 'session-launched'; readonly id: string; readonly snake: string; readonly session: string; readonly marker: string }
  | { readonly kind: 'session-ended'; readonly id: string; readonly marker: string; readonly rule: string; readonly killed: number }
  | { readonly kind: 'step-started'; readonly id: string; readonly marker: string; readonly step: string; readonly round: number; readonly seat: number; readonly agent: string; readonly rule: string }
  | { readonly kind: 'step-ended'; readonly id: string; readonly marker: string; readonly step: string; readonly round: number; readonly seat: number; readonly end: string; readonly verdict: 'pass' | 'reject' | 'none' | ''; readonly evidence: string }
  | { readonly kind: 'task-requeued'; readonly id: string; readonly marker: string; readonly why: string; readonly waitMs: number }
  | { readonly kind: 'task-done'; readonly id: string; readonly marker: string; readonly attempt: number }
  | { readonly kind: 'task-failed'; readonly id: string; readonly marker: string; readonly attempt: number; readonly why: string }
  | { readonly kind: 'task-parked'; readonly id: string; readonly marker: string; readonly attempt: number; readonly why: string }
  | { readonly kind: 'task-answered'; readonly id: string; readonly answer: string }
  | { readonly kind: 'claim-lost'; readonly id: string; readonly marker: string }
  | { readonly kind: 'claim-reaped'; readonly id: string; readonly marker: string; readonly rule: string; readonly evidence: string }
  | { readonly kind: 'orphans-ended'; readonly marker: string; readonly rule: string; readonly killed: number }
  | { readonly kind: 'task-stuck'; readonly id: string; readonly marker: string; readonly evidence: string }
  | { readonly kind: 'task-held' | 'task-released' | 'task-retried' | 'task-cancelled'; readonly id: string }
  | { readonly kind: 'queue-paused' | 'queue-resumed' }
  | { readonly kind: 'nudge-decided'; readonly id: string; readonly marker: string; readonly what: 'done' | 'go-on'; readonly rule: string; readonly evidence: string }
  | { readonly kind: 'session-judged'; readonly id: string; readonly marker: string; readonly reason: string; readonly rule: string; readonly evidence: string }
  | { readonly kind: 'asked'; readonly id: string; readonly marker: string; readonly state: string; readonly rule: string; readonly evidence: string }
  | { readonly kind: 'left-to-person'; readonly id: string; readonly marker: string; readonly rule: string; readonly evidence: string }
  | { readonly kind: 'allowed'; readonly id: string; readonly marker: string; readonly dialog: string; readonly label: string; readonly result: 'gone' | 'standing' | 'refused'; readonly rule: string; readonly evidence: string }
  | { readonly kind: 'breaker-opened'; readonly account: string; readonly reason: string; readonly until: number; readonly strikes: number; readonly rule: string; readonly evidence: string }
  | { readonly kind: 'breaker-probing'; readonly account: string; readonly id: string; readonly marker: string; readonly rule: string; readonly evidence: string }
  | { readonly kind: 'breaker-closed'; readonly account: string; readonly rule: string; readonly evidence: string }
  | { readonly kind: 'agent-state'; readonly id: string; readonly marker: string; readonly state: string; readonly rule: string; readonly evidence: string }
  | { readonly kind: 'nudged'; readonly id: string; readonly marker: string; readonly receipt: 'submitted' | 'queued' | 'refused' | 'unconfirmed'; readonly rule: string; readonly evidence: string }
  | { readonly kind: 'task-scheduled'; readonly name: string; readonly id: string; readonly due: number; readonly rule: string }
  | { readonly kind: 'task-skipped'; readonly name: string; readonly due: number; readonly rule: string; readonly evidence: string }
  | { readonly kind: 'ping-queued'; readonly ping: string; readonly from: string; readonly to: string; readonly text: string; readonly why: string }
  | { readonly kind: 'ping-delivered'; readonly ping: string; readonly from: string; readonly to: string; readonly receipt: 'submitted' | 'queued' | 'told' | 'refused' | 'unconfirmed'; readonly rule: string; readonly evidence: string }
  | { readonly kind: 'ping-dropped'; readonly ping: string; readonly from: string; readonly to: string; readonly text: string; readonly why: string }
  | { readonly kind: 'ping-gap'; readonly from: string; readonly why: string }
  | { readonly kind: 'ping-gathered'; readonly from: string; readonly count: number; readonly since: number; readonly until: number; readonly kinds: string; readonly text: string }
  | { readonly kind: 'resident-started'; readonly resident: string; readonly marker: string; readonly session: string; readonly rule: string; readonly evidence: string }
  | { readonly kind: 'resident-ended'; readonly resident: string; readonly marker: string; readonly rule: string; readonly evidence: string; readonly killed: number }
  | { readonly kind: 'resident-woken'; readonly resident: string; readonly marker: string; readonly receipt: 'submitted' | 'queued' | 'refused' | 'unconfirmed'; readonly rule: string; readonly evidence: string }
  | { readonly kind: 'resident-broken'; readonly resident: string; readonly until: number; readonly rule: string; readonly evidence: string }
  | { readonly kind: 'task-woken'; readonly id: string; readonly marker: string; readonly receipt: 'submitted' | 'queued' | 'refused' | 'unconfirmed'; readonly rule: string; readonly evidence: string }
  | { readonly kind: 'worktree-set-up'; readonly id: string; readonly marker: string; readonly rule: string; readonly evidence: string }
  | { readonly kind: 'set-up-failed'; readonly id: string; readonly marker: string; readonly until: number; readonly rule: string; readonly evidence: string }
  | { readonly kind: 'work-salvaged'; readonly id: string; readonly ref: string; readonly rule: string; readonly evidence: string }
  | { readonly kind: 'worktree-removed'; readonly id: string; readonly branch: string; readonly rule: string; readonly evidence: string }
  | { readonly kind: 'branch-deleted'; readonly id: string; readonly branch: string; readonly was: string; readonly rule: string }
  | { readonly kind: 'log-rotated'; readonly part: string; readonly bytes: number; readonly rule: string; readonly evidence: string }
  | { readonly kind: 'tokens-counted'; readonly id: string; readonly run: string; readonly profile: string; readonly model: string; readonly input: number; readonly output: number; readonly cacheRead: number; readonly cacheWrite: number; readonly uncounted: string }
  | { readonly kind: 'budget-warned' | 'budget-reached'; readonly id: string; readonly unit: string; readonly rule: string; readonly evidence: string }
  | { readonly kind: 'task-proposed'; readonly id: string; readonly marker: string; readonly remote: string; readonly branch: string; readonly into: string; readonly commit: string; readonly url: string; readonly rule: string }
  | { readonly kind: 'task-merged'; readonly id: string; readonly marker: string; readonly into: string; readonly commit: string; readonly rule: string }
  | { readonly kind: 'merge-refused'; readonly id: string; readonly marker: string; readonly into: string; readonly end: string; readonly rule: string }
  | { readonly kind: 'hook-tested'; readonly hook: string }
  | { readonly kind: 'config-changed'; readonly file: string }
  | { readonly kind: 'config-refused'; readonly file: string; readonly problem: string };

export const EVENT_VERSION = 1;

/** One line of the event log. */
export type EventLine = PitEvent & { readonly v: typeof EVENT_VERSION; readonly at: number };
