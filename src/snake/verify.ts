import { spawn } from 'node:child_process';
import { closeSync, openSync, writeSync } from 'node:fs';
import { tailLines } from '../lib/text.js';
import type { VerifyRun } from '../protocol/records.js';

const KEEP_BYTES = 64 * 1024;
const TAIL = 40;
/** Of the log that keeps its output: what is beyond is only in the tail. */
const LOG_BYTES = 8 * 1024 * 1024;

/**
 * One verify: command in a shell of its own, in its own session, bearing the claim's marker, so that the end of the claim
 * ends it too. Status 124: it outlived its time; 127: it could not be started. `log`: a file that its output is added to.
 */
export function runVerify(command: string, cwd: string, env: Readonly<Record<string, string>>, timeoutMs: number, abort: AbortSignal, log?: string): Promise<VerifyRun> {
  return new Promise((resolve) => {
    const child = spawn('/bin/sh', ['-c', command], { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    let kept = '';
    const file = log === undefined ? undefined : openSync(log, 'a', 0o600);
    let left = LOG_BYTES;
    let settled = false;
    const keep = (chunk: Buffer): void => {
      if (settled) return;
      left -= file === undefined || left <= 0 ? 0 : written(file, chunk.subarray(0, left));
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
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      abort.removeEventListener('abort', kill);
      child.stdout.destroy();
      child.stderr.destroy();
      if (file !== undefined) closeSync(file);
      resolve({ command, code, tail: tailLines(kept, TAIL) });
    };
    child.on('error', () => settle(127));
    // "exit", not "close": a daemon left behind would hold the pipes open; it is ended with the claim.
    child.on('exit', (code, signal) => setImmediate(() => settle(timedOut ? 124 : (code ?? (signal === null ? 1 : 137)))));
  });
}

/** What a full disk does not take is only in the tail. */
function written(file: number, chunk: Buffer): number {
  try {
    return writeSync(file, chunk);
  } catch {
    return chunk.length;
  }
}
