import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What one run of the fake program saw. */
export interface Dump {
  /** `session`: it was run to work a task; `export`: to print a transcript; `verify`: a check of ours. */
  readonly kind: 'session' | 'export' | 'verify';
  readonly task: string;
  readonly env: Readonly<Record<string, string>>;
  readonly argv: readonly string[];
  /** Undefined: it was a terminal. */
  readonly stdin: string | undefined;
}

/**
 * Puts a program under each of these names into `bin` that writes down its environment, arguments and input, waits for 1.5 s so that
 * it can be looked at, and says that it is done. Where it writes is in its text: it trusts no variable.
 */
export function fakePrograms(bin: string, dumps: string, names: readonly string[]): void {
  for (const dir of [bin, dumps]) mkdirSync(dir, { recursive: true });
  const script = `#!/bin/sh
[ "$1" = --version ] && { echo 1.0; exit 0; }
kind=session
[ "$1" = export ] && kind=export
at='${dumps}'/$kind.$$
mkdir "$at" || exit 1
env -0 > "$at/env"
printf '%s\\0' "$0" "$@" > "$at/argv"
[ -t 0 ] || cat > "$at/stdin"
[ $kind = export ] && exit 0
sleep 1.5
[ -t 0 ] && "$SNAKEPIT_COMMAND" done 'it looked around'
echo 'It looked around.'
`;
  for (const name of names) {
    writeFileSync(join(bin, name), script);
    chmodSync(join(bin, name), 0o755);
  }
}

/** A verify: command that leaves a dump too. */
export const verifyDump = (dumps: string): string => `mkdir ${dumps}/verify.$$ && env -0 > ${dumps}/verify.$$/env`;

export function readDumps(dumps: string): Dump[] {
  const parts = (dir: string, file: string): string[] | undefined => (readdirSync(dir).includes(file) ? readFileSync(join(dir, file), 'utf8').split('\0').slice(0, -1) : undefined);
  return readdirSync(dumps).map((name) => {
    const dir = join(dumps, name);
    const env = Object.fromEntries((parts(dir, 'env') ?? []).map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
    return { kind: name.split('.')[0] as Dump['kind'], task: env['SNAKEPIT_TASK_ID'] ?? '', env, argv: parts(dir, 'argv') ?? [], stdin: readdirSync(dir).includes('stdin') ? readFileSync(join(dir, 'stdin'), 'utf8') : undefined };
  });
}
