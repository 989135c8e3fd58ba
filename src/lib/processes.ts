/** One process, told apart from every other that had or will have its number: pid, start time (kernel ticks since boot), boot. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly start: string;
  /** First eight hex digits of the kernel's boot id. */
  readonly boot: string;
}

/** "unknown" is not "dead": it never requeues and never kills. */
export type Liveness = 'alive' | 'dead' | 'unknown';

/** What the process table showed for one claim. `complete` is false when some process could not be read: then an empty list proves nothing. */
export interface MarkedProcesses {
  readonly complete: boolean;
  readonly processes: readonly ProcessIdentity[];
}

/** By what the processes of one claim (or of a whole pit) are known. */
export interface MarkerQuery {
  /** One whole environment entry, NAME=value, that all of them were started with. */
  readonly entry: string;
  /** A further entry that they must all bear: a copied pit has the same claims as the first, and another mark. */
  readonly with?: string | undefined;
  /** A directory made for this claim alone; an orphan working in it is the claim's. Never a directory of the user's. */
  readonly privateDir?: string | undefined;
  /** The session's first process, as recorded by the wrapper. */
  readonly leader?: ProcessIdentity | undefined;
}

/** One live process as the table shows it. */
export interface ProcessRow {
  readonly pid: number;
  readonly ppid: number;
  /** The leader of its session (setsid). */
  readonly session: number;
  /** When it began, milliseconds since boot. */
  readonly startedMs: number;
  /** User and system time that it has used, milliseconds. */
  readonly cpuMs: number;
}

/** The process table. A port. */
export interface Processes {
  self(): ProcessIdentity;
  boot(): string;
  liveness(of: ProcessIdentity): Promise<Liveness>;
  /** All live processes attributable by the query: by marker, by descent and session of those, and by working directory. */
  find(query: MarkerQuery): Promise<MarkedProcesses>;
  /** Processes that were started with the entry, by the claim marker (SNAKEPIT_CLAIM) that they bear, '' where they bear none; undefined where the table cannot be read. */
  markers(entry: string): Promise<ReadonlyMap<string, readonly number[]> | undefined>;
  /** All of it; undefined where it cannot be read. */
  table(): Promise<readonly ProcessRow[] | undefined>;
  /** Sends a signal to that very process, or to nobody. */
  signal(to: ProcessIdentity, signal: 'SIGTERM' | 'SIGCONT' | 'SIGKILL' | 'SIGINT' | 'SIGSTOP'): Promise<void>;
}

export const sameProcess = (a: ProcessIdentity, b: ProcessIdentity): boolean => a.pid === b.pid && a.start === b.start && a.boot === b.boot;
