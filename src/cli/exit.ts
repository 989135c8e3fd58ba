/** Exit codes, after sysexits(3); `snakepit --help` lists them. */
export const EXIT = {
  ok: 0,
  /** A task that was waited for failed. */
  failed: 1,
  usage: 64,
  badTask: 65,
  notFound: 66,
  unavailable: 69,
  internal: 70,
  busy: 75,
  config: 78,
  timedOut: 124,
} as const;

/** Ends a command: one line that says what is wrong and what to do, and the exit code. */
export class CliError extends Error {
  readonly exitCode: number;
  constructor(message: string, exitCode: number) {
    super(message);
    this.exitCode = exitCode;
  }
}
