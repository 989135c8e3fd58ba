import type { Policy } from './policy.js';
import type { TaskLimits } from './limits.js';

export const ASK_POLICIES = ['fail', 'park', 'allow'] as const;

/**
 * What becomes of a session that asks a person. "fail": the attempt has failed; "park": the task lies in needs/ until somebody answers;
 * "allow": the pit chooses the answer that the profile calls safe, and parks what has none.
 */
export type AskPolicy = (typeof ASK_POLICIES)[number];

/** How a task is worked, as its file says. Fields that the file leaves out are undefined: the configuration decides then. */
export interface TaskSpec {
  readonly id: string | undefined;
  /** The first heading, else the first line, cut to 80; for showing only. */
  readonly title: string;
  /** Profiles to try, in order; empty: the configured default. */
  readonly agents: readonly string[];
  /** 0 first … 99 last. */
  readonly priority: number | undefined;
  readonly after: readonly string[];
  /** Not before this instant (from `at:` or, counted from arrival, `in:`). */
  readonly notBefore: { readonly kind: 'at'; readonly atMs: number } | { readonly kind: 'in'; readonly ms: number } | undefined;
  readonly timeoutMs: number | undefined;
  /** How many failures of its own end it in failed/. */
  readonly attempts: number | undefined;
  readonly workspace: 'worktree' | 'repo' | 'scratch' | undefined;
  /** What its worktree starts from: a branch, tag or commit. */
  readonly base: string | undefined;
  /** "required": an attempt that leaves its branch as it was has failed; only in a worktree. */
  readonly changes: 'required' | 'optional';
  /** Its own bounds on its diff, beside the configuration's. */
  readonly policy: Policy | undefined;
  /** "none": its branch is not merged, whatever is configured. */
  readonly merge: 'none' | undefined;
  /** Print mode or the full-screen program; undefined: as the agent's profile says. */
  readonly mode: 'headless' | 'interactive' | undefined;
  /** When its session asks a person; undefined: as the agent's profile says. */
  readonly ask: AskPolicy | undefined;
  /** An interactive session rests between its turns and is woken each so many milliseconds. */
  readonly wakeMs: number | undefined;
  /** How it is worked: a file of workflows/; undefined: the configured one. `with`: what the task says to its options. */
  readonly workflow: string | undefined;
  readonly with: Readonly<Record<string, unknown>>;
  /** Commands that make its fresh worktree ready, before its first session; undefined: the configured ones, none in it: none. */
  readonly setup: readonly string[] | undefined;
  readonly verify: readonly string[];
  readonly run: string | undefined;
  /** Files read in place, handed on as SNAKEPIT_INPUT_<NAME>. */
  readonly inputs: Readonly<Record<string, string>>;
  /** The task that tossed this one, and how many tosses lie above it. */
  readonly parent: string | undefined;
  readonly depth: number;
  /** Words by which rules choose tasks: `pings:` in snakepit.yaml. */
  readonly tags: readonly string[];
  /** What it may use up, all its attempts together; a kind that it leaves out is the configuration's. "off": no limit at all. */
  readonly budget: TaskLimits | 'off' | undefined;
  readonly body: string;
}

/** Something odd that does not stop the task: an unknown key. */
export interface TaskWarning {
  readonly line: number;
  readonly text: string;
}

export const PRIORITY_WORDS: Readonly<Record<string, number>> = { urgent: 10, high: 30, normal: 50, low: 70 };
export const DEFAULT_PRIORITY = 50;

/** One fenced block of commands in a task's body. */
export interface FencedBlock {
  readonly shell: 'sh' | 'bash';
  readonly text: string;
}

/** The ```sh, ```bash and ```shell blocks of a body, in order. An unclosed last one runs to the end, as markdown has it. */
export function fencedShell(body: string): FencedBlock[] {
  const blocks: FencedBlock[] = [];
  let open: { fence: string; shell: 'sh' | 'bash' | undefined; lines: string[] } | undefined;
  const close = (): void => {
    if (open?.shell !== undefined) blocks.push({ shell: open.shell, text: open.lines.join('\n') });
    open = undefined;
  };
  for (const raw of body.split('\n')) {
    const line = raw.replace(/\r$/, '');
    const fence = /^ {0,3}(`{3,}(?!.*`)|~{3,})\s*([A-Za-z0-9+-]*)(.*)$/.exec(line);
    if (open === undefined) {
      if (fence === null) continue;
      const word = (fence[2] ?? '').toLowerCase();
      open = { fence: fence[1] ?? '```', shell: word === 'bash' ? 'bash' : word === 'sh' || word === 'shell' ? 'sh' : undefined, lines: [] };
    } else if (fence !== null && fence[2] === '' && (fence[3] ?? '').trim() === '' && (fence[1] ?? '').startsWith(open.fence)) close();
    else open.lines.push(line);
  }
  close();
  return blocks;
}
