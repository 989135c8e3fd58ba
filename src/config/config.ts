import type { HookConfig } from './hooks.js';
import type { PingConfig } from './pings.js';
import type { PriceConfig } from './prices.js';
import type { SpecialistConfig } from './specialists.js';

/** The configuration with every value present. Durations in milliseconds. */
export interface Config {
  readonly snakes: number;
  readonly agent: string;
  readonly workspace: 'auto' | 'worktree' | 'repo' | 'scratch';
  /** The project's directory, relative to the pit's. */
  readonly repo: string;
  /** What worktrees start from: a branch, a tag, a commit; HEAD: what is checked out. */
  readonly base: string;
  /** What becomes of an attempt in a worktree during which the project's own checkout changed. */
  readonly guard: 'fail' | 'report' | 'off';
  readonly workflow: string;
  /** What the diff of a task may be: see protocol/policy.ts. */
  readonly policy: { readonly allow: readonly string[]; readonly deny: readonly string[]; readonly 'max-added': number | null; readonly 'max-removed': number | null; readonly 'max-files': number | null; readonly binaries: 'allow' | 'deny'; readonly secrets: 'allow' | 'deny' };
  readonly merge: 'none' | 'ff' | 'no-ff' | 'squash' | 'rebase' | 'pull-request';
  /** The target branch; '': an integration branch of our own. */
  readonly into: string;
  readonly fixRounds: number;
  readonly coAuthors: readonly string[];
  /** What may be pushed where; no remote: nothing, ever. */
  readonly push: { readonly remote: string; readonly branches: readonly string[] };
  readonly timeoutMs: number;
  readonly attempts: number;
  readonly losses: number;
  readonly deferrals: number;
  readonly asks: number;
  readonly backoff: { readonly firstMs: number; readonly factor: number; readonly maxMs: number };
  readonly settleMs: number;
  readonly maxTaskBytes: number;
  readonly heartbeatMs: number;
  readonly tickMs: number;
  readonly rescanMs: number;
  readonly graceMs: number;
  readonly cleanupMs: number;
  readonly keepMs: number;
  readonly keepLogsMs: number;
  /** How long a worktree stays after its task has ended. */
  readonly keepWorktreesMs: number;
  readonly eventLog: { readonly bytes: number; readonly everyMs: number; readonly keepMs: number };
  readonly adoptMs: number;
  readonly verifyTimeoutMs: number;
  /** Commands that make a fresh worktree ready. */
  readonly setup: readonly string[];
  readonly setupTimeoutMs: number;
  /** What is kept of a set-up, by which files it fits, for how long unused, and how much in all. */
  readonly setupCache: { readonly paths: readonly string[]; readonly key: readonly string[]; readonly keepMs: number; readonly bytes: number };
  /** Three octal digits: files that sessions make in workspaces. */
  readonly sessionUmask: string;
  readonly minFreeBytes: number;
  /** What worktrees and runs may take of the disk; 0: no limit. */
  readonly diskBytes: number;
  readonly toss: { readonly depth: number; readonly perTask: number; readonly commands: boolean };
  readonly env: readonly string[];
  /** What the person lays over the built-in agent profiles, not yet validated: see agents/load-profiles.ts. */
  readonly agents: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** By name, as the file has them: see residents/wanted.ts. */
  readonly residents: Readonly<Record<string, ResidentConfig>>;
  /** Agents that clean up where judgment is needed, by name, as the file has them: see specialists/wanted.ts. */
  readonly specialists: Readonly<Record<string, SpecialistConfig>>;
  /** The budget of restarts of residents. */
  readonly heal: { readonly restarts: number; readonly pool: number; readonly windowMs: number; readonly firstMs: number; readonly maxMs: number; readonly openMs: number };
  readonly startupMs: number;
  readonly signalMs: number;
  readonly retryMs: number;
  readonly stallMs: number;
  readonly nudgeMs: number;
  readonly nudges: number;
  readonly waitCapMs: number;
  /** See agents/breaker/state.ts `BreakerPolicy`. */
  readonly breaker: { readonly floorMs: number; readonly marginMs: number; readonly firstMs: number; readonly maxMs: number; readonly staggerMs: number; readonly releaseMs: number; readonly failures: number };
  /** As the file has them; pings/rules.ts makes rules of them. */
  readonly pings: readonly PingConfig[];
  /** As the file has them; pings/hooks.ts makes rules of them. */
  readonly hooks: readonly HookConfig[];
  /** Quiet hours of hooks for people, as the file has them. */
  readonly quiet: string | readonly string[];
  readonly pingKeepMs: number;
  /** `file` '': none; `port` 0: none. What an older snakepit published has none of it. */
  readonly metrics?: { readonly file: string; readonly port: number; readonly everyMs: number };
  /** Limits of a day, of all time, and of each task. What an older snakepit published has no `task`. */
  readonly budget: { readonly day: LimitsOf; readonly pit: LimitsOf; readonly task?: LimitsOf };
  /** The person's own prices, as the file has them. */
  readonly prices: readonly PriceConfig[];
  /** The same, and after them the shipped ones: the first list that fits decides. */
  readonly priceLists: readonly (readonly Price[])[];
}

/** What tokens of some models cost from a day on, in US dollars per million. A kind that has no price here is not priced. */
export interface Price {
  /** Of the model's name as its program says it, `*` for any characters. */
  readonly model: string;
  /** Of the account's key, the same way; without one: every account. */
  readonly account?: string | undefined;
  /** The first instant at which it holds. Wall clock, milliseconds. */
  readonly fromMs: number;
  readonly input?: number | undefined;
  readonly output?: number | undefined;
  readonly cacheRead?: number | undefined;
  readonly cacheWrite?: number | undefined;
  /** Who says so, and when that was read. */
  readonly source: string;
}

/** One entry of `residents:`, keys and durations as in the file. Either a `command`, or a prompt and `every`. */
export interface ResidentConfig {
  readonly agent?: string | undefined;
  readonly prompt?: string | undefined;
  readonly 'prompt-file'?: string | undefined;
  readonly every?: string | undefined;
  readonly mode?: 'interactive' | 'headless' | undefined;
  readonly workspace: 'repo' | 'own';
  readonly command?: string | undefined;
}

/** Limits in tokens, US dollars and minutes; a kind that is left out has none. */
export interface LimitsOf {
  readonly tokens?: number | undefined;
  readonly money?: number | undefined;
  readonly minutes?: number | undefined;
}
