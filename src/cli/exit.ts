import { errorCode } from '../lib/files.js';

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

const NO_RIGHT = { code: EXIT.noPermission, words: 'the pit belongs to whoever made it: run as that user, or give yourself the right (ls -ld shows whose it is)' };
const DESCRIPTORS = { code: EXIT.unavailable, words: 'too many files are open: ulimit -n says how many may be; raise it, or end what holds them' };

/** What the machine lacks, and what a person can do about it, by the error's code. */
const REMEDIES: Readonly<Record<string, { readonly code: number; readonly words: string } | undefined>> = {
  EACCES: NO_RIGHT,
  EPERM: NO_RIGHT,
  EROFS: { code: EXIT.noPermission, words: 'the file system is mounted read-only: nothing can be changed here before it is mounted for writing again (findmnt -T . shows it)' },
  ENOSPC: { code: EXIT.unavailable, words: 'the disk is full, or has no inodes left: free some (df -h . and df -i . show which); what is in line stays there' },
  EDQUOT: { code: EXIT.unavailable, words: 'your quota is used up: free some (quota -s shows it); what is in line stays there' },
  EMFILE: DESCRIPTORS,
  ENFILE: DESCRIPTORS,
  EIO: { code: EXIT.unavailable, words: 'the disk did not do it: look at dmesg, and save what is on it' },
};

/** How a command ends that threw: the code, and the line without our name before it. */
export function exitOf(cause: unknown): { readonly code: number; readonly line: string } {
  if (cause instanceof CliError) return { code: cause.exitCode, line: cause.message };
  const line = cause instanceof Error ? cause.message : String(cause);
  const code = errorCode(cause);
  const remedy = Object.hasOwn(REMEDIES, code) ? REMEDIES[code] : undefined;
  return remedy === undefined ? { code: EXIT.internal, line } : { code: remedy.code, line: `${line}; ${remedy.words}` };
}
