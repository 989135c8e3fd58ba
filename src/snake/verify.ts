import { spawn } from 'node:child_process';
import { tailLines } from '../lib/text.js';
import type { VerifyRun } from '../protocol/records.js';

const KEEP_BYTES = 64 * 1024;
const TAIL = 40;

/**
 * One verify: command in a shell of its own, in its own session, bearing the claim's marker, so that the end of the claim
 * ends it too. Status 124: it outlived its time; 127: it could not be started.
 */
export function runVerify(command: string, cwd: string, env: Readonly<Record<string, string>>, timeoutMs: number, abort: AbortSignal): Promise<VerifyRun> {
  return new Promise((resolve) => {
    const child = spawn('/bin/sh', ['-c', command], { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    let kept = '';
    const keep = (chunk: Buffer): void => {
      kept = (kept + chunk.toString('utf8')).slice(-KEEP_BYTES);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    let timedOut = false;
    const kill = (): void => {
      if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) process.kill(-child.pid, 'SIGKILL');
    };
    const timer = setTimeout(() => {
      timedOut = true;
      kill();
    }, timeoutMs);
    abort.addEventListener('abort', kill, { once: true });
    const settle = (code: number): void => {
      clearTimeout(timer);
      abort.removeEventListener('abort', kill);
      child.stdout.destroy();
      child.stderr.destroy();
      resolve({ command, code, tail: tailLines(kept, TAIL) });
    };
    child.on('error', () => settle(127));
    // "exit", not "close": a daemon left behind would hold the pipes open; it is ended with the claim.
    child.on('exit', (code, signal) => setImmediate(() => settle(timedOut ? 124 : (code ?? (signal === null ? 1 : 137)))));
  });
}
