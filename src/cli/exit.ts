import { errorCode } from '../lib/files.js';
import { remedyOf } from '../protocol/remedies.js';

/** Exit codes, after sysexits(3); `snakepit --help` lists them. */
export const EXIT = {
  ok: 0,
  /** A task that was waited for failed, or a file was refused meanwhile. */
  failed: 1,
  /** Of a cleanup, as fsck(8) has them: it mended something; something is left to a person. Both may be true. */
  mended: 1,
  left: 4,
  usage: 64,
  badTask: 65,
  notFound: 66,
  unavailable: 69,
  internal: 70,
  busy: 75,
  /** The system does not let us read or write something. */
  noPermission: 77,
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

/** What a person must allow; of whatever else the machine lacks there is too little. */
const NOT_ALLOWED: ReadonlySet<string> = new Set(['EACCES', 'EPERM', 'EROFS']);

/** How a command ends that threw: the code, and the line without our name before it. */
export function exitOf(cause: unknown): { readonly code: number; readonly line: string } {
  if (cause instanceof CliError) return { code: cause.exitCode, line: cause.message };
  const line = cause instanceof Error ? cause.message : String(cause);
  const code = errorCode(cause);
  const remedy = remedyOf(code);
  return remedy === undefined ? { code: EXIT.internal, line } : { code: NOT_ALLOWED.has(code) ? EXIT.noPermission : EXIT.unavailable, line: `${line}; ${remedy}` };
}
