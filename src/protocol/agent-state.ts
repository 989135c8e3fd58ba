export const AGENT_STATES = [
  'starting', 'working', 'idle', 'finished', 'blocked-on-permission', 'blocked-on-dialog', 'waiting-for-input', 'retrying',
  'rate-limited', 'usage-limited', 'auth-failed', 'context-exhausted', 'session-lost', 'errored', 'crashed', 'exited', 'unknown',
] as const;

/**
 * One closed union for every agent program and both modes. "finished": a turn has ended well; "idle": ready, and no turn is
 * known to have ended; "errored": a turn ended in an error that is none of the named ones; "session-lost": the session
 * that was to be resumed is not there; "exited" and "crashed": the program
 * has ended, with status 0 or otherwise; "unknown" is never taken for idle.
 */
export type AgentStateKind = (typeof AGENT_STATES)[number];

/** What a session is doing, the rule that says so, and what the rule saw. `resetAt`: wall clock, milliseconds, where the program gave it. */
export interface AgentState {
  readonly kind: AgentStateKind;
  /** From the strongest witness to the weakest. */
  readonly source: 'exit' | 'event' | 'transcript' | 'process' | 'title' | 'pane' | 'none';
  readonly rule: string;
  readonly evidence: string;
  readonly resetAt?: number;
}
