import type { Options } from 'execa';

/** How a program that we ran to its end did. "unknown": it did not answer in time, or could not be started. */
export type Ran =
  | { readonly kind: 'ended'; readonly code: number; readonly stdout: string; readonly stderr: string }
  | { readonly kind: 'unknown'; readonly why: string };

/** From the asking to end to the ending: git takes its locks back when it is asked. */
const KILL_AFTER_MS = 1000;

/** Runs an argv (never a shell line) and waits; execa is loaded at the first call, since an idle snake needs none. `maxBytes`: of its output; one that says more is ended. */
export async function run(argv: readonly [string, ...string[]], options: { timeoutMs: number; cwd?: string; env?: Readonly<Record<string, string>>; input?: string; maxBytes?: number }): Promise<Ran> {
  const { execa } = await import('execa');
  const [program, ...args] = argv;
  const settings: Options = {
    forceKillAfterDelay: KILL_AFTER_MS,
    reject: false,
    stripFinalNewline: false,
    ...(options.maxBytes === undefined ? {} : { maxBuffer: options.maxBytes }),
    extendEnv: options.env === undefined,
    ...(options.env === undefined ? {} : { env: options.env }),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.input === undefined ? { stdin: 'ignore' as const } : { input: options.input }),
  };
  const child = execa(program, args, settings);
  const result = await withinTime(child, options.timeoutMs);
  if (result === 'late') {
    // Its pipes are let go too: a tmux client hands them to its server, and one that is stopped holds them open for ever.
    const exited = new Promise<void>((resolve) => {
      child.once('exit', () => resolve());
      child.once('error', () => resolve());
    });
    child.kill();
    if (child.exitCode === null && child.signalCode === null) await withinTime(exited, 2 * KILL_AFTER_MS);
    child.stdout?.destroy();
    child.stderr?.destroy();
    child.catch(() => undefined);
    return { kind: 'unknown', why: `${program} did not answer within ${options.timeoutMs} ms` };
  }
  if (result.exitCode === undefined) return { kind: 'unknown', why: result.shortMessage ?? `${program} ended by ${result.signal ?? 'an unknown cause'}` };
  return { kind: 'ended', code: result.exitCode, stdout: String(result.stdout ?? ''), stderr: String(result.stderr ?? '') };
}

async function withinTime<T>(promise: PromiseLike<T>, ms: number): Promise<T | 'late'> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
